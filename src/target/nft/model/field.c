/* The table of fields. Symbols are nft's own words; a value without one is printed as a number,
 * which nft takes for every type. */
#include "target/nft/model/field.h"

#include <linux/rtnetlink.h>

#include "target/nft/model/kernel_names.h"

static const struct nft_symbol families[] = { { NFPROTO_IPV4, "ipv4" }, { NFPROTO_IPV6, "ipv6" }, { 0 } };

/* Words of nft's own grammar: they need no /etc/protocols. */
static const struct nft_symbol protocols[] = {
	{ IPPROTO_TCP, "tcp" },   { IPPROTO_UDP, "udp" }, { IPPROTO_ICMP, "icmp" },
	{ IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_ESP, "esp" }, { IPPROTO_AH, "ah" },
	{ IPPROTO_SCTP, "sctp" }, { IPPROTO_DCCP, "dccp" }, { IPPROTO_UDPLITE, "udplite" },
	{ 0 },
};

static const struct nft_symbol icmp_types[] = {
	{ 0, "echo-reply" }, { 3, "destination-unreachable" }, { 4, "source-quench" },
	{ 5, "redirect" }, { 8, "echo-request" }, { 9, "router-advertisement" },
	{ 10, "router-solicitation" }, { 11, "time-exceeded" }, { 12, "parameter-problem" },
	{ 13, "timestamp-request" }, { 14, "timestamp-reply" }, { 0 },
};

static const struct nft_symbol icmpv6_types[] = {
	{ 1, "destination-unreachable" }, { 2, "packet-too-big" }, { 3, "time-exceeded" },
	{ 4, "parameter-problem" }, { 128, "echo-request" }, { 129, "echo-reply" },
	{ 130, "mld-listener-query" }, { 131, "mld-listener-report" }, { 132, "mld-listener-done" },
	{ 133, "nd-router-solicit" }, { 134, "nd-router-advert" }, { 135, "nd-neighbor-solicit" },
	{ 136, "nd-neighbor-advert" }, { 137, "nd-redirect" }, { 143, "mld2-listener-report" }, { 0 },
};

static const struct nft_symbol states[] = {
	{ NFT_STATE_ESTABLISHED, "established" }, { NFT_STATE_RELATED, "related" },
	{ NFT_STATE_NEW, "new" }, { NFT_STATE_INVALID, "invalid" },
	{ NFT_STATE_UNTRACKED, "untracked" }, { 0 },
};

static const struct nft_symbol statuses[] = {
	{ 0x01, "expected" }, { 0x02, "seen-reply" }, { 0x04, "assured" }, { 0x08, "confirmed" },
	{ 0x10, "snat" }, { 0x20, "dnat" }, { 0 },
};

static const struct nft_symbol tcp_flags[] = {
	{ 0x01, "fin" }, { 0x02, "syn" }, { 0x04, "rst" }, { 0x08, "psh" }, { 0x10, "ack" },
	{ 0x20, "urg" }, { 0 },
};

static const struct nft_symbol address_types[] = {
	{ RTN_UNICAST, "unicast" }, { RTN_LOCAL, "local" }, { RTN_BROADCAST, "broadcast" },
	{ RTN_ANYCAST, "anycast" }, { RTN_MULTICAST, "multicast" }, { 0 },
};

#define META(name, meta_key, size, byte_order)                                                    \
	.text = name, .loader = NFT_LOAD_META, .key = meta_key, .bytes = size, .order = byte_order
#define PAYLOAD(name, base, at, size)                                                             \
	.text = name, .loader = NFT_LOAD_PAYLOAD, .key = base, .offset = at, .bytes = size,       \
	.order = NFT_BIG_ENDIAN
#define CT(name, ct_key, size, byte_order)                                                        \
	.text = name, .loader = NFT_LOAD_CT, .key = ct_key, .bytes = size, .order = byte_order
