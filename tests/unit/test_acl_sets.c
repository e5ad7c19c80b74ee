/* What lists mean: single packets against the boxes of the list X. */
#include <stdio.h>
#include <string.h>

#include "acl_text.h"
#include "base/pool.h"
#include "target/cisco/read/read.h"
#include "target/cisco/read/sets.h"
#include "unit.h"

Suite *acl_sets_suite(void);

static const struct acl_sets *sets_of(struct acl_text *read, enum family family, bool takes_partial)
{
	const struct acl_sets_settings settings = { .family = family, .takes_partial = takes_partial };

	return acl_sets_make(unit_pool(), read->diags, read->config, acl_list_find(read->config, family, "X"),
			     &settings);
}

/* "PROTOCOL SOURCE SECOND DESTINATION FIRST [FLAGS [FRAGMENT]]" */
static struct packet_point point_of(const char *text)
{
	char source[64], destination[64];
	unsigned protocol, first, second, flags = 0, fragment = 0;
	struct packet_point point = { 0 };
	struct address address;

	ck_assert_int_ge(sscanf(text, "%u %63s %u %63s %u %u %u", &protocol, source, &second, destination,
				&first, &flags, &fragment), 5);
	point.fields[FIELD_PROTOCOL] = protocol;
	ck_assert(address_parse(source, strlen(source), &address));
	point.fields[FIELD_FAMILY] = address.family;
	point.fields[FIELD_SOURCE] = address.value;
	ck_assert(address_parse(destination, strlen(destination), &address));
	point.fields[FIELD_DESTINATION] = address.value;
	point.fields[FIELD_FIRST] = first;
	point.fields[FIELD_SECOND] = second;
	point.fields[FIELD_FLAGS] = flags;
	point.fields[FIELD_FRAGMENT] = fragment;
	return point;
}

static char verdict_of(const struct acl_sets *sets, const struct packet_point *point)
{
	for (size_t index = 0; index < sets->boxes_count; index++) {
		const struct packet_box box = acl_box_packets(sets, &sets->boxes[index]);

		if (packet_box_holds(&box, point))
			return sets->boxes[index].action == ACL_PERMIT ? 'p' : 'd';
	}
	return '?';
}

/* packets and verdicts: "p 6 10.0.0.1 1025 192.0.2.1 80", one a line */
static void check_packets(const char *text, enum family family, const char *const *packets)
{
	struct acl_text read = acl_text_read(text);
	const struct acl_sets *sets = sets_of(&read, family, false);

	ck_assert_msg(sets != NULL, "%s: %s", text,
		      read.diags->items_count > 0 ? acl_text_message(&read, 0) : "");
	for (; *packets != NULL; packets++) {
		const struct packet_point point = point_of(*packets + 2);

		ck_assert_msg(verdict_of(sets, &point) == **packets, "%s: %s", text, *packets);
	}
}

#define X4 "ip access-list extended X\n "
#define X6 "ipv6 access-list X\n "
#define PACKETS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(the_first_entry_that_matches_decides)
{
	check_packets(X4 "deny tcp host 10.0.0.1 any eq 80\n permit tcp 10.0.0.0 0.0.0.255 any\n", FAMILY_IPV4,
		      PACKETS("d 6 10.0.0.1 1025 192.0.2.1 80", "p 6 10.0.0.1 1025 192.0.2.1 81",
			      "p 6 10.0.0.2 1025 192.0.2.1 80", "d 6 10.0.1.2 1025 192.0.2.1 80",
			      "d 17 10.0.0.2 1025 192.0.2.1 80"));
}
END_TEST

START_TEST(lists_without_an_entry_permit)
{
	static const char *const any[] = { "p 6 10.0.0.1 1025 192.0.2.1 80", NULL };
	struct acl_text read;

	check_packets("hostname a\n", FAMILY_IPV4, any);
	check_packets("ip access-list extended X\n", FAMILY_IPV4, any);
	read = acl_text_read(X4 "remark alone\n");
	ck_assert_ptr_null(sets_of(&read, FAMILY_IPV4, true));
	ck_assert_str_eq(acl_text_codes(&read), "1303");
}
END_TEST

START_TEST(ports_are_those_of_the_operators)
{
	check_packets(X4 "permit tcp any neq 5 7 any gt 1023\n permit udp any any lt 10\n"
		      " permit tcp any any range 20 21\n permit tcp any any lt 0\n permit udp any any eq 53 123\n",
		      FAMILY_IPV4,
		      PACKETS("d 6 10.0.0.1 5 192.0.2.1 2000", "p 6 10.0.0.1 6 192.0.2.1 1024",
			      "d 6 10.0.0.1 6 192.0.2.1 1023", "p 17 10.0.0.1 6 192.0.2.1 9",
			      "d 17 10.0.0.1 6 192.0.2.1 10", "p 6 10.0.0.1 7 192.0.2.1 21",
			      "d 6 10.0.0.1 7 192.0.2.1 0", "p 17 10.0.0.1 7 192.0.2.1 123"));
}
END_TEST

