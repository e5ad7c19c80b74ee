/* Dumps over libmnl. The generation is asked before and after: between two equal answers nothing
 * changed, so that the lists belong together. */
#include "target/nft/read/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read/expression.h"

#define REQUEST_BYTES 1024
#define ATTEMPTS_MAX 50
#define RECEIVE_BYTES (64 << 10) /* netlink_dump's messages are at most 32 KiB */

struct dump {
	struct mnl_socket *socket;
	uint32_t sequence;
	uint8_t family;
	const char *name;
	struct nft_read *read;
	struct text *messages; /* or NULL: every message, as it came */
};

typedef int (*message_callback)(const struct nlmsghdr *header, void *data);

static int close_socket(struct mnl_socket **socket)
{
	mnl_socket_close(*socket);
	return 0;
}

/* Sends the request and hands every answer to the callback; 0 or an errno. */
static int ask(struct dump *dump, struct nlmsghdr *request, message_callback callback, void *data)
{
	char bytes[RECEIVE_BYTES];
	unsigned port = mnl_socket_get_portid(dump->socket);
	request->nlmsg_seq = ++dump->sequence;
	if (mnl_socket_sendto(dump->socket, request, request->nlmsg_len) < 0)
		return errno;
	for (;;) {
		ssize_t length = mnl_socket_recvfrom(dump->socket, bytes, sizeof bytes);
		if (length < 0)
			return errno;
		int state = mnl_cb_run(bytes, (size_t)length, dump->sequence, port, callback, data);
		if (state < 0)
			return errno;
		if (state == MNL_CB_STOP)
			return 0;
	}
}

static struct nlmsghdr *request_of(char *bytes, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	struct nfgenmsg *general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	*general = (struct nfgenmsg){ .nfgen_family = family, .version = NFNETLINK_V0 };
	return header;
}

static int take_generation(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attribute;
	read_each(attribute, header)
		if (mnl_attr_get_type(attribute) == NFTA_GEN_ID && mnl_attr_get_payload_len(attribute) == 4)
			*(uint32_t *)data = ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_STOP;
}

static int ask_generation(struct dump *dump, uint32_t *generation)
{
	char bytes[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	*generation = 0;
	return ask(dump, request_of(bytes, NFT_MSG_GETGEN, 0, AF_UNSPEC), take_generation, generation);
}

/* Is the message about the table that is wanted? Its name is attribute 1 in all of them. */
static bool is_wanted(const struct dump *dump, const struct nlmsghdr *header)
{
	const struct nfgenmsg *general = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	if (dump->name == NULL)
		return true;
	if (general->nfgen_family != dump->family)
		return false;
	read_each(attribute, header)
		if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME)
			return strncmp(mnl_attr_get_str(attribute), dump->name,
				       mnl_attr_get_payload_len(attribute)) == 0;
	return false;
}

static int take_message(const struct nlmsghdr *header, void *data)
{
	struct dump *dump = data;
	if (is_wanted(dump, header))
		nft_read_message(dump->read, header);
	if (dump->messages != NULL)
		text_add_bytes(dump->messages, (const char *)header, NLMSG_ALIGN(header->nlmsg_len));
	return MNL_CB_OK;
}

static int dump_kind(struct dump *dump, uint16_t type)
{
	char bytes[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	return ask(dump, request_of(bytes, type, NLM_F_DUMP, dump->family), take_message, dump);
}

static int dump_elements(struct dump *dump, const struct read_table *table, const struct read_set *set)
{
	char bytes[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *header = request_of(bytes, NFT_MSG_GETSETELEM, NLM_F_DUMP, table->family);
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, table->name);
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, set->name);
	return ask(dump, header, take_message, dump);
}

static int dump_sets(struct dump *dump)
{
	int error = dump_kind(dump, NFT_MSG_GETSET);
	for (size_t i = 0; i < dump->read->tables_count && error == 0; i++) {
		const struct read_table *table = dump->read->tables[i];
		for (size_t k = 0; k < table->sets_count && error == 0; k++)
			error = dump_elements(dump, table, table->sets[k]);
	}
	return error;
}

static int dump_all(struct dump *dump)
{
	int error = dump_kind(dump, NFT_MSG_GETTABLE);
	if (error == 0 && dump->name != NULL && dump->read->tables_count == 0)
		return ENOENT;
	if (error == 0)
		error = dump_kind(dump, NFT_MSG_GETOBJ);
	if (error == 0)
		error = dump_kind(dump, NFT_MSG_GETCHAIN);
	if (error == 0)
		error = dump_sets(dump);
	if (error == 0)
		error = dump_kind(dump, NFT_MSG_GETRULE);
	return error;
}

static int dump_once(void *pool, struct dump *dump)
{
	uint32_t after;
	dump->read = nft_read_new(pool);
	int error = ask_generation(dump, &dump->read->generation);
	if (error == 0)
		error = dump_all(dump);
	int asked = ask_generation(dump, &after);
	if (asked == 0 && after != dump->read->generation)
		return EINTR;
	return error != 0 ? error : asked;
}

static int dump_until_whole(void *pool, struct dump *dump)
{
	int error = EINTR;
	for (int attempt = 0; attempt < ATTEMPTS_MAX && error == EINTR; attempt++) {
		talloc_free(dump->read);
		dump->read = NULL;
		if (dump->messages != NULL)
			dump->messages->length = 0;
		error = dump_once(pool, dump);
	}
	return error;
}

static int dump_from_kernel(void *pool, struct dump *dump)
{
	struct mnl_socket **socket = pool_new(pool, struct mnl_socket *);
	*socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (*socket == NULL)
		return errno;
	talloc_set_destructor(socket, close_socket);
	dump->socket = *socket;
	int error = mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : dump_until_whole(pool, dump);
	talloc_free(socket);
	return error;
}

int nft_read_kernel(void *pool, uint8_t family, const char *name, struct nft_read **read)
{
	struct dump dump = { .family = family, .name = name };
	int error = dump_from_kernel(pool, &dump);
	if (error == 0)
		nft_read_finish(dump.read);
	*read = dump.read;
	return error;
}

int nft_dump_kernel(void *pool, struct text *messages)
{
	struct dump dump = { .family = NFPROTO_UNSPEC, .messages = messages };
	return dump_from_kernel(pool, &dump);
}

bool nft_read_dump(void *pool, const char *bytes, size_t length, struct nft_read **read)
{
	const size_t header_length = sizeof(struct nlmsghdr);
	*read = nft_read_new(pool);
	(*read)->generation = 1; /* whichever: they are a kernel's */
	while (length >= header_length) {
		const struct nlmsghdr *header = (const void *)bytes;
		if (header->nlmsg_len < header_length || header->nlmsg_len > length)
			return false;
		size_t whole = NLMSG_ALIGN((size_t)header->nlmsg_len);
		nft_read_message(*read, header);
		bytes += whole < length ? whole : length;
		length -= whole < length ? whole : length;
	}
	nft_read_finish(*read);
	return length == 0;
}
