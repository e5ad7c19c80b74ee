/* Values that people take for natural: both engines show packets that hold them where they can. */
#ifndef FWC_ANALYSE_NATURAL_H
#define FWC_ANALYSE_NATURAL_H

#include "analyse/packetset.h"

/* The first, second, ... natural value of a field, the most natural first; false: there are no more.
 * point: its family is set, where the field is an address. */
bool natural_value(enum packet_field field, const struct packet_point *point, size_t rank,
		   number128 *value);

#endif
