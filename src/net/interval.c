/* Sets of numbers as sorted, disjoint, non-adjacent closed intervals.
 *
 * Every operation walks its operands once from left to right and gives a normalised
 * result. Where one operand is much smaller, seek() skips through the larger one in
 * logarithmic steps, so that one address against a list of a million costs little. */
#include "net/interval.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pool.h"

void interval_set_add(void *pool, struct interval_set *set, number128 low, number128 high)
{
	assert(low <= high);
	*pool_append(pool, set, items) = (struct interval){ low, high };
}

/* True if b begins inside a, or right after it; a begins first. */
static bool touches(struct interval a, struct interval b)
{
	return b.low <= a.high || b.low - a.high == 1;
}

static int compare_lows(const void *left, const void *right)
{
	const struct interval *a = left, *b = right;
	return (a->low > b->low) - (a->low < b->low);
}

static bool is_sorted(const struct interval_set *set)
{
	for (size_t i = 1; i < set->items_count; i++)
		if (set->items[i].low < set->items[i - 1].low)
			return false;
	return true;
}

void interval_set_normalise(struct interval_set *set)
{
	if (set->items_count < 2)
		return;
	if (!is_sorted(set))
		qsort(set->items, set->items_count, sizeof *set->items, compare_lows);
	size_t last = 0;
	for (size_t i = 1; i < set->items_count; i++) {
		struct interval next = set->items[i];
		if (!touches(set->items[last], next))
			set->items[++last] = next;
		else if (next.high > set->items[last].high)
			set->items[last].high = next.high;
	}
	set->items_count = last + 1;
}

/* The first interval from index on that does not end before the value; items_count if none.
 * Doubling steps, then halving: logarithmic in the distance. */
static size_t seek(const struct interval_set *set, size_t from, number128 value)
{
	size_t step = 1, low = from, high = from;
	while (high < set->items_count && set->items[high].high < value) {
		low = high + 1;
		high = set->items_count - high > step ? high + step : set->items_count;
		step *= 2;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->items[middle].high < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t interval_set_find(const struct interval_set *set, number128 value)
{
	return seek(set, 0, value);
}

bool interval_set_is_empty(const struct interval_set *set)
{
	return set->items_count == 0;
}

bool interval_set_contains(const struct interval_set *set, number128 value)
{
	size_t at = seek(set, 0, value);
	return at < set->items_count && set->items[at].low <= value;
}

bool interval_set_equals(const struct interval_set *a, const struct interval_set *b)
{
	if (a->items_count != b->items_count)
		return false;
	for (size_t i = 0; i < a->items_count; i++)
		if (a->items[i].low != b->items[i].low || a->items[i].high != b->items[i].high)
			return false;
	return true;
}

bool interval_set_includes(const struct interval_set *outer, const struct interval_set *inner)
{
	size_t at = 0;
	for (size_t i = 0; i < inner->items_count; i++) {
		struct interval part = inner->items[i];
		at = seek(outer, at, part.low);
		if (at == outer->items_count || outer->items[at].low > part.low ||
		    outer->items[at].high < part.high)
			return false;
	}
	return true;
}

bool interval_set_overlaps(const struct interval_set *a, const struct interval_set *b)
{
	size_t i = 0, j = 0;
	while (i < a->items_count && j < b->items_count) {
		if (a->items[i].high < b->items[j].low)
			i = seek(a, i, b->items[j].low);
		else if (b->items[j].high < a->items[i].low)
			j = seek(b, j, a->items[i].low);
		else
			return true;
	}
	return false;
}

/* Appends to a set that is built in order; joins with the last one. */
static void append(void *pool, struct interval_set *set, struct interval next)
{
	if (set->items_count == 0 || !touches(set->items[set->items_count - 1], next)) {
		*pool_append(pool, set, items) = next;
		return;
	}
	struct interval *last = &set->items[set->items_count - 1];
	if (next.high > last->high)
		last->high = next.high;
}

struct interval_set interval_set_union(void *pool, const struct interval_set *a,
				       const struct interval_set *b)
{
	struct interval_set result = { 0 };
	size_t i = 0, j = 0;
	while (i < a->items_count || j < b->items_count) {
		bool takes_a = j == b->items_count ||
			       (i < a->items_count && a->items[i].low <= b->items[j].low);
		append(pool, &result, takes_a ? a->items[i++] : b->items[j++]);
	}
	return result;
}

struct interval_set interval_set_intersect(void *pool, const struct interval_set *a,
					   const struct interval_set *b)
{
	struct interval_set result = { 0 };
	size_t i = 0, j = 0;
	while (i < a->items_count && j < b->items_count) {
		struct interval left = a->items[i], right = b->items[j];
		if (left.high < right.low) {
			i = seek(a, i, right.low);
			continue;
		}
		if (right.high < left.low) {
			j = seek(b, j, left.low);
			continue;
		}
		append(pool, &result, (struct interval){
			.low = left.low > right.low ? left.low : right.low,
			.high = left.high < right.high ? left.high : right.high,
		});
		if (left.high < right.high)
			i++;
		else
			j++;
	}
	return result;
}

/* Appends what is left of one interval; *at moves to the first of b that may reach the next. */
static void subtract_from(void *pool, struct interval_set *result, struct interval whole,
			  const struct interval_set *b, size_t *at)
{
	*at = seek(b, *at, whole.low);
	for (; *at < b->items_count && b->items[*at].low <= whole.high; (*at)++) {
		struct interval hole = b->items[*at];
		if (hole.low > whole.low)
			append(pool, result, (struct interval){ whole.low, hole.low - 1 });
		if (hole.high >= whole.high)
			return; /* it may reach into the next one, too: stay on it */
		whole.low = hole.high + 1;
	}
	append(pool, result, whole);
}

struct interval_set interval_set_subtract(void *pool, const struct interval_set *a,
					  const struct interval_set *b)
{
	struct interval_set result = { 0 };
	size_t at = 0;
	for (size_t i = 0; i < a->items_count; i++)
		subtract_from(pool, &result, a->items[i], b, &at);
	return result;
}

/* The finaliser of splitmix64: every bit of the input moves about half of the output's. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) + 0x9e3779b97f4a7c15u;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
	return hash ^ (hash >> 31);
}

static uint64_t mix_number(uint64_t hash, number128 number)
{
	return mix(mix(hash, (uint64_t)(number >> 64)), (uint64_t)number);
}

uint64_t interval_set_hash(const struct interval_set *set)
{
	uint64_t hash = mix(0, set->items_count);
	for (size_t i = 0; i < set->items_count; i++)
		hash = mix_number(mix_number(hash, set->items[i].low), set->items[i].high);
	return hash;
}
