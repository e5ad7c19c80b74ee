/* Units of the rest that share a packet with the screened one are looked at from the nearest to the first: one is
 * needed if it decides otherwise than the screened one, or than one behind it that is needed and that it meets. */
#include "target/nft/split/screen.h"

#include <stdlib.h>

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/emit/emit.h"
#include "target/nft/split/cover.h"
#include "target/nft/split/index.h"
#include "target/nft/split/overlap.h"

enum {
	LOOKS_FOR_A_COPY = 24,
	SCANNED_MOST = 256,  /* units that no index tells of; with more, a checkpoint is taken */
	NEEDED_MOST = 12,    /* likewise */
	CHECKPOINTS_MOST = 16,
	CHECKPOINT_LEAST = 128, /* units between two of them */
	FINE_MOST = 8,          /* of parts behind a checkpoint */
	FINE_LEAST = 24,
	SIDES = 2,
};

/* Units of the rest that are found by one field: positions in the list, in order. Those with the outcome of the
 * list's first unit have an index of their own, since most units meet none of another outcome. */
struct side {
	enum split_field field;
	struct split_index as_first, others;
	struct index_hits positions;
};

struct checkpoint {
	size_t first, count; /* units of the rest */
	uint32_t unit;
	bool is_used;
};

struct known {
	uint32_t screen;
	bool is_known;
};

struct screens {
	void *pool;
	struct lower *lower;
	const struct entry *list;
	const uint32_t *positions;
	size_t count;
	bool is_uniform;
	size_t copies, looks;     /* that are left */
	bool is_opposed;          /* only units of other outcomes are looked for */
	struct side sides[SIDES]; /* a unit stands in the first that tells of it */
	struct index_hits others;
	struct index_hits met;    /* positions of units that share a packet with the screened one */
	struct index_hits needed; /* from the last to the first */
	/* the first of each row for all units in front of it; the others for the first ones behind */
	struct checkpoint checkpoints[CHECKPOINTS_MOST + 1][FINE_MOST];
	size_t step, fine; /* units between two rows, and within one; step 0: none */
	struct known *known; /* by position in the list */
	struct cells_screen *screens;
	size_t screens_count, screens_capacity;
	struct entry *entries;
	size_t entries_count, entries_capacity;
};

/* --- the rest ----------------------------------------------------------------------------- */

static uint32_t outcome_of(const struct screens *screens, uint32_t position)
{
	return screens->lower->units[screens->list[position].unit].tail->outcome;
}

static bool has_first_outcome(const struct screens *screens, uint32_t position)
{
	return outcome_of(screens, position) == outcome_of(screens, 0);
}

static void add_to_side(struct screens *screens, struct side *side, uint32_t position)
{
	const struct unit *unit = &screens->lower->units[screens->list[position].unit];
	const struct interval_set *intervals = cells_intervals(unit, side->field);
	struct split_index *index = has_first_outcome(screens, position) ? &side->as_first : &side->others;
	for (size_t i = 0; i < intervals->items_count; i++)
		index_add(screens->pool, index, intervals->items[i], position);
	*pool_append(screens->pool, &side->positions, values) = position;
}

static void sort_rest(struct screens *screens)
{
	for (size_t i = 0; i < screens->count; i++) {
		uint32_t position = screens->positions[i];
		size_t side = 0;
		struct entry entry = screens->list[position];
		while (side < SIDES && !cells_cuts(screens->lower, screens->sides[side].field, entry))
			side++;
		if (side < SIDES)
			add_to_side(screens, &screens->sides[side], position);
		else
			*pool_append(screens->pool, &screens->others, values) = position;
	}
	for (size_t side = 0; side < SIDES; side++) {
		index_close(&screens->sides[side].as_first);
		index_close(&screens->sides[side].others);
	}
}

static bool is_uniform(const struct screens *screens, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (outcome_of(screens, (uint32_t)i) != outcome_of(screens, 0))
			return false;
	return true;
}

