/* What a row describes becomes attributes; what none does stays bytes, so that two readings still
 * compare it and nobody takes it for absent. */
#include "target/nft/read/expression.h"

#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#define NEST_LEVELS_MAX 4 /* expressions in expressions: the kernel takes one level */
#define NO_TWIN 0

struct attribute_row {
	uint16_t number;
	uint16_t type;
	const char *name;
	bool is_volatile;   /* not compared: counts, numbers of the batch */
	uint16_t twin;      /* means the same as this attribute where it is not given */
	uint64_t otherwise; /* what it means where it is not given: not printed either */
	uint64_t implied;   /* bits that other attributes imply */
};

#define NUMBER(number_, name_)									\
	{ .number = (number_), .type = READ_NUMBER, .name = (name_), .otherwise = UINT64_MAX }
#define NUMBER_OR(number_, name_, value)                                                          \
	{ .number = (number_), .type = READ_NUMBER, .name = (name_), .otherwise = (value) }
#define VOLATILE(number_, name_) { .number = (number_), .type = READ_NUMBER, .name = (name_), .is_volatile = true }
#define STRING(number_, name_) { .number = (number_), .type = READ_STRING, .name = (name_) }
#define DATA(number_, name_) { .number = (number_), .type = READ_DATA, .name = (name_) }
#define NESTED(number_, name_) { .number = (number_), .type = READ_EXPRESSIONS, .name = (name_) }
#define TWIN(number_, name_, of)                                                                  \
	{ .number = (number_), .type = READ_NUMBER, .name = (name_), .twin = (of), .otherwise = UINT64_MAX }

