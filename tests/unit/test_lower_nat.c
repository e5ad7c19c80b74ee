/* Translations: random lists of them against first match, packet by packet. */
#include "base/pool.h"
#include "model_eval.h"
#include "random_ruleset.h"
#include "target/nft/nft.h"
#include "unit.h"

Suite *lower_nat_suite(void);

enum { PREROUTING = 0, OUTPUT = 3, POSTROUTING = 4 };
enum { PRIORITY_DESTINATION = -100, PRIORITY_SOURCE = 100 };
#define ROUTE_LOCAL 2
#define OUTSIDE 0x50010000u

static struct address outside(unsigned offset)
{
	return (struct address){ FAMILY_IPV4, OUTSIDE + offset };
}

static struct address outside6(unsigned offset)
{
	return (struct address){ FAMILY_IPV6, ((number128)0x20010db8 << 96) + offset };
}

static void fill_forward(void *pool, struct rule_translation *translation,
			 struct translation *source, const struct ruleset_kind *kind)
{
	source->has_host[FAMILY_IPV4] = unit_below(5) != 0;
	source->has_host[FAMILY_IPV6] = !source->has_host[FAMILY_IPV4] || unit_below(2) == 0;
	source->host[FAMILY_IPV4] = outside(100 + unit_below(100));
	source->host[FAMILY_IPV6] = outside6(100 + unit_below(100));
	source->port = unit_below(2) == 0 ? 8080 : 0;
	source->has_at = unit_below(2) == 0;
	struct address at = outside(unit_below(3)), at6 = outside6(unit_below(3));
	if (source->has_at) {
		address_set_add_range(pool, &source->at, FAMILY_IPV4, at.value, at.value);
		address_set_add_range(pool, &source->at, FAMILY_IPV6, at6.value, at6.value);
	}
	translation->services = random_services(pool, kind);
}

static struct rule_translation *random_translation(void *pool, const struct ruleset_kind *kind)
{
	struct rule_translation *translation = pool_new(pool, struct rule_translation);
	struct translation *source = pool_new(pool, struct translation);
	struct service_tuple any = { PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } };
	source->kind = translation->kind = (enum translation_kind)unit_below(3);
	translation->source = source;
	translation->origin = SPAN_NONE;
	translation->families = (uint8_t)(1 + unit_below(3));
	translation->from = random_place(pool, kind, true);
	translation->to = random_place(pool, kind, true);
	translation->applies_to_routed = unit_below(4) != 0;
	translation->applies_to_local = !translation->applies_to_routed || unit_below(2) == 0;
	source->has_as[FAMILY_IPV4] = true;
	source->as[FAMILY_IPV4] = outside(200 + unit_below(20));
	if (translation->kind == TRANSLATION_FORWARD)
		fill_forward(pool, translation, source, kind);
	else
		tuple_set_add(pool, &translation->services, any);
	return translation;
}

static struct ruleset *random_translations(void *pool, const struct ruleset_kind *kind)
{
	struct ruleset_kind empty = { .rules_most = 0 };
	struct ruleset *ruleset = random_ruleset(pool, &empty);
	size_t count = unit_below(kind->rules_most + 1);
	for (size_t i = 0; i < count; i++)
		*pool_append(pool, ruleset, translations) = random_translation(pool, kind);
	return ruleset;
}

/* --- first match -------------------------------------------------------------------------- */

static bool has_target(const struct translation *source, enum family family)
{
	if (source->kind == TRANSLATION_FORWARD)
		return source->has_host[family];
	return source->kind == TRANSLATION_MASQUERADE || source->has_as[family];
}

static bool listens(const struct translation *source, const struct model_packet *packet)
{
	if (!source->has_at)
		return packet->route == ROUTE_LOCAL;
	return interval_set_contains(address_set_family(&source->at, packet->family),
				     packet->destination);
}

static bool translation_matches(const struct rule_translation *translation,
				const struct model_packet *packet)
{
	const struct translation *source = translation->source;
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	bool applies = packet->in == NULL ? translation->applies_to_local
					  : translation->applies_to_routed;
	bool is_forward = translation->kind == TRANSLATION_FORWARD;
	if (!applies || is_forward != (packet->hook != POSTROUTING) ||
	    (translation->families & family) == 0 || !has_target(source, packet->family) ||
	    !services_match(&translation->services, packet) ||
	    !place_matches(&translation->from, packet->in, packet->family, packet->source))
		return false;
	return is_forward ? listens(source, packet)
			  : place_matches(&translation->to, packet->out, packet->family,
					  packet->destination);
}

