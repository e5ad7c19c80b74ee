#include "target/nft/split/ends.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/radix.h"
#include "target/nft/split/points.h"

#define ENDS_MANY 512

struct making {
	struct lower *lower;
	const struct cut_request *request;
	struct cells *out;
	struct ends *ends;
	struct interval_set blocks, other_blocks; /* of the unit that is being added */
};

/* --- which units are cut -------------------------------------------------------------------- */

/* Blocks of the grain that the intervals stand in; 0: a prefix has no home, or they are more than `most`. */
static size_t count_blocks(const struct grain *grain, unsigned width, const struct interval_set *intervals,
			   size_t most)
{
	enum family family = width == 32 ? FAMILY_IPV4 : FAMILY_IPV6;
	struct prefix prefixes[254]; /* net/address.h */
	size_t blocks = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		size_t count = interval_to_prefixes(family, &intervals->items[i], prefixes);
		for (size_t k = 0; k < count; k++) {
			unsigned length = prefixes[k].length, home = grain->homes[length];
			if (home == GRAIN_NONE || blocks > most)
				return 0;
			blocks += home <= length ? 1 : (size_t)1 << (home - length);
		}
	}
	return blocks > most ? 0 : blocks;
}

/* Blocks of the grain that the intervals touch, at most one more than may be. */
static size_t count_touched(const struct grain *grain, unsigned width, const struct interval_set *intervals)
{
	number128 count = 0;
	for (size_t i = 0; i < intervals->items_count && count <= grain->blocks_most; i++)
		count += (intervals->items[i].high >> (width - grain->length)) -
			 (intervals->items[i].low >> (width - grain->length)) + 1;
	return count > grain->blocks_most ? grain->blocks_most + 1 : (size_t)count;
}

static bool has_blocks(const struct making *making, const struct unit *unit, unsigned width)
{
	size_t blocks = making->request->other == NULL
		? count_touched(making->request->grain, width, cells_intervals(unit, making->out->field))
		: count_touched(making->request->grain, width, unit->source) *
		  count_touched(making->request->other, width, unit->destination);
	return blocks <= making->request->grain->blocks_most;
}

static bool has_homes(const struct making *making, struct entry entry)
{
	const struct unit *unit = &making->lower->units[entry.unit];
	unsigned width = cells_width(making->out->field);
	if (making->request->grain->blocks_most != 0)
		return has_blocks(making, unit, width);
	if (making->request->other == NULL)
		return count_blocks(making->request->grain, width, cells_intervals(unit, making->out->field),
				    SIZE_MAX / 2) != 0;
	size_t from = count_blocks(making->request->grain, width, unit->source, PAIRS_A_UNIT);
	size_t to = count_blocks(making->request->other, width, unit->destination, PAIRS_A_UNIT);
	return from != 0 && to != 0 && from * to <= PAIRS_A_UNIT;
}

static bool is_cut(const struct making *making, struct entry entry)
{
	return cells_cuts(making->lower, making->out->field, entry) &&
	       (making->request->grain == NULL || has_homes(making, entry));
}

/* --- of one unit -------------------------------------------------------------------------- */

number128 ends_highest(enum split_field field)
{
	if (field == SPLIT_SOURCE6 || field == SPLIT_DESTINATION6)
		return family_highest(FAMILY_IPV6);
	return cells_are_of_addresses(field) ? family_highest(FAMILY_IPV4) : (number128)UINT32_MAX;
}

static void add_interval(struct making *making, uint32_t position, number128 low, number128 high)
{
	void *pool = making->out->pool;
	*pool_append(pool, making->ends, items) = (struct end){ low, position, false, false };
	if (high < ends_highest(making->out->field))
		*pool_append(pool, making->ends, items) = (struct end){ high + 1, position, true, false };
}

static void add_blocks(struct making *making, uint32_t position, struct interval_set *blocks, bool is_home)
{
	interval_set_normalise(blocks);
	for (size_t i = 0; i < blocks->items_count; i++) {
		size_t first = making->ends->items_count;
		add_interval(making, position, blocks->items[i].low, blocks->items[i].high);
		for (; first < making->ends->items_count; first++)
			making->ends->items[first].is_home = is_home;
	}
}

