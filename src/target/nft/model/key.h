/* Values as the kernel's registers and set keys hold them. */
#ifndef FWC_TARGET_NFT_MODEL_KEY_H
#define FWC_TARGET_NFT_MODEL_KEY_H

#include <stdint.h>

#include "target/nft/model/field.h"

/* All fields of 16 bytes; the kernel takes NFT_DATA_VALUE_MAXLEN, 64. */
#define NFT_KEY_MAX (16 * NFT_KEY_FIELDS_MAX)

/* The field's value at bytes, row->bytes long. is_ordered: in network order whatever the field's
 * own order is, so that the kernel can compare "greater". Names are padded with NUL. */
void nft_key_value(uint8_t *bytes, const struct nft_field_row *row, const struct nft_value *value,
		   bool is_ordered);
/* Bytes of a field in a concatenation: whole 32-bit registers. */
uint32_t nft_key_padded(const struct nft_field_row *row);
uint32_t nft_part_padded(const struct nft_part *part);
/* Does the field's register need its bytes turned before "greater" means anything? */
bool nft_key_is_turned(const struct nft_field_row *row);
/* One field of the set's concatenation, padded with zeros; its length there. */
uint32_t nft_key_put(uint8_t *bytes, const struct nft_set *set, size_t field, const struct nft_value *value,
		     bool is_ordered);
/* Is it several to nft: fields, or parts of one? */
bool nft_key_is_concatenation(const struct nft_set *set);
/* Bytes of a set's key. */
uint32_t nft_key_length(const struct nft_set *set);
/* nft's number for the key's type: six bits a field of a concatenation. */
uint32_t nft_key_type(const struct nft_set *set);

#endif
