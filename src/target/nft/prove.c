/* Two diagrams a hook, compared leaf by leaf. */
#include "target/nft/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/differ.h"
#include "target/nft/prove_fit.h"
#include "target/nft/prove_packet.h"
#include "target/nft/walk.h"

#define INTERVALS_MAX 8000000
/* Of so many rules, those of each hook counted, the diagrams are either far smaller or past any budget: it is
 * seen early. */
#define RULES_MANY 250000
#define INTERVALS_OF_MANY 2000000
/* Another order of the fields helps where few rules make much; many overrun in all of them alike. */
#define REORDERED_RULES_MAX 50000
#define PRIORITY_CONNTRACK (-200) /* NF_IP_PRI_CONNTRACK */

static number128 ordinary_value(void *context, uint32_t rank)
{
	const struct prover *prover = context;
	enum walk_field field = walk_field_of_rank(prover->space, rank);
	return field == WALK_FIELDS ? 0 : prove_packet_ordinary(field);
}

static void tell_difference(struct prover *prover, const struct prove_place *place, const struct diagram_way *way)
{
	struct proof *proof = prover->proof;
	const struct wanted_leaf *wanted = wanted_leaf_at(prover->wanted, way->a);
	proof->result = PROOF_DIFFERS;
	proof->where = place->name;
	prove_packet_tell(prover->pool, proof, &(struct prove_difference){
		.ruleset = prover->ruleset, .space = prover->space, .leaves = prover->leaves, .place = place,
		.way = way, .wanted = wanted,
	});
}

/* Compares one place of the table; false where the proof ends. */
static bool compare(struct prover *prover, const struct prove_place *place, diagram wanted, diagram found)
{
	const struct diagram_difference difference = { prover, prove_fits, walk_first_limit(), ordinary_value };
	struct diagram_way way = { 0 };
	if (walk_problem(prover->walk) != NULL) {
		prover->proof->result = PROOF_UNREADABLE;
		prover->proof->reason = walk_problem(prover->walk);
		return false;
	}
	if (diagram_equals(prover->pool, prover->space->diagrams, &difference, wanted, found, &way))
		return true;
	if (way.a == DIAGRAM_OVER || diagrams_are_over(prover->space->diagrams))
		prover->proof->result = PROOF_UNDECIDED;
	else
		tell_difference(prover, place, &way);
	if (prover->proof->result != PROOF_DIFFERS || prover->differ == NULL)
		return false;
	differ_place(prover, place, wanted, found);
	return !diagrams_are_over(prover->space->diagrams);
}

static diagram found_at(struct prover *prover, const struct prove_place *place)
{
	return walk_hook(prover->walk, place->type, place->hook, place->low, place->high);
}

static enum hook hook_of(unsigned number)
{
	return number == NF_INET_LOCAL_IN ? HOOK_INPUT : number == NF_INET_FORWARD ? HOOK_FORWARD : HOOK_OUTPUT;
}

static bool is_judging(unsigned hook)
{
	return hook == NF_INET_LOCAL_IN || hook == NF_INET_FORWARD || hook == NF_INET_LOCAL_OUT;
}

static const char *const hook_names[NF_INET_NUMHOOKS] = {
	[NF_INET_PRE_ROUTING] = "prerouting", [NF_INET_LOCAL_IN] = "input", [NF_INET_FORWARD] = "forward",
	[NF_INET_LOCAL_OUT] = "output", [NF_INET_POST_ROUTING] = "postrouting",
};

static struct prove_place place_of(struct prover *prover, unsigned hook, const char *type, const char *what)
{
	return (struct prove_place){
		.name = pool_format(prover->pool, "hook %s%s", hook_names[hook], what),
		.hook = hook, .type = type, .low = PRIORITY_CONNTRACK + 1, .high = INT32_MAX,
	};
}

