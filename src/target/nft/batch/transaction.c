/* The netlink socket.
 *
 * The kernel works a batch off inside sendmsg; its answers then stand in the receive queue. With
 * NETLINK_CAP_ACK they do not echo the messages, which would overflow the queue and be lost. An
 * acknowledgement is asked for on the last message and on the end of the batch: kernels before
 * 6.10 answer the first, later ones both. Both are delivered after the commit, and an error of the
 * commit before them, so that an acknowledgement counts only when the queue holds no error. */
#include "target/nft/batch/transaction.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/membarrier.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define RECEIVE_BYTES 32768 /* a dump's messages are at most this long (NLMSG_GOODSIZE) */
#define RECEIVE_QUEUE (4 << 20)
#define TIMEOUT_MS 60000
#define TIMEOUT_BYTES_A_MS 100 /* large batches take longer */
/* netlink_sendmsg takes the send buffer less this much; begin and end of a batch */
#define SOCKET_OVERHEAD 32
#define BATCH_OVERHEAD 64
#define SEQUENCE_BEGIN UINT32_MAX
#define SEQUENCE_END (UINT32_MAX - 1)

/* --- the socket --------------------------------------------------------------------------------- */

static int socket_close(struct nft_socket *netlink)
{
	close(netlink->fd);
	return 0;
}

struct nft_socket *nft_socket_new(void *pool)
{
	const int on = 1, queue = RECEIVE_QUEUE;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return NULL;
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	if (bind(fd, (struct sockaddr *)&any, sizeof any) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) != 0) {
		int error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	/* the kernel's words are welcome, not needed; so is a longer queue for its errors */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	struct nft_socket *netlink = pool_new(pool, struct nft_socket);
	netlink->fd = fd;
	talloc_set_destructor(netlink, socket_close);
	return netlink;
}

static int send_pieces(const struct nft_socket *netlink, struct iovec *pieces, size_t count)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr message = {
		.msg_name = &kernel,
		.msg_namelen = sizeof kernel,
		.msg_iov = pieces,
		.msg_iovlen = count,
	};
	while (sendmsg(netlink->fd, &message, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* Bytes received, or a negative errno; -ETIMEDOUT after timeout_ms without a message. */
static ssize_t receive(const struct nft_socket *netlink, char *bytes, size_t size, int timeout_ms)
{
	for (;;) {
		ssize_t length = recv(netlink->fd, bytes, size, MSG_DONTWAIT);
		if (length >= 0)
			return length;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		struct pollfd poll_fd = { .fd = netlink->fd, .events = POLLIN };
		int ready = poll(&poll_fd, 1, timeout_ms);
		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

/* --- requests ------------------------------------------------------------------------------------ */

static int error_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);
	if (header->nlmsg_len < mnl_nlmsg_size(sizeof *error))
		return EBADMSG;
	return -error->error;
}

struct reading {
	uint32_t sequence;
	nft_reader reader;
	void *data;
	bool is_interrupted;
	bool is_done;
	int error;
};

static void read_message(struct reading *reading, const struct nlmsghdr *header)
{
	if (header->nlmsg_seq != reading->sequence)
		return; /* the rest of an earlier answer */
	if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		reading->is_interrupted = true;
	if (header->nlmsg_type == NLMSG_ERROR) {
		reading->error = error_of(header);
		reading->is_done = true;
	} else if (header->nlmsg_type == NLMSG_DONE) {
		reading->is_done = true;
	} else if (header->nlmsg_type >= NLMSG_MIN_TYPE && !reading->is_interrupted) {
		reading->reader(header, reading->data);
		reading->is_done = (header->nlmsg_flags & NLM_F_MULTI) == 0;
	}
}

static int read_answer(struct nft_socket *netlink, struct reading *reading)
{
	char bytes[RECEIVE_BYTES];
	while (!reading->is_done) {
		ssize_t length = receive(netlink, bytes, sizeof bytes, TIMEOUT_MS);
		if (length < 0)
			return (int)-length;
		int left = (int)length;
		for (const struct nlmsghdr *header = (const struct nlmsghdr *)(void *)bytes;
		     mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
			read_message(reading, header);
	}
	return reading->error;
}

int nft_request_many(struct nft_socket *netlink, struct nlmsghdr *header, size_t wanted, nft_reader reader,
		     void *data)
{
	header->nlmsg_seq = ++netlink->sequence;
	struct iovec piece = { .iov_base = header, .iov_len = header->nlmsg_len };
	int error = send_pieces(netlink, &piece, 1);
	struct reading reading = { .sequence = header->nlmsg_seq, .reader = reader, .data = data };
	for (size_t i = 0; i < wanted && error == 0; i++) {
		reading.is_done = false;
		error = read_answer(netlink, &reading);
	}
	return error == 0 && reading.is_interrupted ? EINTR : error;
}

int nft_request(struct nft_socket *netlink, struct nlmsghdr *header, nft_reader reader, void *data)
{
	return nft_request_many(netlink, header, 1, reader, data);
}

static int read_generation_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_GEN_ID)
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_OK;
}

static void read_generation(const struct nlmsghdr *header, void *data)
{
	mnl_attr_parse(header, sizeof(struct nfgenmsg), read_generation_attribute, data);
}

int nft_generation(struct nft_socket *netlink, uint32_t *generation)
{
	char bytes[64];
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	header->nlmsg_flags = NLM_F_REQUEST;
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	general->version = NFNETLINK_V0;
	*generation = 0;
	return nft_request(netlink, header, read_generation, generation);
}

/* --- batches -------------------------------------------------------------------------------------- */

size_t nft_send_room(const struct nft_socket *netlink, size_t wanted)
{
	/* the kernel doubles what it is asked for (sock_setsockopt) */
	size_t asked = wanted / 2 + SOCKET_OVERHEAD + BATCH_OVERHEAD;
	int size = asked > INT_MAX / 2 ? INT_MAX / 2 : (int)asked, given = 0;
	socklen_t length = sizeof given;
	if (getsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUF, &given, &length) != 0)
		given = 0;
	if (given / 2 < size && setsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		(void)setsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	length = sizeof given;
	if (getsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUF, &given, &length) != 0)
		return 0;
	return given < SOCKET_OVERHEAD + BATCH_OVERHEAD
		? 0 : (size_t)given - SOCKET_OVERHEAD - BATCH_OVERHEAD;
}

