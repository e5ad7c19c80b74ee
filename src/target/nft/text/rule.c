/* One rule in nft's language: one printer a kind of statement. */
#include "target/nft/text/rule.h"

#include <linux/netfilter.h>

#include "target/nft/model/plan.h"
#include "target/nft/text/value.h"

static void text_field(struct text *out, enum nft_field field, uint8_t protocol)
{
	const struct nft_field_row *row = nft_field_row(field);
	if (row->is_port) {
		text_add(out, nft_port_protocol(protocol));
		text_add_char(out, ' ');
	}
	text_add(out, row->text);
}

/* Bits of the network header by their place, from this byte of the address on. */
static void text_place(struct text *out, enum nft_field field, unsigned byte, unsigned bits)
{
	text_add(out, "@nh,");
	text_add_unsigned(out, 8 * (nft_field_row(field)->offset + byte));
	text_add_char(out, ',');
	text_add_unsigned(out, bits);
}

/* Returns whether there is one. */
static bool text_part_mask(struct text *out, const struct nft_part *part)
{
	if (part->leading == 8 * part->bytes)
		return false;
	text_add(out, " & ");
	nft_text_hexadecimal(out, ~(uint32_t)0 << (32 - part->leading), 8);
	return true;
}

/* Parts of the network header by their places, as nft lists them: "@nh,64,32 . @nh,96,32 & 0xfffffff0". */
static void text_parts(struct text *out, const struct nft_set *set, size_t field, bool has_masks)
{
	struct nft_part parts[NFT_PARTS_MAX];
	size_t count = nft_parts(set, field, parts);
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			text_add(out, " . ");
		text_place(out, set->fields[field], parts[i].offset, 8 * parts[i].bytes);
		if (has_masks)
			text_part_mask(out, &parts[i]);
	}
}

/* The leading bits that are looked up. */
static void text_mask(struct text *out, const struct nft_statement *statement, size_t field)
{
	bool is_ipv4 = nft_field_row(statement->fields[field])->family == NFPROTO_IPV4;
	struct address mask = { is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6,
				nft_mask(statement->fields[field], statement->leading[field]) };
	text_add(out, " & ");
	address_format(out, &mask);
}

static void text_fields(struct text *out, const struct nft_statement *statement)
{
	for (size_t i = 0; i < statement->fields_count; i++) {
		if (i != 0)
			text_add(out, " . ");
		if (statement->set->leading[i] != 0) {
			text_parts(out, statement->set, i, true);
			continue;
		}
		text_field(out, statement->fields[i], statement->protocol);
		if (statement->leading[i] != 0)
			text_mask(out, statement, i);
	}
}

static void text_set_reference(struct text *out, const struct nft_set *set, bool is_negated)
{
	text_add(out, is_negated ? " != @" : " @");
	text_add(out, set->name);
}

/* Without an operator nft takes a mask as "one of these bits"; `==` means the value itself. */
static const char *equal_sign(const struct nft_statement *match)
{
	return nft_field_row(match->field)->kind == NFT_VALUE_BITS ? " == " : " ";
}

/* A part of an address of a family that is known, by its place. */
static void text_match_part(struct text *out, const struct nft_statement *match, const struct nft_part *part)
{
	text_place(out, match->field, part->offset, 8 * part->bytes);
	text_add(out, text_part_mask(out, part) ? " == " : " ");
	nft_text_hexadecimal(out, nft_part_value(match->field, part, match->low.number), 2 * part->bytes);
}

/* A range of such addresses. */
static void text_match_places(struct text *out, const struct nft_statement *match)
{
	unsigned bytes = nft_field_row(match->field)->bytes;
	text_place(out, match->field, 0, 8 * bytes);
	text_add_char(out, ' ');
	nft_text_hexadecimal(out, match->low.number, 2 * bytes);
	text_add_char(out, '-');
	nft_text_hexadecimal(out, match->high.number, 2 * bytes);
}

/* Of /24 nft would load three bytes, unless it is told the mask; it lists either as "192.0.2.0/24". */
static void text_match_network(struct text *out, const struct nft_statement *match)
{
	bool is_masked = match->length == 24 && nft_prefix_load(match) == 32;
	if (!is_masked) {
		text_add_char(out, ' ');
		nft_text_prefix(out, match->field, match->low.number, match->length);
		return;
	}
	struct address mask = { FAMILY_IPV4, nft_mask(match->field, match->length) };
	text_add(out, " & ");
	address_format(out, &mask);
	text_add(out, " == ");
	nft_text_value(out, match->field, &match->low);
}

static void text_match(struct text *out, const struct nft_statement *match)
{
	enum nft_operator operator = nft_operator_of(match);
	if (match->is_of_family && operator == NFT_RANGE) {
		text_match_places(out, match);
		return;
	}
	text_field(out, match->field, match->protocol);
	switch (operator) {
	case NFT_EQUAL:
		text_add(out, equal_sign(match));
		nft_text_value(out, match->field, &match->low);
		return;
	case NFT_NOT_EQUAL:
		text_add(out, " != ");
		nft_text_value(out, match->field, &match->low);
		return;
	case NFT_RANGE:
	case NFT_NOT_RANGE:
		text_add(out, operator == NFT_RANGE ? " " : " != ");
		nft_text_interval(out, match->field, &match->low, &match->high);
		return;
	case NFT_PREFIX:
		text_match_network(out, match);
		return;
	case NFT_LESS:
		text_add(out, " < ");
		text_add_unsigned(out, (uint64_t)match->low.number);
		return;
	case NFT_ANY_BIT:
		text_add_char(out, ' ');
		nft_text_value(out, match->field, &match->low);
		return;
	case NFT_IN_SET:
	case NFT_NOT_IN_SET:
		text_set_reference(out, match->set, operator == NFT_NOT_IN_SET);
		return;
	}
}

