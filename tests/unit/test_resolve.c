/* Names to things: places, zones, rules, options, schedules, translations, devices. */
#include <string.h>

#include "base/pool.h"
#include "policy_text.h"
#include "unit.h"

/* --- mistakes ------------------------------------------------------------------------------- */

static const struct {
	const char *text, *codes;
} mistakes[] = {
	{ "", "EMPTY_POLICY" },
	{ "# nothing\n", "EMPTY_POLICY" },
	/* places */
	{ "allow any from nope;", "UNKNOWN_PLACE" },
	{ "allow any from nope to nope2; allow any from nope;",
	  "UNKNOWN_PLACE UNKNOWN_PLACE UNKNOWN_PLACE" },
	{ "host a = 10.0.0.1; network a = 10.0.0.0/8;", "DUPLICATE_PLACE" },
	{ "group a = b; group b = 10.0.0.1, c; group c = a;", "PLACE_CYCLE" },
	{ "network a = internet; zone z { network a; }", "PLACE_CYCLE" },
	{ "group a = 10.0.0.0/24 except 10.0.0.0/16;", "EMPTY_PLACE" },
	{ "allow any from 10.0.0.0/24 except 10.0.0.0/16;", "EMPTY_PLACE" },
	{ "host a = 10.0.0.1; allow any from a except a;", "EMPTY_PLACE" },
	{ "host a = 10.0.0.1/24;", "HOST_BITS" },
	{ "network a = fd00::1/64;", "HOST_BITS" },
	{ "host a = 10.0.0.0/24;", "HOST_ADDRESSES" },
	{ "host a = 10.0.0.1-10.0.0.2;", "HOST_ADDRESSES" },
	{ "network n = 10.0.0.0/24; host a = n;", "HOST_ADDRESSES" },
	{ "host a = 10.0.0.1 except 10.0.0.1;", "HOST_ADDRESSES" },
	{ "host a = any;", "HOST_ADDRESSES" },
	{ "network n = self;", "PLACE_KIND" },
	{ "zone z { interface e; } network n = z, 10.0.0.0/8;", "PLACE_KIND" },
	{ "zone z { network y; } zone y { network 10.0.0.0/8; }", "PLACE_KIND" },
	{ "network a = 10.0.0.9-10.0.0.5;", "RANGE_BACKWARDS" },
	{ "network a = 10.0.0.300;", "BAD_ADDRESS" },
	{ "network a = file \"nope\";", "FILE_MISSING" },
	/* zones */
	{ "zone z { }", "ZONE_EMPTY" },
	{ "zone a { interface e; } zone b { interface e; }", "DUPLICATE_INTERFACE" },
	{ "zone a { interface e, e; }", "DUPLICATE_INTERFACE" },
	{ "zone a { interface e, f; } zone b { interface f, g; }", "DUPLICATE_INTERFACE" },
	{ "zone a { network 10.0.0.0/8; } zone b { network 10.0.0.0/8; }", "ZONES_EQUAL" },
	{ "zone a { interface abcdefghijklmnop; }", "BAD_INTERFACE" },
	{ "zone a { interface \"a b\"; }", "BAD_INTERFACE" },
	{ "zone a { network 0.0.0.0/0, ::/0; } allow any to internet;", "INTERNET_EMPTY" },
	/* options */
	{ "allow any limit 1/second limit 2/second;", "DUPLICATE_OPTION" },
	{ "deny any limit 1/second;", "LIMIT_ON_DENY" },
	{ "allow any limit 0/second;", "BAD_RATE" },
	{ "allow any limit 1/week;", "BAD_RATE" },
	{ "allow any limit 1/second burst 0;", "BAD_RATE" },
	{ "allow any limit 4294967296/second;", "BAD_RATE" },
	{ "allow any until 2026-02-30;", "BAD_DATE" },
	{ "allow any until 2025-02-28;", "EXPIRED" },
	{ "deny any until 2025-02-28;", "EXPIRED_DENY" },
	{ "allow any until 2026-11-21;", "EXPIRES_SOON" },
	{ "allow any until 2026-12-21;", "EXPIRES_SOON" },
	{ "allow any until 2026-12-22;", "" },
	{ "allow any until 2026-11-20;", "EXPIRED" },
	{ "allow any during nope;", "UNKNOWN_SCHEDULE" },
	{ "allow any ipv4 ipv6;", "BAD_OPTION" },
	{ "allow any id a; deny any id a;", "DUPLICATE_ID" },
	{ "allow any id \"a b\";", "BAD_ID" },
	{ "allow any id default-input;", "BAD_ID" },
	{ "allow any log \"a$b\";", "LOG_PREFIX" },
	{ "allow any log \"h\xc3\xa9\";", "LOG_PREFIX" },
	{ "allow any log \"12345678901234567890123456789012345678901\";", "LOG_PREFIX" },
	{ "allow any because \"\";", "BAD_STRING" },
	{ "default deny; default forward reject;", "DUPLICATE_DEFAULT" },
	{ "default deny stateless;", "BAD_OPTION" },
	{ "service ftx { 21/tcp; helper ftp; } allow ftx stateless;", "HELPER_STATELESS" },
	/* schedules */
	{ "schedule s = mon 08:00-08:00;", "SCHEDULE_EMPTY" },
	{ "schedule s = mon 24:00-08:00;", "BAD_TIME" },
	{ "schedule s = mon 08:00-24:01;", "BAD_TIME" },
	{ "schedule s = someday 08:00-09:00;", "BAD_TIME" },
	{ "schedule s = mon-someday 08:00-09:00;", "BAD_TIME" },
	{ "schedule s = mon 08:00-09:00; schedule s = tue 08:00-09:00;", "DUPLICATE_SCHEDULE" },
	{ "timezone +01:00; timezone +01:00;", "DUPLICATE_TIMEZONE" },
	{ "timezone +14:01;", "BAD_TIME" },
	{ "policy \"a\"; policy \"b\";", "DUPLICATE_POLICY" },
	/* translations */
	{ "host h = 10.0.0.1, 10.0.0.2; forward 80/tcp from any to h;", "NAT_HOST" },
	{ "zone z { interface e; } forward 80/tcp from any to z;", "NAT_HOST" },
	{ "forward 80/tcp from any to nope;", "UNKNOWN_PLACE" },
	{ "forward 80-81/tcp from any to 10.0.0.1 port 80;", "NAT_PORT" },
	{ "forward 80/tcp, 81/udp from any to 10.0.0.1 port 80;", "NAT_PORT" },
	{ "forward 8/icmp from any to 10.0.0.1 port 80;", "NAT_PORTLESS" },
	{ "forward any from any to 10.0.0.1 port 80;", "NAT_PORTLESS" },
	{ "forward 80/tcp from any to 10.0.0.1 port 0;", "PORT_RANGE" },
	{ "forward 80/tcp from any at fd00::1 to 10.0.0.1;", "NAT_FAMILY" },
	{ "forward 80/tcp from any to 10.0.0.1 ipv6;", "NAT_FAMILY" },
	{ "snat from any to any as fd00::1 ipv4;", "NAT_FAMILY" },
	{ "masquerade from any to any limit 1/second;", "BAD_OPTION" },
	/* assertions */
	{ "assert deny any from any log;", "BAD_OPTION" },
	{ "expect shadwed; allow any;", "EXPECT_UNKNOWN" },
	{ "expect shadowed;", "EXPECT_NOTHING" },
	/* devices */
	{ "device d { hostname x; }", "DEVICE_TARGET" },
	{ "device d { target vms; }", "DEVICE_TARGET" },
	{ "device d { target nft; } device d { target nft; }", "DUPLICATE_DEVICE" },
	{ "device d { target nft; interface e { zone z; } }", "UNKNOWN_ZONE" },
	{ "device d { target nft; interface e { } interface e { } }", "DEVICE_INTERFACE" },
	{ "device d { target nft; interface e { address 10.0.0.0/24; } }", "DEVICE_INTERFACE" },
	{ "device d { target nft; interface e { address 10.0.0.255/24; } }", "DEVICE_INTERFACE" },
	{ "device d { target nft; interface e { address 10.0.0.0/31; } }", "" },
	{ "device d { target nft; cdp timer 4; }", "CDP_LIMITS" },
	{ "device d { target nft; cdp holdtime 256; }", "CDP_LIMITS" },
	{ "device d { target nft; cdp timer 100; cdp holdtime 99; }", "CDP_HOLDTIME" },
};

