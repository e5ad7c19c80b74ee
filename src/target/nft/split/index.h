/* An index of closed intervals: which of them meet a given one? */
#ifndef FWC_TARGET_NFT_SPLIT_INDEX_H
#define FWC_TARGET_NFT_SPLIT_INDEX_H

#include "net/interval.h"

struct index_item {
	number128 low, high;
	number128 highest; /* of the items below this one in the tree */
	uint32_t value;
};

struct split_index {
	struct index_item *items; /* sorted by low once the index is closed */
	size_t items_count, items_capacity;
};

struct index_hits {
	uint32_t *values; /* a value comes once for each of its intervals that was hit */
	size_t values_count, values_capacity;
};

void index_add(void *pool, struct split_index *index, struct interval interval, uint32_t value);
void index_close(struct split_index *index);
/* Appends the values of all intervals that meet this one. */
void index_find(void *pool, const struct split_index *index, struct interval interval,
		struct index_hits *hits);

#endif
