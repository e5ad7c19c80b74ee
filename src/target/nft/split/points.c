#include "target/nft/split/points.h"

#include <stdlib.h>

#include "base/pool.h"

struct ends {
	number128 *items;
	size_t items_count, items_capacity;
};

static int compare_numbers(const void *left, const void *right)
{
	number128 a = *(const number128 *)left, b = *(const number128 *)right;
	return (a > b) - (a < b);
}

/* Where intervals begin, and where what is behind them does. */
static void collect_ends(void *pool, struct ends *ends, const struct interval_set *intervals, number128 highest)
{
	for (size_t i = 0; i < intervals->items_count; i++) {
		if (intervals->items[i].low != 0)
			*pool_append(pool, ends, items) = intervals->items[i].low;
		if (intervals->items[i].high != highest)
			*pool_append(pool, ends, items) = intervals->items[i].high + 1;
	}
}

/* Ports begin and end with their protocol, too. */
static void collect_ports(void *pool, struct ends *ends, const struct service_group *group)
{
	for (size_t i = 0; i < group->tuples_count; i++) {
		number128 protocol = (number128)group->tuples[i].protocol << 16;
		*pool_append(pool, ends, items) = protocol;
		*pool_append(pool, ends, items) = protocol | group->tuples[i].first.low;
		*pool_append(pool, ends, items) = (protocol | group->tuples[i].first.high) + 1;
		*pool_append(pool, ends, items) = protocol + UINT16_MAX + 1;
	}
}

static void collect_of_unit(void *pool, struct ends *ends, const struct lower *lower, enum split_field field,
			    const struct unit *unit)
{
	if (field < SPLIT_SOURCE4)
		collect_ports(pool, ends, &lower->groups[unit->group]);
	else
		collect_ends(pool, ends, cells_intervals(unit, field),
			     family_highest(cells_width(field) == 32 ? FAMILY_IPV4 : FAMILY_IPV6));
}

size_t points_of(void *pool, const struct lower *lower, enum split_field field, const struct entry *list,
		 size_t count, size_t most, number128 **points)
{
	struct ends ends = { 0 };
	for (size_t i = 0; i < count; i++)
		if (cells_cuts(lower, field, list[i]))
			collect_of_unit(pool, &ends, lower, field, &lower->units[list[i].unit]);
	if (ends.items_count == 0)
		return 0;
	qsort(ends.items, ends.items_count, sizeof *ends.items, compare_numbers);
	struct ends kept = { 0 };
	for (size_t i = 0, next = 1; i < ends.items_count; i++) {
		bool is_last = kept.items_count != 0 && kept.items[kept.items_count - 1] == ends.items[i];
		bool is_due = next <= most && i >= (ends.items_count - 1) * next / (most + 1);
		bool is_protocol = field < SPLIT_SOURCE4 && (ends.items[i] & UINT16_MAX) == 0;
		next += is_due;
		if (!is_last && (is_due || is_protocol))
			*pool_append(pool, &kept, items) = ends.items[i];
	}
	*points = kept.items;
	return kept.items_count;
}

/* How many points are not above the address. */
static size_t points_below(const number128 *points, size_t count, number128 address)
{
	size_t from = 0;
	while (from < count) {
		size_t middle = from + (count - from) / 2;
		if (points[middle] <= address)
			from = middle + 1;
		else
			count = middle;
	}
	return from;
}

struct interval points_around(const number128 *points, size_t count, struct interval interval,
			      number128 highest)
{
	size_t first = points_below(points, count, interval.low);
	size_t behind = points_below(points, count, interval.high);
	return (struct interval){
		first == 0 ? 0 : points[first - 1],
		behind == count ? highest : points[behind] - 1,
	};
}
