/* Tables made by hand. A list of rules is written statement by statement: begin_rule, add, …,
 * end_rule; the helpers know one table under construction. */
#include "models.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/field.h"
#include "target/nft/nft.h"

struct maker {
	void *pool;
	struct nft_table *table;
	struct nft_chain *chain;
	struct nft_rule *rule;
	uint32_t source; /* number of a text in which rules and elements have places */
};

enum { INPUT = 1, FORWARD = 2, OUTPUT = 3, PREROUTING = 0, POSTROUTING = 4 };
#define ADDRESS4(a, b, c, d) ((number128)((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)))
#define ADDRESS6(high, low) ((number128)(high) << 64 | (low))
#define HIGHEST6 (~(number128)0)

/* --- chains and rules ------------------------------------------------------------------------- */

static struct nft_chain *begin_chain(struct maker *maker, const char *name)
{
	struct nft_chain *chain = pool_new(maker->pool, struct nft_chain);
	chain->name = name;
	*pool_append(maker->pool, maker->table, chains) = chain;
	maker->chain = chain;
	return chain;
}

static void begin_base(struct maker *maker, const char *name, const char *type, unsigned hook, int priority)
{
	struct nft_chain *chain = begin_chain(maker, name);
	chain->is_base = true;
	chain->type = type;
	chain->hook = hook;
	chain->priority = priority;
}

static void begin_rule(struct maker *maker)
{
	maker->rule = pool_append(maker->pool, maker->chain, rules);
	*maker->rule = (struct nft_rule){ .origin = SPAN_NONE };
}

static struct nft_statement *add(struct maker *maker, enum nft_statement_kind kind)
{
	struct nft_statement *statement = pool_append(maker->pool, maker->rule, statements);
	*statement = (struct nft_statement){ .kind = kind };
	return statement;
}

static struct nft_statement *match(struct maker *maker, enum nft_field field,
				   enum nft_operator operator, number128 low, number128 high)
{
	struct nft_statement *statement = add(maker, NFT_MATCH);
	statement->field = field;
	statement->operator = operator;
	statement->low.number = low;
	statement->high.number = high;
	return statement;
}

static void match_prefix(struct maker *maker, enum nft_field field, number128 low, unsigned length)
{
	match(maker, field, NFT_PREFIX, low, low)->length = (uint8_t)length;
}

static void match_name(struct maker *maker, enum nft_field field, enum nft_operator operator, const char *name)
{
	match(maker, field, operator, 0, 0)->low.name = name;
}

static void match_set(struct maker *maker, enum nft_field field, enum nft_operator operator,
		      const struct nft_set *set)
{
	match(maker, field, operator, 0, 0)->set = set;
}

static void match_port(struct maker *maker, enum nft_field field, uint8_t protocol, uint16_t low, uint16_t high)
{
	match(maker, field, NFT_RANGE, low, high)->protocol = protocol;
}

static void verdict(struct maker *maker, enum nft_verdict_kind kind, const char *chain)
{
	add(maker, NFT_VERDICT)->verdict = (struct nft_verdict){ kind, chain };
}

static void accept(struct maker *maker)
{
	verdict(maker, NFT_ACCEPT, NULL);
}

/* A rule of one match. */
static void one(struct maker *maker, enum nft_field field, enum nft_operator operator, number128 low,
		number128 high)
{
	begin_rule(maker);
	match(maker, field, operator, low, high);
	accept(maker);
}

/* --- sets --------------------------------------------------------------------------------------- */

static struct nft_set *begin_set(struct maker *maker, const char *name, size_t count, const enum nft_field *fields)
{
	enum nft_field *copy = pool_array(maker->pool, enum nft_field, count);
	memcpy(copy, fields, count * sizeof *fields);
	struct nft_set *set = pool_new(maker->pool, struct nft_set);
	*set = (struct nft_set){ .name = name, .fields = copy, .fields_count = count,
				 .origin = SPAN_NONE };
	*pool_append(maker->pool, maker->table, sets) = set;
	return set;
}

static struct nft_set *set_of(struct maker *maker, const char *name, enum nft_field field)
{
	return begin_set(maker, name, 1, &field);
}

static struct nft_element *element(struct maker *maker, struct nft_set *set)
{
	struct nft_element *added = pool_append(maker->pool, set, elements);
	*added = (struct nft_element){ .origin = SPAN_NONE };
	added->wide = pool_array(maker->pool, struct nft_value, 2 * NFT_KEY_FIELDS_MAX);
	return added;
}

static void goes(struct nft_element *added, enum nft_verdict_kind kind, const char *chain)
{
	added->verdict = kind;
	added->chain = chain;
}

static struct nft_element *plain(struct maker *maker, struct nft_set *set, number128 low, number128 high)
{
	struct nft_element *added = element(maker, set);
	nft_element_set(set, added, 0, low, high);
	return added;
}

static struct nft_element *mapped(struct maker *maker, struct nft_set *set, number128 low,
				  number128 high, enum nft_verdict_kind kind, const char *chain)
{
	struct nft_element *added = plain(maker, set, low, high);
	goes(added, kind, chain);
	set->is_verdict_map = true;
	set->is_interval = set->is_interval || low != high;
	return added;
}

static struct nft_statement *vmap(struct maker *maker, const struct nft_set *set, uint8_t protocol)
{
	begin_rule(maker);
	struct nft_statement *statement = add(maker, NFT_VMAP);
	statement->fields = set->fields;
	statement->fields_count = (uint8_t)set->fields_count;
	statement->protocol = protocol;
	statement->set = set;
	return statement;
}

/* --- models --------------------------------------------------------------------------------------- */

static void make_empty(struct maker *maker)
{
	(void)maker;
}

