/* The nft writers' laws that need no kernel: safe text, values, the plan of a rule, bytecode.
 * What the kernel makes of them is tests/kernel. */
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/batch/elements.h"
#include "target/nft/load/kept_hash.h"
#include "target/nft/model/key.h"
#include "target/nft/nft.h"
#include "target/nft/model/plan.h"
#include "target/nft/load/replace.h"
#include "target/nft/model/safe.h"
#include "target/nft/text/rule.h"
#include "target/nft/text/value.h"
#include "unit.h"

/* --- safe text ------------------------------------------------------------------------------ */

START_TEST(safe_text_has_no_meaning_to_nft)
{
	for (int round = 0; round < 20000; round++) {
		char bytes[300];
		size_t length = unit_below(sizeof bytes);
		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)(1 + unit_below(255));
		bytes[length] = '\0';
		struct nft_safe safe = nft_safe(bytes);
		ck_assert_uint_le(safe.length, NFT_SAFE_MAX);
		ck_assert_uint_eq(safe.length, strlen(safe.bytes));
		for (size_t i = 0; i < safe.length; i++)
			ck_assert(safe.bytes[i] >= ' ' && safe.bytes[i] < 0x7f &&
				  strchr("\"\\$", safe.bytes[i]) == NULL);
		ck_assert_str_eq(nft_safe(safe.bytes).bytes, safe.bytes);
	}
}
END_TEST

START_TEST(safe_text_keeps_what_it_can)
{
	ck_assert_str_eq(nft_safe("policy.fw:12").bytes, "policy.fw:12");
	ck_assert_str_eq(nft_safe("a \"b\" c:\\d $e").bytes, "a 'b' c:/d ?e");
	ck_assert_str_eq(nft_safe("t\xc3\xa9l\xc3\xa9\n").bytes, "t?l??");
	ck_assert_str_eq(nft_safe("\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5").bytes, "??");
	ck_assert_str_eq(nft_safe("\xa9\xa9").bytes, "?"); /* no character begins here */
	ck_assert_uint_eq(nft_safe(NULL).length, 0);
}
END_TEST

START_TEST(names_that_nft_cannot_write_are_known)
{
	ck_assert(nft_is_safe_interface("eth0.7") && nft_is_safe_interface("a b's $x"));
	ck_assert(!nft_is_safe_interface("") && !nft_is_safe_interface("sixteen.bytes.xx"));
	ck_assert(!nft_is_safe_interface("eth*") && !nft_is_safe_interface("a\"b"));
	ck_assert(!nft_is_safe_interface("a\\b") && !nft_is_safe_interface("caf\xc3\xa9"));
	ck_assert(nft_is_safe_name("fwc") && nft_is_safe_name("_a.b-c") && !nft_is_safe_name("1a"));
	ck_assert(!nft_is_safe_name("") && !nft_is_safe_name("a b") && !nft_is_safe_name("a;"));
}
END_TEST

/* --- values ----------------------------------------------------------------------------------- */

static const char *interval_text(enum nft_field field, struct interval interval)
{
	struct text *out = text_new(unit_pool());
	nft_text_interval(out, field, &(struct nft_value){ .number = interval.low },
			  &(struct nft_value){ .number = interval.high });
	return out->bytes;
}

static void check_interval(enum nft_field field, enum family family, number128 low, number128 high)
{
	struct interval interval = { low, high };
	struct text *expected = text_new(unit_pool());
	address_interval_format(expected, family, &interval);
	ck_assert_str_eq(interval_text(field, interval), expected->bytes);
}

