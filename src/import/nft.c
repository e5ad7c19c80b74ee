/* Every rule is worked out once, in one space of conditions; then one family after the other, each hook with its
 * base chains in the order of their priorities. */
#include "import/nft.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "import/nft_unfold.h"
#include "import/policy.h"
#include "target/nft/model/family.h"
#include "target/nft/walk/value.h"

#define INTERVALS_MOST 8000000u
#define TRACKING (-200) /* NF_IP_PRI_CONNTRACK */

struct base_chain {
	const struct nft_chain *chain;
	enum nft_place place;
	size_t order;
};

struct importing {
	void *pool;
	struct diags *diags;
	const struct import_nft_source *source;
	const struct import_nft_settings *settings;
	struct import_nft_tables *tables;
	uint32_t listing; /* number of the source of places */
	struct names *places; /* span by what stands there */
	struct walk_space *from;
	struct walk_leaves *leaves;
	struct base_chain *bases;
	size_t bases_count, bases_capacity;
	struct names *interfaces; /* asked for by any rule */
	const struct spelling *spelling;
	struct import_losses losses;
	struct import_policy policy;
};

/* --- places --------------------------------------------------------------------------------------------- */

/* "inet filter" */
static const char *table_name(const struct importing *run, const struct read_table *table)
{
	const char *family = nft_family_word(table->family);

	return pool_format(run->pool, "%s %s", family == NULL ? "?" : family, table->name);
}

struct listing {
	struct importing *run;
	const char *table; /* "inet filter" */
};

static void know_place(struct importing *run, const char *key, size_t begin, size_t end)
{
	struct span *span = pool_new(run->pool, struct span);

	*span = (struct span){ run->listing, (uint32_t)begin, (uint32_t)end };
	names_set(run->places, key, strlen(key), span);
}

/* "table inet filter {", "chain input { # handle 1", or a rule with its handle at the end. */
static void take_line(struct listing *listing, const char *bytes, size_t begin, size_t end)
{
	static const char table[] = "table ", chain[] = "chain ", handle[] = " # handle ";
	struct importing *run = listing->run;
	const char *line, *number = NULL, *text;

	while (begin < end && strchr(" \t", bytes[begin]) != NULL)
		begin++;
	line = pool_strndup(run->pool, bytes + begin, end - begin);
	for (text = strstr(line, handle); text != NULL; text = strstr(text + 1, handle))
		number = text;
	if (strncmp(line, table, strlen(table)) == 0 && begin < end && strstr(line, " {") != NULL) {
		listing->table = pool_strndup(run->pool, line + strlen(table), (size_t)(strstr(line, " {") - line) -
					      strlen(table));
		return;
	}
	if (listing->table == NULL || number == NULL)
		return;
	if (strncmp(line, chain, strlen(chain)) == 0 && strstr(line, " {") != NULL)
		know_place(run, pool_format(run->pool, "%s chain %.*s", listing->table,
					    (int)(strcspn(line + strlen(chain), " ")), line + strlen(chain)),
			   begin, begin + (size_t)(strstr(line, " {") - line));
	know_place(run, pool_format(run->pool, "%s %s", listing->table, number + strlen(handle)), begin,
		   begin + (size_t)(number - line));
}

static void take_listing(struct importing *run)
{
	const struct import_nft_source *source = run->source;
	struct listing listing = { .run = run };

	for (size_t begin = 0; begin < source->listing_length;) {
		const char *end = memchr(source->listing + begin, '\n', source->listing_length - begin);
		const size_t length = end == NULL ? source->listing_length - begin :
				      (size_t)(end - source->listing) - begin;

		take_line(&listing, source->listing, begin, begin + length);
		begin += length + 1;
	}
}

/* Where nft did not list it, a line that names it stands for it. */
static struct span place_of(struct importing *run, const char *key, const char *words)
{
	const struct span *known = names_find(run->places, key, strlen(key));
	const char *text;
	uint32_t source;

	if (known != NULL)
		return *known;
	text = pool_strdup(run->diags->sources->pool, words);
	source = sources_add(run->diags->sources, run->source->name, text, strlen(text), false);
	return (struct span){ source, 0, (uint32_t)strlen(text) };
}

/* --- chains --------------------------------------------------------------------------------------------- */

static void refuse(struct importing *run, struct span span, const char *what)
{
	if (!import_is_told(run->diags, CODE_IPTABLES_UNSAYABLE, span))
		diag_add(run->diags, CODE_IPTABLES_UNSAYABLE, span, "no rule can say what this says: %s", what);
}

