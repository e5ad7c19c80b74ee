/* Addresses, prefixes and address sets. */
#include <arpa/inet.h>
#include <string.h>

#include "base/pool.h"
#include "net/address.h"
#include "unit.h"

Suite *address_suite(void);

static bool parse(const char *text, struct address *address)
{
	return address_parse(text, strlen(text), address);
}

static const char *format(const struct address *address)
{
	struct text *out = text_new(unit_pool());
	address_format(out, address);
	return out->bytes;
}

START_TEST(addresses_are_read_and_written)
{
	static const char *const pairs[][2] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "10.0.0.1", "10.0.0.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "2001:DB8::A:0:0:1", "2001:db8::a:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "fe80::0001", "fe80::1" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct address address;
		ck_assert_msg(parse(pairs[i][0], &address), "%s", pairs[i][0]);
		ck_assert_str_eq(format(&address), pairs[i][1]);
	}
}
END_TEST

START_TEST(malformed_addresses_are_refused)
{
	static const char *const bad[] = {
		"",	      "1",	   "1.2.3",	"1.2.3.4.5", "010.0.0.1", "1.2.3.256",
		"1.2.3.-4",   " 1.2.3.4",  "1.2.3.4 ",	"1..2.3",    "0x1.2.3.4", "1.2.3.4/8",
		":",	      ":::",	   "1::2::3",	"1:2:3:4:5:6:7",	  "1:2:3:4:5:6:7:8:9",
		"12345::",    "fe80::1%1", "g::",	"::1.2.3",   "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
		"[::1]",      "1:",	   ":1",
		"0000:0000:0000:0000:0000:0000:0000:00000000000000000001",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct address address;
		ck_assert_msg(!parse(bad[i], &address), "'%s'", bad[i]);
	}
	struct address address;
	ck_assert(!address_parse("1.2.3.4\0", 8, &address));
	ck_assert(address_parse("1.2.3.45", 7, &address));
	ck_assert(address.value == 0x01020304);
}
END_TEST

static struct address random_address(void)
{
	if (unit_below(2) == 0)
		return (struct address){ FAMILY_IPV4, (uint32_t)unit_random() };
	number128 value = 0;
	for (unsigned group = 0; group < 8; group++)
		value = value << 16 | (unit_below(2) ? unit_random() & 0xffff : 0);
	return (struct address){ FAMILY_IPV6, value };
}

START_TEST(what_is_written_is_read_again)
{
	for (unsigned round = 0; round < 20000; round++) {
		struct address address = random_address(), again;
		const char *text = format(&address);
		ck_assert_msg(parse(text, &again), "%s", text);
		ck_assert(again.family == address.family && again.value == address.value);
		ck_assert_str_eq(format(&again), text);
	}
}
END_TEST

/* Words of all widths, many of them zero or all ones, so that every form comes up. */
static number128 random_words(void)
{
	number128 value = 0;
	for (unsigned word = 0; word < 8; word++) {
		unsigned kind = unit_below(4), any = (unsigned)(unit_random() & 0xffff) >> unit_below(16);
		value = value << 16 | (kind < 2 ? 0 : kind == 2 ? 0xffff : any);
	}
	return unit_below(4) == 0 ? value & (((number128)1 << 48) - 1) : value;
}

START_TEST(ipv6_is_written_as_the_c_library_writes_it)
{
	for (unsigned round = 0; round < 50000; round++) {
		struct address address = { FAMILY_IPV6, random_words() };
		unsigned char bytes[16];
		char expected[INET6_ADDRSTRLEN];
		for (unsigned i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)(address.value >> (120 - 8 * i));
		ck_assert_ptr_nonnull(inet_ntop(AF_INET6, bytes, expected, sizeof expected));
		ck_assert_str_eq(format(&address), expected);
	}
}
END_TEST

