/* Can one packet match two units? Two units that share no packet may change places. */
#ifndef FWC_TARGET_NFT_SPLIT_OVERLAP_H
#define FWC_TARGET_NFT_SPLIT_OVERLAP_H

#include "target/nft/emit/unit.h"

/* Conditions that are answered on the way to an entry do not count. `true` may be wrong, `false` is
 * certain. */
bool entries_overlap(const struct lower *lower, struct entry a, struct entry b);

#endif