START_TEST(every_mistake_is_told)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		struct diags *diags;
		policy_of(&diags, mistakes[i].text);
		assert_codes(diags, mistakes[i].text, mistakes[i].codes);
	}
}
END_TEST

START_TEST(one_run_tells_every_mistake)
{
	struct diags *diags;
	const char *text = "allow nope from lan to 10.0.0.1/8;\nhost a = 10.0.0.0/8;\n"
			   "deny any limit 1/second during never;\nforward 80/tcp from any to b;\n";
	policy_of(&diags, text);
	assert_codes(diags, text,
		     "UNKNOWN_SERVICE UNKNOWN_PLACE HOST_BITS HOST_ADDRESSES LIMIT_ON_DENY "
		     "UNKNOWN_SCHEDULE UNKNOWN_PLACE");
}
END_TEST

/* --- places ------------------------------------------------------------------------------------ */

static const char *addresses_text(const struct address_set *set)
{
	struct text *text = text_new(unit_pool());
	for (unsigned family = 0; family < 2; family++) {
		const struct interval_set *part = address_set_family(set, (enum family)family);
		for (size_t i = 0; i < part->items_count; i++) {
			text_add(text, text->length == 0 ? "" : " ");
			address_interval_format(text, (enum family)family, &part->items[i]);
		}
	}
	return text->bytes;
}

