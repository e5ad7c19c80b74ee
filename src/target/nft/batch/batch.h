/* A batch of nf_tables messages in memory: what is sent to the kernel in one transaction, or in
 * several where the socket cannot take it at once.
 *
 * Messages stand one behind the other in large blocks that never move, so that a million set
 * elements cost their bytes and no copy. The begin and end of the batch are added when it is sent.
 * Each message knows what it came from: the kernel names its errors by sequence number and offset. */
#ifndef FWC_TARGET_NFT_BATCH_BATCH_H
#define FWC_TARGET_NFT_BATCH_BATCH_H

#include <libmnl/libmnl.h>

#include "target/nft/model/model.h"

/* Longest message that may be begun. A list of elements holds at most 64 KiB (an attribute's length
 * is 16 bits), a rule of 48 statements about 16 KiB. */
#define NFT_MESSAGE_ROOM ((size_t)72 << 10)

enum nft_subject {
	NFT_SUBJECT_NONE, /* table, removals */
	NFT_SUBJECT_CHAIN,
	NFT_SUBJECT_RULE,
	NFT_SUBJECT_SET,
	NFT_SUBJECT_ELEMENTS,
	NFT_SUBJECT_OBJECT,
};

struct nft_message {
	struct nlmsghdr *header;
	/* what it makes: struct nft_chain, nft_rule, nft_set (elements too), the object's name */
	const void *subject;
	/* ELEMENTS: the model's elements in their order in the message begin with this one */
	size_t first_element;
	enum nft_subject kind;
};

struct nft_block {
	char *bytes;
	size_t size, used;
	size_t clean; /* zeros from `used` to here; what is behind was never touched */
};

/* Takes whole messages, one after the other. */
struct nft_sink {
	void (*take)(void *context, const struct nlmsghdr *header);
	void *context;
};

struct nft_batch {
	void *pool;
	struct nft_sink sink; /* take NULL: none */
	size_t taken;         /* messages that the sink has taken */
	struct nft_block *blocks;
	size_t blocks_count, blocks_capacity;
	struct nft_message *messages; /* message number N has sequence number N + 1, and more behind those taken */
	size_t messages_count, messages_capacity;
	size_t bytes; /* of all messages, aligned */
};

struct nft_batch *nft_batch_new(void *pool);
/* One that keeps no message but the last: the sink gets each when the next is begun, and the last by
 * nft_batch_hand_over. */
struct nft_batch *nft_batch_into(void *pool, struct nft_sink sink);
void nft_batch_hand_over(struct nft_batch *batch);
/* Is this a kind of message (NFT_MSG_*) that makes a table, or makes it anew? Files of batches hold no other. */
bool nft_batch_makes(uint8_t kind);
/* Begins a message of this kind (NFT_MSG_*) with the nfnetlink header for family inet. At most
 * NFT_MESSAGE_ROOM bytes may be put behind it. One message is open at a time. */
struct nlmsghdr *nft_batch_begin(struct nft_batch *batch, uint16_t type, uint16_t flags);
/* Ends the open message. Gives its entry, valid until the next is ended, to be told its subject. */
struct nft_message *nft_batch_end(struct nft_batch *batch, struct nlmsghdr *header);
/* Bytes that a message takes in a batch. */
size_t nft_message_bytes(const struct nft_message *message);
/* Bytes of messages [first, end). */
size_t nft_batch_bytes(const struct nft_batch *batch, size_t first, size_t end);

#endif