START_TEST(addresses_are_printed_as_net_prints_them)
{
	for (int round = 0; round < 20000; round++) {
		number128 low = (uint32_t)unit_random(), high = (uint32_t)unit_random();
		if (unit_below(2))
			high = low | (((number128)1 << unit_below(33)) - 1);
		if (unit_below(2))
			low &= ~(((number128)1 << unit_below(33)) - 1);
		check_interval(NFT_FIELD_IP_SADDR, FAMILY_IPV4, low < high ? low : high, low < high ? high : low);
	}
	for (int round = 0; round < 2000; round++) {
		number128 low = (number128)unit_random() << unit_below(65);
		number128 high = low | (((number128)1 << unit_below(128)) - 1);
		check_interval(NFT_FIELD_IP6_DADDR, FAMILY_IPV6, low, high);
	}
}
END_TEST

START_TEST(values_have_nft_s_names)
{
	ck_assert_str_eq(interval_text(NFT_FIELD_L4PROTO, (struct interval){ 6, 6 }), "tcp");
	ck_assert_str_eq(interval_text(NFT_FIELD_L4PROTO, (struct interval){ 6, 17 }), "6-17");
	ck_assert_str_eq(interval_text(NFT_FIELD_L4PROTO, (struct interval){ 89, 89 }), "89");
	ck_assert_str_eq(interval_text(NFT_FIELD_NFPROTO, (struct interval){ 10, 10 }), "ipv6");
	ck_assert_str_eq(interval_text(NFT_FIELD_CT_STATE, (struct interval){ 6, 6 }), "established,related");
	ck_assert_str_eq(interval_text(NFT_FIELD_CT_STATE, (struct interval){ 0, 0 }), "0");
	ck_assert_str_eq(interval_text(NFT_FIELD_CT_STATUS, (struct interval){ 0x1020, 0x1020 }), "dnat,4096");
	ck_assert_str_eq(interval_text(NFT_FIELD_TH_DPORT, (struct interval){ 0, 65535 }), "0-65535");
}
END_TEST

START_TEST(keys_are_in_the_kernel_s_order)
{
	uint8_t bytes[16];
	nft_key_value(bytes, nft_field_row(NFT_FIELD_TH_DPORT), &(struct nft_value){ .number = 0x1234 }, false);
	ck_assert_mem_eq(bytes, "\x12\x34", 2);
	nft_key_value(bytes, nft_field_row(NFT_FIELD_CT_STATE), &(struct nft_value){ .number = 8 }, false);
	ck_assert_mem_eq(bytes, &(uint32_t){ 8 }, 4);
	nft_key_value(bytes, nft_field_row(NFT_FIELD_CT_STATE), &(struct nft_value){ .number = 8 }, true);
	ck_assert_mem_eq(bytes, "\0\0\0\x08", 4);
	nft_key_value(bytes, nft_field_row(NFT_FIELD_META_TIME), &(struct nft_value){ .number = 1700000000 }, true);
	ck_assert_mem_eq(bytes, "\x17\x97\x9c\xfe\x36\x2a\x00\x00", 8);
	nft_key_value(bytes, nft_field_row(NFT_FIELD_IIFNAME), &(struct nft_value){ .name = "eth0" }, false);
	ck_assert_mem_eq(bytes, "eth0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}
END_TEST

START_TEST(every_field_has_a_row)
{
#define X(name, bits)                                                                             \
	ck_assert_ptr_nonnull(nft_field_row(NFT_FIELD_##name)->text);                             \
	ck_assert_uint_ge(nft_field_row(NFT_FIELD_##name)->bytes * 8, bits);
	NFT_FIELDS(X)
#undef X
}
END_TEST

/* --- rules ------------------------------------------------------------------------------------- */

static struct nft_statement match(enum nft_field field, unsigned value, uint8_t protocol)
{
	return (struct nft_statement){ .kind = NFT_MATCH, .field = field, .protocol = protocol,
				       .operator = NFT_EQUAL, .low.number = value, .high.number = value };
}

static const char *rule_text(struct nft_statement *statements, size_t count)
{
	struct nft_rule rule = { .statements = statements, .statements_count = count };
	struct text *out = text_new(unit_pool());
	nft_text_rule(out, &rule);
	return out->bytes;
}

#define RULE_TEXT(...)                                                                            \
	rule_text((struct nft_statement[]){ __VA_ARGS__ },                                        \
		  sizeof((struct nft_statement[]){ __VA_ARGS__ }) / sizeof(struct nft_statement))

START_TEST(text_leaves_out_what_it_implies)
{
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_L4PROTO, 6, 0), match(NFT_FIELD_TH_DPORT, 22, 6)),
			 "tcp dport 22");
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_NFPROTO, 2, 0), match(NFT_FIELD_IP_SADDR, 1, 0)),
			 "ip saddr 0.0.0.1");
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_NFPROTO, 2, 0), match(NFT_FIELD_L4PROTO, 1, 0),
				   match(NFT_FIELD_ICMP_TYPE, 8, 0)),
			 "icmp type echo-request");
}
END_TEST

