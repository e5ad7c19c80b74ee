/* All subsets of the lengths that occur (and of a few round ones) are weighed. What counts: the
 * lookups, the units that share a block, those that no block can hold. */
#include "target/nft/split/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/split/form.h"

enum {
	BLOCKS_MAX = 256,     /* a prefix is cut into so many blocks at most */
	KEYS_A_PIECE = 4,     /* keys of a map for each prefix of the list */
	KEYS_LEAST = 256,
	CANDIDATES_MAX = 7,
	PIECES_WEIGHED = 2048, /* neighbours, so that their density is that of all */
	PIECES_A_UNIT = 8,     /* prefixes: lists of ranges that fall into more are no matter of hashes */
	PIECES_LEAST = 64,
	LENGTHS = 129,
	LENGTH_LEAST = 8,      /* shorter ones tell too little apart */
};

/* The prefixes that a list names. */
struct pieces {
	struct prefix *items;
	size_t items_count, items_capacity;
	size_t counts[LENGTHS];
	unsigned lengths[LENGTHS]; /* those that occur */
	size_t lengths_count;
	unsigned width, compare; /* bits; nanoseconds of a rule that fails */
};

static unsigned compare_cost(const struct lower *lower, enum split_field field)
{
	bool is_ipv6 = cells_width(field) == 128;
	return lower->has_places ? cost_compare_place(is_ipv6, COST_OF_PREFIX)
				 : cost_compare(is_ipv6, COST_OF_PREFIX);
}

/* --- prefixes ----------------------------------------------------------------------------- */

static void add_pieces(void *pool, struct pieces *pieces, const struct interval_set *intervals)
{
	enum family family = pieces->width == 32 ? FAMILY_IPV4 : FAMILY_IPV6;
	struct prefix prefixes[254]; /* net/address.h */
	for (size_t i = 0; i < intervals->items_count; i++) {
		size_t count = interval_to_prefixes(family, &intervals->items[i], prefixes);
		pieces->items = pool_grow(pool, pieces->items, &pieces->items_capacity,
					  pieces->items_count + count, sizeof *pieces->items);
		for (size_t k = 0; k < count; k++) {
			unsigned length = prefixes[k].length;
			pieces->items[pieces->items_count++] = prefixes[k];
			if (pieces->counts[length]++ == 0)
				pieces->lengths[pieces->lengths_count++] = length;
		}
	}
}

static int compare_prefixes(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return (int)a->length - (int)b->length;
}

/* Moves the item down until none below it is greater. */
static void sift_down(struct prefix *heap, size_t count, size_t at)
{
	struct prefix moved = heap[at];
	for (size_t below; (below = 2 * at + 1) < count; at = below) {
		if (below + 1 < count && compare_prefixes(&heap[below], &heap[below + 1]) < 0)
			below++;
		if (compare_prefixes(&moved, &heap[below]) >= 0)
			break;
		heap[at] = heap[below];
	}
	heap[at] = moved;
}

/* Brings the least ones to the front, in order: of so many as are weighed. */
static void sort_weighed(struct pieces *pieces)
{
	struct prefix *items = pieces->items;
	size_t most = pieces->items_count < PIECES_WEIGHED ? pieces->items_count : PIECES_WEIGHED;
	if (pieces->items_count > most)
		for (size_t at = most / 2; at-- > 0;)
			sift_down(items, most, at);
	for (size_t i = most; i < pieces->items_count; i++) {
		if (compare_prefixes(&items[i], &items[0]) >= 0)
			continue;
		items[0] = items[i];
		sift_down(items, most, 0);
	}
	if (most > 1)
		qsort(items, most, sizeof *items, compare_prefixes);
}

static struct pieces pieces_of(struct lower *lower, void *pool, enum split_field field,
			       const struct entry *list, size_t count)
{
	struct pieces pieces = { .width = cells_width(field), .compare = compare_cost(lower, field) };
	for (size_t i = 0, units = 0; i < count; i++) {
		if (!cells_cuts(lower, field, list[i]))
			continue;
		add_pieces(pool, &pieces, cells_intervals(&lower->units[list[i].unit], field));
		if (pieces.items_count > PIECES_A_UNIT * ++units + PIECES_LEAST)
			return (struct pieces){ .width = pieces.width };
	}
	sort_weighed(&pieces);
	return pieces;
}

/* --- homes -------------------------------------------------------------------------------- */

/* The shortest length that is not shorter and gives few blocks; else the longest shorter one. */
static uint8_t home_of(const struct hash_plan *plan, unsigned length)
{
	unsigned home = GRAIN_NONE;
	for (size_t i = 0; i < plan->lengths_count; i++) {
		unsigned candidate = plan->lengths[i]; /* from long to short */
		if (candidate >= length && candidate - length < 9 &&
		    1u << (candidate - length) <= BLOCKS_MAX)
			home = candidate;
		else if (candidate < length && home == GRAIN_NONE)
			home = candidate;
	}
	return (uint8_t)home;
}

