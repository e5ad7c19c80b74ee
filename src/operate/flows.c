/* Conntrack's list, entry by entry: see flows.h. */
#include "operate/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/names.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "operate/remote.h"
#include "rules/evaluate.h"

#define MINUTES_A_DAY (24 * 60)
#define LISTED_MOST 5000
#define RECEIVE_BYTES 32768
#define TUPLE_MOST 256
/* linux/netfilter/nf_conntrack_common.h: IPS_EXPECTED, IPS_SRC_NAT, IPS_DST_NAT */
#define STATUS_EXPECTED 1
#define STATUS_SOURCE 0x10
#define STATUS_DESTINATION 0x20

/* One direction of a connection. */
struct tuple {
	bool has_addresses;
	enum family family;
	number128 source, destination;
	uint8_t protocol, type, code;
	uint16_t source_port, destination_port;
};

struct flow {
	struct tuple original, reply;
	uint8_t original_bytes[TUPLE_MOST]; /* as the kernel sent it, to be named by */
	uint16_t original_length;
	bool has_zone, has_id;
	uint16_t zone;
	uint32_t id; /* network byte order */
	uint32_t status;
};

/* Each is judged as it comes, for there may be a million, and ended through another socket than the list's. */
struct ending {
	struct mnl_socket *list, *order;
	bool (*is_to_end)(void *judge, const struct flow *flow);
	void *judge;
	struct flows *flows;
	int error; /* of one that could not be ended; the others are */
};

/* --- reading ------------------------------------------------------------------------------------------ */

static number128 number_of(const struct nlattr *attribute)
{
	const uint8_t *bytes = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);
	number128 value = 0;

	for (size_t index = 0; index < length && index < 16; index++)
		value = value << 8 | bytes[index];
	return value;
}