static const struct attribute_row bitwise_rows[] = {
	NUMBER(NFTA_BITWISE_SREG, "SREG"), NUMBER(NFTA_BITWISE_DREG, "DREG"), NUMBER(NFTA_BITWISE_LEN, "LEN"),
	DATA(NFTA_BITWISE_MASK, "MASK"), DATA(NFTA_BITWISE_XOR, "XOR"),
	NUMBER_OR(NFTA_BITWISE_OP, "OP", NFT_BITWISE_BOOL), DATA(NFTA_BITWISE_DATA, "DATA"), { 0 },
};
static const struct attribute_row byteorder_rows[] = {
	NUMBER(NFTA_BYTEORDER_SREG, "SREG"), NUMBER(NFTA_BYTEORDER_DREG, "DREG"),
	NUMBER(NFTA_BYTEORDER_OP, "OP"), NUMBER(NFTA_BYTEORDER_LEN, "LEN"),
	NUMBER(NFTA_BYTEORDER_SIZE, "SIZE"), { 0 },
};
static const struct attribute_row cmp_rows[] = {
	NUMBER(NFTA_CMP_SREG, "SREG"), NUMBER(NFTA_CMP_OP, "OP"), DATA(NFTA_CMP_DATA, "DATA"), { 0 },
};
static const struct attribute_row connlimit_rows[] = {
	NUMBER(NFTA_CONNLIMIT_COUNT, "COUNT"), NUMBER_OR(NFTA_CONNLIMIT_FLAGS, "FLAGS", 0), { 0 },
};
static const struct attribute_row counter_rows[] = {
	VOLATILE(NFTA_COUNTER_BYTES, "BYTES"), VOLATILE(NFTA_COUNTER_PACKETS, "PACKETS"), { 0 },
};
static const struct attribute_row ct_rows[] = {
	NUMBER(NFTA_CT_DREG, "DREG"), NUMBER(NFTA_CT_KEY, "KEY"), NUMBER(NFTA_CT_DIRECTION, "DIRECTION"),
	NUMBER(NFTA_CT_SREG, "SREG"), { 0 },
};
static const struct attribute_row dup_rows[] = {
	NUMBER(NFTA_DUP_SREG_ADDR, "SREG_ADDR"), NUMBER(NFTA_DUP_SREG_DEV, "SREG_DEV"), { 0 },
};
static const struct attribute_row dynset_rows[] = {
	STRING(NFTA_DYNSET_SET_NAME, "SET"), VOLATILE(NFTA_DYNSET_SET_ID, "SET_ID"),
	NUMBER(NFTA_DYNSET_OP, "OP"), NUMBER(NFTA_DYNSET_SREG_KEY, "SREG_KEY"),
	NUMBER(NFTA_DYNSET_SREG_DATA, "SREG_DATA"), NUMBER_OR(NFTA_DYNSET_TIMEOUT, "TIMEOUT", 0),
	NESTED(NFTA_DYNSET_EXPR, "EXPR"), NUMBER_OR(NFTA_DYNSET_FLAGS, "FLAGS", 0),
	NESTED(NFTA_DYNSET_EXPRESSIONS, "EXPRESSIONS"), { 0 },
};
static const struct attribute_row exthdr_rows[] = {
	NUMBER(NFTA_EXTHDR_DREG, "DREG"), NUMBER(NFTA_EXTHDR_TYPE, "TYPE"),
	NUMBER(NFTA_EXTHDR_OFFSET, "OFFSET"), NUMBER(NFTA_EXTHDR_LEN, "LEN"),
	NUMBER_OR(NFTA_EXTHDR_FLAGS, "FLAGS", 0), NUMBER_OR(NFTA_EXTHDR_OP, "OP", NFT_EXTHDR_OP_IPV6),
	NUMBER(NFTA_EXTHDR_SREG, "SREG"), { 0 },
};
static const struct attribute_row fib_rows[] = {
	NUMBER(NFTA_FIB_DREG, "DREG"), NUMBER(NFTA_FIB_RESULT, "RESULT"), NUMBER(NFTA_FIB_FLAGS, "FLAGS"), { 0 },
};
static const struct attribute_row fwd_rows[] = {
	NUMBER(NFTA_FWD_SREG_DEV, "SREG_DEV"), NUMBER(NFTA_FWD_SREG_ADDR, "SREG_ADDR"),
	NUMBER(NFTA_FWD_NFPROTO, "NFPROTO"), { 0 },
};
static const struct attribute_row hash_rows[] = {
	NUMBER(NFTA_HASH_SREG, "SREG"), NUMBER(NFTA_HASH_DREG, "DREG"), NUMBER(NFTA_HASH_LEN, "LEN"),
	NUMBER(NFTA_HASH_MODULUS, "MODULUS"), NUMBER(NFTA_HASH_SEED, "SEED"),
	NUMBER_OR(NFTA_HASH_OFFSET, "OFFSET", 0), NUMBER_OR(NFTA_HASH_TYPE, "TYPE", NFT_HASH_JENKINS), { 0 },
};
static const struct attribute_row immediate_rows[] = {
	NUMBER(NFTA_IMMEDIATE_DREG, "DREG"), DATA(NFTA_IMMEDIATE_DATA, "DATA"), { 0 },
};
static const struct attribute_row last_rows[] = {
	VOLATILE(NFTA_LAST_SET, "SET"), VOLATILE(NFTA_LAST_MSECS, "MSECS"), { 0 },
};
static const struct attribute_row limit_rows[] = {
	NUMBER(NFTA_LIMIT_RATE, "RATE"), NUMBER(NFTA_LIMIT_UNIT, "UNIT"), NUMBER_OR(NFTA_LIMIT_BURST, "BURST", 0),
	NUMBER_OR(NFTA_LIMIT_TYPE, "TYPE", NFT_LIMIT_PKTS), NUMBER_OR(NFTA_LIMIT_FLAGS, "FLAGS", 0), { 0 },
};
static const struct attribute_row log_rows[] = {
	NUMBER(NFTA_LOG_GROUP, "GROUP"), STRING(NFTA_LOG_PREFIX, "PREFIX"),
	NUMBER_OR(NFTA_LOG_SNAPLEN, "SNAPLEN", 0), NUMBER_OR(NFTA_LOG_QTHRESHOLD, "QTHRESHOLD", 0),
	NUMBER_OR(NFTA_LOG_LEVEL, "LEVEL", NFT_LOGLEVEL_WARNING), NUMBER_OR(NFTA_LOG_FLAGS, "FLAGS", 0), { 0 },
};
static const struct attribute_row lookup_rows[] = {
	STRING(NFTA_LOOKUP_SET, "SET"), NUMBER(NFTA_LOOKUP_SREG, "SREG"), NUMBER(NFTA_LOOKUP_DREG, "DREG"),
	VOLATILE(NFTA_LOOKUP_SET_ID, "SET_ID"), NUMBER_OR(NFTA_LOOKUP_FLAGS, "FLAGS", 0), { 0 },
};
static const struct attribute_row masq_rows[] = {
	NUMBER_OR(NFTA_MASQ_FLAGS, "FLAGS", 0), NUMBER(NFTA_MASQ_REG_PROTO_MIN, "REG_PROTO_MIN"),
	TWIN(NFTA_MASQ_REG_PROTO_MAX, "REG_PROTO_MAX", NFTA_MASQ_REG_PROTO_MIN), { 0 },
};
static const struct attribute_row meta_rows[] = {
	NUMBER(NFTA_META_DREG, "DREG"), NUMBER(NFTA_META_KEY, "KEY"), NUMBER(NFTA_META_SREG, "SREG"), { 0 },
};
/* NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED follow from the registers */
#define NAT_RANGE_IMPLIED 3
static const struct attribute_row nat_rows[] = {
	NUMBER(NFTA_NAT_TYPE, "TYPE"), NUMBER(NFTA_NAT_FAMILY, "FAMILY"),
	NUMBER(NFTA_NAT_REG_ADDR_MIN, "REG_ADDR_MIN"),
	TWIN(NFTA_NAT_REG_ADDR_MAX, "REG_ADDR_MAX", NFTA_NAT_REG_ADDR_MIN),
	NUMBER(NFTA_NAT_REG_PROTO_MIN, "REG_PROTO_MIN"),
	TWIN(NFTA_NAT_REG_PROTO_MAX, "REG_PROTO_MAX", NFTA_NAT_REG_PROTO_MIN),
	{ .number = NFTA_NAT_FLAGS, .type = READ_NUMBER, .name = "FLAGS", .implied = NAT_RANGE_IMPLIED }, { 0 },
};
static const struct attribute_row numgen_rows[] = {
	NUMBER(NFTA_NG_DREG, "DREG"), NUMBER(NFTA_NG_MODULUS, "MODULUS"), NUMBER(NFTA_NG_TYPE, "TYPE"),
	NUMBER_OR(NFTA_NG_OFFSET, "OFFSET", 0), { 0 },
};
static const struct attribute_row objref_rows[] = {
	NUMBER(NFTA_OBJREF_IMM_TYPE, "TYPE"), STRING(NFTA_OBJREF_IMM_NAME, "NAME"),
	NUMBER(NFTA_OBJREF_SET_SREG, "SREG"), STRING(NFTA_OBJREF_SET_NAME, "SET"),
	VOLATILE(NFTA_OBJREF_SET_ID, "SET_ID"), { 0 },
};
static const struct attribute_row osf_rows[] = {
	NUMBER(NFTA_OSF_DREG, "DREG"), NUMBER_OR(NFTA_OSF_TTL, "TTL", 0), NUMBER_OR(NFTA_OSF_FLAGS, "FLAGS", 0),
		{ 0 },
};
static const struct attribute_row payload_rows[] = {
	NUMBER(NFTA_PAYLOAD_DREG, "DREG"), NUMBER(NFTA_PAYLOAD_BASE, "BASE"),
	NUMBER(NFTA_PAYLOAD_OFFSET, "OFFSET"), NUMBER(NFTA_PAYLOAD_LEN, "LEN"),
	NUMBER(NFTA_PAYLOAD_SREG, "SREG"), NUMBER_OR(NFTA_PAYLOAD_CSUM_TYPE, "CSUM_TYPE", 0),
	NUMBER_OR(NFTA_PAYLOAD_CSUM_OFFSET, "CSUM_OFFSET", 0),
		NUMBER_OR(NFTA_PAYLOAD_CSUM_FLAGS, "CSUM_FLAGS", 0), { 0 },
};
static const struct attribute_row queue_rows[] = {
	NUMBER(NFTA_QUEUE_NUM, "NUM"), NUMBER_OR(NFTA_QUEUE_TOTAL, "TOTAL", 1),
		NUMBER_OR(NFTA_QUEUE_FLAGS, "FLAGS", 0),
	NUMBER(NFTA_QUEUE_SREG_QNUM, "SREG"), { 0 },
};
static const struct attribute_row quota_rows[] = {
	NUMBER(NFTA_QUOTA_BYTES, "BYTES"), NUMBER_OR(NFTA_QUOTA_FLAGS, "FLAGS", 0),
	VOLATILE(NFTA_QUOTA_CONSUMED, "CONSUMED"), { 0 },
};
static const struct attribute_row range_rows[] = {
	NUMBER(NFTA_RANGE_SREG, "SREG"), NUMBER(NFTA_RANGE_OP, "OP"), DATA(NFTA_RANGE_FROM_DATA, "FROM"),
	DATA(NFTA_RANGE_TO_DATA, "TO"), { 0 },
};
static const struct attribute_row redir_rows[] = {
	NUMBER(NFTA_REDIR_REG_PROTO_MIN, "REG_PROTO_MIN"),
	TWIN(NFTA_REDIR_REG_PROTO_MAX, "REG_PROTO_MAX", NFTA_REDIR_REG_PROTO_MIN),
	{ .number = NFTA_REDIR_FLAGS, .type = READ_NUMBER, .name = "FLAGS", .implied = NAT_RANGE_IMPLIED }, { 0 },
};
static const struct attribute_row reject_rows[] = {
	NUMBER(NFTA_REJECT_TYPE, "TYPE"), NUMBER_OR(NFTA_REJECT_ICMP_CODE, "CODE", 0), { 0 },
};
static const struct attribute_row rt_rows[] = {
	NUMBER(NFTA_RT_DREG, "DREG"), NUMBER(NFTA_RT_KEY, "KEY"), { 0 },
};
static const struct attribute_row secmark_rows[] = { STRING(NFTA_SECMARK_CTX, "CTX"), { 0 } };
static const struct attribute_row socket_rows[] = {
	NUMBER(NFTA_SOCKET_KEY, "KEY"), NUMBER(NFTA_SOCKET_DREG, "DREG"),
		NUMBER_OR(NFTA_SOCKET_LEVEL, "LEVEL", 0), { 0 },
};
static const struct attribute_row synproxy_rows[] = {
	NUMBER(NFTA_SYNPROXY_MSS, "MSS"), NUMBER(NFTA_SYNPROXY_WSCALE, "WSCALE"),
	NUMBER(NFTA_SYNPROXY_FLAGS, "FLAGS"), { 0 },
};
static const struct attribute_row tproxy_rows[] = {
	NUMBER(NFTA_TPROXY_FAMILY, "FAMILY"), NUMBER(NFTA_TPROXY_REG_ADDR, "REG_ADDR"),
	NUMBER(NFTA_TPROXY_REG_PORT, "REG_PORT"), { 0 },
};
static const struct attribute_row tunnel_rows[] = {
	NUMBER(NFTA_TUNNEL_KEY, "KEY"), NUMBER(NFTA_TUNNEL_DREG, "DREG"), NUMBER_OR(NFTA_TUNNEL_MODE, "MODE", 0),
		{ 0 },
};
static const struct attribute_row xfrm_rows[] = {
	NUMBER(NFTA_XFRM_DREG, "DREG"), NUMBER(NFTA_XFRM_KEY, "KEY"), NUMBER(NFTA_XFRM_DIR, "DIR"),
	NUMBER_OR(NFTA_XFRM_SPNUM, "SPNUM", 0), { 0 },
};
static const struct attribute_row ct_helper_rows[] = {
	STRING(NFTA_CT_HELPER_NAME, "NAME"), NUMBER(NFTA_CT_HELPER_L3PROTO, "L3PROTO"),
	NUMBER(NFTA_CT_HELPER_L4PROTO, "L4PROTO"), { 0 },
};
static const struct attribute_row no_rows[] = { { 0 } };

