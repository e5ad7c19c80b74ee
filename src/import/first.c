/* Answers are looked at where they can be: of connections whose first packet was let through, in the
 * direction of that packet and back. */
#include "import/first.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define BOXES_MOST 100000u
#define ENTRIES_MOST 1000u /* asked one after the other */
#define EDGES_MOST 200000u /* for that */

/* Of a list: what it may let through, and what it may deny; limits and unknowns can go both ways. */
struct fates {
	import_set accepted, denied;
};

static import_set both(struct import_space *space, import_set a, import_set b)
{
	return import_intersect(space, a, b);
}

static import_set complement(struct import_space *space, import_set set)
{
	return import_subtract(space, import_all(), set);
}

/* --- which packets ------------------------------------------------------------------------------ */

static import_set icmp6_types(struct import_space *space, uint8_t low, uint8_t high)
{
	return both(space, import_value(space, IMPORT_PROTOCOL, PROTOCOL_ICMP6),
		    import_range(space, IMPORT_FIRST, low, high));
}

/* net/netfilter/nf_conntrack_proto_icmpv6.c, noct_valid_new */
static import_set never_new(struct import_space *space)
{
	if (space->family == FAMILY_IPV4)
		return import_none();
	return import_union(space, icmp6_types(space, 130, 136), icmp6_types(space, 143, 143));
}

import_set import_first(struct import_space *space, import_set set)
{
	const import_set new = import_of_state(space, set, IMPORT_NEW);
	const import_set untracked = import_of_state(space, set, IMPORT_UNTRACKED);
	const import_set odd = never_new(space);

	return import_union(space, import_subtract(space, new, odd), both(space, untracked, odd));
}

/* Neighbour discovery, and what multicast listeners say, to and from the firewall. */
static import_set discovery(struct import_space *space)
{
	const number128 link_local = (number128)0xfe80 << 112;
	import_set listeners;

	if (space->family == FAMILY_IPV4)
		return import_none();
	listeners = import_union(space, icmp6_types(space, 130, 132), icmp6_types(space, 143, 143));
	listeners = both(space, listeners,
			 import_range(space, IMPORT_SOURCE, link_local,
				      link_local | (((number128)1 << 118) - 1)));
	return import_union(space, listeners,
			    both(space, icmp6_types(space, 133, 136),
				 import_value(space, IMPORT_HOP_LIMIT, UINT8_MAX)));
}

static import_set not_loopback(struct import_space *space, enum import_field interface)
{
	return complement(space, import_value(space, interface, IMPORT_LOOPBACK));
}

import_set import_judged(struct import_space *space, enum import_hook hook)
{
	const bool is_input = hook == IMPORT_INPUT, is_ipv4 = space->family == FAMILY_IPV4;
	import_set set = import_range(space, IMPORT_ROUTE, is_input ? IMPORT_LOCAL :
				      is_ipv4 ? IMPORT_BROADCAST : IMPORT_ELSEWHERE,
				      !is_input ? IMPORT_ELSEWHERE : is_ipv4 ? IMPORT_BROADCAST :
				      IMPORT_LOCAL);

	if (hook != IMPORT_OUTPUT)
		set = both(space, set, not_loopback(space, IMPORT_IN));
	if (!is_input)
		set = both(space, set, not_loopback(space, IMPORT_OUT));
	return hook == IMPORT_FORWARD ? set : import_subtract(space, set, discovery(space));
}

/* --- what a list does ----------------------------------------------------------------------------- */

enum { ACCEPTED = 1, DENIED };

static void add_fate(struct import_space *space, struct fates *fates, bool is_accepted, import_set set)
{
	import_set *fate = is_accepted ? &fates->accepted : &fates->denied;

	*fate = import_union(space, *fate, set);
}

/* Whether entries are asked one after the other, which costs more in long lists. since: the intervals before. */
static bool is_cheap(const struct import_space *space, size_t since, size_t entries)
{
	return entries < ENTRIES_MOST && diagrams_edges(space->diagrams) - since < EDGES_MOST;
}

static bool decides(const struct import_entry *entry)
{
	return entry->action != IMPORT_LOG && entry->action != IMPORT_OTHER;
}

