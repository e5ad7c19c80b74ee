/* One sweep along the field: end points sorted, the open units in an ordered set. At each cell the
 * open units are read in order, up to the first that decides about every packet in the cell.
 *
 * Of the rest a leaf holds what conflicts with its own units (rest.h). Its members are looked at
 * from the last to the first: so one checkpoint serves all units between it and the one that asked for it. */
#include "target/nft/split/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/radix.h"
#include "net/protocol.h"
#include "target/nft/split/narrow.h"
#include "target/nft/split/order.h"
#include "target/nft/split/pair.h"
#include "target/nft/split/points.h"
#include "target/nft/split/rest.h"
#include "target/nft/split/screen.h"
#include "target/nft/split/touching.h"

/* A unit with more intervals is not cut: a lookup in its own set is cheaper to load. */
#define CUT_INTERVALS_MAX 1024
#define EVENTS_MANY 512

struct event {
	number128 key;
	uint32_t position;
	bool is_end;  /* key is the first value behind the interval */
	bool is_home; /* of prefixes that stand at the grain's length */
};

/* A unit in a pair of blocks. */
struct pair {
	number128 from, to;
	uint32_t position;
};

struct sweep {
	struct lower *lower;
	struct cells *out;
	const struct grain *grain; /* or NULL */
	const struct grain *other; /* of the destination: pairs are cut; or NULL */
	const number128 *points;   /* or NULL */
	size_t points_count;
	const struct entry *list;
	size_t count;
	size_t copies; /* what may still be copied */
	bool is_over;

	struct event *events;
	size_t events_count, events_capacity;
	uint32_t *uncut; /* positions of the units that are not cut, in order */
	size_t uncut_count;
	struct rest *rest; /* those units */
	struct screens *screens; /* or NULL: what conflicts joins the leaf */
	struct touching *touching; /* of the rest, that leaves hold; or NULL: they hold what conflicts */
	struct order open;
	uint8_t *opened;  /* with a grain, by position: open at home, at a shorter length, or both */
	size_t homes;     /* with a grain: units that are open at home */
	struct interval_set blocks, other_blocks; /* of the unit that is being added */
	struct pair *pairs;
	size_t pairs_count, pairs_capacity;
	struct order members; /* positions in the leaf under construction */
	struct order unseen;  /* members whose conflicts are to be looked for, counted from the end */
	uint32_t *queue;      /* the members, in the order in which they joined */
	size_t queue_count, queue_capacity;
	size_t *checkpoints;  /* of the leaf, the last one first */
	size_t checkpoints_count, checkpoints_capacity;
	struct memo leaf_memo;
	struct entry *leaf; /* the leaf under construction */
	size_t leaf_count, leaf_capacity;
};

/* --- what the field is to a unit ---------------------------------------------------------- */

static bool is_address_field(enum split_field field)
{
	return field >= SPLIT_SOURCE4;
}

static bool is_pair_field(enum split_field field)
{
	return field >= SPLIT_PAIR4;
}

