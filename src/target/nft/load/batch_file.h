/* A table's batch as a file, which a boot loads with nothing else at hand: no policy, no names.
 *
 * Header, 104 bytes, integers little-endian but for the mark:
 *   0  8 bytes   "FWCBATCH"
 *   8  uint32    version of this format, 1
 *  12  uint32    0x01020304 in the byte order of the machine that the messages are for
 *  16  uint32    number of messages
 *  20  uint32    0
 *  24  uint64    bytes of the messages
 *  32  40 bytes  name of the table, then NULs
 *  72  32 bytes  SHA-256 (FIPS 180-4) over bytes 0 to 71 and the messages
 * Then the messages as netlink takes them (linux/netlink.h, linux/netfilter/nf_tables.h), aligned to 4
 * bytes; the frame of the batch is not among them. They take the table of this name away, if it is
 * there, and make it anew. */
#ifndef FWC_TARGET_NFT_LOAD_BATCH_FILE_H
#define FWC_TARGET_NFT_LOAD_BATCH_FILE_H

#include "base/text.h"
#include "target/nft/batch/transaction.h"

/* Where the messages begin. */
#define NFT_BATCH_FILE_HEAD 104

/* The file's bytes. */
void nft_batch_file_write(struct text *out, const struct nft_table *table);
/* The same message by message, each to stand there with what aligns it to 4 bytes; the head that stands before them
 * is known behind the last. */
void nft_batch_file_stream(void *pool, const struct nft_table *table, struct nft_sink sink,
			   char head[NFT_BATCH_FILE_HEAD]);

struct nft_batch_file {
	const char *table;
	const char *sha256; /* of the header, in hexadecimal digits */
	struct nft_batch *batch;
};

/* Reads what nft_batch_file_write gave. NULL if it is whole, and each of its messages is one of those
 * that make a table, in family inet and about the table that the header names; else the reason, for
 * people: "it is not whole: 512 of 1820 bytes". The messages stay where they are in the bytes, which are aligned
 * as memory of a pool is, live as long as the result, and get the messages' numbers. The rest stands in the
 * pool. */
const char *nft_batch_file_read(void *pool, char *bytes, size_t length, struct nft_batch_file *file);

/* Whether one of its messages makes a chain whose name begins so. */
bool nft_batch_file_has_chain(const struct nft_batch_file *file, const char *prefix);
/* Puts a chain on no hook behind its messages. */
void nft_batch_file_add_chain(struct nft_batch_file *file, const char *name, const char *comment);
/* Its messages, as they stand in a file. */
void nft_batch_file_messages(const struct nft_batch_file *file, struct text *out);

/* Whether two files' bytes make the same table, but for a chain that nothing enters in each, which has this name
 * there. false, too, where one of them is no such file. */
bool nft_batch_file_equals(const char *one, size_t one_length, const char *one_mark,
			   const char *other, size_t other_length, const char *other_mark);

/* Sends it as one transaction, whatever the generation. false with the kernel's reason in the bag;
 * then nothing has changed. what: "the batch 'boot.batch'". */
bool nft_batch_file_load(void *pool, struct diags *diags, const struct nft_batch_file *file,
			 const char *what);

/* Removes the table and nothing else. false with the reason in the bag; *was_there: there was one. */
bool nft_table_remove(void *pool, struct diags *diags, const char *table, bool *was_there);

#endif