START_TEST(intervals_of_addresses_fit_their_room)
{
	for (unsigned round = 0; round < 20000; round++) {
		enum family family = unit_below(2) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
		number128 a = random_words() & family_highest(family), b = random_words() & family_highest(family);
		number128 block = family_highest(family) >> unit_below(family_bits(family));
		struct interval intervals[] = {
			{ a, a }, { a & ~block, a | block }, { a < b ? a : b, a < b ? b : a },
		};
		struct text *out = text_new(unit_pool());
		address_interval_format(out, family, &intervals[round % 3]);
		ck_assert_uint_le(out->length, address_interval_room(family, &intervals[round % 3]));
	}
}
END_TEST

START_TEST(prefixes_are_read_and_written)
{
	for (unsigned round = 0; round < 5000; round++) {
		struct address address = random_address();
		struct prefix prefix = { address.family, address.value, 0 }, again;
		prefix.length = unit_below(family_bits(prefix.family) + 1);
		struct text *out = text_new(unit_pool());
		prefix_format(out, &prefix);
		ck_assert(prefix_parse(out->bytes, out->length, &again));
		ck_assert(again.family == prefix.family && again.value == prefix.value &&
			  again.length == prefix.length);
		struct prefix network = prefix_network(&prefix);
		ck_assert(!prefix_has_host_bits(&network));
		ck_assert_int_eq(prefix_has_host_bits(&prefix), network.value != prefix.value);
		struct interval interval = prefix_interval(&prefix);
		unsigned length;
		ck_assert(interval.low == network.value);
		ck_assert(interval_is_prefix(prefix.family, &interval, &length));
		ck_assert_uint_eq(length, prefix.length);
	}
}
END_TEST

START_TEST(malformed_prefixes_are_refused)
{
	static const char *const bad[] = { "",		"/",	     "1.2.3.4",	  "1.2.3.4/",
					   "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/-1", "::/129",
					   "::/1000",	 "1.2.3/8",    "::/1 ",	  "::/+1" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct prefix prefix;
		ck_assert_msg(!prefix_parse(bad[i], strlen(bad[i]), &prefix), "'%s'", bad[i]);
	}
}
END_TEST

/* The prefixes stand end to end over the interval, and no two neighbours are halves of one. */
static void check_prefixes(enum family family, struct interval interval)
{
	struct prefix prefixes[254];
	size_t count = interval_to_prefixes(family, &interval, prefixes);
	number128 expected = interval.low;
	for (size_t i = 0; i < count; i++) {
		struct interval part = prefix_interval(&prefixes[i]);
		ck_assert(part.low == expected && !prefix_has_host_bits(&prefixes[i]));
		struct prefix above = prefixes[i];
		if (i > 0 && above.length == prefixes[i - 1].length) {
			above.length--;
			struct prefix before = prefixes[i - 1];
			before.length--;
			ck_assert(prefix_network(&above).value != prefix_network(&before).value);
		}
		expected = part.high + 1;
	}
	ck_assert(expected == interval.high + 1);
}

START_TEST(intervals_are_cut_into_prefixes)
{
	for (unsigned low = 0; low < 70; low++)
		for (unsigned high = low; high < 70; high++)
			check_prefixes(FAMILY_IPV4, (struct interval){ low, high });
	for (unsigned round = 0; round < 3000; round++) {
		struct address a = random_address(), b = random_address();
		if (a.family != b.family)
			continue;
		struct interval interval = a.value < b.value
			? (struct interval){ a.value, b.value }
			: (struct interval){ b.value, a.value };
		check_prefixes(a.family, interval);
	}
	check_prefixes(FAMILY_IPV6, (struct interval){ 0, ~(number128)0 });
	check_prefixes(FAMILY_IPV4, (struct interval){ 0, UINT32_MAX });
}
END_TEST