struct kind_row {
	const char *name;
	enum read_kind kind;
	const struct attribute_row *attributes; /* ends with number 0; NULL: bytes */
};

/* The names are sorted as READ_KINDS are. */
static const struct kind_row kind_rows[] = {
	{ "bitwise", READ_BITWISE, bitwise_rows },
	{ "byteorder", READ_BYTEORDER, byteorder_rows },
	{ "cmp", READ_CMP, cmp_rows },
	{ "connlimit", READ_CONNLIMIT, connlimit_rows },
	{ "counter", READ_COUNTER, counter_rows },
	{ "ct", READ_CT, ct_rows },
	{ "dup", READ_DUP, dup_rows },
	{ "dynset", READ_DYNSET, dynset_rows },
	{ "exthdr", READ_EXTHDR, exthdr_rows },
	{ "fib", READ_FIB, fib_rows },
	{ "flow_offload", READ_FLOW_OFFLOAD, NULL },
	{ "fwd", READ_FWD, fwd_rows },
	{ "hash", READ_HASH, hash_rows },
	{ "immediate", READ_IMMEDIATE, immediate_rows },
	{ "last", READ_LAST, last_rows },
	{ "limit", READ_LIMIT, limit_rows },
	{ "log", READ_LOG, log_rows },
	{ "lookup", READ_LOOKUP, lookup_rows },
	{ "masq", READ_MASQ, masq_rows },
	{ "meta", READ_META, meta_rows },
	{ "nat", READ_NAT, nat_rows },
	{ "notrack", READ_NOTRACK, no_rows },
	{ "numgen", READ_NUMGEN, numgen_rows },
	{ "objref", READ_OBJREF, objref_rows },
	{ "osf", READ_OSF, osf_rows },
	{ "payload", READ_PAYLOAD, payload_rows },
	{ "queue", READ_QUEUE, queue_rows },
	{ "quota", READ_QUOTA, quota_rows },
	{ "range", READ_RANGE, range_rows },
	{ "redir", READ_REDIR, redir_rows },
	{ "reject", READ_REJECT, reject_rows },
	{ "rt", READ_RT, rt_rows },
	{ "secmark", READ_SECMARK, secmark_rows },
	{ "socket", READ_SOCKET, socket_rows },
	{ "synproxy", READ_SYNPROXY, synproxy_rows },
	{ "tproxy", READ_TPROXY, tproxy_rows },
	{ "tunnel", READ_TUNNEL, tunnel_rows },
	{ "xfrm", READ_XFRM, xfrm_rows },
};

