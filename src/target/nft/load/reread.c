/* The batch is built as for a load, into a kernel without the table, and lives no longer than it is
 * read. */
#include "target/nft/load/reread.h"

#include <sha2.h>

#include "base/pool.h"
#include "target/nft/load/kernel.h"
#include "target/nft/load/replace.h"

_Static_assert(SHA256_DIGEST_STRING_LENGTH == REREAD_HASH_LENGTH + 1, "the digits of a hash");

struct reread nft_reread(void *pool, const struct nft_table *table)
{
	struct reread reread = { .read = nft_read_new(pool) };
	void *scratch = pool_child(pool, "reread");
	struct nft_kernel *nothing = nft_kernel_nothing(scratch, table->name);
	struct nft_batch *batch = nft_replace_direct(scratch, table, nothing, false);
	SHA2_CTX hash;
	SHA256Init(&hash);
	for (size_t i = 0; i < batch->messages_count; i++) {
		const struct nlmsghdr *header = batch->messages[i].header;
		SHA256Update(&hash, (const uint8_t *)header, header->nlmsg_len);
		nft_read_message(reread.read, header);
	}
	SHA256End(&hash, reread.sha256);
	nft_read_finish(reread.read);
	talloc_free(scratch);
	return reread;
}
