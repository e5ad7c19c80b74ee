#include "target/nft/walk/load.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/read/expression.h"

#define UNKNOWN_BYTES_MAX 16

struct key_row {
	uint32_t key;
	uint16_t variable; /* 0: unknown */
	uint8_t bytes;     /* of what is unknown */
	bool is_host_order;
	bool can_break;
	const char *name;
};

static const struct key_row meta_rows[] = {
	{ NFT_META_LEN, 0, 4, true, false, "meta length" },
	{ NFT_META_PROTOCOL, WALK_ETHERTYPE, 2, false, false, "meta protocol" },
	{ NFT_META_PRIORITY, 0, 4, true, false, "meta priority" },
	{ NFT_META_MARK, 0, 4, true, false, "meta mark" },
	{ NFT_META_IIF, WALK_IIF, 4, true, false, "meta iif" },
	{ NFT_META_OIF, WALK_OIF, 4, true, false, "meta oif" },
	{ NFT_META_IIFNAME, WALK_IIFNAME, 16, false, false, "meta iifname" },
	{ NFT_META_OIFNAME, WALK_OIFNAME, 16, false, false, "meta oifname" },
	{ NFT_META_IFTYPE, 0, 2, true, true, "meta iiftype" },
	{ NFT_META_OIFTYPE, 0, 2, true, true, "meta oiftype" },
	{ NFT_META_SKUID, 0, 4, true, true, "meta skuid" },
	{ NFT_META_SKGID, 0, 4, true, true, "meta skgid" },
	{ NFT_META_NFTRACE, 0, 1, true, false, "meta nftrace" },
	{ NFT_META_RTCLASSID, 0, 4, true, true, "meta rtclassid" },
	{ NFT_META_SECMARK, 0, 4, true, false, "meta secmark" },
	{ NFT_META_NFPROTO, WALK_NFPROTO, 1, false, false, "meta nfproto" },
	{ NFT_META_L4PROTO, WALK_L4PROTO, 1, false, false, "meta l4proto" },
	{ NFT_META_BRI_IIFNAME, 0, 16, false, true, "meta ibrname" },
	{ NFT_META_BRI_OIFNAME, 0, 16, false, true, "meta obrname" },
	{ NFT_META_PKTTYPE, 0, 1, false, true, "meta pkttype" },
	{ NFT_META_CPU, 0, 4, true, false, "meta cpu" },
	{ NFT_META_IIFGROUP, 0, 4, true, true, "meta iifgroup" },
	{ NFT_META_OIFGROUP, 0, 4, true, true, "meta oifgroup" },
	{ NFT_META_CGROUP, 0, 4, true, true, "meta cgroup" },
	{ NFT_META_PRANDOM, 0, 4, true, false, "meta random" },
	{ NFT_META_SECPATH, 0, 1, false, false, "meta secpath" },
	{ NFT_META_IIFKIND, 0, 16, false, true, "meta iifkind" },
	{ NFT_META_OIFKIND, 0, 16, false, true, "meta oifkind" },
	{ NFT_META_BRI_IIFPVID, 0, 2, true, true, "meta ibrpvid" },
	{ NFT_META_BRI_IIFVPROTO, 0, 2, false, true, "meta ibrvproto" },
	{ NFT_META_TIME_NS, WALK_CLOCK, 8, true, false, "meta time" },
	{ NFT_META_TIME_DAY, WALK_DAY, 1, false, false, "meta day" },
	{ NFT_META_TIME_HOUR, WALK_HOUR, 4, true, false, "meta hour" },
	{ NFT_META_SDIF, 0, 4, true, true, "meta sdif" },
	{ NFT_META_SDIFNAME, 0, 16, false, true, "meta sdifname" },
};