#define X(kind, name) +1
static_assert(sizeof kind_rows / sizeof kind_rows[0] == 0 READ_KINDS(X), "a row for each kind");
#undef X

static const struct kind_row object_rows[] = {
	{ "counter", READ_COUNTER, counter_rows },     /* NFT_OBJECT_COUNTER 1 */
	{ "quota", READ_QUOTA, quota_rows },           /* 2 */
	{ "ct helper", READ_CT, ct_helper_rows },      /* 3 */
	{ "limit", READ_LIMIT, limit_rows },           /* 4 */
	{ "connlimit", READ_CONNLIMIT, connlimit_rows }, /* 5 */
	{ "tunnel", READ_UNKNOWN, NULL },              /* 6 */
	{ "ct timeout", READ_UNKNOWN, NULL },          /* 7 */
	{ "secmark", READ_SECMARK, secmark_rows },     /* 8 */
	{ "ct expectation", READ_UNKNOWN, NULL },      /* 9 */
	{ "synproxy", READ_SYNPROXY, synproxy_rows },  /* 10 */
};

static const struct kind_row *kind_find(const char *name)
{
	size_t low = 0, high = sizeof kind_rows / sizeof kind_rows[0];
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = kind_rows[middle].name[0] - name[0]; /* most differ there */
		order = order != 0 ? order : strcmp(kind_rows[middle].name, name);
		if (order == 0)
			return &kind_rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct attribute_row *row_find(const struct attribute_row *rows, uint16_t number)
{
	for (; rows->number != 0; rows++)
		if (rows->number == number)
			return rows;
	return NULL;
}

/* --- parsing ---------------------------------------------------------------------------------------- */

bool read_number_parse(const struct nlattr *attribute, uint64_t *value)
{
	uint16_t length = mnl_attr_get_payload_len(attribute);
	const uint8_t *bytes = mnl_attr_get_payload(attribute);
	if (length != 1 && length != 2 && length != 4 && length != 8)
		return false;
	*value = 0;
	for (uint16_t i = 0; i < length; i++)
		*value = *value << 8 | bytes[i];
	return true;
}

bool read_string_parse(struct arena *arena, const struct nlattr *attribute, const char **string)
{
	uint16_t length = mnl_attr_get_payload_len(attribute);
	const char *bytes = mnl_attr_get_payload(attribute);
	/* the kernel takes strings with and without their NUL */
	size_t found = strnlen(bytes, length);
	if (found + 1 < length)
		return false;
	char *copy = arena_bytes(arena, found + 1);
	memcpy(copy, bytes, found);
	*string = copy;
	return true;
}

static bool verdict_parse(struct arena *arena, const struct nlattr *nest, struct read_data *data)
{
	const struct nlattr *attribute;
	uint64_t code;
	data->is_verdict = true;
	bool has_code = false;
	read_each_nested(attribute, nest) {
		switch (mnl_attr_get_type(attribute)) {
		case NFTA_VERDICT_CODE:
			if (!read_number_parse(attribute, &code))
				return false;
			data->verdict = (int32_t)(uint32_t)code;
			has_code = true;
			break;
		case NFTA_VERDICT_CHAIN:
			if (!read_string_parse(arena, attribute, &data->chain))
				return false;
			break;
		default:
			return false; /* a chain by its number in the batch: not known here */
		}
	}
	bool goes = data->verdict == NFT_JUMP || data->verdict == NFT_GOTO;
	return has_code && goes == (data->chain != NULL);
}

bool read_data_peek(struct arena *arena, const struct nlattr *nest, struct read_data *data)
{
	const struct nlattr *attribute;
	*data = (struct read_data){ 0 };
	read_each_nested(attribute, nest) {
		if (mnl_attr_get_type(attribute) == NFTA_DATA_VERDICT)
			return verdict_parse(arena, attribute, data);
		if (mnl_attr_get_type(attribute) != NFTA_DATA_VALUE)
			return false;
		data->length = mnl_attr_get_payload_len(attribute);
		data->bytes = mnl_attr_get_payload(attribute);
	}
	return data->length != 0;
}

bool read_data_parse(struct arena *arena, const struct nlattr *nest, struct read_data *data)
{
	if (!read_data_peek(arena, nest, data))
		return false;
	if (!data->is_verdict)
		data->bytes = arena_copy(arena, data->bytes, data->length);
	return true;
}

static bool expression_parse(struct arena *arena, const struct nlattr *nest, unsigned level,
			     struct read_expression *expression);

static bool expressions_parse(struct arena *arena, const struct nlattr *nest, unsigned level,
			      struct read_expressions *list)
{
	const struct nlattr *attribute;
	size_t count = 0;
	read_each_nested(attribute, nest)
		count++;
	struct read_expression *items = arena_array(arena, struct read_expression, count);
	*list = (struct read_expressions){ items, count };
	read_each_nested(attribute, nest)
		if (mnl_attr_get_type(attribute) != NFTA_LIST_ELEM ||
		    !expression_parse(arena, attribute, level, items++))
			return false;
	return true;
}

static bool nested_parse(struct arena *arena, const struct nlattr *nest, unsigned level,
			 struct read_attribute *attribute)
{
	struct read_expressions *list = arena_new_item(arena, struct read_expressions);
	attribute->expressions = list;
	if (level == NEST_LEVELS_MAX)
		return false;
	if (attribute->number == NFTA_DYNSET_EXPRESSIONS)
		return expressions_parse(arena, nest, level + 1, list);
	struct read_expression *one = arena_new_item(arena, struct read_expression);
	*list = (struct read_expressions){ one, 1 };
	return expression_parse(arena, nest, level + 1, one);
}

static bool bytes_parse(struct arena *arena, const struct nlattr *nest, struct read_attribute *attribute)
{
	struct read_data *data = arena_new_item(arena, struct read_data);
	data->length = mnl_attr_get_payload_len(nest);
	data->bytes = arena_copy(arena, mnl_attr_get_payload(nest), data->length);
	attribute->type = READ_BYTES;
	attribute->data = data;
	return true;
}

static bool attribute_parse(struct arena *arena, const struct nlattr *from, unsigned level,
			    const struct attribute_row *row, struct read_attribute *attribute)
{
	attribute->number = mnl_attr_get_type(from);
	attribute->type = row == NULL ? READ_BYTES : row->type;
	switch ((enum read_attribute_type)attribute->type) {
	case READ_NUMBER:
		return read_number_parse(from, &attribute->value);
	case READ_STRING:
		return read_string_parse(arena, from, &attribute->string);
	case READ_DATA: {
		struct read_data *data = arena_new_item(arena, struct read_data);
		attribute->data = data;
		return read_data_parse(arena, from, data);
	}
	case READ_EXPRESSIONS:
		return nested_parse(arena, from, level, attribute);
	case READ_BYTES:
		return bytes_parse(arena, from, attribute);
	}
	return false;
}

/* By number: the kernel lists them in another order than they were sent in. */
static void sort_attributes(struct read_attribute *attributes, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct read_attribute moved = attributes[i];
		size_t at = i;
		for (; at > 0 && attributes[at - 1].number > moved.number; at--)
			attributes[at] = attributes[at - 1];
		attributes[at] = moved;
	}
}

