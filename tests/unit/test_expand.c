/* Which hooks a rule speaks of, with which boxes; what matches nothing is said. */
#include <string.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "policy_text.h"
#include "unit.h"

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

START_TEST(forward_admits_what_it_translated)
{
	struct diags *diags;
	struct ruleset *ruleset = ruleset_of(
		&diags, "forward 2222/tcp from wan at 80.1.0.2 to four port 22;");
	const struct match *match = &ruleset->rules[HOOK_FORWARD][0]->match;

	ck_assert(match->is_translated && match->has_original_to);
	ck_assert_uint_eq(match->services.tuples[0].first.low, 22);
	ck_assert_uint_eq(match->original_services.tuples[0].first.low, 2222);
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

	return ruleset_of(&diags, text)->rules[HOOK_FORWARD][index]->identity->text;
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
	tcase_add_test(rules, families_are_cut);
	tcase_add_test(rules, output_splits_sources_that_zones_do_not_know);
	tcase_add_test(rules, forward_admits_what_it_translated);
	tcase_add_test(identities, identities_survive_edits);
	tcase_add_test(identities, given_ids_are_never_taken);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { expand_suite, NULL };

	return unit_run(suites);
}
