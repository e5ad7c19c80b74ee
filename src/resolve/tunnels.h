/* Private to src/resolve: tunnels between devices. */
#ifndef FWC_RESOLVE_TUNNELS_H
#define FWC_RESOLVE_TUNNELS_H

#include "resolve/places.h"

/* Reads what the tunnel carries; the far networks, both sides' together. NULL: reported. */
const struct address_set *tunnel_far_networks(struct resolver *resolver,
					      struct place_definition *definition);
/* All other properties of all tunnels; after devices were collected. */
void tunnels_resolve(struct resolver *resolver);

#endif