#define TYPE(name, number, byte_order)                                                            \
	.type = name, .type_number = number, .type_order = byte_order
#define SYMBOLS(list) .kind = NFT_VALUE_SYMBOL, .symbols = list
#define BITS(list) .kind = NFT_VALUE_BITS, .symbols = list
#define NETWORK NFT_PAYLOAD_NETWORK_HEADER
#define TRANSPORT NFT_PAYLOAD_TRANSPORT_HEADER

static const struct nft_field_row rows[] = {
	[NFT_FIELD_IIFNAME] = { META("iifname", NFT_META_IIFNAME, 16, NFT_BYTES),
				TYPE("ifname", 41, 1), .kind = NFT_VALUE_NAME },
	[NFT_FIELD_OIFNAME] = { META("oifname", NFT_META_OIFNAME, 16, NFT_BYTES),
				TYPE("ifname", 41, 1), .kind = NFT_VALUE_NAME },
	/* as numbers: a name is looked up where the text is loaded, and "lo" may be another interface there */
	[NFT_FIELD_IIF] = { META("iif", NFT_META_IIF, 4, NFT_HOST_ENDIAN), TYPE("iface_index", 20, 1) },
	[NFT_FIELD_OIF] = { META("oif", NFT_META_OIF, 4, NFT_HOST_ENDIAN), TYPE("iface_index", 20, 1) },
	[NFT_FIELD_NFPROTO] = { META("meta nfproto", NFT_META_NFPROTO, 1, NFT_HOST_ENDIAN),
				TYPE("nf_proto", 2, 0), SYMBOLS(families) },
	[NFT_FIELD_L4PROTO] = { META("meta l4proto", NFT_META_L4PROTO, 1, NFT_HOST_ENDIAN),
				TYPE("inet_proto", 12, 0), SYMBOLS(protocols) },
	[NFT_FIELD_IP_SADDR] = { PAYLOAD("ip saddr", NETWORK, 12, 4), TYPE("ipv4_addr", 7, 2),
				 .kind = NFT_VALUE_IPV4, .family = NFPROTO_IPV4 },
	[NFT_FIELD_IP_DADDR] = { PAYLOAD("ip daddr", NETWORK, 16, 4), TYPE("ipv4_addr", 7, 2),
				 .kind = NFT_VALUE_IPV4, .family = NFPROTO_IPV4 },
	[NFT_FIELD_IP6_SADDR] = { PAYLOAD("ip6 saddr", NETWORK, 8, 16), TYPE("ipv6_addr", 8, 2),
				  .kind = NFT_VALUE_IPV6, .family = NFPROTO_IPV6 },
	[NFT_FIELD_IP6_DADDR] = { PAYLOAD("ip6 daddr", NETWORK, 24, 16), TYPE("ipv6_addr", 8, 2),
				  .kind = NFT_VALUE_IPV6, .family = NFPROTO_IPV6 },
	[NFT_FIELD_TH_SPORT] = { PAYLOAD("sport", TRANSPORT, 0, 2), TYPE("inet_service", 13, 2),
				 .is_port = true },
	[NFT_FIELD_TH_DPORT] = { PAYLOAD("dport", TRANSPORT, 2, 2), TYPE("inet_service", 13, 2),
				 .is_port = true },
	[NFT_FIELD_TCP_FLAGS] = { PAYLOAD("tcp flags", TRANSPORT, 13, 1), TYPE("tcp_flag", 15, 2),
				  BITS(tcp_flags), .protocol = IPPROTO_TCP },
	[NFT_FIELD_ICMP_TYPE] = { PAYLOAD("icmp type", TRANSPORT, 0, 1), TYPE("icmp_type", 14, 2),
				  SYMBOLS(icmp_types), .family = NFPROTO_IPV4, .protocol = IPPROTO_ICMP },
	[NFT_FIELD_ICMP_CODE] = { PAYLOAD("icmp code", TRANSPORT, 1, 1), TYPE("icmp_code", 32, 2),
				  .family = NFPROTO_IPV4, .protocol = IPPROTO_ICMP },
	[NFT_FIELD_ICMPV6_TYPE] = { PAYLOAD("icmpv6 type", TRANSPORT, 0, 1), TYPE("icmpv6_type", 29, 2),
				    SYMBOLS(icmpv6_types), .family = NFPROTO_IPV6,
				    .protocol = IPPROTO_ICMPV6 },
	[NFT_FIELD_ICMPV6_CODE] = { PAYLOAD("icmpv6 code", TRANSPORT, 1, 1), TYPE("icmpv6_code", 33, 2),
				    .family = NFPROTO_IPV6, .protocol = IPPROTO_ICMPV6 },
	[NFT_FIELD_IP6_HOPLIMIT] = { PAYLOAD("ip6 hoplimit", NETWORK, 7, 1), .family = NFPROTO_IPV6 },
	[NFT_FIELD_CT_STATE] = { CT("ct state", NFT_CT_STATE, 4, NFT_HOST_ENDIAN),
				 TYPE("ct_state", 26, 1), BITS(states) },
	[NFT_FIELD_CT_STATUS] = { CT("ct status", NFT_CT_STATUS, 4, NFT_HOST_ENDIAN),
				  TYPE("ct_status", 28, 1), BITS(statuses) },
	[NFT_FIELD_CT_HELPER] = { CT("ct helper", NFT_CT_HELPER, 16, NFT_BYTES), .kind = NFT_VALUE_NAME },
	[NFT_FIELD_CT_ORIGINAL_IP_DADDR] = { CT("ct original ip daddr", NFT_CT_DST_IP, 4, NFT_BIG_ENDIAN),
					     TYPE("ipv4_addr", 7, 2), .kind = NFT_VALUE_IPV4,
					     .is_original = true },
	[NFT_FIELD_CT_ORIGINAL_IP6_DADDR] = { CT("ct original ip6 daddr", NFT_CT_DST_IP6, 16,
						 NFT_BIG_ENDIAN),
					      TYPE("ipv6_addr", 8, 2), .kind = NFT_VALUE_IPV6,
					      .is_original = true },
	[NFT_FIELD_CT_ORIGINAL_PROTO_DST] = { CT("ct original proto-dst", NFT_CT_PROTO_DST, 2,
						 NFT_BIG_ENDIAN),
					      TYPE("inet_service", 13, 2), .is_original = true },
	[NFT_FIELD_FIB_DADDR_TYPE] = { .text = "fib daddr type", .loader = NFT_LOAD_FIB,
				       .key = NFTA_FIB_F_DADDR, .bytes = 4, .order = NFT_HOST_ENDIAN,
				       TYPE("fib_addrtype", 38, 1), SYMBOLS(address_types) },
	/* keys of sets could be these by `typeof` only: nft has no word for the types */
	[NFT_FIELD_META_DAY] = { META("meta day", NFT_META_TIME_DAY, 1, NFT_HOST_ENDIAN) },
	[NFT_FIELD_META_HOUR] = { META("meta hour", NFT_META_TIME_HOUR, 4, NFT_HOST_ENDIAN) },
	[NFT_FIELD_META_TIME] = { META("meta time", NFT_META_TIME_NS, 8, NFT_HOST_ENDIAN) },
};

