/* Random policies: what the ruleset decides is what the language says, item by item.
 *
 * The reading here knows no boxes of rules: it asks of each word of a rule whether the packet is in
 * it, hook by hook as the table in side.h says, and of each list whether all of its words agree. */
#include <string.h>

#include "base/pool.h"
#include "base/text.h"
#include "expand/expand.h"
#include "policy_text.h"
#include "rules/evaluate.h"
#include "unit.h"

Suite *expand_law_suite(void);

#define POLICIES 300
#define PACKETS 200

/* --- policies --------------------------------------------------------------------------------- */

static const char preamble[] =
	"zone lan { interface eth1; network 10.1.0.0/16, fd01::/64; }\n"
	"zone wan { interface eth0; network internet; }\n"
	"zone bare { interface eth2; }\n"
	"zone inner { interface eth1; network 10.1.1.0/24; }\n"
	"zone apart { network 10.9.0.0/16; }\n"
	"host four = 10.1.1.5; host six = fd01::5; host both = 10.2.0.1, fd02::1;\n"
	"network wide = 10.0.0.0/8, fd00::/8;\n"
	"group mixed = four, self; group zoned = lan, both;\n"
	"group nested = zoned, mixed, 8.8.8.8 except inner; group far = any except lan, self;\n";

static const char *const places[] = {
	"any", "self", "lan", "wan", "bare", "inner", "apart", "four", "six", "both", "wide",
	"mixed", "zoned", "nested", "far", "internet", "10.1.0.0/20", "8.8.8.0/24", "0.0.0.0",
	"fe80::/10",
};

static const char *const services[] = {
	"any", "ssh", "ftp", "53/udp", "22-80/tcp", "ping", "8/icmp", "128/icmp6", "any/udp",
	"ftp, 53/udp", "any except ssh",
};

#define PICK(array) (array)[unit_below(sizeof(array) / sizeof((array)[0]))]

static void add_list(struct text *out)
{
	text_add(out, PICK(places));
	for (unsigned more = unit_below(3); more > 0; more--)
		text_addf(out, ", %s", PICK(places));
	if (unit_below(4) == 0)
		text_addf(out, " except %s", PICK(places));
}

static void add_sides(struct text *out)
{
	if (unit_below(3) != 0) {
		text_add(out, " from ");
		add_list(out);
	}
	if (unit_below(3) != 0) {
		text_add(out, " to ");
		add_list(out);
	}
}

static void add_rule(struct text *out)
{
	static const char *const verdicts[] = { "allow", "deny", "reject" };
	static const char *const options[] = { "", "", "", " ipv4", " ipv6" };

	text_addf(out, "%s %s", PICK(verdicts), PICK(services));
	add_sides(out);
	text_addf(out, "%s;\n", PICK(options));
}

static void add_block(struct text *out)
{
	size_t begin = out->length;

	add_sides(out);
	if (out->length == begin)
		text_add(out, "from any");
	text_add(out, " {\n");
	for (unsigned rules = unit_below(3) + 1; rules > 0; rules--)
		add_rule(out);
	text_add(out, "}\n");
}

/* NULL: what chance wrote cannot be compiled (an empty list, a rule without packets). */
static struct ruleset *random_statements(unsigned count, struct policy **policy)
{
	struct text *text = text_new(unit_pool());
	struct diags *diags;
	struct ruleset *ruleset;

	text_add(text, preamble);
	for (; count > 0; count--)
		if (unit_below(4) == 0)
			add_block(text);
		else
			add_rule(text);
	*policy = policy_of(&diags, text->bytes);
	if (diags_has_errors(diags)) {
		*policy = NULL;
		return NULL;
	}
	ruleset = expand_policy(unit_pool(), diags, *policy);
	return diags_has_errors(diags) ? NULL : ruleset;
}

/* --- packets ---------------------------------------------------------------------------------- */

static const char *const addresses[][2] = {
	{ "10.1.1.5", "fd01::5" }, { "10.1.1.9", "fd01::9" },  { "10.1.2.1", "fd02::1" },
	{ "10.2.0.1", "fd02::1" }, { "10.9.0.1", "fd09::1" },  { "8.8.8.8", "2001:db8::8" },
	{ "0.0.0.0", "fe80::1" },  { "192.0.2.1", "fe80::2" }, { "10.1.200.1", "fd01:0:0:1::1" },
};

static number128 random_address(enum family family)
{
	const char *text = PICK(addresses)[family];
	struct address address;

	ck_assert(address_parse(text, strlen(text), &address));
	return address.value;
}

