/* Private to src/resolve: zones as written, and `internet`. */
#ifndef FWC_RESOLVE_ZONES_H
#define FWC_RESOLVE_ZONES_H

#include "resolve/context.h"

/* The list of zones, in the order of their definitions; before anything names one. */
void zones_collect(struct resolver *resolver);
/* Interfaces and networks of all zones, and what `internet` is. After it `internet` can be named. */
void zones_read(struct resolver *resolver);
/* What no zone's `network` line names. NULL: reported at the use. */
const struct address_set *internet_addresses(struct resolver *resolver, struct span use);
/* The zone of this name. NULL: reported as UNKNOWN_ZONE. */
struct zone *zone_find(struct resolver *resolver, const struct ast_word *name);

#endif
