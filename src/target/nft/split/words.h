/* What a cut of a list is called in the report. */
#ifndef FWC_TARGET_NFT_SPLIT_WORDS_H
#define FWC_TARGET_NFT_SPLIT_WORDS_H

#include "target/nft/split/form.h"

/* cells: in the order of the lookups; several only of hashes. In the pool. */
const char *split_words(void *pool, struct cells *const *cells, size_t cells_count, enum cells_form form);
/* Adds to what is reported of the list; lower->choice is not NULL. The words are borrowed. cost: with the
 * price of its size. */
void split_candidate(struct lower *lower, const char *words, unsigned cost, unsigned price);

#endif