/* The attributes of a nest, by the rows; a padding attribute is none. */
static bool content_parse(struct arena *arena, const struct nlattr *nest, unsigned level,
			  const struct attribute_row *rows, struct read_expression *expression)
{
	const struct nlattr *from;
	size_t count = 0;
	read_each_nested(from, nest)
		count++;
	struct read_attribute *attributes = arena_array(arena, struct read_attribute, count);
	expression->attributes = attributes;
	read_each_nested(from, nest) {
		const struct attribute_row *row = row_find(rows, mnl_attr_get_type(from));
		if (row == NULL && mnl_attr_get_payload_len(from) == 0)
			continue;
		if (!attribute_parse(arena, from, level, row, &attributes[expression->attributes_count]))
			return false;
		if (row == NULL)
			expression->kind = READ_UNKNOWN; /* says more than is understood */
		expression->attributes_count++;
	}
	sort_attributes(attributes, expression->attributes_count);
	return true;
}

static bool whole_parse(struct arena *arena, const struct nlattr *nest, struct read_expression *expression)
{
	struct read_attribute *attribute = arena_new_item(arena, struct read_attribute);
	expression->attributes = attribute;
	expression->attributes_count = 1;
	expression->kind = READ_UNKNOWN;
	return bytes_parse(arena, nest, attribute);
}

