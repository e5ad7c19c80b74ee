/* Which elements of a large set the packets of one piece of the space can meet.
 *
 * What an element asks of the fields along which the space is cut follows from its key and from what stands in
 * the registers that are looked up: an index is made once for each set and each form of its key, whatever the
 * pieces are. Where it cannot tell what an element asks, the element is met by every piece: leaving one out is
 * right only where its condition holds for no packet of the piece. */
#ifndef FWC_TARGET_NFT_WALK_INDEX_H
#define FWC_TARGET_NFT_WALK_INDEX_H

#include "target/nft/walk/path.h"

struct walk_index;

/* For the set's key at this place of the registers; NULL: the set is small, or the space is not cut. is_deciding:
 * its verdicts are what is asked for, by packets of the walk's families; elements whose jump comes back at once are
 * then none that the piece meets. */
const struct walk_index *walk_index_of(struct walk *walk, const struct read_set *set,
				       const struct walk_registers *registers, int place, bool is_deciding);

/* Elements that the walk's piece can meet and those that hold for every key, ascending. They are in the walk's
 * scratch. None of a row of intervals (lookup.c) but those that hold for every key. */
const uint32_t *walk_index_met(const struct walk *walk, const struct walk_index *index, size_t *count);

/* Elements of a row of intervals that the piece meets: from *first until before the number given back. */
size_t walk_index_row(const struct walk *walk, const struct read_set *set, const struct walk_index *index,
		      uint16_t variable, size_t *first);

/* Of a row: whether the element jumps to where the piece's packets come back from at once. */
bool walk_index_is_idle(const struct walk *walk, const struct walk_index *index, size_t element);

#endif
