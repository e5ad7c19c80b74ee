/* A list says of every packet what the rules say of it: asked line by line, by a reading of the model that
 * shares nothing with the writer. */
#include <string.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "net/protocol.h"
#include "policy_text.h"
#include "rules/evaluate.h"
#include "target/cisco/cisco.h"
#include "target/cisco/model/cover.h"
#include "target/cisco/lower/report.h"
#include "target/cisco/model/safe.h"
#include "unit.h"

#define PACKETS 3000

static struct ruleset *ruleset_of(struct diags **diags, const char *text)
{
	const struct resolve_settings settings = {
		.today = TEST_TODAY,
		.is_by_address = true,
	};
	const struct text_file files[] = { { "policy.fw", text }, { NULL, NULL } };
	struct program *program = program_of(diags, files);
	struct policy *policy = resolve_policy(unit_pool(), *diags, program, &settings);

	ck_assert_msg(!diags_has_errors(*diags), "%s", text);
	return expand_policy(unit_pool(), *diags, policy);
}

static struct ios_config *config_of(const struct ruleset *ruleset, struct diags *diags, bool has_ipv6)
{
	const struct cisco_settings settings = { .has_ipv6 = has_ipv6 };
	struct ios_config *config = cisco_lower(unit_pool(), diags, ruleset, &settings);

	ck_assert_ptr_nonnull(config);
	return config;
}

/* --- the plainest reading of a list ----------------------------------------------------------- */

static bool place_holds(const struct ios_place *place, number128 address)
{
	return ((place->value ^ address) & ~place->wildcard) == 0;
}

static bool ports_hold(const struct ios_ports *ports, uint16_t port)
{
	switch (ports->operator) {
	case IOS_PORTS_ANY:
		return true;
	case IOS_PORTS_EQ:
		for (unsigned index = 0; index < ports->ports_count; index++)
			if (ports->ports[index] == port)
				return true;
		return false;
	case IOS_PORTS_RANGE:
		return ports->ports[0] <= port && port <= ports->ports[1];
	case IOS_PORTS_GT:
		return port > ports->ports[0];
	case IOS_PORTS_LT:
		return port < ports->ports[0];
	case IOS_PORTS_NEQ:
		return port != ports->ports[0];
	}
	return false;
}

static bool line_holds(const struct ios_line *line, const struct packet *packet)
{
	bool is_icmp = packet->protocol == (packet->family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6);

	if (line->kind != IOS_LINE_ENTRY || !place_holds(line->source, packet->source) ||
	    !place_holds(line->destination, packet->destination))
		return false;
	if (line->protocol == IOS_PROTOCOL_IP)
		return true;
	if (line->protocol != packet->protocol)
		return false;
	if (is_icmp)
		return (line->icmp_type == IOS_ICMP_ANY || line->icmp_type == packet->first) &&
		       (line->icmp_code == IOS_ICMP_ANY || line->icmp_code == packet->second);
	return ports_hold(line->destination_ports, packet->first) &&
	       ports_hold(line->source_ports, packet->second);
}

static bool list_permits(const struct ios_list *list, const struct packet *packet)
{
	for (size_t index = 0; index < list->lines_count; index++)
		if (line_holds(&list->lines[index], packet))
			return list->lines[index].action == IOS_PERMIT;
	return false;
}

/* --- packets ---------------------------------------------------------------------------------- */

static const struct ios_list *list_of(const struct ios_config *config, enum family family)
{
	for (size_t index = 0; index < config->lists_count; index++)
		if (config->lists[index]->family == family)
			return config->lists[index];
	return NULL;
}

static number128 random_address(enum family family)
{
	static const uint32_t v4[] = { 0x0a000000, 0x0a010000, 0xc0a80000, 0xc0a80100, 0x08080808, 0xc0a80180 };
	uint32_t near = v4[unit_below(6)] + (unit_below(3) == 0 ? unit_below(512) : 0);

	if (family == FAMILY_IPV4)
		return unit_below(8) == 0 ? (uint32_t)unit_random() : near;
	return ((number128)(unit_below(2) == 0 ? 0xfd000001u : 0x20010db8u) << 96) + (number128)(unit_below(4));
}