static void fields_meta(struct maker *maker)
{
	begin_rule(maker);
	match_name(maker, NFT_FIELD_IIFNAME, NFT_EQUAL, "eth0");
	match_name(maker, NFT_FIELD_OIFNAME, NFT_NOT_EQUAL, "fifteen.bytes.x");
	accept(maker);
	one(maker, NFT_FIELD_IIF, NFT_EQUAL, 0, 0);
	one(maker, NFT_FIELD_IIF, NFT_NOT_EQUAL, 0, 0);
	one(maker, NFT_FIELD_IIF, NFT_EQUAL, 1, 1);
	one(maker, NFT_FIELD_OIF, NFT_EQUAL, 1, 1);
	one(maker, NFT_FIELD_OIF, NFT_EQUAL, 0, 0);
	one(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, 2, 2);
	one(maker, NFT_FIELD_NFPROTO, NFT_NOT_EQUAL, 10, 10);
	one(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 6);
	one(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 47, 47);
	one(maker, NFT_FIELD_L4PROTO, NFT_NOT_EQUAL, 58, 58);
	one(maker, NFT_FIELD_L4PROTO, NFT_RANGE, 0, 5);
	one(maker, NFT_FIELD_L4PROTO, NFT_NOT_RANGE, 7, 16);
	one(maker, NFT_FIELD_META_DAY, NFT_EQUAL, 6, 6);
	one(maker, NFT_FIELD_META_DAY, NFT_RANGE, 1, 5);
	one(maker, NFT_FIELD_META_HOUR, NFT_RANGE, 0, 86399);
	one(maker, NFT_FIELD_META_HOUR, NFT_RANGE, 28800, 64799);
	one(maker, NFT_FIELD_META_TIME, NFT_LESS, 1900000000, 0);
	one(maker, NFT_FIELD_FIB_DADDR_TYPE, NFT_EQUAL, 2, 2);
	one(maker, NFT_FIELD_FIB_DADDR_TYPE, NFT_NOT_EQUAL, 5, 5);
}

static void fields_addresses(struct maker *maker)
{
	static const enum nft_field four[] = { NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR,
					       NFT_FIELD_CT_ORIGINAL_IP_DADDR };
	static const enum nft_field six[] = { NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR,
					      NFT_FIELD_CT_ORIGINAL_IP6_DADDR };
	for (size_t i = 0; i < sizeof four / sizeof four[0]; i++) {
		one(maker, four[i], NFT_EQUAL, ADDRESS4(10, 0, 0, 1), 0);
		one(maker, four[i], NFT_NOT_EQUAL, ADDRESS4(255, 255, 255, 255), 0);
		one(maker, four[i], NFT_RANGE, ADDRESS4(10, 0, 0, 1), ADDRESS4(10, 0, 1, 9));
		one(maker, four[i], NFT_NOT_RANGE, ADDRESS4(10, 0, 0, 1), ADDRESS4(10, 0, 1, 9));
		one(maker, six[i], NFT_EQUAL, 1, 0);
		one(maker, six[i], NFT_NOT_EQUAL, HIGHEST6, 0);
		one(maker, six[i], NFT_RANGE, 1, 9);
		one(maker, six[i], NFT_NOT_RANGE, 1, HIGHEST6 - 1);
		for (unsigned length = 1; length <= 32; length++) {
			begin_rule(maker);
			match_prefix(maker, four[i], ADDRESS4(128, 0, 0, 0), length);
			accept(maker);
		}
		for (unsigned length = 1; length <= 128; length += length % 8 == 1 ? 6 : 1) {
			begin_rule(maker);
			match_prefix(maker, six[i], (number128)1 << 127, length);
			accept(maker);
		}
	}
}

static void fields_transport(struct maker *maker)
{
	static const uint8_t protocols[] = { 0, 6, 17, 132, 33, 136 };
	for (size_t i = 0; i < sizeof protocols; i++) {
		begin_rule(maker);
		if (protocols[i] != 0)
			match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, protocols[i], 0);
		match_port(maker, NFT_FIELD_TH_DPORT, protocols[i], 80, 80);
		accept(maker);
		begin_rule(maker); /* the protocol is checked because the text says it */
		match_port(maker, NFT_FIELD_TH_SPORT, protocols[i], 1, 1024);
		accept(maker);
	}
	one(maker, NFT_FIELD_TCP_FLAGS, NFT_ANY_BIT, 4, 4);
	one(maker, NFT_FIELD_TCP_FLAGS, NFT_ANY_BIT, 0x3f, 0);
	one(maker, NFT_FIELD_TCP_FLAGS, NFT_EQUAL, 2, 2);
	begin_rule(maker);
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 6);
	match(maker, NFT_FIELD_TCP_FLAGS, NFT_ANY_BIT, 4, 4);
	accept(maker);
	one(maker, NFT_FIELD_ICMP_TYPE, NFT_EQUAL, 8, 8);
	one(maker, NFT_FIELD_ICMP_TYPE, NFT_RANGE, 3, 5);
	one(maker, NFT_FIELD_ICMP_TYPE, NFT_NOT_EQUAL, 200, 200);
	one(maker, NFT_FIELD_ICMP_CODE, NFT_EQUAL, 4, 4);
	one(maker, NFT_FIELD_ICMPV6_TYPE, NFT_RANGE, 133, 136);
	one(maker, NFT_FIELD_ICMPV6_TYPE, NFT_EQUAL, 143, 143);
	one(maker, NFT_FIELD_ICMPV6_CODE, NFT_EQUAL, 0, 0);
	one(maker, NFT_FIELD_IP6_HOPLIMIT, NFT_EQUAL, 255, 255);
	one(maker, NFT_FIELD_IP6_HOPLIMIT, NFT_NOT_EQUAL, 255, 255);
}

static void fields_conntrack(struct maker *maker)
{
	one(maker, NFT_FIELD_CT_STATE, NFT_ANY_BIT, NFT_STATE_ESTABLISHED | NFT_STATE_RELATED, 0);
	one(maker, NFT_FIELD_CT_STATE, NFT_ANY_BIT, NFT_STATE_INVALID, 0);
	one(maker, NFT_FIELD_CT_STATE, NFT_ANY_BIT, NFT_STATE_NEW | NFT_STATE_UNTRACKED, 0);
	one(maker, NFT_FIELD_CT_STATE, NFT_EQUAL, NFT_STATE_UNTRACKED, 0);
	one(maker, NFT_FIELD_CT_STATE, NFT_NOT_EQUAL, NFT_STATE_NEW, 0);
	one(maker, NFT_FIELD_CT_STATUS, NFT_ANY_BIT, 0x20, 0);
	one(maker, NFT_FIELD_CT_STATUS, NFT_ANY_BIT, 0x30, 0);
	begin_rule(maker);
	match_name(maker, NFT_FIELD_CT_HELPER, NFT_EQUAL, "ftp");
	accept(maker);
	begin_rule(maker);
	match_name(maker, NFT_FIELD_CT_HELPER, NFT_NOT_EQUAL, "sip");
	accept(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 6);
	match(maker, NFT_FIELD_CT_ORIGINAL_PROTO_DST, NFT_EQUAL, 443, 443);
	accept(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 17, 17);
	match(maker, NFT_FIELD_CT_ORIGINAL_PROTO_DST, NFT_RANGE, 1, 1024);
	accept(maker);
}

