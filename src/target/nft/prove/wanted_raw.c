/* "`stateless` packets are not tracked [...] packets of both directions are judged by rules. Packets that
 * an earlier tracked rule also matches stay tracked." (language reference, "State")
 *
 * Before routing a packet is the firewall's where the routing table says so (local, broadcast,
 * multicast), and its out-interface is not known. The answers to what comes in go out, and the other
 * way round; what is routed is answered by what is routed. */
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/prove/wanted.h"

enum way { WAY_IN, WAY_THROUGH, WAY_OUT };

/* A rule's packets, or the answers to them, on one way. */
struct item {
	const struct rule *rule;
	size_t order; /* of the policy */
	bool is_answer;
};

static enum way way_of(enum hook hook, bool is_answer)
{
	switch (hook) {
	case HOOK_INPUT:
		return is_answer ? WAY_OUT : WAY_IN;
	case HOOK_FORWARD:
		return WAY_THROUGH;
	case HOOK_OUTPUT:
		return is_answer ? WAY_IN : WAY_OUT;
	}
	return WAY_THROUGH;
}

/* --- answers ---------------------------------------------------------------------------------------- */

/* What answers a message of ICMP (RFC 792, 950) or ICMPv6 (RFC 4443, 4620); -1: nothing. */
static int answer_type(unsigned protocol, unsigned type)
{
	static const int icmp[] = { [0] = 8, [8] = 0, [13] = 14, [14] = 13, [15] = 16, [16] = 15,
				    [17] = 18, [18] = 17 };
	if (protocol == PROTOCOL_ICMP6)
		return type == 128 || type == 139 ? (int)type + 1 : type == 129 || type == 140 ? (int)type - 1 : -1;
	if (type != 8 && (type >= sizeof icmp / sizeof icmp[0] || icmp[type] == 0))
		return -1;
	return icmp[type];
}

static void add_icmp_answers(void *pool, struct tuple_set *answers, const struct service_tuple *tuple)
{
	if (tuple->first.low == 0 && tuple->first.high >= UINT8_MAX) {
		tuple_set_add(pool, answers, *tuple);
		return;
	}
	for (unsigned type = tuple->first.low; type <= tuple->first.high; type++) {
		int answer = answer_type(tuple->protocol, type);
		struct service_tuple answered = *tuple;
		answered.first = (struct port_range){ (uint16_t)answer, (uint16_t)answer };
		answered.second = (struct port_range){ 0, UINT8_MAX };
		if (answer >= 0)
			tuple_set_add(pool, answers, answered);
	}
}

static diagram answers_predicate(struct wanted *wanted, const struct tuple_set *services)
{
	struct tuple_set answers = { 0 };
	for (size_t i = 0; i < services->tuples_count; i++) {
		struct service_tuple tuple = services->tuples[i];
		if (tuple.protocol == PROTOCOL_ICMP || tuple.protocol == PROTOCOL_ICMP6) {
			add_icmp_answers(wanted->scratch, &answers, &tuple);
			continue;
		}
		tuple.first = services->tuples[i].second;
		tuple.second = services->tuples[i].first;
		tuple_set_add(wanted->scratch, &answers, tuple);
	}
	return wanted_services(wanted, &answers);
}

/* --- items ------------------------------------------------------------------------------------------ */

/* The place without the interface by which packets will leave. */
static diagram place_before_routing(struct wanted *wanted, const struct place_boxes *boxes)
{
	diagram any = diagram_leaf(0);
	for (size_t i = 0; i < boxes->boxes_count; i++)
		any = wanted_or(wanted, any,
				wanted_addresses(wanted, &boxes->boxes[i].addresses, WALK_DESTINATION));
	return any;
}

static diagram item_meaning(struct wanted *wanted, const struct item *item, enum way way)
{
	const struct match *match = &item->rule->match;
	const struct place_boxes *from = item->is_answer ? &match->to : &match->from;
	const struct place_boxes *to = item->is_answer ? &match->from : &match->to;
	enum wanted_kind kind = item->rule->is_stateless ? WANTED_UNTRACKED : WANTED_TRACKED;
	diagram holds = item->is_answer ? answers_predicate(wanted, &match->services)
					: wanted_services(wanted, &match->services);
	holds = wanted_and(wanted, holds, wanted_boxes(wanted, from, WALK_SOURCE, WALK_IN));
	holds = wanted_and(wanted, holds,
			   way == WAY_THROUGH ? place_before_routing(wanted, to)
					      : wanted_boxes(wanted, to, WALK_DESTINATION, WALK_OUT));
	holds = wanted_and(wanted, holds, wanted_families(wanted, match->families));
	holds = wanted_and(wanted, holds, wanted_conditions(wanted, match));
	return wanted_guard(wanted, holds, wanted_leaf(wanted, (struct wanted_leaf){ .kind = kind }));
}

static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	return (a->order > b->order) - (a->order < b->order);
}

/* Only what lets packets pass relies on their being tracked. */
static bool takes_part(const struct rule *rule)
{
	return (rule->is_stateless || rule->outcome->verdict == VERDICT_ALLOW) && !rule->match.is_translated;
}

static diagram way_meaning(struct wanted *wanted, enum way way)
{
	const struct ruleset *ruleset = wanted->ruleset;
	size_t most = 0, count = 0;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		most += 2 * ruleset->rules_count[hook];
	struct item *items = pool_array(wanted->scratch, struct item, most);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
			const struct rule *rule = ruleset->rules[hook][i];
			const struct policy_rule *source = rule->identity->rule;
			struct item item = { rule, source != NULL ? source->number : i, false };
			for (unsigned answer = 0; answer < 2 && takes_part(rule); answer++) {
				item.is_answer = answer != 0;
				if (way_of((enum hook)hook, item.is_answer) == way)
					items[count++] = item;
			}
		}
	}
	qsort(items, count, sizeof *items, compare_items);
	diagram *meanings = pool_array(wanted->scratch, diagram, count);
	for (size_t i = 0; i < count; i++)
		meanings[i] = item_meaning(wanted, &items[i], way);
	return wanted_first_of(wanted, meanings, count);
}

diagram wanted_tracking(struct wanted *wanted, unsigned hook)
{
	static const uint32_t own[] = { RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST };
	diagram frame = wanted_frame(wanted, hook), is_own = diagram_leaf(0);
	if (!wanted->ruleset->has_stateless || (hook != NF_INET_PRE_ROUTING && hook != NF_INET_LOCAL_OUT))
		return frame;
	if (hook == NF_INET_LOCAL_OUT)
		return wanted_first(wanted, frame, way_meaning(wanted, WAY_OUT));
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		is_own = wanted_or(wanted, is_own, wanted_range(wanted, WALK_ROUTE, own[i], own[i]));
	diagram tracked = wanted_leaf(wanted, (struct wanted_leaf){ .kind = WANTED_TRACKED });
	diagram in = wanted_guard(wanted, is_own, wanted_first(wanted, way_meaning(wanted, WAY_IN), tracked));
	diagram both = wanted_first(wanted, in, way_meaning(wanted, WAY_THROUGH));
	return wanted_first(wanted, frame, both);
}