/* Of a rest of several kinds a checkpoint would be a list as hard as this one. */
static void place_checkpoints(struct screens *screens)
{
	if (screens->sides[0].positions.values_count != 0 && screens->sides[1].positions.values_count != 0)
		return;
	screens->step = (screens->count + CHECKPOINTS_MOST - 1) / CHECKPOINTS_MOST;
	screens->step = screens->step < CHECKPOINT_LEAST ? CHECKPOINT_LEAST : screens->step;
	screens->fine = (screens->step + FINE_MOST - 1) / FINE_MOST;
	screens->fine = screens->fine < FINE_LEAST ? FINE_LEAST : screens->fine;
	for (size_t i = 0; i * screens->step <= screens->count; i++) {
		screens->checkpoints[i][0].count = i * screens->step;
		for (size_t k = 1; k * screens->fine < screens->step; k++)
			screens->checkpoints[i][k] = (struct checkpoint){
				.first = i * screens->step, .count = k * screens->fine,
			};
	}
}

struct screens *screens_new(void *pool, struct lower *lower, const struct cut_request *request,
			  const uint32_t *positions, size_t count)
{
	struct screens *screens = pool_new(pool, struct screens);
	bool is_ipv4 = cells_family(request->field) == FAMILIES_IPV4;
	*screens = (struct screens){
		.pool = pool, .lower = lower, .list = request->list, .positions = positions, .count = count,
		.copies = request->copies, .looks = request->copies * LOOKS_FOR_A_COPY,
		.sides[0].field = is_ipv4 ? SPLIT_DESTINATION4 : SPLIT_DESTINATION6,
		.sides[1].field = is_ipv4 ? SPLIT_SOURCE4 : SPLIT_SOURCE6,
	};
	screens->is_uniform = is_uniform(screens, request->count);
	if (screens->is_uniform)
		return screens;
	screens->known = pool_array(pool, struct known, request->count);
	sort_rest(screens);
	place_checkpoints(screens);
	return screens;
}

/* --- what meets a unit -------------------------------------------------------------------- */

static bool overlaps(struct screens *screens, uint32_t a, uint32_t b)
{
	screens->looks -= screens->looks != 0;
	return entries_overlap(screens->lower, screens->list[a], screens->list[b]);
}

/* How many of the sorted positions stand in front of this one. */
static size_t count_before(const uint32_t *positions, size_t count, uint32_t position)
{
	size_t from = 0, to = count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (positions[middle] < position)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static size_t hits_before(const struct index_hits *positions, uint32_t position)
{
	return count_before(positions->values, positions->values_count, position);
}

static bool can_search(const struct screens *screens, const struct side *side, uint32_t position)
{
	struct entry entry = screens->list[position];
	return (entry_needs(screens->lower, entry) & cells_need(side->field)) != 0 &&
	       screens->lower->units[entry.unit].family == cells_family(side->field);
}

static size_t count_scanned(const struct screens *screens, uint32_t position)
{
	size_t count = hits_before(&screens->others, position);
	for (size_t i = 0; i < SIDES; i++)
		if (!can_search(screens, &screens->sides[i], position))
			count += hits_before(&screens->sides[i].positions, position);
	return count;
}

static void meet(struct screens *screens, uint32_t other, uint32_t from, uint32_t position)
{
	if (screens->is_opposed && outcome_of(screens, other) == outcome_of(screens, position))
		return;
	if (other >= from && other < position && overlaps(screens, other, position))
		*pool_append(screens->pool, &screens->met, values) = other;
}

static void scan(struct screens *screens, const struct index_hits *positions, uint32_t from, uint32_t position)
{
	for (size_t i = hits_before(positions, position); i > 0 && positions->values[i - 1] >= from; i--)
		meet(screens, positions->values[i - 1], from, position);
}

static void search(struct screens *screens, const struct side *side, uint32_t from, uint32_t position)
{
	const struct unit *unit = &screens->lower->units[screens->list[position].unit];
	const struct interval_set *intervals = cells_intervals(unit, side->field);
	struct index_hits *hits = &screens->needed; /* not yet in use */
	bool may_be_as_first = !screens->is_opposed || !has_first_outcome(screens, position);
	hits->values_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++) {
		if (may_be_as_first)
			index_find(screens->pool, &side->as_first, intervals->items[i], hits);
		index_find(screens->pool, &side->others, intervals->items[i], hits);
	}
	for (size_t i = 0; i < hits->values_count; i++)
		meet(screens, hits->values[i], from, position);
}

