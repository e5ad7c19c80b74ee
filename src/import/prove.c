/* Packets that are not looked at have WANTED_IMPOSSIBLE. */
#include "import/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/walk/rule.h"
#include "target/nft/walk/value.h"

#define INTERVALS_MOST 12000000u
#define TRACKING (-200) /* NF_IP_PRI_CONNTRACK */
#define SOURCE_BITS_IPV4 32
#define SOURCE_BITS_IPV6 64

struct proving {
	struct prover prover;
	const struct import_subject *subject;
	struct names *owners; /* of limits */
};

/* --- which packets -------------------------------------------------------------------------------------- */

static diagram one(struct proving *run, enum walk_field field, number128 value)
{
	return wanted_range(run->prover.wanted, field, value, value);
}

static diagram both(struct proving *run, diagram a, diagram b)
{
	return wanted_and(run->prover.wanted, a, b);
}

static diagram either(struct proving *run, diagram a, diagram b)
{
	return wanted_or(run->prover.wanted, a, b);
}

static diagram not(struct proving *run, diagram a)
{
	return wanted_not(run->prover.wanted, a);
}

static diagram of_family(struct proving *run, enum family family)
{
	return one(run, WALK_FAMILY, family);
}

/* ICMPv6 that connection tracking never takes for new: 130 to 136, 143. */
static diagram never_new(struct proving *run)
{
	diagram types = either(run, wanted_range(run->prover.wanted, WALK_FIRST, 130, 136),
			       one(run, WALK_FIRST, 143));

	return both(run, both(run, of_family(run, FAMILY_IPV6), one(run, WALK_PROTOCOL, PROTOCOL_ICMP6)), types);
}

static diagram first_packets(struct proving *run)
{
	diagram odd = never_new(run);

	return either(run, both(run, one(run, WALK_STATE, WALK_NEW), not(run, odd)),
		      both(run, one(run, WALK_STATE, WALK_UNTRACKED), odd));
}

static diagram addresses(struct proving *run, enum family family, number128 low, number128 high)
{
	return both(run, of_family(run, family), wanted_range(run->prover.wanted, WALK_DESTINATION, low, high));
}

/* What kind of destination the routing table can say of an address on this hook. */
static diagram routes(struct proving *run, unsigned hook)
{
	const bool is_local = hook == NF_INET_LOCAL_IN, is_any = hook == NF_INET_PRE_ROUTING;
	diagram multicast = either(run, addresses(run, FAMILY_IPV4, 0xe0000000u, 0xefffffffu),
				   addresses(run, FAMILY_IPV6, (number128)0xff << 120,
					     family_highest(FAMILY_IPV6)));
	diagram everybody = addresses(run, FAMILY_IPV4, UINT32_MAX, UINT32_MAX);
	diagram broadcast = both(run, of_family(run, FAMILY_IPV4), one(run, WALK_ROUTE, RTN_BROADCAST));
	diagram plain = either(run, one(run, WALK_ROUTE, is_local ? RTN_LOCAL : RTN_UNICAST), broadcast);

	if (is_any)
		plain = either(run, plain, one(run, WALK_ROUTE, RTN_LOCAL));
	plain = both(run, plain, not(run, either(run, multicast, everybody)));
	return either(run, plain, either(run, both(run, multicast, one(run, WALK_ROUTE, RTN_MULTICAST)),
					 both(run, everybody, one(run, WALK_ROUTE, RTN_BROADCAST))));
}

static diagram foreign_icmp(struct proving *run)
{
	return either(run, both(run, of_family(run, FAMILY_IPV4), one(run, WALK_PROTOCOL, PROTOCOL_ICMP6)),
		      both(run, of_family(run, FAMILY_IPV6), one(run, WALK_PROTOCOL, PROTOCOL_ICMP)));
}

/* Packets that the import speaks of on a hook. */
static diagram looked_at(struct proving *run, unsigned hook)
{
	const number128 loopback = walk_number_of_name("lo");
	diagram packets = both(run, first_packets(run), routes(run, hook));

	if (hook != NF_INET_LOCAL_OUT && hook != NF_INET_POST_ROUTING)
		packets = both(run, packets, not(run, one(run, WALK_IN, loopback)));
	if (hook != NF_INET_LOCAL_IN && hook != NF_INET_PRE_ROUTING)
		packets = both(run, packets, not(run, one(run, WALK_OUT, loopback)));
	if (run->subject->lacks_foreign_icmp)
		packets = both(run, packets, not(run, foreign_icmp(run)));
	if (!run->subject->translates_destinations || hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT)
		packets = both(run, packets, one(run, WALK_TRANSLATED, 0));
	return packets;
}

