/* Ports that no entry speaks of get what the list ends in, wherever they are. Said of them once, ahead of all
 * entries, for any addresses, the entries behind may reach over them: two ranges of one rule with nothing but
 * such ports between them are one. A gap lies between ports that are spoken of, and costs one entry.
 *
 *   10 deny tcp any any range 54 79
 *   20 permit tcp HOST any range 53 80
 *
 * Denials that look at ports take no later fragments, so those get what they got. Whatever takes every port
 * stands before the gaps. */
#include "target/cisco/minimise/minimise.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/minimise/groups.h"
#include "target/cisco/minimise/spoken.h"

#define RANGES_MOST 64 /* of one rule and protocol; what has more stays as it is */
#define NO_GAP SIZE_MAX
#define WIDER_GAP_MOST 3 /* of those who reach over one gap, and */
#define WIDER_MOST 2     /* of all */

struct gap {
	struct port_range range;
	struct minimise_cost apart, joined; /* those who reach over it: as they are, and with what denies it */
	bool is_denied;
};

/* Some entries of one run that differ in their ports alone, by their ports. */
struct shape {
	size_t uses;
	size_t count;
	struct port_range *ranges; /* ascending */
	size_t *pieces;            /* how many of the ranges become one, from each on that begins one */
	const struct minimise_ports **ports; /* of such */
};

struct member {
	struct port_range range;
	uint32_t place;
};

struct segment {
	const uint32_t *members;
	size_t count;
	struct shape *shape;
};

struct spanning {
	struct minimising *work;
	void *pool; /* of one protocol */
	struct arena *arena;
	uint32_t bottom;   /* the entry that denies what comes to the end */
	uint32_t begin;    /* what stands before this place takes every port */
	uint16_t protocol;
	struct minimise_unspoken unspoken;
	struct gap *gaps; /* of the same numbers */
	size_t gaps_count, gaps_capacity;
	struct interned *shapes_by_ranges;
	struct shape **shapes;
	size_t shapes_count, shapes_capacity;
	struct segment *segments;
	size_t segments_count, segments_capacity;
	struct member *sorted;
	size_t sorted_count, sorted_capacity;
};

/* --- gaps ------------------------------------------------------------------------------------------- */

static bool is_asked(const struct spanning *spanning, const struct minimise_entry *entry)
{
	return !entry->is_gone && entry->colour != spanning->work->list->entries[spanning->bottom].colour;
}

static void pass_those_of_all_ports(struct spanning *spanning)
{
	const struct minimise_entry *entries = spanning->work->list->entries;

	for (uint32_t place = spanning->bottom; place-- > spanning->begin;)
		if (is_asked(spanning, &entries[place]) &&
		    minimise_takes_all_ports(&entries[place], spanning->protocol))
			spanning->begin = place + 1;
}

static void find_gaps(struct spanning *spanning)
{
	const struct minimise_list *list = spanning->work->list;
	const struct minimise_speakers speakers = {
		.protocol = spanning->protocol,
		.begin = spanning->begin,
		.end = spanning->bottom,
		.but_colour = list->entries[spanning->bottom].colour,
	};
	struct minimise_unspoken unspoken = minimise_unspoken_of(spanning->pool, list, &speakers);

	for (size_t index = 0; index < unspoken.items_count; index++)
		pool_append(spanning->pool, spanning, gaps)->range = unspoken.items[index];
	spanning->unspoken = unspoken;
}

/* The gap that is all there is between two ranges; NO_GAP: there is none, or more. */
static size_t gap_between(const struct spanning *spanning, struct port_range a, struct port_range b)
{
	size_t gap;

	if (b.low <= a.high + 1u)
		return NO_GAP;
	gap = minimise_unspoken_from(&spanning->unspoken, a.high + 1u);
	if (gap == spanning->gaps_count || spanning->gaps[gap].range.low != a.high + 1u ||
	    spanning->gaps[gap].range.high + 1u != b.low)
		return NO_GAP;
	return gap;
}

/* --- shapes ----------------------------------------------------------------------------------------- */

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	int order = (int)a->range.low - b->range.low;

	return order != 0 ? order : a->place < b->place ? -1 : a->place > b->place;
}

