/* Which hooks a rule speaks of, with which boxes; what matches nothing is said. */
#include <string.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "policy_text.h"
#include "unit.h"

Suite *expand_law_suite(void);

#define PREAMBLE                                                                                  \
	"zone lan { interface eth1; network 192.168.0.0/24, fd00:1::/64; }\n"                     \
	"zone wan { interface eth0; network internet; }\n"                                        \
	"zone bare { interface eth2; }\nzone old { interface eth3; network 172.16.0.0/16; }\n"        \
	"host dc1 = 192.168.0.10, fd00:1::10;\nhost four = 10.0.0.4;\nhost six = fd00::6;\n"      \
	"group mixed = four, self;\ngroup zoned = lan, four;\n"

static struct ruleset *ruleset_of(struct diags **diags, const char *text)
{
	const char *whole = pool_format(unit_pool(), PREAMBLE "%s", text);
	struct policy *policy = policy_of(diags, whole);

	ck_assert_msg(!diags_has_errors(*diags), "%s", text);
	return expand_policy(unit_pool(), *diags, policy);
}

/* --- the table of hooks ---------------------------------------------------------------------- */

/* counts of the IR's rules in input, forward, output */
static const struct {
	const char *text;
	size_t counts[HOOK_COUNT];
} hook_rows[] = {
	{ "allow ssh;", { 1, 1, 1 } },
	{ "allow ssh from self;", { 0, 0, 1 } },
	{ "allow ssh from lan;", { 1, 1, 0 } },
	{ "allow ssh from four;", { 1, 1, 1 } },
	{ "allow ssh to self;", { 1, 0, 0 } },
	{ "allow ssh to lan;", { 0, 1, 1 } },
	{ "allow ssh to four;", { 1, 1, 1 } },
	{ "allow ssh from lan to self;", { 1, 0, 0 } },
	{ "allow ssh from lan to wan;", { 0, 1, 0 } },
	{ "allow ssh from lan to dc1;", { 1, 1, 0 } },
	{ "allow ssh from self to wan;", { 0, 0, 1 } },
	{ "allow ssh from any to wan;", { 0, 1, 1 } },
	{ "allow ssh from four to wan;", { 0, 1, 0 } },
	{ "allow ssh from four to dc1;", { 1, 1, 1 } },
	{ "allow ssh from mixed to wan;", { 0, 1, 1 } },
	{ "allow ssh from four, self to wan, dc1;", { 1, 1, 1 } },
	{ "allow ssh from zoned to self;", { 1, 0, 0 } },
	{ "allow ssh from any except self to any;", { 1, 1, 0 } },
	{ "allow ssh from any to any except self;", { 0, 1, 1 } },
	{ "allow ssh from any except self to any except self;", { 0, 1, 0 } },
	{ "from lan { allow ssh from dc1; }", { 1, 1, 0 } },
	{ "to wan { allow ssh from four; }", { 0, 1, 0 } },
	{ "from any { allow ssh from four to wan; }", { 0, 1, 0 } },
	{ "allow ssh until 2026-11-01;", { 0, 0, 0 } },
	{ "allow ftp, ssh from lan to wan;", { 0, 2, 0 } },
	{ "deny ftp, ssh from lan to wan;", { 0, 1, 0 } },
};

START_TEST(hooks_follow_the_table)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, hook_rows[_i].text);

	ck_assert_msg(!diags_has_errors(diags), "%s", hook_rows[_i].text);
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		ck_assert_msg(ruleset->rules_count[hook] == hook_rows[_i].counts[hook],
			      "%s: hook %zu has %zu rules", hook_rows[_i].text, hook,
			      ruleset->rules_count[hook]);
}
END_TEST

/* --- every cell of it -------------------------------------------------------------------------- */

/* what a place is in input, forward, output; "-": nothing */
struct cells {
	const char *place;
	const char *cells[HOOK_COUNT];
};

