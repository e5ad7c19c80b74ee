/* Whole texts: lists that are typed, shown, changed; groups, bindings, translations; texts cut short. */
#include <string.h>

#include "acl_text.h"
#include "base/pool.h"
#include "target/cisco/read/read.h"
#include "unit.h"

Suite *acl_suite(void);
Suite *acl_read_suite(void);
Suite *acl_sets_suite(void);

static void check_list(const char *text, const char *list, const char *codes)
{
	const struct acl_text read = acl_text_read(text);

	ck_assert_str_eq(acl_text_list(&read, "X"), list);
	ck_assert_str_eq(acl_text_codes(&read), codes);
}

/* --- lists ----------------------------------------------------------------------------------- */

START_TEST(entries_without_a_number_follow_the_highest)
{
	check_list("ip access-list extended X\n permit tcp any any eq 1\n 5 permit tcp any any eq 2\n"
		   " permit tcp any any eq 3\n 100 permit tcp any any eq 4\n permit tcp any any eq 5\n",
		   "5 permit tcp any any eq 2\n10 permit tcp any any eq 1\n20 permit tcp any any eq 3\n"
		   "100 permit tcp any any eq 4\n110 permit tcp any any eq 5\n", "");
}
END_TEST

START_TEST(a_second_entry_of_the_same_words_is_ignored)
{
	check_list("ip access-list extended X\n 20 permit tcp any any eq www\n 10 permit tcp any any eq 80\n",
		   "20 permit tcp any any eq 80\n", "1308");
}
END_TEST

START_TEST(two_entries_of_one_number_make_the_list_unknown)
{
	check_list("ip access-list extended X\n 10 permit tcp any any eq 1\n 10 permit tcp any any eq 2\n",
		   "10 permit tcp any any eq 1\n10 unread\n", "1301");
}
END_TEST

START_TEST(remarks_stand_before_the_entry_that_follows)
{
	check_list("ip access-list extended X\n remark one\n 320 remark  two words\n 320 permit ip any any\n"
		   " remark last\n",
		   "remark one\nremark two words\n320 permit ip any any\nremark last\n", "");
}
END_TEST

START_TEST(a_list_goes_on_where_it_is_opened_again)
{
	check_list("access-list 100 permit tcp any any eq 1\nip access-list extended X\n permit ip any any\n"
		   "access-list 100 permit tcp any any eq 2\n",
		   "10 permit ip any any\n", "");
}
END_TEST

START_TEST(no_takes_away)
{
	check_list("ip access-list extended X\n 10 permit tcp any any eq 1\n 20 permit tcp any any eq 2\n"
		   " 30 permit tcp any any eq 3\n no 20\n no permit tcp any any eq 3\n",
		   "10 permit tcp any any eq 1\n", "");
	check_list("ip access-list extended X\n permit ip any any\nno ip access-list extended X\n", "", "");
	check_list("ip access-list extended X\n permit ip any any\n exit\nno ip access-list extended X\n"
		   "ip access-list extended X\n deny ip any any\n", "10 deny ip any any\n", "");
	check_list("ip access-list extended X\n 10 permit ip any any\n no 20\n",
		   "10 permit ip any any\n20 unread\n", "1301");
	check_list("ip access-list extended X\n 10 permit tcp any any eq 1\n no 10\n 10 permit tcp any any eq 1\n",
		   "10 permit tcp any any eq 1\n", "");
}
END_TEST

START_TEST(resequence_counts_anew)
{
	check_list("ip access-list extended X\n 5 permit tcp any any eq 1\n 7 permit tcp any any eq 2\n"
		   "ip access-list resequence X 100 50\nip access-list extended X\n permit tcp any any eq 3\n",
		   "100 permit tcp any any eq 1\n150 permit tcp any any eq 2\n160 permit tcp any any eq 3\n", "");
}
END_TEST

START_TEST(lines_need_no_indentation)
{
	check_list("ip access-list extended X\n10 permit tcp any any eq 1\npermit ip any any\nexit\n"
		   "interface Gi0/0\nip access-group X in\n",
		   "10 permit tcp any any eq 1\n20 permit ip any any\n", "");
	/* what might be meant for the list is not passed over */
	check_list("ip access-list extended X\n10 permit tcp any any eq 1\npermitt ip any any\n",
		   "10 permit tcp any any eq 1\n20 unread\n", "1301");
	check_list("ip access-list extended X\n permit ip any any\nmystery words\n permit tcp any any\n",
		   "10 permit ip any any\n", "");
}
END_TEST

