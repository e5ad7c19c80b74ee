/* Rules for libnftnl: the plan's statements as expressions, the same that nft 1.0.6 sends
 * (src/netlink_linearize.c). Values go through register 1; a concatenation fills 32-bit
 * registers from there on. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>
#include <stdio.h> /* libnftnl/expr.h needs FILE */
#include <libnftnl/expr.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/batch/build.h"
#include "target/nft/model/key.h"
#include "target/nft/model/plan.h"
#include "target/nft/model/safe.h"
#include "target/nft/batch/userdata.h"
#include "target/nft/model/kernel_names.h"

#define SLOT_BYTES 4u
#define SLOTS_A_REGISTER 4u
#define SOURCE_PREFIX_BYTES 8 /* IPv6 sources are counted by /64 */

struct builder {
	const void *pool;
	const struct nft_naming *naming;
	struct nftnl_rule *rule;
};

/* --- expressions --------------------------------------------------------------------------------- */

/* The number of the register that begins at a 32-bit slot: the old 128-bit numbers where they
 * fit, as nft gives them (netlink_put_register). */
static uint32_t register_at(uint32_t slot)
{
	return slot % SLOTS_A_REGISTER == 0 ? NFT_REG_1 + slot / SLOTS_A_REGISTER
					    : NFT_REG32_00 + slot;
}

static struct nftnl_expr *expression_new(const struct builder *builder, const char *name)
{
	struct nftnl_expr *expression = nftnl_expr_alloc(name);
	if (expression == NULL)
		pool_fail(builder->pool, 0);
	return expression;
}

static struct nftnl_expr *expression_add(const struct builder *builder, const char *name)
{
	struct nftnl_expr *expression = expression_new(builder, name);
	nftnl_rule_add_expr(builder->rule, expression);
	return expression;
}

static void set_bytes(const struct builder *builder, struct nftnl_expr *expression, uint16_t attribute,
		      const void *bytes, uint32_t length)
{
	if (nftnl_expr_set(expression, attribute, bytes, length) != 0)
		pool_fail(builder->pool, length);
}

static void set_string(const struct builder *builder, struct nftnl_expr *expression, uint16_t attribute,
		       const char *string)
{
	if (nftnl_expr_set_str(expression, attribute, string) != 0)
		pool_fail(builder->pool, 0);
}

/* --- loads and comparisons ------------------------------------------------------------------------ */

static void add_payload(const struct builder *builder, uint32_t base, uint32_t offset, uint32_t length,
			uint32_t slot)
{
	struct nftnl_expr *load = expression_add(builder, "payload");
	nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_LEN, length);
	nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_DREG, register_at(slot));
}

/* length: bytes that are wanted, at most the field's; only a payload can load fewer. */
static void add_load(const struct builder *builder, const struct nft_field_row *row, uint32_t length,
		     uint32_t slot)
{
	struct nftnl_expr *load;
	switch (row->loader) {
	case NFT_LOAD_META:
		load = expression_add(builder, "meta");
		nftnl_expr_set_u32(load, NFTNL_EXPR_META_KEY, row->key);
		nftnl_expr_set_u32(load, NFTNL_EXPR_META_DREG, register_at(slot));
		return;
	case NFT_LOAD_PAYLOAD:
		add_payload(builder, row->key, row->offset, length, slot);
		return;
	case NFT_LOAD_CT:
		load = expression_add(builder, "ct");
		nftnl_expr_set_u32(load, NFTNL_EXPR_CT_KEY, row->key);
		nftnl_expr_set_u32(load, NFTNL_EXPR_CT_DREG, register_at(slot));
		if (row->is_original)
			nftnl_expr_set_u8(load, NFTNL_EXPR_CT_DIR, 0); /* IP_CT_DIR_ORIGINAL */
		return;
	case NFT_LOAD_FIB:
		load = expression_add(builder, "fib");
		nftnl_expr_set_u32(load, NFTNL_EXPR_FIB_FLAGS, row->key);
		nftnl_expr_set_u32(load, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		nftnl_expr_set_u32(load, NFTNL_EXPR_FIB_DREG, register_at(slot));
		return;
	}
}

/* Brings a number of the host's order into network order, so that it can be compared by size. */
static void add_turn(const struct builder *builder, const struct nft_field_row *row, uint32_t slot)
{
	struct nftnl_expr *turn = expression_add(builder, "byteorder");
	nftnl_expr_set_u32(turn, NFTNL_EXPR_BYTEORDER_SREG, register_at(slot));
	nftnl_expr_set_u32(turn, NFTNL_EXPR_BYTEORDER_DREG, register_at(slot));
	nftnl_expr_set_u32(turn, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(turn, NFTNL_EXPR_BYTEORDER_LEN, row->bytes);
	/* nft asks for units of two bytes where there is one: the kernel then turns nothing */
	nftnl_expr_set_u32(turn, NFTNL_EXPR_BYTEORDER_SIZE, row->bytes < 2 ? 2 : row->bytes);
}

static void add_compare(const struct builder *builder, uint32_t operator, const void *bytes,
			uint32_t length)
{
	struct nftnl_expr *compare = expression_add(builder, "cmp");
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, operator);
	set_bytes(builder, compare, NFTNL_EXPR_CMP_DATA, bytes, length);
}

static void add_mask(const struct builder *builder, const uint8_t *mask, uint32_t length, uint32_t slot)
{
	static const uint8_t zeros[16];
	struct nftnl_expr *bitwise = expression_add(builder, "bitwise");
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, register_at(slot));
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, register_at(slot));
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, length);
	set_bytes(builder, bitwise, NFTNL_EXPR_BITWISE_MASK, mask, length);
	set_bytes(builder, bitwise, NFTNL_EXPR_BITWISE_XOR, zeros, length);
}

