/* Two diagrams a hook, compared leaf by leaf.
 *
 * Limits and counters have names of the writer's in the table. What they are called does not matter;
 * that each rule has its own does: the first leaf of a rule says which is its, every later one must
 * agree, and no other rule may have it. */
#include "target/nft/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/prove_packet.h"
#include "target/nft/walk.h"
#include "target/nft/walk_rule.h"

#define INTERVALS_MAX 8000000
/* Another order of the fields helps where few rules make much; many overrun in all of them alike. */
#define REORDERED_RULES_MAX 50000
#define PRIORITY_CONNTRACK (-200) /* NF_IP_PRI_CONNTRACK */
#define LOG_TEXT_MAX 127
#define MILLISECONDS 1000
#define SOURCE_BITS_IPV4 32
#define SOURCE_BITS_IPV6 64

struct prover {
	void *pool;
	const struct ruleset *ruleset;
	const struct read_table *table;
	const struct proof_limits *limits;
	struct walk_space *space;
	struct walk_leaves *leaves;
	struct walk *walk;
	struct wanted *wanted;
	struct names *owners; /* what a rule has of its own: both ways */
	struct proof *proof;
};

/* --- what is one rule's own ------------------------------------------------------------------------- */

/* Whether `what` belongs to the rule, and the rule has no other of this kind. */
static bool is_own(struct prover *prover, const char *kind, const char *what, const struct identity *identity,
		   unsigned family)
{
	char *of_what = pool_format(prover->pool, "%s of %s", kind, what);
	char *of_rule = pool_format(prover->pool, "%s %u for %p", kind, family, (const void *)identity);
	char *rule = pool_format(prover->pool, "%p", (const void *)identity);
	const char *owner = names_find(prover->owners, of_what, strlen(of_what));
	const char *owned = names_find(prover->owners, of_rule, strlen(of_rule));
	if (owner == NULL)
		names_set(prover->owners, of_what, strlen(of_what), rule);
	if (owned == NULL)
		names_set(prover->owners, of_rule, strlen(of_rule), pool_strdup(prover->pool, what));
	bool is_alone = (owner == NULL || strcmp(owner, rule) == 0) && (owned == NULL || strcmp(owned, what) == 0);
	if (!is_alone)
		prover->proof->shared = pool_format(prover->pool, "%s '%s'", kind, what);
	return is_alone;
}

/* --- leaves ----------------------------------------------------------------------------------------- */

static bool has_effect(const struct walk_leaf *leaf, enum walk_effect_kind kind)
{
	return walk_effects_count(leaf->effects, kind, NULL) != 0;
}

/* Nothing but a counter was done. */
static bool is_quiet(const struct walk_leaf *leaf)
{
	return !has_effect(leaf, WALK_LOG) && !has_effect(leaf, WALK_ASSIGN) && !has_effect(leaf, WALK_NOTRACK) &&
	       !has_effect(leaf, WALK_CHANGE);
}

static const char *const verdict_words[] = {
	[VERDICT_ALLOW] = "allow", [VERDICT_DENY] = "deny", [VERDICT_REJECT] = "reject",
};

/* "fwc:ID:VERDICT: prefix", cut where the kernel would (language reference, "log"). */
static bool is_log_of(struct prover *prover, const struct wanted_leaf *wanted, const char *text)
{
	const char *prefix = wanted->outcome->log_prefix;
	const struct proof_limits *limits = prover->limits;
	const char *group = limits->has_log_group
		? pool_format(prover->pool, WALK_LOG_GROUP, (unsigned)limits->log_group) : "";
	size_t length = strlen(group);
	const char *whole = pool_format(prover->pool, "fwc:%s:%s: %s", wanted->identity->text,
					verdict_words[wanted->outcome->verdict], prefix == NULL ? "" : prefix);
	return strncmp(text, group, length) == 0 && strncmp(text + length, whole, LOG_TEXT_MAX) == 0;
}

