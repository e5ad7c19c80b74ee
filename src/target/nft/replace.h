/* A whole table as a batch that replaces what the kernel holds.
 *
 * The table stays: named counters keep their values, and equal limits and helpers stay too. Base
 * chains stay where they are the same, and get new rules: a packet never finds its hook empty, nor
 * an old and a new chain in it. All else is taken away and made anew under the same names. */
#ifndef FWC_TARGET_NFT_REPLACE_H
#define FWC_TARGET_NFT_REPLACE_H

#include "target/nft/batch.h"
#include "target/nft/kernel.h"

struct nft_replacement {
	struct nft_batch *batch;
	/* Staged: messages [0, switch_begin) make new objects that no hook reaches and may be sent
	 * in several transactions, [switch_begin, cleanup_begin) put them in force and are one
	 * transaction, the rest takes the old ones away. Direct: all is one transaction, and both
	 * are messages_count. */
	size_t switch_begin, cleanup_begin;
};

/* One transaction. */
struct nft_replacement nft_replace_direct(void *pool, const struct nft_table *table,
					  const struct nft_kernel *kernel);
/* Several, for a socket that cannot take all at once. New chains and sets get a suffix that none
 * of the kernel's has; the rules of base chains stand in a chain of their own. message_max: bytes of
 * an elements message. */
struct nft_replacement nft_replace_staged(void *pool, const struct nft_table *table,
					  const struct nft_kernel *kernel, size_t message_max);
/* Takes away what `now` has and `before` had not: what a staged load left behind. */
struct nft_batch *nft_replace_undo(void *pool, const struct nft_kernel *now,
				   const struct nft_kernel *before);

#endif
