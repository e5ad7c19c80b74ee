/* One sweep along the field: end points sorted, the open units in an ordered set. At each cell the
 * open units are read in order, up to the first that decides about every packet in the cell.
 *
 * Which units of the rest a leaf needs: let L be the last unit of the leaf that is cut by the field,
 * and B the last one before it, of any kind, whose outcome differs from L's. Units of the rest
 * behind B may be left out: whatever follows them in the leaf has their own outcome. Those before B
 * must stand in the leaf. A list whose units all allow therefore copies nothing. */
#include "target/nft/split_cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/split_order.h"

/* A unit with more intervals is not cut: a lookup in its own set is cheaper to load. */
#define CUT_INTERVALS_MAX 1024

struct event {
	number128 key;
	uint32_t position;
	bool is_end; /* key is the first value behind the interval */
};

struct sweep {
	struct lower *lower;
	struct cells *out;
	const struct entry *list;
	size_t count;
	size_t copies; /* what may still be copied */
	bool is_over;

	struct event *events;
	size_t events_count, events_capacity;
	uint32_t *rest; /* positions of the units that are not cut */
	uint32_t *rest_other; /* for each of them: index + 1 of the nearest earlier with another outcome */
	size_t rest_count;
	struct order open;
	struct memo leaf_memo;
	struct entry *leaf; /* the leaf under construction */
	size_t leaf_count, leaf_capacity;
};

/* --- what the field is to a unit -------------------------------------------------------------- */

static bool is_address_field(enum split_field field)
{
	return field >= SPLIT_SOURCE4;
}

static unsigned field_family(enum split_field field)
{
	return field == SPLIT_SOURCE4 || field == SPLIT_DESTINATION4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

static uint32_t field_need(enum split_field field)
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
	}
	return 0;
}

static const struct interval_set *unit_intervals(const struct unit *unit, enum split_field field)
{
	return field_need(field) == NEED_SOURCE ? unit->source : unit->destination;
}

static const struct interface_set *unit_names(const struct unit *unit, enum split_field field)
{
	return field == SPLIT_IN ? unit->in : unit->out;
}

bool cells_cuts(const struct lower *lower, enum split_field field, struct entry entry)
{
	const struct unit *unit = &lower->units[entry.unit];
	if ((entry_needs(lower, entry) & field_need(field)) == 0)
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
		return unit->family == field_family(field) &&
		       unit_intervals(unit, field)->items_count <= CUT_INTERVALS_MAX;
	}
	return false;
}

/* What must not be asked again of a packet that is in a cell of the unit. */
static uint32_t done_in_cell(enum split_field field)
{
	return field_need(field) | (is_address_field(field) ? NEED_FAMILY : 0u);
}

/* --- a unit of the rest in a cell -------------------------------------------------------------- */

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
	if ((unit->family & field_family(field)) == 0)
		return HOLDS_NOWHERE;
	if ((needs & field_need(field)) == 0)
		return HOLDS;
	struct interval interval = { cell->low, cell->high };
	struct interval_set one = { &interval, 1, 1 };
	const struct interval_set *intervals = unit_intervals(unit, field);
	if (!interval_set_overlaps(intervals, &one))
		return HOLDS_NOWHERE;
	return interval_set_includes(intervals, &one) ? HOLDS : HOLDS_PARTLY;
}

