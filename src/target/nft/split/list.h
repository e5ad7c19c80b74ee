/* Lists of units, and what they and the leaves of a lookup cost a packet, in nanoseconds. */
#ifndef FWC_TARGET_NFT_SPLIT_LIST_H
#define FWC_TARGET_NFT_SPLIT_LIST_H

#include "target/nft/split/cells.h"

/* Borrowed units, in the order in which they decide. */
struct list {
	const struct entry *items;
	size_t count;
	size_t times;    /* a sample: each unit stands for so many; 0: for itself */
	unsigned linear; /* list_linear_cost, where it is asked for often; 0: not known */
};

/* The plain rules of the list; long lists are judged by a sample. */
unsigned list_linear_cost(const struct lower *lower, struct list list);
/* What a list of these plain rules will cost once it is written as well as can be. */
unsigned list_cost_of_linear(uint64_t linear);
/* Likewise of ranges: blocks of shorter lengths are looked up again and again, each time by fewer. */
unsigned list_cost_of_ranges(uint64_t linear);
/* The same of a list. */
unsigned list_cost(const struct lower *lower, struct list list);
/* Every so many-th unit of a list that is long. */
struct list list_sample(struct lower *lower, struct list list);

struct list list_of_leaf(const struct cells *cells, uint32_t number);
/* Does its first unit decide about every packet? */
bool leaf_is_final(const struct lower *lower, struct list leaf);

/* What packets pay behind a lookup, over the units of the leaves: that many more packets get to a leaf. */
struct leaves_cost {
	uint64_t sum, units;
};

/* Of a sample of the cells. times: struct list; asked: emit_fields_asked of what was cut. */
void leaves_cost_add(const struct lower *lower, const struct cells *cells, size_t times, unsigned asked,
		     struct leaves_cost *cost);

#endif
