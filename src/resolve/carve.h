/* Private to src/resolve: which packets belong to which zone, as disjoint boxes.
 *
 * As exact sets of (interface, address):
 *   - zones with interfaces and zones of networks alone are carved among themselves: what lies
 *     inside another is taken out of the other; zones that cross, or are equal, are errors;
 *   - zones of networks alone are then taken out of the zones with interfaces;
 *   - on input, 0.0.0.0 and fe80::/10 on an interface that a zone names belong to the zone that
 *     has them among its networks there, else to the first zone in the order of the file that has
 *     the interface; never to a zone of networks alone.
 *
 * On a device the same holds for sources. Destinations are known by their addresses alone there: all
 * zones are then carved as zones of networks, and those that cross or are equal are errors. */
#ifndef FWC_RESOLVE_CARVE_H
#define FWC_RESOLVE_CARVE_H

#include "resolve/context.h"

/* Fills `input`, `routed` and `routed_to` of all zones; after zones and devices were read. */
void zones_carve(struct resolver *resolver);

#endif
