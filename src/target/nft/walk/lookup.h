/* Lookups in sets and maps: which elements hold the register's bytes.
 *
 * Three forms, as the kernel has them: exact keys, one row of intervals (each end is an element of
 * its own), concatenations of ranges. What packets put into a set is not known. */
#ifndef FWC_TARGET_NFT_WALK_LOOKUP_H
#define FWC_TARGET_NFT_WALK_LOOKUP_H

#include "target/nft/walk/path.h"

void walk_lookup(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *expression);

/* What a verdict means for a packet of these rows and families that gets it: a chain's meaning, or a leaf. For
 * others it says nothing. */
diagram walk_verdict_meaning(struct walk *walk, const struct read_data *verdict, const struct walk_piece *rows,
			     uint8_t families);
/* Is anything stored in the set by packets, or for a time? */
bool walk_set_changes(const struct read_set *set);

#endif
