/* Tracing: see tracer.h. */
#include "monitor/tracer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/trace.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/batch/batch.h"
#include "target/nft/batch/build.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/load/refusal.h"
#include "target/nft/batch/transaction.h"

#define PRIORITY (-350) /* before raw, where nothing is tracked nor translated */
#define QUEUE_BYTES (4 << 20)
#define RECEIVE_BYTES 65536
#define STATEMENTS_MOST 8
#define TABLE_OWNED 0x2 /* NFT_TABLE_F_OWNER */
#define MARK_REGISTER NFT_REG32_00

/* --- the table ------------------------------------------------------------------------------------------ */

struct conditions {
	struct nft_statement items[STATEMENTS_MOST];
	size_t count;
};

static struct nft_statement *add_match(struct conditions *conditions, enum nft_field field, number128 value)
{
	struct nft_statement *match = &conditions->items[conditions->count++];

	*match = (struct nft_statement){ .kind = NFT_MATCH, .field = field, .operator = NFT_EQUAL };
	match->low.number = value;
	return match;
}

static void add_prefix(struct conditions *conditions, enum nft_field field, const struct prefix *prefix)
{
	struct nft_statement *match = add_match(conditions, field, prefix->value);

	match->operator = NFT_PREFIX;
	match->length = (uint8_t)prefix->length;
}

static void add_parts(struct conditions *conditions, const struct trace_filter *filter)
{
	bool has_ports = protocol_has_ports(filter->protocol), is_icmp = filter->protocol == PROTOCOL_ICMP;

	if (filter->has_first)
		add_match(conditions, has_ports ? NFT_FIELD_TH_DPORT : is_icmp ? NFT_FIELD_ICMP_TYPE :
			  NFT_FIELD_ICMPV6_TYPE, filter->first)->protocol = filter->protocol;
	if (filter->has_second)
		add_match(conditions, has_ports ? NFT_FIELD_TH_SPORT : is_icmp ? NFT_FIELD_ICMP_CODE :
			  NFT_FIELD_ICMPV6_CODE, filter->second)->protocol = filter->protocol;
}

static void add_conditions(struct conditions *conditions, const struct trace_filter *filter)
{
	bool is_ipv4 = filter->family == FAMILY_IPV4;

	if (filter->has_family)
		add_match(conditions, NFT_FIELD_NFPROTO, is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (filter->has_source && filter->source.length > 0)
		add_prefix(conditions, is_ipv4 ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP6_SADDR, &filter->source);
	if (filter->has_destination && filter->destination.length > 0)
		add_prefix(conditions, is_ipv4 ? NFT_FIELD_IP_DADDR : NFT_FIELD_IP6_DADDR,
			   &filter->destination);
	if (filter->has_protocol) {
		add_match(conditions, NFT_FIELD_L4PROTO, filter->protocol);
		add_parts(conditions, filter);
	}
}

static struct nftnl_expr *expression(const void *pool, struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expression = nftnl_expr_alloc(name);

	if (expression == NULL)
		pool_fail(pool, 0);
	nftnl_rule_add_expr(rule, expression);
	return expression;
}

/* meta nftrace set 1 */
static void add_mark(const void *pool, struct nftnl_rule *rule)
{
	const uint8_t one = 1;
	struct nftnl_expr *load = expression(pool, rule, "immediate"), *set;

	nftnl_expr_set_u32(load, NFTNL_EXPR_IMM_DREG, MARK_REGISTER);
	nftnl_expr_set(load, NFTNL_EXPR_IMM_DATA, &one, sizeof one);
	set = expression(pool, rule, "meta");
	nftnl_expr_set_u32(set, NFTNL_EXPR_META_KEY, NFT_META_NFTRACE);
	nftnl_expr_set_u32(set, NFTNL_EXPR_META_SREG, MARK_REGISTER);
}

static void add_chain(struct nft_batch *batch, const struct nft_naming *naming, const char *name, unsigned hook,
		      struct conditions *conditions)
{
	const struct nft_chain chain = {
		.name = name, .is_base = true, .type = "filter", .hook = hook, .priority = PRIORITY,
	};
	const struct nft_rule rule = {
		.statements = conditions->items, .statements_count = conditions->count, .origin = SPAN_NONE,
	};
	struct nftnl_chain *built = nft_build_chain(batch->pool, naming, name, &chain);
	struct nftnl_rule *marking = nft_build_rule(batch->pool, naming, name, &rule);
	struct nlmsghdr *header = nft_batch_begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	nftnl_chain_nlmsg_build_payload(header, built);
	nftnl_chain_free(built);
	nft_batch_end(batch, header);
	add_mark(batch->pool, marking);
	header = nft_batch_begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(header, marking);
	nftnl_rule_free(marking);
	nft_batch_end(batch, header);
}

static struct nft_batch *table_batch(void *pool, const struct trace_filter *filter)
{
	struct nft_batch *batch = nft_batch_new(pool);
	struct nft_naming naming = { .table = pool_format(pool, TRACER_TABLE "%d", (int)getpid()), .suffix = "" };
	struct conditions conditions = { .count = 0 };
	struct nlmsghdr *header = nft_batch_begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);

	mnl_attr_put_strz(header, NFTA_TABLE_NAME, naming.table);
	mnl_attr_put_u32(header, NFTA_TABLE_FLAGS, htonl(TABLE_OWNED));
	nft_batch_end(batch, header);
	add_conditions(&conditions, filter);
	add_chain(batch, &naming, "prerouting", NF_INET_PRE_ROUTING, &conditions);
	add_chain(batch, &naming, "output", NF_INET_LOCAL_OUT, &conditions);
	return batch;
}

