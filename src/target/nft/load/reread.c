/* The messages are those of a load into a kernel without the table; each lives no longer than it is read. */
#include "target/nft/load/reread.h"

#include <sha2.h>

#include "base/pool.h"
#include "target/nft/load/replace.h"

_Static_assert(SHA256_DIGEST_STRING_LENGTH == REREAD_HASH_LENGTH + 1, "the digits of a hash");

struct rereading {
	struct nft_read *read;
	SHA2_CTX hash;
};

static void take_message(void *context, const struct nlmsghdr *header)
{
	struct rereading *rereading = context;
	SHA256Update(&rereading->hash, (const uint8_t *)header, header->nlmsg_len);
	nft_read_message(rereading->read, header);
}

struct reread nft_reread(void *pool, const struct nft_table *table)
{
	struct rereading rereading = { .read = nft_read_new(pool) };
	struct reread reread = { .read = rereading.read };
	SHA256Init(&rereading.hash);
	nft_replace_nothing(pool, table, (struct nft_sink){ take_message, &rereading });
	SHA256End(&rereading.hash, reread.sha256);
	nft_read_finish(reread.read);
	return reread;
}