static void make_fields(struct maker *maker)
{
	begin_base(maker, "input", "filter", INPUT, 0);
	fields_meta(maker);
	fields_addresses(maker);
	fields_transport(maker);
	fields_conntrack(maker);
}

/* Checks that stand in the rule, that are implied, and halves that nft loads together. */
static void make_dependencies(struct maker *maker)
{
	begin_base(maker, "input", "filter", INPUT, -10);
	for (unsigned with_checks = 0; with_checks < 4; with_checks++) {
		for (unsigned kind = 0; kind < 5; kind++) {
			begin_rule(maker);
			if (with_checks & 1)
				match(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, kind == 1 || kind == 3 ? 10 : 2, 0);
			if (with_checks & 2)
				match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, kind == 2 ? 1 : kind == 3 ? 58 : 6, 0);
			if (kind == 0)
				match(maker, NFT_FIELD_IP_SADDR, NFT_EQUAL, ADDRESS4(1, 2, 3, 4), 0);
			if (kind == 1)
				match(maker, NFT_FIELD_IP6_DADDR, NFT_EQUAL, 5, 0);
			if (kind == 2)
				match(maker, NFT_FIELD_ICMP_TYPE, NFT_EQUAL, 8, 8);
			if (kind == 3)
				match(maker, NFT_FIELD_ICMPV6_TYPE, NFT_EQUAL, 128, 128);
			if (kind == 4)
				match_port(maker, NFT_FIELD_TH_DPORT, 6, 22, 22);
			accept(maker);
		}
	}
	begin_rule(maker); /* one check of the family for both */
	match(maker, NFT_FIELD_IP_SADDR, NFT_EQUAL, ADDRESS4(1, 1, 1, 1), 0);
	match_port(maker, NFT_FIELD_TH_DPORT, 6, 22, 22);
	match(maker, NFT_FIELD_IP_DADDR, NFT_EQUAL, ADDRESS4(2, 2, 2, 2), 0);
	accept(maker);
	begin_rule(maker); /* joined, the wrong way round, with another match between */
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 17, 0);
	match_port(maker, NFT_FIELD_TH_DPORT, 17, 53, 53);
	match(maker, NFT_FIELD_IP_SADDR, NFT_EQUAL, ADDRESS4(1, 1, 1, 1), 0);
	match_port(maker, NFT_FIELD_TH_SPORT, 17, 68, 68);
	accept(maker);
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_SPORT, 0, 68, 68);
	match_port(maker, NFT_FIELD_TH_DPORT, 0, 67, 67);
	accept(maker);
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_SPORT, 6, 1, 1024);
	match_port(maker, NFT_FIELD_TH_DPORT, 6, 67, 67);
	accept(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_ICMP_TYPE, NFT_EQUAL, 3, 3);
	match(maker, NFT_FIELD_ICMP_CODE, NFT_EQUAL, 4, 4);
	accept(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_ICMPV6_TYPE, NFT_EQUAL, 1, 1);
	match(maker, NFT_FIELD_ICMPV6_CODE, NFT_RANGE, 0, 5);
	accept(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_IP6_HOPLIMIT, NFT_EQUAL, 255, 255);
	match_prefix(maker, NFT_FIELD_IP6_SADDR, ADDRESS6(0xfe80000000000000u, 0), 10);
	match(maker, NFT_FIELD_ICMPV6_TYPE, NFT_RANGE, 133, 136);
	accept(maker);
	begin_rule(maker); /* the protocol is checked in front of everything */
	match(maker, NFT_FIELD_IP_SADDR, NFT_EQUAL, ADDRESS4(1, 1, 1, 1), 0);
	add(maker, NFT_REJECT)->reject = NFT_REJECT_TCP_RESET;
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_DPORT, 0, 25, 25);
	add(maker, NFT_REJECT)->reject = NFT_REJECT_TCP_RESET;
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_DPORT, 6, 25, 25);
	add(maker, NFT_REJECT)->reject = NFT_REJECT_TCP_RESET;
}

static void sets_of_addresses(struct maker *maker)
{
	struct nft_set *four = set_of(maker, "four", NFT_FIELD_IP_SADDR);
	four->comment = "a set's \"own\" $comment\n";
	struct interval_set *intervals = pool_new(maker->pool, struct interval_set);
	interval_set_add(maker->pool, intervals, 0, ADDRESS4(9, 255, 255, 255));
	interval_set_add(maker->pool, intervals, ADDRESS4(10, 0, 0, 9), ADDRESS4(10, 0, 0, 9));
	interval_set_add(maker->pool, intervals, ADDRESS4(10, 1, 0, 0), ADDRESS4(10, 1, 1, 255));
	interval_set_add(maker->pool, intervals, ADDRESS4(11, 1, 0, 3), ADDRESS4(11, 1, 1, 9));
	interval_set_add(maker->pool, intervals, ADDRESS4(224, 0, 0, 0), 0xffffffff);
	four->intervals = intervals;
	four->is_interval = true;
	struct nft_set *six = set_of(maker, "six", NFT_FIELD_IP6_SADDR);
	struct interval_set *wide = pool_new(maker->pool, struct interval_set);
	interval_set_add(maker->pool, wide, ADDRESS6(0xfe80000000000000u, 0),
			 ADDRESS6(0xfebfffffffffffffu, UINT64_MAX));
	interval_set_add(maker->pool, wide, ADDRESS6(0xff00000000000000u, 0), HIGHEST6);
	six->intervals = wide;
	six->is_interval = true;
	struct nft_set *whole = set_of(maker, "whole", NFT_FIELD_IP6_DADDR);
	plain(maker, whole, 0, HIGHEST6);
	whole->is_interval = true;
	struct nft_set *exact = set_of(maker, "exact", NFT_FIELD_IP_DADDR);
	plain(maker, exact, ADDRESS4(1, 2, 3, 4), ADDRESS4(1, 2, 3, 4))->comment = "one";
	plain(maker, exact, ADDRESS4(1, 2, 3, 5), ADDRESS4(1, 2, 3, 5));
	exact->size = 2;
	set_of(maker, "none", NFT_FIELD_IP6_DADDR)->is_interval = true;
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	match_set(maker, NFT_FIELD_IP_SADDR, NFT_IN_SET, four);
	match_set(maker, NFT_FIELD_IP_DADDR, NFT_NOT_IN_SET, exact);
	accept(maker);
	begin_rule(maker);
	match_set(maker, NFT_FIELD_IP6_SADDR, NFT_IN_SET, six);
	match_set(maker, NFT_FIELD_IP6_DADDR, NFT_NOT_IN_SET, whole);
	accept(maker);
	begin_rule(maker);
	match_set(maker, NFT_FIELD_CT_ORIGINAL_IP_DADDR, NFT_IN_SET, four);
	accept(maker);
}