START_TEST(masks_of_few_ranges_are_taken_apart)
{
	struct acl_text read;

	check_packets(X4 "permit ip 10.0.3.1 0.4.0.10 10.0.0.1 0.255.0.255\n", FAMILY_IPV4,
		      PACKETS("p 1 10.0.3.1 0 10.77.0.9 8", "p 1 10.4.3.11 0 10.77.0.9 8",
			      "d 1 10.2.3.1 0 10.77.0.9 8", "d 1 10.0.3.5 0 10.77.0.9 8",
			      "d 1 10.0.3.1 0 10.77.1.9 8"));
	read = acl_text_read(X4 "permit ip 0.0.0.1 255.255.255.254 any\n");
	ck_assert_ptr_null(sets_of(&read, FAMILY_IPV4, true));
	ck_assert_str_eq(acl_text_codes(&read), "1304");
}
END_TEST

START_TEST(fragments_pass_permits_of_the_fourth_layer)
{
	check_packets(X4 "deny tcp any any eq 80\n permit tcp any host 192.0.2.1 eq 80\n"
		      " deny udp any any fragments\n"
		      " permit udp any any\n permit icmp any any echo\n", FAMILY_IPV4,
		      PACKETS("d 6 10.0.0.1 5 192.0.2.1 80", "p 6 10.0.0.1 0 192.0.2.1 0 0 1",
			      "d 6 10.0.0.1 0 192.0.2.2 0 0 1", "d 17 10.0.0.1 0 192.0.2.2 0 0 1",
			      "p 17 10.0.0.1 0 192.0.2.2 0", "p 1 10.0.0.1 0 192.0.2.2 8",
			      "d 1 10.0.0.1 0 192.0.2.2 0", "p 1 10.0.0.1 0 192.0.2.2 0 0 1"));
}
END_TEST

START_TEST(flags_are_looked_at)
{
	/* 2 SYN, 4 RST, 16 ACK, 18 both */
	check_packets(X4 "permit tcp any host 192.0.2.1 established\n"
		      " permit tcp any host 192.0.2.2 match-all +syn -ack\n"
		      " permit tcp any host 192.0.2.3 match-any +syn -ack\n", FAMILY_IPV4,
		      PACKETS("d 6 10.0.0.1 5 192.0.2.1 80 2", "p 6 10.0.0.1 5 192.0.2.1 80 18",
			      "p 6 10.0.0.1 5 192.0.2.1 80 4", "p 6 10.0.0.1 5 192.0.2.2 80 2",
			      "d 6 10.0.0.1 5 192.0.2.2 80 18", "d 6 10.0.0.1 5 192.0.2.2 80 0",
			      "p 6 10.0.0.1 5 192.0.2.3 80 18", "p 6 10.0.0.1 5 192.0.2.3 80 0",
			      "d 6 10.0.0.1 5 192.0.2.3 80 16"));
}
END_TEST

START_TEST(groups_are_taken_apart)
{
	check_packets("object-group network M\n range 10.3.0.1 10.3.0.9\n"
		      "object-group network N\n host 10.0.0.1\n group-object M\n"
		      "object-group service S\n tcp-udp eq 53\n icmp echo\n tcp source gt 1023 range 20 21\n"
		      X4 "permit object-group S object-group N any\n", FAMILY_IPV4,
		      PACKETS("p 6 10.0.0.1 5 192.0.2.1 53", "p 17 10.3.0.9 5 192.0.2.1 53",
			      "d 17 10.3.0.10 5 192.0.2.1 53", "p 1 10.0.0.1 0 192.0.2.1 8",
			      "p 6 10.0.0.1 1024 192.0.2.1 21", "d 6 10.0.0.1 1023 192.0.2.1 21",
			      "d 17 10.0.0.1 1024 192.0.2.1 21"));
}
END_TEST

