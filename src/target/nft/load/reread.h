/* The writer's messages handed to the reader: the one place that knows both. */
#ifndef FWC_TARGET_NFT_LOAD_REREAD_H
#define FWC_TARGET_NFT_LOAD_REREAD_H

#include "target/nft/model/model.h"
#include "target/nft/read/read.h"

#define REREAD_HASH_LENGTH 64

struct reread {
	struct nft_read *read;
	/* of the messages, one behind the other, in hexadecimal digits */
	char sha256[REREAD_HASH_LENGTH + 1];
};

/* The messages that make the table in a kernel which has nothing of it, read back. */
struct reread nft_reread(void *pool, const struct nft_table *table);

#endif