static struct packet random_packet(void)
{
	static const char *const interfaces[] = { "eth0", "eth1", "eth2", "eth3" };
	static const struct packet kinds[] = {
		{ .protocol = 6, .first = 22, .second = 4000 },
		{ .protocol = 6, .first = 21, .second = 4000 },
		{ .protocol = 6, .first = 81, .second = 4000 },
		{ .protocol = 17, .first = 53, .second = 53 },
		{ .protocol = 1, .first = 8 },
		{ .protocol = 58, .first = 128 },
		{ .protocol = 47 },
	};
	struct packet packet = PICK(kinds);

	packet.hook = (enum hook)unit_below(HOOK_COUNT);
	packet.family = unit_below(2) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	packet.in = packet.hook == HOOK_OUTPUT ? NULL : PICK(interfaces);
	packet.out = packet.hook == HOOK_INPUT ? NULL : PICK(interfaces);
	packet.source = random_address(packet.family);
	packet.destination = random_address(packet.family);
	return packet;
}

/* --- the language ----------------------------------------------------------------------------- */

/* Whether the packet is in a list; and whether it is so by a word that counts on its own in output:
 * as the source any or self, as the destination no zone. */
struct membership {
	bool is_in, is_in_part;
};

static struct membership list_membership(const struct place_list *list, enum hook hook, bool is_from,
					 const struct packet *packet);

static bool zone_holds(const struct zone *zone, enum hook hook, bool is_from,
		       const struct packet *packet)
{
	const struct place_boxes *boxes = is_from && hook == HOOK_INPUT ? &zone->input :
					  &zone->routed;

	if (hook == (is_from ? HOOK_OUTPUT : HOOK_INPUT))
		return false; /* a zone never contains the firewall */
	return boxes_hold(boxes, is_from ? packet->in : packet->out, packet->family,
			  is_from ? packet->source : packet->destination);
}

static struct membership place_membership(const struct place *place, enum hook hook, bool is_from,
					  const struct packet *packet)
{
	bool is_in = false;

	switch (place->kind) {
	case PLACE_ANY:
		return (struct membership){ true, true };
	case PLACE_SELF:
		is_in = hook == (is_from ? HOOK_OUTPUT : HOOK_INPUT);
		return (struct membership){ is_in, is_in };
	case PLACE_ZONE:
		return (struct membership){ zone_holds(place->zone, hook, is_from, packet), false };
	case PLACE_ADDRESSES:
		is_in = interval_set_contains(
			address_set_family(place->addresses, packet->family),
			is_from ? packet->source : packet->destination);
		return (struct membership){ is_in, is_in && !is_from };
	case PLACE_GROUP:
		return list_membership(place->group, hook, is_from, packet);
	}
	return (struct membership){ false, false };
}

static struct membership list_membership(const struct place_list *list, enum hook hook, bool is_from,
					 const struct packet *packet)
{
	struct membership sum = { false, false };

	for (size_t index = 0; index < list->excepts_count; index++)
		if (place_membership(&list->excepts[index], hook, is_from, packet).is_in)
			return sum;
	for (size_t index = 0; index < list->items_count; index++) {
		struct membership item = place_membership(&list->items[index], hook, is_from,
							  packet);

		sum.is_in = sum.is_in || item.is_in;
		sum.is_in_part = sum.is_in_part || item.is_in_part;
	}
	return sum;
}

static struct membership scope_membership(const struct place_scope *scope, bool is_from,
					  const struct packet *packet)
{
	struct membership all = { true, true };

	for (; scope != NULL; scope = scope->outer) {
		struct membership list = list_membership(scope->list, packet->hook, is_from, packet);

		all.is_in = all.is_in && list.is_in;
		all.is_in_part = all.is_in_part && list.is_in_part;
	}
	return all;
}

static bool is_served(const struct policy_rule *rule, const struct packet *packet)
{
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;

	if ((rule->options->families & family) == 0)
		return false;
	for (size_t index = 0; index < rule->services_count; index++)
		if (tuples_hold(&rule->services[index].tuples, packet->family, packet->protocol,
				packet->first, packet->second))
			return true;
	return false;
}

static bool speaks_of(const struct policy_rule *rule, const struct packet *packet)
{
	struct membership from = scope_membership(rule->from, true, packet);
	struct membership to = scope_membership(rule->to, false, packet);

	if (!is_served(rule, packet) || !from.is_in || !to.is_in)
		return false;
	return packet->hook != HOOK_OUTPUT || from.is_in_part || to.is_in_part;
}