static bool effects_fit(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const char *log = "", *counter = "", *helper = "";
	const struct outcome *outcome = wanted->outcome;
	size_t logs = walk_effects_count(leaf->effects, WALK_LOG, &log);
	size_t counters = walk_effects_count(leaf->effects, WALK_COUNT, &counter);
	size_t helpers = walk_effects_count(leaf->effects, WALK_ASSIGN, &helper);
	if (has_effect(leaf, WALK_NOTRACK) || has_effect(leaf, WALK_CHANGE))
		return false;
	if (logs != (outcome->has_log ? 1 : 0) || (logs != 0 && !is_log_of(prover, wanted, log)))
		return false;
	if (helpers != (outcome->helper != NULL ? 1 : 0) || (helpers != 0 && strcmp(helper, outcome->helper) != 0))
		return false;
	if (!outcome->has_count)
		return counters == 0;
	return counters == 1 && counter[0] != '\0' && is_own(prover, "counter", counter, wanted->identity, 0);
}

/* The one counter of all invalid packets. */
static bool invalid_fits(struct prover *prover, const struct walk_leaf *leaf)
{
	static const struct identity invalid;
	const char *counter = "";
	return leaf->verdict == WALK_DROP && is_quiet(leaf) &&
	       walk_effects_count(leaf->effects, WALK_COUNT, &counter) == 1 && counter[0] != '\0' &&
	       is_own(prover, "counter", counter, &invalid, 0);
}

static bool verdict_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	switch (wanted->outcome->verdict) {
	case VERDICT_ALLOW:
		return leaf->verdict == WALK_ACCEPT;
	case VERDICT_DENY:
		return leaf->verdict == WALK_DROP;
	case VERDICT_REJECT:
		if (leaf->verdict != WALK_REJECT)
			return false;
		return wanted->is_reset ? leaf->reject.type == NFT_REJECT_TCP_RST
					: leaf->reject.type == NFT_REJECT_ICMPX_UNREACH &&
					  leaf->reject.code == NFT_REJECT_ICMPX_ADMIN_PROHIBITED;
	}
	return false;
}

static bool translation_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const struct translation *source = wanted->translation;
	const struct walk_translation *found = leaf->translation;
	enum family family = wanted->family;
	if (leaf->verdict != WALK_TRANSLATE || !is_quiet(leaf) || found->flags != 0)
		return false;
	if (source->kind == TRANSLATION_MASQUERADE)
		return found->kind == WALK_MASQUERADE && !found->has_port;
	bool is_forward = source->kind == TRANSLATION_FORWARD;
	number128 address = is_forward ? source->host[family].value : source->as[family].value;
	uint16_t port = is_forward ? source->port : 0;
	return found->kind == (is_forward ? WALK_DNAT : WALK_SNAT) && found->has_address &&
	       found->family == family && found->low == address && found->high == address &&
	       found->has_port == (port != 0) && found->port_low == port && found->port_high == port;
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* A bucket that is forgotten before it is full again would fill it for nothing. */
static bool is_kept_long_enough(const struct walk_limit *found)
{
	uint64_t full =
		(uint64_t)found->burst * found->unit_s * MILLISECONDS / (found->rate == 0 ? 1 : found->rate);
	return found->size != 0 && found->timeout_ms >= full;
}

static bool limit_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_limit *found)
{
	const struct limit *limit = wanted->outcome->limit;
	unsigned family = limit->is_per_source ? 1u + (unsigned)wanted->family : 0;
	bool is_ipv4 = wanted->family == FAMILY_IPV4;
	if (found->rate != limit->rate || found->unit_s != limit->unit_s || found->burst != limit->burst ||
	    found->type != NFT_LIMIT_PKTS || found->flags != 0 || found->is_per_key != limit->is_per_source)
		return false;
	if (limit->is_per_source &&
	    (found->key_family != (is_ipv4 ? FAMILIES_IPV4 : FAMILIES_IPV6) ||
	     found->key_bits != (is_ipv4 ? SOURCE_BITS_IPV4 : SOURCE_BITS_IPV6) || !is_kept_long_enough(found)))
		return false;
	return is_own(prover, "limit", found->name, wanted->identity, family);
}

/* Denied by this rule, and noted as its own or not at all. */
static bool exceeds_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const char *log = NULL, *counter = NULL;
	const struct outcome *outcome = wanted->outcome;
	if (leaf->verdict != WALK_DROP || has_effect(leaf, WALK_NOTRACK) || has_effect(leaf, WALK_CHANGE))
		return false;
	if (walk_effects_count(leaf->effects, WALK_LOG, &log) != 0 &&
	    (!outcome->has_log || !is_log_of(prover, wanted, log)))
		return false;
	return walk_effects_count(leaf->effects, WALK_COUNT, &counter) == 0 ||
	       (outcome->has_count && is_own(prover, "counter", counter, wanted->identity, 0));
}