/* Of the lengths that occur; false: too many keys. */
static bool find_homes(struct hash_plan *plan, const struct pieces *pieces,
		       size_t keys[HASH_LENGTHS_MAX])
{
	size_t most = pieces->items_count * KEYS_A_PIECE + KEYS_LEAST, all = 0;
	memset(keys, 0, HASH_LENGTHS_MAX * sizeof *keys);
	for (size_t k = 0; k < pieces->lengths_count; k++) {
		unsigned length = pieces->lengths[k], home = plan->homes[length] = home_of(plan, length);
		size_t blocks = home == GRAIN_NONE || home < length ? 1 : (size_t)1 << (home - length);
		if (home == GRAIN_NONE)
			continue;
		for (size_t i = 0; i < plan->lengths_count; i++)
			if (plan->lengths[i] == home)
				keys[i] += pieces->counts[length] * blocks;
		all += pieces->counts[length] * blocks;
	}
	return all <= most;
}

/* Of all lengths. */
static void complete_homes(struct hash_plan *plan, unsigned width)
{
	memset(plan->homes, GRAIN_NONE, sizeof plan->homes);
	for (unsigned length = 0; length <= width; length++)
		plan->homes[length] = home_of(plan, length);
}

/* --- weighing ----------------------------------------------------------------------------- */

/* The mean number of prefixes that share a block, over the prefixes: 1 where each has its own. In
 * hundredths. */
static uint64_t crowding(const struct hash_plan *plan, const struct pieces *pieces)
{
	size_t most = pieces->items_count < PIECES_WEIGHED ? pieces->items_count : PIECES_WEIGHED;
	uint64_t squares = 0, all = 0;
	for (size_t level = 0; level < plan->lengths_count; level++) {
		unsigned shift = pieces->width - plan->lengths[level];
		number128 block = 0;
		uint64_t inside = 0;
		for (size_t i = 0; i < most; i++) {
			const struct prefix *piece = &pieces->items[i];
			if (plan->homes[piece->length] != plan->lengths[level])
				continue;
			number128 own = shift == 128 ? 0 : piece->value >> shift;
			if (own != block) {
				squares += inside * inside;
				inside = 0;
			}
			block = own;
			inside++;
			all++;
		}
		squares += inside * inside;
	}
	return all == 0 ? 0 : squares * 100 / all;
}

static size_t homeless(const struct hash_plan *plan, const struct pieces *pieces)
{
	size_t count = 0;
	for (size_t i = 0; i < pieces->lengths_count; i++)
		if (plan->homes[pieces->lengths[i]] == GRAIN_NONE)
			count += pieces->counts[pieces->lengths[i]];
	return count;
}

/* At least what it costs; what it costs, where that is below `most`. */
static uint64_t weigh(struct hash_plan *plan, const struct pieces *pieces, uint64_t most)
{
	size_t keys[HASH_LENGTHS_MAX];
	if (!find_homes(plan, pieces, keys))
		return UINT64_MAX;
	size_t without = homeless(plan, pieces);
	if (without * 2 > pieces->items_count)
		return UINT64_MAX;
	uint64_t cost = (uint64_t)without * pieces->compare;
	for (size_t i = 0; i < plan->lengths_count; i++)
		cost += cost_lookup(hash_lookup(pieces->width, plan->lengths[i], 0), keys[i]);
	return cost >= most ? cost : cost + crowding(plan, pieces) * pieces->compare / 100;
}

/* --- candidates --------------------------------------------------------------------------- */

struct candidates {
	unsigned lengths[CANDIDATES_MAX]; /* the longest first */
	size_t count;
};

static bool is_round(const struct pieces *pieces, unsigned length)
{
	return pieces->width == 32 ? length == 16 || length == 24
				   : length == 32 || length == 48 || length == 64;
}

/* The round ones, and the most frequent of the others. */
static struct candidates candidates_of(const struct pieces *pieces)
{
	struct candidates candidates = { .count = 0 };
	size_t least = 1;
	for (size_t more = CANDIDATES_MAX + 1; more > CANDIDATES_MAX; least *= 2) {
		more = 0;
		for (unsigned length = LENGTH_LEAST; length <= pieces->width; length++)
			more += is_round(pieces, length) || pieces->counts[length] >= least;
	}
	least /= 2;
	for (unsigned length = pieces->width; length >= LENGTH_LEAST; length--)
		if (is_round(pieces, length) || pieces->counts[length] >= least)
			candidates.lengths[candidates.count++] = length;
	return candidates;
}

