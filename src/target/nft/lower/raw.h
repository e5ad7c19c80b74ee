/* Stateless rules: the raw chains that keep packets out of connection tracking. */
#ifndef FWC_TARGET_NFT_LOWER_RAW_H
#define FWC_TARGET_NFT_LOWER_RAW_H

#include "target/nft/emit/build.h"

/* Adds the prerouting and output raw chains, if the ruleset has stateless rules. Mistakes:
 * STATELESS_INTERFACE, STATELESS_TRANSLATED, STATELESS_OVERLAP, HELPER_STATELESS. */
void raw_write(struct lower *lower);

#endif