#define LAN "192.168.0.0/24,fd00:1::/64 on eth1"
#define LAN_INPUT "0.0.0.0,192.168.0.0/24,fd00:1::/64,fe80::/10 on eth1"

static const struct cells from_cells[] = {
	{ "any", { "any", "any", "any" } },
	{ "self", { "-", "-", "any" } },
	{ "lan", { LAN_INPUT, LAN, "-" } },
	{ "four", { "10.0.0.4", "10.0.0.4", "10.0.0.4" } },
	{ "mixed", { "10.0.0.4", "10.0.0.4", "any" } },
	{ "zoned", { "0.0.0.0,10.0.0.4,192.168.0.0/24,fd00:1::/64,fe80::/10 on eth1; 10.0.0.4 not on eth1",
		     "10.0.0.4,192.168.0.0/24,fd00:1::/64 on eth1; 10.0.0.4 not on eth1", "10.0.0.4" } },
	{ "any except self", { "any", "any", "-" } },
	{ "bare", { "any on eth2", "any on eth2", "-" } },
	{ "any except bare", { "any not on eth2", "any not on eth2", "any" } },
	{ "lan except 192.168.0.0/25", { "0.0.0.0,192.168.0.128/25,fd00:1::/64,fe80::/10 on eth1",
					 "192.168.0.128/25,fd00:1::/64 on eth1", "-" } },
	{ "lan, bare", { LAN_INPUT "; any on eth2", LAN "; any on eth2", "-" } },
};

static const struct cells to_cells[] = {
	{ "any", { "any", "any", "any" } },
	{ "self", { "any", "-", "-" } },
	{ "lan", { "-", LAN, LAN } },
	{ "four", { "10.0.0.4", "10.0.0.4", "10.0.0.4" } },
	{ "mixed", { "any", "10.0.0.4", "10.0.0.4" } },
	{ "any except self", { "-", "any", "any" } },
	{ "bare", { "-", "any on eth2", "any on eth2" } },
	{ "any except bare", { "any", "any not on eth2", "any not on eth2" } },
};

static void add_box(struct text *out, const struct place_box *box)
{
	const struct interface_set *interfaces = &box->interfaces;
	enum family families[] = { FAMILY_IPV4, FAMILY_IPV6 };
	const char *between = "";

	if (address_set_is_all(&box->addresses))
		text_add(out, "any");
	for (size_t family = 0; family < 2 && !address_set_is_all(&box->addresses); family++) {
		const struct interval_set *set = address_set_family(&box->addresses,
								    families[family]);

		for (size_t index = 0; index < set->items_count; index++, between = ",") {
			text_add(out, between);
			address_interval_format(out, families[family], &set->items[index]);
		}
	}
	for (size_t index = 0; index < interfaces->names_count; index++)
		text_addf(out, "%s on %s", interfaces->is_complement ? " not" : "",
			  interfaces->names[index]);
}

static const char *cell_of(const struct ruleset *ruleset, enum hook hook, bool is_from)
{
	struct text *out = text_new(unit_pool());

	if (ruleset->rules_count[hook] == 0)
		return "-";
	for (size_t rule = 0; rule < ruleset->rules_count[hook]; rule++) {
		const struct match *match = &ruleset->rules[hook][rule]->match;
		const struct place_boxes *boxes = is_from ? &match->from : &match->to;

		for (size_t index = 0; index < boxes->boxes_count; index++) {
			text_add(out, rule + index > 0 ? "; " : "");
			add_box(out, &boxes->boxes[index]);
		}
	}
	return out->bytes;
}

static void check_cells(const struct cells *row, bool is_from)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(
		&diags, pool_format(unit_pool(), "allow ssh %s %s;", is_from ? "from" : "to", row->place));

	assert_codes(diags, row->place, "");
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		ck_assert_msg(strcmp(cell_of(ruleset, (enum hook)hook, is_from), row->cells[hook]) == 0,
			      "%s in hook %u: %s", row->place, hook,
			      cell_of(ruleset, (enum hook)hook, is_from));
}