START_TEST(text_says_what_it_does_not_imply)
{
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_L4PROTO, 17, 0), match(NFT_FIELD_TH_DPORT, 22, 0)),
			 "meta l4proto udp th dport 22");
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_NFPROTO, 10, 0), match(NFT_FIELD_TH_DPORT, 22, 6)),
			 "meta nfproto ipv6 tcp dport 22");
	/* without the family: the text would check it */
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_L4PROTO, 1, 0), match(NFT_FIELD_ICMP_TYPE, 8, 0)),
			 "meta l4proto icmp icmp type echo-request");
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_L4PROTO, 6, 0), match(NFT_FIELD_IP_SADDR, 1, 0),
				   match(NFT_FIELD_TH_DPORT, 22, 6)),
			 "meta l4proto tcp ip saddr 0.0.0.1 tcp dport 22");
}
END_TEST

START_TEST(halves_stand_together)
{
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_TH_DPORT, 2, 6), match(NFT_FIELD_IIF, 0, 0),
				   match(NFT_FIELD_TH_SPORT, 1, 6)),
			 "iif 0 tcp sport 1 tcp dport 2");
	ck_assert_str_eq(RULE_TEXT(match(NFT_FIELD_ICMP_TYPE, 3, 0), match(NFT_FIELD_IIF, 0, 0),
				   match(NFT_FIELD_ICMP_CODE, 4, 0)),
			 "icmp type destination-unreachable icmp code 4 iif 0");
}
END_TEST

START_TEST(bytecode_needs_no_kernel)
{
	void *pool = unit_pool();
	struct nft_statement statements[] = {
		match(NFT_FIELD_IP_SADDR, 0x0a000001, 0),
		{ .kind = NFT_VERDICT, .verdict = { NFT_GOTO, "leaf" } },
	};
	struct nft_rule rule = { .statements = statements, .statements_count = 2 };
	struct nft_chain chain = { .name = "input", .rules = &rule, .rules_count = 1 }, *chains = &chain;
	struct nft_table table = { .name = "fwc", .chains = &chains, .chains_count = 1 };
	struct text *out = text_new(pool);
	nft_bytecode(out, &table);
	ck_assert_str_eq(out->bytes, "inet fwc input\n"
				     "  [ meta load nfproto => reg 1 ]\n"
				     "  [ cmp eq reg 1 0x00000002 ]\n"
				     "  [ payload load 4b @ network header + 12 => reg 1 ]\n"
				     "  [ cmp eq reg 1 0x0100000a ]\n"
				     "  [ immediate reg 0 goto -> leaf ]\n\n");
}
END_TEST

/* --- messages ----------------------------------------------------------------------------------- */

static const char set_name[] = "s";

static struct nft_batch *batch_of(const struct interval_set *intervals, size_t message_max)
{
	static const enum nft_field field = NFT_FIELD_IP_SADDR;
	struct nft_set set = { .name = set_name, .fields = &field, .fields_count = 1,
			       .is_interval = true, .intervals = intervals };
	struct nft_naming naming = { .table = "fwc", .suffix = "" };
	struct nft_batch *batch = nft_batch_new(unit_pool());
	nft_add_elements(batch, &naming, &set, message_max);
	return batch;
}

