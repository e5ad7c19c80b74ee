/* Blocks for ranges: at which leading bits addresses that no prefix names are looked up.
 *
 * A range stands in every block of one length that it touches, and the leaf of a block asks for it again: one
 * hash, where the end points of all ranges would cut a list into cells that each hold every range across them.
 * Ranges that touch many blocks belong to the rest, which is cut again, by shorter lengths. */
#ifndef FWC_TARGET_NFT_SPLIT_BLOCKS_H
#define FWC_TARGET_NFT_SPLIT_BLOCKS_H

#include "target/nft/split/hash.h"
#include "target/nft/split/list.h"

/* The lengths that cost a packet least; `to` is of pairs only. is_found is false of a list that is short, that
 * names prefixes, or that blocks do not fit. */
struct pair_plan block_plan(struct lower *lower, enum split_field field, struct list list);
/* Does a list that is not short name ranges in the field? Other hashes hold prefixes, and little of it. */
bool blocks_fit(struct lower *lower, enum split_field field, struct list list);

#endif
