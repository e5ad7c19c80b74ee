/* Stateless rules: which packets are kept out of connection tracking, and what is refused. */
#include <string.h>

#include "base/pool.h"
#include "model_eval.h"
#include "net/protocol.h"
#include "random_ruleset.h"
#include "target/nft/nft.h"
#include "unit.h"

Suite *lower_raw_suite(void);

enum { PREROUTING = 0, OUTPUT = 3 };
#define PRIORITY_RAW (-300)

static const struct nft_settings settings = { .table = "fwc" };

/* --- first match -------------------------------------------------------------------------- */

/* The packet as the rule would see it, were it of the rule's own direction. */
static struct model_packet turned(const struct model_packet *packet)
{
	struct model_packet other = *packet;
	other.in = packet->out;
	other.out = packet->in;
	other.source = packet->destination;
	other.destination = packet->source;
	other.source_port = packet->destination_port;
	other.destination_port = packet->source_port;
	return other;
}

/* Addresses and services; the interface by which the packet leaves is not known before routing. */
static bool direction_matches(const struct rule *rule, const struct model_packet *packet)
{
	const struct match *match = &rule->match;
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	return (match->families & family) != 0 && services_match(&match->services, packet) &&
	       place_matches(&match->from, packet->in, packet->family, packet->source) &&
	       place_matches(&match->to, packet->out, packet->family, packet->destination);
}

/* The hook whose rules have such packets as their own, and as those of the reverse direction. */
static bool rule_takes(const struct rule *rule, const struct model_packet *packet)
{
	bool is_out = packet->hook == OUTPUT, is_self = packet->route != 1;
	enum hook own = is_out ? HOOK_OUTPUT : is_self ? HOOK_INPUT : HOOK_FORWARD;
	enum hook reverse = is_out ? HOOK_INPUT : is_self ? HOOK_OUTPUT : HOOK_FORWARD;
	struct model_packet other = turned(packet);
	return ((rule->hooks & 1u << own) != 0 && direction_matches(rule, packet)) ||
	       ((rule->hooks & 1u << reverse) != 0 && direction_matches(rule, &other));
}

static bool expect_untracked(const struct ruleset *ruleset, const struct model_packet *packet)
{
	size_t most = 0;
	for (enum hook hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++)
		if (ruleset->rules_count[hook] > most)
			most = ruleset->rules_count[hook];
	for (size_t i = 0; i < most; i++) {
		for (enum hook hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++) {
			if (i >= ruleset->rules_count[hook])
				continue;
			const struct rule *rule = ruleset->rules[hook][i];
			bool takes_part = rule->is_stateless ||
					  rule->outcome->verdict == VERDICT_ALLOW;
			if (takes_part && rule_takes(rule, packet))
				return rule->is_stateless;
		}
	}
	return false;
}

/* --- random rulesets ---------------------------------------------------------------------- */

static struct ruleset *random_stateless(void *pool)
{
	struct ruleset_kind kind = { .rules_most = 8, .has_addresses = true, .has_ipv6 = true };
	struct ruleset *ruleset = random_ruleset(pool, &kind);
	ruleset->has_stateless = true;
	for (enum hook hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++)
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			ruleset->rules[hook][i]->is_stateless = unit_below(3) == 0;
	return ruleset;
}

static struct model_packet random_raw_packet(const struct ruleset *ruleset)
{
	struct model_packet packet = random_packet(ruleset, (enum hook)unit_below(HOOK_COUNT));
	if (unit_below(2) == 0)
		packet = turned(&packet);
	packet.hook = unit_below(3) == 0 ? OUTPUT : PREROUTING;
	packet.in = packet.hook == OUTPUT ? NULL : "eth1";
	packet.out = packet.hook == OUTPUT ? "eth1" : NULL;
	static const uint32_t routes[] = { 1, 2, 3, 5 };
	packet.route = routes[unit_below(4)];
	return packet;
}

START_TEST(both_directions_are_untracked)
{
	for (unsigned i = 0; i < 400; i++) {
		void *pool = unit_pool();
		const struct ruleset *ruleset = random_stateless(pool);
		struct diags *diags = diags_new(pool, sources_new(pool));
		const struct nft_table *table = nft_lower(pool, diags, ruleset, &settings);
		ck_assert_ptr_nonnull(table);
		const char *problem = model_check(pool, table);
		ck_assert_msg(problem == NULL, "%s", problem);
		for (unsigned k = 0; k < 60; k++) {
			struct model_packet packet = random_raw_packet(ruleset);
			struct model_result result = model_eval(table, "filter", PRIORITY_RAW, &packet);
			ck_assert_msg(result.problem == NULL, "%s", result.problem);
			ck_assert_int_eq(result.fate, MODEL_ACCEPT);
			ck_assert_int_eq(result.is_untracked, expect_untracked(ruleset, &packet));
		}
	}
}
END_TEST

/* --- what is refused ---------------------------------------------------------------------- */

static struct place_boxes one_box(void *pool, const char *interface, const char *prefix)
{
	struct place_boxes boxes = { 0 };
	struct place_box box = { interface_set_all(), address_set_all(pool) };
	if (interface != NULL) {
		box.interfaces = (struct interface_set){ pool_array(pool, const char *, 1), 1, false };
		box.interfaces.names[0] = interface;
	}
	if (prefix != NULL) {
		struct prefix parsed;
		ck_assert(prefix_parse(prefix, strlen(prefix), &parsed));
		box.addresses = (struct address_set){ 0 };
		address_set_add_prefix(pool, &box.addresses, &parsed);
	}
	*pool_append(pool, &boxes, boxes) = box;
	return boxes;
}

