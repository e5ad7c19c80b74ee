/* A whole table as a batch that replaces what the kernel holds.
 *
 * The table stays: named counters keep their values, and equal limits and helpers stay too. Base
 * chains stay where they are the same, and get new rules: a packet never finds its hook empty, nor
 * an old and a new chain in it. All else is taken away and made anew under the same names.
 *
 * empties_maps: take a map's elements away before the map. Kernels before 6.4 (6.1.36) hold the
 * chains that a deleted map names until the commit, and refuse to delete them (EBUSY); later ones
 * do not need it, and take minutes for a large map of concatenated ranges. */
#ifndef FWC_TARGET_NFT_LOAD_REPLACE_H
#define FWC_TARGET_NFT_LOAD_REPLACE_H

#include "target/nft/batch/batch.h"
#include "target/nft/load/kernel.h"

/* The messages that make the table where there is none, to the sink one by one. */
void nft_replace_nothing(void *pool, const struct nft_table *table, struct nft_sink sink);
/* All in one transaction. */
struct nft_batch *nft_replace_direct(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel, bool empties_maps);

/* Messages [0, switch_begin) make new objects that no hook reaches, and may be sent in several
 * transactions; the rest puts them in force and is one transaction. */
struct nft_staged {
	struct nft_batch *batch;
	size_t switch_begin;
};

/* For a socket that cannot take all at once. New chains and sets get a suffix that none of the
 * kernel's has; the rules of base chains stand in a chain of their own. message_max: bytes of an
 * elements message. */
struct nft_staged nft_replace_staged(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel, size_t message_max);
/* As staged, but under the final names, which nothing in the kernel may have (nft_replace_is_clear).
 *
 * Why in steps where one transaction would do: a commit flips the generation before it publishes new
 * interval sets and maps (nf_tables_commit, set->ops->commit), so that rules of the same transaction
 * look into empty ones for some microseconds: denied packets pass and allowed ones are lost. And a
 * packet that entered the rules before the flip looks into the old maps after it, whose elements are
 * gone if they are deleted by the same transaction (nft_map_deactivate; sets that are no maps keep theirs until
 * nobody looks any more). So what base chains refer to
 * is made in one transaction, used from the next on, and the old taken away after all packets have
 * left it. */
struct nft_staged nft_replace_prepared(void *pool, const struct nft_table *table,
				       const struct nft_kernel *kernel, size_t message_max);
/* This chain, which nothing enters, instead of those whose names begin so; all else stays. */
struct nft_batch *nft_replace_mark(void *pool, const struct nft_table *table, const struct nft_chain *chain,
				   const char *prefix, const struct nft_kernel *kernel);
/* Whether one transaction could show packets an empty set. */
bool nft_replace_wants_steps(const struct nft_table *table, const struct nft_kernel *kernel);
/* Whether none of the table's chains, sets and changed objects has a name that is in use. */
bool nft_replace_is_clear(void *pool, const struct nft_table *table, const struct nft_kernel *kernel);
/* Takes the whole table away and makes it anew, whatever the kernel holds; table NULL: takes it away. Counters
 * begin at what is kept of them, and packets meet interval sets that are empty for some microseconds:
 * for a table that has to come back when every better way has failed. */
struct nft_batch *nft_replace_by_force(void *pool, const struct nft_table *table, const char *name);
/* Takes away what was there before the switch: of `now`, what `before` had and table has not. */
struct nft_batch *nft_replace_clean_up(void *pool, const struct nft_table *table,
				       const struct nft_kernel *now, const struct nft_kernel *before,
				       bool empties_maps);
/* Takes away what was prepared, when there is no switch: what `now` has and `before` had not. */
struct nft_batch *nft_replace_undo(void *pool, const struct nft_kernel *now,
				   const struct nft_kernel *before, bool empties_maps);

#endif
