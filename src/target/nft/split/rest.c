/* Long rests are searched by an index over the addresses that cut most of them; units that the index
 * does not tell of are compared one by one, from the nearest on, so that few are looked at where many
 * conflict. */
#include "target/nft/split/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/split/index.h"
#include "target/nft/split/overlap.h"

enum {
	SCANNED_MAX = 24,       /* a rest of more units is searched by an index */
	LOOKS_FOR_A_COPY = 16,
	LOOKS_A_UNIT = 2048,    /* then a checkpoint is taken unseen */
	CONFLICTS_MAX = 8,      /* a leaf that holds more costs about what a checkpoint does */
	CHECKPOINTS_MAX = 16,   /* each is a list of its own */
	CHECKPOINT_LEAST = 128,  /* units between two of them */
};

/* Of one unit. */
struct known {
	uint32_t first, count;
	uint8_t checkpoint;
	bool is_known;
};

struct checkpoint {
	size_t count; /* of the rest's first units */
	uint32_t unit;
	bool is_used;
};

struct rest {
	void *pool;
	struct lower *lower;
	const struct entry *list;
	const uint32_t *positions;
	size_t count;
	uint32_t *outcomes; /* by position in the list */
	bool is_uniform;
	size_t looks; /* that are left */

	bool is_searched; /* has_index is known: an index is made when the first conflicts are asked for */
	bool has_index;
	enum split_field field;       /* of the index */
	struct split_index index;     /* of positions in the list */
	struct index_hits unindexed;  /* positions that the field does not cut */
	struct index_hits hits;

	struct checkpoint checkpoints[CHECKPOINTS_MAX];
	size_t checkpoints_count;
	struct known *known; /* by position in the list */
	uint32_t *found;     /* what `known` counts */
	size_t found_count, found_capacity;
};

/* --- the index ----------------------------------------------------------------------------- */

static size_t count_indexed(const struct rest *rest, enum split_field field)
{
	size_t count = 0;
	for (size_t i = 0; i < rest->count; i++)
		count += cells_cuts(rest->lower, field, rest->list[rest->positions[i]]);
	return count;
}

static void fill_index(struct rest *rest)
{
	for (size_t i = 0; i < rest->count; i++) {
		uint32_t position = rest->positions[i];
		struct entry entry = rest->list[position];
		if (!cells_cuts(rest->lower, rest->field, entry)) {
			*pool_append(rest->pool, &rest->unindexed, values) = position;
			continue;
		}
		const struct interval_set *intervals =
			cells_intervals(&rest->lower->units[entry.unit], rest->field);
		for (size_t k = 0; k < intervals->items_count; k++)
			index_add(rest->pool, &rest->index, intervals->items[k], position);
	}
	index_close(&rest->index);
}

static void make_index(struct rest *rest)
{
	size_t most = rest->count / 2;
	rest->is_searched = true;
	if (rest->is_uniform || rest->count <= SCANNED_MAX)
		return;
	for (enum split_field field = SPLIT_SOURCE4; field <= SPLIT_DESTINATION6; field++) {
		size_t count = count_indexed(rest, field);
		if (count <= most)
			continue;
		most = count;
		rest->field = field;
		rest->has_index = true;
	}
	if (rest->has_index)
		fill_index(rest);
}

/* Does the index tell of this unit? Otherwise the whole rest may conflict with it. */
static bool can_search(const struct rest *rest, uint32_t position)
{
	struct entry entry = rest->list[position];
	return rest->has_index &&
	       (entry_needs(rest->lower, entry) & cells_need(rest->field)) != 0 &&
	       rest->lower->units[entry.unit].family == cells_family(rest->field);
}

/* --- conflicts ----------------------------------------------------------------------------- */

/* Appends the position if its unit must stand before the other. */
static void judge(struct rest *rest, uint32_t position, uint32_t other)
{
	if (position >= other || rest->outcomes[position] == rest->outcomes[other] || rest->looks == 0)
		return;
	rest->looks--;
	if (entries_overlap(rest->lower, rest->list[position], rest->list[other]))
		*pool_append(rest->pool, rest, found) = position;
}

/* How many of the sorted positions stand in front of this one. */
static size_t count_before(const uint32_t *positions, size_t count, uint32_t position)
{
	size_t from = 0;
	while (from < count) {
		size_t middle = from + (count - from) / 2;
		if (positions[middle] < position)
			from = middle + 1;
		else
			count = middle;
	}
	return from;
}

/* From the position backwards, until a checkpoint that ends at `end` is cheaper. */
static void judge_backwards(struct rest *rest, const uint32_t *positions, size_t count, uint32_t position,
			    uint32_t end, const struct known *known)
{
	size_t looks = rest->looks;
	for (size_t i = count_before(positions, count, position); i > 0 && rest->looks != 0; i--) {
		bool is_enough = rest->found_count - known->first > CONFLICTS_MAX ||
				 looks - rest->looks > LOOKS_A_UNIT;
		if (is_enough && positions[i - 1] < end)
			return;
		judge(rest, positions[i - 1], position);
	}
}

static void judge_hits(struct rest *rest, uint32_t position)
{
	const struct unit *unit = &rest->lower->units[rest->list[position].unit];
	const struct interval_set *intervals = cells_intervals(unit, rest->field);
	rest->hits.values_count = 0;
	for (size_t i = 0; i < intervals->items_count; i++)
		index_find(rest->pool, &rest->index, intervals->items[i], &rest->hits);
	for (size_t i = 0; i < rest->hits.values_count; i++)
		judge(rest, rest->hits.values[i], position);
}

