/* Values as the kernel's registers and set keys hold them. */
#include "target/nft/model/key.h"

#include <string.h>

#define TYPE_BITS 6    /* of a concatenation's subtype: nft's TYPE_BITS */
#define TYPE_INTEGER 4 /* enum datatypes of nft: a number without a name, which a part of a header is */
#define REGISTER_BYTES 4u

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

static uint32_t padded(uint32_t bytes)
{
	return (bytes + REGISTER_BYTES - 1) & ~(REGISTER_BYTES - 1);
}

uint32_t nft_key_padded(const struct nft_field_row *row)
{
	return padded(row->bytes);
}

uint32_t nft_part_padded(const struct nft_part *part)
{
	return padded(part->bytes);
}

bool nft_key_is_turned(const struct nft_field_row *row)
{
	return row->order == NFT_HOST_ENDIAN && row->bytes > 1;
}

/* Bytes in a concatenation. */
static uint32_t field_length(const struct nft_set *set, size_t field)
{
	struct nft_part parts[NFT_PARTS_MAX];
	size_t count = nft_parts(set, field, parts);
	uint32_t length = count == 0 ? nft_key_padded(nft_field_row(set->fields[field])) : 0;
	for (size_t i = 0; i < count; i++)
		length += nft_part_padded(&parts[i]);
	return length;
}

uint32_t nft_key_put(uint8_t *bytes, const struct nft_set *set, size_t field, const struct nft_value *value,
		     bool is_ordered)
{
	const struct nft_field_row *row = nft_field_row(set->fields[field]);
	uint8_t whole[16] = { 0 };
	uint32_t length = field_length(set, field);
	nft_key_value(whole, row, value, is_ordered);
	memcpy(bytes, whole, length);
	return length;
}

uint32_t nft_key_length(const struct nft_set *set)
{
	struct nft_part parts[NFT_PARTS_MAX];
	if (set->fields_count == 1 && set->leading[0] == 0)
		return nft_field_row(set->fields[0])->bytes;
	if (set->fields_count == 1 && nft_parts(set, 0, parts) == 1)
		return parts[0].bytes;
	uint32_t length = 0;
	for (size_t i = 0; i < set->fields_count; i++)
		length += field_length(set, i);
	return length;
}

bool nft_key_is_concatenation(const struct nft_set *set)
{
	struct nft_part parts[NFT_PARTS_MAX];
	return set->fields_count > 1 || nft_parts(set, 0, parts) > 1;
}

uint32_t nft_key_type(const struct nft_set *set)
{
	struct nft_part parts[NFT_PARTS_MAX];
	uint32_t type = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		size_t count = nft_parts(set, i, parts);
		for (size_t k = 0; k < count; k++)
			type = type << TYPE_BITS | TYPE_INTEGER;
		if (count == 0)
			type = type << TYPE_BITS | nft_field_row(set->fields[i])->type_number;
	}
	return type;
}