static bool expression_parse(struct arena *arena, const struct nlattr *nest, unsigned level,
			     struct read_expression *expression)
{
	const struct nlattr *attribute, *content = NULL;
	*expression = (struct read_expression){ 0 };
	read_each_nested(attribute, nest) {
		if (mnl_attr_get_type(attribute) == NFTA_EXPR_DATA)
			content = attribute;
		else if (mnl_attr_get_type(attribute) != NFTA_EXPR_NAME ||
			 !read_string_parse(arena, attribute, &expression->name))
			return false;
	}
	if (expression->name == NULL)
		return false;
	const struct kind_row *row = kind_find(expression->name);
	if (row != NULL) {
		expression->kind = row->kind;
		expression->name = row->name;
	}
	if (content == NULL)
		return true;
	if (row == NULL || row->attributes == NULL)
		return whole_parse(arena, content, expression);
	return content_parse(arena, content, level, row->attributes, expression);
}

bool read_expression_parse(struct arena *arena, const struct nlattr *nest, struct read_expression *expression)
{
	return expression_parse(arena, nest, 0, expression);
}

bool read_expressions_parse(struct arena *arena, const struct nlattr *nest, struct read_expressions *list)
{
	return expressions_parse(arena, nest, 0, list);
}

static const struct kind_row *object_row(uint32_t type)
{
	return type == 0 || type > sizeof object_rows / sizeof object_rows[0] ? NULL : &object_rows[type - 1];
}

