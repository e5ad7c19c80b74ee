/* Which elements of a large set the packets of one piece of the space can meet.
 *
 * What an element asks of the field that is cut follows from its key and from what stands in the registers
 * that are looked up: an index is made once for each set and each form of its key. Where it cannot tell what
 * an element asks, the element is met by every piece: leaving one out is right only where its condition
 * holds for no packet of the piece. */
#ifndef FWC_TARGET_NFT_WALK_INDEX_H
#define FWC_TARGET_NFT_WALK_INDEX_H

#include "target/nft/walk_path.h"

struct walk_index;

/* For the set's key at this place of the registers; NULL: the set is small, or the space is not cut. */
const struct walk_index *walk_index_of(struct walk *walk, const struct read_set *set,
				       const struct walk_registers *registers, int place);

/* Elements of the walk's piece, ascending; start with { 0 }. false: there are no more. */
struct walk_index_step {
	size_t own, everywhere;
	size_t element;
};
bool walk_index_next(const struct walk *walk, const struct walk_index *index, struct walk_index_step *step);

/* Elements of a row of intervals (walk_lookup.c) that the piece meets: from *first until before the number
 * given back. */
size_t walk_index_row(const struct walk *walk, const struct read_set *set, const struct walk_index *index,
		      uint16_t variable, size_t *first);
/* Elements that hold for every key, ascending. */
size_t walk_index_catch_alls(const struct walk_index *index, const uint32_t **elements);

#endif
