/* What a table is, as one hash, of messages as they come: of the kernel's lists or of a batch. Nothing of a rule or
 * of an element stays in memory behind its message.
 *
 * Each part of the table as text (read/read.h: without what packets change, handles and the like) has a SHA-256
 * (FIPS 180-4): the table, an object, a set, a chain, all rules of a chain in their order. These hashes, sorted,
 * are hashed again: the kernel lists things in another order than they were made in. Elements of a set, which the
 * kernel lists in the order of its hash table, are summed: each one's hash as four numbers modulo 2^64.
 */
#ifndef FWC_TARGET_NFT_LOAD_KEPT_HASH_H
#define FWC_TARGET_NFT_LOAD_KEPT_HASH_H

#include "target/nft/load/reread.h"

struct kept_hash;

/* table: family inet, alone among what the messages are about. is_dump: they are the kernel's. Of sets with more
 * than elements_most elements a glance counts them only. */
struct kept_hash *kept_hash_new(void *pool, const char *table, bool is_dump, size_t elements_most);
/* Rules of a chain stand side by side. */
void kept_hash_message(struct kept_hash *hash, const struct nlmsghdr *message);

struct kept_hash_result {
	char whole[REREAD_HASH_LENGTH + 1], glance[REREAD_HASH_LENGTH + 1];
	bool is_glance_whole; /* no set has that many elements */
};
/* Once, behind the last message. */
struct kept_hash_result kept_hash_finish(struct kept_hash *hash);

#endif