#define COUNT_ROW(name, bits) +1
_Static_assert(sizeof rows / sizeof rows[0] == 0 NFT_FIELDS(COUNT_ROW), "one row a field");

const struct nft_field_row *nft_field_row(enum nft_field field)
{
	return &rows[field];
}

const char *nft_symbol_name(const struct nft_symbol *symbols, number128 value)
{
	for (const struct nft_symbol *symbol = symbols; symbol != NULL && symbol->name != NULL; symbol++)
		if (symbol->value == value)
			return symbol->name;
	return NULL;
}

const char *nft_port_protocol(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	case IPPROTO_UDPLITE:
		return "udplite";
	}
	return "th";
}

enum nft_operator nft_operator_of(const struct nft_statement *match)
{
	bool is_single = match->low.number == match->high.number;
	switch (match->operator) {
	case NFT_RANGE:
		return is_single ? NFT_EQUAL : NFT_RANGE;
	case NFT_NOT_RANGE:
		return is_single ? NFT_NOT_EQUAL : NFT_NOT_RANGE;
	case NFT_PREFIX:
		return match->length == rows[match->field].bytes * 8 ? NFT_EQUAL : NFT_PREFIX;
	case NFT_EQUAL:
	case NFT_NOT_EQUAL:
	case NFT_LESS:
	case NFT_ANY_BIT:
	case NFT_IN_SET:
	case NFT_NOT_IN_SET:
		break;
	}
	return match->operator;
}