static diagram limited_to(struct proving *run, unsigned hook, diagram wanted)
{
	const struct wanted_leaf impossible = { .kind = WANTED_IMPOSSIBLE };
	diagram other = wanted_guard(run->prover.wanted, not(run, looked_at(run, hook)),
				     wanted_leaf(run->prover.wanted, impossible));

	return wanted_first(run->prover.wanted, other, wanted);
}

/* --- whether both say the same -------------------------------------------------------------------------- */

static bool changes_nothing(const struct walk_leaf *leaf)
{
	return walk_effects_count(leaf->effects, WALK_CHANGE, NULL) == 0 &&
	       walk_effects_count(leaf->effects, WALK_ASSIGN, NULL) == 0 &&
	       walk_effects_count(leaf->effects, WALK_NOTRACK, NULL) == 0;
}

static bool leaf_fits(const struct proving *run, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const bool is_logged = walk_effects_count(leaf->effects, WALK_LOG, NULL) > 0;

	return prove_verdict_fits(wanted, leaf) && changes_nothing(leaf) && wanted->outcome->helper == NULL &&
	       (run->subject->has_other_logs || is_logged == wanted->outcome->has_log);
}

/* Whether what counts for the limit counts for no other rule. */
static bool is_own(struct proving *run, const struct identity *identity, const struct walk_limit *found)
{
	const char *rule = pool_format(run->prover.pool, "%p", (const void *)identity);
	const char *of_limit = pool_format(run->prover.pool, "limit %s", found->name);
	const char *of_rule = pool_format(run->prover.pool, "rule %s", rule);
	const char *owner = names_find(run->owners, of_limit, strlen(of_limit));
	const char *owned = names_find(run->owners, of_rule, strlen(of_rule));

	if (owner == NULL)
		names_set(run->owners, of_limit, strlen(of_limit), (void *)rule);
	if (owned == NULL)
		names_set(run->owners, of_rule, strlen(of_rule), (void *)found->name);
	return (owner == NULL || strcmp(owner, rule) == 0) && (owned == NULL || strcmp(owned, found->name) == 0);
}

static bool limit_fits(struct proving *run, const struct wanted_leaf *wanted, const struct walk_limit *found)
{
	const struct limit *limit = wanted->outcome->limit;

	if (found->rate != limit->rate || found->unit_s != limit->unit_s || found->burst != limit->burst ||
	    found->type != NFT_LIMIT_PKTS || found->flags != 0 || found->is_per_key != limit->is_per_source)
		return false;
	if (limit->is_per_source && (found->key_family != 1u << wanted->family ||
				     found->key_bits != (wanted->family == FAMILY_IPV4 ? SOURCE_BITS_IPV4 :
							 SOURCE_BITS_IPV6)))
		return false;
	return is_own(run, wanted->identity, found);
}

/* All that stands below a node of limits: their own condition on log lines makes no other verdict. */
static bool below_fits(struct proving *run, const struct wanted_leaf *wanted, diagram at)
{
	struct diagram_edges edges;

	if (diagram_is_leaf(at))
		return leaf_fits(run, wanted, walk_leaf_at(run->prover.leaves, at));
	edges = diagram_edges(run->prover.space->diagrams, at);
	for (size_t index = 0; index < edges.count; index++)
		if (!below_fits(run, wanted, edges.children[index]))
			return false;
	return true;
}

/* Whether all that stands there drops, however it is noted. */
static bool drops(struct proving *run, diagram at)
{
	struct diagram_edges edges;

	if (diagram_is_leaf(at)) {
		const struct walk_leaf *leaf = walk_leaf_at(run->prover.leaves, at);

		return leaf->verdict == WALK_DROP && changes_nothing(leaf);
	}
	edges = diagram_edges(run->prover.space->diagrams, at);
	for (size_t index = 0; index < edges.count; index++)
		if (!drops(run, edges.children[index]))
			return false;
	return true;
}

