/* Entries that are the same but for one field. Private to this folder. */
#ifndef FWC_TARGET_CISCO_MINIMISE_GROUPS_H
#define FWC_TARGET_CISCO_MINIMISE_GROUPS_H

#include "target/cisco/minimise/steps.h"

enum minimise_field { MINIMISE_PORTS, MINIMISE_SOURCE, MINIMISE_DESTINATION };
#define MINIMISE_FIELDS 3

struct minimise_group {
	const uint32_t *members; /* places, ascending; two or more */
	size_t count;
};

struct minimise_groups {
	struct minimise_group *items;
	size_t items_count, items_capacity;
	uint32_t *members; /* of all of them */
};

/* Of entries that can be joined in the field, between two barriers. Numbers the list. They stay what they are
 * until the next call, whatever changes. */
const struct minimise_groups *minimise_groups_of(struct minimising *work, enum minimise_field field);

static inline enum region_side minimise_side(enum minimise_field field)
{
	return field == MINIMISE_SOURCE ? REGION_SOURCE : REGION_DESTINATION;
}

#endif
