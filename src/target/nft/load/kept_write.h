/* Messages of a kept table as they are sent: without the kernel's own words, and under the names that
 * a load gives. */
#ifndef FWC_TARGET_NFT_LOAD_KEPT_WRITE_H
#define FWC_TARGET_NFT_LOAD_KEPT_WRITE_H

#include "target/nft/batch/build.h"
#include "target/nft/load/kept.h"

/* Puts the attributes of `kept` behind the header of a message of the same kind. Anonymous sets get new
 * names from the kernel, and are known by their ids within the transaction. chain: the name of the chain
 * that is made or gets the rule; NULL for other kinds. */
void nft_kept_put(struct nlmsghdr *header, const struct nft_naming *naming, const struct nft_kept_table *table,
		  const struct nlmsghdr *kept, const char *chain);

#endif