/* Within the limit the rule's verdict, beyond it denied; limits of log lines may stand before and behind. */
static bool limited_fits(struct proving *run, const struct wanted_leaf *wanted, diagram at)
{
	struct prover *prover = &run->prover;
	const struct wanted_leaf within = { .kind = WANTED_RULE, .outcome = wanted->outcome };
	const struct walk_unknown *field;
	struct diagram_edges edges;

	if (diagram_is_leaf(at))
		return false;
	field = walk_unknown_of_rank(prover->space, diagram_field(prover->space->diagrams, at));
	edges = diagram_edges(prover->space->diagrams, at);
	if (field == NULL || field->about == NULL || edges.count != 2 || edges.highs[0] != 0)
		return false;
	if (limit_fits(run, wanted, field->about))
		return drops(run, edges.children[0]) && below_fits(run, &within, edges.children[1]);
	return run->subject->has_other_logs && limited_fits(run, wanted, edges.children[0]) &&
	       limited_fits(run, wanted, edges.children[1]);
}

static bool fits(void *context, diagram wanted_at, diagram found)
{
	struct proving *run = context;
	const struct wanted_leaf *wanted = wanted_leaf_at(run->prover.wanted, wanted_at);

	switch (wanted->kind) {
	case WANTED_IMPOSSIBLE:
	case WANTED_PASS:
	case WANTED_INVALID:
		return true;
	case WANTED_RULE:
		return wanted->outcome->limit != NULL ? limited_fits(run, wanted, found) :
		       below_fits(run, wanted, found);
	case WANTED_NOTHING:
	case WANTED_TRANSLATION:
	case WANTED_UNTRACKED:
	case WANTED_TRACKED:
		return prove_fits(&run->prover, wanted_at, found);
	}
	return false;
}

/* --- ports that stay ------------------------------------------------------------------------------------ */

struct keeping {
	struct walk_leaves *leaves;
	uint16_t port;
};

static bool leads_to_port(const struct walk_leaf *leaf, uint16_t port)
{
	return leaf->verdict == WALK_TRANSLATE && leaf->translation->kind == WALK_DNAT &&
	       leaf->translation->has_port && leaf->translation->port_low == port &&
	       leaf->translation->port_high == port;
}

static uint32_t keep_leaves(void *context, uint32_t is_at_port, uint32_t at)
{
	const struct keeping *keeping = context;
	struct walk_leaf leaf = *keeping->leaves->items[at];
	struct walk_translation translation;

	if (is_at_port == 0 || !leads_to_port(&leaf, keeping->port))
		return at;
	translation = *leaf.translation;
	translation.has_port = false;
	translation.port_low = translation.port_high = 0;
	leaf.translation = walk_translation_of(keeping->leaves, &translation);
	return diagram_number(walk_leaf(keeping->leaves, leaf));
}

static bool keep_early(void *context, diagram is_at_port, diagram found, diagram *result)
{
	(void)context;
	*result = found;
	return is_at_port == diagram_leaf(0);
}

/* A translation to the port that a packet has already leaves it the port, however it was written. */
static diagram with_kept_ports(struct proving *run, diagram found)
{
	struct diagrams *diagrams = run->prover.space->diagrams;
	struct walk_leaves *leaves = run->prover.leaves;
	const size_t count = leaves->items_count;

	for (size_t index = 0; index < count && found != DIAGRAM_OVER; index++) {
		const struct walk_translation *translation = leaves->items[index]->translation;
		struct keeping keeping = { .leaves = leaves };
		struct diagram_operation keep = { 0, &keeping, keep_leaves, keep_early };

		if (translation == NULL || !leads_to_port(leaves->items[index], translation->port_low))
			continue;
		keeping.port = translation->port_low;
		keep.number = diagrams_operation(diagrams);
		found = diagram_apply(diagrams, &keep, one(run, WALK_FIRST, keeping.port), found);
	}
	return found;
}

/* --- places --------------------------------------------------------------------------------------------- */

static number128 ordinary_value(void *context, uint32_t rank)
{
	const struct proving *run = context;
	const enum walk_field field = walk_field_of_rank(run->prover.space, rank);

	return field == WALK_FIELDS ? 0 : prove_packet_ordinary(field);
}