static struct rule *add_rule(struct ruleset *ruleset, enum hook hook, struct place_boxes from,
			     struct place_boxes to)
{
	void *pool = unit_pool();
	struct rule *rule = pool_new(pool, struct rule);
	struct identity *identity = pool_new(pool, struct identity);
	struct service_tuple ntp = { PROTOCOL_UDP, FAMILIES_BOTH, { 123, 123 }, { 0, UINT16_MAX } };
	identity->text = "ntp";
	rule->hooks = (uint8_t)(1u << hook);
	rule->identity = identity;
	rule->origin = SPAN_NONE;
	rule->outcome = pool_new(pool, struct outcome);
	rule->match.families = FAMILIES_BOTH;
	rule->match.from = from;
	rule->match.to = to;
	tuple_set_add(pool, &rule->match.services, ntp);
	ruleset->rules[hook] = pool_grow(pool, ruleset->rules[hook], &ruleset->rules_capacity[hook],
					 ruleset->rules_count[hook] + 1, sizeof(struct rule *));
	ruleset->rules[hook][ruleset->rules_count[hook]++] = rule;
	return rule;
}

static struct ruleset *empty_ruleset(void)
{
	struct ruleset_kind kind = { .rules_most = 0 };
	struct ruleset *ruleset = random_ruleset(unit_pool(), &kind);
	ruleset->has_stateless = true;
	return ruleset;
}

/* The code of the only mistake, or 0. */
static unsigned lower_code(const struct ruleset *ruleset)
{
	void *pool = unit_pool();
	struct diags *diags = diags_new(pool, sources_new(pool));
	const struct nft_table *table = nft_lower(pool, diags, ruleset, &settings);
	ck_assert_int_eq(table == NULL, diags->error_count != 0);
	return diags->items_count == 0 ? 0 : (unsigned)diags->items[0]->code;
}

START_TEST(an_out_interface_alone_is_refused)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, "eth1", "10.0.0.0/8"),
		 one_box(pool, "eth0", NULL))->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), CODE_STATELESS_INTERFACE);
}
END_TEST

START_TEST(an_in_interface_alone_is_refused_for_the_replies)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, "eth1", NULL),
		 one_box(pool, "eth0", "10.0.0.0/8"))->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), CODE_STATELESS_INTERFACE);
}
END_TEST

START_TEST(interfaces_with_networks_are_told)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, "eth1", "10.1.0.0/16"),
		 one_box(pool, "eth0", "10.2.0.0/16"))->is_stateless = true;
	add_rule(ruleset, HOOK_INPUT, one_box(pool, "eth1", NULL),
		 one_box(pool, NULL, NULL))->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), 0);
}
END_TEST

START_TEST(an_earlier_tracked_rule_that_cannot_be_told_is_refused)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, "eth1", NULL), one_box(pool, "eth0", NULL));
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, NULL, "10.1.0.0/16"),
		 one_box(pool, NULL, NULL))->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), CODE_STATELESS_OVERLAP);
}
END_TEST

START_TEST(translated_traffic_is_refused)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	struct rule_translation *translation = pool_new(pool, struct rule_translation);
	struct translation *source = pool_new(pool, struct translation);
	*translation = (struct rule_translation){
		.kind = TRANSLATION_MASQUERADE, .source = source, .families = FAMILIES_IPV4,
		.origin = SPAN_NONE, .applies_to_routed = true,
		.from = one_box(pool, "eth1", NULL), .to = one_box(pool, "eth0", NULL),
	};
	*pool_append(pool, ruleset, translations) = translation;
	add_rule(ruleset, HOOK_FORWARD, one_box(pool, "eth1", "10.1.0.0/16"),
		 one_box(pool, NULL, "10.2.0.0/16"))->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), CODE_STATELESS_TRANSLATED);
}
END_TEST

START_TEST(a_helper_is_refused)
{
	void *pool = unit_pool();
	struct ruleset *ruleset = empty_ruleset();
	struct outcome *outcome = pool_new(pool, struct outcome);
	struct rule *rule = add_rule(ruleset, HOOK_INPUT, one_box(pool, NULL, "10.1.0.0/16"),
				     one_box(pool, NULL, NULL));
	outcome->helper = "ftp";
	rule->outcome = outcome;
	rule->is_stateless = true;
	ck_assert_uint_eq(lower_code(ruleset), CODE_HELPER_STATELESS);
}
END_TEST

Suite *lower_raw_suite(void)
{
	Suite *suite = suite_create("lower raw");
	TCase *raw = unit_case(suite, "raw");
	tcase_add_test(raw, both_directions_are_untracked);
	tcase_add_test(raw, an_out_interface_alone_is_refused);
	tcase_add_test(raw, an_in_interface_alone_is_refused_for_the_replies);
	tcase_add_test(raw, interfaces_with_networks_are_told);
	tcase_add_test(raw, an_earlier_tracked_rule_that_cannot_be_told_is_refused);
	tcase_add_test(raw, translated_traffic_is_refused);
	tcase_add_test(raw, a_helper_is_refused);
	return suite;
}
