/* Of which families packets come to each chain: from the base chains along jumps and gotos.
 *
 * What rules say by a place in the header means another field in each family; where packets of one family
 * alone come, the other one need not be worked out, nor what its bytes there would mean. */
#ifndef FWC_TARGET_NFT_WALK_COMERS_H
#define FWC_TARGET_NFT_WALK_COMERS_H

#include "target/nft/walk/path.h"

/* Sets walk_chain.comers of all chains of the table. */
void walk_comers_find(struct walk *walk);

/* The families of which no packet comes behind the rule: it asks for nothing but the family, and sends its packets
 * away for good. */
uint8_t walk_families_taken(const struct read_rule *rule);

/* FAMILIES_* of a table's family. */
uint8_t walk_families_of(uint8_t family);

#endif
