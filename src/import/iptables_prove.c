/* Leaves are those of target/nft's walk; so are sequences, and what comes back of a chain. */
#include "import/iptables_prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "import/iptables_condition.h"
#include "import/prove.h"

#define DEPTH_MOST 64
#define FAMILY_COUNT 2

enum { OPEN = 1, DONE };

struct walked_chain {
	unsigned state; /* 0: not begun */
	diagram meaning;
};

/* One text. */
struct walked_file {
	struct iptables_reading reading;
	const struct save_file *file;
	struct names *chains; /* struct walked_chain by the address of the chain */
};

struct proving {
	void *pool;
	struct sources *sources;
	const struct import_iptables_files *files;
	struct walk *walk;
	struct walked_file walked[FAMILY_COUNT];
	unsigned depth;
	const char *problem;
};

static diagram leaf_of(const struct proving *run, enum walk_verdict verdict, const char *text)
{
	return walk_leaf_of(run->walk->leaves, verdict, text, run->walk->leaves->none);
}

static diagram fail(struct proving *run, const char *what, const char *name)
{
	run->problem = pool_format(run->pool, "%s '%s'", what, name);
	return leaf_of(run, WALK_UNSURE, run->problem);
}

/* --- targets ------------------------------------------------------------------------------------------ */

static diagram log_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	const char *prefix = iptables_condition_option(condition, "--log-prefix");

	return walk_leaf_of(run->walk->leaves, WALK_FALL, NULL,
			    walk_effects_with(run->walk->leaves, run->walk->leaves->none, WALK_LOG,
					      prefix == NULL ? "" : prefix));
}

static diagram reject_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	const char *with = iptables_condition_option(condition, "--reject-with");
	struct walk_leaf leaf = { .verdict = WALK_REJECT, .effects = run->walk->leaves->none };

	leaf.reject.type = with != NULL && strcmp(with, "tcp-reset") == 0 ? NFT_REJECT_TCP_RST :
			   NFT_REJECT_ICMPX_UNREACH;
	leaf.reject.code = with != NULL && strstr(with, "-prohibited") != NULL ? NFT_REJECT_ICMPX_ADMIN_PROHIBITED :
			   NFT_REJECT_ICMPX_PORT_UNREACH;
	return walk_leaf(run->walk->leaves, leaf);
}

static bool port_of(const char *text, uint16_t *port)
{
	unsigned number = 0;
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 5 || text[length] != '\0')
		return false;
	for (; *text != '\0'; text++)
		number = number * 10 + (unsigned)(*text - '0');
	*port = (uint16_t)number;
	return number > 0 && number <= UINT16_MAX;
}

/* "10.0.0.5", "10.0.0.5:80", "[fd00::5]:80"; false: ranges and the like. */
static bool endpoint_of(const char *text, size_t length, struct walk_translation *translation)
{
	const char *end = text[0] == '[' ? memchr(text, ']', length) : NULL;
	const size_t open = text[0] == '[' ? 1 : 0;
	size_t host = end != NULL ? (size_t)(end - text) : length;
	const char *colon = end != NULL ? end + 1 : strchr(text, ':');
	struct address address;

	if (open == 0 && address_parse(text, length, &address)) {
		colon = text + length; /* one of IPv6 has colons itself */
	} else {
		if (open == 0)
			host = colon == NULL ? length : (size_t)(colon - text);
		if (!address_parse(text + open, host - open, &address))
			return false;
	}
	translation->family = address.family;
	translation->has_address = true;
	translation->low = translation->high = address.value;
	if (colon == NULL || *colon == '\0')
		return true;
	translation->has_port = *colon == ':' && port_of(colon + 1, &translation->port_low);
	translation->port_high = translation->port_low;
	return translation->has_port;
}

static diagram translation_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	const char *target = condition->target->text;
	const bool is_masquerade = strcmp(target, "MASQUERADE") == 0, is_source = strcmp(target, "SNAT") == 0;
	const char *to = iptables_condition_option(condition, is_source ? "--to-source" : "--to-destination");
	struct walk_translation translation = { .kind = is_masquerade ? WALK_MASQUERADE : is_source ? WALK_SNAT :
						WALK_DNAT };
	struct walk_leaf leaf = { .verdict = WALK_TRANSLATE, .effects = run->walk->leaves->none };

	if (condition->options_count != (is_masquerade ? 0 : 2) ||
	    (!is_masquerade && (to == NULL || !endpoint_of(to, strlen(to), &translation))))
		return leaf_of(run, WALK_OTHER, pool_format(run->pool, "translated by '%s' with other options",
							    target));
	leaf.translation = walk_translation_of(run->walk->leaves, &translation);
	return walk_leaf(run->walk->leaves, leaf);
}

