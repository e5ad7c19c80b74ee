/* Loading with the limits that a test may set. */
#ifndef FWC_TARGET_NFT_LOAD_LOAD_H
#define FWC_TARGET_NFT_LOAD_LOAD_H

#include "target/nft/load/kept.h"
#include "target/nft/nft.h"

struct nft_load_limits {
	struct nft_socket *socket; /* NULL: one of its own */
	size_t send_max; /* longest batch in bytes; 0: what the socket takes */
	/* What the table has to be before, or nothing is loaded (TABLE_CHANGED); NULL: whatever it is. Changes
	 * of other tables do not matter. */
	const struct nft_kept *expected;
};

/* nft_load (nft.h) within these limits. *is_staged (or NULL) says whether it took several
 * transactions: names of chains and sets then end in ".sN". */
bool nft_load_within(void *pool, struct diags *diags, const struct nft_table *table,
		     const struct nft_load_limits *limits, bool *is_staged);

/* For a table that the kernel holds already, but for a chain that nothing enters (nft_replace_mark): one small
 * transaction, and no packet sees anything. false, and nothing has changed, unless the kernel is in this generation
 * and takes it. */
bool nft_load_mark(void *pool, struct nft_socket *socket, const struct nft_table *table,
		   const struct nft_chain *chain, const char *prefix, uint32_t generation);

#endif
