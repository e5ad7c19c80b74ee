/* A unit is indexed by its source, if it has one, else by its destination. */
#include "target/nft/split/touching.h"

#include "base/pool.h"

#define SIDES 2

struct touching {
	void *pool;
	struct split_index sides[SIDES];
	struct index_hits others; /* units of no addresses */
	struct index_hits hits;
};

static void add(struct touching *touching, const struct lower *lower, const enum split_field fields[SIDES],
		struct entry entry, uint32_t position)
{
	for (size_t side = 0; side < SIDES; side++) {
		if (!cells_cuts(lower, fields[side], entry))
			continue;
		const struct interval_set *intervals = cells_intervals(&lower->units[entry.unit], fields[side]);
		for (size_t i = 0; i < intervals->items_count; i++)
			index_add(touching->pool, &touching->sides[side], intervals->items[i], position);
		return;
	}
	*pool_append(touching->pool, &touching->others, values) = position;
}

struct touching *touching_new(void *pool, const struct lower *lower, enum split_field field,
			      const struct entry *list, const uint32_t *positions, size_t count)
{
	bool is_ipv4 = cells_family(field) == FAMILIES_IPV4;
	const enum split_field fields[SIDES] = {
		is_ipv4 ? SPLIT_SOURCE4 : SPLIT_SOURCE6,
		is_ipv4 ? SPLIT_DESTINATION4 : SPLIT_DESTINATION6,
	};
	struct touching *touching = pool_new(pool, struct touching);
	*touching = (struct touching){ .pool = pool };
	for (size_t i = 0; i < count; i++)
		add(touching, lower, fields, list[positions[i]], positions[i]);
	for (size_t side = 0; side < SIDES; side++)
		index_close(&touching->sides[side]);
	return touching;
}

const struct index_hits *touching_find(struct touching *touching, struct interval from, struct interval to)
{
	struct index_hits *hits = &touching->hits;
	hits->values_count = 0;
	index_find(touching->pool, &touching->sides[0], from, hits);
	index_find(touching->pool, &touching->sides[1], to, hits);
	for (size_t i = 0; i < touching->others.values_count; i++)
		*pool_append(touching->pool, hits, values) = touching->others.values[i];
	return hits;
}
