/* The plain evaluator on rulesets made by hand; identities; the ruleset in words. */
#include <string.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "net/protocol.h"
#include "policy_text.h"
#include "rules/evaluate.h"
#include "rules/identity.h"
#include "unit.h"

/* --- rulesets by hand ------------------------------------------------------------------------- */

static struct address_set prefix_set(const char *text)
{
	struct address_set set = { 0 };
	struct prefix prefix;

	ck_assert(prefix_parse(text, strlen(text), &prefix));
	address_set_add_prefix(unit_pool(), &set, &prefix);
	return set;
}

static struct place_boxes boxes_on(const char *interface, struct address_set addresses)
{
	struct place_boxes boxes = { 0 };
	struct interface_set interfaces = interface_set_all();

	if (interface != NULL) {
		interfaces = (struct interface_set){ .names_count = 1 };
		interfaces.names = pool_array(unit_pool(), const char *, 1);
		interfaces.names[0] = interface;
	}
	*pool_append(unit_pool(), &boxes, boxes) = (struct place_box){ interfaces, addresses };
	return boxes;
}

static struct tuple_set ports(unsigned protocol, uint16_t low, uint16_t high)
{
	struct tuple_set set = { 0 };

	tuple_set_add(unit_pool(), &set, (struct service_tuple){
		.protocol = (uint16_t)protocol,
		.families = FAMILIES_BOTH,
		.first = { low, high },
		.second = { 0, UINT16_MAX },
	});
	return set;
}

static const struct outcome allow = { .verdict = VERDICT_ALLOW };
static const struct outcome deny = { .verdict = VERDICT_DENY };

static struct rule *rule_to(struct ruleset *ruleset, enum hook hook, struct match match)
{
	struct rule *rule = pool_new(unit_pool(), struct rule);
	size_t count = ruleset->rules_count[hook]++;

	if (match.from.boxes_count == 0)
		match.from = place_boxes_all(unit_pool());
	if (match.to.boxes_count == 0)
		match.to = place_boxes_all(unit_pool());
	if (match.services.tuples_count == 0)
		match.services = ports(PROTOCOL_ANY, 0, UINT16_MAX);
	if (match.families == FAMILIES_NONE)
		match.families = FAMILIES_BOTH;
	*rule = (struct rule){ .hooks = (uint8_t)(1u << hook), .match = match, .outcome = &allow };
	ruleset->rules[hook] = pool_grow(unit_pool(), ruleset->rules[hook],
					 &ruleset->rules_capacity[hook], count + 1,
					 sizeof(struct rule *));
	ruleset->rules[hook][count] = rule;
	return rule;
}

static struct ruleset *empty_ruleset(void)
{
	struct ruleset *ruleset = pool_new(unit_pool(), struct ruleset);

	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		ruleset->defaults[hook] = &deny;
	return ruleset;
}

/* 10.0.0.5 on eth1 to 192.0.2.1 on eth0, 443/tcp from 4000 */
static struct packet some_packet(void)
{
	return (struct packet){
		.hook = HOOK_FORWARD, .in = "eth1", .out = "eth0",
		.source = (number128)10 << 24 | 5, .destination = (number128)192 << 24 | 2 << 8 | 1,
		.protocol = PROTOCOL_TCP, .first = 443, .second = 4000,
	};
}

static bool is_held(struct match match, const struct packet *packet)
{
	struct ruleset *ruleset = empty_ruleset();

	rule_to(ruleset, packet->hook, match);
	return ruleset_evaluate(ruleset, packet).rule != NULL;
}

/* --- the evaluator ---------------------------------------------------------------------------- */

