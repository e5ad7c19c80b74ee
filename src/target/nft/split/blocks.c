/* Some lengths of each side are weighed, from the one whose blocks are as large as the largest range to longer
 * ones. What counts: the lookup, the units that share a block, those that touch too many blocks. */
#include "target/nft/split/blocks.h"

#include <stdlib.h>

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/emit/emit.h"
#include "target/nft/split/form.h"

enum {
	UNITS_LEAST = 64,    /* of a list that is worth it */
	UNITS_WEIGHED = 512,
	PREFIXES_A_RANGE = 3, /* of fewer, prefixes are what the list names */
	LENGTH_LEAST = 4,
	STEPS = 12,
	PAIR_STEPS = 6,      /* every other one */
	KEYS_A_UNIT = 4,     /* on average */
	KEYS_MOST = 64,      /* of one unit; more: it is left */
};

static const unsigned steps[STEPS] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14 };

struct weighed {
	void *pool;
	const struct unit **units;
	size_t units_count;
	size_t times;     /* that each stands for */
	enum split_field field;
	unsigned width;
	unsigned compare; /* nanoseconds of a unit's plain rules */
	uint64_t *keys;   /* room for KEYS_A_UNIT of each, and KEYS_MOST */
	size_t keys_count;
};

static bool is_pair(enum split_field field)
{
	return field >= SPLIT_PAIR4;
}

static const struct interval_set *first_side(const struct weighed *weighed, const struct unit *unit)
{
	return is_pair(weighed->field) ? unit->source : cells_intervals(unit, weighed->field);
}

/* --- what is weighed ---------------------------------------------------------------------- */

static void collect(struct lower *lower, struct weighed *weighed, struct list list)
{
	size_t step = list.count / UNITS_WEIGHED + 1;
	uint64_t cost = 0;
	weighed->times = step * (list.times == 0 ? 1 : list.times);
	weighed->units = pool_array(weighed->pool, const struct unit *, list.count / step + 1);
	for (size_t i = 0; i < list.count; i += step) {
		if (!cells_cuts(lower, weighed->field, list.items[i]))
			continue;
		weighed->units[weighed->units_count++] = &lower->units[list.items[i].unit];
		cost += emit_cost(lower, list.items[i]);
	}
	if (weighed->units_count != 0)
		weighed->compare = (unsigned)(cost / weighed->units_count);
	weighed->keys = pool_array(weighed->pool, uint64_t, weighed->units_count * KEYS_A_UNIT + KEYS_MOST);
}

static void count_prefixes(const struct weighed *weighed, const struct interval_set *intervals, size_t *ranges,
			   size_t *prefixes)
{
	struct prefix items[254]; /* net/address.h */
	enum family family = weighed->width == 32 ? FAMILY_IPV4 : FAMILY_IPV6;
	for (size_t i = 0; i < intervals->items_count; i++)
		*prefixes += interval_to_prefixes(family, &intervals->items[i], items);
	*ranges += intervals->items_count;
}

static bool names_ranges(const struct weighed *weighed)
{
	size_t ranges = 0, prefixes = 0;
	for (size_t i = 0; i < weighed->units_count; i++) {
		count_prefixes(weighed, first_side(weighed, weighed->units[i]), &ranges, &prefixes);
		if (is_pair(weighed->field))
			count_prefixes(weighed, weighed->units[i]->destination, &ranges, &prefixes);
	}
	return prefixes > ranges * PREFIXES_A_RANGE;
}

/* Leading bits of the blocks that no range is larger than. */
static unsigned least_length(const struct weighed *weighed, bool is_first)
{
	number128 largest = 0;
	for (size_t i = 0; i < weighed->units_count; i++) {
		const struct unit *unit = weighed->units[i];
		const struct interval_set *intervals = is_first ? first_side(weighed, unit) : unit->destination;
		for (size_t k = 0; k < intervals->items_count; k++)
			largest |= intervals->items[k].high - intervals->items[k].low;
	}
	unsigned length = weighed->width;
	for (; largest != 0 && length > LENGTH_LEAST; largest >>= 1)
		length--;
	return length;
}

/* --- weighing ----------------------------------------------------------------------------- */

/* Blocks of one interval, counted from its first: behind the last of all addresses numbers wrap. */
static number128 blocks_behind_first(struct interval interval, unsigned shift)
{
	return (interval.high >> shift) - (interval.low >> shift);
}

/* Blocks that the intervals touch, counted twice where two of them meet in one; stops above KEYS_MOST. */
static size_t count_blocks(const struct interval_set *intervals, unsigned shift)
{
	number128 count = 0;
	for (size_t i = 0; i < intervals->items_count && count <= KEYS_MOST; i++)
		count += blocks_behind_first(intervals->items[i], shift) + 1;
	return count > KEYS_MOST ? KEYS_MOST + 1 : (size_t)count;
}