static int compare_down(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;
	return (*a < *b) - (*a > *b);
}

/* Those in front of the position that do not stand in front of `from`, from the last to the first. */
static void find_met(struct screens *screens, uint32_t from, uint32_t position)
{
	screens->met.values_count = 0;
	scan(screens, &screens->others, from, position);
	for (size_t i = 0; i < SIDES; i++) {
		if (can_search(screens, &screens->sides[i], position))
			search(screens, &screens->sides[i], from, position);
		else
			scan(screens, &screens->sides[i].positions, from, position);
	}
	if (screens->met.values_count != 0)
		qsort(screens->met.values, screens->met.values_count, sizeof *screens->met.values, compare_down);
}

static bool is_needed(struct screens *screens, uint32_t other, uint32_t position)
{
	uint32_t outcome = outcome_of(screens, other);
	if (outcome != outcome_of(screens, position))
		return true;
	for (size_t i = 0; i < screens->needed.values_count; i++)
		if (outcome_of(screens, screens->needed.values[i]) != outcome &&
		    overlaps(screens, screens->needed.values[i], other))
			return true;
	return false;
}

static void find_needed(struct screens *screens, uint32_t from, uint32_t position)
{
	screens->is_opposed = true; /* most units meet none */
	find_met(screens, from, position);
	screens->is_opposed = false;
	if (screens->met.values_count != 0)
		find_met(screens, from, position);
	screens->needed.values_count = 0;
	for (size_t i = 0; i < screens->met.values_count; i++) {
		bool is_known = i != 0 && screens->met.values[i] == screens->met.values[i - 1];
		if (!is_known && is_needed(screens, screens->met.values[i], position))
			*pool_append(screens->pool, &screens->needed, values) = screens->met.values[i];
	}
}

/* --- checkpoints -------------------------------------------------------------------------- */

/* Those that checkpoints stand for; 0: there are none. */
static size_t checked_before(const struct screens *screens, uint32_t position)
{
	size_t before = count_before(screens->positions, screens->count, position);
	if (screens->step == 0)
		return 0;
	size_t behind = before % screens->step;
	return before - behind + behind / screens->fine * screens->fine;
}

static struct entry use_checkpoint(struct screens *screens, struct checkpoint *checkpoint)
{
	struct lower *lower = screens->lower;
	if (!checkpoint->is_used) {
		const struct tail *tail = tail_of_list(lower, cost_lookup(LOOKUP_INTERVAL, checkpoint->count));
		checkpoint->is_used = true;
		checkpoint->unit = (uint32_t)lower->units_count;
		*pool_append(lower->scratch, lower, units) = (struct unit){ .tail = tail, .family = FAMILIES_BOTH };
	}
	return (struct entry){ checkpoint->unit, 0 };
}

/* --- the screen ---------------------------------------------------------------------------- */

/* What the entry needs not ask of a packet that the other one matches. */
static struct entry narrowed(const struct screens *screens, struct entry entry, struct entry inner)
{
	const struct lower *lower = screens->lower;
	const struct unit *unit = &lower->units[entry.unit], *other = &lower->units[inner.unit];
	uint32_t both = entry_needs(lower, entry) & other->needs;
	uint32_t done = entry_needs(lower, entry) & NEED_FAMILY;
	if ((both & NEED_SOURCE) != 0 && interval_set_includes(unit->source, other->source))
		done |= NEED_SOURCE;
	if ((both & NEED_DESTINATION) != 0 && interval_set_includes(unit->destination, other->destination))
		done |= NEED_DESTINATION;
	const struct service_group *group = &lower->groups[unit->group];
	if ((both & NEED_SERVICE) != 0 && service_group_includes(group, &lower->groups[other->group]))
		done |= NEED_SERVICE;
	return (struct entry){ entry.unit, entry.done | done };
}