static const struct place *from_of(const struct policy *policy, size_t rule)
{
	return &policy->rules[rule]->from->list->items[0];
}

START_TEST(definitions_may_stand_after_use_and_are_folded)
{
	const struct policy *policy = good_policy(
		"allow any from servers; allow any from servers; allow any from 10.0.0.1;"
		"allow any from 10.0.0.1; group servers = dc, 10.0.0.5-10.0.0.9 except 10.0.0.7;"
		"host dc = 10.0.0.1, fd00::1;");
	ck_assert_int_eq(from_of(policy, 0)->kind, PLACE_ADDRESSES);
	ck_assert_str_eq(addresses_text(from_of(policy, 0)->addresses),
			 "10.0.0.1 10.0.0.5-10.0.0.6 10.0.0.8/31 fd00::1");
	ck_assert_ptr_eq(from_of(policy, 0)->addresses, from_of(policy, 1)->addresses);
	ck_assert_ptr_eq(from_of(policy, 2)->addresses, from_of(policy, 3)->addresses);
}
END_TEST

START_TEST(groups_with_zones_stay_lists)
{
	const struct policy *policy =
		good_policy("zone lan { interface e; } group g = lan, self, 10.0.0.1 except 10.0.0.2;"
			    "group h = g, 10.0.0.3; allow any from h;");
	const struct place *place = from_of(policy, 0);
	ck_assert_int_eq(place->kind, PLACE_GROUP);
	ck_assert_uint_eq(place->group->items_count, 2);
	const struct place_list *inner = place->group->items[0].group;
	ck_assert_uint_eq(inner->items_count, 3);
	ck_assert_int_eq(inner->items[0].kind, PLACE_ZONE);
	ck_assert_ptr_eq(inner->items[0].zone, policy->zones[0]);
	ck_assert_int_eq(inner->items[1].kind, PLACE_SELF);
	ck_assert_uint_eq(inner->excepts_count, 1);
	ck_assert(policy->zones[0]->is_used);
}
END_TEST

START_TEST(deep_groups_are_told)
{
	struct text *text = text_new(unit_pool());
	struct diags *diags;
	for (unsigned i = 0; i < 5000; i++)
		text_addf(text, "group g%u = g%u;\n", i, i + 1);
	text_add(text, "group g5000 = 10.0.0.1;");
	policy_of(&diags, text->bytes);
	ck_assert_uint_gt(diags->error_count, 0);
	for (size_t i = 0; i < diags->items_count; i++)
		ck_assert_int_eq(diags->items[i]->code, CODE_TOO_DEEP);
}
END_TEST

START_TEST(blocks_nest)
{
	const struct policy *policy =
		good_policy("from 10.0.0.0/8 { to 11.0.0.0/8 { allow any from 10.1.0.0/16; } deny any; }");
	const struct policy_rule *rule = policy->rules[0];
	ck_assert_str_eq(rule->from->list->items[0].name, "10.1.0.0/16");
	ck_assert_str_eq(rule->from->outer->list->items[0].name, "10.0.0.0/8");
	ck_assert_ptr_null(rule->from->outer->outer);
	ck_assert_str_eq(rule->to->list->items[0].name, "11.0.0.0/8");
	ck_assert_ptr_eq(policy->rules[1]->from, rule->from->outer);
	ck_assert_ptr_null(policy->rules[1]->to);
}
END_TEST

/* --- lists in files --------------------------------------------------------------------------------- */

START_TEST(lists_are_read_relative_to_the_file_that_names_them)
{
	const struct text_file files[] = {
		{ "main.fw", "include \"sub/a.fw\"; allow any from blocked;" },
		{ "sub/a.fw", "network blocked = file \"list.txt\";" },
		{ "sub/list.txt", "\xef\xbb\xbf# addresses\n10.0.0.1\r\n  10.0.0.2 # two\n\n"
				  "192.168.0.0/24\n1.2.3.4-1.2.3.9\nfd00::/64\n0.0.0.0/0" },
		{ NULL, NULL },
	};
	struct diags *diags;
	const struct policy *policy = policy_of_files(&diags, files);
	assert_codes(diags, "", "");
	ck_assert_str_eq(addresses_text(from_of(policy, 0)->addresses), "0.0.0.0/0 fd00::/64");
}
END_TEST