static void text_vmap(struct text *out, const struct nft_statement *vmap)
{
	text_fields(out, vmap);
	text_add(out, " vmap @");
	text_add(out, vmap->set->name);
}

static void text_concat_match(struct text *out, const struct nft_statement *match)
{
	text_fields(out, match);
	text_set_reference(out, match->set, match->operator == NFT_NOT_IN_SET);
}

static void text_verdict_statement(struct text *out, const struct nft_statement *statement)
{
	nft_text_verdict(out, &statement->verdict);
}

static void text_reject(struct text *out, const struct nft_statement *statement)
{
	text_add(out, statement->reject == NFT_REJECT_TCP_RESET ? "reject with tcp reset"
								: "reject with icmpx admin-prohibited");
}

static void text_counter(struct text *out, const struct nft_statement *statement)
{
	text_add(out, "counter name ");
	nft_text_quoted(out, statement->name);
}

static void text_limit(struct text *out, const struct nft_statement *statement)
{
	text_add(out, "limit name ");
	nft_text_quoted(out, statement->name);
}

static void text_source_limit(struct text *out, const struct nft_statement *statement)
{
	text_add(out, "update @");
	text_add(out, statement->set->name);
	text_add(out, statement->family == FAMILY_IPV4 ? " { ip saddr" :
							  " { ip6 saddr & ffff:ffff:ffff:ffff::");
	text_add(out, " limit rate ");
	nft_text_rate(out, statement->limit);
	text_add(out, " burst ");
	text_add_unsigned(out, statement->limit->burst);
	text_add(out, " packets }");
}

static void text_log(struct text *out, const struct nft_statement *statement)
{
	text_add(out, "log");
	if (statement->log_prefix != NULL && *statement->log_prefix != '\0') {
		text_add(out, " prefix ");
		nft_text_quoted(out, statement->log_prefix);
	}
	if (statement->has_log_group) {
		text_add(out, " group ");
		text_add_unsigned(out, statement->log_group);
	}
}

static void text_notrack(struct text *out, const struct nft_statement *statement)
{
	(void)statement;
	text_add(out, "notrack");
}

static void text_helper(struct text *out, const struct nft_statement *statement)
{
	text_add(out, "ct helper set ");
	nft_text_quoted(out, statement->name);
}

static void text_masquerade(struct text *out, const struct nft_statement *statement)
{
	(void)statement;
	text_add(out, "masquerade");
}

static void text_nat(struct text *out, const struct nft_statement *statement)
{
	bool is_ipv6 = statement->family == FAMILY_IPV6, has_port = statement->port != 0;
	text_add(out, statement->kind == NFT_SNAT ? "snat " : "dnat ");
	text_add(out, is_ipv6 ? "ip6 to " : "ip to ");
	if (is_ipv6 && has_port)
		text_add_char(out, '[');
	address_format(out, &statement->address);
	if (is_ipv6 && has_port)
		text_add_char(out, ']');
	if (has_port) {
		text_add_char(out, ':');
		text_add_unsigned(out, statement->port);
	}
}

typedef void (*statement_printer)(struct text *out, const struct nft_statement *statement);

static const statement_printer printers[] = {
	[NFT_MATCH] = text_match,
	[NFT_VMAP] = text_vmap,
	[NFT_CONCAT_MATCH] = text_concat_match,
	[NFT_VERDICT] = text_verdict_statement,
	[NFT_REJECT] = text_reject,
	[NFT_COUNTER] = text_counter,
	[NFT_LIMIT] = text_limit,
	[NFT_SOURCE_LIMIT] = text_source_limit,
	[NFT_LOG] = text_log,
	[NFT_NOTRACK] = text_notrack,
	[NFT_HELPER] = text_helper,
	[NFT_MASQUERADE] = text_masquerade,
	[NFT_SNAT] = text_nat,
	[NFT_DNAT] = text_nat,
};

void nft_text_rule(struct text *out, const struct nft_rule *rule)
{
	struct nft_plan plan;
	bool is_first = true;
	nft_plan_rule(&plan, rule);
	for (size_t i = 0; i < plan.steps_count; i++) {
		const struct nft_step *step = &plan.steps[i];
		if (step->is_implied)
			continue;
		if (!is_first)
			text_add_char(out, ' ');
		is_first = false;
		if (step->part.bytes != 0)
			text_match_part(out, step->statement, &step->part);
		else
			printers[step->statement->kind](out, step->statement);
	}
	nft_text_comment(out, rule->comment);
}

void nft_text_key_type(struct text *out, const struct nft_set *set)
{
	bool is_in_parts = set->leading[0] != 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		text_add(out, i != 0 ? " . " : is_in_parts ? "typeof " : "type ");
		if (set->leading[i] != 0)
			text_parts(out, set, i, false);
		else if (is_in_parts)
			text_field(out, set->fields[i], 0);
		else
			text_add(out, nft_field_row(set->fields[i])->type);
	}
}