static const struct rule_translation *expect(const struct ruleset *ruleset,
					     const struct model_packet *packet)
{
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (translation_matches(ruleset->translations[i], packet))
			return ruleset->translations[i];
	return NULL;
}

static bool addresses_equal(struct address a, struct address b)
{
	return a.family == b.family && a.value == b.value;
}

static void compare(const struct model_result *result, const struct rule_translation *expected,
		    enum family family)
{
	ck_assert_msg(result->problem == NULL, "%s", result->problem);
	ck_assert_int_eq(result->fate, MODEL_ACCEPT);
	bool is_forward = expected != NULL && expected->kind == TRANSLATION_FORWARD;
	bool is_source = expected != NULL && expected->kind == TRANSLATION_SNAT;
	bool is_masquerade = expected != NULL && expected->kind == TRANSLATION_MASQUERADE;
	ck_assert_int_eq(result->is_masqueraded, is_masquerade);
	ck_assert_int_eq(result->has_new_source, is_source);
	ck_assert_int_eq(result->has_new_destination, is_forward);
	if (is_source)
		ck_assert(addresses_equal(result->new_source, expected->source->as[family]));
	if (!is_forward)
		return;
	ck_assert(addresses_equal(result->new_destination, expected->source->host[family]));
	ck_assert_uint_eq(result->new_port, expected->source->port);
}

static struct model_packet random_nat_packet(const struct ruleset *ruleset)
{
	static const unsigned hooks[] = { PREROUTING, OUTPUT, POSTROUTING, POSTROUTING };
	struct model_packet packet = random_packet(ruleset, HOOK_FORWARD);
	packet.hook = hooks[unit_below(4)];
	packet.route = unit_below(2) == 0 ? ROUTE_LOCAL : 1;
	if (packet.hook == PREROUTING)
		packet.out = NULL;
	if (packet.hook == OUTPUT || unit_below(2) == 0)
		packet.in = NULL;
	if (packet.hook == PREROUTING)
		packet.in = "eth1";
	if (unit_below(2) == 0)
		packet.destination = packet.family == FAMILY_IPV4 ? outside(unit_below(4)).value
								  : outside6(unit_below(4)).value;
	return packet;
}

static void compare_random(const struct ruleset_kind *kind, unsigned rulesets, unsigned packets)
{
	struct nft_settings settings = { .table = "fwc" };
	for (unsigned i = 0; i < rulesets; i++) {
		void *pool = unit_pool();
		struct ruleset *ruleset = random_translations(pool, kind);
		struct diags *diags = diags_new(pool, sources_new(pool));
		const struct nft_table *table = nft_lower(pool, diags, ruleset, &settings);
		ck_assert_ptr_nonnull(table);
		const char *problem = model_check(pool, table);
		ck_assert_msg(problem == NULL, "%s", problem);
		for (unsigned k = 0; k < packets; k++) {
			struct model_packet packet = random_nat_packet(ruleset);
			int32_t priority = packet.hook == POSTROUTING ? PRIORITY_SOURCE
								      : PRIORITY_DESTINATION;
			struct model_result result = model_eval(table, "nat", priority, &packet);
			compare(&result, expect(ruleset, &packet), packet.family);
		}
	}
}

START_TEST(few_translations_are_first_match)
{
	struct ruleset_kind kind = { .rules_most = 6, .has_interfaces = true, .has_addresses = true,
				     .has_ipv6 = true };
	compare_random(&kind, 400, 60);
}
END_TEST

START_TEST(many_translations_are_first_match)
{
	struct ruleset_kind kind = { .rules_most = 60, .has_interfaces = true,
				     .has_addresses = true, .has_ipv6 = true,
				     .has_rich_services = true };
	compare_random(&kind, 80, 100);
}
END_TEST

Suite *lower_nat_suite(void)
{
	Suite *suite = suite_create("lower nat");
	TCase *random = unit_case(suite, "random");
	tcase_add_test(random, few_translations_are_first_match);
	tcase_add_test(random, many_translations_are_first_match);
	return suite;
}
