/* The kernel's own word: every table of this network namespace, or one, read in one generation. */
#ifndef FWC_TARGET_NFT_READ_KERNEL_H
#define FWC_TARGET_NFT_READ_KERNEL_H

#include "target/nft/read/read.h"

/* family NFPROTO_UNSPEC and name NULL: all tables of all families; else that one table. 0 or an
 * errno: EPERM without rights, ENOENT where the table is not there, EINTR where others changed the
 * rules each time they were read. */
int nft_read_kernel(void *pool, uint8_t family, const char *name, struct nft_read **read);

/* The same of all tables as the messages themselves, one behind the other: for another process, whose
 * kernel's network namespace is another one. */
int nft_dump_kernel(void *pool, struct text *messages);
/* Such messages read. false: they are not whole. */
bool nft_read_dump(void *pool, const char *bytes, size_t length, struct nft_read **read);

#endif