static void read_rule(struct importing *run, struct walk *walk, struct nft_chain *chain, size_t index)
{
	struct nft_rule *rule = &chain->rules[index];
	const char *table = table_name(run, chain->table);

	rule->read = &chain->read->rules[index];
	rule->saved.span = place_of(run, pool_format(run->pool, "%s %llu", table,
						     (unsigned long long)rule->read->handle),
				    pool_format(run->pool, "table %s, chain %s, rule %zu, handle %llu", table,
						chain->read->name, index + 1,
						(unsigned long long)rule->read->handle));
	rule->function = walk_one_rule(walk, chain->read, index);
	rule->ends = nft_ends_of(run->pool, run->from, rule->function);
	nft_sets_learn(run->interfaces, run->from, rule->function);
	for (size_t end = 0; end < rule->ends.items_count; end++) {
		const struct walk_leaf *leaf;

		if (!diagram_is_leaf(rule->ends.items[end]))
			continue;
		leaf = walk_leaf_at(run->leaves, rule->ends.items[end]);
		if (leaf->verdict == WALK_TRANSLATE && (leaf->translation->kind == WALK_DNAT ||
							leaf->translation->kind == WALK_REDIRECT))
			run->tables->translates_destinations = true;
	}
}

static bool place_of_hook(const struct nft_chain *chain, enum nft_place *place)
{
	static const enum nft_place places[] = {
		[NF_INET_PRE_ROUTING] = NFT_PREROUTING, [NF_INET_LOCAL_IN] = NFT_INPUT,
		[NF_INET_FORWARD] = NFT_FORWARD, [NF_INET_LOCAL_OUT] = NFT_OUTPUT,
		[NF_INET_POST_ROUTING] = NFT_POSTROUTING,
	};

	if (chain->read->hook >= NF_INET_NUMHOOKS)
		return false;
	*place = places[chain->read->hook];
	return true;
}

static struct nft_chain *read_chain(struct importing *run, struct walk *walk, const struct read_table *table,
				    const struct read_chain *read)
{
	struct nft_chain *chain = pool_new(run->pool, struct nft_chain);
	const char *words = pool_format(run->pool, "%s chain %s", table_name(run, table), read->name);

	*chain = (struct nft_chain){ .table = table, .read = read, .span = place_of(run, words, words) };
	chain->rules = pool_array(run->pool, struct nft_rule, read->rules_count + 1);
	for (size_t index = 0; index < read->rules_count; index++)
		read_rule(run, walk, chain, index);
	return chain;
}

static void read_chains(struct importing *run, const struct read_table *table)
{
	struct walk *walk = walk_new(run->pool, run->from, run->leaves, table);
	struct names *siblings = names_new(run->pool, false);

	walk_stop_at_chains(walk);
	walk_tell_table(walk);
	if (run->source->interfaces_count > 0)
		walk_know_interfaces(walk, run->source->interfaces, run->source->interfaces_count);
	for (size_t index = 0; index < table->chains_count; index++) {
		struct nft_chain *chain = read_chain(run, walk, table, table->chains[index]);
		struct base_chain base = { .chain = chain, .order = run->bases_count };

		chain->siblings = siblings;
		names_set(siblings, chain->read->name, strlen(chain->read->name), chain);
		if (!chain->read->is_base)
			continue;
		if (place_of_hook(chain, &base.place))
			*pool_append(run->pool, run, bases) = base;
		else if (chain->read->rules_count > 0 || chain->read->policy != NF_ACCEPT)
			refuse(run, chain->span, "it hangs on a hook other than input, forward and output");
	}
}

/* Tables of bridges, of ARP and of devices: nothing of them can be said. */
static void refuse_table(struct importing *run, const struct read_table *table)
{
	for (size_t index = 0; index < table->chains_count; index++) {
		const struct read_chain *chain = table->chains[index];
		const char *words = pool_format(run->pool, "%s chain %s", table_name(run, table), chain->name);

		if (chain->is_base && (chain->rules_count > 0 || chain->policy != NF_ACCEPT))
			refuse(run, place_of(run, words, words), "its table is neither of IPv4 nor of IPv6 "
			       "(--table names those that are to be read)");
	}
}

static bool is_wanted(const struct importing *run, const struct read_table *table)
{
	const char *name = table_name(run, table);

	for (size_t index = 0; index < run->settings->tables_count; index++)
		if (strcmp(run->settings->tables[index], name) == 0)
			return true;
	return run->settings->tables_count == 0;
}