START_TEST(long_sets_are_split)
{
	struct interval_set intervals = { 0 };
	for (unsigned i = 0; i < 5000; i++)
		interval_set_add(unit_pool(), &intervals, i * 8 + 1, i * 8 + 3);
	struct nft_batch *batch = batch_of(&intervals, 0);
	ck_assert_uint_gt(batch->messages_count, 2);
	size_t bytes = 0;
	for (size_t i = 0; i < batch->messages_count; i++) {
		ck_assert_uint_lt(batch->messages[i].header->nlmsg_len, 65536);
		ck_assert_uint_eq(batch->messages[i].header->nlmsg_seq, i + 1);
		bytes += nft_message_bytes(&batch->messages[i]);
	}
	ck_assert_uint_eq(bytes, batch->bytes);
	ck_assert_uint_eq(bytes, nft_batch_bytes(batch, 0, batch->messages_count));
	/* 16 bytes a start, 24 an end; the heads of messages are a few */
	ck_assert_uint_lt(bytes, 5000 * 40 + 1000);
	ck_assert_uint_lt(batch_of(&intervals, 4096)->messages[0].header->nlmsg_len, 4096 + 1024);
}
END_TEST

START_TEST(offsets_lead_to_elements)
{
	struct interval_set intervals = { 0 };
	for (unsigned i = 0; i < 100; i++)
		interval_set_add(unit_pool(), &intervals, i * 8 + 1, i * 8 + 3);
	const struct nlmsghdr *header = batch_of(&intervals, 0)->messages[0].header;
	ck_assert_uint_eq(nft_element_at(header, 0), 0);
	ck_assert_uint_eq(nft_element_at(header, header->nlmsg_len), 99);
	/* from the back: an end of 24 bytes, a start of 16 */
	ck_assert_uint_eq(nft_element_at(header, header->nlmsg_len - 24), 99);
	ck_assert_uint_eq(nft_element_at(header, header->nlmsg_len - 40), 99);
	ck_assert_uint_eq(nft_element_at(header, header->nlmsg_len - 41), 98);
	ck_assert_uint_eq(nft_element_at(header, header->nlmsg_len - 64), 98);
}
END_TEST

/* --- hashes ------------------------------------------------------------------------------------- */

/* Two chains of two rules, and a set of 20 intervals. */
struct hashed {
	struct nft_statement verdicts[2];
	struct nft_rule rules[2][2];
	struct nft_chain chains[2], *order[2];
	struct interval_set intervals;
	enum nft_field field;
	struct nft_set set, *sets[1];
	struct nft_table table;
};

static struct hashed *hashed_new(void)
{
	struct hashed *hashed = pool_new(unit_pool(), struct hashed);
	hashed->verdicts[0] = (struct nft_statement){ .kind = NFT_VERDICT, .verdict = { .kind = NFT_ACCEPT } };
	hashed->verdicts[1] = (struct nft_statement){ .kind = NFT_VERDICT, .verdict = { .kind = NFT_DROP } };
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++)
			hashed->rules[i][k] = (struct nft_rule){ .statements = &hashed->verdicts[k],
								 .statements_count = 1 };
		hashed->chains[i] = (struct nft_chain){ .name = i == 0 ? "one" : "two", .rules = hashed->rules[i],
							.rules_count = 2 };
		hashed->order[i] = &hashed->chains[i];
	}
	for (unsigned i = 0; i < 20; i++)
		interval_set_add(unit_pool(), &hashed->intervals, i * 8 + 1, i * 8 + 3);
	hashed->field = NFT_FIELD_IP_SADDR;
	hashed->set = (struct nft_set){ .name = set_name, .fields = &hashed->field, .fields_count = 1,
					.is_interval = true, .intervals = &hashed->intervals };
	hashed->sets[0] = &hashed->set;
	hashed->table = (struct nft_table){ .name = "fwc", .chains = hashed->order, .chains_count = 2,
					    .sets = hashed->sets, .sets_count = 1 };
	return hashed;
}