static const struct policy_rule *first_match(const struct policy *policy,
					     const struct packet *packet)
{
	for (size_t index = 0; index < policy->rules_count; index++)
		if (speaks_of(policy->rules[index], packet))
			return policy->rules[index];
	return NULL;
}

/* --- laws ------------------------------------------------------------------------------------- */

static void check_packet(const struct policy *policy, const struct ruleset *ruleset,
			 const struct packet *packet)
{
	const struct policy_rule *wanted = first_match(policy, packet);
	struct decision found = ruleset_evaluate(ruleset, packet);
	const struct policy_rule *rule = found.rule == NULL ? NULL : found.rule->identity->rule;
	struct text *text;

	if (rule == wanted)
		return;
	text = text_new(unit_pool());
	ruleset_print(text, ruleset);
	ck_abort_msg("hook %d: wanted rule %d, found %d in\n%.1500s", (int)packet->hook,
		     wanted == NULL ? -1 : (int)wanted->number,
		     rule == NULL ? -1 : (int)rule->number, text->bytes);
}

START_TEST(rulesets_decide_as_policies_say)
{
	size_t compiled = 0;

	for (unsigned round = 0; round < POLICIES; round++) {
		struct policy *policy;
		struct ruleset *ruleset = random_statements(1 + unit_below(4), &policy);

		if (ruleset == NULL)
			continue;
		compiled++;
		for (unsigned index = 0; index < PACKETS; index++) {
			struct packet packet = random_packet();

			check_packet(policy, ruleset, &packet);
		}
	}
	ck_assert_uint_gt(compiled, POLICIES / 10);
}
END_TEST

/* What only zones have on input does not count against an error (complain_link_local). */
static bool is_special(const struct packet *packet)
{
	return packet->hook == HOOK_INPUT &&
	       (packet->source == 0 || packet->source >> 118 == 0xfe80 >> 6);
}

START_TEST(rules_that_are_refused_match_nothing)
{
	for (unsigned round = 0; round < POLICIES; round++) {
		struct policy *policy;
		struct ruleset *ruleset = random_statements(1, &policy);

		if (policy == NULL || ruleset != NULL || policy->rules_count != 1 ||
		    policy->rules[0]->services_count != 1)
			continue;
		for (unsigned index = 0; index < PACKETS; index++) {
			struct packet packet = random_packet();

			if (!is_special(&packet) && strstr(policy->rules[0]->words[0].word, "any") == NULL)
				ck_assert_ptr_null(first_match(policy, &packet));
		}
	}
}
END_TEST

/* --- boxes are disjoint, normal and of the families that match ----------------------------------- */

static void check_boxes(const struct place_boxes *boxes, unsigned families)
{
	unsigned found = FAMILIES_NONE;

	ck_assert_uint_gt(boxes->boxes_count, 0);
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];

		ck_assert(!address_set_is_empty(&box->addresses));
		ck_assert(!interface_set_is_empty(&box->interfaces));
		found |= address_set_families(&box->addresses);
		for (size_t other = 0; other < index; other++)
			ck_assert(!interface_sets_overlap(&box->interfaces,
							  &boxes->boxes[other].interfaces));
	}
	ck_assert_uint_eq(found, families);
}

START_TEST(matches_are_never_empty)
{
	for (unsigned round = 0; round < POLICIES; round++) {
		struct policy *policy;
		struct ruleset *ruleset = random_statements(1 + unit_below(3), &policy);

		if (ruleset == NULL)
			continue;
		for (size_t hook = 0; hook < HOOK_COUNT; hook++)
			for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
				const struct rule *rule = ruleset->rules[hook][index];

				ck_assert_uint_ne(rule->match.families, FAMILIES_NONE);
				ck_assert_uint_gt(rule->match.services.tuples_count, 0);
				check_boxes(&rule->match.from, rule->match.families);
				check_boxes(&rule->match.to, rule->match.families);
			}
	}
}
END_TEST

Suite *expand_law_suite(void)
{
	Suite *suite = suite_create("expand-law");
	TCase *laws = unit_case(suite, "laws");

	tcase_add_test(laws, rulesets_decide_as_policies_say);
	tcase_add_test(laws, rules_that_are_refused_match_nothing);
	tcase_add_test(laws, matches_are_never_empty);
	return suite;
}
