/* The netlink socket: requests to read, and batches to write.
 *
 * Source: linux/netfilter/nfnetlink.h; net/netfilter/nfnetlink.c, nfnetlink_rcv_batch. */
#ifndef FWC_TARGET_NFT_BATCH_TRANSACTION_H
#define FWC_TARGET_NFT_BATCH_TRANSACTION_H

#include "target/nft/batch/batch.h"

struct nft_socket {
	int fd;
	uint32_t sequence; /* of the last request */
};

/* One error of the kernel about a batch. */
struct nft_refusal {
	uint32_t sequence; /* of the message, 0: of the batch as a whole */
	int error;         /* errno */
	uint32_t offset;   /* of what was wrong in the message, 0: not said */
	char text[128];    /* the kernel's words (extended ack), or "" */
};

/* Refusals that are kept; more are counted. */
#define NFT_REFUSALS_MAX 64

struct nft_answer {
	struct nft_refusal refusals[NFT_REFUSALS_MAX];
	size_t refusals_count; /* all of them */
};

/* Opens a socket that is closed with the pool. NULL: errno says why. */
struct nft_socket *nft_socket_new(void *pool);

/* A request that the kernel answers with one message or a list of them: handed to the reader one
 * by one. 0 or an errno; ENOENT where there is no such thing. The header has no sequence number
 * yet. EINTR: the list changed while it was read. */
typedef void (*nft_reader)(const struct nlmsghdr *header, void *data);
int nft_request(struct nft_socket *socket, struct nlmsghdr *header, nft_reader reader, void *data);

/* The same for one request that the kernel answers with so many messages, none of them a list's; it stops with the
 * first error. */
int nft_request_many(struct nft_socket *socket, struct nlmsghdr *header, size_t wanted, nft_reader reader,
		     void *data);

/* The generation of all tables in this network namespace: it changes with each commit. */
int nft_generation(struct nft_socket *socket, uint32_t *generation);

/* Raises the send buffer as far as wanted and allowed; gives the longest batch that fits, in bytes
 * of messages. */
size_t nft_send_room(const struct nft_socket *socket, size_t wanted);

/* Waits until every packet has left the rules that it entered before the call. A packet keeps the
 * generation in which it entered: its rules must not lose their chains and sets under it. */
void nft_wait_for_packets(void);

/* Sends messages [first, end) of the batch as one transaction. generation: refuse it unless the
 * kernel is in this generation; 0: whatever it is. 0 only when the kernel has acknowledged the
 * commit. Else an errno, and nothing has changed: ERESTART stale generation, EMSGSIZE and ENOBUFS
 * too large, ETIMEDOUT no answer (then it is not known), or the first refusal's. */
int nft_send(struct nft_socket *socket, struct nft_batch *batch, size_t first, size_t end,
	     uint32_t generation, struct nft_answer *answer);
/* Whether the kernel would take the whole batch as one transaction now: 0 or an errno, as from nft_send.
 * Nothing changes. */
int nft_try(struct nft_socket *socket, struct nft_batch *batch, struct nft_answer *answer);

#endif