/* false: some do not speak of one range, or they are too many. */
static bool sort_members(struct spanning *spanning, const uint32_t *members, size_t count)
{
	bool is_sorted = true;

	spanning->sorted_count = 0;
	if (count > RANGES_MOST)
		return false;
	for (size_t index = 0; index < count; index++) {
		const struct minimise_ports *ports = spanning->work->list->entries[members[index]].first;
		struct member *member = pool_append(spanning->pool, spanning, sorted);

		if (ports == NULL || ports->count != 1)
			return false;
		*member = (struct member){ ports->ranges[0], members[index] };
		is_sorted = is_sorted && (index == 0 || compare_members(member - 1, member) < 0);
	}
	if (!is_sorted)
		qsort(spanning->sorted, count, sizeof *spanning->sorted, compare_members);
	return true;
}

static bool has_gap(const struct spanning *spanning)
{
	for (size_t index = 1; index < spanning->sorted_count; index++)
		if (gap_between(spanning, spanning->sorted[index - 1].range,
				spanning->sorted[index].range) != NO_GAP)
			return true;
	return false;
}

static struct shape *shape_of(struct spanning *spanning)
{
	struct port_range ranges[RANGES_MOST];
	size_t count = spanning->sorted_count;
	struct shape **slot;

	for (size_t index = 0; index < count; index++)
		ranges[index] = spanning->sorted[index].range;
	slot = (struct shape **)interned_slot(spanning->shapes_by_ranges, ranges, count * sizeof *ranges);
	if (*slot == NULL) {
		*slot = arena_new_item(spanning->arena, struct shape);
		(*slot)->count = count;
		(*slot)->ranges = arena_copy(spanning->arena, ranges, count * sizeof *ranges);
		*pool_append(spanning->pool, spanning, shapes) = *slot;
	}
	return *slot;
}

static void add_segment(struct spanning *spanning, const uint32_t *members, size_t count)
{
	struct shape *shape;

	if (!sort_members(spanning, members, count) || !has_gap(spanning))
		return;
	shape = shape_of(spanning);
	shape->uses++;
	*pool_append(spanning->pool, spanning, segments) = (struct segment){ members, count, shape };
}

/* Of each group those that stand in one run behind where gaps are denied. */
static void add_group(struct spanning *spanning, const struct minimise_group *group)
{
	const struct minimising *work = spanning->work;
	const struct minimise_entry *first = &work->list->entries[group->members[0]];
	size_t begin = 0, end;

	if (first->protocol != spanning->protocol || !is_asked(spanning, first))
		return;
	while (begin < group->count && group->members[begin] < spanning->begin)
		begin++;
	for (; begin < group->count; begin = end) {
		uint32_t run = work->run[group->members[begin]];

		for (end = begin + 1; end < group->count && work->run[group->members[end]] == run;)
			end++;
		if (end - begin > 1)
			add_segment(spanning, group->members + begin, end - begin);
	}
}

/* --- costs ------------------------------------------------------------------------------------------ */

static void add_cost(struct minimise_cost *sum, struct minimise_cost cost, size_t times)
{
	sum->entries += cost.entries * times;
	sum->expanded += cost.expanded * times;
	sum->registers += cost.registers * times;
}

static bool is_cheaper(const struct spanning *spanning, struct minimise_cost a, struct minimise_cost b)
{
	return minimise_cost_compare(spanning->work->list->aim, &a, &b) < 0;
}

/* Of all numbers from low to high the one that ends in most zeros. */
static uint32_t roundest(uint32_t low, uint32_t high)
{
	uint32_t differs = low == 0 ? 0 : (low - 1) ^ high;

	for (unsigned shift = 1; shift <= 16; shift *= 2)
		differs |= differs >> shift;
	return low == 0 ? 0 : high & ~(differs >> 1);
}

/* The denied gap that the port lies in, or NULL. */
static const struct gap *denied_at(const struct spanning *spanning, uint32_t port)
{
	size_t at = minimise_unspoken_from(&spanning->unspoken, port);
	const struct gap *gap = &spanning->gaps[at];

	return at < spanning->gaps_count && gap->range.low <= port && gap->is_denied ? gap : NULL;
}

/* A range that ends anywhere in the gaps around it, so that few prefixes make it up. */
static struct port_range rounded(const struct spanning *spanning, struct port_range tight)
{
	const struct gap *below = tight.low == 0 ? NULL : denied_at(spanning, tight.low - 1u);
	const struct gap *above = denied_at(spanning, tight.high + 1u);
	uint16_t low = below == NULL ? tight.low : (uint16_t)roundest(below->range.low, tight.low);
	uint16_t high = above == NULL ? tight.high :
			(uint16_t)(roundest(tight.high + 1u, above->range.high + 1u) - 1);
	const struct port_range ranges[] = { tight, { low, tight.high }, { tight.low, high }, { low, high } };
	size_t best = 0;