/* The last checkpoint that ends in front of the position; 0: none. */
static size_t checkpoint_before(const struct rest *rest, uint32_t position)
{
	size_t number = rest->checkpoints_count;
	while (number != 0 && rest_checkpoint_end(rest, number) > position)
		number--;
	return number;
}

/* Keeps of what was found what the checkpoint does not stand for. */
static void leave_to_checkpoint(struct rest *rest, struct known *known, size_t checkpoint)
{
	uint32_t end = rest_checkpoint_end(rest, checkpoint);
	size_t kept = known->first;
	for (size_t i = known->first; i < rest->found_count; i++)
		if (rest->found[i] >= end)
			rest->found[kept++] = rest->found[i];
	rest->found_count = kept;
	known->checkpoint = (uint8_t)checkpoint;
}

static void find_conflicts(struct rest *rest, uint32_t position, struct known *known)
{
	size_t checkpoint = checkpoint_before(rest, position), looks = rest->looks;
	uint32_t end = checkpoint == 0 ? 0 : rest_checkpoint_end(rest, checkpoint);
	*known = (struct known){ .first = (uint32_t)rest->found_count, .is_known = true };
	bool is_searched = can_search(rest, position);
	if (is_searched)
		judge_hits(rest, position);
	judge_backwards(rest, is_searched ? rest->unindexed.values : rest->positions,
			is_searched ? rest->unindexed.values_count : rest->count, position, end, known);
	bool is_much = rest->found_count - known->first > CONFLICTS_MAX || looks - rest->looks > LOOKS_A_UNIT;
	if (checkpoint != 0 && is_much)
		leave_to_checkpoint(rest, known, checkpoint);
	known->count = (uint32_t)(rest->found_count - known->first);
}

bool rest_conflicts(struct rest *rest, uint32_t position, struct conflicts *conflicts)
{
	struct known *known = &rest->known[position];
	if (!rest->is_searched)
		make_index(rest);
	if (!known->is_known)
		find_conflicts(rest, position, known);
	const uint32_t *positions = known->count == 0 ? NULL : rest->found + known->first;
	*conflicts = (struct conflicts){ positions, known->count, known->checkpoint };
	return rest->looks != 0;
}

/* --- checkpoints --------------------------------------------------------------------------- */

uint32_t rest_checkpoint_end(const struct rest *rest, size_t checkpoint)
{
	return rest->positions[rest->checkpoints[checkpoint - 1].count - 1] + 1;
}

struct entry rest_checkpoint(struct rest *rest, size_t checkpoint)
{
	struct checkpoint *point = &rest->checkpoints[checkpoint - 1];
	struct lower *lower = rest->lower;
	if (!point->is_used) {
		const struct tail *tail = tail_of_list(lower, cost_lookup(LOOKUP_INTERVAL, point->count));
		point->is_used = true;
		point->unit = (uint32_t)lower->units_count;
		*pool_append(lower->scratch, lower, units) = (struct unit){ .tail = tail, .family = FAMILIES_BOTH };
	}
	return (struct entry){ point->unit, 0 };
}

static void place_checkpoints(struct rest *rest)
{
	size_t step = rest->count / CHECKPOINTS_MAX;
	step = step < CHECKPOINT_LEAST ? CHECKPOINT_LEAST : step;
	for (size_t count = step; count <= rest->count && rest->checkpoints_count < CHECKPOINTS_MAX; count += step)
		rest->checkpoints[rest->checkpoints_count++].count = count;
}

void rest_keep(const struct rest *rest, struct cells *cells)
{
	cells->rest = pool_array(cells->pool, struct entry, rest->count);
	cells->rest_count = rest->count;
	for (size_t i = 0; i < rest->count; i++)
		cells->rest[i] = rest->list[rest->positions[i]];
	cells->checkpoints = pool_array(cells->pool, struct cells_checkpoint, rest->checkpoints_count);
	for (size_t i = 0; i < rest->checkpoints_count; i++)
		if (rest->checkpoints[i].is_used)
			cells->checkpoints[cells->checkpoints_count++] = (struct cells_checkpoint){
				rest->checkpoints[i].unit, 0, rest->checkpoints[i].count,
			};
}

/* --- the rest ------------------------------------------------------------------------------ */

static void read_outcomes(struct rest *rest, size_t count)
{
	rest->outcomes = pool_array(rest->pool, uint32_t, count);
	rest->is_uniform = true;
	for (size_t i = 0; i < count; i++) {
		rest->outcomes[i] = rest->lower->units[rest->list[i].unit].tail->outcome;
		rest->is_uniform = rest->is_uniform && rest->outcomes[i] == rest->outcomes[0];
	}
}

struct rest *rest_new(void *pool, struct lower *lower, const struct cut_request *request,
		      const uint32_t *positions, size_t count)
{
	struct rest *rest = pool_new(pool, struct rest);
	*rest = (struct rest){
		.pool = pool, .lower = lower, .list = request->list, .positions = positions, .count = count,
		.looks = request->copies * LOOKS_FOR_A_COPY,
	};
	read_outcomes(rest, request->count);
	if (rest->is_uniform)
		return rest;
	rest->known = pool_array(pool, struct known, request->count);
	if (request->has_checkpoints)
		place_checkpoints(rest);
	return rest;
}

bool rest_is_uniform(const struct rest *rest)
{
	return rest->is_uniform;
}
