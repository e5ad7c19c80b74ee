/* Where the cells of a list begin and end along a field: the end points of all units that are cut, in order. */
#ifndef FWC_TARGET_NFT_SPLIT_ENDS_H
#define FWC_TARGET_NFT_SPLIT_ENDS_H

#include "target/nft/split/cells.h"

struct end {
	number128 key;
	uint32_t position;
	bool is_end;  /* key is the first value behind the interval */
	bool is_home; /* of prefixes that stand at the grain's length */
};

/* A unit in a pair of blocks. */
struct end_pair {
	number128 from, to;
	uint32_t position;
};

struct ends {
	struct end *items; /* ascending; at one key ends stand before beginnings */
	size_t items_count, items_capacity;
	struct end_pair *pairs; /* SPLIT_PAIR*: in the place of end points, in order */
	size_t pairs_count, pairs_capacity;
	uint32_t *uncut; /* positions of the units that are not cut, in order */
	size_t uncut_count;
};

/* Of the request's list. All is in the pool of the cells, whose names are collected too. */
struct ends *ends_new(struct lower *lower, const struct cut_request *request, struct cells *out);
/* Nobody asks for them any more, but for what is not cut. */
void ends_free(struct ends *ends);
/* The field's highest value. */
number128 ends_highest(enum split_field field);

#endif