/* The rest of a long list, built by halves. */
static void add_rest(struct import_space *space, struct fates *fates, const struct import_list *list, size_t begin,
		     enum import_state state, import_set undecided)
{
	struct import_given *given = pool_array(space->pool, struct import_given, list->items_count - begin + 1);
	diagram map;
	size_t count = 0;

	for (size_t index = begin; index < list->items_count; index++) {
		const struct import_entry *entry = &list->items[index];
		const import_set set = import_of_state(space, entry->set, state);

		if (decides(entry) && entry->match.limit == NULL)
			given[count++] = (struct import_given){
				set, entry->action == IMPORT_ACCEPT ? ACCEPTED : DENIED,
			};
		else if (decides(entry))
			add_fate(space, fates, entry->action == IMPORT_ACCEPT, both(space, set, undecided));
	}
	given[count++] = (struct import_given){ import_all(), list->is_accepting ? ACCEPTED : DENIED };
	map = import_first_match(space, given, count);
	add_fate(space, fates, true, both(space, undecided, import_where(space, map, ACCEPTED)));
	add_fate(space, fates, false, both(space, undecided, import_where(space, map, DENIED)));
}

/* What becomes of packets in a state. What a limit holds for may also be for later entries. Only the first entries
 * are asked where they decide about all of the packets, as they mostly do about answers. */
static struct fates fates_of(struct import_space *space, const struct import_list *list, enum import_state state,
			     import_set undecided)
{
	const size_t since = diagrams_edges(space->diagrams);
	struct fates fates = { import_none(), import_none() };

	for (size_t index = 0; !import_is_none(undecided); index++) {
		const struct import_entry *entry;
		import_set set;

		if (index == list->items_count || !is_cheap(space, since, index)) {
			add_rest(space, &fates, list, index, state, undecided);
			return fates;
		}
		entry = &list->items[index];
		if (!decides(entry))
			continue;
		set = both(space, undecided, import_of_state(space, entry->set, state));
		add_fate(space, &fates, entry->action == IMPORT_ACCEPT, set);
		if (entry->match.limit == NULL)
			undecided = import_subtract(space, undecided, set);
	}
	return fates;
}

/* First packets that are let through, their state forgotten. */
static import_set first_let(struct import_space *space, const struct import_list *list, enum import_hook hook)
{
	const import_set judged = import_judged(space, hook), odd = never_new(space);
	const import_set new = fates_of(space, list, IMPORT_NEW, import_subtract(space, judged, odd)).accepted;

	return import_union(space, new, fates_of(space, list, IMPORT_UNTRACKED, both(space, judged, odd)).accepted);
}

/* Whether packets of no known connection pass: the first that does is enough. */
static bool lets_invalid_packets(struct import_space *space, const struct import_list *list)
{
	const size_t since = diagrams_edges(space->diagrams);
	import_set undecided = import_all();

	for (size_t index = 0; index < list->items_count && is_cheap(space, since, index); index++) {
		const struct import_entry *entry = &list->items[index];
		const import_set set = both(space, undecided, import_of_state(space, entry->set, IMPORT_INVALID));

		if (entry->action == IMPORT_ACCEPT && !import_is_none(set))
			return true;
		if (decides(entry) && entry->match.limit == NULL)
			undecided = import_subtract(space, undecided, set);
	}
	return !import_is_none(fates_of(space, list, IMPORT_INVALID, undecided).accepted);
}