/* A map of each field that can be a key, exact and with ranges. */
static void maps_of_fields(struct maker *maker)
{
	static const struct { enum nft_field field; number128 low, high; } keys[] = {
		{ NFT_FIELD_IIF, 0, 0 }, { NFT_FIELD_OIF, 0, 1 }, { NFT_FIELD_NFPROTO, 2, 10 },
		{ NFT_FIELD_L4PROTO, 6, 17 }, { NFT_FIELD_TH_SPORT, 1, 5 },
		{ NFT_FIELD_TH_DPORT, 1024, 65535 }, { NFT_FIELD_TCP_FLAGS, 2, 4 },
		{ NFT_FIELD_ICMP_TYPE, 3, 8 }, { NFT_FIELD_ICMP_CODE, 0, 3 },
		{ NFT_FIELD_ICMPV6_TYPE, 133, 136 }, { NFT_FIELD_ICMPV6_CODE, 0, 3 },
		{ NFT_FIELD_CT_STATE, 2, 8 }, { NFT_FIELD_CT_STATUS, 16, 32 },
		{ NFT_FIELD_FIB_DADDR_TYPE, 2, 5 }, { NFT_FIELD_IP_SADDR, 9, 11 },
		{ NFT_FIELD_IP6_DADDR, 9, 11 },
	};
	begin_base(maker, "output", "filter", OUTPUT, 0);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct nft_set *map = set_of(maker, pool_format(maker->pool, "m%zu", i), keys[i].field);
		mapped(maker, map, keys[i].low, keys[i].low, NFT_GOTO, "leaf")->comment = "low";
		if (keys[i].high != keys[i].low)
			mapped(maker, map, keys[i].high, keys[i].high, NFT_DROP, NULL);
		map->comment = "map";
		map->size = 2;
		vmap(maker, map, keys[i].field == NFT_FIELD_TH_DPORT ? 6 : 0);
	}
	struct nft_set *names = set_of(maker, "names", NFT_FIELD_OIFNAME);
	struct nft_element *name = mapped(maker, names, 0, 0, NFT_JUMP, "leaf");
	nft_element_set_name(names, name, "lo");
	vmap(maker, names, 0);
}

static void maps_of_intervals(struct maker *maker)
{
	static const enum nft_field fields[] = { NFT_FIELD_TH_DPORT, NFT_FIELD_L4PROTO, NFT_FIELD_ICMP_TYPE };
	begin_base(maker, "forward", "filter", FORWARD, 0);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct nft_set *map = set_of(maker, pool_format(maker->pool, "i%zu", i), fields[i]);
		number128 top = fields[i] == NFT_FIELD_TH_DPORT ? 65535 : 255;
		mapped(maker, map, 200, top, NFT_JUMP, "leaf")->comment = "to the end";
		mapped(maker, map, 2, 9, NFT_ACCEPT, NULL)->comment = "first";
		mapped(maker, map, 10, 10, NFT_DROP, NULL); /* side by side */
		mapped(maker, map, 11, 12, NFT_RETURN, NULL);
		vmap(maker, map, 0);
	}
	struct nft_set *shared = set_of(maker, "shared", NFT_FIELD_IP_SADDR);
	struct interval_set *intervals = pool_new(maker->pool, struct interval_set);
	interval_set_add(maker->pool, intervals, ADDRESS4(10, 0, 0, 0), ADDRESS4(10, 255, 255, 255));
	interval_set_add(maker->pool, intervals, ADDRESS4(12, 0, 0, 0), ADDRESS4(12, 0, 0, 5));
	shared->intervals = intervals;
	shared->is_interval = shared->is_verdict_map = true;
	shared->shared_verdict = (struct nft_verdict){ NFT_GOTO, "leaf" };
	vmap(maker, shared, 0);
}

static const enum nft_field four[] = { NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR };
static const enum nft_field six[] = { NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR };

