/* Matches whose two sides both have many boxes.
 *
 * Units are pairs of a box of the `from` side and a box of the `to` side: from all zones to all zones
 * they are as many as the square of the zones. Such a match becomes one unit for each box of the `from`
 * side instead, which goes to a chain of the `to` side: the table grows with the sum. */
#ifndef FWC_TARGET_NFT_LOWER_SIDES_H
#define FWC_TARGET_NFT_LOWER_SIDES_H

#include "target/nft/emit/unit.h"

/* Appends what the match becomes to the list. */
void sides_add(struct lower *lower, struct entries *list, const struct unit_match *match,
	       tail_maker tail, const void *context);

#endif