START_TEST(other_platforms_lists_are_unknown)
{
	check_list("ip access-list X\n 10 permit ip any any\n", "10 unread\n20 unread\n", "1301 1301");
	check_list("access-list X extended permit ip any any\n", "10 unread\n", "1301");
	check_list("ip access-list standard X\n permit any\nip access-list extended X\n",
		   "10 permit any\n20 unread\n", "1301");
}
END_TEST

START_TEST(shown_lists_are_read)
{
	const struct acl_text read = acl_text_read(
		"Router#show access-lists\nStandard IP access list 1\n    10 permit 10.1.2.3 log\n"
		"    20 deny   192.168.1.0, wildcard bits 0.0.0.255 (77 matches)\n"
		"Reflexive IP access list R\n"
		"     permit tcp host 10.0.0.1 eq www host 10.0.0.2 eq 11000 (5 matches) (time left 280)\n"
		"IPv6 access list S\n    permit tcp any any eq bgp (8 matches) sequence 10\nRouter#\n");

	ck_assert_str_eq(acl_text_codes(&read), "");
	ck_assert_str_eq(acl_text_list(&read, "1"), "10 permit host 10.1.2.3 log\n20 deny 192.168.1.0 0.0.0.255\n");
	ck_assert_uint_eq(read.config->lists[0]->entries[1]->matches, 77);
	ck_assert_str_eq(acl_text_list(&read, "R"), "10 permit tcp host 10.0.0.1 eq 80 host 10.0.0.2 eq 11000\n");
	ck_assert_str_eq(acl_text_list(&read, "S"), "sequence 10 permit tcp any any eq 179\n");
}
END_TEST

START_TEST(texts_of_banners_are_no_lists)
{
	check_list("banner motd ^C\nip access-list extended X\n permit ip any any\n^C\n"
		   "ip access-list extended X\n deny ip any any\n", "10 deny ip any any\n", "");
	check_list("banner motd #one line#\nip access-list extended X\n deny ip any any\n",
		   "10 deny ip any any\n", "");
	check_list("macro name m\nip access-list extended X\n permit ip any any\n@\n", "", "");
}
END_TEST

/* --- groups, time ranges ------------------------------------------------------------------------- */

START_TEST(groups_hold_addresses_and_services)
{
	const struct acl_text read = acl_text_read(
		"object-group network N\n description any text\n host 10.0.0.1\n 10.1.0.0 255.255.0.0\n"
		" 10.2.0.0 /16\n range 10.3.0.1 10.3.0.9\n any\n group-object M\n"
		"object-group service S\n tcp eq www\n udp source gt 1023 range 5 9\n tcp-udp 53\n icmp echo\n"
		" 47\n group-object T\nobject-group v6-network V\n 2001:db8::/32\n host ::1\n");
	const struct acl_config *config = read.config;

	ck_assert_str_eq(acl_text_codes(&read), "");
	ck_assert_uint_eq(config->groups_count, 3);
	ck_assert_uint_eq(config->groups[0]->items_count, 6);
	ck_assert(config->groups[0]->items[1].range.low == 0x0a010000 &&
		  config->groups[0]->items[1].range.high == 0x0a01ffff);
	ck_assert(config->groups[0]->items[2].range.high == 0x0a02ffff);
	ck_assert(config->groups[0]->items[4].range.high == UINT32_MAX);
	ck_assert_int_eq(config->groups[0]->items[5].kind, ACL_ITEM_GROUP);
	ck_assert_uint_eq(config->groups[1]->items_count, 6);
	ck_assert_int_eq(config->groups[1]->items[1].source_ports.operator, ACL_PORTS_GT);
	ck_assert_int_eq(config->groups[1]->items[1].destination_ports.operator, ACL_PORTS_RANGE);
	ck_assert(config->groups[1]->items[2].is_tcp_udp);
	ck_assert_uint_eq(config->groups[1]->items[2].destination_ports.numbers[0], 53);
	ck_assert_uint_eq(config->groups[1]->items[3].icmp_type, 8);
	ck_assert_uint_eq(config->groups[1]->items[4].protocol, 47);
	ck_assert_uint_eq(config->groups[2]->items_count, 2);
}
END_TEST

