/* One sweep along the field: end points sorted, the open units in an ordered set. At each cell the
 * open units are read in order, up to the first that decides about every packet in the cell.
 *
 * Of the rest a leaf holds what conflicts with its own units (rest.h). Its members are looked at
 * from the last to the first: so one checkpoint serves all units between it and the one that asked for it. */
#include "target/nft/split/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/split/ends.h"
#include "target/nft/split/narrow.h"
#include "target/nft/split/order.h"
#include "target/nft/split/pair.h"
#include "target/nft/split/rest.h"
#include "target/nft/split/screen.h"
#include "target/nft/split/touching.h"

/* A unit with more intervals is not cut: a lookup in its own set is cheaper to load. */
#define CUT_INTERVALS_MAX 1024

struct sweep {
	struct lower *lower;
	struct cells *out;
	const struct grain *grain; /* or NULL */
	const number128 *points;   /* or NULL */
	size_t points_count;
	const struct entry *list;
	size_t count;
	size_t copies; /* what may still be copied */
	bool is_over;

	struct ends *ends;
	struct rest *rest; /* of the units that are not cut */
	struct screens *screens; /* or NULL: what conflicts joins the leaf */
	struct touching *touching; /* of the rest, that leaves hold; or NULL: they hold what conflicts */
	struct order open;
	uint8_t *opened;  /* with a grain, by position: open at home, at a shorter length, or both */
	size_t homes;     /* with a grain: units that are open at home */
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

bool cells_are_of_addresses(enum split_field field)
{
	return field >= SPLIT_SOURCE4;
}

bool cells_are_pairs(enum split_field field)
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

const struct interface_set *cells_names(const struct unit *unit, enum split_field field)
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
		return !cells_names(unit, field)->is_complement;
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

/* What must not be asked again of a packet that is in a cell of the unit. */
static uint32_t done_in_cell(enum split_field field)
{
	return cells_need(field) | (cells_are_of_addresses(field) ? NEED_FAMILY : 0u);
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
	if (cells_are_pairs(sweep->out->field))
		return rest_in_pair(sweep, entry, cell);
	const struct unit *unit = &sweep->lower->units[entry->unit];
	enum split_field field = sweep->out->field;
	uint32_t needs = entry_needs(sweep->lower, *entry);
	enum holding holding = HOLDS;
	if (cells_are_of_addresses(field))
		holding = addresses_in_cell(unit, field, needs, cell);
	else if ((needs & cells_need(field)) == 0)
		holding = HOLDS;
	else if (field == SPLIT_IN || field == SPLIT_OUT)
		holding = names_hold(sweep->out, cells_names(unit, field), cell) ? HOLDS
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
	if (sweep->points != NULL && !cells_are_of_addresses(sweep->out->field))
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
	if (cells_are_pairs(sweep->out->field))
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
	if (!cells_are_of_addresses(field) && sweep->points == NULL)
		return entry;
	if (!cells_are_of_addresses(field))
		return entry_narrowed_to_ports(sweep->lower, entry, cell->low, cell->high);
	if (!cells_are_pairs(field))
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

/* --- the sweep ---------------------------------------------------------------------------- */

/* Joined where nothing lies between and nothing differs; names and protocols stay apart. */
static bool can_extend(const struct sweep *sweep, const struct cell *next)
{
	const struct cells *out = sweep->out;
	if (out->cells_count == 0 || out->field == SPLIT_IN || out->field == SPLIT_OUT ||
	    cells_are_pairs(out->field))
		return false;
	const struct cell *last = &out->cells[out->cells_count - 1];
	if (!cells_are_of_addresses(out->field) && last->high >> 16 != next->low >> 16)
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

static void open_unit(struct sweep *sweep, const struct end *end)
{
	order_add(&sweep->open, end->position);
	if (sweep->grain == NULL)
		return;
	sweep->opened[end->position] |= end->is_home ? OPEN_HOME : OPEN_SHORTER;
	sweep->homes += end->is_home;
}

static void close_unit(struct sweep *sweep, const struct end *end)
{
	if (sweep->grain != NULL) {
		uint8_t *opened = &sweep->opened[end->position];
		*opened &= (uint8_t)~(end->is_home ? OPEN_HOME : OPEN_SHORTER);
		sweep->homes -= end->is_home;
		if (*opened != 0)
			return;
	}
	order_remove(&sweep->open, end->position);
}

/* With a grain, blocks in which nothing is at home are looked up at a shorter length. */
static bool is_cell(const struct sweep *sweep)
{
	return sweep->open.count != 0 && (sweep->grain == NULL || sweep->homes != 0);
}

/* The end of those that are in the same blocks. */
static size_t end_of_pair(const struct sweep *sweep, size_t first)
{
	const struct end_pair *pairs = sweep->ends->pairs;
	size_t end = first + 1;
	size_t count = sweep->ends->pairs_count;
	while (end < count && pairs[end].from == pairs[first].from && pairs[end].to == pairs[first].to)
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
	for (size_t first = 0, end; first < sweep->ends->pairs_count && !sweep->is_over; first = end) {
		const struct end_pair *pair = &sweep->ends->pairs[first];
		const struct cell cell = { .low = pair->from, .high = pair->from + inside, .other = pair->to };
		end = end_of_pair(sweep, first);
		if (end == first + 1 && sweep->touching == NULL && rest_is_uniform(sweep->rest)) {
			make_leaf_of_one(sweep, pair->position, &cell);
			keep_cell(sweep, cell);
			continue;
		}
		for (size_t i = first; i < end; i++)
			order_add(&sweep->open, sweep->ends->pairs[i].position);
		if (sweep->touching != NULL)
			open_touching(sweep, &cell);
		add_cell(sweep, cell);
		order_clear(&sweep->open);
	}
}

/* How many ends before they are met. */
enum { UNITS_AHEAD = 24, SETS_AHEAD = 16, INTERVALS_AHEAD = 8 };

static const struct unit *unit_of_end(const struct sweep *sweep, size_t at)
{
	return &sweep->lower->units[sweep->list[sweep->ends->items[at].position].unit];
}

/* Along the field the units of a long list stand in no order, and in no cache: memory is asked for them in time. A
 * unit leads to its set, and a set to its intervals. */
static void fetch_ahead(const struct sweep *sweep, size_t at)
{
	enum split_field field = sweep->out->field;
	if (!cells_are_of_addresses(field) || at + UNITS_AHEAD >= sweep->ends->items_count)
		return;
	__builtin_prefetch(unit_of_end(sweep, at + UNITS_AHEAD));
	__builtin_prefetch(cells_intervals(unit_of_end(sweep, at + SETS_AHEAD), field));
	__builtin_prefetch(cells_intervals(unit_of_end(sweep, at + INTERVALS_AHEAD), field)->items);
}

static void run(struct sweep *sweep)
{
	if (sweep->grain != NULL)
		sweep->opened = pool_array(sweep->out->pool, uint8_t, sweep->count);
	number128 from = 0;
	for (size_t i = 0; i < sweep->ends->items_count && !sweep->is_over; i++) {
		const struct end *end = &sweep->ends->items[i];
		fetch_ahead(sweep, i);
		if (end->key != from && is_cell(sweep))
			add_cell(sweep, (struct cell){ .low = from, .high = end->key - 1 });
		from = end->key;
		if (end->is_end)
			close_unit(sweep, end);
		else
			open_unit(sweep, end);
	}
	if (is_cell(sweep) && !sweep->is_over)
		add_cell(sweep, (struct cell){ .low = from, .high = ends_highest(sweep->out->field) });
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
		.lower = lower, .out = out, .grain = request->grain,
		.points = request->points, .points_count = request->points_count,
		.list = request->list, .count = request->count, .copies = request->copies,
	};
	struct ends *ends = sweep.ends = ends_new(lower, request, out);
	sweep.rest = rest_new(pool, lower, request, ends->uncut, ends->uncut_count);
	if (request->has_screens && ends->uncut_count >= request->screened_least)
		sweep.screens = screens_new(pool, lower, request, ends->uncut, ends->uncut_count);
	out->has_all = request->has_all && ends->uncut_count != 0;
	if (out->has_all)
		sweep.touching = touching_new(pool, lower, field, request->list, ends->uncut, ends->uncut_count);
	sweep.open = order_new(pool, (uint32_t)sweep.count);
	sweep.members = order_new(pool, (uint32_t)sweep.count);
	sweep.unseen = order_new(pool, (uint32_t)sweep.count);
	if (cells_are_pairs(field))
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
	ends_free(sweep.ends);
	return out;
}
