/* Addresses, intervals, tuples, protocols: the program of the room `net`. */
#include <string.h>

#include "net/protocol.h"
#include "unit.h"

Suite *address_suite(void);
Suite *interval_suite(void);
Suite *tuple_suite(void);

static bool find(const char *name, uint8_t *protocol)
{
	return protocol_find(name, strlen(name), protocol);
}

START_TEST(protocols_have_names)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = {
		{ "tcp", 6 },	{ "TCP", 6 },	    { "udp", 17 },    { "icmp", 1 },
		{ "icmp6", 58 }, { "ipv6-icmp", 58 }, { "gre", 47 },    { "esp", 50 },
		{ "ah", 51 },	{ "ospf", 89 },	    { "3pc", 34 },    { "xtp", 36 },
		{ "sctp", 132 }, { "udplite", 136 },  { "hopopt", 0 },  { "vrrp", 112 },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uint8_t number = 255;
		ck_assert_msg(find(known[i].name, &number), "%s", known[i].name);
		ck_assert_uint_eq(number, known[i].number);
	}
}
END_TEST

START_TEST(unknown_protocols_are_not_found)
{
	uint8_t number;
	ck_assert(!find("", &number));
	ck_assert(!find("tc", &number));
	ck_assert(!find("tcpx", &number));
	ck_assert(!find("ip", &number)); /* no protocol of its own in a literal */
	ck_assert(!find("zzz", &number));
	ck_assert(!protocol_find("tcp\0", 4, &number));
	ck_assert_ptr_null(protocol_name(253));
	ck_assert_ptr_null(protocol_name(255));
}
END_TEST

START_TEST(names_of_protocols_are_found_again)
{
	unsigned named = 0;
	for (unsigned number = 0; number < 256; number++) {
		const char *name = protocol_name((uint8_t)number);
		uint8_t again;
		if (name == NULL)
			continue;
		named++;
		ck_assert_msg(find(name, &again) && again == number, "%s", name);
	}
	ck_assert_uint_ge(named, 140);
	ck_assert_str_eq(protocol_name(58), "icmp6");
}
END_TEST

START_TEST(some_protocols_have_ports)
{
	unsigned with_ports = 0;
	for (unsigned number = 0; number <= 256; number++)
		with_ports += protocol_has_ports(number);
	ck_assert_uint_eq(with_ports, 5);
	ck_assert(protocol_has_ports(PROTOCOL_SCTP) && !protocol_has_ports(PROTOCOL_ICMP));
}
END_TEST

START_TEST(icmp_tables_are_sorted_and_found)
{
	unsigned protocol = _i == 0 ? PROTOCOL_ICMP : PROTOCOL_ICMP6;
	for (size_t i = 0; i < icmp_name_count(protocol); i++) {
		const struct icmp_name *name = icmp_name_at(protocol, i);
		if (i > 0)
			ck_assert_str_gt(name->name, icmp_name_at(protocol, i - 1)->name);
		ck_assert_ptr_eq(icmp_find(protocol, name->name, strlen(name->name)), name);
		ck_assert_ptr_eq(icmp_find(_i == 0 ? 4 : 6, name->name, strlen(name->name)), name);
		const char *usual = icmp_type_name(protocol, name->type);
		ck_assert_ptr_nonnull(usual);
		ck_assert_int_eq(icmp_find(protocol, usual, strlen(usual))->code, -1);
		ck_assert_int_eq(icmp_find(protocol, usual, strlen(usual))->type, name->type);
	}
}
END_TEST

START_TEST(icmp_families_do_not_mix)
{
	ck_assert_int_eq(icmp_find(1, "echo-request", 12)->type, 8);
	ck_assert_int_eq(icmp_find(58, "Echo-Request", 12)->type, 128);
	ck_assert_ptr_null(icmp_find(1, "packet-too-big", 14));
	ck_assert_ptr_null(icmp_find(58, "source-quench", 13));
	ck_assert_int_eq(icmp_find(1, "frag-needed", 11)->code, 4);
	ck_assert_str_eq(icmp_type_name(58, 135), "nd-neighbor-solicit");
	ck_assert_str_eq(icmp_type_name(58, 132), "mld-listener-done");
	ck_assert_ptr_null(icmp_type_name(1, 255));
}
END_TEST

static Suite *protocol_suite(void)
{
	Suite *suite = suite_create("protocol");
	TCase *test_case = unit_case(suite, "protocol");
	tcase_add_test(test_case, protocols_have_names);
	tcase_add_test(test_case, unknown_protocols_are_not_found);
	tcase_add_test(test_case, names_of_protocols_are_found_again);
	tcase_add_test(test_case, some_protocols_have_ports);
	tcase_add_loop_test(test_case, icmp_tables_are_sorted_and_found, 0, 2);
	tcase_add_test(test_case, icmp_families_do_not_mix);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { protocol_suite, interval_suite, address_suite,
						  tuple_suite, NULL };
	return unit_run(suites);
}