START_TEST(the_first_rule_that_holds_decides)
{
	struct ruleset *ruleset = empty_ruleset();
	struct packet packet = some_packet();
	struct rule *first, *second;
	struct decision decision = ruleset_evaluate(ruleset, &packet);

	ck_assert_ptr_null(decision.rule);
	ck_assert_ptr_eq(decision.outcome, &deny);
	ck_assert_uint_eq(decision.index, 0);
	rule_to(ruleset, HOOK_INPUT, (struct match){ 0 });
	ck_assert_ptr_null(ruleset_evaluate(ruleset, &packet).rule);
	first = rule_to(ruleset, HOOK_FORWARD, (struct match){
		.services = ports(PROTOCOL_TCP, 80, 80) });
	second = rule_to(ruleset, HOOK_FORWARD, (struct match){ 0 });
	rule_to(ruleset, HOOK_FORWARD, (struct match){ 0 });
	decision = ruleset_evaluate(ruleset, &packet);
	ck_assert_ptr_eq(decision.rule, second);
	ck_assert_uint_eq(decision.index, 1);
	packet.first = 80;
	ck_assert_ptr_eq(ruleset_evaluate(ruleset, &packet).rule, first);
}
END_TEST

START_TEST(services_are_exact)
{
	struct packet packet = some_packet();

	ck_assert(is_held((struct match){ .services = ports(PROTOCOL_TCP, 443, 443) }, &packet));
	ck_assert(is_held((struct match){ .services = ports(PROTOCOL_TCP, 440, 450) }, &packet));
	ck_assert(!is_held((struct match){ .services = ports(PROTOCOL_UDP, 443, 443) }, &packet));
	ck_assert(!is_held((struct match){ .services = ports(PROTOCOL_TCP, 442, 442) }, &packet));
	packet.protocol = 47;
	packet.first = packet.second = 0;
	ck_assert(is_held((struct match){ .services = ports(PROTOCOL_ANY, 0, UINT16_MAX) },
			  &packet));
}
END_TEST

START_TEST(places_are_interfaces_and_addresses)
{
	struct packet packet = some_packet();
	struct place_boxes lan = boxes_on("eth1", prefix_set("10.0.0.0/8"));
	struct place_boxes other = boxes_on("eth2", prefix_set("10.0.0.0/8"));
	struct place_boxes far = boxes_on("eth1", prefix_set("11.0.0.0/8"));

	ck_assert(is_held((struct match){ .from = lan }, &packet));
	ck_assert(!is_held((struct match){ .from = other }, &packet));
	ck_assert(!is_held((struct match){ .from = far }, &packet));
	ck_assert(!is_held((struct match){ .to = lan }, &packet));
	packet.in = NULL;
	ck_assert(!is_held((struct match){ .from = lan }, &packet));
	other.boxes[0].interfaces.is_complement = true;
	ck_assert(is_held((struct match){ .from = other }, &packet));
}
END_TEST

START_TEST(families_do_not_mix)
{
	struct packet packet = some_packet();

	ck_assert(is_held((struct match){ .families = FAMILIES_IPV4 }, &packet));
	ck_assert(!is_held((struct match){ .families = FAMILIES_IPV6 }, &packet));
	packet.family = FAMILY_IPV6; /* ::a00:5 is not 10.0.0.5 */
	ck_assert(!is_held((struct match){ .from = boxes_on(NULL, prefix_set("10.0.0.0/8")) },
			   &packet));
	ck_assert(is_held((struct match){ .from = boxes_on(NULL, prefix_set("::/8")) }, &packet));
}
END_TEST

START_TEST(times_end)
{
	struct interval_set work = { 0 };
	struct packet packet = some_packet();
	struct match match = { .minutes = &work, .until = 1000 };

	interval_set_add(unit_pool(), &work, 480, 1079);
	packet.minute = 479;
	ck_assert(!is_held(match, &packet));
	packet.minute = 1079;
	packet.time = 999;
	ck_assert(is_held(match, &packet));
	packet.time = 1000;
	ck_assert(!is_held(match, &packet));
}
END_TEST

START_TEST(translated_rules_want_translated_packets)
{
	struct packet packet = some_packet();
	const struct match_original original = { prefix_set("80.1.0.2/32"), ports(PROTOCOL_TCP, 2222, 2222) };
	struct match match = { .is_translated = true, .has_original_to = true, .original = &original };

	ck_assert(!is_held(match, &packet));
	packet.is_translated = true;
	packet.original_destination = (number128)80 << 24 | 1 << 16 | 2;
	ck_assert(!is_held(match, &packet));
	packet.original_first = 2222;
	ck_assert(is_held(match, &packet));
	packet.original_destination++;
	ck_assert(!is_held(match, &packet));
	match.has_original_to = false;
	ck_assert(is_held(match, &packet));
}
END_TEST

