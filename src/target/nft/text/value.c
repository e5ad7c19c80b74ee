/* Values in nft's language. A ruleset may hold a million of them: no printf, and one addition to
 * the text for each address. */
#include "target/nft/text/value.h"

#include "target/nft/model/safe.h"

#define IPV4_TEXT_MAX 18 /* 255.255.255.255/32 */

static char *put_number(char *end, unsigned value)
{
	if (value >= 100) {
		*end++ = (char)('0' + value / 100);
		value %= 100;
		*end++ = (char)('0' + value / 10);
		value %= 10;
	} else if (value >= 10) {
		*end++ = (char)('0' + value / 10);
		value %= 10;
	}
	*end++ = (char)('0' + value);
	return end;
}

static char *put_ipv4(char *end, uint32_t address)
{
	end = put_number(end, address >> 24);
	*end++ = '.';
	end = put_number(end, address >> 16 & 0xff);
	*end++ = '.';
	end = put_number(end, address >> 8 & 0xff);
	*end++ = '.';
	return put_number(end, address & 0xff);
}

static void text_ipv4(struct text *out, uint32_t address)
{
	char bytes[IPV4_TEXT_MAX];
	text_add_bytes(out, bytes, (size_t)(put_ipv4(bytes, address) - bytes));
}

static void text_ipv4_prefix(struct text *out, uint32_t address, unsigned length)
{
	char bytes[IPV4_TEXT_MAX], *end = put_ipv4(bytes, address);
	*end++ = '/';
	end = put_number(end, length);
	text_add_bytes(out, bytes, (size_t)(end - bytes));
}

static void text_bits(struct text *out, const struct nft_symbol *names, uint64_t mask)
{
	const char *between = "";
	for (const struct nft_symbol *bit = names; bit->name != NULL; bit++) {
		if ((mask & bit->value) == 0)
			continue;
		text_add(out, between);
		text_add(out, bit->name);
		mask &= ~(uint64_t)bit->value;
		between = ",";
	}
	if (mask != 0 || *between == '\0') {
		text_add(out, between);
		text_add_unsigned(out, mask);
	}
}

/* Names are what they are: one that nft cannot quote never comes this far, and if it did it would
 * match nothing. */
static void text_name(struct text *out, const char *name)
{
	if (!nft_is_safe_interface(name)) {
		nft_text_quoted(out, name);
		return;
	}
	text_add_char(out, '"');
	text_add(out, name);
	text_add_char(out, '"');
}

void nft_text_value(struct text *out, enum nft_field field, const struct nft_value *value)
{
	const struct nft_field_row *row = nft_field_row(field);
	const char *name = NULL;
	switch (row->kind) {
	case NFT_VALUE_NAME:
		text_name(out, value->name);
		return;
	case NFT_VALUE_IPV4:
		text_ipv4(out, (uint32_t)value->number);
		return;
	case NFT_VALUE_IPV6:
		address_format(out, &(struct address){ FAMILY_IPV6, value->number });
		return;
	case NFT_VALUE_BITS:
		text_bits(out, row->symbols, (uint64_t)value->number);
		return;
	case NFT_VALUE_SYMBOL:
		name = nft_symbol_name(row->symbols, value->number);
		break;
	case NFT_VALUE_NUMBER:
		break;
	}
	if (name != NULL)
		text_add(out, name);
	else
		text_add_unsigned(out, (uint64_t)value->number);
}

void nft_text_prefix(struct text *out, enum nft_field field, number128 value, unsigned length)
{
	if (nft_field_row(field)->kind == NFT_VALUE_IPV4)
		text_ipv4_prefix(out, (uint32_t)value, length);
	else
		prefix_format(out, &(struct prefix){ FAMILY_IPV6, value, length });
}

static void text_range(struct text *out, const struct nft_field_row *row, const struct nft_value *low,
		       const struct nft_value *high, enum nft_field field)
{
	if (row->kind == NFT_VALUE_IPV4 || row->kind == NFT_VALUE_IPV6) {
		nft_text_value(out, field, low);
		text_add_char(out, '-');
		nft_text_value(out, field, high);
		return;
	}
	/* symbols do not stand in ranges: some hold a hyphen */
	text_add_unsigned(out, (uint64_t)low->number);
	text_add_char(out, '-');
	text_add_unsigned(out, (uint64_t)high->number);
}

void nft_text_interval(struct text *out, enum nft_field field, const struct nft_value *low,
		       const struct nft_value *high)
{
	const struct nft_field_row *row = nft_field_row(field);
	if (row->kind == NFT_VALUE_NAME || low->number == high->number) {
		nft_text_value(out, field, low);
		return;
	}
	struct interval interval = { low->number, high->number };
	unsigned length;
	if ((row->kind == NFT_VALUE_IPV4 && interval_is_prefix(FAMILY_IPV4, &interval, &length)) ||
	    (row->kind == NFT_VALUE_IPV6 && interval_is_prefix(FAMILY_IPV6, &interval, &length)))
		nft_text_prefix(out, field, low->number, length);
	else
		text_range(out, row, low, high, field);
}

void nft_text_hexadecimal(struct text *out, number128 number, unsigned digits)
{
	char bytes[2 + 32] = "0x";
	for (unsigned i = digits; i > 0; i--, number >>= 4)
		bytes[1 + i] = "0123456789abcdef"[number & 0xf];
	text_add_bytes(out, bytes, 2 + digits);
}

void nft_text_parts(struct text *out, const struct nft_set *set, size_t field, number128 address)
{
	struct nft_part parts[NFT_PARTS_MAX];
	size_t count = nft_parts(set, field, parts);
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			text_add(out, " . ");
		nft_text_hexadecimal(out, nft_part_value(set->fields[field], &parts[i], address),
				     2 * parts[i].bytes);
	}
}

void nft_text_verdict(struct text *out, const struct nft_verdict *verdict)
{
	static const char *const words[] = {
		[NFT_ACCEPT] = "accept", [NFT_DROP] = "drop", [NFT_JUMP] = "jump ",
		[NFT_GOTO] = "goto ", [NFT_RETURN] = "return",
	};
	text_add(out, words[verdict->kind]);
	if (verdict->kind == NFT_JUMP || verdict->kind == NFT_GOTO)
		text_add(out, verdict->chain);
}

void nft_text_quoted(struct text *out, const char *text)
{
	struct nft_safe safe = nft_safe(text);
	text_add_char(out, '"');
	text_add_bytes(out, safe.bytes, safe.length);
	text_add_char(out, '"');
}

void nft_text_comment(struct text *out, const char *comment)
{
	if (comment == NULL || *comment == '\0')
		return;
	text_add(out, " comment ");
	nft_text_quoted(out, comment);
}

void nft_text_rate(struct text *out, const struct limit *limit)
{
	text_add_unsigned(out, limit->rate);
	switch (limit->unit_s) {
	case 60:
		text_add(out, "/minute");
		return;
	case 3600:
		text_add(out, "/hour");
		return;
	case 86400:
		text_add(out, "/day");
		return;
	}
	text_add(out, "/second");
}