/* The blocks in which prefixes of the unit stand whose home is this length, or a shorter one. */
static void add_homes(struct making *making, uint32_t position, const struct interval_set *intervals)
{
	const struct grain *grain = making->request->grain;
	unsigned width = cells_width(making->out->field);
	number128 inside = grain->length == 0 ? ends_highest(making->out->field)
					      : ((number128)1 << (width - grain->length)) - 1;
	struct prefix prefixes[254];
	struct interval_set *at_home = &making->blocks, *shorter = &making->other_blocks;
	at_home->items_count = shorter->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		size_t count = interval_to_prefixes(width == 32 ? FAMILY_IPV4 : FAMILY_IPV6,
						    &intervals->items[i], prefixes);
		for (size_t k = 0; k < count; k++) {
			struct interval interval = prefix_interval(&prefixes[k]);
			unsigned home = grain->homes[prefixes[k].length];
			if (home <= grain->length)
				interval_set_add(making->out->pool, home == grain->length ? at_home : shorter,
						 interval.low & ~inside, interval.high | inside);
		}
	}
	add_blocks(making, position, at_home, true);
	add_blocks(making, position, shorter, false);
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void collect_names(struct making *making)
{
	struct cells *out = making->out;
	size_t capacity = 0;
	for (size_t i = 0; i < making->request->count; i++) {
		if (!cells_cuts(making->lower, out->field, making->request->list[i]))
			continue;
		const struct unit *unit = &making->lower->units[making->request->list[i].unit];
		const struct interface_set *names = cells_names(unit, out->field);
		out->names = pool_grow(out->pool, out->names, &capacity,
				       out->names_count + names->names_count, sizeof *out->names);
		for (size_t k = 0; k < names->names_count; k++)
			out->names[out->names_count++] = names->names[k];
	}
	if (out->names_count == 0)
		return;
	qsort(out->names, out->names_count, sizeof *out->names, compare_strings);
	size_t last = 0;
	for (size_t i = 1; i < out->names_count; i++)
		if (strcmp(out->names[last], out->names[i]) != 0)
			out->names[++last] = out->names[i];
	out->names_count = last + 1;
}

static void add_name_ends(struct making *making, uint32_t position, const struct interface_set *names)
{
	const struct cells *out = making->out;
	for (size_t i = 0; i < names->names_count; i++) {
		const char **found = bsearch(&names->names[i], out->names, out->names_count,
					     sizeof *out->names, compare_strings);
		number128 number = (number128)(size_t)(found - out->names);
		add_interval(making, position, number, number);
	}
}

/* The blocks of the grain that the intervals stand in, each once. */
static void list_blocks(struct making *making, const struct grain *grain, const struct interval_set *intervals,
			struct interval_set *blocks)
{
	number128 inside = ((number128)1 << (cells_width(making->out->field) - grain->length)) - 1;
	blocks->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++)
		interval_set_add(making->out->pool, blocks, intervals->items[i].low & ~inside,
				 intervals->items[i].high | inside);
	interval_set_normalise(blocks);
}

/* All that the unit touches is its home. */
static void add_touched(struct making *making, uint32_t position, const struct interval_set *intervals)
{
	list_blocks(making, making->request->grain, intervals, &making->blocks);
	add_blocks(making, position, &making->blocks, true);
}

/* The cells that the intervals touch, where they do not begin at the unit's own end points. */
static void add_around(struct making *making, uint32_t position, const struct interval_set *intervals)
{
	const struct cut_request *request = making->request;
	struct interval_set *blocks = &making->blocks;
	blocks->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		struct interval around = points_around(request->points, request->points_count, intervals->items[i],
						       ends_highest(request->field));
		interval_set_add(making->out->pool, blocks, around.low, around.high);
	}
	interval_set_normalise(blocks);
	for (size_t i = 0; i < blocks->items_count; i++)
		add_interval(making, position, blocks->items[i].low, blocks->items[i].high);
}

static void add_ports_around(struct making *making, uint32_t position, const struct service_group *group)
{
	struct interval_set *ports = &making->other_blocks;
	ports->items_count = 0;
	for (size_t i = 0; i < group->tuples_count; i++) {
		number128 protocol = (number128)group->tuples[i].protocol << 16;
		interval_set_add(making->out->pool, ports, protocol | group->tuples[i].first.low,
				 protocol | group->tuples[i].first.high);
	}
	add_around(making, position, ports);
}

static void add_unit_ends(struct making *making, uint32_t position)
{
	const struct unit *unit = &making->lower->units[making->request->list[position].unit];
	enum split_field field = making->out->field;
	if (field == SPLIT_IN || field == SPLIT_OUT) {
		add_name_ends(making, position, cells_names(unit, field));
	} else if (cells_are_of_addresses(field)) {
		const struct interval_set *intervals = cells_intervals(unit, field);
		if (making->request->grain != NULL && making->request->grain->blocks_most != 0) {
			add_touched(making, position, intervals);
			return;
		}
		if (making->request->grain != NULL) {
			add_homes(making, position, intervals);
			return;
		}
		if (making->request->points != NULL) {
			add_around(making, position, intervals);
			return;
		}
		for (size_t i = 0; i < intervals->items_count; i++)
			add_interval(making, position, intervals->items[i].low,
				     intervals->items[i].high);
	} else {
		const struct service_group *group = &making->lower->groups[unit->group];
		if (making->request->points != NULL) {
			add_ports_around(making, position, group);
			return;
		}
		for (size_t i = 0; i < group->tuples_count; i++) {
			number128 protocol = (number128)group->tuples[i].protocol << 16;
			add_interval(making, position, protocol | group->tuples[i].first.low,
				     protocol | group->tuples[i].first.high);
		}
	}
}

