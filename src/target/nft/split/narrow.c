#include "target/nft/split/narrow.h"

#include "base/pool.h"

#define NARROW_MOST 3 /* as many as are compared one by one: more are a set, which units share */

struct wanted_unit {
	const struct lower *lower;
	const struct unit *unit;
};

/* A slice of the other's intervals is known by where it begins. */
static bool intervals_are_same(const struct interval_set *a, const struct interval_set *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->items == b->items && a->items_count == b->items_count;
}

static bool unit_equals(const void *wanted, uint32_t number)
{
	const struct wanted_unit *want = wanted;
	const struct unit *a = want->unit, *b = &want->lower->units[number];
	return a->tail == b->tail && a->in == b->in && a->out == b->out && a->group == b->group &&
	       a->family == b->family && a->needs == b->needs &&
	       intervals_are_same(a->source, b->source) &&
	       intervals_are_same(a->destination, b->destination);
}

static uint64_t intervals_hash(uint64_t hash, const struct interval_set *intervals)
{
	if (intervals == NULL)
		return memo_mix(hash, 0);
	return memo_mix(memo_mix(hash, (uintptr_t)intervals->items), intervals->items_count);
}

static uint32_t unit_intern(struct lower *lower, struct unit unit)
{
	struct wanted_unit wanted = { lower, &unit };
	uint64_t hash = memo_mix(memo_mix(0, (uintptr_t)unit.tail), (uint64_t)unit.group << 8 | unit.needs);
	hash = memo_mix(memo_mix(hash, (uintptr_t)unit.in), (uintptr_t)unit.out);
	hash = intervals_hash(intervals_hash(hash, unit.source), unit.destination);
	uint32_t number = memo_find(&lower->narrow_memo, hash, unit_equals, &wanted);
	if (number != MEMO_NONE)
		return number;
	number = (uint32_t)lower->units_count;
	memo_add(lower->scratch, &lower->narrow_memo, hash, number);
	*pool_append(lower->scratch, lower, units) = unit;
	lower->units_narrowed++;
	return number;
}

static const struct interval_set *slice_of(struct lower *lower, const struct interval_set *intervals,
					   size_t first, size_t count)
{
	struct interval_set *slice = pool_new(lower->scratch, struct interval_set);
	*slice = (struct interval_set){ intervals->items + first, count, count };
	return slice;
}

struct entry entry_narrowed(struct lower *lower, struct entry entry, uint32_t side, struct interval interval)
{
	struct unit unit = lower->units[entry.unit];
	const struct interval_set *intervals = side == NEED_SOURCE ? unit.source : unit.destination;
	if ((entry_needs(lower, entry) & side) == 0 || intervals->items_count < 2)
		return entry;
	size_t first = interval_set_find(intervals, interval.low), end = first;
	while (end < intervals->items_count && intervals->items[end].low <= interval.high &&
	       end - first <= NARROW_MOST)
		end++;
	if (end == first || end - first > NARROW_MOST || end - first == intervals->items_count)
		return entry;
	const struct interval_set *slice = slice_of(lower, intervals, first, end - first);
	if (side == NEED_SOURCE)
		unit.source = slice;
	else
		unit.destination = slice;
	entry.unit = unit_intern(lower, unit);
	return entry;
}

struct entry entry_narrowed_to_tuples(struct lower *lower, struct entry entry, const struct service_tuple *tuples,
				      size_t count)
{
	struct unit unit = lower->units[entry.unit];
	unit.group = group_of_some(lower, unit.group, tuples, count);
	entry.unit = unit_intern(lower, unit);
	return entry;
}

static bool tuple_meets(const struct service_tuple *tuple, number128 low, number128 high)
{
	number128 protocol = (number128)tuple->protocol << 16;
	return (protocol | tuple->first.low) <= high && (protocol | tuple->first.high) >= low;
}

struct entry entry_narrowed_to_ports(struct lower *lower, struct entry entry, number128 low, number128 high)
{
	struct unit unit = lower->units[entry.unit];
	const struct service_group *group = &lower->groups[unit.group];
	size_t first = 0, count = 0;
	if ((entry_needs(lower, entry) & NEED_SERVICE) == 0 ||
	    (group->kind != SERVICE_NARROW && group->kind != SERVICE_WIDE))
		return entry;
	while (first < group->tuples_count && !tuple_meets(&group->tuples[first], low, high))
		first++;
	while (first + count < group->tuples_count && tuple_meets(&group->tuples[first + count], low, high))
		count++;
	if (count == 0 || count == group->tuples_count)
		return entry;
	return entry_narrowed_to_tuples(lower, entry, group->tuples + first, count);
}