START_TEST(lines_of_groups_are_never_passed_over)
{
	static const char *const lines[] = {
		"10.1.0.0 0.0.255.255", "network-object host 10.0.0.1", "host 2001:db8::1",
		"range 10.0.0.9 10.0.0.1",
		"10.0.0.0 255.0.255.0", "no host 10.0.0.1", "host 10.0.0.1 10.0.0.2",
	};

	for (size_t index = 0; index < sizeof lines / sizeof lines[0]; index++) {
		const struct acl_text read = acl_text_read(pool_format(
			unit_pool(), "object-group network N\n host 10.0.0.1\n %s\n", lines[index]));

		ck_assert_str_eq(acl_text_codes(&read), "1301");
		ck_assert_uint_eq(read.config->groups[0]->unread_count, 1);
	}
}
END_TEST

START_TEST(time_ranges_are_read)
{
	const struct acl_text read = acl_text_read(
		"time-range T\n absolute start 08:00 1 January 2026 end 17:59 31 December 2026\n"
		" periodic weekdays 8:00 to 17:59\n periodic Friday 22:00 to Saturday 5:59\n"
		" periodic Monday Tuesday 0:00 to 24:00\n periodic never\n");
	const struct acl_time_range *range = read.config->time_ranges[0];

	ck_assert_str_eq(acl_text_codes(&read), "1301");
	ck_assert_uint_eq(range->periods_count, 4);
	ck_assert_uint_eq(range->unread_count, 1);
	ck_assert(range->periods[0].is_absolute);
	ck_assert_uint_eq(range->periods[1].days, 0x1F);
	ck_assert_uint_eq(range->periods[1].to_minute, 17 * 60 + 59);
	ck_assert_int_eq(range->periods[2].until_day, 5);
	ck_assert_uint_eq(range->periods[3].days, 0x03);
}
END_TEST

/* --- bindings, translations -------------------------------------------------------------------------- */

START_TEST(interfaces_bind_lists)
{
	const struct acl_text read = acl_text_read(
		"hostname SITE1\ninterface GigabitEthernet0/0\n description to the world\n"
		" ip address 80.1.0.2 255.255.255.252\n"
		" ip address 80.1.0.6 255.255.255.252 secondary\n ipv6 address 2001:db8::1/64\n"
		" ip access-group IN in\n ip access-group OUT out\n ipv6 traffic-filter SIX in\n ip nat outside\n"
		" no ip unreachables\n crypto map VPN\n shutdown\n!\ninterface Loopback0\n ip nat inside\n"
		" ip access-group A in\n no ip access-group A in\n ip access-group B in\n ip access-group C in\n");
	const struct acl_interface *outside = read.config->interfaces[0], *inside = read.config->interfaces[1];

	ck_assert_str_eq(acl_text_codes(&read), "");
	ck_assert_str_eq(read.config->hostname, "SITE1");
	ck_assert_str_eq(outside->name, "GigabitEthernet0/0");
	ck_assert_str_eq(outside->description, "to the world");
	ck_assert_uint_eq(outside->addresses_count, 3);
	ck_assert(outside->addresses[0].prefix.value == 0x50010002 && outside->addresses[0].prefix.length == 30);
	ck_assert(outside->addresses[1].is_secondary);
	ck_assert_uint_eq(outside->bindings_count, 3);
	ck_assert_str_eq(outside->bindings[2].list, "SIX");
	ck_assert_int_eq(outside->bindings[2].family, FAMILY_IPV6);
	ck_assert_int_eq(outside->nat, ACL_NAT_OUTSIDE);
	ck_assert(outside->has_no_unreachables && outside->is_shutdown);
	ck_assert_str_eq(outside->crypto_map, "VPN");
	ck_assert_int_eq(inside->nat, ACL_NAT_INSIDE);
	ck_assert_uint_eq(inside->bindings_count, 1);
	ck_assert_str_eq(inside->bindings[0].list, "C");
}
END_TEST