static int read_ip(const struct nlattr *attribute, void *data)
{
	struct tuple *tuple = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_IP_V4_SRC:
	case CTA_IP_V6_SRC:
		tuple->source = number_of(attribute);
		tuple->family = mnl_attr_get_payload_len(attribute) == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
		break;
	case CTA_IP_V4_DST:
	case CTA_IP_V6_DST:
		tuple->destination = number_of(attribute);
		tuple->has_addresses = true;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_protocol(const struct nlattr *attribute, void *data)
{
	struct tuple *tuple = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_PROTO_NUM:
		tuple->protocol = (uint8_t)number_of(attribute);
		break;
	case CTA_PROTO_SRC_PORT:
		tuple->source_port = (uint16_t)number_of(attribute);
		break;
	case CTA_PROTO_DST_PORT:
		tuple->destination_port = (uint16_t)number_of(attribute);
		break;
	case CTA_PROTO_ICMP_TYPE:
	case CTA_PROTO_ICMPV6_TYPE:
		tuple->type = (uint8_t)number_of(attribute);
		break;
	case CTA_PROTO_ICMP_CODE:
	case CTA_PROTO_ICMPV6_CODE:
		tuple->code = (uint8_t)number_of(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_tuple(const struct nlattr *attribute, void *data)
{
	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_IP:
		return mnl_attr_parse_nested(attribute, read_ip, data);
	case CTA_TUPLE_PROTO:
		return mnl_attr_parse_nested(attribute, read_protocol, data);
	default:
		return MNL_CB_OK;
	}
}

static int read_entry(const struct nlattr *attribute, void *data)
{
	struct flow *flow = data;
	size_t length = mnl_attr_get_payload_len(attribute);

	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_ORIG:
		if (length <= sizeof flow->original_bytes) {
			memcpy(flow->original_bytes, mnl_attr_get_payload(attribute), length);
			flow->original_length = (uint16_t)length;
		}
		return mnl_attr_parse_nested(attribute, read_tuple, &flow->original);
	case CTA_TUPLE_REPLY:
		return mnl_attr_parse_nested(attribute, read_tuple, &flow->reply);
	case CTA_ZONE:
		flow->has_zone = true;
		flow->zone = (uint16_t)number_of(attribute);
		return MNL_CB_OK;
	case CTA_STATUS:
		flow->status = (uint32_t)number_of(attribute);
		return MNL_CB_OK;
	case CTA_ID:
		flow->has_id = length == sizeof flow->id;
		if (flow->has_id)
			flow->id = mnl_attr_get_u32(attribute);
		return MNL_CB_OK;
	default:
		return MNL_CB_OK;
	}
}

static struct nlmsghdr *put_message(char *bytes, uint16_t type, uint16_t flags, unsigned char family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *general;

	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = 1;
	general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	*general = (struct nfgenmsg){ .nfgen_family = family, .version = NFNETLINK_V0 };
	return header;
}

/* Sends a request and hands its answers over. 0 or an errno. */
static int ask(struct mnl_socket *netlink, const struct nlmsghdr *header, mnl_cb_t take, void *data)
{
	char answer[RECEIVE_BYTES];
	int state = MNL_CB_OK;

	if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
		return errno;
	while (state == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(netlink, answer, sizeof answer);

		if (length < 0)
			return errno;
		state = mnl_cb_run(answer, (size_t)length, 1, mnl_socket_get_portid(netlink), take, data);
	}
	return state == MNL_CB_ERROR ? errno : 0;
}

/* --- judging ------------------------------------------------------------------------------------------ */

struct judge {
	void *pool;
	const struct ruleset *ruleset;
	time_t now;
	struct names *routes; /* an address to the name of its interface */
};

static const char *interface_to(struct judge *judge, enum family family, number128 value)
{
	struct { number128 value; uint64_t family, padding; } key = { value, family, 0 };
	const char *name = names_find(judge->routes, (const char *)&key, sizeof key);

	if (name == NULL) {
		name = remote_interface_to(judge->pool, &(struct address){ family, value });
		if (name == NULL)
			name = "";
		names_set(judge->routes, (const char *)&key, sizeof key, (void *)(uintptr_t)name);
	}
	return name[0] == '\0' ? NULL : name;
}

/* As rules see the first packet: behind the translation of its destination, before that of its source. */
static struct packet packet_of(struct judge *judge, const struct flow *flow)
{
	const struct tuple *original = &flow->original, *reply = &flow->reply;
	bool has_ports = protocol_has_ports(original->protocol);
	bool is_icmp = original->protocol == PROTOCOL_ICMP || original->protocol == PROTOCOL_ICMP6;
	struct address source = { original->family, original->source };
	struct address destination = { reply->family, reply->source };
	struct packet packet = {
		.family = original->family,
		.source = original->source,
		.destination = reply->source,
		.protocol = original->protocol,
		.first = has_ports ? reply->source_port : is_icmp ? original->type : 0,
		.second = has_ports ? original->source_port : is_icmp ? original->code : 0,
		.minute = (unsigned)((judge->now / 60 + 3 * MINUTES_A_DAY) % (7 * MINUTES_A_DAY)),
		.time = judge->now,
		.is_translated = reply->source != original->destination ||
				 (has_ports && reply->source_port != original->destination_port),
		.original_destination = original->destination,
		.original_first = original->destination_port,
	};

	bool is_from_own = remote_is_own_address(&source), is_to_own = remote_is_own_address(&destination);
	/* what is translated between own addresses is judged as it leaves, by the way that it had then */
	number128 towards = is_from_own && is_to_own ? original->destination : destination.value;

	packet.hook = is_to_own && !(is_from_own && packet.is_translated) ? HOOK_INPUT :
		      is_from_own ? HOOK_OUTPUT : HOOK_FORWARD;
	packet.in = packet.hook == HOOK_OUTPUT ? NULL : interface_to(judge, source.family, source.value);
	packet.out = packet.hook == HOOK_INPUT ? NULL : interface_to(judge, destination.family, towards);
	return packet;
}

static bool is_denied(void *data, const struct flow *flow)
{
	struct judge *judge = data;
	struct packet packet = packet_of(judge, flow);
	bool knows_in = packet.hook == HOOK_OUTPUT || packet.in != NULL;
	bool knows_out = packet.hook == HOOK_INPUT || packet.out != NULL;
	bool is_loopback = (packet.in != NULL && strcmp(packet.in, "lo") == 0) ||
			   (packet.out != NULL && strcmp(packet.out, "lo") == 0);

	if ((flow->status & STATUS_EXPECTED) != 0) /* let in with another connection, whose helper expected it */
		return false;
	if (!knows_in || !knows_out || (is_loopback && !packet.is_translated))
		return false;
	return ruleset_evaluate(judge->ruleset, &packet).outcome->verdict != VERDICT_ALLOW;
}

static bool is_translated(void *data, const struct flow *flow)
{
	(void)data;
	return (flow->status & (STATUS_SOURCE | STATUS_DESTINATION)) != 0;
}

/* --- ending ------------------------------------------------------------------------------------------- */

static int ignore(const struct nlmsghdr *header, void *data)
{
	(void)header;
	(void)data;
	return MNL_CB_OK;
}

static int end_flow(struct mnl_socket *netlink, const struct flow *flow)
{
	char bytes[1024];
	unsigned char family = flow->original.family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	struct nlmsghdr *header = put_message(bytes, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, family);

	mnl_attr_put(header, CTA_TUPLE_ORIG | NLA_F_NESTED, flow->original_length, flow->original_bytes);
	if (flow->has_zone)
		mnl_attr_put_u16(header, CTA_ZONE, htons(flow->zone));
	if (flow->has_id)
		mnl_attr_put_u32(header, CTA_ID, flow->id);
	return ask(netlink, header, ignore, NULL);
}

static int take_message(const struct nlmsghdr *header, void *data)
{
	struct ending *ending = data;
	struct flow flow = { .has_zone = false };
	int error;

	if (mnl_attr_parse(header, sizeof(struct nfgenmsg), read_entry, &flow) != MNL_CB_OK ||
	    !flow.original.has_addresses || !flow.reply.has_addresses || flow.original_length == 0)
		return MNL_CB_OK;
	ending->flows->seen++;
	if (!ending->is_to_end(ending->judge, &flow))
		return MNL_CB_OK;
	error = end_flow(ending->order, &flow);
	ending->flows->ended += error == 0;
	if (error != 0 && error != ENOENT) { /* which has ended by itself meanwhile */
		ending->flows->left++;
		ending->error = error;
	}
	return MNL_CB_OK;
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int error;

	if (netlink == NULL || mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0)
		return netlink;
	error = errno;
	mnl_socket_close(netlink);
	errno = error;
	return NULL;
}

/* families: FAMILIES_*; status: a bit that is set, or 0: whatever it is. A kernel that does not know the filter
 * (before Linux 5.15) lists all. */
static int end_listed(struct ending *ending, unsigned families, uint32_t status)
{
	char bytes[256];
	unsigned char family = families == FAMILIES_IPV4 ? AF_INET :
			       families == FAMILIES_IPV6 ? AF_INET6 : AF_UNSPEC;
	struct nlmsghdr *header = put_message(bytes, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);

	if (status != 0) {
		mnl_attr_put_u32(header, CTA_STATUS, htonl(status));
		mnl_attr_put_u32(header, CTA_STATUS_MASK, htonl(status));
	}
	return ask(ending->list, header, take_message, ending);
}

/* A list walks over all that the kernel has room for, 10 ms for 262,144 buckets; what is on it takes 2 us each. */
static int end_translated(struct ending *ending, unsigned families)
{
	int error;

	if (flows_count() < LISTED_MOST)
		return end_listed(ending, families, 0);
	error = end_listed(ending, families, STATUS_SOURCE);
	return error != 0 ? error : end_listed(ending, families, STATUS_DESTINATION);
}

static int end_denied(struct ending *ending, unsigned families)
{
	return end_listed(ending, families, 0);
}

static int end_flows(struct ending *ending, unsigned families,
		     int (*end)(struct ending *ending, unsigned families))
{
	int error;

	*ending->flows = (struct flows){ 0 };
	ending->list = open_socket();
	error = ending->list == NULL ? errno : 0;
	ending->order = error == 0 ? open_socket() : NULL;
	if (error == 0 && ending->order == NULL)
		error = errno;
	if (error == 0)
		error = end(ending, families);
	if (ending->order != NULL)
		mnl_socket_close(ending->order);
	if (ending->list != NULL)
		mnl_socket_close(ending->list);
	return error != 0 ? error : ending->error;
}

int flows_end_denied(void *pool, const struct ruleset *ruleset, time_t now, struct flows *flows)
{
	struct judge judge = { .pool = pool, .ruleset = ruleset, .now = now, .routes = names_new(pool, false) };
	struct ending ending = { .is_to_end = is_denied, .judge = &judge, .flows = flows };

	return end_flows(&ending, FAMILIES_BOTH, end_denied);
}

int flows_end_translated(unsigned families, struct flows *flows)
{
	struct ending ending = { .is_to_end = is_translated, .flows = flows };

	return end_flows(&ending, families, end_translated);
}

size_t flows_count(void)
{
	char text[32] = "";
	size_t length = 0;
	int fd = open("/proc/sys/net/netfilter/nf_conntrack_count", O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : file_read(fd, text, sizeof text - 1, &length);

	if (fd >= 0)
		close(fd);
	return error != 0 || length == 0 ? SIZE_MAX : strtoul(text, NULL, 10);
}
