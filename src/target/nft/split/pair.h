/* A pair of blocks (SPLIT_PAIR*), and what it is to a unit. */
#ifndef FWC_TARGET_NFT_SPLIT_PAIR_H
#define FWC_TARGET_NFT_SPLIT_PAIR_H

#include "target/nft/split/cells.h"

/* Its block on one side: NEED_SOURCE, NEED_DESTINATION. */
struct interval pair_side(const struct cells *cells, const struct cell *cell, uint32_t side);
/* What of a unit's addresses is answered in the pair: NEED_SOURCE, NEED_DESTINATION, both. false: it has
 * nothing there. */
bool pair_touches(const struct lower *lower, const struct cells *cells, struct entry entry,
		  const struct cell *cell, uint32_t *answered);

#endif