static void put_frame(char *bytes, uint16_t type, uint32_t sequence, uint32_t generation)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | (type == NFNL_MSG_BATCH_END ? NLM_F_ACK : 0);
	header->nlmsg_seq = sequence;
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	general->version = NFNETLINK_V0;
	general->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (generation != 0)
		mnl_attr_put_u32(header, NFNL_BATCH_GENID, htonl(generation));
}

struct pieces {
	struct iovec *items;
	size_t items_count, items_capacity;
};

static void add_piece(void *pool, struct pieces *pieces, char *bytes, size_t length)
{
	*pool_append(pool, pieces, items) = (struct iovec){ .iov_base = bytes, .iov_len = length };
}

/* Messages that stand side by side become one piece. */
static void add_messages(void *pool, struct pieces *pieces, const struct nft_batch *batch, size_t first,
			 size_t end)
{
	for (size_t i = first; i < end; i++) {
		char *bytes = (char *)batch->messages[i].header;
		size_t length = nft_message_bytes(&batch->messages[i]);
		struct iovec *last = &pieces->items[pieces->items_count - 1];
		if (i > first && (char *)last->iov_base + last->iov_len == bytes)
			last->iov_len += length;
		else
			add_piece(pool, pieces, bytes, length);
	}
}

/* Without its end a batch is looked at and taken back (nfnetlink_rcv_batch). */
static int send_batch(struct nft_socket *netlink, struct nft_batch *batch, size_t first, size_t end,
		      uint32_t generation, bool has_end)
{
	char begin[BATCH_OVERHEAD], finish[BATCH_OVERHEAD];
	struct pieces pieces = { .items = NULL };
	put_frame(begin, NFNL_MSG_BATCH_BEGIN, SEQUENCE_BEGIN, generation);
	put_frame(finish, NFNL_MSG_BATCH_END, SEQUENCE_END, 0);
	batch->messages[end - 1].header->nlmsg_flags |= NLM_F_ACK;
	add_piece(batch->pool, &pieces, begin, ((struct nlmsghdr *)(void *)begin)->nlmsg_len);
	add_messages(batch->pool, &pieces, batch, first, end);
	if (has_end)
		add_piece(batch->pool, &pieces, finish, ((struct nlmsghdr *)(void *)finish)->nlmsg_len);
	int error = send_pieces(netlink, pieces.items, pieces.items_count);
	talloc_free(pieces.items);
	return error;
}

