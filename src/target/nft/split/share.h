/* Shares: the maps and the copies of units that may still be made are for all lists that are still to be written.
 *
 * Whoever came first could use them up, and those behind would be plain rules, however long. So what comes later
 * has its part kept back while a list is written. */
#ifndef FWC_TARGET_NFT_SPLIT_SHARE_H
#define FWC_TARGET_NFT_SPLIT_SHARE_H

#include "target/nft/split/cells.h"

/* What lists would like to have. */
struct share_wanted {
	size_t maps, units;
};

/* What is kept back for later. */
struct share {
	size_t sets, copies;
};

/* Adds what a list of so many units would like. */
void share_want(struct share_wanted *wanted, size_t units);
/* Adds a map for the cells, and what their chains would like. */
void share_want_cells(struct share_wanted *wanted, const struct cells *cells);
/* Copies that may still be made, of any list. */
size_t share_copies_left(const struct lower *lower);
/* left: what is wanted for all that is still to be written; own is taken off it. What is kept back is given
 * back by share_end. */
struct share share_begin(struct lower *lower, struct share_wanted own, struct share_wanted *left);
/* The same of one list. */
struct share share_begin_list(struct lower *lower, size_t units, struct share_wanted *left);
void share_end(struct lower *lower, struct share share);

#endif
