/* Private to src/resolve: tunnels between devices. */
#ifndef FWC_RESOLVE_TUNNELS_H
#define FWC_RESOLVE_TUNNELS_H

#include "resolve/places.h"

/* Reads the ends, and what the tunnel carries; gives the networks that are far from the device that
 * the policy is seen from. A device that is no end has none: there the definition is like a list
 * file that is empty, and matches nothing. Seen from no device: both sides'. NULL: reported. */
const struct address_set *tunnel_far_networks(struct resolver *resolver,
					      struct place_definition *definition);
/* All other properties of all tunnels; after devices were resolved. */
void tunnels_resolve(struct resolver *resolver);

/* The rules for the tunnels' own packets at the device that the policy is seen from, before all other
 * rules: IKE, NAT-T and ESP from the peer to the device's end. */
void tunnels_add_rules(struct resolver *resolver);

#endif
