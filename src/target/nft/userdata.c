/* User data as nft 1.0.6 writes it (mnl_nft_set_add, set_key_expression, netlink_gen_setelem). */
#include "target/nft/userdata.h"

#include <libnftnl/udata.h>
#include <string.h>

#include "target/nft/field.h"
#include "target/nft/safe.h"

/* enum expr_types of nft: a concatenation */
#define NFT_EXPR_CONCAT 13
/* its typeof data: nested attributes with the kind of expression and its (empty) parts */
#define TYPEOF_EXPR 0
#define TYPEOF_DATA 1

static void put(struct nft_userdata *data, uint8_t type, const void *value, size_t length)
{
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

static void put_concatenation(struct nft_userdata *data)
{
	struct nft_userdata nest = { .length = 0 };
	put_number(&nest, TYPEOF_EXPR, NFT_EXPR_CONCAT);
	put(&nest, TYPEOF_DATA, "", 0);
	put(data, NFTNL_UDATA_SET_KEY_TYPEOF, nest.bytes, nest.length);
}

struct nft_userdata nft_userdata_set(const struct nft_set *set)
{
	struct nft_userdata data = { .length = 0 };
	bool is_concatenation = set->fields_count > 1;
	put_number(&data, NFTNL_UDATA_SET_KEYBYTEORDER,
		   is_concatenation ? 0 : nft_field_row(set->fields[0])->type_order);
	if (set->is_verdict_map)
		put_number(&data, NFTNL_UDATA_SET_DATABYTEORDER, 0);
	if (is_concatenation)
		put_concatenation(&data);
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
