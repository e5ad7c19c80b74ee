#include "target/nft/walk/start.h"

#include <string.h>

#include "base/pool.h"

#define PROTOCOL_WORDS 4u

struct walk_begun {
	uint8_t families;
	struct walk_protocols protocols;
	struct walk_literal *literals;
	size_t literals_count;
	const struct walk_part *parts; /* none where the literals say all of them */
	size_t parts_count;
	const struct walk_registers *registers; /* or NULL */
};

const struct walk_piece walk_start_nothing = { {
	{ DIAGRAM_HIGHEST, 0 }, { DIAGRAM_HIGHEST, 0 }, { DIAGRAM_HIGHEST, 0 }, { DIAGRAM_HIGHEST, 0 },
} };

static struct walk_literal kept_literal(struct walk *walk, const struct walk_literal *literal)
{
	struct walk_literal kept = *literal;
	size_t size = literal->values.items_count * sizeof *literal->values.items;
	kept.values.items = arena_copy(walk->arena, literal->values.items, size);
	return kept;
}

static struct walk_begun kept_way(struct walk *walk, const struct walk_path *path, bool has_registers)
{
	struct walk_begun begun = { .families = path->families, .protocols = path->protocols,
				    .literals_count = path->literals_count };
	begun.literals = arena_array(walk->arena, struct walk_literal, path->literals_count);
	for (size_t i = 0; i < path->literals_count; i++)
		begun.literals[i] = kept_literal(walk, &path->literals[i]);
	if (walk_path_has_untold(path)) {
		begun.parts_count = path->parts_count;
		begun.parts = arena_copy(walk->arena, path->parts, path->parts_count * sizeof *path->parts);
	}
	if (has_registers)
		begun.registers = arena_copy(walk->arena, &path->registers, sizeof path->registers);
	return begun;
}

void walk_start_keep(struct walk *walk, struct walk_start *start, const struct walk_paths *paths,
		     bool has_registers)
{
	start->ways = arena_array(walk->arena, struct walk_begun, paths->items_count);
	start->ways_count = paths->items_count;
	for (size_t i = 0; i < paths->items_count; i++)
		start->ways[i] = kept_way(walk, &paths->items[i], has_registers);
}

static bool way_meets(const struct walk *walk, const struct walk_begun *begun)
{
	uint64_t any = 0;
	if ((begun->families & walk->families) == 0)
		return false;
	for (unsigned i = 0; i < PROTOCOL_WORDS; i++)
		any |= begun->protocols.bits[i] & walk->space->protocols[i];
	for (size_t i = 0; i < begun->literals_count && any != 0; i++) {
		const struct walk_literal *literal = &begun->literals[i];
		if (!walk_space_meets(walk->space, literal->rank, &literal->values, literal->highest))
			return false;
	}
	return any != 0;
}

bool walk_start_meets(const struct walk *walk, const struct walk_start *start)
{
	for (size_t i = 0; i < start->ways_count; i++)
		if (way_meets(walk, &start->ways[i]))
			return true;
	return false;
}

void walk_start_resume(struct walk *walk, const struct walk_start *start, struct walk_paths *paths)
{
	for (size_t i = 0; i < start->ways_count; i++) {
		const struct walk_begun *begun = &start->ways[i];
		if (!way_meets(walk, begun))
			continue;
		struct walk_path *path = pool_append(walk->scratch, paths, items);
		walk_path_begin(walk, path);
		path->families &= begun->families;
		walk_path_protocols(path, &begun->protocols);
		path->literals_count = begun->literals_count;
		memcpy(path->literals, begun->literals, begun->literals_count * sizeof *begun->literals);
		path->parts_count = begun->parts_count;
		if (begun->parts_count != 0)
			memcpy(path->parts, begun->parts, begun->parts_count * sizeof *begun->parts);
		if (begun->registers != NULL)
			path->registers = *begun->registers;
	}
}

/* --- all ways of several rules ---------------------------------------------------------------------- */

static void widen_row(struct interval *row, number128 low, number128 high)
{
	row->low = low < row->low ? low : row->low;
	row->high = high > row->high ? high : row->high;
}

/* What reaches a field's highest value has no end (walk_choose). */
static void widen_by_field(const struct walk *walk, const struct walk_begun *begun, enum walk_field field,
			   struct interval *row)
{
	const uint32_t rank = walk_rank(walk->space, field);
	for (size_t i = 0; i < begun->literals_count; i++) {
		const struct interval_set *values = &begun->literals[i].values;
		if (begun->literals[i].rank != rank)
			continue;
		number128 high = values->items[values->items_count - 1].high;
		widen_row(row, values->items[0].low, high >= begun->literals[i].highest ? DIAGRAM_HIGHEST : high);
		return;
	}
	widen_row(row, 0, DIAGRAM_HIGHEST);
}

static void widen_by_protocols(const struct walk_begun *begun, struct interval *row)
{
	const struct interval ends = walk_protocols_ends(&begun->protocols);
	if (ends.low <= ends.high)
		widen_row(row, ends.low, ends.high == UINT8_MAX ? DIAGRAM_HIGHEST : ends.high);
}

void walk_start_widen(const struct walk *walk, const struct walk_start *start, struct walk_piece *piece)
{
	for (size_t i = 0; i < start->ways_count; i++) {
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			if (cut != WALK_CUT_PROTOCOL)
				widen_by_field(walk, &start->ways[i], walk_cut_fields[cut], &piece->rows[cut]);
		widen_by_protocols(&start->ways[i], &piece->rows[WALK_CUT_PROTOCOL]);
	}
}