	for (size_t index = 1; index < sizeof ranges / sizeof ranges[0]; index++)
		if (is_cheaper(spanning, minimise_range_cost(ranges[index]), minimise_range_cost(ranges[best])))
			best = index;
	return ranges[best];
}

static struct port_range piece_of(const struct spanning *spanning, const struct shape *shape, size_t first,
				  size_t last)
{
	const struct port_range tight = { shape->ranges[first].low, shape->ranges[last].high };

	return first == last ? tight : rounded(spanning, tight);
}

/* --- which gaps ------------------------------------------------------------------------------------- */

static void weigh_shape(struct spanning *spanning, const struct shape *shape)
{
	for (size_t index = 1; index < shape->count; index++) {
		size_t at = gap_between(spanning, shape->ranges[index - 1], shape->ranges[index]);
		struct gap *gap = at == NO_GAP ? NULL : &spanning->gaps[at];

		if (gap == NULL)
			continue;
		add_cost(&gap->apart, minimise_range_cost(shape->ranges[index - 1]), shape->uses);
		add_cost(&gap->apart, minimise_range_cost(shape->ranges[index]), shape->uses);
		add_cost(&gap->joined, minimise_range_cost(piece_of(spanning, shape, index - 1, index)),
			 shape->uses);
	}
}

/* Fewer entries are not bought with much more of the TCAM: so many times as much, at most. */
static bool is_too_wide(const struct minimise_cost *before, const struct minimise_cost *after, size_t times)
{
	return after->expanded > before->expanded * times;
}

/* Those that pay by themselves, each by those who reach over it. */
static void choose_gaps(struct spanning *spanning)
{
	for (size_t index = 0; index < spanning->gaps_count; index++)
		spanning->gaps[index].is_denied = true;
	for (size_t index = 0; index < spanning->shapes_count; index++)
		weigh_shape(spanning, spanning->shapes[index]);
	for (size_t index = 0; index < spanning->gaps_count; index++) {
		struct gap *gap = &spanning->gaps[index];

		add_cost(&gap->joined, minimise_range_cost(gap->range), 1);
		gap->is_denied = is_cheaper(spanning, gap->joined, gap->apart) &&
				 !is_too_wide(&gap->apart, &gap->joined, WIDER_GAP_MOST);
	}
}

/* --- what becomes of a shape ------------------------------------------------------------------------ */

/* One way to write the ranges from one on. */
struct writing {
	struct minimise_cost cost;
	size_t count; /* of the ranges that are its first entry */
};

static struct writing best_from(const struct spanning *spanning, const struct shape *shape, size_t first,
				const struct writing *behind)
{
	struct writing best = { .count = 0 };

	for (size_t last = first; last < shape->count; last++) {
		struct writing writing = { behind[last + 1].cost, last - first + 1 };
		size_t gap = last == first ? NO_GAP :
			     gap_between(spanning, shape->ranges[last - 1], shape->ranges[last]);

		if (last > first && (gap == NO_GAP || !spanning->gaps[gap].is_denied))
			break;
		add_cost(&writing.cost, minimise_range_cost(piece_of(spanning, shape, first, last)), 1);
		if (best.count == 0 || is_cheaper(spanning, writing.cost, best.cost))
			best = writing;
	}
	return best;
}

/* Gives what its entries cost then. */
static struct minimise_cost write_shape(struct spanning *spanning, struct shape *shape)
{
	struct writing ways[RANGES_MOST + 1] = { { .count = 0 } };

	for (size_t first = shape->count; first-- > 0;)
		ways[first] = best_from(spanning, shape, first, ways);
	shape->pieces = arena_array(spanning->arena, size_t, shape->count);
	shape->ports = arena_array(spanning->arena, const struct minimise_ports *, shape->count);
	for (size_t first = 0; first < shape->count; first += shape->pieces[first]) {
		size_t count = ways[first].count;
		struct port_range range = piece_of(spanning, shape, first, first + count - 1);

		shape->pieces[first] = count;
		shape->ports[first] = minimise_ports(spanning->work->list, &range, 1);
	}
	return ways[0].cost;
}