static struct packet random_packet(enum family family)
{
	static const uint8_t protocols[] = { 1, 6, 6, 6, 17, 17, 47, 58, 132 };
	static const uint16_t ports[] = { 22, 25, 53, 79, 80, 81, 82, 83, 84, 123, 443, 1024, 5000 };
	struct packet packet = {
		.hook = HOOK_FORWARD,
		.in = "eth0",
		.out = "eth1",
		.family = family,
		.source = random_address(family),
		.destination = random_address(family),
		.protocol = protocols[unit_below(sizeof protocols)],
		.first = ports[unit_below(sizeof ports / sizeof ports[0])],
		.second = (uint16_t)(unit_below(2) == 0 ? 68 : unit_below(65536)),
	};

	if (packet.protocol == 1 || packet.protocol == 58) {
		packet.first = (uint16_t)(unit_below(2) == 0 ? 8 : unit_below(256));
		packet.second = (uint16_t)(unit_below(3));
	}
	return packet;
}

/* Neighbour discovery and multicast listeners pass whatever the rules say. */
static bool is_judged(const struct packet *packet)
{
	return packet->family == FAMILY_IPV4 || packet->protocol != PROTOCOL_ICMP6 ||
	       packet->first < 130 || (packet->first > 136 && packet->first != 143);
}

static const char *const policies[] = {
	"allow kerberos, ldap; deny p2p",
	"allow 80-81/tcp to 192.168.0.0/25; allow 82/tcp, 83/tcp to 192.168.0.128/25;"
	"allow 443/tcp to 192.168.0.0/24; deny 81/tcp to 192.168.0.9; default deny;",
	"zone lan { network 192.168.0.0/24, fd00:1::/64; } zone dmz { network 192.168.1.0/24; }"
	"zone wan { network internet; }"
	"allow https, dns from lan to wan; allow ssh from lan to dmz; deny smtp from any to wan;"
	"allow https from wan to dmz; deny any from 192.168.1.128/25; allow 25/tcp from dmz to wan;",
	"zone lan { network 10.0.0.0/8, 192.168.0.0/16; } zone wan { network internet; }"
	"deny any/udp from wan to 10.0.0.0/16 log; allow any from wan to 10.1.0.0/16 except 10.1.0.7;"
	"allow 79-84/tcp from lan to wan count; allow echo-request/icmp, 8:1/icmp; deny 47/ip from lan;"
	"allow 47/ip;",
	"deny any/tcp except 80/tcp from 10.0.0.0/8; deny 2-255/udp from 10.0.0.0/9;"
	"allow 67/udp sport 68, any/sctp; default allow;",
	"allow any/icmp except echo-request/icmp; allow any/tcp except 22-25/tcp from any to 10.0.0.0/15;"
	"deny 443/tcp from 10.0.0.0/16; allow 443/tcp from 10.0.0.0/17; allow 443/tcp from 10.0.128.0/17;",
};

static void check_family(const struct ruleset *ruleset, const struct ios_config *config, enum family family,
			 const char *text)
{
	const struct ios_list *list = list_of(config, family);

	ck_assert_ptr_nonnull(list);
	for (unsigned number = 0; number < PACKETS; number++) {
		struct packet packet = random_packet(family);
		bool is_allowed = ruleset_evaluate(ruleset, &packet).outcome->verdict == VERDICT_ALLOW;

		ck_assert_msg(!is_judged(&packet) || list_permits(list, &packet) == is_allowed,
			      "%s\n%08llx -> %08llx protocol %u %u %u: the policy %s", text,
			      (unsigned long long)packet.source, (unsigned long long)packet.destination,
			      packet.protocol, packet.first, packet.second, is_allowed ? "allows" : "denies");
	}
}

START_TEST(lists_say_what_rules_say)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, policies[_i]);
	struct ios_config *config = config_of(ruleset, diags, true);

	check_family(ruleset, config, FAMILY_IPV4, policies[_i]);
	check_family(ruleset, config, FAMILY_IPV6, policies[_i]);
}
END_TEST

/* Every list ends with an entry for every packet: an empty list would permit all. */
START_TEST(lists_end_with_everything)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, policies[_i]);
	struct ios_config *config = config_of(ruleset, diags, true);

	for (size_t index = 0; index < config->lists_count; index++) {
		const struct ios_list *list = config->lists[index];
		const struct ios_line *last = &list->lines[list->lines_count - 1];

		ck_assert_uint_eq(last->kind, IOS_LINE_ENTRY);
		ck_assert_uint_eq(last->protocol, IOS_PROTOCOL_IP);
		ck_assert(last->source->wildcard == family_highest(list->family));
		ck_assert(last->destination->wildcard == family_highest(list->family));
	}
}
END_TEST

