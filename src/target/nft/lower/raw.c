/* Three first-match lists, each of units whose verdict is "track" or "do not track": packets that
 * come in and are for the firewall, packets that come in and are routed on, packets of the
 * firewall. A stateless rule stands in them with its own packets and with those of the reverse
 * direction; an earlier tracked rule that shares packets with it stands before it.
 *
 *            its own packets         the reverse direction
 *   input    in, for the firewall    of the firewall
 *   forward  in, routed              in, routed
 *   output   of the firewall         in, for the firewall
 *
 * Before routing the out-interface is not known: there a place is what its addresses say, and a
 * place that is an interface alone cannot be told. */
#include "target/nft/lower/raw.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/lower/chain.h"
#include "target/nft/lower/sides.h"
#include "target/nft/split/split.h"

enum raw_list { RAW_SELF, RAW_ROUTED, RAW_OUTPUT };
#define RAW_LISTS 3

enum { ROUTE_LOCAL = 2, ROUTE_BROADCAST = 3, ROUTE_MULTICAST = 5 }; /* RTN_* */
enum { OUTCOME_TRACKED, OUTCOME_UNTRACKED };
#define PRIORITY_RAW (-300)
#define PAIRS_MAX ((size_t)4 << 20) /* of rules that are compared with each other */

/* One direction of one rule. */
struct raw_item {
	const struct rule *rule;
	struct place_boxes from, to;
	struct tuple_set services;
	bool lacks_interface; /* `to` lost an out-interface that nothing else tells */
	bool is_wanted;
};

struct raw_items {
	struct raw_item *items;
	size_t items_count, items_capacity;
};

struct raw {
	struct lower *lower;
	struct raw_items lists[RAW_LISTS];
	struct goal untrack;
	const struct policy_rule *reported; /* the last rule with a mistake */
	size_t errors_before;
};

/* --- mistakes ----------------------------------------------------------------------------- */

static struct span stateless_span(const struct rule *rule)
{
	const struct policy_rule *source = rule->identity->rule;
	bool is_known = source != NULL && source->options->is_stateless;
	return is_known ? source->options->stateless_span : rule->origin;
}

/* A rule of the policy is reported once, whatever its hooks. */
static bool may_report(struct raw *raw, const struct rule *rule)
{
	const struct policy_rule *source = rule->identity->rule;
	if (source != NULL && source == raw->reported)
		return false;
	raw->reported = source;
	return true;
}

static void report_interface(struct raw *raw, const struct rule *rule)
{
	if (may_report(raw, rule))
		diag_add(raw->lower->diags, CODE_STATELESS_INTERFACE, stateless_span(rule),
			 "'stateless' needs to know both places before routing, and one of them is "
			 "known only by the interface by which packets leave");
}

static void report_overlap(struct raw *raw, const struct rule *tracked, const struct rule *rule)
{
	struct diags *diags = raw->lower->diags;
	if (!may_report(raw, rule))
		return;
	struct diagnostic *diagnostic =
		diag_add(diags, CODE_STATELESS_OVERLAP, stateless_span(rule),
			 "'stateless' shares packets with an earlier tracked rule that can be told "
			 "apart only by the interface by which packets leave");
	diag_note(diags, diagnostic, tracked->origin, "the earlier rule is here");
}

static void report_translated(struct raw *raw, const struct rule *rule, struct span translation)
{
	struct diags *diags = raw->lower->diags;
	if (!may_report(raw, rule))
		return;
	struct diagnostic *diagnostic = diag_add(diags, CODE_STATELESS_TRANSLATED,
						 stateless_span(rule),
						 "'stateless' on traffic that is translated");
	diag_note(diags, diagnostic, translation, "the translation is here");
}

/* --- directions --------------------------------------------------------------------------- */

/* The type that answers a type of ICMP, or -1. */
static int reply_type(unsigned protocol, unsigned type)
{
	static const struct {
		uint8_t protocol, request, reply;
	} pairs[] = {
		{ PROTOCOL_ICMP, 8, 0 },      { PROTOCOL_ICMP, 0, 8 },
		{ PROTOCOL_ICMP, 13, 14 },    { PROTOCOL_ICMP, 14, 13 },
		{ PROTOCOL_ICMP, 15, 16 },    { PROTOCOL_ICMP, 16, 15 },
		{ PROTOCOL_ICMP, 17, 18 },    { PROTOCOL_ICMP, 18, 17 },
		{ PROTOCOL_ICMP6, 128, 129 }, { PROTOCOL_ICMP6, 129, 128 },
		{ PROTOCOL_ICMP6, 139, 140 }, { PROTOCOL_ICMP6, 140, 139 },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i].protocol == protocol && pairs[i].request == type)
			return pairs[i].reply;
	return -1;
}

