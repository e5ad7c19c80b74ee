/* The elements of large sets, read in a time that is linear in their number, where it is known which they are. */
#ifndef FWC_TARGET_NFT_LOAD_KEPT_ASK_H
#define FWC_TARGET_NFT_LOAD_KEPT_ASK_H

#include "target/nft/load/kept.h"

/* Fills a glance, where the sets that it left out have the elements that these messages of a batch give them, and
 * no others, as the kernel itself says of each. false: they have not, or that is not known; nothing is filled. */
bool nft_kept_ask(struct nft_kept *kept, struct nft_socket *socket, const char *messages, size_t length);
/* nft_kept_read, which takes less time where the table is what these messages make. messages may be NULL. */
int nft_kept_read_like(void *pool, struct nft_socket *socket, const char *table, const char *messages,
		       size_t length, struct nft_kept **kept);

#endif
