/* What packetset.c is made of, for those that make its maps in ways of their own (first_match.c). */
#ifndef FWC_ANALYSE_PACKETSET_PARTS_H
#define FWC_ANALYSE_PACKETSET_PARTS_H

#include "analyse/packetset.h"

/* The number for "whatever the map behind says". */
#define PACKET_NUMBER_UNDECIDED DIAGRAM_LEAVES_MAX

/* The highest value that a box's field can have, as other fields of it say: sets that reach it end with all
 * numbers. */
number128 packet_box_highest(const struct packet_universe *universe, const struct packet_box *box,
			     enum packet_field field);
/* Where the box's field, which is not NULL, has its values, inside; else outside. */
packet_map packet_box_choose(struct packet_space *space, const struct packet_box *box, enum packet_field field,
			     packet_map inside, packet_map outside);
/* Each number of the first but PACKET_NUMBER_UNDECIDED as it is; there the second. */
packet_map packet_map_merge(struct packet_space *space, packet_map first, packet_map second);

#endif