unsigned cells_family(enum split_field field)
{
	bool is_ipv4 = field == SPLIT_SOURCE4 || field == SPLIT_DESTINATION4 || field == SPLIT_PAIR4 ||
		       field == SPLIT_FLOW4;
	return is_ipv4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

uint32_t cells_need(enum split_field field)
{
	switch (field) {
	case SPLIT_IN:
		return NEED_IN;
	case SPLIT_OUT:
		return NEED_OUT;
	case SPLIT_SERVICE:
	case SPLIT_PORTS:
		return NEED_SERVICE;
	case SPLIT_SOURCE4:
	case SPLIT_SOURCE6:
		return NEED_SOURCE;
	case SPLIT_DESTINATION4:
	case SPLIT_DESTINATION6:
		return NEED_DESTINATION;
	case SPLIT_PAIR4:
	case SPLIT_PAIR6:
		return NEED_ADDRESSES;
	case SPLIT_FLOW4:
	case SPLIT_FLOW6:
		return NEED_ADDRESSES | NEED_SERVICE;
	}
	return 0;
}

const struct interval_set *cells_intervals(const struct unit *unit, enum split_field field)
{
	return cells_need(field) == NEED_SOURCE ? unit->source : unit->destination;
}

unsigned cells_width(enum split_field field)
{
	return cells_family(field) == FAMILIES_IPV4 ? 32 : 128;
}

static const struct interface_set *unit_names(const struct unit *unit, enum split_field field)
{
	return field == SPLIT_IN ? unit->in : unit->out;
}

bool cells_cuts(const struct lower *lower, enum split_field field, struct entry entry)
{
	const struct unit *unit = &lower->units[entry.unit];
	if ((entry_needs(lower, entry) & cells_need(field)) == 0)
		return false;
	switch (field) {
	case SPLIT_IN:
	case SPLIT_OUT:
		return !unit_names(unit, field)->is_complement;
	case SPLIT_SERVICE:
		return lower->groups[unit->group].kind == SERVICE_NARROW;
	case SPLIT_PORTS:
		return lower->groups[unit->group].kind == SERVICE_NARROW ||
		       lower->groups[unit->group].kind == SERVICE_WIDE;
	case SPLIT_SOURCE4:
	case SPLIT_DESTINATION4:
	case SPLIT_SOURCE6:
	case SPLIT_DESTINATION6:
		return unit->family == cells_family(field) &&
		       cells_intervals(unit, field)->items_count <= CUT_INTERVALS_MAX;
	case SPLIT_PAIR4:
	case SPLIT_PAIR6:
		return unit->family == cells_family(field) &&
		       (entry_needs(lower, entry) & NEED_ADDRESSES) == NEED_ADDRESSES &&
		       unit->source->items_count * unit->destination->items_count <= PAIRS_A_UNIT;
	case SPLIT_FLOW4:
	case SPLIT_FLOW6:
		break; /* the leaves of pairs are cut */
	}
	return false;
}

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

static bool has_blocks(const struct sweep *sweep, const struct unit *unit, unsigned width)
{
	size_t blocks = sweep->other == NULL
		? count_touched(sweep->grain, width, cells_intervals(unit, sweep->out->field))
		: count_touched(sweep->grain, width, unit->source) *
		  count_touched(sweep->other, width, unit->destination);
	return blocks <= sweep->grain->blocks_most;
}

static bool has_homes(const struct sweep *sweep, struct entry entry)
{
	const struct unit *unit = &sweep->lower->units[entry.unit];
	unsigned width = cells_width(sweep->out->field);
	if (sweep->grain->blocks_most != 0)
		return has_blocks(sweep, unit, width);
	if (sweep->other == NULL)
		return count_blocks(sweep->grain, width, cells_intervals(unit, sweep->out->field),
				    SIZE_MAX / 2) != 0;
	size_t from = count_blocks(sweep->grain, width, unit->source, PAIRS_A_UNIT);
	size_t to = count_blocks(sweep->other, width, unit->destination, PAIRS_A_UNIT);
	return from != 0 && to != 0 && from * to <= PAIRS_A_UNIT;
}

static bool is_cut(const struct sweep *sweep, struct entry entry)
{
	return cells_cuts(sweep->lower, sweep->out->field, entry) &&
	       (sweep->grain == NULL || has_homes(sweep, entry));
}

/* What must not be asked again of a packet that is in a cell of the unit. */
static uint32_t done_in_cell(enum split_field field)
{
	return cells_need(field) | (is_address_field(field) ? NEED_FAMILY : 0u);
}

/* --- a unit of the rest in a cell --------------------------------------------------------- */

enum holding { HOLDS_NOWHERE, HOLDS_PARTLY, HOLDS };

static bool names_hold(const struct cells *cells, const struct interface_set *names,
		       const struct cell *cell)
{
	return interface_set_contains(names, cells->names[(size_t)cell->low]);
}

static enum holding tuple_in_cell(const struct service_tuple *tuple, const struct cell *cell)
{
	uint32_t low = (uint32_t)tuple->protocol << 16 | tuple->first.low;
	uint32_t high = (uint32_t)tuple->protocol << 16 | tuple->first.high;
	if (low > cell->high || high < cell->low)
		return HOLDS_NOWHERE;
	bool is_whole = tuple->second.low == 0 && tuple->second.high == UINT16_MAX;
	return is_whole && low <= cell->low && high >= cell->high ? HOLDS : HOLDS_PARTLY;
}

static enum holding group_in_cell(const struct service_group *group, const struct cell *cell)
{
	enum holding best = HOLDS_NOWHERE;
	switch (group->kind) {
	case SERVICE_ANY:
		return HOLDS;
	case SERVICE_ICMP:
	case SERVICE_ICMP6:
		return HOLDS_NOWHERE;
	case SERVICE_PROTOCOL:
		return interval_set_contains(&group->protocols, cell->low >> 16) ? HOLDS
										 : HOLDS_NOWHERE;
	case SERVICE_NARROW:
	case SERVICE_WIDE:
	case SERVICE_SOURCE:
		for (size_t i = 0; i < group->tuples_count; i++) {
			enum holding holding = tuple_in_cell(&group->tuples[i], cell);
			best = holding > best ? holding : best;
		}
		return best;
	}
	return HOLDS_PARTLY;
}

static enum holding addresses_in_cell(const struct unit *unit, enum split_field field, uint32_t needs,
				      const struct cell *cell)
{
	if ((unit->family & cells_family(field)) == 0)
		return HOLDS_NOWHERE;
	if ((needs & cells_need(field)) == 0)
		return HOLDS;
	struct interval interval = { cell->low, cell->high };
	struct interval_set one = { &interval, 1, 1 };
	const struct interval_set *intervals = cells_intervals(unit, field);
	if (!interval_set_overlaps(intervals, &one))
		return HOLDS_NOWHERE;
	return interval_set_includes(intervals, &one) ? HOLDS : HOLDS_PARTLY;
}

static bool rest_in_pair(const struct sweep *sweep, struct entry *entry, const struct cell *cell)
{
	uint32_t answered;
	if (!pair_touches(sweep->lower, sweep->out, *entry, cell, &answered))
		return false;
	entry->done |= answered & sweep->lower->units[entry->unit].needs;
	return true;
}

/* Does the unit of the rest hold in the cell; if so, what does it still ask there? */
static bool rest_in_cell(const struct sweep *sweep, struct entry *entry, const struct cell *cell)
{
	if (is_pair_field(sweep->out->field))
		return rest_in_pair(sweep, entry, cell);
	const struct unit *unit = &sweep->lower->units[entry->unit];
	enum split_field field = sweep->out->field;
	uint32_t needs = entry_needs(sweep->lower, *entry);
	enum holding holding = HOLDS;
	if (is_address_field(field))
		holding = addresses_in_cell(unit, field, needs, cell);
	else if ((needs & cells_need(field)) == 0)
		holding = HOLDS;
	else if (field == SPLIT_IN || field == SPLIT_OUT)
		holding = names_hold(sweep->out, unit_names(unit, field), cell) ? HOLDS
										: HOLDS_NOWHERE;
	else
		holding = group_in_cell(&sweep->lower->groups[unit->group], cell);
	if (holding == HOLDS)
		entry->done |= done_in_cell(field) & unit->needs;
	return holding != HOLDS_NOWHERE;
}

/* --- leaves ------------------------------------------------------------------------------- */

/* Where the block is larger than what the unit names, the leaf has to ask again. */
static bool is_whole(const struct sweep *sweep, const struct unit *unit, const struct cell *cell)
{
	struct interval interval = { cell->low, cell->high };
	const struct interval_set one = { &interval, 1, 1 };
	if (sweep->points != NULL && !is_address_field(sweep->out->field))
		return group_in_cell(&sweep->lower->groups[unit->group], cell) == HOLDS;
	if (sweep->grain == NULL && sweep->points == NULL)
		return true;
	const struct interval_set *intervals = cells_intervals(unit, sweep->out->field);
	if (intervals->items_count == 1) /* most */
		return intervals->items[0].low <= cell->low && intervals->items[0].high >= cell->high;
	return interval_set_includes(intervals, &one);
}

static struct entry cut_entry(const struct sweep *sweep, uint32_t position, const struct cell *cell)
{
	struct entry entry = sweep->list[position];
	const struct unit *unit = &sweep->lower->units[entry.unit];
	if (is_pair_field(sweep->out->field))
		(void)rest_in_pair(sweep, &entry, cell);
	else if (is_whole(sweep, unit, cell))
		entry.done |= done_in_cell(sweep->out->field) & unit->needs;
	return entry;
}

static uint32_t from_the_end(const struct sweep *sweep, uint32_t position)
{
	return (uint32_t)sweep->count - 1 - position;
}

static void join_leaf(struct sweep *sweep, uint32_t position)
{
	order_add(&sweep->members, position);
	order_add(&sweep->unseen, from_the_end(sweep, position));
	*pool_append(sweep->out->pool, sweep, queue) = position;
	if (sweep->copies == 0)
		sweep->is_over = true;
	else
		sweep->copies--;
}

/* The open units up to the first that decides. */
static void join_open(struct sweep *sweep, const struct cell *cell)
{
	uint32_t position = order_next(&sweep->open, 0);
	for (; position != ORDER_END && !sweep->is_over;
	     position = order_next(&sweep->open, position + 1)) {
		join_leaf(sweep, position);
		if (entry_is_final(sweep->lower, cut_entry(sweep, position, cell)))
			return;
	}
}

static bool is_member(const struct sweep *sweep, uint32_t position)
{
	return order_next(&sweep->members, position) == position;
}

/* The position behind what the leaf's first checkpoint stands for. */
static uint32_t first_checkpoint(const struct sweep *sweep)
{
	if (sweep->checkpoints_count == 0)
		return UINT32_MAX;
	return rest_checkpoint_end(sweep->rest, sweep->checkpoints[sweep->checkpoints_count - 1]);
}

/* What must stand before the member joins the leaf, but for what a checkpoint of the leaf stands for. */
static void join_conflicts_of(struct sweep *sweep, uint32_t position, const struct cell *cell)
{
	struct conflicts conflicts;
	if (!rest_conflicts(sweep->rest, position, &conflicts)) {
		sweep->is_over = true;
		return;
	}
	if (conflicts.checkpoint != 0 && position < first_checkpoint(sweep))
		*pool_append(sweep->out->pool, sweep, checkpoints) = conflicts.checkpoint;
	uint32_t from = first_checkpoint(sweep) <= position ? first_checkpoint(sweep) : 0;
	for (size_t i = 0; i < conflicts.count && !sweep->is_over; i++) {
		uint32_t other = conflicts.positions[i];
		struct entry entry = sweep->list[other];
		if (other >= from && !is_member(sweep, other) && rest_in_cell(sweep, &entry, cell))
			join_leaf(sweep, other);
	}
}

/* Whatever joins stands in front of the member that is looked at. */
static void join_conflicts(struct sweep *sweep, const struct cell *cell)
{
	uint32_t next = order_next(&sweep->unseen, 0);
	for (; next != ORDER_END && !sweep->is_over; next = order_next(&sweep->unseen, next + 1))
		join_conflicts_of(sweep, from_the_end(sweep, next), cell);
}

static bool is_open(const struct sweep *sweep, uint32_t position)
{
	return order_next(&sweep->open, position) == position;
}

/* The checkpoints that end in front of the position, or there, and are not listed yet. */
static void list_checkpoints(struct sweep *sweep, uint32_t position)
{
	while (first_checkpoint(sweep) <= position) {
		size_t checkpoint = sweep->checkpoints[--sweep->checkpoints_count];
		*pool_append(sweep->out->pool, sweep, leaf) = rest_checkpoint(sweep->rest, checkpoint);
	}
}

/* The entry, with what it names outside of the cell left out where that makes it simpler. */
static struct entry narrow(const struct sweep *sweep, struct entry entry, const struct cell *cell)
{
	enum split_field field = sweep->out->field;
	if (!is_address_field(field) && sweep->points == NULL)
		return entry;
	if (!is_address_field(field))
		return entry_narrowed_to_ports(sweep->lower, entry, cell->low, cell->high);
	if (!is_pair_field(field))
		return entry_narrowed(sweep->lower, entry, cells_need(field),
				      (struct interval){ cell->low, cell->high });
	entry = entry_narrowed(sweep->lower, entry, NEED_SOURCE, pair_side(sweep->out, cell, NEED_SOURCE));
	return entry_narrowed(sweep->lower, entry, NEED_DESTINATION,
			      pair_side(sweep->out, cell, NEED_DESTINATION));
}

/* The members in order, up to the first that decides about every packet in the cell. */
static void list_members(struct sweep *sweep, const struct cell *cell)
{
	uint32_t position = order_next(&sweep->members, 0);
	for (; position != ORDER_END; position = order_next(&sweep->members, position + 1)) {
		struct entry entry = sweep->list[position];
		if (is_open(sweep, position))
			entry = cut_entry(sweep, position, cell);
		else
			rest_in_cell(sweep, &entry, cell);
		list_checkpoints(sweep, position);
		entry = narrow(sweep, entry, cell);
		*pool_append(sweep->out->pool, sweep, leaf) = entry;
		if (entry_is_final(sweep->lower, entry))
			return;
	}
}

/* The same where one unit is open, and no other can conflict: most pairs. */
static void make_leaf_of_one(struct sweep *sweep, uint32_t position, const struct cell *cell)
{
	sweep->leaf_count = 0;
	if (sweep->copies == 0) {
		sweep->is_over = true;
		return;
	}
	sweep->copies--;
	*pool_append(sweep->out->pool, sweep, leaf) = cut_entry(sweep, position, cell);
}

/* The open units up to the first that decides: the whole leaf, where conflicts are asked behind units, or there
 * are none. */
static void list_open(struct sweep *sweep, const struct cell *cell)
{
	for (uint32_t position = 0; (position = order_next(&sweep->open, position)) != ORDER_END; position++) {
		struct entry entry = cut_entry(sweep, position, cell);
		bool is_last = sweep->copies == 0 || entry_is_final(sweep->lower, entry);
		uint32_t screen = 0;
		sweep->is_over = sweep->is_over || sweep->copies == 0;
		sweep->copies -= sweep->copies != 0;
		if (sweep->screens != NULL && !screens_find(sweep->screens, position, &screen))
			sweep->is_over = true;
		entry.done |= screen << CELLS_SCREEN_SHIFT;
		*pool_append(sweep->out->pool, sweep, leaf) = screen == 0 ? narrow(sweep, entry, cell) : entry;
		if (is_last)
			return;
	}
}

static void make_leaf(struct sweep *sweep, const struct cell *cell)
{
	sweep->leaf_count = 0;
	if (sweep->screens != NULL || sweep->touching != NULL || rest_is_uniform(sweep->rest)) {
		list_open(sweep, cell);
		return;
	}
	sweep->queue_count = 0;
	sweep->checkpoints_count = 0;
	join_open(sweep, cell);
	join_conflicts(sweep, cell);
	list_members(sweep, cell);
	for (size_t i = 0; i < sweep->queue_count; i++) {
		order_remove(&sweep->members, sweep->queue[i]);
		order_remove(&sweep->unseen, from_the_end(sweep, sweep->queue[i]));
	}
}

static bool leaf_equals(const void *wanted, uint32_t number)
{
	const struct sweep *sweep = wanted;
	const struct leaf *leaf = &sweep->out->leaves[number];
	return leaf->count == sweep->leaf_count &&
	       memcmp(&sweep->out->entries[leaf->first], sweep->leaf,
		      leaf->count * sizeof *sweep->leaf) == 0;
}

/* The number of the leaf that was made, kept if it is new. */
static uint32_t keep_leaf(struct sweep *sweep)
{
	uint64_t hash = memo_mix(0, sweep->leaf_count);
	for (size_t i = 0; i < sweep->leaf_count; i++)
		hash = memo_mix(hash, (uint64_t)sweep->leaf[i].unit << 32 | sweep->leaf[i].done);
	uint32_t number = memo_find(&sweep->leaf_memo, hash, leaf_equals, sweep);
	if (number != MEMO_NONE)
		return number;
	struct cells *out = sweep->out;
	number = (uint32_t)out->leaves_count;
	memo_add(out->pool, &sweep->leaf_memo, hash, number);
	*pool_append(out->pool, out, leaves) = (struct leaf){
		(uint32_t)out->entries_count, (uint32_t)sweep->leaf_count
	};
	size_t wanted = out->entries_count + sweep->leaf_count;
	out->entries = pool_grow(out->pool, out->entries, &out->entries_capacity, wanted,
				 sizeof *out->entries);
	memcpy(out->entries + out->entries_count, sweep->leaf,
	       sweep->leaf_count * sizeof *sweep->leaf);
	out->entries_count = wanted;
	return number;
}

/* --- events ------------------------------------------------------------------------------- */

static number128 field_highest(enum split_field field)
{
	if (field == SPLIT_SOURCE6 || field == SPLIT_DESTINATION6)
		return family_highest(FAMILY_IPV6);
	return is_address_field(field) ? family_highest(FAMILY_IPV4) : (number128)UINT32_MAX;
}

static void add_interval(struct sweep *sweep, uint32_t position, number128 low, number128 high)
{
	void *pool = sweep->out->pool;
	*pool_append(pool, sweep, events) = (struct event){ low, position, false, false };
	if (high < field_highest(sweep->out->field))
		*pool_append(pool, sweep, events) = (struct event){ high + 1, position, true, false };
}

static void add_blocks(struct sweep *sweep, uint32_t position, struct interval_set *blocks, bool is_home)
{
	interval_set_normalise(blocks);
	for (size_t i = 0; i < blocks->items_count; i++) {
		size_t first = sweep->events_count;
		add_interval(sweep, position, blocks->items[i].low, blocks->items[i].high);
		for (; first < sweep->events_count; first++)
			sweep->events[first].is_home = is_home;
	}
}

/* The blocks in which prefixes of the unit stand whose home is this length, or a shorter one. */
static void add_homes(struct sweep *sweep, uint32_t position, const struct interval_set *intervals)
{
	const struct grain *grain = sweep->grain;
	unsigned width = cells_width(sweep->out->field);
	number128 inside = grain->length == 0 ? field_highest(sweep->out->field)
					      : ((number128)1 << (width - grain->length)) - 1;
	struct prefix prefixes[254];
	struct interval_set *at_home = &sweep->blocks, *shorter = &sweep->other_blocks;
	at_home->items_count = shorter->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		size_t count = interval_to_prefixes(width == 32 ? FAMILY_IPV4 : FAMILY_IPV6,
						    &intervals->items[i], prefixes);
		for (size_t k = 0; k < count; k++) {
			struct interval interval = prefix_interval(&prefixes[k]);
			unsigned home = grain->homes[prefixes[k].length];
			if (home <= grain->length)
				interval_set_add(sweep->out->pool, home == grain->length ? at_home : shorter,
						 interval.low & ~inside, interval.high | inside);
		}
	}
	add_blocks(sweep, position, at_home, true);
	add_blocks(sweep, position, shorter, false);
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void collect_names(struct sweep *sweep)
{
	struct cells *out = sweep->out;
	size_t capacity = 0;
	for (size_t i = 0; i < sweep->count; i++) {
		if (!cells_cuts(sweep->lower, out->field, sweep->list[i]))
			continue;
		const struct unit *unit = &sweep->lower->units[sweep->list[i].unit];
		const struct interface_set *names = unit_names(unit, out->field);
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

static void add_name_events(struct sweep *sweep, uint32_t position, const struct interface_set *names)
{
	const struct cells *out = sweep->out;
	for (size_t i = 0; i < names->names_count; i++) {
		const char **found = bsearch(&names->names[i], out->names, out->names_count,
					     sizeof *out->names, compare_strings);
		number128 number = (number128)(size_t)(found - out->names);
		add_interval(sweep, position, number, number);
	}
}

/* The blocks of the grain that the intervals stand in, each once. */
static void list_blocks(struct sweep *sweep, const struct grain *grain, const struct interval_set *intervals,
			struct interval_set *blocks)
{
	number128 inside = ((number128)1 << (cells_width(sweep->out->field) - grain->length)) - 1;
	blocks->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++)
		interval_set_add(sweep->out->pool, blocks, intervals->items[i].low & ~inside,
				 intervals->items[i].high | inside);
	interval_set_normalise(blocks);
}

/* All that the unit touches is its home. */
static void add_touched(struct sweep *sweep, uint32_t position, const struct interval_set *intervals)
{
	list_blocks(sweep, sweep->grain, intervals, &sweep->blocks);
	add_blocks(sweep, position, &sweep->blocks, true);
}

/* The cells that the intervals touch, where they do not begin at the unit's own end points. */
static void add_around(struct sweep *sweep, uint32_t position, const struct interval_set *intervals)
{
	struct interval_set *blocks = &sweep->blocks;
	blocks->items_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		struct interval around = points_around(sweep->points, sweep->points_count, intervals->items[i],
						       field_highest(sweep->out->field));
		interval_set_add(sweep->out->pool, blocks, around.low, around.high);
	}
	interval_set_normalise(blocks);
	for (size_t i = 0; i < blocks->items_count; i++)
		add_interval(sweep, position, blocks->items[i].low, blocks->items[i].high);
}

static void add_ports_around(struct sweep *sweep, uint32_t position, const struct service_group *group)
{
	struct interval_set *ports = &sweep->other_blocks;
	ports->items_count = 0;
	for (size_t i = 0; i < group->tuples_count; i++) {
		number128 protocol = (number128)group->tuples[i].protocol << 16;
		interval_set_add(sweep->out->pool, ports, protocol | group->tuples[i].first.low,
				 protocol | group->tuples[i].first.high);
	}
	add_around(sweep, position, ports);
}

static void add_unit_events(struct sweep *sweep, uint32_t position)
{
	const struct unit *unit = &sweep->lower->units[sweep->list[position].unit];
	enum split_field field = sweep->out->field;
	if (field == SPLIT_IN || field == SPLIT_OUT) {
		add_name_events(sweep, position, unit_names(unit, field));
	} else if (is_address_field(field)) {
		const struct interval_set *intervals = cells_intervals(unit, field);
		if (sweep->grain != NULL && sweep->grain->blocks_most != 0) {
			add_touched(sweep, position, intervals);
			return;
		}
		if (sweep->grain != NULL) {
			add_homes(sweep, position, intervals);
			return;
		}
		if (sweep->points != NULL) {
			add_around(sweep, position, intervals);
			return;
		}
		for (size_t i = 0; i < intervals->items_count; i++)
			add_interval(sweep, position, intervals->items[i].low,
				     intervals->items[i].high);
	} else {
		const struct service_group *group = &sweep->lower->groups[unit->group];
		if (sweep->points != NULL) {
			add_ports_around(sweep, position, group);
			return;
		}
		for (size_t i = 0; i < group->tuples_count; i++) {
			number128 protocol = (number128)group->tuples[i].protocol << 16;
			add_interval(sweep, position, protocol | group->tuples[i].first.low,
				     protocol | group->tuples[i].first.high);
		}
	}
}

static void add_unit_pairs(struct sweep *sweep, uint32_t position)
{
	const struct unit *unit = &sweep->lower->units[sweep->list[position].unit];
	unsigned width = cells_width(sweep->out->field);
	const number128 one = 1, step = one << (width - sweep->grain->length),
			other = one << (width - sweep->other->length);
	list_blocks(sweep, sweep->grain, unit->source, &sweep->blocks);
	list_blocks(sweep, sweep->other, unit->destination, &sweep->other_blocks);
	for (size_t i = 0; i < sweep->blocks.items_count; i++)
		for (size_t k = 0; k < sweep->other_blocks.items_count; k++) {
			struct interval from = sweep->blocks.items[i], to = sweep->other_blocks.items[k];
			/* numbers of blocks: addresses themselves could wrap */
			for (number128 a = 0; a <= (from.high - from.low) / step; a++)
				for (number128 b = 0; b <= (to.high - to.low) / other; b++)
					*pool_append(sweep->out->pool, sweep, pairs) = (struct pair){
						from.low + a * step, to.low + b * other, position,
					};
		}
}

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->position > b->position) - (a->position < b->position);
}