START_TEST(sources_are_as_the_table_says)
{
	check_cells(&from_cells[_i], true);
}
END_TEST

START_TEST(destinations_are_as_the_table_says)
{
	check_cells(&to_cells[_i], false);
}
END_TEST

/* --- what matches nothing --------------------------------------------------------------------- */

static const struct {
	const char *text, *codes;
} mistakes[] = {
	{ "allow ssh from four to six;", "FAMILY_MISMATCH" },
	{ "allow ssh from four ipv6;", "FAMILY_MISMATCH" },
	{ "allow 128/icmp6 from four to dc1;", "SERVICE_FAMILY" },
	{ "allow 128/icmp6, ssh from four to dc1;", "SERVICE_FAMILY" },
	{ "allow 128/ICMP6, ssh from four to dc1;", "SERVICE_FAMILY" },
	{ "allow ping except 8/icmp from four to dc1;", "SERVICE_FAMILY" },
	{ "allow ping from four to dc1;", "" },
	/* what a zone has on input alone is no family of its own, but for link-local services */
	{ "allow ssh from old to six;", "FAMILY_MISMATCH" },
	{ "allow 128/icmp6 from old to dc1;", "SERVICE_FAMILY" },
	{ "allow 128/icmp6 from old to self;", "" },
	{ "allow 5353/udp from old to ff02::fb;", "" },
	{ "allow ssh from self to self;", "RULE_EMPTY" },
	{ "from lan { allow ssh from wan; }", "BLOCK_EMPTY" },
	{ "from lan to wan { allow ssh from 10.0.0.4; }", "BLOCK_EMPTY" },
	{ "from lan { from wan { allow ssh; deny p2p; } }", "BLOCK_EMPTY" },
	{ "from four { from any { allow ssh from dc1; } }", "BLOCK_EMPTY" },
	{ "from lan { allow ssh from 192.168.0.5, 10.0.0.4; }", "BLOCK_OUTSIDE" },
	{ "from lan { allow ssh from 192.168.0.0/16; }", "BLOCK_OUTSIDE" },
	{ "from lan { allow ssh from zoned; }", "BLOCK_OUTSIDE" },
	{ "from lan { allow ssh from lan, self; }", "BLOCK_OUTSIDE" },
	{ "from lan { allow ssh from any; }", "BLOCK_OUTSIDE" },
	{ "from any { allow ssh from any, lan, self, four; }", "" },
	{ "from lan { allow ssh from 192.168.0.5; }", "" },
	{ "from 192.168.0.0/16, fd00::/16 { allow ssh from lan; }", "" },
	{ "from 192.168.0.0/16 { allow ssh from lan; }", "BLOCK_OUTSIDE" },
	{ "from 10.0.0.0/8 except 10.1.0.0/16 { allow ssh from 10.0.0.0/8 except 10.1.0.0/16; }", "" },
	/* a block that reaches out says so once, and so does a rule without places of its own */
	{ "from lan { from 192.168.0.0/16 { allow ssh; deny p2p; allow dns from 192.168.0.9; } }",
	  "BLOCK_OUTSIDE" },
	{ "from lan { from 192.168.0.0/16 { allow dns from 192.168.0.9; allow ssh; deny p2p; } }",
	  "BLOCK_OUTSIDE" },
	{ "masquerade from self to self;", "NAT_EMPTY" },
	{ "masquerade from six to wan;", "NAT_FAMILY" },
};

START_TEST(empty_rules_are_mistakes)
{
	struct diags *diags;

	(void)ruleset_of(&diags, mistakes[_i].text);
	assert_codes(diags, mistakes[_i].text, mistakes[_i].codes);
}
END_TEST

static const char *const with_empty_file[] = {
	"allow ssh from blocked;", "deny any to blocked;", "from lan { allow ssh from blocked; }",
	"from blocked { allow ssh from lan; }", "allow ssh from nested to self;",
	"masquerade from blocked to wan;",
};

