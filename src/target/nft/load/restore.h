/* Bringing a kept table back. */
#ifndef FWC_TARGET_NFT_LOAD_RESTORE_H
#define FWC_TARGET_NFT_LOAD_RESTORE_H

#include "target/nft/load/kept.h"
#include "target/nft/batch/transaction.h"

/* What is ready to be sent. Making it needs memory and nothing else, sending it a socket. */
struct nft_restore {
	const struct nft_kept *kept;
	struct nft_table *table; /* NULL: there was none */
	struct nft_batch *force; /* nft_replace_by_force */
	struct nft_socket *socket;
};

/* NULL: the kept makes no sense, or there is no socket (errno). */
struct nft_restore *nft_restore_new(void *pool, const struct nft_kept *kept);
/* Whether the kernel would take it back by force: false with the reason in the bag. Nothing changes. */
bool nft_restore_is_possible(struct nft_restore *restore, struct diags *diags);
/* Brings it back as a load does (nft.h); where that fails, by force, whatever others did to the table. true
 * only on the kernel's ACK; else the reasons are in the bag. */
bool nft_restore_send(struct nft_restore *restore, void *pool, struct diags *diags);

#endif