START_TEST(bad_lines_of_lists_are_told_at_their_place)
{
	const struct text_file files[] = {
		{ "main.fw", "network n = file \"l\";" },
		{ "l", "10.0.0.1/8\n1.2.3\n# fine\n01.2.3.4\n1.2.3.9-1.2.3.4\nfd00::1/64\n::/129\n1.2.3.4/33" },
		{ NULL, NULL },
	};
	struct diags *diags;
	policy_of_files(&diags, files);
	ck_assert_uint_eq(diags->error_count, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert_int_eq(diags->items[i]->code, CODE_LIST_ENTRY);
	ck_assert_str_eq(span_place(unit_pool(), diags->sources, diags->items[2]->span), "l:4");
}
END_TEST

START_TEST(no_more_than_twenty_lines_of_a_list_are_told)
{
	struct text *text = text_new(unit_pool());
	for (unsigned i = 0; i < 1000; i++)
		text_add(text, "x\n");
	const struct text_file files[] = {
		{ "main.fw", "network n = file \"l\"; network m = file \"l\";" },
		{ "l", text->bytes },
		{ NULL, NULL },
	};
	struct diags *diags;
	policy_of_files(&diags, files);
	ck_assert_uint_eq(diags->error_count, 21);
}
END_TEST

START_TEST(empty_lists_match_nothing_where_that_is_said)
{
	static const struct {
		const char *text, *codes;
	} cases[] = {
		{ "network n = file \"l\";", "EMPTY_PLACE" },
		{ "network n = file \"l\" or empty;", "LIST_EMPTY" },
		{ "network n = file \"l\" or empty except 10.0.0.1;", "LIST_EMPTY" },
		{ "network n = file \"l\" or empty; group g = 10.0.0.0/8 except n;",
		  "LIST_EMPTY EMPTY_PLACE" },
		{ "network n = file \"m\" or empty; group g = 10.0.0.0/8 except n;", "EMPTY_PLACE" },
		{ "network n = file \"m\" or empty; group h = n, 10.0.0.2; allow any from any except h;",
		  "EMPTY_PLACE" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct text_file files[] = {
			{ "main.fw", cases[i].text }, { "l", "# none\n\n" }, { "m", "10.0.0.1" },
			{ NULL, NULL },
		};
		struct diags *diags;
		policy_of_files(&diags, files);
		assert_codes(diags, cases[i].text, cases[i].codes);
	}
	const struct text_file files[] = {
		{ "main.fw", "deny any from n; network n = file \"l\" or empty;" }, { "l", "" },
		{ NULL, NULL },
	};
	struct diags *diags;
	const struct policy *policy = policy_of_files(&diags, files);
	ck_assert(from_of(policy, 0)->is_empty_file);
	ck_assert(address_set_is_empty(from_of(policy, 0)->addresses));
}
END_TEST

START_TEST(lists_of_any_order_become_sets)
{
	struct text *text = text_new(unit_pool());
	struct address_set wanted = { 0 };
	for (unsigned i = 0; i < 5000; i++) {
		struct prefix prefix = { FAMILY_IPV4, (uint32_t)unit_random(), 9 + unit_below(24) };
		prefix = prefix_network(&prefix);
		prefix_format(text, &prefix);
		text_add_char(text, '\n');
		address_set_add_prefix(unit_pool(), &wanted, &prefix);
	}
	address_set_normalise(&wanted);
	const struct text_file files[] = {
		{ "main.fw", "allow any from n; network n = file \"l\";" }, { "l", text->bytes },
		{ NULL, NULL },
	};
	struct diags *diags;
	const struct policy *policy = policy_of_files(&diags, files);
	assert_codes(diags, "", "");
	ck_assert(address_set_equals(from_of(policy, 0)->addresses, &wanted));
}
END_TEST

/* --- zones --------------------------------------------------------------------------------------------- */

static const char *const interfaces[] = { "e0", "e1", "e2" };
#define INTERFACES 3
#define ADDRESSES 16 /* 0.0.0.0 to 0.0.0.15 stand for all */

struct plain_zone {
	unsigned interfaces; /* mask; 0: no interface line */
	unsigned low, high;  /* addresses; low > high: no network line */
};

static struct plain_zone random_zone(void)
{
	struct plain_zone zone = { .interfaces = unit_below(8), .low = 1 };
	if (zone.interfaces == 0 || unit_below(2) == 0) {
		unsigned size = 1u << unit_below(5);
		zone.low = unit_below(ADDRESSES / size) * size;
		zone.high = zone.low + size - 1;
	}
	return zone;
}

static void write_zone(struct text *text, const struct plain_zone *zone, unsigned number)
{
	text_addf(text, "zone z%u {", number);
	for (unsigned i = 0; i < INTERFACES; i++)
		if ((zone->interfaces & 1u << i) != 0)
			text_addf(text, " interface %s;", interfaces[i]);
	if (zone->low <= zone->high)
		text_addf(text, " network 0.0.0.%u-0.0.0.%u;", zone->low, zone->high);
	text_add(text, " }\n");
}

static bool plain_has(const struct plain_zone *zone, unsigned interface, unsigned address)
{
	return (zone->interfaces == 0 || (zone->interfaces & 1u << interface) != 0) &&
	       (zone->low > zone->high || (zone->low <= address && address <= zone->high));
}

static unsigned plain_size(const struct plain_zone *zone)
{
	unsigned size = 0;
	for (unsigned i = 0; i <= INTERFACES; i++)
		for (unsigned address = 0; address < 1000; address++)
			size += plain_has(zone, i, address);
	return size;
}

/* The smallest zone of one kind that has the point: legal ones are nested. */
static int innermost(const struct plain_zone *zones, unsigned count, bool has_interfaces,
		     unsigned interface, unsigned address)
{
	int best = -1;
	for (unsigned i = 0; i < count; i++)
		if ((zones[i].interfaces != 0) == has_interfaces &&
		    plain_has(&zones[i], interface, address) &&
		    (best < 0 || plain_size(&zones[i]) < plain_size(&zones[best])))
			best = (int)i;
	return best;
}

static int zone_by_rule(const struct plain_zone *zones, unsigned count, bool is_input,
			unsigned interface, unsigned address)
{
	int inner = innermost(zones, count, true, interface, address);
	if (is_input && address == 0) {
		if (inner >= 0)
			return inner;
		for (unsigned i = 0; i < count; i++)
			if ((zones[i].interfaces & 1u << interface) != 0)
				return (int)i;
	}
	int alone = innermost(zones, count, false, interface, address);
	return alone >= 0 ? alone : inner;
}

static int zone_by_boxes(const struct policy *policy, bool is_input, const char *interface,
			 unsigned address)
{
	int found = -1;
	for (size_t i = 0; i < policy->zones_count; i++) {
		const struct place_boxes *boxes =
			is_input ? &policy->zones[i]->input : &policy->zones[i]->routed;
		for (size_t j = 0; j < boxes->boxes_count; j++)
			if (interface_set_contains(&boxes->boxes[j].interfaces, interface) &&
			    interval_set_contains(&boxes->boxes[j].addresses.v4, address)) {
				ck_assert_msg(found < 0, "two zones share a packet");
				found = (int)i;
			}
	}
	return found;
}

START_TEST(every_packet_has_the_zone_that_the_rules_say)
{
	unsigned legal = 0;
	for (unsigned round = 0; round < 3000; round++) {
		struct plain_zone zones[4];
		struct text *text = text_new(unit_pool());
		struct diags *diags;
		unsigned count = 1 + unit_below(4);
		for (unsigned i = 0; i < count; i++) {
			zones[i] = random_zone();
			write_zone(text, &zones[i], i);
		}
		const struct policy *policy = policy_of(&diags, text->bytes);
		if (diags->error_count != 0)
			continue;
		legal++;
		for (unsigned point = 0; point < 2 * (INTERFACES + 1) * (ADDRESSES + 1); point++) {
			bool is_input = point % 2 == 0;
			unsigned interface = point / 2 % (INTERFACES + 1);
			unsigned address = point / 2 / (INTERFACES + 1);
			const char *name = interface < INTERFACES ? interfaces[interface] : "other";
			ck_assert_msg(zone_by_boxes(policy, is_input, name, address) ==
					      zone_by_rule(zones, count, is_input, interface, address),
				      "%s %s 0.0.0.%u, %d instead of %d\n%s",
				      is_input ? "input" : "routed", name, address,
				      zone_by_boxes(policy, is_input, name, address),
				      zone_by_rule(zones, count, is_input, interface, address),
				      text->bytes);
		}
	}
	ck_assert_uint_gt(legal, 300);
}
END_TEST

START_TEST(internet_is_what_no_zone_names)
{
	const struct policy *policy =
		good_policy("zone lan { network 128.0.0.0/1, ::/1; } zone wan { network internet; }"
			    "allow any to internet; allow any to rest; network rest = internet except 0.0.0.0/2;");
	const struct address_set *internet = policy->rules[0]->to->list->items[0].addresses;
	ck_assert_str_eq(addresses_text(internet), "0.0.0.0/1 8000::/1");
	ck_assert(address_set_equals(internet, &policy->zones[1]->networks));
	ck_assert_str_eq(addresses_text(policy->rules[1]->to->list->items[0].addresses),
			 "64.0.0.0/2 8000::/1");
}
END_TEST

START_TEST(crossing_and_equal_zones_are_told)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
		{ "zone a { interface e; network 10.0.0.0/8; } zone b { interface e; network 10.0.0.0/8; }",
		  "ZONES_EQUAL" },
		{ "zone a { interface e, f; network 10.0.0.0/8; }"
		  "zone b { interface f, g; network 10.0.0.0/8; }", "ZONES_CROSS" },
		{ "zone a { network 10.0.0.0-10.0.0.9; } zone b { network 10.0.0.5-10.0.0.19; }",
		  "ZONES_CROSS" },
		{ "zone a { interface e; network 10.0.0.0/8; } zone b { network 10.0.0.0/9; }", "" },
		{ "zone a { interface e; } zone b { interface e; network 10.0.0.0/9; }", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct diags *diags;
		policy_of(&diags, cases[i].text);
		assert_codes(diags, cases[i].text, cases[i].code);
	}
}
END_TEST

/* --- time ---------------------------------------------------------------------------------------------- */

START_TEST(schedules_hold_the_minutes_that_they_say)
{
	static const struct {
		const char *text;
		const char *minutes;
	} cases[] = {
		{ "schedule s = mon 00:00-24:00;", "0-1439" },
		{ "schedule s = any 00:00-24:00;", "0-10079" },
		{ "schedule s = mon-tue 08:00-09:00;", "480-539 1920-1979" },
		{ "schedule s = mon, wed 08:00-09:00;", "480-539 3360-3419" },
		{ "schedule s = sun-mon 08:00-09:00;", "480-539 9120-9179" },
		{ "schedule s = sun 22:00-06:00;", "0-359 9960-10079" },
		{ "timezone +01:00; schedule s = mon 00:00-01:00;", "10020-10079" },
		{ "schedule s = mon 00:00-02:00; timezone +01:00;", "0-59 10020-10079" },
		{ "timezone -05:30; schedule s = sun 18:00-24:00;", "0-329 10050-10079" },
		{ "timezone utc; schedule s = mon 00:00-00:01;", "0" },
		{ "timezone +01:00; schedule s = daily 00:00-24:00;", "0-10079" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = pool_format(unit_pool(), "%s allow any during s;", cases[i].text);
		const struct schedule *schedule = good_policy(text)->rules[0]->options->during;
		struct text *found = text_new(unit_pool());
		for (size_t j = 0; j < schedule->minutes.items_count; j++) {
			struct interval span = schedule->minutes.items[j];
			text_addf(found, "%s%u", j == 0 ? "" : " ", (unsigned)span.low);
			if (span.high != span.low)
				text_addf(found, "-%u", (unsigned)span.high);
		}
		ck_assert_str_eq(found->bytes, cases[i].minutes);
	}
}
END_TEST

START_TEST(until_is_the_end_of_its_day)
{
	const struct policy *policy = good_policy("allow any until 2030-01-01;");
	ck_assert_int_eq(policy->rules[0]->options->until, 1893542400); /* 2030-01-02 00:00 UTC */
	struct diags *diags;
	policy = policy_of(&diags, "allow any until 2026-11-20; allow any;");
	ck_assert_uint_eq(policy->rules_count, 2);
	ck_assert(policy->rules[0]->is_expired);
	ck_assert(!policy->rules[1]->is_expired);
}
END_TEST

/* --- the rest -------------------------------------------------------------------------------------------- */

START_TEST(options_are_kept)
{
	const struct policy *policy = good_policy(
		"allow any log \"x \" count limit 10/minute burst 7 per source ipv6 stateless rescue "
		"because \"b\" owner \"o\" id i.1; allow any limit 3/day;");
	const struct policy_options *options = policy->rules[0]->options;
	ck_assert(options->has_log && options->has_count && options->is_stateless &&
		  options->is_rescue);
	ck_assert_str_eq(options->log_prefix, "x ");
	ck_assert_uint_eq(options->limit->rate, 10);
	ck_assert_uint_eq(options->limit->unit_s, 60);
	ck_assert_uint_eq(options->limit->burst, 7);
	ck_assert(options->limit->is_per_source);
	ck_assert_uint_eq(options->families, FAMILIES_IPV6);
	ck_assert_str_eq(options->because, "b");
	ck_assert_str_eq(options->owner, "o");
	ck_assert_str_eq(options->id, "i.1");
	ck_assert_uint_eq(policy->rules[1]->options->limit->burst, 5);
	ck_assert_uint_eq(policy->rules[1]->options->families, FAMILIES_BOTH);
}
END_TEST

START_TEST(hooks_have_their_defaults)
{
	const struct policy *policy = good_policy("allow any; default forward reject log;");
	ck_assert_int_eq(policy->defaults[HOOK_INPUT].verdict, VERDICT_DENY);
	ck_assert(!policy->defaults[HOOK_INPUT].is_written);
	ck_assert_int_eq(policy->defaults[HOOK_FORWARD].verdict, VERDICT_REJECT);
	ck_assert(policy->defaults[HOOK_FORWARD].options.has_log);
	ck_assert_int_eq(policy->defaults[HOOK_OUTPUT].verdict, VERDICT_ALLOW);
	policy = good_policy("default allow;");
	ck_assert_int_eq(policy->defaults[HOOK_INPUT].verdict, VERDICT_ALLOW);
	ck_assert_int_eq(policy->defaults[HOOK_FORWARD].verdict, VERDICT_ALLOW);
}
END_TEST

START_TEST(a_forward_is_a_translation_and_a_rule)
{
	const struct policy *policy =
		good_policy("allow 1/tcp; host web = 10.0.0.1, fd00::1;"
			    "forward 2222/tcp+udp from 11.0.0.0/8 at 80.1.0.2 to web port 22;"
			    "deny 2/tcp; masquerade from any to any; snat from any to any as fd00::9;");
	ck_assert_uint_eq(policy->translations_count, 3);
	ck_assert_uint_eq(policy->rules_count, 3);
	const struct translation *forward = policy->translations[0];
	const struct policy_rule *rule = policy->rules[1];
	ck_assert_ptr_eq(rule->translation, forward);
	ck_assert_int_eq(rule->verdict, VERDICT_ALLOW);
	ck_assert_uint_eq(rule->number, 1);
	ck_assert_uint_eq(forward->port, 22);
	ck_assert_uint_eq(forward->services.tuples[0].first.low, 2222);
	ck_assert_uint_eq(rule->services[0].tuples.tuples_count, 2);
	ck_assert_uint_eq(rule->services[0].tuples.tuples[0].first.low, 22);
	ck_assert_uint_eq(rule->options->families, FAMILIES_IPV4);
	ck_assert(forward->has_host[FAMILY_IPV4] && forward->has_host[FAMILY_IPV6]);
	ck_assert_str_eq(addresses_text(&forward->at), "80.1.0.2");
	ck_assert_str_eq(addresses_text(rule->to->list->items[0].addresses), "10.0.0.1 fd00::1");
	ck_assert_uint_eq(policy->translations[1]->options.families, FAMILIES_IPV4);
	ck_assert_uint_eq(policy->translations[2]->options.families, FAMILIES_IPV6);
}
END_TEST

static const char site_text[] =
	"zone lan { network 192.168.0.0/24; } zone far { network 172.16.0.0/24; }"
	"zone wan { network internet; } zone inner { }"
	"device SITE1 { target cisco-ios; interface Serial0/0 { zone wan; address 80.1.0.2/30;"
	" clock-rate 2000000; } interface Loopback0 { zone lan; address 192.168.0.1/24; }"
	" interface Loopback1 { zone inner; address 10.9.0.1/24; }"
	" route default via 80.1.0.1; replies established; cdp off on wan; denied silent;"
	" degrade limit; }"
	"device SITE2 { target cisco-ios; interface Serial0/0 { zone wan; address 80.2.0.2/30; } }"
	"tunnel paris-lyon { between SITE1 on wan, SITE2 on wan; carry 192.168.0.0/24 <-> 172.16.0.0/24;"
	" ike { version 1; encryption aes; hash sha; group 2; lifetime 86400; }"
	" esp { encryption aes; hash sha; lifetime 4096 kilobytes; } key env \"K\"; }"
	"tunnel out { between SITE1 on wan and peer 80.3.0.2; carry 192.168.0.0/25 <-> 10.8.0.0/24;"
	" ike { version 2; encryption aes; hash sha; group 14; } esp { encryption aes; hash sha; }"
	" key file \"k\"; }"
	"allow any from lan to paris-lyon;";

START_TEST(devices_and_tunnels_are_read)
{
	const struct policy *policy = good_policy(site_text);
	ck_assert_uint_eq(policy->devices_count, 2);
	const struct device *site = policy->devices[0];
	ck_assert_str_eq(site->target, "cisco-ios");
	ck_assert_uint_eq(site->interfaces_count, 3);
	ck_assert_uint_eq(site->interfaces[0].clock_rate, 2000000);
	ck_assert_ptr_eq(site->interfaces[0].zone, policy->zones[2]);
	ck_assert(site->routes[0].is_default && site->is_denied_silent && site->degrades_limit);
	ck_assert_int_eq(site->replies, REPLIES_ESTABLISHED);
	ck_assert_ptr_eq(site->cdp_off[0].zone, policy->zones[2]);
	ck_assert_str_eq(addresses_text(&policy->zones[3]->networks), "10.9.0.0/24");
	const struct tunnel *tunnel = policy->tunnels[0];
	ck_assert_ptr_eq(tunnel->ends[1].device, policy->devices[1]);
	ck_assert_uint_eq(tunnel->ike_count, 5);
	ck_assert_str_eq(tunnel->esp[2].unit, "kilobytes");
	ck_assert_str_eq(tunnel->key_env, "K");
	ck_assert_ptr_null(policy->tunnels[1]->ends[1].device);
	ck_assert_uint_eq((uint32_t)policy->tunnels[1]->ends[1].peer.value, 0x50030002);
	ck_assert_str_eq(addresses_text(policy->rules[0]->to->list->items[0].addresses),
			 "172.16.0.0/24 192.168.0.0/24");
}
END_TEST

START_TEST(assertions_and_expectations_are_kept)
{
	const struct policy *policy =
		good_policy("assert deny 22/tcp from 10.0.0.0/8; assert only 53/udp; assert unchanged from any;"
			    "expect shadowed because \"why\"; expect unused; allow any;");
	ck_assert_uint_eq(policy->assertions_count, 3);
	ck_assert_int_eq(policy->assertions[0].verdict, VERDICT_DENY);
	ck_assert_int_eq(policy->assertions[1].kind, ASSERTION_ONLY);
	ck_assert_int_eq(policy->assertions[2].kind, ASSERTION_UNCHANGED);
	ck_assert_uint_eq(policy->assertions[2].services.tuples[0].protocol, PROTOCOL_ANY);
	ck_assert_uint_eq(policy->expectations_count, 2);
	ck_assert_str_eq(policy->expectations[0].because, "why");
	ck_assert_uint_eq(policy->expectations[0].statement.begin,
			  policy->rules[0]->span.begin);
	ck_assert_uint_eq(policy->expectations[1].statement.begin,
			  policy->rules[0]->span.begin);
}
END_TEST

START_TEST(a_policy_prints)
{
	struct text *text = text_new(unit_pool());
	policy_print(text, good_policy(site_text));
	ck_assert_ptr_nonnull(strstr(text->bytes, "rule 0 policy.fw:1 allow any from zone lan to "
						  "(172.16.0.0/24, 192.168.0.0/24)\n"));
	ck_assert_ptr_nonnull(strstr(text->bytes, "default input deny (not written)\n"));
}
END_TEST

static Suite *resolve_suite(void)
{
	Suite *suite = suite_create("resolve");
	TCase *told = unit_case(suite, "mistakes");
	tcase_add_test(told, every_mistake_is_told);
	tcase_add_test(told, one_run_tells_every_mistake);
	TCase *places = unit_case(suite, "places");
	tcase_add_test(places, definitions_may_stand_after_use_and_are_folded);
	tcase_add_test(places, groups_with_zones_stay_lists);
	tcase_add_test(places, deep_groups_are_told);
	tcase_add_test(places, blocks_nest);
	TCase *lists = unit_case(suite, "lists");
	tcase_add_test(lists, lists_are_read_relative_to_the_file_that_names_them);
	tcase_add_test(lists, bad_lines_of_lists_are_told_at_their_place);
	tcase_add_test(lists, no_more_than_twenty_lines_of_a_list_are_told);
	tcase_add_test(lists, empty_lists_match_nothing_where_that_is_said);
	tcase_add_test(lists, lists_of_any_order_become_sets);
	TCase *zones = unit_case(suite, "zones");
	tcase_add_test(zones, every_packet_has_the_zone_that_the_rules_say);
	tcase_add_test(zones, internet_is_what_no_zone_names);
	tcase_add_test(zones, crossing_and_equal_zones_are_told);
	TCase *time = unit_case(suite, "time");
	tcase_add_test(time, schedules_hold_the_minutes_that_they_say);
	tcase_add_test(time, until_is_the_end_of_its_day);
	TCase *rest = unit_case(suite, "rest");
	tcase_add_test(rest, options_are_kept);
	tcase_add_test(rest, hooks_have_their_defaults);
	tcase_add_test(rest, a_forward_is_a_translation_and_a_rule);
	tcase_add_test(rest, devices_and_tunnels_are_read);
	tcase_add_test(rest, assertions_and_expectations_are_kept);
	tcase_add_test(rest, a_policy_prints);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { resolve_suite, NULL };
	return unit_run(suites);
}