START_TEST(ipv6_lists_end_in_neighbour_discovery)
{
	check_packets(X6 "permit tcp 2001:db8::/32 any eq 80\n", FAMILY_IPV6,
		      PACKETS("p 6 2001:db8::1 5 ::1 80", "d 6 2001:db9::1 5 ::1 80", "p 58 fe80::1 0 ::1 135",
			      "p 58 fe80::1 0 ::1 136", "d 58 fe80::1 0 ::1 134"));
	check_packets(X6 "permit tcp any any eq 80\n deny ipv6 any any\n", FAMILY_IPV6,
		      PACKETS("d 58 fe80::1 0 ::1 135", "d 58 fe80::1 0 ::1 136"));
	check_packets(X6 "permit icmp any any echo-request\n", FAMILY_IPV6,
		      PACKETS("p 58 2001:db8::1 0 ::1 128", "d 58 2001:db8::1 0 ::1 129"));
}
END_TEST

START_TEST(what_is_not_known_is_refused)
{
	static const struct {
		const char *text, *codes;
		bool is_partial; /* for those who ask for it */
	} lists[] = {
		{ X4 "permit ip any any dscp ef\n", "1303", true },
		{ X4 "permit ip any any ttl eq 1\n", "1303", true },
		{ X4 "permit ip any any time-range T\n", "1303", true },
		{ X4 "evaluate R\n", "1303", true },
		{ X4 "permit igmp any any host-report\n", "1303", true },
		{ X4 "permit mystery any any\n", "1301 1303", false },
		{ X4 "permit ip object-group N any\n", "1303", false },
		{ "object-group network N\n" X4 "permit ip object-group N any\n", "1303", false },
		{ "object-group network N\n mystery\n" X4 "permit ip object-group N any\n", "1301 1303", false },
		{ "object-group service N\n tcp eq 80\n" X4 "permit ip object-group N any\n", "1303", false },
		{ "object-group service N\n tcp lt 0\n" X4 "permit object-group N any any\n", "1303", false },
		{ "object-group network N\n group-object M\nobject-group network M\n group-object N\n"
		  X4 "permit ip object-group N any\n", "1303", false },
		{ "object-group network N\n host 10.0.0.1\n" X6 "permit ipv6 object-group N any\n", "1303", false },
	};

	for (size_t index = 0; index < sizeof lists / sizeof lists[0]; index++) {
		enum family family = strstr(lists[index].text, "ipv6") != NULL ? FAMILY_IPV6 : FAMILY_IPV4;
		struct acl_text read = acl_text_read(lists[index].text);

		ck_assert_ptr_null(sets_of(&read, family, false));
		ck_assert_msg(strcmp(acl_text_codes(&read), lists[index].codes) == 0, "%s: %s",
			      lists[index].text, acl_text_codes(&read));
		read = acl_text_read(lists[index].text);
		ck_assert_msg((sets_of(&read, family, true) != NULL) == lists[index].is_partial, "%s",
			      lists[index].text);
	}
}
END_TEST

START_TEST(many_groups_of_groups_take_no_longer)
{
	struct text *text = text_new(unit_pool());
	struct acl_text read;

	/* each holds the one before twice: 2^60 members if each were looked at */
	text_add(text, "object-group network G0\n host 10.0.0.1\n");
	for (unsigned index = 1; index <= 60; index++)
		text_addf(text, "object-group network G%u\n group-object G%u\n group-object G%u\n", index,
			  index - 1, index - 1);
	text_add(text, X4 "permit ip object-group G60 any\n");
	check_packets(text->bytes, FAMILY_IPV4, PACKETS("p 1 10.0.0.1 0 10.0.0.2 8", "d 1 10.0.0.2 0 10.0.0.2 8"));
	for (unsigned index = 61; index <= 100; index++)
		text_addf(text, "object-group network G%u\n group-object G%u\n", index, index - 1);
	text_add(text, "ip access-list extended X\n 5 permit ip object-group G100 any\n");
	read = acl_text_read(text->bytes);
	ck_assert_ptr_null(sets_of(&read, FAMILY_IPV4, false));
	ck_assert_str_eq(acl_text_codes(&read), "1303 1303"); /* G60 lies in it, and is not known either */
}
END_TEST

Suite *acl_sets_suite(void)
{
	Suite *suite = suite_create("acl_sets");
	TCase *tests = unit_case(suite, "meaning");

	tcase_add_test(tests, the_first_entry_that_matches_decides);
	tcase_add_test(tests, lists_without_an_entry_permit);
	tcase_add_test(tests, ports_are_those_of_the_operators);
	tcase_add_test(tests, masks_of_few_ranges_are_taken_apart);
	tcase_add_test(tests, fragments_pass_permits_of_the_fourth_layer);
	tcase_add_test(tests, flags_are_looked_at);
	tcase_add_test(tests, groups_are_taken_apart);
	tcase_add_test(tests, ipv6_lists_end_in_neighbour_discovery);
	tcase_add_test(tests, what_is_not_known_is_refused);
	tcase_add_test(tests, many_groups_of_groups_take_no_longer);
	return suite;
}