/* Of the connection; all but the state break the rule where there is none. */
static const struct key_row ct_rows[] = {
	{ NFT_CT_STATE, WALK_CT_STATE, 4, true, false, "ct state" },
	{ NFT_CT_DIRECTION, 0, 1, false, false, "ct direction" },
	{ NFT_CT_STATUS, WALK_CT_STATUS, 4, true, false, "ct status" },
	{ NFT_CT_MARK, 0, 4, true, false, "ct mark" },
	{ NFT_CT_SECMARK, 0, 4, true, false, "ct secmark" },
	{ NFT_CT_EXPIRATION, 0, 4, true, false, "ct expiration" },
	{ NFT_CT_HELPER, WALK_CT_HELPER, 16, false, true, "ct helper" },
	{ NFT_CT_L3PROTOCOL, WALK_NFPROTO, 1, false, false, "ct l3proto" },
	{ NFT_CT_SRC, 0, 16, false, true, "ct saddr" },
	{ NFT_CT_DST, 0, 16, false, true, "ct daddr" },
	{ NFT_CT_PROTOCOL, WALK_L4PROTO, 1, false, false, "ct protocol" },
	{ NFT_CT_PROTO_SRC, 0, 2, false, false, "ct proto-src" },
	{ NFT_CT_PROTO_DST, WALK_CT_PROTO_DST, 2, false, false, "ct proto-dst" },
	{ NFT_CT_LABELS, 0, 16, true, false, "ct label" },
	{ NFT_CT_PKTS, 0, 8, true, false, "ct packets" },
	{ NFT_CT_BYTES, 0, 8, true, false, "ct bytes" },
	{ NFT_CT_AVGPKT, 0, 8, true, false, "ct avgpkt" },
	{ NFT_CT_ZONE, 0, 2, true, false, "ct zone" },
	{ NFT_CT_EVENTMASK, 0, 4, true, false, "ct event" },
	{ NFT_CT_SRC_IP, 0, 4, false, true, "ct ip saddr" },
	{ NFT_CT_DST_IP, WALK_CT_DST_IP, 4, false, true, "ct ip daddr" },
	{ NFT_CT_SRC_IP6, 0, 16, false, true, "ct ip6 saddr" },
	{ NFT_CT_DST_IP6, WALK_CT_DST_IP6, 16, false, true, "ct ip6 daddr" },
	{ NFT_CT_ID, 0, 4, false, false, "ct id" },
};

static const struct key_row *key_find(const struct key_row *rows, size_t count, uint64_t key)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

/* --- ways ------------------------------------------------------------------------------------------- */

struct walk_path *walk_fork(struct walk *walk, struct walk_paths *paths, size_t at)
{
	if (paths->items_count == WALK_PATHS_MAX) {
		walk_unsure(walk, paths, at, "one rule with too many cases");
		return NULL;
	}
	struct walk_path *fork = pool_append(walk->scratch, paths, items);
	*fork = paths->items[at];
	return fork;
}

void walk_unsure(struct walk *walk, struct walk_paths *paths, size_t at, const char *why)
{
	struct walk_path *path = &paths->items[at];
	const char *text = pool_format(walk->scratch, "%s: %s", walk_place(walk), why);
	diagram leaf = walk_leaf_of(walk->leaves, WALK_UNSURE, text, path->effects);
	*pool_append(walk->scratch, paths, meanings) = walk_path_guard(walk, path, leaf);
	path->is_dead = true;
}

/* Writes a variable into the register that the attribute names. */
static void put(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *expression,
		uint16_t register_at, uint16_t variable)
{
	struct walk_path *path = &paths->items[at];
	const struct walk_variable *what = &walk->variables->items[variable];
	int place = walk_register_place(read_number(expression, register_at, 0), what->bytes);
	if (place < 0 || variable == WALK_UNWRITTEN)
		walk_unsure(walk, paths, at, "a load into no register");
	else
		walk_register_load(&path->registers, place, walk->variables, variable);
}

static void put_unknown(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *expression, uint16_t register_at, const struct key_row *row)
{
	uint16_t variable = walk_variable_unknown(walk->variables, row->name, row->bytes, row->is_host_order);
	if (row->can_break) {
		uint32_t rank = walk_unknown(walk->space, pool_format(walk->scratch, "%s is known", row->name), 1);
		if (!walk_path_flag(walk, &paths->items[at], rank)) {
			paths->items[at].is_dead = true;
			return;
		}
	}
	put(walk, paths, at, expression, register_at, variable);
}