static uint64_t mix_block(uint64_t hash, number128 block)
{
	return memo_mix(memo_mix(hash, (uint64_t)(block >> 64)), (uint64_t)block);
}

static void add_keys(struct weighed *weighed, uint64_t hash, const struct interval_set *intervals, unsigned shift)
{
	for (size_t i = 0; i < intervals->items_count; i++)
		for (number128 k = 0; k <= blocks_behind_first(intervals->items[i], shift); k++)
			weighed->keys[weighed->keys_count++] =
				mix_block(hash, (intervals->items[i].low >> shift) + k);
}

static void add_unit_keys(struct weighed *weighed, const struct unit *unit, unsigned from, unsigned to)
{
	const struct interval_set *first = first_side(weighed, unit);
	if (!is_pair(weighed->field)) {
		add_keys(weighed, 0, first, from);
		return;
	}
	for (size_t i = 0; i < first->items_count; i++)
		for (number128 k = 0; k <= blocks_behind_first(first->items[i], from); k++)
			add_keys(weighed, mix_block(1, (first->items[i].low >> from) + k), unit->destination, to);
}

static int compare_keys(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* The mean number of units that share a block, over the units and their blocks; in hundredths. */
static uint64_t crowding(const struct weighed *weighed)
{
	uint64_t squares = 0, inside = 0;
	qsort(weighed->keys, weighed->keys_count, sizeof *weighed->keys, compare_keys);
	for (size_t i = 0; i < weighed->keys_count; i++) {
		if (i != 0 && weighed->keys[i] != weighed->keys[i - 1]) {
			squares += inside * inside;
			inside = 0;
		}
		inside++;
	}
	squares += inside * inside;
	return 100 + (squares * 100 / weighed->keys_count - 100) * weighed->times;
}

/* Leading bits of the second side: 0 where there is none. */
static uint64_t weigh(struct weighed *weighed, unsigned from, unsigned to)
{
	unsigned from_shift = weighed->width - from, to_shift = weighed->width - to;
	size_t left = 0;
	weighed->keys_count = 0;
	for (size_t i = 0; i < weighed->units_count; i++) {
		const struct unit *unit = weighed->units[i];
		size_t keys = count_blocks(first_side(weighed, unit), from_shift);
		if (to != 0)
			keys *= count_blocks(unit->destination, to_shift);
		if (keys > KEYS_MOST)
			left++;
		else if (weighed->keys_count + keys <= weighed->units_count * KEYS_A_UNIT + KEYS_MOST)
			add_unit_keys(weighed, unit, from_shift, to == 0 ? 0 : to_shift);
		else
			return UINT64_MAX;
	}
	if (left * 2 > weighed->units_count || weighed->keys_count == 0)
		return UINT64_MAX;
	unsigned lookup = cost_lookup(hash_lookup(weighed->width, from, to), weighed->keys_count * weighed->times);
	return lookup + crowding(weighed) * weighed->compare / 100 +
	       list_cost_of_ranges((uint64_t)left * weighed->times * weighed->compare);
}

static struct grain grain_of(unsigned length)
{
	return (struct grain){ .length = length, .blocks_most = KEYS_MOST };
}

static void weigh_all(struct weighed *weighed, struct pair_plan *plan)
{
	unsigned from = least_length(weighed, true);
	unsigned to = is_pair(weighed->field) ? least_length(weighed, false) : 0;
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < (to == 0 ? STEPS : PAIR_STEPS * PAIR_STEPS); i++) {
		unsigned first = from + (to == 0 ? steps[i] : steps[i % PAIR_STEPS * 2]);
		unsigned second = to == 0 ? 0 : to + steps[i / PAIR_STEPS * 2];
		uint64_t cost = first > weighed->width || second > weighed->width ? UINT64_MAX
			: weigh(weighed, first, second);
		if (cost >= least)
			continue;
		least = cost;
		*plan = (struct pair_plan){ true, grain_of(first), grain_of(second) };
	}
}

static struct weighed weighed_of(struct lower *lower, enum split_field field, struct list list)
{
	struct weighed weighed = {
		.pool = pool_child(lower->scratch, "blocks"), .field = field, .width = cells_width(field),
	};
	if (list.count >= UNITS_LEAST)
		collect(lower, &weighed, list);
	return weighed;
}

struct pair_plan block_plan(struct lower *lower, enum split_field field, struct list list)
{
	struct pair_plan plan = { .is_found = false };
	struct weighed weighed = weighed_of(lower, field, list);
	if (names_ranges(&weighed))
		weigh_all(&weighed, &plan);
	talloc_free(weighed.pool);
	return plan;
}

bool blocks_fit(struct lower *lower, enum split_field field, struct list list)
{
	struct weighed weighed = weighed_of(lower, field, list);
	bool fit = names_ranges(&weighed);
	talloc_free(weighed.pool);
	return fit;
}
