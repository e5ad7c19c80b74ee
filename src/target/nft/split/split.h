/* The decision tree: a first-match list as chains and verdict maps. */
#ifndef FWC_TARGET_NFT_SPLIT_SPLIT_H
#define FWC_TARGET_NFT_SPLIT_SPLIT_H

#include "target/nft/emit/unit.h"

/* Where all of the list is of one family, and it costs less to send the other one's packets away first than to ask
 * for the family in every rule: that family, and the list is for its packets alone. Else FAMILIES_BOTH. */
unsigned split_take_family(struct lower *lower, struct entries *list);
/* Adds to the draft of a base chain what decides about the list; a packet that no unit matches goes
 * on behind it. Generated names begin with lower->prefix. The list is used up. */
void split_write(struct lower *lower, struct draft *draft, struct entries *list);
/* The list as a chain of its own, named by its kind, which returns what it does not decide: at most two levels,
 * so that it can stand where others end. The list is used up. */
struct goal split_chain(struct lower *lower, struct entries *list, const char *kind);

#endif