/* --- meta, ct, fib ---------------------------------------------------------------------------------- */

static void load_meta(struct walk *walk, struct walk_paths *paths, size_t at,
		      const struct read_expression *expression)
{
	uint64_t key = read_number(expression, NFTA_META_KEY, UINT64_MAX);
	const struct key_row *row = key_find(meta_rows, sizeof meta_rows / sizeof meta_rows[0], key);
	if (row == NULL)
		walk_unsure(walk, paths, at, "meta with an unknown key");
	else if (row->variable != 0)
		put(walk, paths, at, expression, NFTA_META_DREG, row->variable);
	else
		put_unknown(walk, paths, at, expression, NFTA_META_DREG, row);
}

/* There is a connection unless the packet is invalid or untracked. */
static bool has_connection(struct walk *walk, struct walk_path *path)
{
	return walk_path_field(walk, path, WALK_STATE, WALK_NEW, WALK_RELATED);
}

static bool has_ports(struct walk_path *path)
{
	static const uint8_t numbers[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_DCCP, PROTOCOL_SCTP,
		PROTOCOL_UDPLITE };
	struct walk_protocols protocols = walk_protocols_of(numbers, sizeof numbers);
	return walk_path_protocols(path, &protocols);
}

/* Conditions on what the variable needs to exist; false: unknown must be taken instead. */
static bool ct_needs(struct walk *walk, struct walk_path *path, uint16_t variable)
{
	switch (variable) {
	case WALK_CT_DST_IP:
		path->is_dead = path->is_dead || !walk_path_families(path, FAMILIES_IPV4);
		return true;
	case WALK_CT_DST_IP6:
		path->is_dead = path->is_dead || !walk_path_families(path, FAMILIES_IPV6);
		return true;
	case WALK_CT_HELPER: /* a packet's own connection has no master without one */
		path->is_dead = path->is_dead ||
				!walk_path_field(walk, path, WALK_HELPER, 1, DIAGRAM_HIGHEST);
		return true;
	}
	return true;
}

/* The port before translation means something for protocols with ports; for others it is unknown. */
static void load_original_port(struct walk *walk, struct walk_paths *paths, size_t at,
			       const struct read_expression *expression)
{
	static const struct key_row others = { NFT_CT_PROTO_DST, 0, 2, false, false, "ct proto-dst without ports" };
	struct walk_path *fork = walk_fork(walk, paths, at);
	if (fork == NULL)
		return;
	size_t with = paths->items_count - 1;
	struct walk_protocols before = fork->protocols;
	if (has_ports(fork)) {
		struct walk_protocols rest = walk_protocols_without(&before, &fork->protocols);
		put(walk, paths, with, expression, NFTA_CT_DREG, WALK_CT_PROTO_DST);
		if (!walk_path_protocols(&paths->items[at], &rest))
			paths->items[at].is_dead = true;
	} else {
		fork->is_dead = true;
	}
	if (!paths->items[at].is_dead)
		put_unknown(walk, paths, at, expression, NFTA_CT_DREG, &others);
}

static void load_ct(struct walk *walk, struct walk_paths *paths, size_t at,
		    const struct read_expression *expression)
{
	uint64_t key = read_number(expression, NFTA_CT_KEY, UINT64_MAX);
	uint64_t direction = read_number(expression, NFTA_CT_DIRECTION, 0);
	const struct key_row *row = key_find(ct_rows, sizeof ct_rows / sizeof ct_rows[0], key);
	struct walk_path *path = &paths->items[at];
	if (row == NULL) {
		walk_unsure(walk, paths, at, "ct with an unknown key");
		return;
	}
	if (key != NFT_CT_STATE && !has_connection(walk, path)) {
		path->is_dead = true;
		return;
	}
	bool is_reply = read_has(expression, NFTA_CT_DIRECTION) && direction != 0;
	bool is_undirected = !read_has(expression, NFTA_CT_DIRECTION) && row->variable >= WALK_CT_DST_IP &&
			     row->variable <= WALK_CT_PROTO_DST;
	if (row->variable == 0 || is_reply || is_undirected) {
		struct key_row named = *row;
		named.can_break = row->can_break || is_undirected;
		named.name = pool_format(walk->scratch, "%s, direction %llu", row->name,
					 (unsigned long long)direction);
		put_unknown(walk, paths, at, expression, NFTA_CT_DREG, &named);
	} else if (row->variable == WALK_CT_PROTO_DST) {
		load_original_port(walk, paths, at, expression);
	} else if (ct_needs(walk, path, row->variable) && !path->is_dead) {
		put(walk, paths, at, expression, NFTA_CT_DREG, row->variable);
	}
}