bool read_object_parse(struct arena *arena, uint32_t type, const struct nlattr *nest,
		       struct read_expression *content)
{
	const struct kind_row *row = object_row(type);
	*content = (struct read_expression){ .name = row == NULL ? "object" : row->name };
	if (row == NULL || row->attributes == NULL)
		return whole_parse(arena, nest, content);
	content->kind = row->kind;
	return content_parse(arena, nest, 0, row->attributes, content);
}

/* --- asking ----------------------------------------------------------------------------------------- */

const struct read_attribute *read_attribute_find(const struct read_expression *expression, uint16_t number)
{
	for (size_t i = 0; i < expression->attributes_count; i++)
		if (expression->attributes[i].number == number)
			return &expression->attributes[i];
	return NULL;
}

uint64_t read_number(const struct read_expression *expression, uint16_t number, uint64_t otherwise)
{
	const struct read_attribute *found = read_attribute_find(expression, number);
	return found != NULL && found->type == READ_NUMBER ? found->value : otherwise;
}

bool read_has(const struct read_expression *expression, uint16_t number)
{
	return read_attribute_find(expression, number) != NULL;
}

const char *read_string(const struct read_expression *expression, uint16_t number)
{
	const struct read_attribute *found = read_attribute_find(expression, number);
	return found != NULL && found->type == READ_STRING ? found->string : NULL;
}