static diagram accept_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	(void)condition;
	return leaf_of(run, WALK_ACCEPT, NULL);
}

static diagram drop_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	(void)condition;
	return leaf_of(run, WALK_DROP, NULL);
}

static diagram return_leaf(const struct proving *run, const struct iptables_condition *condition)
{
	(void)condition;
	return leaf_of(run, WALK_RETURN, NULL);
}

static const struct {
	const char *name;
	diagram (*leaf)(const struct proving *run, const struct iptables_condition *condition);
} targets[] = {
	{ "ACCEPT", accept_leaf }, { "DROP", drop_leaf }, { "RETURN", return_leaf }, { "LOG", log_leaf },
	{ "NFLOG", log_leaf }, { "REJECT", reject_leaf }, { "DNAT", translation_leaf },
	{ "SNAT", translation_leaf }, { "MASQUERADE", translation_leaf },
};

/* --- chains ------------------------------------------------------------------------------------------- */

static diagram rules_meaning(struct proving *run, struct walked_file *walked, const struct save_table *table,
			     const struct save_chain *chain);

/* As deep as chains jump. */
static diagram chain_meaning(struct proving *run, struct walked_file *walked, const struct save_table *table,
			     const struct save_chain *chain)
{
	struct walked_chain *known = names_find(walked->chains, (const char *)&chain, sizeof chain);

	if (known == NULL) {
		known = pool_new(run->pool, struct walked_chain);
		names_set(walked->chains, (const char *)&chain, sizeof chain, known);
	}
	if (known->state == DONE)
		return known->meaning;
	if (known->state == OPEN || run->depth == DEPTH_MOST)
		return fail(run, "chains go in a circle or too deep:", chain->name);
	known->state = OPEN;
	run->depth++;
	known->meaning = walk_turn(run->walk, rules_meaning(run, walked, table, chain), WALK_RETURN, WALK_FALL);
	run->depth--;
	known->state = DONE;
	return known->meaning;
}

static diagram target_meaning(struct proving *run, struct walked_file *walked, const struct save_table *table,
			      const struct iptables_condition *condition)
{
	const struct save_chain *chain;
	diagram meaning;

	if (condition->target == NULL)
		return diagram_leaf(0); /* counts, and no more */
	chain = save_chain_find(table, condition->target->text);
	if (chain != NULL) {
		meaning = chain_meaning(run, walked, table, chain);
		return condition->is_goto ? walk_turn(run->walk, meaning, WALK_FALL, WALK_RETURN) : meaning;
	}
	for (size_t index = 0; index < sizeof targets / sizeof targets[0]; index++)
		if (strcmp(condition->target->text, targets[index].name) == 0)
			return targets[index].leaf(run, condition);
	return leaf_of(run, WALK_OTHER, pool_format(run->pool, "handed to '%s'", condition->target->text));
}

static diagram rules_meaning(struct proving *run, struct walked_file *walked, const struct save_table *table,
			     const struct save_chain *chain)
{
	diagram *rules = pool_array(run->pool, diagram, chain->rules_count + 1);

	for (size_t index = 0; index < chain->rules_count; index++) {
		const struct iptables_condition condition = iptables_condition_read(&walked->reading,
										    &chain->rules[index]);

		rules[index] = walk_guard(run->walk, condition.holds,
					  target_meaning(run, walked, table, &condition));
		if (diagrams_are_over(run->walk->space->diagrams))
			return DIAGRAM_OVER;
	}
	return walk_sequence_of(run->walk, rules, chain->rules_count);
}

/* A base chain; ACCEPT leads to what comes behind it. */
static diagram base_meaning(struct proving *run, struct walked_file *walked, const struct save_table *table,
			    const struct save_chain *chain)
{
	const diagram meaning = chain_meaning(run, walked, table, chain);
	const diagram policy = leaf_of(run, chain->policy == SAVE_POLICY_DROP ? WALK_DROP : WALK_ACCEPT, NULL);

	return walk_turn(run->walk, walk_sequence(run->walk, meaning, policy), WALK_ACCEPT, WALK_FALL);
}

/* --- hooks -------------------------------------------------------------------------------------------- */

/* In the kernel's order. Before their destination is translated packets meet raw and mangle; what hook output
 * judges has been there. */