/* A verdict by the leading bits of an address alone. */
static void maps_of_leading_bits(struct maker *maker)
{
	static const struct { enum nft_field field; unsigned length; } rows[] = {
		{ NFT_FIELD_IP_SADDR, 1 }, { NFT_FIELD_IP_SADDR, 20 }, { NFT_FIELD_IP_DADDR, 24 },
		{ NFT_FIELD_IP_DADDR, 31 }, { NFT_FIELD_IP6_SADDR, 64 }, { NFT_FIELD_IP6_DADDR, 57 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool is_ipv4 = rows[i].field == NFT_FIELD_IP_SADDR || rows[i].field == NFT_FIELD_IP_DADDR;
		number128 block = (number128)1 << ((is_ipv4 ? 32 : 128) - rows[i].length);
		struct nft_set *map = set_of(maker, pool_format(maker->pool, "leading_%zu", i), rows[i].field);
		mapped(maker, map, 0, 0, NFT_DROP, NULL);
		mapped(maker, map, block, block, NFT_GOTO, "leaf");
		map->size = 2;
		vmap(maker, map, 0)->leading[0] = (uint8_t)rows[i].length;
	}
}

/* The same of two addresses: of both, of the second alone, of none. */
static void maps_of_leading_pairs(struct maker *maker)
{
	static const uint8_t leading[][2] = { { 28, 20 }, { 0, 24 }, { 0, 0 }, { 9, 0 } };
	for (size_t i = 0; i < sizeof leading / sizeof leading[0]; i++)
		for (unsigned family = 0; family < 2; family++) {
			struct nft_set *set = begin_set(maker, pool_format(maker->pool, "pairs_%zu_%u", i, family),
							2, family == 0 ? four : six);
			set->is_verdict_map = true;
			set->size = 1;
			goes(element(maker, set), NFT_GOTO, "leaf");
			struct nft_statement *statement = vmap(maker, set, 0);
			statement->leading[0] = leading[i][0];
			statement->leading[1] = leading[i][1];
		}
}

static struct nft_set *parts_map(struct maker *maker, const char *name, size_t count,
				 const enum nft_field *fields, const uint8_t *leading)
{
	struct nft_set *map = begin_set(maker, name, count, fields);
	map->is_verdict_map = true;
	map->size = 2;
	for (unsigned which = 0; which < 2; which++) {
		struct nft_element *added = element(maker, map);
		goes(added, which == 0 ? NFT_GOTO : NFT_DROP, "leaf");
		added->comment = which == 0 ? "of parts" : NULL;
		for (size_t i = 0; i < count; i++) {
			number128 address = ADDRESS6(0x20010db800420000u + which, 0x00a1b2c3d4e5f607u);
			number128 kept = address & nft_mask(fields[i], leading[i]);
			nft_element_set(map, added, i, kept, kept);
		}
		if (which == 1) /* another value where the first bits are the same */
			nft_element_set(map, added, 0, nft_mask(fields[0], leading[0]),
					nft_mask(fields[0], leading[0]));
	}
	struct nft_statement *statement = vmap(maker, map, 0);
	for (size_t i = 0; i < count; i++)
		map->leading[i] = statement->leading[i] = leading[i];
	statement->is_of_family = fields[0] == NFT_FIELD_IP_SADDR; /* such maps are for these alone */
	return map;
}

/* A verdict by the words of an address's leading bits: one part, several, a short one, a masked one; behind a check
 * of the family that the rule has itself, too. */
static void maps_of_parts(struct maker *maker)
{
	static const uint8_t singles[] = { 8, 9, 16, 20, 32, 40, 48, 57, 64, 72, 80, 96, 127 };
	static const uint8_t pairs[][2] = { { 64, 64 }, { 48, 56 }, { 32, 20 }, { 16, 8 }, { 96, 32 } };
	for (size_t i = 0; i < sizeof singles; i++)
		parts_map(maker, pool_format(maker->pool, "parts_%u", singles[i]), 1, &six[i % 2], &singles[i]);
	parts_map(maker, "four_32_20", 2, four, pairs[2]);
	for (size_t i = 0; i < 5; i++)
		parts_map(maker, pool_format(maker->pool, "four_%u", singles[i]), 1, four, &singles[i]);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		parts_map(maker, pool_format(maker->pool, "parts_%u_%u", pairs[i][0], pairs[i][1]), 2, six,
			  pairs[i])->comment = "first bits of source and of destination";
	const struct nft_set *last = maker->table->sets[maker->table->sets_count - 1];
	begin_rule(maker);
	match(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, 10, 10);
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 6);
	struct nft_statement *statement = add(maker, NFT_VMAP);
	*statement = (struct nft_statement){
		.kind = NFT_VMAP, .fields = last->fields, .fields_count = 2, .leading = { 96, 32 }, .set = last,
	};
}

static struct nft_set *concatenation(struct maker *maker, const char *name,
				     const enum nft_field *fields, bool is_interval)
{
	const size_t count = NFT_RANGE_FIELDS_MAX;
	struct nft_set *set = begin_set(maker, name, count, fields);
	set->is_verdict_map = true;
	set->is_interval = is_interval;
	for (unsigned which = 0; which < 2; which++) {
		struct nft_element *added = element(maker, set);
		goes(added, which == 0 ? NFT_JUMP : NFT_DROP, "leaf");
		added->comment = which == 0 ? "both sides" : NULL;
		for (size_t i = 0; i < count; i++) {
			number128 low = fields[i] == NFT_FIELD_IIF ? 0 : which == 0 ? 2 : 8;
			nft_element_set(set, added, i, low, is_interval && i == count - 1 ? low + 3 : low);
			if (fields[i] == NFT_FIELD_IIFNAME || fields[i] == NFT_FIELD_OIFNAME)
				added->wide[i].name = added->wide[count + i].name = which == 0 ? "eth0" : "eth1";
		}
	}
	return set;
}

static void maps_of_concatenations(struct maker *maker)
{
	static const enum nft_field keys[][NFT_RANGE_FIELDS_MAX] = {
		{ NFT_FIELD_L4PROTO, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_TH_SPORT, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_IP_DADDR, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR },
		{ NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR },
		{ NFT_FIELD_L4PROTO, NFT_FIELD_IP6_DADDR },
		{ NFT_FIELD_NFPROTO, NFT_FIELD_L4PROTO },
		{ NFT_FIELD_FIB_DADDR_TYPE, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_IIFNAME, NFT_FIELD_OIFNAME },
		{ NFT_FIELD_IIFNAME, NFT_FIELD_IP_SADDR },
		{ NFT_FIELD_OIFNAME, NFT_FIELD_IP6_SADDR },
		{ NFT_FIELD_ICMP_TYPE, NFT_FIELD_ICMP_CODE },
		{ NFT_FIELD_ICMPV6_TYPE, NFT_FIELD_ICMPV6_CODE },
		{ NFT_FIELD_CT_STATE, NFT_FIELD_IP_SADDR }, { NFT_FIELD_IIF, NFT_FIELD_TH_DPORT },
	};
	begin_base(maker, "raw", "filter", FORWARD, -300);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const char *exact = pool_format(maker->pool, "exact%zu", i);
		const char *ranged = pool_format(maker->pool, "ranged%zu", i);
		vmap(maker, concatenation(maker, exact, keys[i], false), 0);
		if (keys[i][1] != NFT_FIELD_OIFNAME)
			vmap(maker, concatenation(maker, ranged, keys[i], true), 0);
	}
}