START_TEST(empty_files_make_no_rule_and_no_mistake)
{
	const struct text_file files[] = {
		{ "policy.fw",
		  pool_format(unit_pool(), PREAMBLE "network blocked = file \"list\" or empty;\n"
			      "group nested = blocked, self;\n%s", with_empty_file[_i]) },
		{ "list", "# none\n" },
		{ NULL, NULL },
	};
	struct diags *diags;
	struct policy *policy = policy_of_files(&diags, files);
	struct ruleset *ruleset = expand_policy(unit_pool(), diags, policy);

	assert_codes(diags, with_empty_file[_i], "LIST_EMPTY");
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		ck_assert_uint_eq(ruleset->rules_count[hook], 0);
	ck_assert_uint_eq(ruleset->translations_count, 0);
}
END_TEST

/* --- boxes -------------------------------------------------------------------------------------- */

START_TEST(families_are_cut)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, "allow ssh from four to dc1;");
	const struct match *match = &ruleset->rules[HOOK_FORWARD][0]->match;

	ck_assert_uint_eq(match->families, FAMILIES_IPV4);
	ck_assert_uint_eq(address_set_families(&match->to.boxes[0].addresses), FAMILIES_IPV4);
}
END_TEST

START_TEST(output_splits_sources_that_zones_do_not_know)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, "allow ssh from four, self to wan, dc1;");

	/* self is every source in output, so that nothing is left for the host alone */
	ck_assert_uint_eq(ruleset->rules_count[HOOK_OUTPUT], 1);
	ck_assert_uint_eq(ruleset->rules[HOOK_OUTPUT][0]->match.to.boxes_count, 2);
}
END_TEST

START_TEST(output_makes_two_rules_where_it_must)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(
		&diags, "allow ssh from any except four to four; from any { allow ssh from four, 10.0.0.9 "
			"to wan, dc1; }");
	const struct match *match = &ruleset->rules[HOOK_OUTPUT][1]->match;

	/* addresses alone: the zone does not count */
	ck_assert_uint_eq(ruleset->rules_count[HOOK_OUTPUT], 2);
	ck_assert_uint_eq(match->to.boxes_count, 1);
	ck_assert(interface_set_is_all(&match->to.boxes[0].interfaces));
}
END_TEST

START_TEST(two_rules_share_what_they_are)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(
		&diags, "group part = any except 10.0.0.0/8; allow ssh from part, four to wan, dc1 log;");
	struct rule **rules = ruleset->rules[HOOK_OUTPUT];

	ck_assert_uint_eq(ruleset->rules_count[HOOK_OUTPUT], 2);
	ck_assert_uint_eq(rules[0]->match.to.boxes_count, 2);
	ck_assert_uint_eq(rules[1]->match.to.boxes_count, 1);
	ck_assert_ptr_eq(rules[0]->identity, rules[1]->identity);
	ck_assert_ptr_eq(rules[0]->outcome, rules[1]->outcome);
	ck_assert_ptr_eq(rules[0]->outcome, ruleset->rules[HOOK_FORWARD][0]->outcome);
}
END_TEST

START_TEST(helpers_have_outcomes_of_their_own)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, "allow ftp, ssh from lan to wan;");
	struct rule **rules = ruleset->rules[HOOK_FORWARD];

	ck_assert_str_eq(rules[0]->outcome->helper, "ftp");
	ck_assert_ptr_null(rules[1]->outcome->helper);
	ck_assert_ptr_eq(rules[0]->identity, rules[1]->identity);
	ruleset = ruleset_of(&diags, "deny ftp, ssh from lan to wan;");
	ck_assert_ptr_null(ruleset->rules[HOOK_FORWARD][0]->outcome->helper);
	ck_assert_uint_eq(ruleset->rules[HOOK_FORWARD][0]->match.services.tuples_count, 1);
}
END_TEST

