#include "target/nft/split/pair.h"

struct interval pair_side(const struct cells *cells, const struct cell *cell, uint32_t side)
{
	number128 inside = side == NEED_SOURCE ? cell->high - cell->low
		: ((number128)1 << (cells_width(cells->field) - cells->other_length)) - 1;
	number128 low = side == NEED_SOURCE ? cell->low : cell->other;
	return (struct interval){ low, low + inside };
}

bool pair_touches(const struct lower *lower, const struct cells *cells, struct entry entry,
		  const struct cell *cell, uint32_t *answered)
{
	static const uint32_t sides[] = { NEED_SOURCE, NEED_DESTINATION };
	const struct unit *unit = &lower->units[entry.unit];
	uint32_t needs = entry_needs(lower, entry);
	*answered = NEED_FAMILY;
	if ((unit->family & cells_family(cells->field)) == 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		struct interval side = pair_side(cells, cell, sides[i]);
		const struct interval_set one = { &side, 1, 1 };
		const struct interval_set *intervals = sides[i] == NEED_SOURCE ? unit->source : unit->destination;
		if ((needs & sides[i]) == 0)
			continue;
		const struct interval *only = intervals->items_count == 1 ? intervals->items : NULL;
		if (only != NULL && only->low <= side.low && only->high >= side.high) { /* most are */
			*answered |= sides[i];
			continue;
		}
		if (!interval_set_overlaps(intervals, &one))
			return false;
		if (interval_set_includes(intervals, &one))
			*answered |= sides[i];
	}
	return true;
}
