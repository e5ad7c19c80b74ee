/* Of the maps that are left, each gets what it wants, or in proportion to it; of the copies, in proportion to its
 * units. */
#include "target/nft/split/share.h"

enum {
	MAPS_UNITS_LEAST = 5, /* shorter lists want no map */
	MAPS_LEAST = 3,
	UNITS_A_MAP = 64,
	COPIES_A_UNIT = 24,   /* of the whole table */
	COPIES_LEAST = 65536,
};

void share_want(struct share_wanted *wanted, size_t units)
{
	wanted->maps += units < MAPS_UNITS_LEAST ? 0 : MAPS_LEAST + units / UNITS_A_MAP;
	wanted->units += units;
}

void share_want_cells(struct share_wanted *wanted, const struct cells *cells)
{
	wanted->maps++;
	for (size_t i = 0; i < cells->checkpoints_count; i++)
		share_want(wanted, cells->checkpoints[i].count);
	for (size_t i = 0; i < cells->leaves_count; i++)
		share_want(wanted, cells->leaves[i].count);
}

size_t share_copies_left(const struct lower *lower)
{
	size_t all = (lower->units_count - lower->units_narrowed) * COPIES_A_UNIT + COPIES_LEAST;
	size_t used = lower->copies_made + lower->copies_kept;
	return all > used ? all - used : 0;
}

static size_t sets_left(const struct lower *lower)
{
	size_t used = lower_sets_chosen(lower) + lower->sets_kept;
	return lower->sets_most > used ? lower->sets_most - used : 0;
}

struct share share_begin(struct lower *lower, struct share_wanted own, struct share_wanted *left)
{
	size_t sets = sets_left(lower), all = left->maps, units = left->units;
	left->maps -= own.maps;
	left->units -= own.units;
	struct share share = {
		.sets = all <= sets ? left->maps : sets * left->maps / all,
		.copies = units == 0 ? 0 : share_copies_left(lower) * left->units / units,
	};
	lower->sets_kept += share.sets;
	lower->copies_kept += share.copies;
	return share;
}

struct share share_begin_list(struct lower *lower, size_t units, struct share_wanted *left)
{
	struct share_wanted own = { 0, 0 };
	share_want(&own, units);
	return share_begin(lower, own, left);
}

void share_end(struct lower *lower, struct share share)
{
	lower->sets_kept -= share.sets;
	lower->copies_kept -= share.copies;
}
