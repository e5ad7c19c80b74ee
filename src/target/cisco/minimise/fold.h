/* One dimension: the prefixes of entries that are the same else. Private to this folder. */
#ifndef FWC_TARGET_CISCO_MINIMISE_FOLD_H
#define FWC_TARGET_CISCO_MINIMISE_FOLD_H

#include "target/cisco/minimise/groups.h"

/* One that members of a group make up. */
struct minimise_prefix {
	number128 value, wildcard;
	const uint32_t *places; /* of the members, ascending */
	size_t places_count;
};

struct minimise_prefixes {
	struct minimise_prefix *items; /* ascending, apart, no two of them one prefix */
	size_t items_count, items_capacity;
};

struct minimise_prefixes minimise_prefixes_of(void *pool, const struct minimise_list *list,
					      const struct minimise_group *group, enum region_side side);

/* The fewest entries for these prefixes, whose entries stand in their first places, in one run: with entries of
 * the other verdict for what lies between, where that gets it anyway. true: they were fewer, and stand there. */
bool minimise_fold(struct minimising *work, void *pool, const struct minimise_prefixes *prefixes,
		   enum region_side side);

#endif
