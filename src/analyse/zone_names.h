/* Zones by what they are in rules: a zone's name stands for its interfaces and its addresses at once, less
 * other zones inside it, and on input its hosts have no address yet, too. */
#ifndef FWC_ANALYSE_ZONE_NAMES_H
#define FWC_ANALYSE_ZONE_NAMES_H

#include "analyse/packetset.h"

struct zone_names;

struct zone_names *zone_names_new(void *pool, const struct packet_universe *universe);
/* Of zones that mean the same the first keeps the name. The zone must live as long. */
void zone_names_add(struct zone_names *names, const struct zone *zone);

struct zone_side {
	enum hook hook;
	enum packet_field field; /* FIELD_SOURCE or FIELD_DESTINATION */
	enum family family;
	const struct interval_set *addresses;
	const struct interval_set *interfaces; /* NULL: any */
};

/* NULL: no zone is exactly these packets there. *has_both: the zone has addresses of both families. Where the
 * universe has no interfaces, as of access lists, addresses alone make a zone. */
const char *zone_names_find(const struct zone_names *names, const struct zone_side *side, bool *has_both);

#endif