/* Before tracking, filtering, translation, rerouting: on one hook. */
static bool compare_hook(struct prover *prover, unsigned hook)
{
	struct wanted *wanted = prover->wanted;
	struct prove_place raw = place_of(prover, hook, "filter", ", before tracking");
	struct prove_place judging = place_of(prover, hook, "filter", "");
	const struct prove_place nat = place_of(prover, hook, "nat", ", translation");
	const struct prove_place route = place_of(prover, hook, "route", ", rerouting");
	diagram frame = wanted_frame(wanted, hook);
	raw.low = INT32_MIN;
	raw.high = PRIORITY_CONNTRACK;
	judging.is_judging = is_judging(hook);
	return compare(prover, &raw, wanted_tracking(wanted, hook), found_at(prover, &raw)) &&
	       compare(prover, &judging, is_judging(hook) ? wanted_hook(wanted, hook_of(hook)) : frame,
		       found_at(prover, &judging)) &&
	       compare(prover, &nat, wanted_translations(wanted, hook), found_at(prover, &nat)) &&
	       compare(prover, &route, frame, found_at(prover, &route));
}

static bool is_ordinary(const struct read_chain *chain)
{
	return !chain->is_base ||
	       (chain->hook < NF_INET_NUMHOOKS &&
		(strcmp(chain->type, "filter") == 0 || strcmp(chain->type, "nat") == 0 ||
		 strcmp(chain->type, "route") == 0));
}

static const char *strange_chain(const struct read_table *table)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (!is_ordinary(table->chains[i]))
			return table->chains[i]->name;
	return NULL;
}

static void prove_in_order(struct prover *prover, size_t intervals_max, unsigned order)
{
	prover->space = walk_space_new(prover->pool, intervals_max, order);
	prover->leaves = walk_leaves_new(prover->pool);
	prover->walk = walk_new(prover->pool, prover->space, prover->leaves, prover->table);
	prover->wanted = wanted_new(prover->pool, prover->space, prover->ruleset);
	prover->owners = names_new(prover->pool, false);
	prover->proof->result = PROOF_EQUAL;
	if (prover->differ != NULL) {
		differ_begin(prover->differ, prover->pool);
		walk_tell_places(prover->walk);
	}
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (!compare_hook(prover, hook))
			break;
	if (diagrams_are_over(prover->space->diagrams))
		prover->proof->result = PROOF_UNDECIDED;
	else if (prover->differ != NULL && prover->proof->result == PROOF_DIFFERS)
		differ_finish(prover);
	prover->proof->intervals = diagrams_edges(prover->space->diagrams);
}

static void count_hooks(const struct read_table *table, struct proof *proof)
{
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		bool has_chain = false;
		for (size_t i = 0; i < table->chains_count; i++)
			has_chain = has_chain || (table->chains[i]->is_base && table->chains[i]->hook == hook);
		proof->hooks += has_chain;
	}
}

static struct proof unreadable(const char *reason)
{
	return (struct proof){ .result = PROOF_UNREADABLE, .reason = reason };
}

struct proof nft_differ(void *pool, const struct proof_subject *subject, struct differ *differ)
{
	const struct ruleset *ruleset = subject->ruleset;
	const struct nft_read *read = subject->read;
	const struct read_table *table = subject->table;
	const struct proof_limits *limits = subject->limits;
	struct proof proof = { .origin = SPAN_NONE, .translations = ruleset->translations_count };
	size_t most = limits->intervals_max;
	if (read->problem != NULL)
		return unreadable(read->problem);
	if ((table->flags & NFT_TABLE_F_DORMANT) != 0)
		return unreadable("the table is dormant");
	if (strange_chain(table) != NULL)
		return unreadable(pool_format(pool, "chain '%s' hangs on an unknown hook", strange_chain(table)));
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		proof.rules += ruleset->rules_count[hook];
	count_hooks(table, &proof);
	if (most == 0)
		most = proof.rules <= RULES_MANY ? INTERVALS_MAX : INTERVALS_OF_MANY;
	unsigned orders = proof.rules <= REORDERED_RULES_MAX ? WALK_ORDERS : 1;
	for (unsigned order = 0; order < orders; order++) {
		struct prover prover = { .pool = pool_child(pool, "prove"), .ruleset = ruleset, .table = table,
					 .limits = limits, .proof = &proof, .differ = differ };
		prove_in_order(&prover, most, order);
		if (proof.result != PROOF_UNDECIDED)
			return proof;
		talloc_free(prover.pool);
	}
	proof.reason = pool_format(pool, "it takes more than %zu intervals", most);
	return proof;
}

struct proof nft_prove(void *pool, const struct ruleset *ruleset, const struct nft_read *read,
		       const struct read_table *table, const struct proof_limits *limits)
{
	return nft_differ(pool, &(struct proof_subject){ ruleset, read, table, limits }, NULL);
}