/* A verdict by four fields, of the addresses all bits or the leading ones. */
static void maps_of_four_fields(struct maker *maker)
{
	static const enum nft_field keys[][NFT_KEY_FIELDS_MAX] = {
		{ NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR, NFT_FIELD_L4PROTO, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR, NFT_FIELD_L4PROTO, NFT_FIELD_TH_DPORT },
	};
	/* the last two of IPv6 alone, in parts */
	static const uint8_t leading[][2] = { { 0, 0 }, { 28, 20 }, { 31, 0 }, { 64, 64 }, { 24, 56 } };
	const size_t forms = 3, parts = sizeof leading / sizeof leading[0] - forms;
	begin_base(maker, "raw", "filter", FORWARD, -300);
	for (size_t i = 0; i < forms * 2 + parts; i++) {
		const size_t form = i < forms * 2 ? i % forms : i - forms;
		const char *name = pool_format(maker->pool, "four%zu", i);
		struct nft_set *set = begin_set(maker, name, NFT_KEY_FIELDS_MAX, keys[i < forms ? 0 : 1]);
		set->is_verdict_map = true;
		set->size = 2;
		for (unsigned which = 0; which < 2; which++) {
			struct nft_element *added = element(maker, set);
			const unsigned width = i < forms ? 32 : 128;
			const number128 address = (number128)(which + 1) << (width - 20);
			const number128 values[] = { address, address, which == 0 ? 6 : 17, which == 0 ? 443 : 53 };
			for (size_t side = 0; side < NFT_KEY_FIELDS_MAX; side++)
				nft_element_set(set, added, side, values[side], values[side]);
			goes(added, which == 0 ? NFT_GOTO : NFT_DROP, which == 0 ? "leaf" : NULL);
			added->comment = which == 0 ? "four" : NULL;
		}
		struct nft_statement *statement = vmap(maker, set, 0);
		statement->leading[0] = leading[form][0];
		statement->leading[1] = leading[form][1];
		if (form >= forms)
			memcpy(set->leading, statement->leading, sizeof set->leading);
	}
}

/* A verdict by ranges of three fields: the first box is of single values in part, the second is whole sides. */
static void maps_of_boxes(struct maker *maker)
{
	static const enum nft_field keys[][3] = {
		{ NFT_FIELD_IP_DADDR, NFT_FIELD_IP_SADDR, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_TH_DPORT, NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR },
		{ NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR, NFT_FIELD_TH_DPORT },
		{ NFT_FIELD_IP6_DADDR, NFT_FIELD_TH_DPORT, NFT_FIELD_IP6_SADDR },
	};
	begin_base(maker, "raw", "filter", FORWARD, -300);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct nft_set *set = begin_set(maker, pool_format(maker->pool, "boxes%zu", i), 3, keys[i]);
		set->is_verdict_map = true;
		set->is_interval = true;
		for (unsigned which = 0; which < 2; which++) {
			struct nft_element *added = element(maker, set);
			for (size_t k = 0; k < 3; k++) {
				bool is_whole = which == 1 && k != 0;
				nft_element_set(set, added, k, is_whole ? 0 : which * 1000 + 80,
						is_whole ? nft_field_highest(keys[i][k])
							 : which * 1000 + 80 + k * 5);
			}
			goes(added, which == 0 ? NFT_JUMP : NFT_DROP, "leaf");
			added->comment = which == 0 ? "a box" : NULL;
		}
		vmap(maker, set, 0);
	}
}

static void matches_of_concatenations(struct maker *maker)
{
	static const enum nft_field pair[] = { NFT_FIELD_IP_SADDR, NFT_FIELD_TH_DPORT };
	struct nft_set *set = begin_set(maker, "pairs", 2, pair);
	struct nft_element *added = element(maker, set);
	nft_element_set(set, added, 0, ADDRESS4(10, 0, 0, 0), ADDRESS4(10, 0, 0, 255));
	nft_element_set(set, added, 1, 0, 65535);
	set->is_interval = true;
	for (unsigned negated = 0; negated < 2; negated++) {
		begin_rule(maker);
		struct nft_statement *statement = add(maker, NFT_CONCAT_MATCH);
		statement->fields = set->fields;
		statement->fields_count = 2;
		statement->set = set;
		statement->protocol = negated ? 17 : 0;
		statement->operator = negated ? NFT_NOT_IN_SET : NFT_IN_SET;
		accept(maker);
	}
}

static void make_sets(struct maker *maker)
{
	begin_chain(maker, "leaf")->comment = "where maps lead";
	begin_rule(maker);
	verdict(maker, NFT_DROP, NULL);
	sets_of_addresses(maker);
	maps_of_fields(maker);
	maps_of_intervals(maker);
	maps_of_leading_bits(maker);
	maps_of_leading_pairs(maker);
	maps_of_parts(maker);
	maps_of_concatenations(maker);
	maps_of_four_fields(maker);
	maps_of_boxes(maker);
	matches_of_concatenations(maker);
}