static void add_unit_pairs(struct making *making, uint32_t position)
{
	const struct unit *unit = &making->lower->units[making->request->list[position].unit];
	unsigned width = cells_width(making->out->field);
	const number128 one = 1, step = one << (width - making->request->grain->length),
			other = one << (width - making->request->other->length);
	list_blocks(making, making->request->grain, unit->source, &making->blocks);
	list_blocks(making, making->request->other, unit->destination, &making->other_blocks);
	for (size_t i = 0; i < making->blocks.items_count; i++)
		for (size_t k = 0; k < making->other_blocks.items_count; k++) {
			struct interval from = making->blocks.items[i], to = making->other_blocks.items[k];
			/* numbers of blocks: addresses themselves could wrap */
			for (number128 a = 0; a <= (from.high - from.low) / step; a++)
				for (number128 b = 0; b <= (to.high - to.low) / other; b++)
					*pool_append(making->out->pool, making->ends, pairs) = (struct end_pair){
						from.low + a * step, to.low + b * other, position,
					};
		}
}

static int compare_pairs(const void *left, const void *right)
{
	const struct end_pair *a = left, *b = right;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->position > b->position) - (a->position < b->position);
}

/* Ends before beginnings: intervals of one unit may meet. */
static int compare_ends(const void *left, const void *right)
{
	const struct end *a = left, *b = right;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (int)b->is_end - (int)a->is_end;
}

/* Of 64 bits: a long key's first half; of a short one all that compare_ends looks at. */
static uint64_t digits_of(const struct end *end, bool is_long)
{
	return is_long ? (uint64_t)(end->key >> 64) : (uint64_t)end->key << 1 | !end->is_end;
}

static bool starts_alike(const struct end *a, const struct end *b)
{
	return digits_of(a, true) == digits_of(b, true);
}

/* Long keys that start alike stand together, and are compared with each other; mostly they are few. */
static void sort_alike(struct end *items, size_t count)
{
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && starts_alike(&items[first], &items[end]); end++)
			continue;
		if (end != first + 1)
			qsort(items + first, end - first, sizeof *items, compare_ends);
	}
}

/* Many are sorted by their digits: in a long list that is most of the making. */
static void sort_ends(struct making *making)
{
	size_t count = making->ends->items_count;
	if (count < ENDS_MANY) {
		if (count != 0)
			qsort(making->ends->items, count, sizeof *making->ends->items, compare_ends);
		return;
	}
	bool is_long = ends_highest(making->out->field) > UINT32_MAX;
	void *pool = pool_child(making->out->pool, "sort");
	uint64_t *digits = pool_array(pool, uint64_t, count);
	for (size_t i = 0; i < count; i++)
		digits[i] = digits_of(&making->ends->items[i], is_long);
	const uint32_t *order = radix_order(pool, digits, count);
	struct end *sorted = pool_array(making->out->pool, struct end, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = making->ends->items[order[i]];
	if (is_long)
		sort_alike(sorted, count);
	talloc_free(making->ends->items);
	talloc_free(pool);
	making->ends->items = sorted;
	making->ends->items_capacity = count;
}

static void add_ends(struct making *making)
{
	const struct cut_request *request = making->request;
	struct ends *ends = making->ends;
	ends->uncut = pool_array(making->out->pool, uint32_t, request->count);
	for (uint32_t i = 0; i < request->count; i++) {
		if (!is_cut(making, request->list[i]))
			ends->uncut[ends->uncut_count++] = i;
		else if (cells_are_pairs(request->field))
			add_unit_pairs(making, i);
		else
			add_unit_ends(making, i);
	}
	sort_ends(making);
	if (ends->pairs_count != 0)
		qsort(ends->pairs, ends->pairs_count, sizeof *ends->pairs, compare_pairs);
}

struct ends *ends_new(struct lower *lower, const struct cut_request *request, struct cells *out)
{
	struct making making = {
		.lower = lower, .request = request, .out = out, .ends = pool_new(out->pool, struct ends),
	};
	if (request->field == SPLIT_IN || request->field == SPLIT_OUT)
		collect_names(&making);
	add_ends(&making);
	return making.ends;
}

void ends_free(struct ends *ends)
{
	talloc_free(ends->items);
	talloc_free(ends->pairs);
}