static const struct base_row {
	unsigned hook;
	bool is_judging;
	const char *table, *chain;
} base_rows[] = {
	{ NF_INET_LOCAL_IN, true, "mangle", "INPUT" },
	{ NF_INET_LOCAL_IN, true, "filter", "INPUT" },
	{ NF_INET_LOCAL_IN, true, "security", "INPUT" },
	{ NF_INET_LOCAL_IN, true, "nat", "INPUT" },
	{ NF_INET_FORWARD, true, "mangle", "FORWARD" },
	{ NF_INET_FORWARD, true, "filter", "FORWARD" },
	{ NF_INET_FORWARD, true, "security", "FORWARD" },
	{ NF_INET_LOCAL_OUT, true, "raw", "OUTPUT" },
	{ NF_INET_LOCAL_OUT, true, "mangle", "OUTPUT" },
	{ NF_INET_LOCAL_OUT, true, "filter", "OUTPUT" },
	{ NF_INET_LOCAL_OUT, true, "security", "OUTPUT" },
	{ NF_INET_LOCAL_OUT, false, "nat", "OUTPUT" },
	{ NF_INET_PRE_ROUTING, false, "raw", "PREROUTING" },
	{ NF_INET_PRE_ROUTING, false, "mangle", "PREROUTING" },
	{ NF_INET_PRE_ROUTING, false, "nat", "PREROUTING" },
	{ NF_INET_POST_ROUTING, false, "mangle", "POSTROUTING" },
	{ NF_INET_POST_ROUTING, false, "nat", "POSTROUTING" },
};

static diagram file_at(struct proving *run, struct walked_file *walked, const struct prove_place *place)
{
	diagram meaning = leaf_of(run, WALK_ACCEPT, NULL);

	if (walked->file == NULL)
		return place->is_judging ? leaf_of(run, WALK_DROP, NULL) : meaning;
	for (size_t index = sizeof base_rows / sizeof base_rows[0]; index-- > 0;) {
		const struct base_row *row = &base_rows[index];
		const struct save_table *table = save_table_find(walked->file, row->table);
		const struct save_chain *chain = table == NULL ? NULL : save_chain_find(table, row->chain);

		if (chain != NULL && row->hook == place->hook && row->is_judging == place->is_judging)
			meaning = walk_sequence(run->walk, base_meaning(run, walked, table, chain), meaning);
	}
	return meaning;
}

static diagram found_at(void *context, const struct prove_place *place)
{
	struct proving *run = context;
	struct walk_space *space = run->walk->space;
	const diagram is_ipv4 = walk_choose_one(space, walk_rank(space, WALK_FAMILY), FAMILY_IPV4,
						walk_highest(WALK_FAMILY), WALK_PREDICATE_TRUE,
						WALK_PREDICATE_FALSE);
	const diagram ipv4 = walk_guard(run->walk, is_ipv4, file_at(run, &run->walked[FAMILY_IPV4], place));
	const diagram ipv6 = file_at(run, &run->walked[FAMILY_IPV6], place);

	return diagrams_are_over(space->diagrams) ? DIAGRAM_OVER : walk_sequence(run->walk, ipv4, ipv6);
}

static const char *problem_of(const void *context)
{
	return ((const struct proving *)context)->problem;
}

static void begin(void *context, struct prover *prover)
{
	static const struct read_table none = { .family = NFPROTO_INET, .name = "iptables" };
	struct proving *run = context;

	run->pool = prover->pool;
	run->walk = walk_new(prover->pool, prover->space, prover->leaves, &none);
	run->depth = 0;
	run->problem = NULL;
	for (enum family family = FAMILY_IPV4; family < FAMILY_COUNT; family++)
		run->walked[family] = (struct walked_file){
			.reading = { .pool = prover->pool, .walk = run->walk, .sources = run->sources,
				     .family = family },
			.file = run->files->items[family],
			.chains = names_new(prover->pool, false),
		};
}

struct proof import_iptables_prove(void *pool, const struct ruleset *ruleset, struct sources *sources,
				   const struct import_iptables_files *files)
{
	struct proving run = { .sources = sources, .files = files };
	const struct import_subject subject = {
		.context = &run, .begin = begin, .found_at = found_at, .problem = problem_of,
		.translates_destinations = files->translates_destinations,
		.lacks_foreign_icmp = files->lacks_foreign_icmp, .has_other_logs = files->has_other_logs,
	};

	return import_prove(pool, ruleset, &subject);
}
