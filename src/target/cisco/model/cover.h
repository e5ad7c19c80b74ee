/* Prefixes that hold a set of addresses, exact but for addresses that do not matter. */
#ifndef FWC_TARGET_CISCO_MODEL_COVER_H
#define FWC_TARGET_CISCO_MODEL_COVER_H

#include "net/address.h"

struct ios_cover {
	struct prefix *prefixes;
	size_t prefixes_count, prefixes_capacity;
};

/* The fewest prefixes that hold every address of the set that is not free, and none but those of
 * the set and free ones. */
struct ios_cover cover_of(void *pool, enum family family, const struct interval_set *set,
			  const struct interval_set *free);

#endif