static void load_fib(struct walk *walk, struct walk_paths *paths, size_t at,
		     const struct read_expression *expression)
{
	uint64_t result = read_number(expression, NFTA_FIB_RESULT, 0);
	uint64_t flags = read_number(expression, NFTA_FIB_FLAGS, 0);
	if (result == NFT_FIB_RESULT_ADDRTYPE && flags == NFTA_FIB_F_DADDR) {
		put(walk, paths, at, expression, NFTA_FIB_DREG, WALK_FIB_TYPE);
		return;
	}
	bool is_name = result == NFT_FIB_RESULT_OIFNAME && (flags & NFTA_FIB_F_PRESENT) == 0;
	bool is_presence = (flags & NFTA_FIB_F_PRESENT) != 0;
	struct key_row row = {
		.bytes = is_presence ? 1 : is_name ? 16 : 4,
		.is_host_order = !is_name && !is_presence,
		.name = pool_format(walk->scratch, "fib result %llu flags %llu", (unsigned long long)result,
				    (unsigned long long)flags),
	};
	put_unknown(walk, paths, at, expression, NFTA_FIB_DREG, &row);
}

/* --- payload ---------------------------------------------------------------------------------------- */

struct header_row {
	uint8_t offset, bytes;
	uint16_t variable;
};

struct header {
	const char *name;
	const struct header_row *rows;
	size_t rows_count;
	bool is_certain; /* the packet has these bytes */
};

static const struct header_row ip_rows[] = {
	{ 8, 1, WALK_TTL }, { 9, 1, WALK_L4PROTO }, { 12, 4, WALK_IP_SADDR }, { 16, 4, WALK_IP_DADDR },
};
static const struct header_row ip6_rows[] = {
	{ 7, 1, WALK_TTL }, { 8, 16, WALK_IP6_SADDR }, { 24, 16, WALK_IP6_DADDR },
};
static const struct header_row tcp_rows[] = {
	{ 0, 2, WALK_SPORT }, { 2, 2, WALK_DPORT }, { 13, 1, WALK_FLAGS },
};
static const struct header_row port_rows[] = { { 0, 2, WALK_SPORT }, { 2, 2, WALK_DPORT } };
static const struct header_row icmp_rows[] = { { 0, 1, WALK_TYPE }, { 1, 1, WALK_CODE } };

#define ROWS(rows) rows, sizeof rows / sizeof rows[0]
#define CERTAIN_TCP 20
static const struct header ip_header = { "ip", ROWS(ip_rows), true };
static const struct header ip6_header = { "ip6", ROWS(ip6_rows), true };

static const uint8_t tcp_numbers[] = { PROTOCOL_TCP };
static const uint8_t port_numbers[] = { PROTOCOL_UDP, PROTOCOL_DCCP, PROTOCOL_SCTP, PROTOCOL_UDPLITE };
static const uint8_t icmp_numbers[] = { PROTOCOL_ICMP };
static const uint8_t icmp6_numbers[] = { PROTOCOL_ICMP6 };

/* Transport headers by protocol; the last stands for all others. */
static const struct {
	const uint8_t *numbers;
	size_t numbers_count;
	struct header header;
} transports[] = {
	{ ROWS(tcp_numbers), { "tcp", ROWS(tcp_rows), true } },
	{ ROWS(port_numbers), { "udp", ROWS(port_rows), true } },
	{ ROWS(icmp_numbers), { "icmp", ROWS(icmp_rows), true } },
	{ ROWS(icmp6_numbers), { "icmpv6", ROWS(icmp_rows), true } },
	{ NULL, 0, { "another protocol", NULL, 0, false } },
};
#define TRANSPORTS (sizeof transports / sizeof transports[0])
/* Bytes that stand in every header of these protocols. */
#define TRANSPORT_CERTAIN 4