START_TEST(the_worst_interval_needs_254_prefixes)
{
	struct prefix prefixes[254];
	struct interval worst = { 1, ~(number128)0 - 1 }, worst4 = { 1, UINT32_MAX - 1 };
	ck_assert_uint_eq(interval_to_prefixes(FAMILY_IPV6, &worst, prefixes), 254);
	ck_assert_uint_eq(interval_to_prefixes(FAMILY_IPV4, &worst4, prefixes), 62);
}
END_TEST

static const char *format_interval(enum family family, number128 low, number128 high)
{
	struct text *out = text_new(unit_pool());
	address_interval_format(out, family, &(struct interval){ low, high });
	return out->bytes;
}

START_TEST(intervals_are_written_as_short_as_exact)
{
	ck_assert_str_eq(format_interval(FAMILY_IPV4, 0x0a000005, 0x0a000005), "10.0.0.5");
	ck_assert_str_eq(format_interval(FAMILY_IPV4, 0x0a000000, 0x0a0000ff), "10.0.0.0/24");
	ck_assert_str_eq(format_interval(FAMILY_IPV4, 0x0a000005, 0x0a000009), "10.0.0.5-10.0.0.9");
	ck_assert_str_eq(format_interval(FAMILY_IPV4, 1, 2), "0.0.0.1-0.0.0.2");
	ck_assert_str_eq(format_interval(FAMILY_IPV4, 0, UINT32_MAX), "0.0.0.0/0");
	ck_assert_str_eq(format_interval(FAMILY_IPV6, 0, ~(number128)0), "::/0");
	ck_assert_str_eq(format_interval(FAMILY_IPV6, 1, 3), "::1-::3");
}
END_TEST

START_TEST(sets_keep_the_families_apart)
{
	struct address_set all = address_set_all(unit_pool()), v4 = { 0 }, none = { 0 };
	struct prefix prefix = { FAMILY_IPV4, 0x0a000000, 8 };
	address_set_add_prefix(unit_pool(), &v4, &prefix);
	address_set_normalise(&v4);
	ck_assert(address_set_is_all(&all) && address_set_is_whole(&all, FAMILY_IPV6));
	ck_assert(address_set_is_empty(&none) && !address_set_is_empty(&v4));
	ck_assert_uint_eq(address_set_families(&v4), FAMILIES_IPV4);
	ck_assert_uint_eq(address_set_families(&all), FAMILIES_BOTH);
	struct address_set rest = address_set_subtract(unit_pool(), &all, &v4);
	ck_assert(!address_set_is_whole(&rest, FAMILY_IPV4));
	ck_assert(address_set_is_whole(&rest, FAMILY_IPV6));
	ck_assert(!address_set_overlaps(&rest, &v4) && address_set_includes(&all, &rest));
	struct address_set again = address_set_union(unit_pool(), &rest, &v4);
	ck_assert(address_set_equals(&again, &all));
	struct address_set common = address_set_intersect(unit_pool(), &all, &v4);
	ck_assert(address_set_equals(&common, &v4));
}
END_TEST

Suite *address_suite(void)
{
	Suite *suite = suite_create("address");
	TCase *test_case = unit_case(suite, "address");
	tcase_add_test(test_case, addresses_are_read_and_written);
	tcase_add_test(test_case, malformed_addresses_are_refused);
	tcase_add_test(test_case, what_is_written_is_read_again);
	tcase_add_test(test_case, ipv6_is_written_as_the_c_library_writes_it);
	tcase_add_test(test_case, intervals_of_addresses_fit_their_room);
	tcase_add_test(test_case, prefixes_are_read_and_written);
	tcase_add_test(test_case, malformed_prefixes_are_refused);
	tcase_add_test(test_case, intervals_are_cut_into_prefixes);
	tcase_add_test(test_case, the_worst_interval_needs_254_prefixes);
	tcase_add_test(test_case, intervals_are_written_as_short_as_exact);
	tcase_add_test(test_case, sets_keep_the_families_apart);
	return suite;
}
