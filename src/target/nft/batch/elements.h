/* The elements of a set as messages. */
#ifndef FWC_TARGET_NFT_BATCH_ELEMENTS_H
#define FWC_TARGET_NFT_BATCH_ELEMENTS_H

#include "target/nft/batch/batch.h"
#include "target/nft/batch/build.h"

/* Adds all elements, in messages of at most message_max bytes (0: as large as can be). A set of
 * intervals gets the end elements that nft gives it: one at zero before the first, and one behind
 * each interval even where the next follows at once. */
void nft_add_elements(struct nft_batch *batch, const struct nft_naming *naming,
		      const struct nft_set *set, size_t message_max);
/* The model's element that stands at this offset of an elements message, counted from the
 * message's first; an interval's end belongs to the interval. */
size_t nft_element_at(const struct nlmsghdr *header, uint32_t offset);
/* Elements in the order in which they are sent: number to place in set->elements. NULL: as they
 * stand. */
const uint32_t *nft_element_order(void *pool, const struct nft_set *set);

#endif