/* The packets that answer those of the set. */
static bool turned(struct import_space *space, import_set set, import_set *answers)
{
	struct import_boxes boxes = { 0 };
	struct import_given *given;

	if (!import_boxes_of(space, set, BOXES_MOST, &boxes))
		return false;
	given = pool_array(space->pool, struct import_given, boxes.items_count + 1);
	for (size_t index = 0; index < boxes.items_count; index++) {
		const struct import_box *box = &boxes.items[index];
		struct import_box back = {
			.fields = {
				[IMPORT_IN] = box->fields[IMPORT_OUT],
				[IMPORT_OUT] = box->fields[IMPORT_IN],
				[IMPORT_SOURCE] = box->fields[IMPORT_DESTINATION],
				[IMPORT_DESTINATION] = box->fields[IMPORT_SOURCE],
				[IMPORT_PROTOCOL] = box->fields[IMPORT_PROTOCOL],
				[IMPORT_FIRST] = box->fields[IMPORT_SECOND],
				[IMPORT_SECOND] = box->fields[IMPORT_FIRST],
			},
		};

		if (box->fields[IMPORT_PROTOCOL] == NULL ||
		    !protocol_has_ports((unsigned)box->fields[IMPORT_PROTOCOL]->items[0].low))
			back.fields[IMPORT_FIRST] = back.fields[IMPORT_SECOND] = NULL;
		given[index] = (struct import_given){ import_set_of_box(space, &back), 1 };
	}
	*answers = import_first_match(space, given, boxes.items_count);
	return true;
}

/* --- what is told --------------------------------------------------------------------------------- */

struct comparison {
	struct import_space *space;
	struct diags *diags;
	const struct import_list *lists;
	const char *const *names;
	bool denies_answers[IMPORT_HOOKS]; /* some packets of known connections */
	import_set first[IMPORT_HOOKS];    /* let through; where answers of this hook or the other are denied */
	import_set answers[IMPORT_HOOKS];  /* to what is let through in the hook of the other direction */
};

/* The line that denies some of the packets of a state. */
static struct span culprit(struct comparison *run, enum import_hook hook, import_set packets,
			   enum import_state state)
{
	const struct import_list *list = &run->lists[hook];

	for (size_t index = 0; index < list->items_count; index++) {
		const struct import_entry *entry = &list->items[index];
		import_set met = both(run->space, import_of_state(run->space, entry->set, state), packets);

		if (import_is_none(met))
			continue;
		if (entry->action == IMPORT_DROP || entry->action == IMPORT_REJECT)
			return entry->rule->span;
		if (entry->action == IMPORT_ACCEPT && entry->match.limit == NULL)
			packets = import_subtract(run->space, packets, met);
	}
	return list->span;
}

/* What both families of one chain say is said once. */
static bool is_told_alike(const struct comparison *run, struct span span, const char *message)
{
	for (size_t index = 0; index < run->diags->items_count; index++) {
		const struct diagnostic *told = run->diags->items[index];

		if (told->code == CODE_IPTABLES_PASSING && told->span.source == span.source &&
		    told->span.begin == span.begin && told->span.end == span.end &&
		    strcmp(told->message, message) == 0)
			return true;
	}
	return false;
}

static void tell(struct comparison *run, enum import_hook hook, enum import_state state, import_set packets,
		 const char *what)
{
	const import_set denied = fates_of(run->space, &run->lists[hook], state, packets).denied;
	const char *message = pool_format(run->space->pool, "%s always pass in a policy, and %s denies some of "
					  "them here", what, run->names[hook]);
	struct diagnostic *diagnostic;
	struct span span;

	if (import_is_none(denied) || denied == DIAGRAM_OVER)
		return;
	span = culprit(run, hook, denied, state);
	if (is_told_alike(run, span, message))
		return;
	diagnostic = diag_add(run->diags, CODE_IPTABLES_PASSING, span, "%s", message);
	diag_note(run->diags, diagnostic, SPAN_NONE, "with --always-passing they pass in the policy, whatever "
		  "the file says of them");
}

static const enum import_hook other_way[IMPORT_HOOKS] = { IMPORT_OUTPUT, IMPORT_FORWARD, IMPORT_INPUT };

/* Errors of ICMP come from any router on the way. */
static import_set related_errors(struct import_space *space)
{
	const bool is_ipv4 = space->family == FAMILY_IPV4;
	import_set types = is_ipv4 ? import_value(space, IMPORT_FIRST, 3) :
			   import_range(space, IMPORT_FIRST, 1, 4);

	if (is_ipv4)
		types = import_union(space, types, import_range(space, IMPORT_FIRST, 11, 12));
	return both(space, types, import_value(space, IMPORT_PROTOCOL,
					       is_ipv4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6));
}