/* Does the unit of the rest hold in the cell; if so, what does it still ask there? */
static bool rest_in_cell(const struct sweep *sweep, struct entry *entry, const struct cell *cell)
{
	const struct unit *unit = &sweep->lower->units[entry->unit];
	enum split_field field = sweep->out->field;
	uint32_t needs = entry_needs(sweep->lower, *entry);
	enum holding holding = HOLDS;
	if (is_address_field(field))
		holding = addresses_in_cell(unit, field, needs, cell);
	else if ((needs & field_need(field)) == 0)
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

/* --- leaves ---------------------------------------------------------------------------------- */

static uint32_t outcome_at(const struct sweep *sweep, uint32_t position)
{
	return sweep->lower->units[sweep->list[position].unit].tail->outcome;
}

static void leaf_add(struct sweep *sweep, struct entry entry)
{
	*pool_append(sweep->out->pool, sweep, leaf) = entry;
	if (sweep->copies == 0)
		sweep->is_over = true;
	else
		sweep->copies--;
}

/* The number of units of the rest that stand before the position. */
static size_t rest_before(const struct sweep *sweep, uint32_t position)
{
	size_t low = 0, high = sweep->rest_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sweep->rest[middle] < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many units of the rest must be considered in a leaf whose last cut unit is `last` and whose
 * last cut unit of another outcome is `other` (ORDER_END: none). */
static size_t rest_wanted(const struct sweep *sweep, uint32_t last, uint32_t other)
{
	size_t before = rest_before(sweep, last);
	if (before == 0)
		return 0;
	size_t conflicting = before; /* index + 1 of the nearest with another outcome than last */
	if (outcome_at(sweep, sweep->rest[before - 1]) == outcome_at(sweep, last))
		conflicting = sweep->rest_other[before - 1];
	size_t before_other = other == ORDER_END ? 0 : rest_before(sweep, other);
	return conflicting > before_other ? conflicting : before_other;
}

/* Adds units of the rest that stand before the position; true where one of them decides. */
static bool add_rest(struct sweep *sweep, size_t *at, size_t wanted, uint32_t position,
		     const struct cell *cell)
{
	for (; *at < wanted && sweep->rest[*at] < position; (*at)++) {
		struct entry entry = sweep->list[sweep->rest[*at]];
		if (sweep->copies > 0)
			sweep->copies--; /* looking is work, too */
		else
			sweep->is_over = true;
		if (sweep->is_over)
			return true;
		if (!rest_in_cell(sweep, &entry, cell))
			continue;
		leaf_add(sweep, entry);
		if (entry_is_final(sweep->lower, entry))
			return true;
	}
	return false;
}

static struct entry cut_entry(const struct sweep *sweep, uint32_t position)
{
	struct entry entry = sweep->list[position];
	entry.done |= done_in_cell(sweep->out->field) &
		      sweep->lower->units[entry.unit].needs;
	return entry;
}

/* The last open unit that counts (the first that decides, else the last), and the last before it
 * with another outcome. */
static uint32_t find_last(struct sweep *sweep, uint32_t *other)
{
	uint32_t last = ORDER_END;
	*other = ORDER_END;
	uint32_t position = order_next(&sweep->open, 0);
	for (; position != ORDER_END; position = order_next(&sweep->open, position + 1)) {
		if (last != ORDER_END && outcome_at(sweep, last) != outcome_at(sweep, position))
			*other = last;
		last = position;
		if (entry_is_final(sweep->lower, cut_entry(sweep, position)))
			break;
	}
	return last;
}

static void make_leaf(struct sweep *sweep, const struct cell *cell)
{
	uint32_t other;
	sweep->leaf_count = 0;
	uint32_t last = find_last(sweep, &other);
	size_t wanted = rest_wanted(sweep, last, other), at = 0;
	uint32_t position = order_next(&sweep->open, 0);
	for (; position != ORDER_END && !sweep->is_over;
	     position = order_next(&sweep->open, position + 1)) {
		if (add_rest(sweep, &at, wanted, position, cell))
			return;
		leaf_add(sweep, cut_entry(sweep, position));
		if (position == last)
			return;
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
	*pool_append(out->pool, out, leaves) = (struct leaf){ out->entries_count, sweep->leaf_count };
	size_t wanted = out->entries_count + sweep->leaf_count;
	out->entries = pool_grow(out->pool, out->entries, &out->entries_capacity, wanted,
				 sizeof *out->entries);
	memcpy(out->entries + out->entries_count, sweep->leaf,
	       sweep->leaf_count * sizeof *sweep->leaf);
	out->entries_count = wanted;
	return number;
}

/* --- events ---------------------------------------------------------------------------------- */

static number128 field_highest(enum split_field field)
{
	if (field == SPLIT_SOURCE6 || field == SPLIT_DESTINATION6)
		return family_highest(FAMILY_IPV6);
	return is_address_field(field) ? family_highest(FAMILY_IPV4) : (number128)UINT32_MAX;
}

static void add_interval(struct sweep *sweep, uint32_t position, number128 low, number128 high)
{
	void *pool = sweep->out->pool;
	*pool_append(pool, sweep, events) = (struct event){ low, position, false };
	if (high < field_highest(sweep->out->field))
		*pool_append(pool, sweep, events) = (struct event){ high + 1, position, true };
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

static void add_unit_events(struct sweep *sweep, uint32_t position)
{
	const struct unit *unit = &sweep->lower->units[sweep->list[position].unit];
	enum split_field field = sweep->out->field;
	if (field == SPLIT_IN || field == SPLIT_OUT) {
		add_name_events(sweep, position, unit_names(unit, field));
	} else if (is_address_field(field)) {
		const struct interval_set *intervals = unit_intervals(unit, field);
		for (size_t i = 0; i < intervals->items_count; i++)
			add_interval(sweep, position, intervals->items[i].low,
				     intervals->items[i].high);
	} else {
		const struct service_group *group = &sweep->lower->groups[unit->group];
		for (size_t i = 0; i < group->tuples_count; i++) {
			number128 protocol = (number128)group->tuples[i].protocol << 16;
			add_interval(sweep, position, protocol | group->tuples[i].first.low,
				     protocol | group->tuples[i].first.high);
		}
	}
}

/* Ends before beginnings: intervals of one unit may meet. */
static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (int)b->is_end - (int)a->is_end;
}

static void add_events(struct sweep *sweep)
{
	void *pool = sweep->out->pool;
	sweep->rest = pool_array(pool, uint32_t, sweep->count);
	sweep->rest_other = pool_array(pool, uint32_t, sweep->count);
	for (uint32_t i = 0; i < sweep->count; i++) {
		if (cells_cuts(sweep->lower, sweep->out->field, sweep->list[i])) {
			add_unit_events(sweep, i);
			continue;
		}
		size_t at = sweep->rest_count++;
		sweep->rest[at] = i;
		if (at != 0)
			sweep->rest_other[at] = outcome_at(sweep, sweep->rest[at - 1]) ==
							outcome_at(sweep, i)
						? sweep->rest_other[at - 1] : (uint32_t)at;
	}
	if (sweep->events_count != 0)
		qsort(sweep->events, sweep->events_count, sizeof *sweep->events, compare_events);
}

/* --- the sweep ---------------------------------------------------------------------------------- */

/* Joined where nothing lies between and nothing differs; names and protocols stay apart. */
static bool can_extend(const struct sweep *sweep, const struct cell *next)
{
	const struct cells *out = sweep->out;
	if (out->cells_count == 0 || out->field == SPLIT_IN || out->field == SPLIT_OUT)
		return false;
	const struct cell *last = &out->cells[out->cells_count - 1];
	if (!is_address_field(out->field) && last->high >> 16 != next->low >> 16)
		return false;
	return last->leaf == next->leaf && last->high + 1 == next->low;
}

static void add_cell(struct sweep *sweep, number128 low, number128 high)
{
	struct cell cell = { .low = low, .high = high };
	make_leaf(sweep, &cell);
	if (sweep->is_over || sweep->leaf_count == 0)
		return;
	cell.leaf = keep_leaf(sweep);
	if (can_extend(sweep, &cell))
		sweep->out->cells[sweep->out->cells_count - 1].high = high;
	else
		*pool_append(sweep->out->pool, sweep->out, cells) = cell;
}

static void run(struct sweep *sweep)
{
	sweep->open = order_new(sweep->out->pool, (uint32_t)sweep->count);
	number128 from = 0;
	for (size_t i = 0; i < sweep->events_count && !sweep->is_over; i++) {
		const struct event *event = &sweep->events[i];
		if (event->key != from && sweep->open.count != 0)
			add_cell(sweep, from, event->key - 1);
		from = event->key;
		if (event->is_end)
			order_remove(&sweep->open, event->position);
		else
			order_add(&sweep->open, event->position);
	}
	if (sweep->open.count != 0 && !sweep->is_over)
		add_cell(sweep, from, field_highest(sweep->out->field));
}

static void keep_rest(struct sweep *sweep)
{
	struct cells *out = sweep->out;
	out->rest = pool_array(out->pool, struct entry, sweep->rest_count);
	out->rest_count = sweep->rest_count;
	for (size_t i = 0; i < sweep->rest_count; i++)
		out->rest[i] = sweep->list[sweep->rest[i]];
}

struct cells *cells_new(struct lower *lower, enum split_field field, const struct entry *list,
			size_t count, size_t copies)
{
	void *pool = pool_child(lower->scratch, "cells");
	struct cells *out = pool_new(pool, struct cells);
	*out = (struct cells){ .pool = pool, .field = field };
	struct sweep sweep = {
		.lower = lower, .out = out, .list = list, .count = count, .copies = copies,
	};
	if (field == SPLIT_IN || field == SPLIT_OUT)
		collect_names(&sweep);
	add_events(&sweep);
	run(&sweep);
	if (sweep.is_over || out->cells_count == 0) {
		talloc_free(pool);
		return NULL;
	}
	keep_rest(&sweep);
	talloc_free(sweep.events);
	return out;
}