const struct read_data *read_data(const struct read_expression *expression, uint16_t number)
{
	const struct read_attribute *found = read_attribute_find(expression, number);
	return found != NULL && found->type == READ_DATA ? found->data : NULL;
}

const struct read_expressions *read_nested(const struct read_expression *expression, uint16_t number)
{
	const struct read_attribute *found = read_attribute_find(expression, number);
	return found != NULL && found->type == READ_EXPRESSIONS ? found->expressions : NULL;
}

/* --- printing --------------------------------------------------------------------------------------- */

/* Of millions of elements: text_addf would take longer than all that is done with them else. */
static void print_bytes(struct text *out, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	text_reserve(out, 2 * length);
	for (size_t i = 0; i < length; i++) {
		const char pair[] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };
		text_add_bytes(out, pair, sizeof pair);
	}
}

static void print_verdict(struct text *out, const struct read_data *data)
{
	text_add(out, data->verdict < 0 ? "verdict -" : "verdict ");
	text_add_unsigned(out, (uint64_t)llabs(data->verdict));
	if (data->chain == NULL)
		return;
	text_add_char(out, ' ');
	text_add(out, data->chain);
}

void read_data_print(struct text *out, const struct read_data *data)
{
	if (data->is_verdict)
		print_verdict(out, data);
	else
		print_bytes(out, data->bytes, data->length);
}

static void print_level(struct text *out, const struct read_expression *expression, unsigned level);

static void print_value(struct text *out, const struct read_attribute *attribute, uint64_t value, unsigned level)
{
	switch ((enum read_attribute_type)attribute->type) {
	case READ_NUMBER:
		text_add_unsigned(out, value);
		break;
	case READ_STRING:
		text_addf(out, "\"%s\"", attribute->string);
		break;
	case READ_DATA:
	case READ_BYTES:
		read_data_print(out, attribute->data);
		break;
	case READ_EXPRESSIONS:
		for (size_t i = 0; i < attribute->expressions->items_count && level < NEST_LEVELS_MAX; i++)
			print_level(out, &attribute->expressions->items[i], level + 1);
		break;
	}
}

static bool is_said(const struct read_expression *expression, const struct attribute_row *row, uint64_t value)
{
	if (row->is_volatile)
		return false;
	if (row->type != READ_NUMBER)
		return true;
	return value != row->otherwise &&
	       (row->twin == NO_TWIN || read_number(expression, row->twin, UINT64_MAX) != value);
}

static const struct attribute_row *rows_of(const struct read_expression *expression)
{
	const struct kind_row *row = kind_find(expression->name);
	if (strcmp(expression->name, "ct helper") == 0)
		return ct_helper_rows;
	return row == NULL || row->attributes == NULL ? no_rows : row->attributes;
}

static void print_level(struct text *out, const struct read_expression *expression, unsigned level)
{
	text_addf(out, "[ %s", expression->name);
	for (size_t i = 0; i < expression->attributes_count; i++) {
		const struct read_attribute *attribute = &expression->attributes[i];
		const struct attribute_row *row = row_find(rows_of(expression), attribute->number);
		uint64_t value = attribute->type == READ_NUMBER ? attribute->value : 0;
		if (row != NULL) {
			value &= ~row->implied;
			if (!is_said(expression, row, value))
				continue;
		}
		text_addf(out, " %s ", row == NULL ? "?" : row->name);
		print_value(out, attribute, value, level);
	}
	text_add(out, " ]");
}

void read_expression_print(struct text *out, const struct read_expression *expression)
{
	print_level(out, expression, 0);
}
