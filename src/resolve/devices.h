/* Private to src/resolve: devices and their interfaces. */
#ifndef FWC_RESOLVE_DEVICES_H
#define FWC_RESOLVE_DEVICES_H

#include "resolve/context.h"

/* Names of all devices; duplicates are reported. */
void devices_collect(struct resolver *resolver);
/* Everything else; after zones were read. A zone without networks and without interfaces of its
 * own gets the networks of its interfaces on devices. */
void devices_resolve(struct resolver *resolver);

#endif