/* Equal lists are worked out once: `except` is no comma. */
START_TEST(lists_are_not_taken_for_others)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, "allow ssh from lan, four; deny ssh from lan except "
						     "four; allow dns from lan, four;");
	struct rule **rules = ruleset->rules[HOOK_FORWARD];

	ck_assert_uint_eq(rules[0]->match.from.boxes_count, 2);
	ck_assert_uint_eq(rules[1]->match.from.boxes_count, 1);
	ck_assert_ptr_eq(rules[0]->match.from.boxes, rules[2]->match.from.boxes);
}
END_TEST

START_TEST(defaults_are_what_was_written)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, "default deny log \"x\"; default output reject count;");

	ck_assert_int_eq(ruleset->defaults[HOOK_FORWARD]->verdict, VERDICT_DENY);
	ck_assert_str_eq(ruleset->defaults[HOOK_FORWARD]->log_prefix, "x");
	ck_assert_int_eq(ruleset->defaults[HOOK_OUTPUT]->verdict, VERDICT_REJECT);
	ck_assert(ruleset->defaults[HOOK_OUTPUT]->has_count);
	ruleset = ruleset_of(&diags, "");
	ck_assert_int_eq(ruleset->defaults[HOOK_INPUT]->verdict, VERDICT_DENY);
	ck_assert_int_eq(ruleset->defaults[HOOK_FORWARD]->verdict, VERDICT_DENY);
	ck_assert_int_eq(ruleset->defaults[HOOK_OUTPUT]->verdict, VERDICT_ALLOW);
	ck_assert_str_eq(identity_text(ruleset->default_identities[HOOK_OUTPUT]), "default-output");
}
END_TEST

/* --- translations ------------------------------------------------------------------------------ */

/* the parts of one statement: "r" of routed packets, "l" of the firewall's own, "rl" both in one */
static const struct {
	const char *text, *parts;
	unsigned families;
} translation_rows[] = {
	{ "masquerade from lan to wan;", "r", FAMILIES_IPV4 },
	{ "masquerade from lan to wan ipv6;", "r", FAMILIES_IPV6 },
	{ "masquerade from any to wan;", "rl", FAMILIES_IPV4 },
	{ "masquerade from self to wan;", "l", FAMILIES_IPV4 },
	{ "masquerade from four to wan;", "rl", FAMILIES_IPV4 },
	{ "masquerade from lan, self to wan;", "r l", FAMILIES_IPV4 },
	{ "snat from lan to wan as 80.1.0.3;", "r", FAMILIES_IPV4 },
	{ "snat from lan to wan as fd00::80;", "r", FAMILIES_IPV6 },
	{ "forward https from wan to four;", "r", FAMILIES_IPV4 },
	{ "forward https from any to four;", "rl", FAMILIES_IPV4 },
	{ "forward https from self to four;", "l", FAMILIES_IPV4 },
	{ "forward https from any to dc1;", "rl", FAMILIES_BOTH },
	{ "forward https from any at 80.1.0.2 to dc1;", "rl", FAMILIES_IPV4 },
	{ "forward https from 10.0.0.9 to four;", "rl", FAMILIES_IPV4 },
};

START_TEST(translations_have_their_parts)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(&diags, translation_rows[_i].text);
	struct text *parts = text_new(unit_pool());

	assert_codes(diags, translation_rows[_i].text, "");
	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *translation = ruleset->translations[index];

		text_addf(parts, "%s%s%s", index > 0 ? " " : "",
			  translation->applies_to_routed ? "r" : "",
			  translation->applies_to_local ? "l" : "");
		ck_assert_uint_eq(translation->families, translation_rows[_i].families);
	}
	ck_assert_msg(strcmp(parts->bytes, translation_rows[_i].parts) == 0, "%s: %s",
		      translation_rows[_i].text, parts->bytes);
}
END_TEST

