/* Points: where a list is cut that gets no map.
 *
 * A tree of comparisons takes a level for twice as many cells, and levels are few. So it is not cut at the end
 * points of its units, but at as many of them as the tree may have cells, so that about as many units begin or
 * end in each. What begins or ends within a cell is asked for again in its leaf. */
#ifndef FWC_TARGET_NFT_SPLIT_POINTS_H
#define FWC_TARGET_NFT_SPLIT_POINTS_H

#include "target/nft/split/cells.h"

/* Of a field of addresses or ports: at most `most` first values of cells, in order; of ports besides those of
 * each protocol, so that no cell is of two. 0: there are none. They live in the pool. */
size_t points_of(void *pool, const struct lower *lower, enum split_field field, const struct entry *list,
		 size_t count, size_t most, number128 **points);
/* The cells that the interval touches, from the first value to the last. */
struct interval points_around(const number128 *points, size_t count, struct interval interval,
			      number128 highest);

#endif
