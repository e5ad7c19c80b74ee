/* A batch of nf_tables messages in memory. */
#include "target/nft/batch/batch.h"

#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define FIRST_BLOCK ((size_t)128 << 10)
/* A batch of 1 GiB is 1024 of these, as many pieces as sendmsg takes (UIO_MAXIOV). */
#define NEXT_BLOCKS ((size_t)1 << 20)

_Static_assert(FIRST_BLOCK >= NFT_MESSAGE_ROOM, "a message fits a block");

bool nft_batch_makes(uint8_t kind)
{
	switch (kind) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_NEWRULE:
	case NFT_MSG_NEWSET:
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_NEWOBJ:
		return true;
	default:
		return false;
	}
}

struct nft_batch *nft_batch_new(void *pool)
{
	struct nft_batch *batch = pool_new(pool, struct nft_batch);
	batch->pool = batch;
	return batch;
}

struct nft_batch *nft_batch_into(void *pool, struct nft_sink sink)
{
	struct nft_batch *batch = nft_batch_new(pool);
	batch->sink = sink;
	return batch;
}

void nft_batch_hand_over(struct nft_batch *batch)
{
	for (size_t i = 0; i < batch->messages_count; i++)
		batch->sink.take(batch->sink.context, batch->messages[i].header);
	for (size_t i = 0; i < batch->blocks_count; i++) {
		memset(batch->blocks[i].bytes, 0, batch->blocks[i].used);
		batch->blocks[i].used = 0;
	}
	batch->taken += batch->messages_count;
	batch->messages_count = 0;
}

static size_t aligned(size_t length)
{
	return (length + NLMSG_ALIGNTO - 1) & ~((size_t)NLMSG_ALIGNTO - 1);
}

static struct nft_block *block_with_room(struct nft_batch *batch)
{
	if (batch->blocks_count != 0) {
		struct nft_block *last = &batch->blocks[batch->blocks_count - 1];
		if (last->size - last->used >= NFT_MESSAGE_ROOM)
			return last;
	}
	size_t size = batch->blocks_count == 0 ? FIRST_BLOCK : NEXT_BLOCKS;
	struct nft_block *block = pool_append(batch->pool, batch, blocks);
	block->bytes = pool_room(batch->pool, NULL, &block->size, size, 1);
	return block;
}

/* What pads attributes is not written. Of a block what no message needs is not touched, and costs no memory. */
static void clean_room(struct nft_block *block)
{
	size_t end = block->used + NFT_MESSAGE_ROOM;
	if (end <= block->clean)
		return;
	memset(block->bytes + block->clean, 0, end - block->clean);
	block->clean = end;
}

struct nlmsghdr *nft_batch_begin(struct nft_batch *batch, uint16_t type, uint16_t flags)
{
	if (batch->sink.take != NULL)
		nft_batch_hand_over(batch);
	struct nft_block *block = block_with_room(batch);
	clean_room(block);
	struct nlmsghdr *header = mnl_nlmsg_put_header(block->bytes + block->used);
	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = (uint32_t)(batch->taken + batch->messages_count) + 1;
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	*general = (struct nfgenmsg){ .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	return header;
}

struct nft_message *nft_batch_end(struct nft_batch *batch, struct nlmsghdr *header)
{
	size_t length = aligned(header->nlmsg_len);
	batch->blocks[batch->blocks_count - 1].used += length;
	batch->bytes += length;
	struct nft_message *message = pool_append(batch->pool, batch, messages);
	*message = (struct nft_message){ .header = header };
	return message;
}

size_t nft_message_bytes(const struct nft_message *message)
{
	return aligned(message->header->nlmsg_len);
}

size_t nft_batch_bytes(const struct nft_batch *batch, size_t first, size_t end)
{
	size_t bytes = 0;
	for (size_t i = first; i < end; i++)
		bytes += nft_message_bytes(&batch->messages[i]);
	return bytes;
}