static bool is_there(const struct importing *run, const char *wanted)
{
	for (size_t index = 0; index < run->source->read->tables_count; index++) {
		const struct read_table *table = run->source->read->tables[index];

		if (strcmp(table_name(run, table), wanted) == 0)
			return true;
	}
	return false;
}

static void read_tables(struct importing *run)
{
	const struct nft_read *read = run->source->read;

	for (size_t index = 0; index < run->settings->tables_count; index++)
		if (!is_there(run, run->settings->tables[index]))
			diag_add(run->diags, CODE_IPTABLES_FILES, SPAN_NONE, "'%s' has no table '%s'",
				 run->source->name, run->settings->tables[index]);
	for (size_t index = 0; index < read->tables_count; index++) {
		const struct read_table *table = read->tables[index];

		if (!is_wanted(run, table) || (table->flags & NFT_TABLE_F_DORMANT) != 0)
			continue;
		if (!nft_family_is_ip(table->family)) {
			refuse_table(run, table);
			continue;
		}
		*pool_append(run->pool, run->tables, items) = table;
		read_chains(run, table);
	}
}

/* --- named sets ---------------------------------------------------------------------------------------- */

#define TYPE_IPV4_ADDRESS 7 /* nft's own numbers of types (datatype.h, enum datatypes) */
#define TYPE_IPV6_ADDRESS 8

static bool is_taken(const struct importing *run, const char *name)
{
	for (size_t index = 0; index < run->policy.networks.items_count; index++)
		if (strcmp(run->policy.networks.items[index].name, name) == 0)
			return true;
	return names_find(run->interfaces, name, strlen(name)) != NULL || !spelling_is_plain(name) ||
	       strncmp(name, "sent-to-", strlen("sent-to-")) == 0;
}

/* As a lookup of one field reads it (target/nft/walk/lookup.c); the names are for people, the proof looks at
 * the policy. */
static struct interval_set addresses_of(void *pool, const struct read_set *set)
{
	const bool has_ranges = (set->flags & NFT_SET_INTERVAL) != 0;
	struct interval_set addresses = { 0 };

	for (size_t index = 0; index < set->elements_count; index++) {
		const struct read_element *element = &set->elements[index];
		const number128 low = walk_number_of_bytes(read_element_key(set, element),
							   read_element_length(set, element));
		number128 high = low;

		if ((read_element_flags(element) & (NFT_SET_ELEM_INTERVAL_END | NFT_SET_ELEM_CATCHALL)) != 0)
			continue;
		if (has_ranges && index + 1 < set->elements_count)
			high = walk_number_of_bytes(read_element_key(set, &set->elements[index + 1]),
						    set->key_length) - 1;
		else if (has_ranges)
			high = family_highest(set->key_type == TYPE_IPV4_ADDRESS ? FAMILY_IPV4 : FAMILY_IPV6);
		if (low <= high)
			interval_set_add(pool, &addresses, low, high);
	}
	interval_set_normalise(&addresses);
	return addresses;
}

/* What stands in a set of the user's, and takes more than one word to say, is called as there. */
static void name_networks(struct importing *run, const struct read_table *table)
{
	for (size_t index = 0; index < table->sets_count; index++) {
		const struct read_set *set = table->sets[index];
		const bool is_ipv4 = set->key_type == TYPE_IPV4_ADDRESS && set->key_length == 4;
		const bool is_ipv6 = set->key_type == TYPE_IPV6_ADDRESS && set->key_length == 16;
		struct import_network network = { .name = set->name };

		if ((!is_ipv4 && !is_ipv6) || is_taken(run, set->name) ||
		    (set->flags & (NFT_SET_ANONYMOUS | NFT_SET_MAP | NFT_SET_OBJECT | NFT_SET_EVAL |
				   NFT_SET_TIMEOUT)) != 0)
			continue;
		network.family = is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6;
		network.addresses = addresses_of(run->pool, set);
		if (network.addresses.items_count > 1)
			*pool_append(run->pool, &run->policy.networks, items) = network;
	}
}

/* --- base chains ---------------------------------------------------------------------------------------- */

