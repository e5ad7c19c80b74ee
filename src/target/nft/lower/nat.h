/* Translations of addresses: the nat chains. */
#ifndef FWC_TARGET_NFT_LOWER_NAT_H
#define FWC_TARGET_NFT_LOWER_NAT_H

#include "target/nft/emit/build.h"

/* Adds prerouting, output and postrouting nat chains, each only if something is in it. */
void nat_write(struct lower *lower);

#endif