unsigned nft_prefix_load(const struct nft_statement *match)
{
	const struct nft_field_row *row = &rows[match->field];
	bool is_whole = match->length != 0 && match->length % 8 == 0;
	bool is_fast = match->length == 8 || match->length == 16;
	if (match->is_masked && row->bytes == 4 && !is_fast)
		return 32;
	return is_whole ? match->length : rows[match->field].bytes * 8;
}

static void set_side(const struct nft_set *set, struct nft_element *element, size_t place, number128 number)
{
	if (set->has_small_keys)
		element->small[place] = (uint32_t)number;
	else
		element->wide[place].number = number;
}

void nft_element_set(const struct nft_set *set, struct nft_element *element, size_t field, number128 low,
		     number128 high)
{
	set_side(set, element, field, low);
	if (nft_element_highs(set) != 0)
		set_side(set, element, nft_element_highs(set) + field, high);
}

void nft_element_set_name(const struct nft_set *set, struct nft_element *element, const char *name)
{
	element->wide[0].name = element->wide[nft_element_highs(set)].name = name;
}

static bool element_has_range(const struct nft_set *set, const struct nft_element *element)
{
	for (size_t i = 0; i < set->fields_count; i++)
		if (rows[set->fields[i]].kind != NFT_VALUE_NAME &&
		    nft_element_low(set, element, i).number != nft_element_high(set, element, i).number)
			return true;
	return false;
}

number128 nft_mask(enum nft_field field, unsigned leading)
{
	unsigned bits = nft_field_row(field)->bytes * 8;
	number128 all = nft_field_highest(field);
	if (leading == 0)
		return 0;
	return leading >= bits ? all : all & ~(((number128)1 << (bits - leading)) - 1);
}

#define WORD_BITS 32u
#define TELLING_BITS 8u /* so that few packets that fail have them */

static size_t words_of(unsigned leading, struct nft_part parts[NFT_PARTS_MAX])
{
	size_t count = 0;
	for (unsigned at = 0; at < leading; at += WORD_BITS) {
		unsigned rest = leading - at < WORD_BITS ? leading - at : WORD_BITS;
		uint32_t bytes = rest == 8 || rest == 16 ? rest / 8 : WORD_BITS / 8;
		parts[count++] = (struct nft_part){ at / 8, bytes, rest };
	}
	return count;
}

/* Of addresses of so many words. */
static const uint8_t telling_order[NFT_PARTS_MAX][NFT_PARTS_MAX] = { { 0 }, { 1, 0 }, { 2, 1, 0 }, { 3, 1, 2, 0 } };

/* How many leading bits all addresses of the match share. */
static unsigned shared_bits(const struct nft_statement *match)
{
	const unsigned bits = rows[match->field].bytes * 8;
	unsigned shared = 0;
	switch (nft_operator_of(match)) {
	case NFT_EQUAL:
		return bits;
	case NFT_PREFIX:
		return match->length;
	case NFT_RANGE:
		while (((match->low.number ^ match->high.number) >> (bits - 1 - shared)) == 0)
			shared++;
		return shared;
	case NFT_NOT_EQUAL:
	case NFT_NOT_RANGE:
	case NFT_LESS:
	case NFT_ANY_BIT:
	case NFT_IN_SET:
	case NFT_NOT_IN_SET:
		break;
	}
	return 0;
}

