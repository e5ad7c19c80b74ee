/* The messages are those of a load into a kernel without the table; each lives no longer than it is read. */
#include "target/nft/load/reread.h"

#include "base/sha256.h"
#include "target/nft/load/replace.h"

_Static_assert(SHA256_DIGITS == REREAD_HASH_LENGTH, "the digits of a hash");

struct rereading {
	struct nft_read *read;
	struct sha256 hash;
};

static void take_message(void *context, const struct nlmsghdr *header)
{
	struct rereading *rereading = context;
	sha256_add(&rereading->hash, header, header->nlmsg_len);
	nft_read_message(rereading->read, header);
}

struct reread nft_reread(void *pool, const struct nft_table *table)
{
	struct rereading rereading = { .read = nft_read_new(pool) };
	struct reread reread = { .read = rereading.read };
	sha256_begin(&rereading.hash);
	nft_replace_nothing(pool, table, (struct nft_sink){ take_message, &rereading });
	sha256_end_digits(&rereading.hash, reread.sha256);
	nft_read_finish(reread.read);
	return reread;
}