/* --- identities ------------------------------------------------------------------------------- */

static struct ruleset *ruleset_of(const char *text)
{
	struct diags *diags;
	struct policy *policy = policy_of(&diags, text);
	struct ruleset *ruleset;

	ck_assert_msg(!diags_has_errors(diags), "%s", text);
	ruleset = expand_policy(unit_pool(), diags, policy);
	ck_assert_msg(!diags_has_errors(diags), "%s", text);
	return ruleset;
}

static const char *identity_of(const char *text)
{
	return identity_text(ruleset_of(text)->rules[HOOK_FORWARD][0]->identity);
}

static const char *translation_of(const char *text, size_t index)
{
	const char *policy = pool_format(unit_pool(), "zone wan { interface eth0; }\n%s", text);

	return identity_text(ruleset_of(policy)->translations[index]->identity);
}

START_TEST(every_part_of_the_meaning_counts)
{
	static const char *const texts[] = {
		"allow 22/tcp;", "deny 22/tcp;", "reject 22/tcp;", "allow 22/udp;", "allow 22-23/tcp;",
		"allow 22/tcp sport 22;", "allow 22/tcp ipv4;", "allow 22/tcp from 10.0.0.1;",
		"allow 22/tcp to 10.0.0.1;", "allow 22/tcp from 10.0.0.1-10.0.0.2;",
		"allow 22/tcp from 10.0.0.1, 10.0.0.3;", "allow 22/tcp from ::a00:1;",
		"zone a { interface e; } allow 22/tcp from a;",
		"zone a { interface f; } allow 22/tcp from a;",
		"zone a { interface e, f; } allow 22/tcp from a;", "allow 22/tcp limit 1/second;",
		"allow 22/tcp limit 1/minute;", "allow 22/tcp limit 1/second burst 6;",
		"allow 22/tcp limit 1/second per source;",
		"schedule s = mon 08:00-09:00; allow 22/tcp during s;",
		"schedule s = mon 08:00-09:01; allow 22/tcp during s;",
		"forward 22/tcp from any to 10.0.0.1;",
		"forward 22/tcp from any at 10.0.0.9 to 10.0.0.1;",
		"forward 23/tcp from any to 10.0.0.1 port 22;",
	};
	const size_t count = sizeof texts / sizeof texts[0];
	const char *identities[sizeof texts / sizeof texts[0]];

	for (size_t index = 0; index < count; index++) {
		identities[index] = identity_of(texts[index]);
		ck_assert_uint_eq(strlen(identities[index]), 12);
		for (size_t other = 0; other < index; other++)
			ck_assert_msg(strcmp(identities[index], identities[other]) != 0, "%s\n%s",
				      texts[index], texts[other]);
	}
}
END_TEST

START_TEST(names_and_notes_do_not_count)
{
	const char *plain = identity_of("allow 22/tcp from 10.0.0.1;");

	ck_assert_str_eq(plain, identity_of("host h = 10.0.0.1; allow ssh from h log \"x\" count;"));
	ck_assert_str_eq(plain, identity_of("from 10.0.0.0/8 { allow ssh from 10.0.0.1; }"));
	ck_assert_str_eq(plain, identity_of("allow ssh from 10.0.0.1 because \"b\" owner \"o\";"));
	ck_assert_str_eq(plain, identity_of("allow ssh from 10.0.0.1 until 2027-12-31;"));
}
END_TEST

START_TEST(large_sets_count_by_their_content)
{
	struct text *list = text_new(unit_pool());

	for (unsigned index = 0; index < 200; index++)
		text_addf(list, "%s10.0.%u.1", index > 0 ? ", " : "", index);
	ck_assert_str_eq(identity_of(pool_format(unit_pool(), "allow ssh from %s;", list->bytes)),
			 identity_of(pool_format(unit_pool(), "group g = %s; allow ssh from g;",
						 list->bytes)));
	ck_assert_str_ne(identity_of(pool_format(unit_pool(), "allow ssh from %s;", list->bytes)),
			 identity_of(pool_format(unit_pool(), "allow ssh from %s, 10.1.0.1;",
						 list->bytes)));
}
END_TEST

