/* Products of what an entry looks at, for the minimiser: addresses as value and wildcard, exact for every
 * wildcard mask, the rest as closed ranges. Numbers in host order.
 *
 * A third way to say what packets are, beside the diagrams and boxes of analyse/: it proves nothing that is
 * given out, and is small and quick. */
#ifndef FWC_TARGET_CISCO_MINIMISE_REGION_H
#define FWC_TARGET_CISCO_MINIMISE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/interval.h"

enum region_side { REGION_SOURCE, REGION_DESTINATION };
#define REGION_SIDES 2

/* FIRST: destination port or type of ICMP; SECOND: source port or code; LATER: 0 for whole packets and first
 * fragments, 1 for later fragments. */
enum region_range { REGION_PROTOCOL, REGION_FIRST, REGION_SECOND, REGION_LATER };
#define REGION_RANGES 4

#define REGION_PROTOCOL_MAX 255
#define REGION_PORT_MAX UINT16_MAX

struct region {
	number128 value[REGION_SIDES], wildcard[REGION_SIDES]; /* no bit of the value lies in the wildcard */
	uint16_t low[REGION_RANGES], high[REGION_RANGES];
};

/* The bits that are not compared are the last ones. */
static inline bool wildcard_is_prefix(number128 wildcard)
{
	return (wildcard & (wildcard + 1)) == 0;
}

bool region_meets(const struct region *a, const struct region *b);
bool region_holds(const struct region *outer, const struct region *inner);
/* Of two that meet. */
struct region region_cut(const struct region *a, const struct region *b);

/* The same addresses, with every protocol and port, of whole packets and fragments. */
struct region region_wide(const struct region *region);

/* Whether the others together hold all of the region. *steps is counted down, and false where it comes to 0. */
bool region_is_covered(const struct region *region, const struct region *others, size_t count, size_t *steps);

#endif
