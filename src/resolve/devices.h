/* Private to src/resolve: devices and their interfaces. */
#ifndef FWC_RESOLVE_DEVICES_H
#define FWC_RESOLVE_DEVICES_H

#include "resolve/context.h"

/* Names of all devices; duplicates are reported. */
void devices_collect(struct resolver *resolver);
/* Everything else, after zones were collected; finds the device that the policy is seen from. */
void devices_resolve(struct resolver *resolver);
/* Interfaces and networks that zones have on devices, after zones were read. Seen from a device: the
 * interfaces that name the zone there, and, where no `network` line says otherwise, their networks,
 * or those of its interfaces on the other devices. Seen from none: the networks alone. */
void devices_place_zones(struct resolver *resolver);
/* Whether the device knows which addresses the zone has; false: reported at the use. */
bool device_zone_is_known(struct resolver *resolver, const struct zone *zone, struct span use);

#endif