static struct kept_hash_result hash_of(const struct hashed *hashed, size_t elements_most)
{
	const struct nft_batch *batch = nft_replace_direct(unit_pool(), &hashed->table,
							   nft_kernel_nothing(unit_pool(), "fwc"), false);
	struct kept_hash *hash = kept_hash_new(unit_pool(), "fwc", false, elements_most);
	for (size_t i = 0; i < batch->messages_count; i++)
		kept_hash_message(hash, batch->messages[i].header);
	return kept_hash_finish(hash);
}

START_TEST(hashes_tell_tables_apart)
{
	const struct kept_hash_result plain = hash_of(hashed_new(), 0);
	struct hashed *other = hashed_new();
	other->order[0] = &other->chains[1];
	other->order[1] = &other->chains[0];
	ck_assert_str_eq(hash_of(other, 0).whole, plain.whole); /* the order of chains means nothing */
	ck_assert_str_eq(plain.glance, plain.whole);
	other = hashed_new();
	other->rules[1][0].statements = &other->verdicts[1];
	other->rules[1][1].statements = &other->verdicts[0];
	ck_assert_str_ne(hash_of(other, 0).whole, plain.whole); /* that of rules does */
	other = hashed_new();
	other->chains[0].rules_count = 1;
	ck_assert_str_ne(hash_of(other, 0).whole, plain.whole);
	other = hashed_new();
	other->chains[0].name = "three";
	ck_assert_str_ne(hash_of(other, 0).whole, plain.whole);
	other = hashed_new();
	other->intervals.items[7].high++;
	ck_assert_str_ne(hash_of(other, 0).whole, plain.whole);
}
END_TEST

START_TEST(glances_count_elements_of_large_sets)
{
	const struct kept_hash_result plain = hash_of(hashed_new(), 19);
	struct hashed *other = hashed_new();
	ck_assert(!plain.is_glance_whole);
	ck_assert_str_ne(plain.glance, plain.whole);
	ck_assert_str_eq(plain.whole, hash_of(hashed_new(), 0).whole);
	other->intervals.items[7].high++;
	ck_assert_str_eq(hash_of(other, 19).glance, plain.glance);
	ck_assert_str_ne(hash_of(other, 19).whole, plain.whole);
	other->intervals.items_count--;
	ck_assert_str_ne(hash_of(other, 18).glance, plain.glance);
	ck_assert(hash_of(other, 19).is_glance_whole);
}
END_TEST

static Suite *nft_suite(void)
{
	Suite *suite = suite_create("nft");
	TCase *safe = unit_case(suite, "safe");
	tcase_add_test(safe, safe_text_has_no_meaning_to_nft);
	tcase_add_test(safe, safe_text_keeps_what_it_can);
	tcase_add_test(safe, names_that_nft_cannot_write_are_known);
	TCase *values = unit_case(suite, "values");
	tcase_add_test(values, addresses_are_printed_as_net_prints_them);
	tcase_add_test(values, values_have_nft_s_names);
	tcase_add_test(values, keys_are_in_the_kernel_s_order);
	tcase_add_test(values, every_field_has_a_row);
	TCase *rules = unit_case(suite, "rules");
	tcase_add_test(rules, text_leaves_out_what_it_implies);
	tcase_add_test(rules, text_says_what_it_does_not_imply);
	tcase_add_test(rules, halves_stand_together);
	tcase_add_test(rules, bytecode_needs_no_kernel);
	TCase *messages = unit_case(suite, "messages");
	tcase_add_test(messages, long_sets_are_split);
	tcase_add_test(messages, offsets_lead_to_elements);
	TCase *hashes = unit_case(suite, "hashes");
	tcase_add_test(hashes, hashes_tell_tables_apart);
	tcase_add_test(hashes, glances_count_elements_of_large_sets);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { nft_suite, NULL };
	return unit_run(suites);
}