static void add_icmp_replies(struct raw *raw, struct tuple_set *set,
			     const struct service_tuple *tuple)
{
	if (tuple->first.low == 0 && tuple->first.high >= UINT8_MAX) {
		tuple_set_add(raw->lower->scratch, set, *tuple);
		return;
	}
	for (unsigned type = tuple->first.low; type <= tuple->first.high; type++) {
		int reply = reply_type(tuple->protocol, type);
		if (reply < 0)
			continue;
		struct service_tuple answer = *tuple;
		answer.first = (struct port_range){ (uint16_t)reply, (uint16_t)reply };
		answer.second = (struct port_range){ 0, UINT8_MAX };
		tuple_set_add(raw->lower->scratch, set, answer);
	}
}

static struct tuple_set reverse_services(struct raw *raw, const struct tuple_set *services)
{
	struct tuple_set reversed = { 0 };
	for (size_t i = 0; i < services->tuples_count; i++) {
		struct service_tuple tuple = services->tuples[i];
		if (tuple.protocol == PROTOCOL_ICMP || tuple.protocol == PROTOCOL_ICMP6) {
			add_icmp_replies(raw, &reversed, &tuple);
			continue;
		}
		tuple.first = services->tuples[i].second;
		tuple.second = services->tuples[i].first;
		tuple_set_add(raw->lower->scratch, &reversed, tuple);
	}
	return tuple_set_normalise(raw->lower->scratch, &reversed);
}

/* Do the addresses of the box alone say something, in each family that it has? */
static bool is_told_by_addresses(const struct place_box *box)
{
	return !address_set_is_whole(&box->addresses, FAMILY_IPV4) &&
	       !address_set_is_whole(&box->addresses, FAMILY_IPV6);
}

/* The boxes without their interfaces; false where that loses the place. */
static bool strip_interfaces(struct raw *raw, const struct place_boxes *boxes,
			     struct place_boxes *stripped)
{
	bool is_told = true;
	*stripped = (struct place_boxes){ 0 };
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		if (!interface_set_is_all(&box->interfaces) && !is_told_by_addresses(box))
			is_told = false;
		*pool_append(raw->lower->scratch, stripped, boxes) = (struct place_box){
			interface_set_all(), box->addresses,
		};
	}
	return is_told;
}

static enum raw_list own_list(enum hook hook)
{
	switch (hook) {
	case HOOK_INPUT:
		return RAW_SELF;
	case HOOK_FORWARD:
		return RAW_ROUTED;
	case HOOK_OUTPUT:
		return RAW_OUTPUT;
	}
	return RAW_SELF;
}

static enum raw_list reverse_list(enum hook hook)
{
	switch (hook) {
	case HOOK_INPUT:
		return RAW_OUTPUT;
	case HOOK_FORWARD:
		return RAW_ROUTED;
	case HOOK_OUTPUT:
		return RAW_SELF;
	}
	return RAW_SELF;
}

static void add_item(struct raw *raw, const struct rule *rule, enum hook hook, bool is_reverse)
{
	const struct match *match = &rule->match;
	enum raw_list list = is_reverse ? reverse_list(hook) : own_list(hook);
	struct raw_item item = {
		.rule = rule,
		.from = is_reverse ? match->to : match->from,
		.to = is_reverse ? match->from : match->to,
		.services = is_reverse ? reverse_services(raw, &match->services) : match->services,
		.is_wanted = rule->is_stateless,
	};
	if (list == RAW_ROUTED) {
		struct place_boxes to = item.to;
		item.lacks_interface = !strip_interfaces(raw, &to, &item.to);
	}
	if (item.lacks_interface && rule->is_stateless)
		report_interface(raw, rule);
	if (item.services.tuples_count != 0)
		*pool_append(raw->lower->scratch, &raw->lists[list], items) = item;
}

/* Only a rule that lets packets pass relies on their being tracked. */
static bool takes_part(const struct rule *rule)
{
	return rule->is_stateless || rule->outcome->verdict == VERDICT_ALLOW;
}

static size_t order_of(const struct rule *rule, size_t index)
{
	return rule->identity->rule != NULL ? rule->identity->rule->number : index;
}

/* The rules of all hooks, in the order of the policy, with those that optimising left out or moved: its passes
 * keep the verdict of every packet, but not which rules it meets. */