START_TEST(neighbours_are_two_entries_at_best)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags,
		"allow 80-81/tcp, 82/tcp to 192.168.0.0/25; allow 443/tcp to 192.168.0.7;"
		"allow 80-82/tcp to 192.168.0.128/25; allow 83/tcp, 443/tcp to 192.168.0.0/24;");
	struct ios_config *config = config_of(ruleset, diags, false);
	struct text *out = text_new(unit_pool());

	cisco_report(out, config);
	ck_assert_str_eq(out->bytes, "FWC: 4 rules, 3 entries, 3 in hardware, 1 range registers\n");
}
END_TEST

/* --- covers ----------------------------------------------------------------------------------- */

START_TEST(covers_hold_what_they_must)
{
	struct interval_set set = { 0 }, free = { 0 };
	for (unsigned part = 0; part < 3; part++) {
		number128 low = unit_below(200), other = unit_below(200);
		interval_set_add(unit_pool(), &set, low, low + unit_below(40));
		if (_i % 2 == 1)
			interval_set_add(unit_pool(), &free, other, other + unit_below(40));
	}
	interval_set_normalise(&set);
	interval_set_normalise(&free);
	struct ios_cover cover = cover_of(unit_pool(), FAMILY_IPV4, &set, &free);
	for (number128 address = 0; address < 300; address++) {
		bool is_held = false;
		for (size_t index = 0; index < cover.prefixes_count; index++) {
			struct interval interval = prefix_interval(&cover.prefixes[index]);
			is_held = is_held || (interval.low <= address && address <= interval.high);
		}
		if (!interval_set_contains(&free, address))
			ck_assert_int_eq(is_held, interval_set_contains(&set, address));
	}
}
END_TEST

/* --- text ------------------------------------------------------------------------------------- */

static const struct {
	const char *text, *safe;
} texts[] = {
	{ "a  b\n\tc", "a b c" },
	{ "what?", "what." },
	{ " \"quoted\" ", "'quoted'" },
	{ "\xc3\xa9\x01z", "..z" },
	{ "0123456789 x", "0123456789" },
	{ "012345678 xyz", "012345678" },
};

START_TEST(text_is_made_safe)
{
	size_t length = strlen(texts[_i].text);
	ck_assert_str_eq(safe_text(unit_pool(), texts[_i].text, length, _i < 4 ? 100 : 10), texts[_i].safe);
}
END_TEST

static const struct {
	const char *id, *cookie; /* NULL: none */
} cookies[] = {
	{ "1f0c", "1f0c" }, { "ssh.in", "sshZpin" }, { "default-forward", "defaultZdforward" }, { "0x12", NULL },
	{ "r", NULL }, { "fragment", NULL }, { "Time", NULL }, { "a+b", "aZx2bb" }, { "", NULL },
	{ "a_Z", "aZuZZ" }, { "a b", "aZx20b" }, { "--------------------------------x", NULL },
};

START_TEST(cookies_are_no_keywords)
{
	const char *cookie = safe_cookie(unit_pool(), cookies[_i].id);

	if (cookies[_i].cookie == NULL)
		ck_assert_ptr_null(cookie);
	else
		ck_assert_str_eq(cookie, cookies[_i].cookie);
}
END_TEST

static Suite *cisco_list_suite(void)
{
	Suite *suite = suite_create("cisco lists");
	TCase *lists = unit_case(suite, "lists");
	TCase *text = unit_case(suite, "text");

	tcase_add_loop_test(lists, lists_say_what_rules_say, 0, sizeof policies / sizeof policies[0]);
	tcase_add_loop_test(lists, lists_end_with_everything, 0, sizeof policies / sizeof policies[0]);
	tcase_add_test(lists, neighbours_are_two_entries_at_best);
	tcase_add_loop_test(lists, covers_hold_what_they_must, 0, 100);
	tcase_add_loop_test(text, text_is_made_safe, 0, sizeof texts / sizeof texts[0]);
	tcase_add_loop_test(text, cookies_are_no_keywords, 0, sizeof cookies / sizeof cookies[0]);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { cisco_list_suite, NULL };

	return unit_run(suites);
}
