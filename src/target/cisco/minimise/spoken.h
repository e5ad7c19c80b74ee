/* Ports that no entry speaks of: packets to them get what the list ends in. Private to this folder. */
#ifndef FWC_TARGET_CISCO_MINIMISE_SPOKEN_H
#define FWC_TARGET_CISCO_MINIMISE_SPOKEN_H

#include "target/cisco/minimise/minimise.h"

/* The last entry, where it takes all that comes so far and tells nobody; else UINT32_MAX. */
uint32_t minimise_bottom(const struct minimise_list *list);

/* Whether it takes whole packets of the protocol to every port. */
bool minimise_takes_all_ports(const struct minimise_entry *entry, uint16_t protocol);

#define MINIMISE_COLOUR_NONE UINT32_MAX

/* The entries at [begin, end) that are not of the colour. */
struct minimise_speakers {
	uint16_t protocol;
	uint32_t begin, end;
	uint32_t but_colour; /* or MINIMISE_COLOUR_NONE */
};

struct minimise_unspoken {
	struct port_range *items; /* ascending, not adjacent */
	size_t items_count, items_capacity;
};

struct minimise_unspoken minimise_unspoken_of(void *pool, const struct minimise_list *list,
					      const struct minimise_speakers *speakers);
/* The first item that does not end before the port; items_count: none. */
size_t minimise_unspoken_from(const struct minimise_unspoken *unspoken, uint32_t port);

#endif
