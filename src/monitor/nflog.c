/* NFLOG: see nflog.h. */
#include "monitor/nflog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pool.h"

#define COPIED 160 /* IPv6, a few extension headers, ports */
#define QUEUE_BYTES (1 << 20)
#define RECEIVE_BYTES 65536

static int nflog_close(struct nflog *nflog)
{
	close(nflog->fd);
	return 0;
}

static struct nlmsghdr *put_config(char *bytes, uint16_t group)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *general;

	header->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	*general = (struct nfgenmsg){ .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(group) };
	return header;
}

/* 0 or an errno, of the kernel's answer. */
static int send_config(int fd, const struct nlmsghdr *header)
{
	char answer[1024];
	ssize_t length;
	const struct nlmsghdr *reply = (const struct nlmsghdr *)(void *)answer;

	if (send(fd, header, header->nlmsg_len, 0) < 0)
		return errno;
	do {
		length = recv(fd, answer, sizeof answer, 0);
		if (length < 0)
			return errno;
	} while (!mnl_nlmsg_ok(reply, (int)length) || reply->nlmsg_type != NLMSG_ERROR);
	return -((const struct nlmsgerr *)mnl_nlmsg_get_payload(reply))->error;
}

static int bind_group(int fd, uint16_t group)
{
	struct nfulnl_msg_config_cmd command = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(COPIED), .copy_mode = NFULNL_COPY_PACKET };
	char bytes[256];
	struct nlmsghdr *header = put_config(bytes, group);
	int error;

	mnl_attr_put(header, NFULA_CFG_CMD, sizeof command, &command);
	error = send_config(fd, header);
	if (error != 0)
		return error;
	header = put_config(bytes, group);
	mnl_attr_put(header, NFULA_CFG_MODE, sizeof mode, &mode);
	mnl_attr_put_u32(header, NFULA_CFG_TIMEOUT, htonl(1)); /* hundredths of a second */
	mnl_attr_put_u32(header, NFULA_CFG_QTHRESH, htonl(1));
	return send_config(fd, header);
}

struct nflog *nflog_new(void *pool, uint16_t group)
{
	const int queue = QUEUE_BYTES;
	struct nflog *nflog = pool_new(pool, struct nflog);
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int error = 0;

	nflog->group = group;
	nflog->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (nflog->fd < 0)
		return NULL;
	talloc_set_destructor(nflog, nflog_close);
	if (setsockopt(nflog->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) != 0)
		(void)setsockopt(nflog->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	if (bind(nflog->fd, (struct sockaddr *)&any, sizeof any) != 0)
		error = errno;
	else
		error = bind_group(nflog->fd, group);
	if (error == 0)
		return nflog;
	talloc_free(nflog);
	errno = error;
	return NULL;
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct nflog_packet *packet = data;
	size_t length = mnl_attr_get_payload_len(attribute);

	switch (mnl_attr_get_type(attribute)) {
	case NFULA_PREFIX:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
			packet->prefix = mnl_attr_get_str(attribute);
		break;
	case NFULA_PAYLOAD:
		packet->bytes = mnl_attr_get_payload(attribute);
		packet->length = length;
		break;
	case NFULA_IFINDEX_INDEV:
		if (length == sizeof(uint32_t))
			packet->in = ntohl(mnl_attr_get_u32(attribute));
		break;
	case NFULA_IFINDEX_OUTDEV:
		if (length == sizeof(uint32_t))
			packet->out = ntohl(mnl_attr_get_u32(attribute));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

int nflog_read(struct nflog *nflog, void (*take)(const struct nflog_packet *packet, void *data), void *data)
{
	char bytes[RECEIVE_BYTES];
	ssize_t length = recv(nflog->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	int left = (int)length;

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	for (const struct nlmsghdr *header = (const struct nlmsghdr *)(void *)bytes; mnl_nlmsg_ok(header, left);
	     header = mnl_nlmsg_next(header, &left)) {
		struct nflog_packet packet = { .prefix = "" };

		if (header->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
			continue;
		if (mnl_attr_parse(header, sizeof(struct nfgenmsg), read_attribute, &packet) == MNL_CB_OK)
			take(&packet, data);
	}
	return 0;
}