static int read_word(const struct nlattr *attribute, void *data)
{
	struct nft_refusal *refusal = data;
	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_OFFS)
		refusal->offset = mnl_attr_get_u32(attribute);
	if (mnl_attr_get_type(attribute) != NLMSGERR_ATTR_MSG)
		return MNL_CB_OK;
	size_t length = strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
	if (length >= sizeof refusal->text)
		length = sizeof refusal->text - 1;
	memcpy(refusal->text, mnl_attr_get_payload(attribute), length);
	return MNL_CB_OK;
}

/* The message itself is not echoed: NETLINK_CAP_ACK. */
static void read_words(struct nft_refusal *refusal, const struct nlmsghdr *header)
{
	if ((header->nlmsg_flags & NLM_F_ACK_TLVS) != 0)
		mnl_attr_parse(header, sizeof(struct nlmsgerr), read_word, refusal);
}

struct waiting {
	uint32_t sequence; /* of the last message of the batch */
	bool is_acknowledged;
	struct nft_answer *answer;
};

static void read_verdict(struct waiting *waiting, const struct nlmsghdr *header)
{
	if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < mnl_nlmsg_size(sizeof(struct nlmsgerr)))
		return;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);
	uint32_t sequence = error->msg.nlmsg_seq;
	if (error->error == 0) {
		if (sequence == waiting->sequence)
			waiting->is_acknowledged = true;
		return;
	}
	struct nft_answer *answer = waiting->answer;
	if (answer->refusals_count < NFT_REFUSALS_MAX) {
		struct nft_refusal *refusal = &answer->refusals[answer->refusals_count];
		*refusal = (struct nft_refusal){ .error = -error->error };
		refusal->sequence = sequence >= SEQUENCE_END ? 0 : sequence;
		read_words(refusal, header);
	}
	answer->refusals_count++;
}

static int verdict_of(const struct waiting *waiting, int error)
{
	const struct nft_answer *answer = waiting->answer;
	if (answer->refusals_count != 0)
		return answer->refusals[0].error;
	return waiting->is_acknowledged ? 0 : error;
}

/* Reads until the queue is empty; waits only while nothing has come. */
static int read_verdicts(struct nft_socket *netlink, struct waiting *waiting, int timeout_ms)
{
	char bytes[RECEIVE_BYTES];
	int lost = 0;
	for (;;) {
		bool has_verdict = waiting->is_acknowledged || waiting->answer->refusals_count != 0;
		ssize_t length = receive(netlink, bytes, sizeof bytes, has_verdict || lost ? 0 : timeout_ms);
		if (length == -ENOBUFS) {
			lost = ENOBUFS; /* more errors than the queue holds: those in it will do */
			continue;
		}
		if (length < 0)
			return verdict_of(waiting, lost != 0 ? EOVERFLOW : (int)-length);
		int left = (int)length;
		for (const struct nlmsghdr *header = (const struct nlmsghdr *)(void *)bytes;
		     mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
			read_verdict(waiting, header);
	}
}

/* Hooks run inside an RCU read section (nf_hook), and membarrier waits for all of them; it does not on
 * a machine of one processor or with nohz_full, where time has to do. */
void nft_wait_for_packets(void)
{
	const struct timespec while_packets_leave = { .tv_nsec = 50000000 };
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
		return;
	nanosleep(&while_packets_leave, NULL);
}

static int send_and_wait(struct nft_socket *netlink, struct nft_batch *batch, size_t first, size_t end,
			 uint32_t generation, bool has_end, struct nft_answer *answer)
{
	answer->refusals_count = 0;
	if (first == end)
		return 0;
	int error = send_batch(netlink, batch, first, end, generation, has_end);
	if (error != 0)
		return error;
	size_t more_ms = nft_batch_bytes(batch, first, end) / TIMEOUT_BYTES_A_MS;
	struct waiting waiting = {
		.sequence = batch->messages[end - 1].header->nlmsg_seq,
		.answer = answer,
	};
	return read_verdicts(netlink, &waiting, TIMEOUT_MS + (int)(more_ms > 600000 ? 600000 : more_ms));
}

int nft_send(struct nft_socket *netlink, struct nft_batch *batch, size_t first, size_t end,
	     uint32_t generation, struct nft_answer *answer)
{
	return send_and_wait(netlink, batch, first, end, generation, true, answer);
}

int nft_try(struct nft_socket *netlink, struct nft_batch *batch, struct nft_answer *answer)
{
	return send_and_wait(netlink, batch, 0, batch->messages_count, 0, false, answer);
}