static void add_items(struct raw *raw)
{
	const struct ruleset *optimised = raw->lower->ruleset;
	const struct ruleset *ruleset = optimised->written == NULL ? optimised : optimised->written;
	size_t at[HOOK_COUNT] = { 0 };
	for (;;) {
		unsigned next = HOOK_COUNT;
		size_t lowest = SIZE_MAX;
		for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
			if (at[hook] == ruleset->rules_count[hook])
				continue;
			size_t order = order_of(ruleset->rules[hook][at[hook]], at[hook]);
			if (next == HOOK_COUNT || order < lowest) {
				next = hook;
				lowest = order;
			}
		}
		if (next == HOOK_COUNT)
			return;
		const struct rule *rule = ruleset->rules[next][at[next]++];
		if (!takes_part(rule))
			continue;
		add_item(raw, rule, (enum hook)next, false);
		add_item(raw, rule, (enum hook)next, true);
	}
}

/* --- overlaps ----------------------------------------------------------------------------- */

static bool boxes_overlap(struct raw *raw, const struct place_boxes *a, const struct place_boxes *b)
{
	void *pool = raw->lower->scratch;
	for (size_t i = 0; i < a->boxes_count; i++) {
		for (size_t k = 0; k < b->boxes_count; k++) {
			const struct place_box *left = &a->boxes[i], *right = &b->boxes[k];
			if (!address_set_overlaps(&left->addresses, &right->addresses))
				continue;
			struct interface_set both = interface_set_intersect(pool, &left->interfaces,
									    &right->interfaces);
			if (!interface_set_is_empty(&both))
				return true;
		}
	}
	return false;
}

static bool items_overlap(struct raw *raw, const struct raw_item *a, const struct raw_item *b)
{
	return (a->rule->match.families & b->rule->match.families) != 0 &&
	       tuple_set_overlaps(&a->services, &b->services) &&
	       boxes_overlap(raw, &a->from, &b->from) && boxes_overlap(raw, &a->to, &b->to);
}

/* The first stateless item behind the tracked one that shares packets with it. */
static const struct raw_item *find_shared(struct raw *raw, const struct raw_items *list, size_t at)
{
	for (size_t i = at + 1; i < list->items_count; i++)
		if (list->items[i].rule->is_stateless &&
		    items_overlap(raw, &list->items[at], &list->items[i]))
			return &list->items[i];
	return NULL;
}

static void want_tracked(struct raw *raw, struct raw_items *list)
{
	size_t stateless = 0;
	for (size_t i = 0; i < list->items_count; i++)
		stateless += list->items[i].rule->is_stateless;
	size_t tracked = list->items_count - stateless;
	bool is_large = stateless != 0 && tracked > PAIRS_MAX / stateless;
	for (size_t i = 0; i < list->items_count; i++) {
		struct raw_item *item = &list->items[i];
		if (item->rule->is_stateless || stateless == 0)
			continue;
		if (is_large && !item->lacks_interface) {
			item->is_wanted = true; /* harmless where it shares nothing */
			continue;
		}
		const struct raw_item *shared = find_shared(raw, list, i);
		item->is_wanted = shared != NULL;
		if (shared != NULL && item->lacks_interface)
			report_overlap(raw, item->rule, shared->rule);
	}
}

/* --- translations ------------------------------------------------------------------------- */

static bool source_translated(struct raw *raw, const struct raw_item *item, enum raw_list list,
			      const struct rule_translation *translation)
{
	bool applies = list == RAW_ROUTED   ? translation->applies_to_routed
		       : list == RAW_OUTPUT ? translation->applies_to_local
					    : false;
	return applies && boxes_overlap(raw, &item->from, &translation->from) &&
	       boxes_overlap(raw, &item->to, &translation->to);
}

static bool destination_translated(struct raw *raw, const struct raw_item *item, enum raw_list list,
				   const struct rule_translation *translation)
{
	bool applies = list == RAW_OUTPUT ? translation->applies_to_local
					  : translation->applies_to_routed;
	bool is_listened = list == RAW_SELF;
	if (translation->source->has_at) {
		struct place_box box = { interface_set_all(), translation->source->at };
		is_listened = boxes_overlap(raw, &item->to, &(struct place_boxes){ &box, 1, 1 });
	}
	return applies && is_listened && tuple_set_overlaps(&item->services, &translation->services) &&
	       boxes_overlap(raw, &item->from, &translation->from);
}

static void check_translations(struct raw *raw, const struct raw_item *item, enum raw_list list)
{
	const struct ruleset *ruleset = raw->lower->ruleset;
	if (item->rule->match.is_translated)
		report_translated(raw, item->rule, item->rule->origin);
	for (size_t i = 0; i < ruleset->translations_count; i++) {
		const struct rule_translation *translation = ruleset->translations[i];
		if ((translation->families & item->rule->match.families) == 0)
			continue;
		bool is_translated = translation->kind == TRANSLATION_FORWARD
			? destination_translated(raw, item, list, translation)
			: source_translated(raw, item, list, translation);
		if (is_translated)
			report_translated(raw, item->rule, translation->origin);
	}
}

