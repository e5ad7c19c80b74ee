/* Cuts: the lookup that a list is best written with, chosen by what packets pay. */
#ifndef FWC_TARGET_NFT_SPLIT_CUT_H
#define FWC_TARGET_NFT_SPLIT_CUT_H

#include "target/nft/split/form.h"
#include "target/nft/split/hash.h"
#include "target/nft/split/list.h"
#include "target/nft/split/size.h"

/* A list cut by a field, and how the lookup is written. */
struct cut {
	struct cells *cells[HASH_LENGTHS_MAX]; /* several only of masked hashes, in the order of the lookups */
	size_t cells_count; /* 0: none */
	enum cells_form form;
	bool is_blocks; /* of ranges: blocks.h */
	unsigned cost; /* nanoseconds, with the price: */
	unsigned price; /* of its size (size.h) */
};

/* All of its lookups. */
struct size_cells cut_cells(const struct cut *cut);
/* Gives its cells up. */
void cut_drop(struct cut *cut);

#define CUT_ALL_FIELDS ((1u << SPLIT_FIELDS) - 1)

/* The cheapest cut by a field of the mask (1 << SPLIT_*), if it costs less than `most`: cells_count is 0 where
 * none does. What was looked at is reported, if lower->choice is set. */
struct cut cut_best(struct lower *lower, struct list list, unsigned level, unsigned fields, unsigned most);
/* The same of a list that is to be written in a chain of this level, long lists by a sample. linear: what plain
 * rules cost. only: by one of these fields; 0: by any. */
struct cut cut_choose(struct lower *lower, struct list list, unsigned level, unsigned linear, unsigned only);
/* What is reported of it; NULL where nothing is. */
const char *cut_words(struct lower *lower, const struct cut *cut);

#endif