/* The plan of the candidates whose bits are set. */
static bool plan_of(struct hash_plan *plan, const struct candidates *candidates, unsigned bits)
{
	plan->lengths_count = 0;
	for (size_t i = 0; i < candidates->count; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		if (plan->lengths_count == HASH_LENGTHS_MAX)
			return false;
		plan->lengths[plan->lengths_count++] = candidates->lengths[i];
	}
	return true;
}

struct hash_plan hash_plan(struct lower *lower, enum split_field field, const struct entry *list,
			   size_t count)
{
	struct hash_plan best = { .lengths_count = 0 }, plan;
	void *pool = pool_child(lower->scratch, "prefixes");
	struct pieces pieces = pieces_of(lower, pool, field, list, count);
	struct candidates candidates = candidates_of(&pieces);
	uint64_t least = UINT64_MAX;
	for (unsigned bits = 1; pieces.items_count != 0 && bits < 1u << candidates.count; bits++) {
		if (!plan_of(&plan, &candidates, bits))
			continue;
		uint64_t cost = weigh(&plan, &pieces, least);
		if (cost < least) {
			least = cost;
			best = plan;
		}
	}
	complete_homes(&best, pieces.width);
	talloc_free(pool);
	return best;
}

/* --- pairs -------------------------------------------------------------------------------- */

enum {
	PAIR_UNITS_WEIGHED = 1024,
	PAIR_CANDIDATES = 5,
	PAIR_BLOCKS_MAX = 16, /* a prefix is cut into so many at most */
	ZONE_SHORTER = 32,    /* one unit in so many may name a shorter length */
	ZONE_CROWDING = 400,  /* hundredths of units that share a pair of zones' blocks */
};

/* A unit by the shortest prefixes that it names, which stand for all of them. */
struct pair_unit {
	struct prefix from, to;
};

struct pair_key {
	number128 from, to;
};

struct pair_units {
	struct pair_unit *items;
	struct pair_key *keys; /* room for as many */
	size_t items_count;
	size_t from_counts[LENGTHS], to_counts[LENGTHS];
	unsigned width, compare; /* struct pieces */
};

/* It decides whether the unit has a home. */
static struct prefix shortest_prefix(unsigned width, const struct interval_set *intervals)
{
	struct prefix prefixes[254], shortest = { .length = LENGTHS }; /* net/address.h */
	for (size_t i = 0; i < intervals->items_count; i++) {
		size_t count = interval_to_prefixes(width == 32 ? FAMILY_IPV4 : FAMILY_IPV6, &intervals->items[i],
						    prefixes);
		for (size_t k = 0; k < count; k++)
			if (prefixes[k].length < shortest.length)
				shortest = prefixes[k];
	}
	return shortest;
}

static struct pair_units pair_units_of(struct lower *lower, void *pool, enum split_field field,
				       const struct entry *list, size_t count)
{
	struct pair_units units = { .width = cells_width(field), .compare = compare_cost(lower, field) };
	size_t step = count / PAIR_UNITS_WEIGHED + 1;
	units.items = pool_array(pool, struct pair_unit, count / step + 1);
	units.keys = pool_array(pool, struct pair_key, count / step + 1);
	for (size_t i = 0; i < count; i += step) {
		const struct unit *unit = &lower->units[list[i].unit];
		if (!cells_cuts(lower, field, list[i]))
			continue;
		struct pair_unit *item = &units.items[units.items_count++];
		item->from = shortest_prefix(units.width, unit->source);
		item->to = shortest_prefix(units.width, unit->destination);
		units.from_counts[item->from.length]++;
		units.to_counts[item->to.length]++;
	}
	return units;
}

/* The most frequent lengths. */
static size_t frequent_lengths(const size_t counts[LENGTHS], unsigned width, unsigned lengths[PAIR_CANDIDATES])
{
	size_t found = 0;
	bool is_taken[LENGTHS] = { false };
	while (found < PAIR_CANDIDATES) {
		unsigned best = 0;
		for (unsigned length = LENGTH_LEAST; length <= width; length++)
			if (!is_taken[length] && counts[length] > (best == 0 ? 0 : counts[best]))
				best = length;
		if (best == 0)
			break;
		is_taken[best] = true;
		lengths[found++] = best;
	}
	return found;
}

static struct grain pair_grain(unsigned length)
{
	struct grain grain = { .length = length };
	for (unsigned from = 0; from < LENGTHS; from++) {
		bool has_home = from >= length || (length - from < 8 && 1u << (length - from) <= PAIR_BLOCKS_MAX);
		grain.homes[from] = (uint8_t)(has_home ? length : GRAIN_NONE);
	}
	return grain;
}

static size_t blocks_of(const struct grain *grain, unsigned length)
{
	return grain->homes[length] == GRAIN_NONE ? 0 : length >= grain->length ? 1
		: (size_t)1 << (grain->length - length);
}