/* Within the limit the rule's verdict; beyond it the packet is denied, however it is noted. */
static bool limited_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram at)
{
	const struct walk_unknown *field = walk_unknown_of_rank(prover->space,
								diagram_field(prover->space->diagrams, at));
	struct diagram_edges edges = diagram_edges(prover->space->diagrams, at);
	if (field == NULL || field->about == NULL || edges.count != 2 || edges.highs[0] != 0 ||
	    !diagram_is_leaf(edges.children[0]) || !diagram_is_leaf(edges.children[1]))
		return false;
	const struct walk_leaf *over = walk_leaf_at(prover->leaves, edges.children[0]);
	const struct walk_leaf *under = walk_leaf_at(prover->leaves, edges.children[1]);
	return limit_fits(prover, wanted, field->about) && verdict_fits(wanted, under) &&
	       effects_fit(prover, wanted, under) && exceeds_fits(prover, wanted, over);
}

/* --- comparing -------------------------------------------------------------------------------------- */

static bool leaf_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	switch (wanted->kind) {
	case WANTED_IMPOSSIBLE:
		return true;
	case WANTED_NOTHING:
	case WANTED_TRACKED:
		return leaf->verdict == WALK_ACCEPT && is_quiet(leaf);
	case WANTED_PASS:
		return leaf->verdict == WALK_ACCEPT && is_quiet(leaf);
	case WANTED_INVALID:
		return invalid_fits(prover, leaf);
	case WANTED_RULE:
		return wanted->outcome->limit == NULL && verdict_fits(wanted, leaf) &&
		       effects_fit(prover, wanted, leaf);
	case WANTED_TRANSLATION:
		return translation_fits(wanted, leaf);
	case WANTED_UNTRACKED:
		return leaf->verdict == WALK_ACCEPT && has_effect(leaf, WALK_NOTRACK) &&
		       !has_effect(leaf, WALK_CHANGE);
	}
	return false;
}

/* All that stands below a node of limits. */
static bool below_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram at)
{
	if (diagram_is_leaf(at))
		return leaf_fits(prover, wanted, walk_leaf_at(prover->leaves, at));
	if (wanted->kind == WANTED_RULE && wanted->outcome->limit != NULL)
		return limited_fits(prover, wanted, at);
	struct diagram_edges edges = diagram_edges(prover->space->diagrams, at);
	for (size_t i = 0; i < edges.count; i++)
		if (!below_fits(prover, wanted, edges.children[i]))
			return false;
	return true;
}

static bool pair_fits(void *context, diagram wanted, diagram found)
{
	struct prover *prover = context;
	return below_fits(prover, wanted_leaf_at(prover->wanted, wanted), found);
}

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
	const struct diagram_difference difference = { prover, pair_fits, walk_first_limit(), ordinary_value };
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
	return false;
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
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (!compare_hook(prover, hook))
			break;
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

struct proof nft_prove(void *pool, const struct ruleset *ruleset, const struct nft_read *read,
		       const struct read_table *table, const struct proof_limits *limits)
{
	struct proof proof = { .origin = SPAN_NONE, .translations = ruleset->translations_count };
	size_t most = limits->intervals_max != 0 ? limits->intervals_max : INTERVALS_MAX;
	if (read->problem != NULL)
		return unreadable(read->problem);
	if ((table->flags & NFT_TABLE_F_DORMANT) != 0)
		return unreadable("the table is dormant");
	if (strange_chain(table) != NULL)
		return unreadable(pool_format(pool, "chain '%s' hangs on an unknown hook", strange_chain(table)));
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		proof.rules += ruleset->rules_count[hook];
	count_hooks(table, &proof);
	unsigned orders = proof.rules <= REORDERED_RULES_MAX ? WALK_ORDERS : 1;
	for (unsigned order = 0; order < orders; order++) {
		struct prover prover = { .pool = pool_child(pool, "prove"), .ruleset = ruleset, .table = table,
					 .limits = limits, .proof = &proof };
		prove_in_order(&prover, most, order);
		if (proof.result != PROOF_UNDECIDED)
			return proof;
		talloc_free(prover.pool);
	}
	proof.reason = pool_format(pool, "it takes more than %zu intervals", most);
	return proof;
}