static int compare_bases(const void *left, const void *right)
{
	const struct base_chain *a = left, *b = right;
	const int32_t first = a->chain->read->priority, second = b->chain->read->priority;

	if (first != second)
		return first < second ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool is_of_type(const struct base_chain *base, const char *type)
{
	return strcmp(base->chain->read->type, type) == 0;
}

static bool is_of_family(const struct base_chain *base, enum family family)
{
	const uint8_t of = base->chain->table->family;

	return of == NFPROTO_INET || of == (family == FAMILY_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/* Where rules of the language judge: filters behind connection tracking. */
static bool is_judging(const struct base_chain *base)
{
	return is_of_type(base, "filter") && (base->place == NFT_INPUT || base->place == NFT_FORWARD ||
	       (base->place == NFT_OUTPUT && base->chain->read->priority > TRACKING));
}

static bool is_translating(const struct base_chain *base)
{
	return is_of_type(base, "nat") && base->place != NFT_INPUT && base->place != NFT_FORWARD;
}

/* Elsewhere nothing may be done. */
static void refuse_deeds(struct importing *run, const struct base_chain *base, const struct import_list *list)
{
	const char *where = pool_format(run->pool, "its chain is of type %s, on a hook or at a priority where "
					"rules of this language do not stand", base->chain->read->type);

	for (size_t index = 0; index < list->items_count; index++)
		if (list->items[index].action != IMPORT_ACCEPT)
			refuse(run, list->items[index].rule->span, where);
	if (!list->is_accepting)
		refuse(run, list->span, where);
}

/* The lists of the base chains at the place, in their order. */
static bool unfold_place(struct importing *run, const struct nft_unfolder *unfolder, enum nft_place place,
			 bool (*is_meant)(const struct base_chain *base), struct import_list *list)
{
	struct import_list *lists = pool_array(run->pool, struct import_list, run->bases_count + 1);
	bool is_read = true;
	size_t count = 0;

	*list = (struct import_list){ .is_accepting = true, .span = SPAN_NONE };
	for (size_t index = 0; index < run->bases_count; index++) {
		const struct base_chain *base = &run->bases[index];

		if (base->place == place && is_meant(base) && is_of_family(base, unfolder->sets->space->family))
			is_read = nft_unfold(unfolder, base->chain, place, &lists[count++]) && is_read;
	}
	return is_read && nft_unfold_in_row(unfolder, lists, count, list);
}

static bool look_elsewhere(struct importing *run, const struct nft_unfolder *unfolder)
{
	bool is_read = true;

	for (size_t index = 0; index < run->bases_count; index++) {
		const struct base_chain *base = &run->bases[index];
		struct import_list list;

		if (is_judging(base) || is_translating(base) ||
		    !is_of_family(base, unfolder->sets->space->family))
			continue;
		is_read = nft_unfold(unfolder, base->chain, base->place, &list) && is_read;
		refuse_deeds(run, base, &list);
	}
	return is_read;
}

/* --- one family ----------------------------------------------------------------------------------------- */

static void translate(struct importing *run, const struct nft_unfolder *unfolder,
		      const struct import_rows_settings *settings)
{
	static const struct {
		enum nft_place place;
		enum import_nat_chain chain;
	} chains[] = {
		{ NFT_PREROUTING, IMPORT_NAT_DESTINATION }, { NFT_OUTPUT, IMPORT_NAT_OWN_DESTINATION },
		{ NFT_POSTROUTING, IMPORT_NAT_SOURCE },
	};

	for (size_t index = 0; index < sizeof chains / sizeof chains[0]; index++) {
		struct import_list list;

		if (unfold_place(run, unfolder, chains[index].place, is_translating, &list))
			import_translations_of_list(settings, &list, chains[index].chain,
						    &run->policy.translations);
	}
}

static void judge(struct importing *run, const struct import_rows_settings *settings,
		  const struct import_list *lists)
{
	struct import_space *space = settings->space;
	static const char *const hooks[IMPORT_HOOKS] = { "hook input", "hook forward", "hook output" };
	bool lets_invalid = false;

	if (!settings->ignores_always_passing)
		import_compare_passing(space, run->diags, lists, hooks, &lets_invalid);
	run->policy.drops_invalid = run->policy.drops_invalid || lets_invalid;
	for (enum import_hook hook = 0; hook < IMPORT_HOOKS && !import_space_is_over(space); hook++)
		run->policy.rows[space->family][hook] = import_rows_of(settings, hook, &lists[hook]);
	if (import_space_is_over(space))
		diag_add(run->diags, CODE_IPTABLES_LARGE, SPAN_NONE, "the rules of '%s' need more memory than is "
			 "given to them%s", run->source->name, settings->ignores_always_passing ? "" :
			 "; with --always-passing they need less, since nothing is compared then");
}

static void import_family(struct importing *run, enum family family)
{
	static const enum nft_place places[IMPORT_HOOKS] = {
		[IMPORT_INPUT] = NFT_INPUT, [IMPORT_FORWARD] = NFT_FORWARD, [IMPORT_OUTPUT] = NFT_OUTPUT,
	};
	struct import_space *space = import_space_new(run->pool, family);
	const struct nft_unfolder unfolder = {
		.pool = run->pool, .diags = run->diags, .from = run->from, .leaves = run->leaves,
		.sets = nft_sets_new(run->pool, space, run->from, run->tables->translates_destinations),
	};
	const struct import_rows_settings settings = {
		.space = space,
		.diags = run->diags,
		.spelling = run->spelling,
		.ignores_always_passing = run->settings->common.ignores_always_passing,
		.skips_unknown = run->settings->common.skips_unknown,
		.shares_limits = true,
		.losses = &run->losses,
		.interfaces = run->policy.interfaces,
		.networks = &run->policy.networks,
		.limited = names_new(run->pool, false),
	};
	struct import_list lists[IMPORT_HOOKS];
	bool is_read;

	for (size_t index = 0; index < names_count(run->interfaces); index++)
		(void)import_interface(space, names_key(run->interfaces, index));
	is_read = look_elsewhere(run, &unfolder);
	for (unsigned hook = 0; hook < IMPORT_HOOKS; hook++)
		is_read = unfold_place(run, &unfolder, places[hook], is_judging, &lists[hook]) && is_read;
	run->policy.has_family[family] = true;
	if (!is_read)
		return;
	translate(run, &unfolder, &settings);
	judge(run, &settings, lists);
}

/* --- both ----------------------------------------------------------------------------------------------- */

static void check_limits(struct importing *run)
{
	const struct save_rule *rule = import_policy_split_limit(run->pool, &run->policy);

	if (rule != NULL)
		refuse(run, rule->span, "it speaks of one limit for what takes a rule for each family");
}

static bool is_understood(struct importing *run)
{
	if (run->source->read->problem != NULL)
		diag_add(run->diags, CODE_PROOF_UNREADABLE, SPAN_NONE, "the ruleset of '%s' makes no sense: %s",
			 run->source->name, run->source->read->problem);
	else if (diagrams_are_over(run->from->diagrams))
		diag_add(run->diags, CODE_IPTABLES_LARGE, SPAN_NONE, "the rules of '%s' need more memory than is "
			 "given to them", run->source->name);
	else
		return true;
	return false;
}

void import_nft(struct text *out, struct diags *diags, const struct import_nft_source *source,
		const struct service_database *database, const struct import_nft_settings *settings,
		struct import_nft_tables *tables, bool *is_usable)
{
	struct importing run = {
		.pool = out->pool,
		.diags = diags,
		.source = source,
		.settings = settings,
		.tables = tables,
		.places = names_new(out->pool, false),
		.from = walk_space_new(out->pool, INTERVALS_MOST, 0),
		.leaves = walk_leaves_new(out->pool),
		.interfaces = names_new(out->pool, false),
		.spelling = spelling_new(out->pool, database),
		.losses = { .log = SPAN_NONE, .answer = SPAN_NONE },
		.policy = { .interfaces = names_new(out->pool, false), .origin = source->name },
	};
	const size_t since = diags->items_count;

	*tables = (struct import_nft_tables){ 0 };
	if (source->listing_length > 0) {
		run.listing = sources_add(diags->sources, pool_format(out->pool, "%s (as loaded)", source->name),
					  source->listing, source->listing_length, false);
		take_listing(&run);
	}
	read_tables(&run);
	if (is_understood(&run)) {
		if (run.bases_count > 1)
			qsort(run.bases, run.bases_count, sizeof *run.bases, compare_bases);
		for (size_t index = 0; index < tables->items_count; index++)
			name_networks(&run, tables->items[index]);
		import_family(&run, FAMILY_IPV4);
		import_family(&run, FAMILY_IPV6);
		check_limits(&run);
	}
	import_tell_losses(diags, &run.losses);
	run.policy.lacks_foreign_icmp = run.losses.foreign_icmp > 0;
	tables->lacks_foreign_icmp = run.losses.foreign_icmp > 0;
	tables->has_other_logs = run.losses.logs > 0;
	*is_usable = import_are_all_skipped(diags, since) && !diags->is_full;
	if (*is_usable)
		import_policy_write(out, &run.policy);
}
