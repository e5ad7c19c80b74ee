/* The prefixes of (set or free) are the largest that may be used; those that hold nothing of the set that
 * is not free are not needed. Largest prefixes are disjoint, so the rest is the fewest. */
#include "target/cisco/model/cover.h"

#include "base/pool.h"

#define INTERVAL_PREFIXES_MAX 254 /* net/address.h */

struct ios_cover cover_of(void *pool, enum family family, const struct interval_set *set,
			  const struct interval_set *free)
{
	struct ios_cover cover = { 0 };
	struct interval_set allowed = *set, needed = *set;
	size_t next = 0;

	if (free->items_count > 0) {
		allowed = interval_set_union(pool, set, free);
		needed = interval_set_subtract(pool, set, free);
	}
	for (size_t index = 0; index < allowed.items_count; index++) {
		struct prefix prefixes[INTERVAL_PREFIXES_MAX];
		size_t count = interval_to_prefixes(family, &allowed.items[index], prefixes);

		for (size_t other = 0; other < count; other++) {
			struct interval interval = prefix_interval(&prefixes[other]);

			while (next < needed.items_count && needed.items[next].high < interval.low)
				next++;
			if (next < needed.items_count && needed.items[next].low <= interval.high)
				*pool_append(pool, &cover, prefixes) = prefixes[other];
		}
	}
	return cover;
}