START_TEST(bindings_are_never_passed_over)
{
	ck_assert_str_eq(acl_text_codes(&(struct acl_text[]){ acl_text_read(
		"interface Gi0/0\n ip access-group X inout\n") }[0]), "1301");
	ck_assert_str_eq(acl_text_codes(&(struct acl_text[]){ acl_text_read(
		"ip access-group X in\n") }[0]), "1301");
	ck_assert_str_eq(acl_text_codes(&(struct acl_text[]){ acl_text_read(
		"interface range Gi0/0 - 5\n ip access-group X in\n") }[0]), "1301 1301");
	ck_assert_str_eq(acl_text_codes(&(struct acl_text[]){ acl_text_read(
		"interface Gi0/0\n ip address 10.0.0.1 0.0.0.255\n") }[0]), "1301");
}
END_TEST

START_TEST(crypto_maps_name_lists)
{
	const struct acl_text read = acl_text_read(
		"crypto map VPN 10 ipsec-isakmp\n set peer 80.2.0.2\n set transform-set T\n match address TUNNEL\n"
		" set ip access-group CLEAR in\ncrypto map VPN local-address Loopback0\n");
	const struct acl_crypto_map *map = read.config->crypto_maps[0];

	ck_assert_str_eq(acl_text_codes(&read), "");
	ck_assert_uint_eq(read.config->crypto_maps_count, 1);
	ck_assert_str_eq(map->name, "VPN");
	ck_assert_uint_eq(map->sequence, 10);
	ck_assert_str_eq(map->list, "TUNNEL");
	ck_assert_str_eq(map->peers[0], "80.2.0.2");
	ck_assert_str_eq(map->bindings[0].list, "CLEAR");
}
END_TEST

START_TEST(translations_are_read)
{
	const struct acl_text read = acl_text_read(
		"ip nat inside source list NAT interface Serial0/0 overload\n"
		"ip nat pool P 80.1.0.3 80.1.0.9 netmask 255.255.255.0\n"
		"ip nat inside source list 7 pool P\n"
		"ip nat inside source static tcp 10.0.0.1 80 80.1.0.2 8080 extendable\n"
		"ip nat inside source static udp 10.0.0.1 53 interface Serial0/0 53\n"
		"ip nat inside source static 10.0.0.1 80.1.0.7\n"
		"ip nat inside source static network 10.0.0.0 80.1.0.0 /24\n"
		"ip nat inside source route-map R interface Serial0/0 overload\n"
		"ip nat translation timeout 60\n"
		"ip nat inside source mystery\n"
		"no ip nat inside source list 7 pool P\n");
	const struct acl_nat *nats = read.config->nats;

	ck_assert_str_eq(acl_text_codes(&read), "1301");
	ck_assert_uint_eq(read.config->pools_count, 1);
	ck_assert_uint_eq(read.config->nats_count, 7);
	ck_assert_str_eq(nats[0].list, "NAT");
	ck_assert_str_eq(nats[0].interface, "Serial0/0");
	ck_assert(nats[0].is_overload);
	ck_assert_int_eq(nats[1].kind, ACL_NAT_STATIC);
	ck_assert_uint_eq(nats[1].protocol, PROTOCOL_TCP);
	ck_assert_uint_eq(nats[1].local_port, 80);
	ck_assert_uint_eq(nats[1].global_port, 8080);
	ck_assert_str_eq(nats[2].interface, "Serial0/0");
	ck_assert_uint_eq(nats[3].protocol, ACL_PROTOCOL_IP);
	ck_assert_uint_eq(nats[4].prefix_length, 24);
	ck_assert_int_eq(nats[5].kind, ACL_NAT_ROUTE_MAP);
	ck_assert_int_eq(nats[6].kind, ACL_NAT_UNREAD);
}
END_TEST

/* --- texts cut short ------------------------------------------------------------------------------------- */

