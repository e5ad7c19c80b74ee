/* Masked hashes: a verdict map of the leading bits of an address, one a length.
 *
 * A hash of 4 bytes costs a packet half of what an interval map costs, and grows less with its
 * elements; but it knows one length of prefixes. Up to three lengths are looked up one after the
 * other, the longest first; prefixes between them are cut into blocks of a longer one where those
 * are few, else they share a block of a shorter one, whose leaf asks again. */
#ifndef FWC_TARGET_NFT_SPLIT_HASH_H
#define FWC_TARGET_NFT_SPLIT_HASH_H

#include "target/nft/split/cells.h"

#define HASH_LENGTHS_MAX 3

struct hash_plan {
	unsigned lengths[HASH_LENGTHS_MAX]; /* the longest first */
	size_t lengths_count;               /* 0: no plan */
	uint8_t homes[129];                 /* struct grain */
};

/* The lengths that cost a packet least; none where hashes do not fit the list. */
struct hash_plan hash_plan(struct lower *lower, enum split_field field, const struct entry *list,
			   size_t count);
/* One length of sources and one of destinations, looked up together. */
struct pair_plan {
	bool is_found;
	struct grain from, to;
};

/* The lengths that cost a packet least; is_found is false where pairs do not fit the list. */
struct pair_plan pair_plan(struct lower *lower, enum split_field field, const struct entry *list,
			   size_t count);
/* The shortest lengths that units name, where many of them share a pair: zones. times: struct list. */
struct pair_plan zone_plan(struct lower *lower, enum split_field field, const struct entry *list, size_t count,
			   size_t times);
/* Blocks of a length that the cells are made of: elements of the map. */
size_t hash_keys(const struct cells *cells, unsigned length);

#endif