/* false where the proof ends. */
static bool compare(struct proving *run, const struct prove_place *place, diagram wanted)
{
	const struct diagram_difference difference = {
		.context = run, .is_equal = fits, .from_field = walk_first_limit(), .prefer = ordinary_value,
	};
	struct prover *prover = &run->prover;
	diagram found = run->subject->found_at(run->subject->context, place);
	const char *problem = run->subject->problem(run->subject->context);
	struct diagram_way way = { 0 };

	if (problem != NULL) {
		prover->proof->result = PROOF_UNREADABLE;
		prover->proof->reason = problem;
		return false;
	}
	if (!place->is_judging)
		found = with_kept_ports(run, found);
	wanted = limited_to(run, place->hook, wanted);
	if (diagram_equals(prover->pool, prover->space->diagrams, &difference, wanted, found, &way))
		return true;
	if (way.a == DIAGRAM_OVER || diagrams_are_over(prover->space->diagrams)) {
		prover->proof->result = PROOF_UNDECIDED;
		return false;
	}
	prover->proof->result = PROOF_DIFFERS;
	prover->proof->where = place->name;
	prove_packet_tell(prover->pool, prover->proof, &(struct prove_difference){
		.ruleset = prover->ruleset, .space = prover->space, .leaves = prover->leaves, .place = place,
		.way = &way, .wanted = wanted_leaf_at(prover->wanted, way.a),
	});
	return false;
}

static bool compare_all(struct proving *run)
{
	static const struct {
		unsigned hook;
		bool is_judging;
		const char *name;
		enum hook rules;
	} places[] = {
		{ NF_INET_LOCAL_IN, true, "hook input", HOOK_INPUT },
		{ NF_INET_FORWARD, true, "hook forward", HOOK_FORWARD },
		{ NF_INET_LOCAL_OUT, true, "hook output", HOOK_OUTPUT },
		{ NF_INET_PRE_ROUTING, false, "hook prerouting, translation", HOOK_INPUT },
		{ NF_INET_LOCAL_OUT, false, "hook output, translation", HOOK_OUTPUT },
		{ NF_INET_POST_ROUTING, false, "hook postrouting, translation", HOOK_FORWARD },
	};

	for (size_t index = 0; index < sizeof places / sizeof places[0]; index++) {
		const struct prove_place place = {
			.name = places[index].name, .hook = places[index].hook,
			.is_judging = places[index].is_judging,
			.type = places[index].is_judging ? "filter" : "nat",
			.low = places[index].hook == NF_INET_LOCAL_OUT ? TRACKING + 1 : INT32_MIN,
			.high = INT32_MAX,
		};
		struct wanted *wanted = run->prover.wanted;

		if (!compare(run, &place, place.is_judging ? wanted_hook(wanted, places[index].rules) :
			     wanted_translations(wanted, place.hook)))
			return false;
	}
	return true;
}

static void prove_in_order(struct proving *run, unsigned order)
{
	struct prover *prover = &run->prover;

	prover->space = walk_space_new(prover->pool, INTERVALS_MOST, order);
	prover->leaves = walk_leaves_new(prover->pool);
	prover->wanted = wanted_new(prover->pool, prover->space, prover->ruleset);
	prover->owners = names_new(prover->pool, false);
	run->owners = names_new(prover->pool, false);
	run->subject->begin(run->subject->context, prover);
	prover->proof->result = PROOF_EQUAL;
	(void)compare_all(run);
	if (diagrams_are_over(prover->space->diagrams))
		prover->proof->result = PROOF_UNDECIDED;
	prover->proof->intervals = diagrams_edges(prover->space->diagrams);
}

struct proof import_prove(void *pool, const struct ruleset *ruleset, const struct import_subject *subject)
{
	static const struct proof_limits limits = { 0 };
	struct proof proof = { .origin = SPAN_NONE, .translations = ruleset->translations_count, .hooks = 3 };

	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		proof.rules += ruleset->rules_count[hook];
	for (unsigned order = 0; order < WALK_ORDERS; order++) {
		struct proving run = {
			.prover = { .pool = pool_child(pool, "proof of an import"), .ruleset = ruleset,
				    .limits = &limits, .proof = &proof },
			.subject = subject,
		};

		prove_in_order(&run, order);
		if (proof.result != PROOF_UNDECIDED)
			return proof;
		talloc_free(run.prover.pool);
	}
	proof.reason = pool_format(pool, "it takes more than %u intervals", INTERVALS_MOST);
	return proof;
}