/* Where answers pass, by their interfaces alone. */
static import_set ways(struct import_space *space, import_set packets)
{
	struct import_boxes boxes = { 0 };
	struct import_given *given;

	if (!import_boxes_of(space, packets, BOXES_MOST, &boxes))
		return import_all();
	given = pool_array(space->pool, struct import_given, boxes.items_count + 1);
	for (size_t index = 0; index < boxes.items_count; index++) {
		const struct import_box way = {
			.fields = { [IMPORT_IN] = boxes.items[index].fields[IMPORT_IN],
				    [IMPORT_OUT] = boxes.items[index].fields[IMPORT_OUT] },
		};

		given[index] = (struct import_given){ import_set_of_box(space, &way), 1 };
	}
	return import_first_match(space, given, boxes.items_count);
}

/* Most filters let all of them through, and which they are need not be asked. */
static bool denies_answers(struct import_space *space, const struct import_list *list)
{
	return !import_is_none(fates_of(space, list, IMPORT_ESTABLISHED, import_all()).denied) ||
	       !import_is_none(fates_of(space, list, IMPORT_RELATED, import_all()).denied);
}

static void tell_of_connections(struct comparison *run, enum import_hook hook)
{
	struct import_space *space = run->space;
	import_set packets = import_union(space, run->first[hook], run->answers[hook]);

	tell(run, hook, IMPORT_ESTABLISHED, packets, "packets of connections that were let through");
	packets = both(space, ways(space, packets), related_errors(space));
	tell(run, hook, IMPORT_RELATED, packets, "errors of ICMP about connections that were let through");
}

static void tell_of_the_rest(struct comparison *run, enum import_hook hook)
{
	struct import_space *space = run->space;
	const enum import_field interface = hook == IMPORT_INPUT ? IMPORT_IN : IMPORT_OUT;
	const bool is_ipv4 = space->family == FAMILY_IPV4;
	const number128 low = is_ipv4 ? 0x7f000000u : 1, high = is_ipv4 ? 0x7fffffffu : 1;
	import_set packets = both(space, import_range(space, IMPORT_SOURCE, low, high),
				  import_range(space, IMPORT_DESTINATION, low, high));

	packets = both(space, packets, import_value(space, interface, IMPORT_LOOPBACK));
	packets = both(space, packets, import_value(space, IMPORT_ROUTE, IMPORT_LOCAL));
	tell(run, hook, IMPORT_NEW, packets, "packets of the loopback interface");
	packets = both(space, discovery(space), not_loopback(space, interface));
	packets = both(space, packets, import_value(space, IMPORT_ROUTE, hook == IMPORT_INPUT ?
						    IMPORT_LOCAL : IMPORT_ELSEWHERE));
	tell(run, hook, IMPORT_UNTRACKED, packets,
	     "neighbour discovery and multicast listener messages of the firewall");
}

void import_compare_passing(struct import_space *space, struct diags *diags, const struct import_list *lists,
			    const char *const *names, bool *lets_invalid)
{
	struct comparison run = { .space = space, .diags = diags, .lists = lists, .names = names };

	*lets_invalid = false;
	for (unsigned hook = 0; hook < IMPORT_HOOKS; hook++) {
		run.denies_answers[hook] = denies_answers(space, &lists[hook]);
		*lets_invalid = *lets_invalid || lets_invalid_packets(space, &lists[hook]);
	}
	for (enum import_hook hook = 0; hook < IMPORT_HOOKS; hook++)
		if (run.denies_answers[hook] || run.denies_answers[other_way[hook]])
			run.first[hook] = first_let(space, &lists[hook], hook);
	for (unsigned hook = 0; hook < IMPORT_HOOKS; hook++)
		if (run.denies_answers[other_way[hook]] &&
		    !turned(space, run.first[hook], &run.answers[other_way[hook]])) {
			diag_add(diags, CODE_IPTABLES_LARGE, lists[hook].span, "which packets answer those "
				 "that chain %s lets through takes more than %u boxes to say",
				 names[hook], BOXES_MOST);
			return;
		}
	for (enum import_hook hook = 0; hook < IMPORT_HOOKS; hook++) {
		if (run.denies_answers[hook])
			tell_of_connections(&run, hook);
		if (hook != IMPORT_FORWARD)
			tell_of_the_rest(&run, hook);
	}
}