/* Ends before beginnings: intervals of one unit may meet. */
static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (int)b->is_end - (int)a->is_end;
}

/* Short keys are sorted by their digits: in a long list that is most of the sweep. */
static void sort_events(struct sweep *sweep)
{
	size_t count = sweep->events_count;
	if (count < EVENTS_MANY || field_highest(sweep->out->field) > UINT32_MAX) {
		if (count != 0)
			qsort(sweep->events, count, sizeof *sweep->events, compare_events);
		return;
	}
	void *pool = pool_child(sweep->out->pool, "sort");
	uint64_t *keys = pool_array(pool, uint64_t, count);
	for (size_t i = 0; i < count; i++)
		keys[i] = (uint64_t)sweep->events[i].key << 1 | !sweep->events[i].is_end;
	const uint32_t *order = radix_order(pool, keys, count);
	struct event *sorted = pool_array(sweep->out->pool, struct event, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = sweep->events[order[i]];
	talloc_free(sweep->events);
	talloc_free(pool);
	sweep->events = sorted;
	sweep->events_capacity = count;
}

static void add_events(struct sweep *sweep)
{
	sweep->uncut = pool_array(sweep->out->pool, uint32_t, sweep->count);
	for (uint32_t i = 0; i < sweep->count; i++) {
		if (!is_cut(sweep, sweep->list[i]))
			sweep->uncut[sweep->uncut_count++] = i;
		else if (is_pair_field(sweep->out->field))
			add_unit_pairs(sweep, i);
		else
			add_unit_events(sweep, i);
	}
	sort_events(sweep);
	if (sweep->pairs_count != 0)
		qsort(sweep->pairs, sweep->pairs_count, sizeof *sweep->pairs, compare_pairs);
}

/* --- the sweep ---------------------------------------------------------------------------- */

/* Joined where nothing lies between and nothing differs; names and protocols stay apart. */
static bool can_extend(const struct sweep *sweep, const struct cell *next)
{
	const struct cells *out = sweep->out;
	if (out->cells_count == 0 || out->field == SPLIT_IN || out->field == SPLIT_OUT ||
	    is_pair_field(out->field))
		return false;
	const struct cell *last = &out->cells[out->cells_count - 1];
	if (!is_address_field(out->field) && last->high >> 16 != next->low >> 16)
		return false;
	return last->leaf == next->leaf && last->high + 1 == next->low;
}

/* Adds it with the leaf that was made. */
static void keep_cell(struct sweep *sweep, struct cell cell)
{
	if (sweep->is_over || sweep->leaf_count == 0)
		return;
	cell.leaf = keep_leaf(sweep);
	if (can_extend(sweep, &cell))
		sweep->out->cells[sweep->out->cells_count - 1].high = cell.high;
	else
		*pool_append(sweep->out->pool, sweep->out, cells) = cell;
}

static void add_cell(struct sweep *sweep, struct cell cell)
{
	make_leaf(sweep, &cell);
	keep_cell(sweep, cell);
}

enum { OPEN_HOME = 1, OPEN_SHORTER = 2 };

static void open_unit(struct sweep *sweep, const struct event *event)
{
	order_add(&sweep->open, event->position);
	if (sweep->grain == NULL)
		return;
	sweep->opened[event->position] |= event->is_home ? OPEN_HOME : OPEN_SHORTER;
	sweep->homes += event->is_home;
}

static void close_unit(struct sweep *sweep, const struct event *event)
{
	if (sweep->grain != NULL) {
		uint8_t *opened = &sweep->opened[event->position];
		*opened &= (uint8_t)~(event->is_home ? OPEN_HOME : OPEN_SHORTER);
		sweep->homes -= event->is_home;
		if (*opened != 0)
			return;
	}
	order_remove(&sweep->open, event->position);
}

/* With a grain, blocks in which nothing is at home are looked up at a shorter length. */
static bool is_cell(const struct sweep *sweep)
{
	return sweep->open.count != 0 && (sweep->grain == NULL || sweep->homes != 0);
}

/* The end of those that are in the same blocks. */
static size_t end_of_pair(const struct sweep *sweep, size_t first)
{
	const struct pair *pairs = sweep->pairs;
	size_t end = first + 1;
	while (end < sweep->pairs_count && pairs[end].from == pairs[first].from && pairs[end].to == pairs[first].to)
		end++;
	return end;
}

/* Those of the rest that touch the pair. */
static void open_touching(struct sweep *sweep, const struct cell *cell)
{
	const struct index_hits *hits = touching_find(sweep->touching, pair_side(sweep->out, cell, NEED_SOURCE),
						      pair_side(sweep->out, cell, NEED_DESTINATION));
	uint32_t answered;
	for (size_t i = 0; i < hits->values_count; i++)
		if (pair_touches(sweep->lower, sweep->out, sweep->list[hits->values[i]], cell, &answered))
			order_add(&sweep->open, hits->values[i]);
}

/* Pair by pair: the units that stand in it are open together. */
static void run_pairs(struct sweep *sweep)
{
	number128 inside = ((number128)1 << (cells_width(sweep->out->field) - sweep->grain->length)) - 1;
	for (size_t first = 0, end; first < sweep->pairs_count && !sweep->is_over; first = end) {
		const struct pair *pair = &sweep->pairs[first];
		const struct cell cell = { .low = pair->from, .high = pair->from + inside, .other = pair->to };
		end = end_of_pair(sweep, first);
		if (end == first + 1 && sweep->touching == NULL && rest_is_uniform(sweep->rest)) {
			make_leaf_of_one(sweep, pair->position, &cell);
			keep_cell(sweep, cell);
			continue;
		}
		for (size_t i = first; i < end; i++)
			order_add(&sweep->open, sweep->pairs[i].position);
		if (sweep->touching != NULL)
			open_touching(sweep, &cell);
		add_cell(sweep, cell);
		order_clear(&sweep->open);
	}
}

static void run(struct sweep *sweep)
{
	if (sweep->grain != NULL)
		sweep->opened = pool_array(sweep->out->pool, uint8_t, sweep->count);
	number128 from = 0;
	for (size_t i = 0; i < sweep->events_count && !sweep->is_over; i++) {
		const struct event *event = &sweep->events[i];
		if (event->key != from && is_cell(sweep))
			add_cell(sweep, (struct cell){ .low = from, .high = event->key - 1 });
		from = event->key;
		if (event->is_end)
			close_unit(sweep, event);
		else
			open_unit(sweep, event);
	}
	if (is_cell(sweep) && !sweep->is_over)
		add_cell(sweep, (struct cell){ .low = from, .high = field_highest(sweep->out->field) });
}

/* Has the field's family been asked for on the way to the list, which may be looked up by places? */
static bool is_of_family(const struct lower *lower, const struct cut_request *request)
{
	return request->field >= SPLIT_SOURCE4 && lower->has_places &&
	       entries_family(lower, request->list, request->count) == cells_family(request->field);
}

struct cells *cells_new(struct lower *lower, const struct cut_request *request)
{
	enum split_field field = request->field;
	void *pool = pool_child(lower->scratch, "cells");
	struct cells *out = pool_new(pool, struct cells);
	*out = (struct cells){
		.pool = pool, .field = field,
		.length = request->grain == NULL ? 0 : request->grain->length,
		.other_length = request->other == NULL ? 0 : request->other->length,
		.is_of_family = is_of_family(lower, request),
	};
	struct sweep sweep = {
		.lower = lower, .out = out, .grain = request->grain, .other = request->other,
		.points = request->points, .points_count = request->points_count,
		.list = request->list, .count = request->count, .copies = request->copies,
	};
	if (field == SPLIT_IN || field == SPLIT_OUT)
		collect_names(&sweep);
	add_events(&sweep);
	sweep.rest = rest_new(pool, lower, request, sweep.uncut, sweep.uncut_count);
	if (request->has_screens && sweep.uncut_count >= request->screened_least)
		sweep.screens = screens_new(pool, lower, request, sweep.uncut, sweep.uncut_count);
	out->has_all = request->has_all && sweep.uncut_count != 0;
	if (out->has_all)
		sweep.touching = touching_new(pool, lower, field, request->list, sweep.uncut, sweep.uncut_count);
	sweep.open = order_new(pool, (uint32_t)sweep.count);
	sweep.members = order_new(pool, (uint32_t)sweep.count);
	sweep.unseen = order_new(pool, (uint32_t)sweep.count);
	if (is_pair_field(field))
		run_pairs(&sweep);
	else
		run(&sweep);
	if (sweep.is_over || out->cells_count == 0) {
		talloc_free(pool);
		return NULL;
	}
	rest_keep(sweep.rest, out);
	if (sweep.screens != NULL)
		screens_keep(sweep.screens, out);
	talloc_free(sweep.events);
	talloc_free(sweep.pairs);
	return out;
}