static void limits_and_counters(struct maker *maker)
{
	static const struct limit slow = { .rate = 6, .unit_s = 60, .burst = 5 };
	static const struct limit fast = { .rate = 1000, .unit_s = 1, .burst = 2000 };
	static const struct limit daily = { .rate = 1, .unit_s = 86400, .burst = 1 };
	struct nft_table *table = maker->table;
	*pool_append(maker->pool, table, counters) = (struct nft_counter){ "c_one", "counts" };
	*pool_append(maker->pool, table, counters) = (struct nft_counter){ "c_two.-x", NULL };
	*pool_append(maker->pool, table, limits) = (struct nft_limit){ "l_slow", &slow, "slow" };
	*pool_append(maker->pool, table, limits) = (struct nft_limit){ "l_fast", &fast, NULL };
	*pool_append(maker->pool, table, helpers) = (struct nft_helper){ "h_ftp", "ftp", 6 };
	*pool_append(maker->pool, table, helpers) = (struct nft_helper){ "h_tftp", "tftp", 17 };
	struct nft_set *sources[2] = { set_of(maker, "s4", NFT_FIELD_IP_SADDR),
				       set_of(maker, "s6", NFT_FIELD_IP6_SADDR) };
	begin_chain(maker, "limited")->comment = "a chain's comment";
	for (int i = 0; i < 2; i++) {
		sources[i]->is_dynamic = true;
		sources[i]->size = 65535;
		sources[i]->timeout_ms = i == 0 ? 60000 : 3600000;
		begin_rule(maker);
		struct nft_statement *statement = add(maker, NFT_SOURCE_LIMIT);
		statement->set = sources[i];
		statement->limit = i == 0 ? &slow : &daily;
		statement->family = i == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
		accept(maker);
	}
	begin_rule(maker);
	add(maker, NFT_COUNTER)->name = "c_one";
	add(maker, NFT_LIMIT)->name = "l_fast";
	accept(maker);
	maker->rule->comment = "counted and limited";
}

static void make_actions(struct maker *maker)
{
	limits_and_counters(maker);
	begin_rule(maker);
	match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 6);
	add(maker, NFT_HELPER)->name = "h_ftp";
	begin_rule(maker);
	struct nft_statement *log = add(maker, NFT_LOG);
	log->log_prefix = "fwc:x:deny: \"quoted\" \\ $home ";
	begin_rule(maker);
	log = add(maker, NFT_LOG);
	log->log_prefix = "0123456789012345678901234567890123456789012345678901234567890123456789"
			  "0123456789012345678901234567890123456789012345678901234567890123456789";
	log->has_log_group = true;
	log->log_group = 65535;
	verdict(maker, NFT_DROP, NULL);
	begin_rule(maker);
	add(maker, NFT_LOG)->has_log_group = true;
	begin_rule(maker);
	add(maker, NFT_REJECT)->reject = NFT_REJECT_ICMPX_ADMIN;
	maker->rule->comment = "é control\x01 tab\t \"quotes\" back\\slash $dollar and more than fits: "
			       "0123456789012345678901234567890123456789012345678901234567890123456789";
	begin_rule(maker);
	verdict(maker, NFT_RETURN, NULL);
	begin_base(maker, "raw_pre", "filter", PREROUTING, -300);
	begin_rule(maker);
	add(maker, NFT_NOTRACK);
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "limited");
	begin_rule(maker);
	verdict(maker, NFT_GOTO, "limited");
}

/* Counts every datagram to port 9. */
static void make_count(struct maker *maker)
{
	limits_and_counters(maker);
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_DPORT, 17, 9, 9);
	add(maker, NFT_COUNTER)->name = "c_one";
}

static void add_nat(struct maker *maker, enum nft_statement_kind kind, enum family family,
		    number128 address, uint16_t port)
{
	struct nft_statement *statement = add(maker, kind);
	statement->family = family;
	statement->address = (struct address){ family, address };
	statement->port = port;
}

static void make_nat(struct maker *maker)
{
	begin_base(maker, "nat_pre", "nat", PREROUTING, -100);
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		begin_rule(maker);
		match(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, family == FAMILY_IPV4 ? 2 : 10, 0);
		match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 0);
		match_port(maker, NFT_FIELD_TH_DPORT, 6, 8080, 8080);
		add_nat(maker, NFT_DNAT, family, 0x0a000001, 80);
		begin_rule(maker);
		match(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, family == FAMILY_IPV4 ? 2 : 10, 0);
		add_nat(maker, NFT_DNAT, family, 0x0a000001, 0);
	}
	begin_base(maker, "nat_post", "nat", POSTROUTING, 100);
	begin_rule(maker);
	match(maker, NFT_FIELD_NFPROTO, NFT_EQUAL, 2, 0);
	match_name(maker, NFT_FIELD_OIFNAME, NFT_EQUAL, "wan0");
	add(maker, NFT_MASQUERADE);
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		begin_rule(maker);
		match_name(maker, NFT_FIELD_OIFNAME, NFT_EQUAL, "a b's $x");
		add_nat(maker, NFT_SNAT, family, family == FAMILY_IPV4 ? 0x50010003 : 3, 0);
	}
}

/* --- what the kernel refuses ----------------------------------------------------------------------- */

static struct span place_in_text(const struct maker *maker, uint32_t begin)
{
	return (struct span){ maker->source, begin, begin + 5 };
}

static void make_bad_rule(struct maker *maker)
{
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	accept(maker);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "nowhere");
	maker->rule->origin = place_in_text(maker, 6); /* the second line */
}

static void make_bad_element(struct maker *maker)
{
	struct nft_set *map = set_of(maker, "ports", NFT_FIELD_TH_DPORT);
	mapped(maker, map, 1, 9, NFT_ACCEPT, NULL)->origin = place_in_text(maker, 0);
	mapped(maker, map, 20, 29, NFT_ACCEPT, NULL)->origin = place_in_text(maker, 0);
	mapped(maker, map, 25, 40, NFT_DROP, NULL)->origin = place_in_text(maker, 6);
	map->origin = place_in_text(maker, 12);
	begin_base(maker, "input", "filter", INPUT, 0);
	vmap(maker, map, 0);
}

static void make_loop(struct maker *maker)
{
	begin_chain(maker, "a");
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "b");
	begin_chain(maker, "b");
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "a");
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "a");
}

/* --- size -------------------------------------------------------------------------------------------- */

