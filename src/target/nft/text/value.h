/* Values in nft's language: what stands in rules and between the braces of a set. */
#ifndef FWC_TARGET_NFT_TEXT_VALUE_H
#define FWC_TARGET_NFT_TEXT_VALUE_H

#include "target/nft/model/field.h"

/* One value; bit masks as names with commas between. */
void nft_text_value(struct text *out, enum nft_field field, const struct nft_value *value);
/* A closed interval as short as exact: one value, a prefix (addresses), or low-high. */
void nft_text_interval(struct text *out, enum nft_field field, const struct nft_value *low,
		       const struct nft_value *high);
void nft_text_prefix(struct text *out, enum nft_field field, number128 value, unsigned length);
/* The parts of an address's leading bits: "0xfd10004f . 0x4c2e". */
void nft_text_parts(struct text *out, const struct nft_set *set, size_t field, number128 address);
/* 0x and so many digits. */
void nft_text_hexadecimal(struct text *out, number128 number, unsigned digits);
void nft_text_verdict(struct text *out, const struct nft_verdict *verdict);
/* A string in double quotes, made safe. */
void nft_text_quoted(struct text *out, const char *text);
/* comment "…" with a blank before it, or nothing. */
void nft_text_comment(struct text *out, const char *comment);
/* 10/second */
void nft_text_rate(struct text *out, const struct limit *limit);

#endif