static void check_items(struct raw *raw)
{
	for (enum raw_list list = RAW_SELF; list <= RAW_OUTPUT; list++) {
		for (size_t i = 0; i < raw->lists[list].items_count; i++) {
			const struct raw_item *item = &raw->lists[list].items[i];
			if (!item->rule->is_stateless)
				continue;
			check_translations(raw, item, list);
			if (item->rule->outcome->helper != NULL && may_report(raw, item->rule))
				diag_add(raw->lower->diags, CODE_HELPER_STATELESS,
					 stateless_span(item->rule),
					 "helper '%s' follows tracked connections, and this rule is "
					 "'stateless'", item->rule->outcome->helper);
		}
	}
}

/* --- chains ------------------------------------------------------------------------------- */

struct raw_context {
	const struct raw *raw;
	const struct rule *rule;
};

static const struct tail *raw_tail(struct lower *lower, const void *context, unsigned families)
{
	const struct raw_context *at = context;
	struct goal track = { { NFT_ACCEPT, NULL }, 0 };
	bool is_stateless = at->rule->is_stateless;
	if (families != FAMILIES_BOTH && at->rule->match.is_translated)
		return NULL; /* reported already */
	return tail_with_verdict(lower, at->rule, families, is_stateless ? at->raw->untrack : track,
				 is_stateless ? OUTCOME_UNTRACKED : OUTCOME_TRACKED);
}

static struct entries raw_units(struct raw *raw, enum raw_list list)
{
	struct entries units = { 0 };
	for (size_t i = 0; i < raw->lists[list].items_count; i++) {
		const struct raw_item *item = &raw->lists[list].items[i];
		if (!item->is_wanted || item->rule->match.is_translated)
			continue;
		struct unit_match match = {
			.families = item->rule->match.families,
			.services = &item->services,
			.from = &item->from,
			.to = &item->to,
			.origin = item->rule->origin,
		};
		struct raw_context context = { raw, item->rule };
		sides_add(raw->lower, &units, &match, raw_tail, &context);
	}
	return units;
}

static void write_untrack(struct raw *raw)
{
	struct lower *lower = raw->lower;
	struct draft draft = draft_begin(lower);
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, (struct nft_statement){ .kind = NFT_NOTRACK });
	rule_add(&rule, verdict_statement((struct nft_verdict){ NFT_ACCEPT, NULL }));
	rule_end(lower, &draft, &rule, 0);
	raw->untrack = goal_of_chain(&draft, draft_end(lower, &draft, "untrack"), NFT_GOTO);
}

/* Packets for the firewall: by the routing table, since no rule of it has been asked yet. */
static void write_self(struct raw *raw, struct draft *draft)
{
	static const unsigned own[] = { ROUTE_LOCAL, ROUTE_BROADCAST, ROUTE_MULTICAST };
	struct lower *lower = raw->lower;
	lower->prefix = "raw_self";
	struct entries list = raw_units(raw, RAW_SELF);
	struct draft inner = draft_begin(lower);
	split_write(lower, &inner, &list);
	struct goal goal = goal_of_chain(&inner, draft_end(lower, &inner, "raw_self"), NFT_GOTO);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		struct rule_draft rule;
		rule.items_count = 0;
		rule_add(&rule, match_equal(NFT_FIELD_FIB_DADDR_TYPE, own[i]));
		rule_add(&rule, verdict_statement(goal.verdict));
		rule_end(lower, draft, &rule, goal.height);
	}
}

static void end_raw_chain(struct lower *lower, struct draft *draft, const char *name, unsigned hook)
{
	chain_end_base(lower, draft, &(struct nft_chain){
		.name = name, .type = "filter", .hook = hook, .priority = PRIORITY_RAW,
	});
}

void raw_write(struct lower *lower)
{
	struct raw raw = { .lower = lower, .errors_before = lower->diags->error_count };
	if (!lower->ruleset->has_stateless)
		return;
	add_items(&raw);
	for (enum raw_list list = RAW_SELF; list <= RAW_OUTPUT; list++)
		want_tracked(&raw, &raw.lists[list]);
	check_items(&raw);
	if (lower->diags->error_count != raw.errors_before)
		return;
	write_untrack(&raw);
	struct draft draft = draft_begin(lower);
	write_self(&raw, &draft);
	lower->prefix = "raw_routed";
	struct entries list = raw_units(&raw, RAW_ROUTED);
	split_write(lower, &draft, &list);
	end_raw_chain(lower, &draft, "prerouting_raw", NF_INET_PRE_ROUTING);
	lower->prefix = "raw_output";
	draft = draft_begin(lower);
	list = raw_units(&raw, RAW_OUTPUT);
	split_write(lower, &draft, &list);
	end_raw_chain(lower, &draft, "output_raw", NF_INET_LOCAL_OUT);
}
