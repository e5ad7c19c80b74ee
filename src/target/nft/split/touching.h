/* Which units of a rest may meet a pair of blocks?
 *
 * Where pairs of blocks are what a policy thinks in (its zones), few units speak of one side alone. A leaf that
 * holds those of them that touch its blocks, too, is all that its packets are compared with. */
#ifndef FWC_TARGET_NFT_SPLIT_TOUCHING_H
#define FWC_TARGET_NFT_SPLIT_TOUCHING_H

#include "target/nft/split/cells.h"
#include "target/nft/split/index.h"

struct touching;

/* field: of pairs; positions: of the rest in the list. All are borrowed. */
struct touching *touching_new(void *pool, const struct lower *lower, enum split_field field,
			      const struct entry *list, const uint32_t *positions, size_t count);
/* Positions of all units that touch both blocks, and of some that touch one of them; some come more than once.
 * They live until the next call. */
const struct index_hits *touching_find(struct touching *touching, struct interval from, struct interval to);

#endif