START_TEST(forward_admits_what_it_translated)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(
		&diags, "forward 2222/tcp from wan at 80.1.0.2 to four port 22;");
	const struct match *match = &ruleset->rules[HOOK_FORWARD][0]->match;

	ck_assert(match->is_translated && match->has_original_to);
	ck_assert_uint_eq(match->services.tuples[0].first.low, 22);
	ck_assert_uint_eq(match->original->services.tuples[0].first.low, 2222);
	ck_assert_uint_eq(ruleset->rules_count[HOOK_INPUT], 1);
	ck_assert_uint_eq(ruleset->rules_count[HOOK_OUTPUT], 0);
	ck_assert_uint_eq(ruleset->translations_count, 1);
	ck_assert(ruleset->translations[0]->applies_to_routed);
	ck_assert(!ruleset->translations[0]->applies_to_local);
}
END_TEST

/* --- identities ----------------------------------------------------------------------------------- */

static const char *identity_of(const char *text, size_t index)
{
	struct diags *diags;

	return identity_text(ruleset_of(&diags, text)->rules[HOOK_FORWARD][index]->identity);
}

START_TEST(identities_survive_edits)
{
	const char *alone = identity_of("allow ssh from lan to wan;", 0);

	ck_assert_str_eq(alone, identity_of("\n# x\nallow dns;\nallow ssh from lan to wan log;", 1));
	ck_assert_str_eq(alone, identity_of("from lan to wan { allow 22/tcp because \"x\"; }", 0));
	ck_assert_str_ne(alone, identity_of("deny ssh from lan to wan;", 0));
	ck_assert_str_ne(alone, identity_of("allow ssh from lan to wan limit 1/second;", 0));
	ck_assert_str_ne(alone, identity_of("allow ssh from lan to wan ipv4;", 0));
	ck_assert_str_eq(pool_format(unit_pool(), "%s-2", alone),
			 identity_of("allow ssh from lan to wan; allow ssh from lan to wan;", 1));
	ck_assert_str_eq("mine", identity_of("allow ssh from lan to wan id mine;", 0));
}
END_TEST

START_TEST(given_ids_are_never_taken)
{
	const char *alone = identity_of("allow ssh from lan to wan;", 0);
	const char *text = pool_format(unit_pool(),
				       "allow dns id %s; allow ssh from lan to wan;", alone);

	ck_assert_str_eq(pool_format(unit_pool(), "%s-x", alone), identity_of(text, 1));
}
END_TEST

static Suite *expand_suite(void)
{
	Suite *suite = suite_create("expand");
	TCase *rules = unit_case(suite, "rules");
	TCase *identities = unit_case(suite, "identities");

	tcase_add_loop_test(rules, hooks_follow_the_table, 0,
			    sizeof hook_rows / sizeof hook_rows[0]);
	tcase_add_loop_test(rules, empty_rules_are_mistakes, 0,
			    sizeof mistakes / sizeof mistakes[0]);
	tcase_add_loop_test(rules, sources_are_as_the_table_says, 0,
			    sizeof from_cells / sizeof from_cells[0]);
	tcase_add_loop_test(rules, destinations_are_as_the_table_says, 0,
			    sizeof to_cells / sizeof to_cells[0]);
	tcase_add_loop_test(rules, empty_files_make_no_rule_and_no_mistake, 0,
			    sizeof with_empty_file / sizeof with_empty_file[0]);
	tcase_add_loop_test(rules, translations_have_their_parts, 0,
			    sizeof translation_rows / sizeof translation_rows[0]);
	tcase_add_test(rules, families_are_cut);
	tcase_add_test(rules, output_makes_two_rules_where_it_must);
	tcase_add_test(rules, two_rules_share_what_they_are);
	tcase_add_test(rules, helpers_have_outcomes_of_their_own);
	tcase_add_test(rules, lists_are_not_taken_for_others);
	tcase_add_test(rules, defaults_are_what_was_written);
	tcase_add_test(rules, output_splits_sources_that_zones_do_not_know);
	tcase_add_test(rules, forward_admits_what_it_translated);
	tcase_add_test(identities, identities_survive_edits);
	tcase_add_test(identities, given_ids_are_never_taken);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { expand_suite, expand_law_suite, NULL };

	return unit_run(suites);
}