START_TEST(texts_cut_short_are_told)
{
	static const struct {
		const char *text, *codes;
	} texts[] = {
		{ "version 15.2\nhostname a\n", "1302" },
		{ "version 15.2\nhostname a\nend\n", "" },
		{ "Building configuration...\n\nCurrent configuration : 90 bytes\n!\nversion 15.2\n", "1302" },
		{ "Building configuration...\n\nCurrent configuration : 90 bytes\n!\nversion 15.2\nend\n", "" },
		{ "ip access-list extended X\n permit ip any any\n --More-- \n deny ip any any\n", "1302" },
		{ "ip access-list extended X\n permit ip any any\n--More--\b\b\b\n", "1302" },
		{ "ip access-list extended X\n permit tcp any any eq", "1301 1302" },
		{ "ip access-list extended X\n permit tcp any any", "1307" },
		{ "access-list 100 permit tcp any any", "1307" },
		{ "hostname a", "" },
		{ "banner motd ^C\nnever ends\n", "1302" },
		{ "", "" },
	};

	for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
		const struct acl_text read = acl_text_read(texts[index].text);

		ck_assert_msg(strcmp(acl_text_codes(&read), texts[index].codes) == 0, "%s: %s",
			      texts[index].text, acl_text_codes(&read));
	}
}
END_TEST

START_TEST(line_ends_of_every_kind_are_taken)
{
	check_list("\xEF\xBB\xBFip access-list extended X\r\n permit ip any any\r\n", "10 permit ip any any\n", "");
	check_list("ip access-list extended X\n\tpermit\tip any  any \t\n", "10 permit ip any any\n", "");
}
END_TEST

START_TEST(bytes_of_every_kind_are_survived)
{
	static const char *const words[] = {
		"ip", "access-list", "extended", "permit", "deny", "tcp", "any", "host", "10.0.0.1", "eq", "80",
		"range", "object-group", "network", "log", "no", "\n", "\n ", "\n", "remark", "interface",
		"0.0.0.255",
		"sequence", "ipv6", "10", "resequence", "X", "(", "(5 matches)", "\"", "\x80\xff", "evaluate", "!",
		"banner motd ^C", "^C", "established", "match-all +ack", "time-range", "\r\n",
		"ip nat inside source",
		"crypto map", "access-group X in", "standard", "access-list 100", "dscp", "2001:db8::/32",
	};

	for (int round = 0; round < 300; round++) {
		struct text *text = text_new(unit_pool());

		for (unsigned count = unit_below(120); count > 0; count--) {
			text_add(text, words[unit_below(sizeof words / sizeof words[0])]);
			if (unit_below(8) != 0)
				text_add_char(text, ' ');
			else if (unit_below(8) == 0)
				text_add_char(text, (char)unit_below(256));
		}
		acl_text_read_bytes(text->bytes, text->length);
	}
}
END_TEST

Suite *acl_read_suite(void)
{
	Suite *suite = suite_create("acl_read");
	TCase *tests = unit_case(suite, "texts");

	tcase_add_test(tests, entries_without_a_number_follow_the_highest);
	tcase_add_test(tests, a_second_entry_of_the_same_words_is_ignored);
	tcase_add_test(tests, two_entries_of_one_number_make_the_list_unknown);
	tcase_add_test(tests, remarks_stand_before_the_entry_that_follows);
	tcase_add_test(tests, a_list_goes_on_where_it_is_opened_again);
	tcase_add_test(tests, no_takes_away);
	tcase_add_test(tests, resequence_counts_anew);
	tcase_add_test(tests, lines_need_no_indentation);
	tcase_add_test(tests, other_platforms_lists_are_unknown);
	tcase_add_test(tests, shown_lists_are_read);
	tcase_add_test(tests, texts_of_banners_are_no_lists);
	tcase_add_test(tests, groups_hold_addresses_and_services);
	tcase_add_test(tests, lines_of_groups_are_never_passed_over);
	tcase_add_test(tests, time_ranges_are_read);
	tcase_add_test(tests, interfaces_bind_lists);
	tcase_add_test(tests, bindings_are_never_passed_over);
	tcase_add_test(tests, crypto_maps_name_lists);
	tcase_add_test(tests, translations_are_read);
	tcase_add_test(tests, texts_cut_short_are_told);
	tcase_add_test(tests, line_ends_of_every_kind_are_taken);
	tcase_add_test(tests, bytes_of_every_kind_are_survived);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { acl_suite, acl_read_suite, acl_sets_suite,
						  NULL };

	return unit_run(suites);
}