/* Rules like those of a linear list, in a chain behind the base chain. */
static void make_rules(struct maker *maker, size_t count)
{
	begin_chain(maker, "many");
	for (size_t i = 0; i < count; i++) {
		begin_rule(maker);
		match_prefix(maker, NFT_FIELD_IP_SADDR, ADDRESS4(10, 0, 0, 0) + (i & 0xffff) * 256, 24);
		match(maker, NFT_FIELD_IP_DADDR, NFT_EQUAL, ADDRESS4(172, 16, 0, 0) + (i >> 2), 0);
		match(maker, NFT_FIELD_L4PROTO, NFT_EQUAL, 6, 0);
		match_port(maker, NFT_FIELD_TH_DPORT, 6, (uint16_t)i, (uint16_t)i);
		verdict(maker, i % 2 ? NFT_ACCEPT : NFT_DROP, NULL);
		maker->rule->comment = pool_format(maker->pool, "policy.fw:%zu", i + 1);
	}
	begin_base(maker, "forward", "filter", FORWARD, 0);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "many");
	begin_rule(maker);
	verdict(maker, NFT_DROP, NULL);
}

/* The list in the base chain itself: what is switched over at once is long then. */
static void make_linear(struct maker *maker, size_t count)
{
	make_rules(maker, count);
	struct nft_chain *list = maker->table->chains[0], *base = maker->table->chains[1];
	base->rules = list->rules;
	base->rules_count = list->rules_count;
	list->rules_count = 0;
}

static void make_elements(struct maker *maker, size_t count)
{
	struct nft_set *set = set_of(maker, "blocked", NFT_FIELD_IP_SADDR);
	struct interval_set *intervals = pool_new(maker->pool, struct interval_set);
	for (size_t i = 0; i < count; i++)
		interval_set_add(maker->pool, intervals, i * 1024 + 256, i * 1024 + 511);
	set->intervals = intervals;
	set->is_interval = true;
	begin_base(maker, "forward", "filter", FORWARD, 0);
	begin_rule(maker);
	match_set(maker, NFT_FIELD_IP_SADDR, NFT_IN_SET, set);
	verdict(maker, NFT_DROP, NULL);
}

/* Both, with a map and a counter: what a staged load has to rename. */
static void make_both(struct maker *maker, size_t count)
{
	limits_and_counters(maker);
	make_elements(maker, count * 4);
	maker->table->chains[maker->table->chains_count - 1]->name = "early";
	maker->table->chains[maker->table->chains_count - 1]->priority = -20;
	struct nft_set *map = set_of(maker, "ports", NFT_FIELD_TH_DPORT);
	for (size_t i = 0; i < count && i < 20000; i++)
		mapped(maker, map, i * 3, i * 3 + 1, i % 2 ? NFT_ACCEPT : NFT_JUMP, "limited")->comment = "e";
	make_rules(maker, count);
	vmap(maker, map, 0);
}

/* Port 9 is closed by a set of ranges, port 10 open by a map, behind a list of any length: for loads
 * under traffic. If the set were empty, port 9 would be open; if the map were, port 10 closed. */
static void make_gate(struct maker *maker, size_t count)
{
	struct nft_set *closed = set_of(maker, "closed", NFT_FIELD_TH_DPORT);
	struct nft_set *open = set_of(maker, "open", NFT_FIELD_TH_DPORT);
	plain(maker, closed, 8, 9);
	closed->is_interval = true;
	mapped(maker, open, 10, 10, NFT_ACCEPT, NULL);
	make_rules(maker, count);
	begin_chain(maker, "gate");
	begin_rule(maker);
	match_set(maker, NFT_FIELD_TH_DPORT, NFT_IN_SET, closed);
	verdict(maker, NFT_DROP, NULL);
	vmap(maker, open, 0);
	begin_rule(maker);
	match_port(maker, NFT_FIELD_TH_DPORT, 17, 9, 9);
	accept(maker);
	begin_base(maker, "input", "filter", INPUT, 0);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "many");
	begin_rule(maker);
	verdict(maker, NFT_JUMP, "gate");
	begin_rule(maker);
	verdict(maker, NFT_DROP, NULL);
}

/* As many levels of chains as the lowering makes, with a set that makes a load take steps. */
static void make_deepest(struct maker *maker)
{
	const char *below = NULL;
	for (unsigned level = NFT_LEVELS_MAX; level > 1; level--) {
		begin_chain(maker, pool_format(maker->pool, "level_%u", level));
		begin_rule(maker);
		verdict(maker, below == NULL ? NFT_DROP : NFT_JUMP, below);
		below = maker->chain->name;
	}
	make_elements(maker, 4);
	begin_rule(maker);
	verdict(maker, NFT_JUMP, below);
}

static const struct {
	const char *name;
	void (*make)(struct maker *maker);
	void (*make_many)(struct maker *maker, size_t count);
} models[] = {
	{ "empty", make_empty, NULL },
	{ "fields", make_fields, NULL },
	{ "dependencies", make_dependencies, NULL },
	{ "sets", make_sets, NULL },
	{ "actions", make_actions, NULL },
	{ "nat", make_nat, NULL },
	{ "count", make_count, NULL },
	{ "bad-rule", make_bad_rule, NULL },
	{ "bad-element", make_bad_element, NULL },
	{ "loop", make_loop, NULL },
	{ "deepest", make_deepest, NULL },
	{ "rules:", NULL, make_rules },
	{ "elements:", NULL, make_elements },
	{ "both:", NULL, make_both },
	{ "linear:", NULL, make_linear },
	{ "gate:", NULL, make_gate },
};

const char *model_name(size_t index)
{
	return index < 7 ? models[index].name : index == 7 ? "places" : NULL;
}

struct nft_table *model_make(void *pool, struct sources *sources, const char *name)
{
	static const char text[] = "first\nsecond\nthird\n";
	if (strcmp(name, "places") == 0)
		return model_of_places(pool);
	if (strncmp(name, "random:", 7) == 0)
		return random_table(pool, sources, strtoul(name + 7, NULL, 10));
	for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
		size_t length = strlen(models[i].name);
		bool has_number = models[i].make_many != NULL;
		if (has_number ? strncmp(name, models[i].name, length) != 0
			       : strcmp(name, models[i].name) != 0)
			continue;
		struct maker maker = { .pool = pool, .table = pool_new(pool, struct nft_table) };
		maker.table->name = "fwc";
		maker.table->sources = sources;
		maker.source = sources_add(sources, "policy.fw", text, sizeof text - 1, false);
		if (has_number)
			models[i].make_many(&maker, strtoul(name + length, NULL, 10));
		else
			models[i].make(&maker);
		return maker.table;
	}
	return NULL;
}