/* --- the events ------------------------------------------------------------------------------------------ */

static int tracer_close(struct tracer *tracer)
{
	if (tracer->fd >= 0)
		close(tracer->fd);
	return 0;
}

/* 0 or an errno */
static int listen_to_events(struct tracer *tracer)
{
	const int queue = QUEUE_BYTES, group = NFNLGRP_NFTRACE;
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };

	tracer->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (tracer->fd < 0)
		return errno;
	if (setsockopt(tracer->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) != 0)
		(void)setsockopt(tracer->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	if (bind(tracer->fd, (struct sockaddr *)&any, sizeof any) != 0 ||
	    setsockopt(tracer->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
		return errno;
	return 0;
}

struct tracer *tracer_new(void *pool, struct diags *diags, const struct trace_filter *filter)
{
	struct tracer *tracer = pool_new(pool, struct tracer);
	struct nft_batch *batch = table_batch(tracer, filter);
	struct nft_answer answer;
	int error;

	talloc_set_destructor(tracer, tracer_close);
	error = listen_to_events(tracer);
	tracer->netlink = error == 0 ? nft_socket_new(tracer) : NULL;
	if (error == 0 && tracer->netlink == NULL)
		error = errno;
	if (error == 0)
		error = nft_send(tracer->netlink, batch, 0, batch->messages_count, 0, &answer);
	if (error == 0)
		return tracer;
	nft_report_error(diags, error, "trace packets");
	talloc_free(tracer);
	return NULL;
}

/* The headers of an event: network, then transport. */
static bool read_headers(const struct nftnl_trace *trace, struct header *header)
{
	uint8_t bytes[512];
	uint32_t network_length = 0, transport_length = 0;
	const void *network = nftnl_trace_get_data(trace, NFTNL_TRACE_NETWORK_HEADER, &network_length);
	const void *transport = nftnl_trace_get_data(trace, NFTNL_TRACE_TRANSPORT_HEADER, &transport_length);

	if (network == NULL || network_length > sizeof bytes / 2)
		return false;
	memcpy(bytes, network, network_length);
	if (transport == NULL || transport_length > sizeof bytes / 2)
		transport_length = 0;
	else
		memcpy(bytes + network_length, transport, transport_length);
	return header_read(bytes, network_length + transport_length, header);
}

static const char *string_of(const struct nftnl_trace *trace, uint16_t attribute)
{
	return nftnl_trace_is_set(trace, attribute) ? nftnl_trace_get_str(trace, attribute) : NULL;
}

static uint32_t number_of(const struct nftnl_trace *trace, uint16_t attribute)
{
	return nftnl_trace_is_set(trace, attribute) ? nftnl_trace_get_u32(trace, attribute) : 0;
}

static void take_trace(const struct nftnl_trace *trace, void (*take)(const struct trace_event *event, void *data),
		       void *data)
{
	struct trace_event event = {
		.id = number_of(trace, NFTNL_TRACE_ID),
		.family = (uint8_t)number_of(trace, NFTNL_TRACE_FAMILY),
		.table = string_of(trace, NFTNL_TRACE_TABLE),
		.chain = string_of(trace, NFTNL_TRACE_CHAIN),
		.target = string_of(trace, NFTNL_TRACE_JUMP_TARGET),
		.in = number_of(trace, NFTNL_TRACE_IIF),
		.out = number_of(trace, NFTNL_TRACE_OIF),
		.verdict = NFT_CONTINUE,
	};

	if (event.table == NULL || event.chain == NULL)
		return;
	if (nftnl_trace_is_set(trace, NFTNL_TRACE_RULE_HANDLE))
		event.handle = nftnl_trace_get_u64(trace, NFTNL_TRACE_RULE_HANDLE);
	event.is_policy = number_of(trace, NFTNL_TRACE_TYPE) == NFT_TRACETYPE_POLICY;
	if (event.is_policy)
		event.verdict = (int32_t)number_of(trace, NFTNL_TRACE_POLICY);
	else if (nftnl_trace_is_set(trace, NFTNL_TRACE_VERDICT))
		event.verdict = (int32_t)nftnl_trace_get_u32(trace, NFTNL_TRACE_VERDICT);
	event.has_header = read_headers(trace, &event.header);
	take(&event, data);
}

int tracer_read(struct tracer *tracer, void (*take)(const struct trace_event *event, void *data), void *data)
{
	char bytes[RECEIVE_BYTES];
	ssize_t length = recv(tracer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	int left = (int)length;

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : errno;
	for (const struct nlmsghdr *header = (const struct nlmsghdr *)(void *)bytes; mnl_nlmsg_ok(header, left);
	     header = mnl_nlmsg_next(header, &left)) {
		struct nftnl_trace *trace;

		if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE))
			continue;
		trace = nftnl_trace_alloc();
		if (trace == NULL)
			pool_fail(tracer, 0);
		if (nftnl_trace_nlmsg_parse(header, trace) == 0)
			take_trace(trace, take, data);
		nftnl_trace_free(trace);
	}
	return 0;
}