/* Of a range's words the last that tells enough, or none. Of IPv4 no part is asked: a range is loaded without a
 * call. */
static size_t telling_word(const struct nft_statement *match, struct nft_part parts[NFT_PARTS_MAX])
{
	unsigned leading = rows[match->field].bytes == 4 ? 0 : shared_bits(match);
	if (leading % WORD_BITS < TELLING_BITS)
		leading -= leading % WORD_BITS;
	size_t count = words_of(leading, parts);
	if (count == 0)
		return 0;
	parts[0] = parts[count - 1];
	return 1;
}

size_t nft_match_parts(const struct nft_statement *match, struct nft_part parts[NFT_PARTS_MAX])
{
	struct nft_part words[NFT_PARTS_MAX];
	if (match->kind != NFT_MATCH || !match->is_of_family)
		return 0;
	if (nft_operator_of(match) == NFT_RANGE)
		return telling_word(match, parts);
	size_t count = words_of(shared_bits(match), words);
	for (size_t i = 0; i < count; i++)
		parts[i] = words[telling_order[count - 1][i]];
	return count;
}

/* Are there other fields than addresses? */
static bool is_mixed(size_t fields_count)
{
	return fields_count > 2;
}

size_t nft_parts(const struct nft_set *set, size_t field, struct nft_part parts[NFT_PARTS_MAX])
{
	unsigned leading = set->leading[field];
	if (leading != 0 && rows[set->fields[field]].bytes == 4) {
		parts[0] = (struct nft_part){ 0, 4, leading };
		return 1;
	}
	if (leading == 0 || !is_mixed(set->fields_count))
		return words_of(leading, parts);
	parts[0] = (struct nft_part){ 0, leading / 8, leading };
	return 1;
}

/* Whole bytes that a number of nft can be. */
static bool is_one_load(unsigned leading)
{
	return leading % 8 == 0 && leading <= 64;
}

bool nft_pays_in_parts(const enum nft_field *fields, const uint8_t *leading, size_t count)
{
	struct nft_part parts[NFT_PARTS_MAX];
	size_t all = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_address = rows[fields[i]].family == NFPROTO_IPV6;
		if (!is_address && !is_mixed(count))
			return false;
		if (is_address && (leading[i] == 0 || (is_mixed(count) && !is_one_load(leading[i]))))
			return false;
		all += is_mixed(count) ? 1 : words_of(leading[i], parts);
	}
	return all <= NFT_PARTS_MAX && rows[fields[0]].family == NFPROTO_IPV6;
}

uint64_t nft_part_value(enum nft_field field, const struct nft_part *part, number128 address)
{
	number128 number = address >> 8 * (rows[field].bytes - part->offset - part->bytes);
	number128 all = ((number128)1 << 8 * part->bytes) - 1;
	return (uint64_t)(number & all & ~(all >> part->leading));
}

bool nft_set_has_ranges(const struct nft_set *set)
{
	if (set->is_interval || (set->intervals == NULL && set->fields_count > NFT_RANGE_FIELDS_MAX))
		return set->is_interval; /* others of many fields have one value a field */
	for (size_t i = 0; set->intervals != NULL && i < set->intervals->items_count; i++)
		if (set->intervals->items[i].low != set->intervals->items[i].high)
			return true;
	for (size_t i = 0; set->intervals == NULL && i < set->elements_count; i++)
		if (element_has_range(set, &set->elements[i]))
			return true;
	return false;
}

number128 nft_field_highest(enum nft_field field)
{
	unsigned bits = rows[field].bytes * 8;
	return bits == 128 ? ~(number128)0 : ((number128)1 << bits) - 1;
}