static void add_entry(struct screens *screens, struct cells_screen *screen, struct entry entry)
{
	*pool_append(screens->pool, screens, entries) = entry;
	screen->count++;
}

/* The checkpoints that stand for the first units of the rest, so many. */
static void add_checkpoints(struct screens *screens, struct cells_screen *screen, size_t checked)
{
	size_t row = screens->step == 0 ? 0 : checked / screens->step;
	size_t place = screens->step == 0 ? 0 : checked % screens->step / screens->fine;
	struct checkpoint *whole = &screens->checkpoints[row][0], *part = &screens->checkpoints[row][place];
	struct checkpoint *used[] = { row == 0 ? NULL : whole, place == 0 ? NULL : part };
	for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
		if (used[i] == NULL)
			continue;
		add_entry(screens, screen, use_checkpoint(screens, used[i]));
		screen->cost += cost_lookup(LOOKUP_INTERVAL, used[i]->count);
	}
}

/* Its number. */
static uint32_t make_screen(struct screens *screens, uint32_t position, size_t checked)
{
	struct entry own = screens->list[position];
	struct cells_screen screen = { .unit = own.unit, .first = screens->entries_count, .cost = COST_JUMP };
	add_checkpoints(screens, &screen, checked);
	for (size_t i = screens->needed.values_count; i > 0; i--) {
		struct entry entry = narrowed(screens, screens->list[screens->needed.values[i - 1]], own);
		add_entry(screens, &screen, entry);
		screen.cost += emit_cost(screens->lower, entry);
	}
	own.done |= screens->lower->units[own.unit].needs;
	add_entry(screens, &screen, own);
	*pool_append(screens->pool, screens, screens) = screen;
	return (uint32_t)screens->screens_count;
}

/* Finds what is needed behind checkpoints, or all; gives how many units of the rest checkpoints stand for. */
static size_t find_behind_checkpoints(struct screens *screens, uint32_t position)
{
	size_t checked = checked_before(screens, position);
	bool is_much = checked != 0 && count_scanned(screens, position) > SCANNED_MOST;
	if (!is_much)
		find_needed(screens, 0, position);
	if (!is_much && (checked == 0 || screens->needed.values_count <= NEEDED_MOST))
		return 0;
	find_needed(screens, screens->positions[checked - 1] + 1, position);
	return checked;
}

bool screens_find(struct screens *screens, uint32_t position, uint32_t *screen)
{
	*screen = 0;
	if (screens->is_uniform)
		return true;
	struct known *known = &screens->known[position];
	if (!known->is_known) {
		size_t checked = find_behind_checkpoints(screens, position), copies = screens->needed.values_count;
		if (screens->looks == 0 || copies > screens->copies)
			return false;
		screens->copies -= copies;
		known->is_known = true;
		known->screen = checked + copies == 0 ? 0 : make_screen(screens, position, checked);
	}
	*screen = known->screen;
	return true;
}

static void keep_checkpoint(struct cells *cells, const struct checkpoint *checkpoint)
{
	if (checkpoint->is_used)
		*pool_append(cells->pool, cells, checkpoints) = (struct cells_checkpoint){
			checkpoint->unit, checkpoint->first, checkpoint->count,
		};
}

void screens_keep(const struct screens *screens, struct cells *cells)
{
	cells->screens = screens->screens;
	cells->screens_count = screens->screens_count;
	cells->screen_entries = screens->entries;
	cells->checkpoints = NULL;
	cells->checkpoints_count = cells->checkpoints_capacity = 0;
	for (size_t i = 0; i <= CHECKPOINTS_MOST; i++)
		for (size_t k = 0; k < FINE_MOST; k++)
			keep_checkpoint(cells, &screens->checkpoints[i][k]);
}