static void add_lookup(const struct builder *builder, const struct nft_set *set, bool is_negated,
		       bool is_map)
{
	struct nft_name room;
	struct nftnl_expr *lookup = expression_add(builder, "lookup");
	nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	set_string(builder, lookup, NFTNL_EXPR_LOOKUP_SET,
		   nft_name_suffixed(builder->naming, &room, set->name));
	if (is_map)
		nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	if (is_negated)
		nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

/* --- matches --------------------------------------------------------------------------------------- */

static void match_value(const struct builder *builder, const struct nft_field_row *row,
			const struct nft_statement *match, uint32_t operator)
{
	uint8_t bytes[16];
	nft_key_value(bytes, row, &match->low, false);
	add_load(builder, row, row->bytes, 0);
	add_compare(builder, operator, bytes, row->bytes);
}

static void match_range(const struct builder *builder, const struct nft_field_row *row,
			const struct nft_statement *match, bool is_negated)
{
	uint8_t low[16], high[16];
	nft_key_value(low, row, &match->low, true);
	nft_key_value(high, row, &match->high, true);
	add_load(builder, row, row->bytes, 0);
	if (nft_key_is_turned(row))
		add_turn(builder, row, 0);
	if (!is_negated) {
		add_compare(builder, NFT_CMP_GTE, low, row->bytes);
		add_compare(builder, NFT_CMP_LTE, high, row->bytes);
		return;
	}
	struct nftnl_expr *range = expression_add(builder, "range");
	nftnl_expr_set_u32(range, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(range, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	set_bytes(builder, range, NFTNL_EXPR_RANGE_FROM_DATA, low, row->bytes);
	set_bytes(builder, range, NFTNL_EXPR_RANGE_TO_DATA, high, row->bytes);
}

static void match_prefix(const struct builder *builder, const struct nft_field_row *row,
			 const struct nft_statement *match)
{
	uint8_t bytes[16], mask[16] = { 0 };
	unsigned loaded = nft_prefix_load(match) / 8;
	nft_key_value(bytes, row, &match->low, true);
	memset(mask, 0xff, match->length / 8);
	if (match->length % 8 != 0)
		mask[match->length / 8] = (uint8_t)(0xff00u >> match->length % 8);
	add_load(builder, row, loaded, 0);
	if (match->length != 8 * loaded)
		add_mask(builder, mask, loaded, 0);
	add_compare(builder, NFT_CMP_EQ, bytes, loaded);
}

static void match_less(const struct builder *builder, const struct nft_field_row *row,
		       const struct nft_statement *match)
{
	uint8_t bytes[16];
	nft_key_value(bytes, row, &match->low, true);
	add_load(builder, row, row->bytes, 0);
	if (nft_key_is_turned(row))
		add_turn(builder, row, 0);
	add_compare(builder, NFT_CMP_LT, bytes, row->bytes);
}

static void match_any_bit(const struct builder *builder, const struct nft_field_row *row,
			  const struct nft_statement *match)
{
	static const uint8_t zeros[16];
	uint8_t mask[16];
	nft_key_value(mask, row, &match->low, false);
	add_load(builder, row, row->bytes, 0);
	add_mask(builder, mask, row->bytes, 0);
	add_compare(builder, NFT_CMP_NEQ, zeros, row->bytes);
}

static void load_key(const struct builder *builder, const struct nft_set *set, const enum nft_field *fields,
		     const uint8_t *leading);

static void match_set(const struct builder *builder, const struct nft_statement *match, bool is_negated)
{
	load_key(builder, match->set, &match->field, NULL);
	add_lookup(builder, match->set, is_negated, false);
}

static void build_match(const struct builder *builder, const struct nft_statement *match)
{
	const struct nft_field_row *row = nft_field_row(match->field);
	switch (nft_operator_of(match)) {
	case NFT_EQUAL:
		match_value(builder, row, match, NFT_CMP_EQ);
		return;
	case NFT_NOT_EQUAL:
		match_value(builder, row, match, NFT_CMP_NEQ);
		return;
	case NFT_RANGE:
		match_range(builder, row, match, false);
		return;
	case NFT_NOT_RANGE:
		match_range(builder, row, match, true);
		return;
	case NFT_PREFIX:
		match_prefix(builder, row, match);
		return;
	case NFT_LESS:
		match_less(builder, row, match);
		return;
	case NFT_ANY_BIT:
		match_any_bit(builder, row, match);
		return;
	case NFT_IN_SET:
		match_set(builder, match, false);
		return;
	case NFT_NOT_IN_SET:
		match_set(builder, match, true);
		return;
	}
}

/* Two halves that stand side by side in the header: one load, one comparison. */
static void build_joined(const struct builder *builder, const struct nft_statement *first,
			 const struct nft_statement *second)
{
	const struct nft_field_row *one = nft_field_row(first->field), *two = nft_field_row(second->field);
	uint8_t bytes[32];
	nft_key_value(bytes, one, &first->low, true);
	nft_key_value(bytes + one->bytes, two, &second->low, true);
	add_payload(builder, one->key, one->offset, one->bytes + two->bytes, 0);
	add_compare(builder, NFT_CMP_EQ, bytes, one->bytes + two->bytes);
}

static void add_leading(const struct builder *builder, enum nft_field field, unsigned leading, uint32_t slot)
{
	const struct nft_field_row *row = nft_field_row(field);
	uint8_t mask[16];
	nft_key_value(mask, row, &(struct nft_value){ .number = nft_mask(field, leading) }, true);
	add_mask(builder, mask, row->bytes, slot);
}

static void load_part(const struct builder *builder, enum nft_field field, const struct nft_part *part,
		      uint32_t slot)
{
	const struct nft_field_row *row = nft_field_row(field);
	add_payload(builder, row->key, row->offset + part->offset, part->bytes, slot);
	if (part->leading != 8 * part->bytes) {
		uint32_t mask = htonl(~(uint32_t)0 << (32 - part->leading));
		add_mask(builder, (const uint8_t *)&mask, sizeof mask, slot);
	}
}

static void build_part(const struct builder *builder, const struct nft_statement *match,
		       const struct nft_part *part)
{
	uint32_t value = (uint32_t)nft_part_value(match->field, part, match->low.number);
	uint32_t bytes = htonl(value << (32 - 8 * part->bytes));
	load_part(builder, match->field, part, 0);
	add_compare(builder, NFT_CMP_EQ, &bytes, part->bytes);
}

/* The parts of an address's leading bits, each in registers of its own; the slot behind them. */
static uint32_t load_parts(const struct builder *builder, const struct nft_set *set, size_t field, uint32_t slot)
{
	struct nft_part parts[NFT_PARTS_MAX];
	size_t count = nft_parts(set, field, parts);
	for (size_t i = 0; i < count; i++) {
		load_part(builder, set->fields[field], &parts[i], slot);
		slot += nft_part_padded(&parts[i]) / SLOT_BYTES;
	}
	return slot;
}

/* In a concatenation whose set compares by size nft turns every number of the host's order, single bytes too.
 * leading: of each address, the bits that matter; or NULL. */
static void load_key(const struct builder *builder, const struct nft_set *set, const enum nft_field *fields,
		     const uint8_t *leading)
{
	bool is_ordered = nft_set_has_ranges(set);
	uint32_t slot = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_field_row *row = nft_field_row(fields[i]);
		if (set->leading[i] != 0) {
			slot = load_parts(builder, set, i, slot);
			continue;
		}
		add_load(builder, row, row->bytes, slot);
		if (is_ordered && row->order == NFT_HOST_ENDIAN &&
		    (set->fields_count > 1 || nft_key_is_turned(row)))
			add_turn(builder, row, slot);
		if (leading != NULL && leading[i] != 0)
			add_leading(builder, fields[i], leading[i], slot);
		slot += nft_key_padded(row) / SLOT_BYTES;
	}
}

static void build_concatenation(const struct builder *builder, const struct nft_statement *statement)
{
	load_key(builder, statement->set, statement->fields, statement->leading);
	add_lookup(builder, statement->set, statement->operator == NFT_NOT_IN_SET,
		   statement->kind == NFT_VMAP);
}

/* --- actions ---------------------------------------------------------------------------------------- */

static void build_verdict(const struct builder *builder, const struct nft_statement *statement)
{
	struct nft_name room;
	struct nftnl_expr *verdict = expression_add(builder, "immediate");
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_VERDICT,
			   nft_verdict_code(statement->verdict.kind));
	if (statement->verdict.kind == NFT_JUMP || statement->verdict.kind == NFT_GOTO)
		set_string(builder, verdict, NFTNL_EXPR_IMM_CHAIN,
			   nft_name_suffixed(builder->naming, &room, statement->verdict.chain));
}

static void build_reject(const struct builder *builder, const struct nft_statement *statement)
{
	bool is_reset = statement->reject == NFT_REJECT_TCP_RESET;
	struct nftnl_expr *reject = expression_add(builder, "reject");
	nftnl_expr_set_u32(reject, NFTNL_EXPR_REJECT_TYPE,
			   is_reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(reject, NFTNL_EXPR_REJECT_CODE,
			  is_reset ? 0 : NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

static void add_object(const struct builder *builder, uint32_t type, const char *name)
{
	struct nft_name room;
	struct nftnl_expr *reference = expression_add(builder, "objref");
	nftnl_expr_set_u32(reference, NFTNL_EXPR_OBJREF_IMM_TYPE, type);
	set_string(builder, reference, NFTNL_EXPR_OBJREF_IMM_NAME,
		   nft_name_of_object(builder->naming, &room, name));
}

static void build_counter(const struct builder *builder, const struct nft_statement *statement)
{
	add_object(builder, NFT_OBJECT_COUNTER, statement->name);
}

static void build_limit(const struct builder *builder, const struct nft_statement *statement)
{
	add_object(builder, NFT_OBJECT_LIMIT, statement->name);
}

static void build_helper(const struct builder *builder, const struct nft_statement *statement)
{
	add_object(builder, NFT_OBJECT_CT_HELPER, statement->name);
}

static void build_source_limit(const struct builder *builder, const struct nft_statement *statement)
{
	struct nft_name room;
	bool is_ipv6 = statement->family == FAMILY_IPV6;
	const struct nft_field_row *row = nft_field_row(is_ipv6 ? NFT_FIELD_IP6_SADDR : NFT_FIELD_IP_SADDR);
	add_load(builder, row, row->bytes, 0);
	if (is_ipv6) {
		uint8_t mask[16] = { 0 };
		memset(mask, 0xff, SOURCE_PREFIX_BYTES);
		add_mask(builder, mask, row->bytes, 0);
	}
	struct nftnl_expr *limit = expression_new(builder, "limit");
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, statement->limit->rate);
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, statement->limit->unit_s);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, statement->limit->burst);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, 0);
	struct nftnl_expr *update = expression_add(builder, "dynset");
	nftnl_expr_set_u32(update, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(update, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	set_string(builder, update, NFTNL_EXPR_DYNSET_SET_NAME,
		   nft_name_suffixed(builder->naming, &room, statement->set->name));
	nftnl_expr_add_expr(update, NFTNL_EXPR_DYNSET_EXPR, limit);
}

static void build_log(const struct builder *builder, const struct nft_statement *statement)
{
	struct nft_safe prefix = nft_safe(statement->log_prefix);
	struct nftnl_expr *log = expression_add(builder, "log");
	if (prefix.length != 0)
		set_string(builder, log, NFTNL_EXPR_LOG_PREFIX, prefix.bytes);
	if (statement->has_log_group)
		nftnl_expr_set_u16(log, NFTNL_EXPR_LOG_GROUP, statement->log_group);
}

static void build_notrack(const struct builder *builder, const struct nft_statement *statement)
{
	(void)statement;
	expression_add(builder, "notrack");
}

static void build_masquerade(const struct builder *builder, const struct nft_statement *statement)
{
	(void)statement;
	expression_add(builder, "masq");
}

static void add_immediate(const struct builder *builder, uint32_t reg, const void *bytes, uint32_t length)
{
	struct nftnl_expr *immediate = expression_add(builder, "immediate");
	nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_DREG, reg);
	set_bytes(builder, immediate, NFTNL_EXPR_IMM_DATA, bytes, length);
}

static void build_nat(const struct builder *builder, const struct nft_statement *statement)
{
	uint8_t bytes[16];
	bool is_ipv6 = statement->family == FAMILY_IPV6;
	const struct nft_field_row *row = nft_field_row(is_ipv6 ? NFT_FIELD_IP6_DADDR : NFT_FIELD_IP_DADDR);
	nft_key_value(bytes, row, &(struct nft_value){ .number = statement->address.value }, true);
	add_immediate(builder, NFT_REG_1, bytes, row->bytes);
	if (statement->port != 0) {
		const uint8_t port[2] = { (uint8_t)(statement->port >> 8), (uint8_t)statement->port };
		add_immediate(builder, NFT_REG_2, port, sizeof port);
	}
	struct nftnl_expr *nat = expression_add(builder, "nat");
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_TYPE, statement->kind == NFT_SNAT ? NFT_NAT_SNAT : NFT_NAT_DNAT);
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_FAMILY, is_ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (statement->port != 0) {
		nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
		nftnl_expr_set_u32(nat, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	}
}

/* --- rules ------------------------------------------------------------------------------------------ */

typedef void (*statement_builder)(const struct builder *builder, const struct nft_statement *statement);

static const statement_builder builders[] = {
	[NFT_MATCH] = build_match,
	[NFT_VMAP] = build_concatenation,
	[NFT_CONCAT_MATCH] = build_concatenation,
	[NFT_VERDICT] = build_verdict,
	[NFT_REJECT] = build_reject,
	[NFT_COUNTER] = build_counter,
	[NFT_LIMIT] = build_limit,
	[NFT_SOURCE_LIMIT] = build_source_limit,
	[NFT_LOG] = build_log,
	[NFT_NOTRACK] = build_notrack,
	[NFT_HELPER] = build_helper,
	[NFT_MASQUERADE] = build_masquerade,
	[NFT_SNAT] = build_nat,
	[NFT_DNAT] = build_nat,
};

static void build_statements(const struct builder *builder, const struct nft_rule *rule)
{
	struct nft_plan plan;
	nft_plan_rule(&plan, rule);
	for (size_t i = 0; i < plan.steps_count; i++) {
		const struct nft_statement *statement = plan.steps[i].statement;
		if (plan.steps[i].is_joined)
			build_joined(builder, statement, plan.steps[++i].statement);
		else if (plan.steps[i].part.bytes != 0)
			build_part(builder, statement, &plan.steps[i].part);
		else
			builders[statement->kind](builder, statement);
	}
}

struct nftnl_rule *nft_build_rule(const void *pool, const struct nft_naming *naming, const char *chain,
				  const struct nft_rule *rule)
{
	struct builder builder = { pool, naming, nftnl_rule_alloc() };
	if (builder.rule == NULL || nftnl_rule_set_str(builder.rule, NFTNL_RULE_TABLE, naming->table) != 0 ||
	    nftnl_rule_set_str(builder.rule, NFTNL_RULE_CHAIN, chain) != 0)
		pool_fail(pool, 0);
	nftnl_rule_set_u32(builder.rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	build_statements(&builder, rule);
	struct nft_userdata data = nft_userdata_comment(rule->comment);
	if (data.length != 0 &&
	    nftnl_rule_set_data(builder.rule, NFTNL_RULE_USERDATA, data.bytes, data.length) != 0)
		pool_fail(pool, data.length);
	return builder.rule;
}