START_TEST(translations_keep_their_names)
{
	const char *masquerade = translation_of("masquerade from 10.0.0.0/8 to wan;", 0);

	ck_assert_str_eq(masquerade,
			 translation_of("snat from 10.1.0.0/16 to wan as 80.1.0.3;\n"
					"masquerade from 10.0.0.0/8 to wan;", 1));
	ck_assert_str_ne(masquerade, translation_of("masquerade from 11.0.0.0/8 to wan;", 0));
	ck_assert_str_ne(translation_of("snat from 10.0.0.0/8 to wan as 80.1.0.3;", 0),
			 translation_of("snat from 10.0.0.0/8 to wan as 80.1.0.4;", 0));
	ck_assert_str_eq("web", translation_of("forward https from wan to 10.0.0.1 id web;", 0));
}
END_TEST

/* --- words ------------------------------------------------------------------------------------ */

START_TEST(rulesets_are_shown_in_words)
{
	struct text *out = text_new(unit_pool());
	const struct ruleset *ruleset = ruleset_of(
		"schedule s = sun 23:00-24:00;\nzone wan { interface eth0; }\n"
		"allow ftp from 10.0.0.0/8 to wan limit 6/minute log \"x \" during s until 2027-05-01 "
		"id one rescue;\n"
		"forward 2222/tcp from wan at 80.1.0.2 to 10.0.0.1 port 22 id two;\n"
		"default forward reject count;\n");

	ruleset_print(out, ruleset);
	ck_assert_str_eq(out->bytes,
		"input: 1 rules, default deny\n"
		"    allow 22/tcp ipv4 translated from 80.1.0.2 sent as 2222/tcp"
		"  # policy.fw:4, id two\n"
		"        from 0.0.0.0/0 on eth0\n        to 10.0.0.1\n"
		"forward: 2 rules, default reject count\n"
		"    allow 21/tcp ipv4 during sun 23:00 - end 00:00 before 2027-05-02 00:00 UTC log "
		"\"x \" limit 6/60s burst 5 helper ftp rescue  # policy.fw:3, id one\n"
		"        from 10.0.0.0/8\n        to 0.0.0.0/0 on eth0\n"
		"    allow 22/tcp ipv4 translated from 80.1.0.2 sent as 2222/tcp"
		"  # policy.fw:4, id two\n"
		"        from 0.0.0.0/0 on eth0\n        to 10.0.0.1\n"
		"output: 0 rules, default allow\n"
		"translations: 1\n"
		"    forward 2222/tcp ipv4 at 80.1.0.2 to 10.0.0.1 port 22 routed"
		"  # policy.fw:4, id two\n"
		"        from 0.0.0.0/0 on eth0\n");
}
END_TEST

static Suite *rules_suite(void)
{
	Suite *suite = suite_create("rules");
	TCase *evaluator = unit_case(suite, "evaluate");
	TCase *identities = unit_case(suite, "identity");
	TCase *words = unit_case(suite, "print");

	tcase_add_test(evaluator, the_first_rule_that_holds_decides);
	tcase_add_test(evaluator, services_are_exact);
	tcase_add_test(evaluator, places_are_interfaces_and_addresses);
	tcase_add_test(evaluator, families_do_not_mix);
	tcase_add_test(evaluator, times_end);
	tcase_add_test(evaluator, translated_rules_want_translated_packets);
	tcase_add_test(identities, every_part_of_the_meaning_counts);
	tcase_add_test(identities, names_and_notes_do_not_count);
	tcase_add_test(identities, large_sets_count_by_their_content);
	tcase_add_test(identities, translations_keep_their_names);
	tcase_add_test(words, rulesets_are_shown_in_words);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { rules_suite, NULL };

	return unit_run(suites);
}