static struct walk_byte byte_of(struct walk *walk, const struct header *header, unsigned offset)
{
	for (size_t i = 0; i < header->rows_count; i++) {
		const struct header_row *row = &header->rows[i];
		if (offset >= row->offset && offset < row->offset + row->bytes)
			return (struct walk_byte){ row->variable, (uint8_t)(offset - row->offset), 0xff, 0 };
	}
	const char *name = pool_format(walk->scratch, "byte %u of the header of %s", offset, header->name);
	return (struct walk_byte){ walk_variable_unknown(walk->variables, name, 1, false), 0, 0xff, 0 };
}

struct payload {
	unsigned offset, length;
	int place;
	const char *base;
};

static void load_header(struct walk *walk, struct walk_path *path, const struct payload *payload,
			const struct header *header, unsigned certain)
{
	struct walk_byte bytes[WALK_REGISTER_BYTES];
	unsigned end = payload->offset + payload->length;
	if (!header->is_certain || end > certain) {
		const char *name = pool_format(walk->scratch, "the header of %s has %u bytes", header->name, end);
		if (!walk_path_flag(walk, path, walk_unknown(walk->space, name, 1))) {
			path->is_dead = true;
			return;
		}
	}
	for (unsigned i = 0; i < payload->length; i++)
		bytes[i] = byte_of(walk, header, payload->offset + i);
	walk_register_bytes(&path->registers, payload->place, bytes, payload->length);
}

#define IP_CERTAIN 20
#define IP6_CERTAIN 40

static void load_network(struct walk *walk, struct walk_paths *paths, size_t at, const struct payload *payload)
{
	if (paths->items[at].families == FAMILIES_BOTH) {
		struct walk_path *fork = walk_fork(walk, paths, at);
		if (fork == NULL)
			return;
		walk_path_families(fork, FAMILIES_IPV6);
		load_header(walk, fork, payload, &ip6_header, IP6_CERTAIN);
		walk_path_families(&paths->items[at], FAMILIES_IPV4);
	}
	struct walk_path *path = &paths->items[at];
	bool is_ip = path->families == FAMILIES_IPV4;
	load_header(walk, path, payload, is_ip ? &ip_header : &ip6_header, is_ip ? IP_CERTAIN : IP6_CERTAIN);
}

/* The protocols of one kind of header: those that no other kind has, for the last. */
static struct walk_protocols transport_protocols(size_t kind)
{
	struct walk_protocols rest = walk_protocols_all();
	if (transports[kind].numbers != NULL)
		return walk_protocols_of(transports[kind].numbers, transports[kind].numbers_count);
	for (size_t i = 0; i < kind; i++) {
		struct walk_protocols some = transport_protocols(i);
		rest = walk_protocols_without(&rest, &some);
	}
	return rest;
}

static void load_transport(struct walk *walk, struct walk_paths *paths, size_t at, const struct payload *payload)
{
	for (size_t kind = 0; kind < TRANSPORTS; kind++) {
		struct walk_protocols protocols = transport_protocols(kind);
		struct walk_path probe = paths->items[at];
		if (!walk_path_protocols(&probe, &protocols))
			continue;
		struct walk_protocols rest = walk_protocols_without(&paths->items[at].protocols, &protocols);
		struct walk_path others = paths->items[at];
		if (!walk_path_protocols(&others, &rest)) { /* all that is left is of this kind */
			load_header(walk, &paths->items[at], payload, &transports[kind].header,
				    kind == 0 ? CERTAIN_TCP : TRANSPORT_CERTAIN);
			return;
		}
		struct walk_path *fork = walk_fork(walk, paths, at);
		if (fork == NULL)
			return;
		walk_path_protocols(fork, &protocols);
		load_header(walk, fork, payload, &transports[kind].header,
			    kind == 0 ? CERTAIN_TCP : TRANSPORT_CERTAIN);
		walk_path_protocols(&paths->items[at], &rest);
	}
}

