/* Values as the kernel's registers and set keys hold them. */
#include "target/nft/key.h"

#include <string.h>

#define TYPE_BITS 6 /* of a concatenation's subtype: nft's TYPE_BITS */

static void put_big(uint8_t *bytes, uint32_t count, number128 number)
{
	while (count-- > 0) {
		bytes[count] = (uint8_t)number;
		number >>= 8;
	}
}

static void put_host(uint8_t *bytes, uint32_t count, number128 number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	put_big(bytes, count, number);
#else
	for (uint32_t i = 0; i < count; i++) {
		bytes[i] = (uint8_t)number;
		number >>= 8;
	}
#endif
}

/* The model holds seconds of the epoch, the kernel compares nanoseconds. */
static number128 kernel_number(const struct nft_field_row *row, number128 number)
{
	return row == nft_field_row(NFT_FIELD_META_TIME) ? number * 1000000000u : number;
}

void nft_key_value(uint8_t *bytes, const struct nft_field_row *row, const struct nft_value *value,
		   bool is_ordered)
{
	if (row->order == NFT_BYTES) {
		memset(bytes, 0, row->bytes);
		memcpy(bytes, value->name, strnlen(value->name, row->bytes - 1));
	} else if (row->order == NFT_BIG_ENDIAN || is_ordered) {
		put_big(bytes, row->bytes, kernel_number(row, value->number));
	} else {
		put_host(bytes, row->bytes, kernel_number(row, value->number));
	}
}

uint32_t nft_key_padded(const struct nft_field_row *row)
{
	return (row->bytes + 3) & ~3u;
}

bool nft_key_is_turned(const struct nft_field_row *row)
{
	return row->order == NFT_HOST_ENDIAN && row->bytes > 1;
}

uint32_t nft_key_length(const struct nft_set *set)
{
	if (set->fields_count == 1)
		return nft_field_row(set->fields[0])->bytes;
	uint32_t length = 0;
	for (size_t i = 0; i < set->fields_count; i++)
		length += nft_key_padded(nft_field_row(set->fields[i]));
	return length;
}

uint32_t nft_key_type(const struct nft_set *set)
{
	uint32_t type = 0;
	for (size_t i = 0; i < set->fields_count; i++)
		type = type << TYPE_BITS | nft_field_row(set->fields[i])->type_number;
	return type;
}
