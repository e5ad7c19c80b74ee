/* Base chains, and lists behind a condition. */
#ifndef FWC_TARGET_NFT_LOWER_CHAIN_H
#define FWC_TARGET_NFT_LOWER_CHAIN_H

#include <linux/netfilter.h>

#include "target/nft/emit/unit.h"

/* Writes the list so that only packets for which the condition holds are compared with it. Nothing
 * is written for an empty list. */
void chain_write_if(struct lower *lower, struct draft *draft, struct nft_statement condition,
		    struct entries *list);
bool draft_is_empty(const struct lower *lower, const struct draft *draft);
/* Ends the draft as a base chain of this name, type, hook and priority. Too many levels of chains
 * below it are an error. */
void chain_end_base(struct lower *lower, struct draft *draft, const struct nft_chain *base);

#endif