static int compare_keys(const void *left, const void *right)
{
	const struct pair_key *a = left, *b = right;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

/* The mean number of units that share a pair of blocks, over the units; in hundredths. */
static uint64_t pair_crowding(const struct pair_units *units, const struct pair_plan *plan)
{
	unsigned from_shift = units->width - plan->from.length, to_shift = units->width - plan->to.length;
	uint64_t squares = 0, inside = 0;
	for (size_t i = 0; i < units->items_count; i++)
		units->keys[i] = (struct pair_key){ units->items[i].from.value >> from_shift,
						    units->items[i].to.value >> to_shift };
	if (units->items_count != 0)
		qsort(units->keys, units->items_count, sizeof *units->keys, compare_keys);
	for (size_t i = 0; i < units->items_count; i++) {
		if (i != 0 && compare_keys(&units->keys[i], &units->keys[i - 1]) != 0) {
			squares += inside * inside;
			inside = 0;
		}
		inside++;
	}
	squares += inside * inside;
	return units->items_count == 0 ? 0 : squares * 100 / units->items_count;
}

/* What a packet pays: the lookup, the units that ask again, those that have no pair. */
static uint64_t weigh_pairs(const struct pair_units *units, const struct pair_plan *plan, size_t count)
{
	size_t keys = 0, without = 0, partly = 0, scale = count / (units->items_count + 1) + 1;
	for (size_t i = 0; i < units->items_count; i++) {
		const struct pair_unit *unit = &units->items[i];
		size_t blocks = blocks_of(&plan->from, unit->from.length) * blocks_of(&plan->to, unit->to.length);
		keys += blocks;
		without += blocks == 0 || blocks > PAIRS_A_UNIT;
		partly += unit->from.length > plan->from.length || unit->to.length > plan->to.length;
	}
	if (without * 2 > units->items_count || keys > units->items_count * KEYS_A_PIECE + KEYS_LEAST)
		return UINT64_MAX;
	return cost_lookup(hash_lookup(units->width, plan->from.length, plan->to.length), keys * scale) +
	       (uint64_t)without * scale * units->compare +
	       (uint64_t)partly * units->compare / units->items_count +
	       pair_crowding(units, plan) * units->compare / 100;
}

struct pair_plan pair_plan(struct lower *lower, enum split_field field, const struct entry *list,
			   size_t count)
{
	struct pair_plan best = { .is_found = false };
	void *pool = pool_child(lower->scratch, "pairs");
	struct pair_units units = pair_units_of(lower, pool, field, list, count);
	unsigned from[PAIR_CANDIDATES], to[PAIR_CANDIDATES];
	size_t from_count = frequent_lengths(units.from_counts, units.width, from);
	size_t to_count = frequent_lengths(units.to_counts, units.width, to);
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < from_count * to_count; i++) {
		struct pair_plan plan = { true, pair_grain(from[i / to_count]), pair_grain(to[i % to_count]) };
		uint64_t cost = weigh_pairs(&units, &plan, count);
		if (cost < least) {
			least = cost;
			best = plan;
		}
	}
	talloc_free(pool);
	return best;
}

/* The longest length that few units name a shorter one of. */
static unsigned zone_length(const struct pair_units *units, const size_t counts[LENGTHS])
{
	size_t shorter = 0;
	unsigned length = 0;
	while (length < units->width && (shorter += counts[length]) <= units->items_count / ZONE_SHORTER)
		length++;
	return length;
}

struct pair_plan zone_plan(struct lower *lower, enum split_field field, const struct entry *list, size_t count,
			   size_t times)
{
	struct pair_plan plan = { .is_found = false };
	void *pool = pool_child(lower->scratch, "zones");
	struct pair_units units = pair_units_of(lower, pool, field, list, count);
	unsigned from = zone_length(&units, units.from_counts), to = zone_length(&units, units.to_counts);
	if (units.items_count != 0 && from >= LENGTH_LEAST && to >= LENGTH_LEAST) {
		plan = (struct pair_plan){ true, pair_grain(from), pair_grain(to) };
		size_t step = (count / PAIR_UNITS_WEIGHED + 1) * (times == 0 ? 1 : times);
		uint64_t others = pair_crowding(&units, &plan) - 100;
		plan.is_found = others * step + 100 >= ZONE_CROWDING;
	}
	talloc_free(pool);
	return plan;
}

size_t hash_keys(const struct cells *cells, unsigned length)
{
	if (cells->other_length != 0)
		return cells->cells_count;
	unsigned shift = cells_width(cells->field) - length;
	size_t keys = 0;
	for (size_t i = 0; i < cells->cells_count; i++) {
		const struct cell *cell = &cells->cells[i];
		keys += shift == 128 ? 1 : (size_t)((cell->high >> shift) - (cell->low >> shift)) + 1;
	}
	return keys;
}
