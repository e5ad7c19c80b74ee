/* A whole table as a batch that replaces what the kernel holds.
 *
 * The table stays: named counters keep their values, and equal limits and helpers stay too. Base
 * chains stay where they are the same, and get new rules: a packet never finds its hook empty, nor
 * an old and a new chain in it. All else is taken away and made anew under the same names. */
#ifndef FWC_TARGET_NFT_REPLACE_H
#define FWC_TARGET_NFT_REPLACE_H

#include <stdbool.h>

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
/* In steps, under the final names, which nothing in the kernel may have (nft_replace_is_clear): what
 * base chains refer to is made first, so that it is in force before the rules that look into it.
 *
 * Why: a commit flips the generation before it publishes new interval sets and maps (nft_commit,
 * set->ops->commit), so that rules of the same transaction look into empty ones for some
 * microseconds: denied packets pass and allowed ones are lost. */
struct nft_replacement nft_replace_prepared(void *pool, const struct nft_table *table,
					    const struct nft_kernel *kernel, size_t message_max);
/* Whether one transaction would show packets an empty set. */
bool nft_replace_wants_steps(const struct nft_table *table, const struct nft_kernel *kernel);
/* Whether none of the table's chains, sets and changed objects has a name that is in use. */
bool nft_replace_is_clear(void *pool, const struct nft_table *table, const struct nft_kernel *kernel);
/* Takes away what `now` has and `before` had not: what a staged load left behind. */
struct nft_batch *nft_replace_undo(void *pool, const struct nft_kernel *now,
				   const struct nft_kernel *before);

#endif
