/* User data as nft 1.0.6 writes it (mnl_nft_set_add, set_key_expression, netlink_gen_setelem). */
#include "target/nft/batch/userdata.h"

#include <assert.h>
#include <libnftnl/udata.h>
#include <string.h>

#include "target/nft/model/key.h"
#include "target/nft/model/safe.h"

/* enum expr_types of nft: a verdict, bytes of a header, what a packet is known by, a concatenation */
#define NFT_EXPR_VERDICT 1
#define NFT_EXPR_PAYLOAD 7
#define NFT_EXPR_META 9
#define NFT_EXPR_CONCAT 13
/* its typeof data: nested attributes with the kind of expression and its parts */
#define TYPEOF_EXPR 0
#define TYPEOF_DATA 1
/* those of bytes of a header: nft's number of the header's words (0: none), which word, what the place is
 * counted from, bits to the first one, bits */
enum { PAYLOAD_HEADER, PAYLOAD_WORD, PAYLOAD_BASE, PAYLOAD_OFFSET, PAYLOAD_LENGTH };
#define PROTO_BASE_NETWORK_HDR 2
/* a word of a header by its number: of the ports of any protocol, source and destination port */
#define PROTO_DESC_TH 11
enum { TH_SPORT = 1, TH_DPORT };
#define META_KEY 0

static void put(struct nft_userdata *data, uint8_t type, const void *value, size_t length)
{
	assert(data->length + 2 + length <= NFT_USERDATA_MAX);
	data->bytes[data->length++] = type;
	data->bytes[data->length++] = (uint8_t)length;
	memcpy(data->bytes + data->length, value, length);
	data->length += (uint32_t)length;
}

static void put_number(struct nft_userdata *data, uint8_t type, uint32_t value)
{
	put(data, type, &value, sizeof value); /* host order: nft reads what it wrote */
}

static void put_comment(struct nft_userdata *data, uint8_t type, const char *comment)
{
	struct nft_safe safe = nft_safe(comment);
	if (safe.length != 0)
		put(data, type, safe.bytes, safe.length + 1);
}

struct nft_userdata nft_userdata_comment(const char *comment)
{
	struct nft_userdata data = { .length = 0 };
	put_comment(&data, NFTNL_UDATA_RULE_COMMENT, comment);
	return data;
}

static void put_expression(struct nft_userdata *data, uint8_t type, uint32_t expression,
			   const struct nft_userdata *parts)
{
	struct nft_userdata nest = { .length = 0 };
	put_number(&nest, TYPEOF_EXPR, expression);
	put(&nest, TYPEOF_DATA, parts->bytes, parts->length);
	put(data, type, nest.bytes, nest.length);
}

static void put_header_part(struct nft_userdata *data, uint8_t type, uint32_t first_bit, uint32_t bits)
{
	struct nft_userdata parts = { .length = 0 };
	put_number(&parts, PAYLOAD_HEADER, 0);
	put_number(&parts, PAYLOAD_WORD, 0);
	put_number(&parts, PAYLOAD_BASE, PROTO_BASE_NETWORK_HDR);
	put_number(&parts, PAYLOAD_OFFSET, first_bit);
	put_number(&parts, PAYLOAD_LENGTH, bits);
	put_expression(data, type, NFT_EXPR_PAYLOAD, &parts);
}

/* The protocol, or a port: what stands beside addresses. */
static void put_whole_field(struct nft_userdata *data, uint8_t type, enum nft_field field)
{
	const struct nft_field_row *row = nft_field_row(field);
	struct nft_userdata parts = { .length = 0 };
	if (row->is_port) {
		put_number(&parts, PAYLOAD_HEADER, PROTO_DESC_TH);
		put_number(&parts, PAYLOAD_WORD, field == NFT_FIELD_TH_SPORT ? TH_SPORT : TH_DPORT);
	} else {
		put_number(&parts, META_KEY, row->key);
	}
	put_expression(data, type, row->is_port ? NFT_EXPR_PAYLOAD : NFT_EXPR_META, &parts);
}

static void put_fields(struct nft_userdata *data, const struct nft_set *set)
{
	struct nft_part parts[NFT_PARTS_MAX];
	uint8_t number = nft_key_is_concatenation(set) ? 0 : NFTNL_UDATA_SET_KEY_TYPEOF;
	for (size_t i = 0; i < set->fields_count; i++) {
		size_t count = nft_parts(set, i, parts);
		for (size_t k = 0; k < count; k++)
			put_header_part(data, number++,
					8 * (nft_field_row(set->fields[i])->offset + parts[k].offset),
					8 * parts[k].bytes);
		if (count == 0)
			put_whole_field(data, number++, set->fields[i]);
	}
}

static void put_typeof(struct nft_userdata *data, const struct nft_set *set)
{
	struct nft_userdata fields = { .length = 0 };
	if (set->leading[0] != 0 && !nft_key_is_concatenation(set)) {
		put_fields(data, set);
		return;
	}
	if (set->leading[0] != 0)
		put_fields(&fields, set);
	put_expression(data, NFTNL_UDATA_SET_KEY_TYPEOF, NFT_EXPR_CONCAT, &fields);
}

/* A map that was written with `typeof` says so of its values, too: nft reads both or none, and lists the key as
 * numbers of no length where it has none. */
static void put_typeof_verdict(struct nft_userdata *data)
{
	put_expression(data, NFTNL_UDATA_SET_DATA_TYPEOF, NFT_EXPR_VERDICT, &(struct nft_userdata){ .length = 0 });
}

struct nft_userdata nft_userdata_set(const struct nft_set *set)
{
	struct nft_userdata data = { .length = 0 };
	bool is_concatenation = nft_key_is_concatenation(set);
	put_number(&data, NFTNL_UDATA_SET_KEYBYTEORDER,
		   is_concatenation ? 0 : nft_field_row(set->fields[0])->type_order);
	if (set->is_verdict_map)
		put_number(&data, NFTNL_UDATA_SET_DATABYTEORDER, 0);
	if (is_concatenation || set->leading[0] != 0)
		put_typeof(&data, set);
	if (set->is_verdict_map && set->leading[0] != 0)
		put_typeof_verdict(&data);
	if (set->is_verdict_map)
		put_number(&data, NFTNL_UDATA_SET_DATA_INTERVAL, 0);
	put_comment(&data, NFTNL_UDATA_SET_COMMENT, set->comment);
	return data;
}

struct nft_userdata nft_userdata_element(const char *comment, bool is_open)
{
	struct nft_userdata data = { .length = 0 };
	put_comment(&data, NFTNL_UDATA_SET_ELEM_COMMENT, comment);
	if (is_open)
		put_number(&data, NFTNL_UDATA_SET_ELEM_FLAGS, NFTNL_SET_ELEM_F_INTERVAL_OPEN);
	return data;
}