/* All shapes are written; whether that is less, the denied gaps among it. */
static bool is_less_so(struct spanning *spanning)
{
	struct minimise_cost before = { 0 }, after = { 0 };

	for (size_t index = 0; index < spanning->gaps_count; index++)
		if (spanning->gaps[index].is_denied)
			add_cost(&after, minimise_range_cost(spanning->gaps[index].range), 1);
	if (after.entries == 0)
		return false;
	for (size_t index = 0; index < spanning->shapes_count; index++) {
		struct shape *shape = spanning->shapes[index];

		for (size_t at = 0; at < shape->count; at++)
			add_cost(&before, minimise_range_cost(shape->ranges[at]), shape->uses);
		add_cost(&after, write_shape(spanning, shape), shape->uses);
	}
	return is_cheaper(spanning, after, before) && !is_too_wide(&before, &after, WIDER_MOST);
}

/* --- into the list ---------------------------------------------------------------------------------- */

/* In the first place of those that it is made of. */
static void join_members(struct spanning *spanning, const struct member *members, size_t count,
			 const struct minimise_ports *ports)
{
	struct minimising *work = spanning->work;
	const struct minimise_parts *parts = minimising_own_parts(work, members[0].place);
	struct minimise_entry entry;
	uint32_t first = members[0].place;

	for (size_t index = 1; index < count; index++) {
		parts = minimising_parts(work, parts, minimising_own_parts(work, members[index].place));
		first = members[index].place < first ? members[index].place : first;
	}
	for (size_t index = 0; index < count; index++)
		if (members[index].place != first)
			minimising_remove(work, members[index].place, first);
	entry = work->list->entries[first];
	entry.first = ports;
	entry.parts = parts;
	minimising_replace(work, first, &entry);
}

static void write_segment(struct spanning *spanning, const struct segment *segment)
{
	const struct shape *shape = segment->shape;

	(void)sort_members(spanning, segment->members, segment->count);
	for (size_t first = 0; first < shape->count; first += shape->pieces[first])
		if (shape->pieces[first] > 1)
			join_members(spanning, &spanning->sorted[first], shape->pieces[first],
				     shape->ports[first]);
}

static void add_denials(struct spanning *spanning)
{
	struct minimise_list *list = spanning->work->list;
	const struct minimise_parts *parts = minimising_own_parts(spanning->work, spanning->bottom);

	for (size_t index = 0; index < spanning->gaps_count; index++) {
		struct minimise_added *added;

		if (!spanning->gaps[index].is_denied)
			continue;
		added = pool_append(list->pool, list, added);
		added->before = spanning->begin;
		added->entry = list->entries[spanning->bottom];
		added->entry.protocol = spanning->protocol;
		added->entry.first = minimise_ports(list, &spanning->gaps[index].range, 1);
		added->entry.parts = parts;
	}
}

/* --- all of it -------------------------------------------------------------------------------------- */

static void span_protocol(struct minimising *work, uint16_t protocol, uint32_t bottom)
{
	const struct minimise_groups *groups = minimise_groups_of(work, MINIMISE_PORTS);
	struct spanning spanning = {
		.work = work,
		.pool = pool_child(work->pool, "gaps"),
		.bottom = bottom,
		.protocol = protocol,
	};

	spanning.arena = arena_new(spanning.pool);
	spanning.shapes_by_ranges = interned_new(spanning.pool, spanning.arena);
	pass_those_of_all_ports(&spanning);
	find_gaps(&spanning);
	for (size_t index = 0; index < groups->items_count; index++)
		add_group(&spanning, &groups->items[index]);
	choose_gaps(&spanning);
	if (is_less_so(&spanning)) {
		for (size_t index = 0; index < spanning.segments_count; index++)
			write_segment(&spanning, &spanning.segments[index]);
		add_denials(&spanning);
	}
	talloc_free(spanning.pool);
}

static int compare_added(const void *left, const void *right)
{
	const struct minimise_added *a = left, *b = right;

	if (a->before != b->before)
		return a->before < b->before ? -1 : 1;
	if (a->entry.protocol != b->entry.protocol)
		return a->entry.protocol < b->entry.protocol ? -1 : 1;
	return (int)a->entry.first->ranges[0].low - b->entry.first->ranges[0].low;
}

void minimise_gaps(struct minimising *work)
{
	static const uint16_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
	struct minimise_list *list = work->list;
	uint32_t bottom = minimise_bottom(list);

	if (bottom == UINT32_MAX || list->entries[bottom].is_permit || list->has_multi_eq)
		return;
	for (size_t index = 0; index < sizeof protocols / sizeof protocols[0]; index++)
		span_protocol(work, protocols[index], bottom);
	if (list->added_count > 1)
		qsort(list->added, list->added_count, sizeof *list->added, compare_added);
}