static void load_payload(struct walk *walk, struct walk_paths *paths, size_t at,
			 const struct read_expression *expression)
{
	uint64_t offset = read_number(expression, NFTA_PAYLOAD_OFFSET, UINT64_MAX);
	uint64_t length = read_number(expression, NFTA_PAYLOAD_LEN, 0);
	uint64_t base = read_number(expression, NFTA_PAYLOAD_BASE, UINT64_MAX);
	if (length == 0 || length > NFT_REG32_COUNT * NFT_REG32_SIZE || offset > UINT16_MAX) {
		walk_unsure(walk, paths, at, "a load of a strange part of the packet");
		return;
	}
	struct payload payload = { .offset = (unsigned)offset, .length = (unsigned)length };
	payload.place = walk_register_place(read_number(expression, NFTA_PAYLOAD_DREG, 0), payload.length);
	if (payload.place < 0) {
		walk_unsure(walk, paths, at, "a load into no register");
		return;
	}
	struct header other = { .name = base == NFT_PAYLOAD_LL_HEADER ? "the link layer" : "the inner packet" };
	switch (base) {
	case NFT_PAYLOAD_NETWORK_HEADER:
		load_network(walk, paths, at, &payload);
		return;
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		load_transport(walk, paths, at, &payload);
		return;
	}
	load_header(walk, &paths->items[at], &payload, &other, 0);
}

/* --- all others ------------------------------------------------------------------------------------- */

/* An expression that only loads, without a model: a variable that is named after what it says. */
static void load_other(struct walk *walk, struct walk_paths *paths, size_t at,
		       const struct read_expression *expression, uint16_t register_at, bool is_fresh)
{
	struct text *name = text_new(walk->scratch);
	uint64_t length = UNKNOWN_BYTES_MAX;
	read_expression_print(name, expression);
	if (is_fresh)
		text_addf(name, " in %s, expression %zu", walk_place(walk), walk->expression + 1);
	if (expression->kind == READ_EXTHDR)
		length = read_number(expression, NFTA_EXTHDR_LEN, UNKNOWN_BYTES_MAX);
	struct key_row row = {
		.bytes = (uint8_t)(length == 0 || length > UNKNOWN_BYTES_MAX ? UNKNOWN_BYTES_MAX : length),
		.can_break = true,
		.name = name->bytes,
	};
	put_unknown(walk, paths, at, expression, register_at, &row);
}

void walk_load(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *expression)
{
	if (expression->kind == READ_META)
		load_meta(walk, paths, at, expression);
	else if (expression->kind == READ_CT)
		load_ct(walk, paths, at, expression);
	else if (expression->kind == READ_FIB)
		load_fib(walk, paths, at, expression);
	else if (expression->kind == READ_PAYLOAD)
		load_payload(walk, paths, at, expression);
	else if (expression->kind == READ_EXTHDR)
		load_other(walk, paths, at, expression, NFTA_EXTHDR_DREG, false);
	else if (expression->kind == READ_RT)
		load_other(walk, paths, at, expression, NFTA_RT_DREG, false);
	else if (expression->kind == READ_SOCKET)
		load_other(walk, paths, at, expression, NFTA_SOCKET_DREG, false);
	else if (expression->kind == READ_OSF)
		load_other(walk, paths, at, expression, NFTA_OSF_DREG, false);
	else if (expression->kind == READ_TUNNEL)
		load_other(walk, paths, at, expression, NFTA_TUNNEL_DREG, false);
	else if (expression->kind == READ_XFRM)
		load_other(walk, paths, at, expression, NFTA_XFRM_DREG, false);
	else if (expression->kind == READ_NUMGEN)
		load_other(walk, paths, at, expression, NFTA_NG_DREG, true);
	else if (expression->kind == READ_HASH)
		load_other(walk, paths, at, expression, NFTA_HASH_DREG, true);
	else
		walk_unsure(walk, paths, at, expression->name);
}
