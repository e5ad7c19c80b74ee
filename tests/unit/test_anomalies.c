/* What is said of rules that never match or could go, against the maps with and without them, and one
 * engine against the other. */
#include <string.h>

#include "analyse/anomalies.h"
#include "analyse/explain.h"
#include "analyse/translations.h"
#include "base/pool.h"
#include "expand/expand.h"
#include "policy_text.h"
#include "unit.h"

static struct ruleset *expand(const struct policy *policy)
{
	return expand_policy(unit_pool(), policy->diags, policy);
}

/* Rules that overlap much: few networks, few ports, both families. */
static void add_rule(struct text *text)
{
	static const char *const verdicts[] = { "allow", "deny", "allow" };
	static const char *const services[] = { "22/tcp", "20-30/tcp", "any/tcp", "53/udp", "any",
						"22/tcp, 53/udp", "8/icmp", "128/icmp6" };
	static const char *const places[] = { "10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25",
					      "10.0.0.5", "fd00::/64", "fd00::5", "lan", "wan", "any",
					      "10.0.0.0/24 except 10.0.0.5" };

	text_addf(text, "%s %s", verdicts[unit_below(3)], services[unit_below(8)]);
	if (unit_below(4) != 0)
		text_addf(text, " from %s", places[unit_below(10)]);
	if (unit_below(4) == 0)
		text_addf(text, " to %s", places[unit_below(10)]);
	text_add(text, ";\n");
}

/* NULL: the dice made a policy that does not compile. */
static const struct policy *random_policy(void)
{
	struct text *text = text_new(unit_pool());
	struct diags *diags;
	struct policy *policy;

	text_add(text, "zone lan { interface eth1; network 10.0.0.0/24, fd00::/64; }\n"
		       "zone wan { interface eth0; network internet; }\n");
	for (unsigned count = 2 + unit_below(8); count > 0; count--)
		add_rule(text);
	policy = policy_of(&diags, text->bytes);
	if (diags_has_errors(diags))
		return NULL;
	(void)expand(policy);
	return diags_has_errors(diags) ? NULL : policy;
}

static struct anomalies *find(const struct ruleset *ruleset, enum shadow_engine engine)
{
	const struct anomaly_settings settings = { .engine = engine };

	return anomalies_find(unit_pool(), ruleset, &settings);
}

/* The ruleset without a statement. */
static struct ruleset *without(const struct ruleset *ruleset, const struct policy_rule *statement)
{
	struct ruleset *less = pool_new(unit_pool(), struct ruleset);

	*less = *ruleset;
	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		size_t kept = 0;

		less->rules[hook] = pool_array(unit_pool(), struct rule *, ruleset->rules_count[hook] + 1);
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			if (ruleset->rules[hook][index]->identity->rule != statement)
				less->rules[hook][kept++] = ruleset->rules[hook][index];
		less->rules_count[hook] = kept;
	}
	return less;
}

struct naming {
	struct meaning *meaning;
	enum hook hook;
};

static uint32_t verdict_number(void *context, uint32_t number)
{
	const struct naming *naming = context;

	return meaning_outcome(naming->meaning, naming->hook, number)->verdict;
}

/* Verdicts alone, of one hook. */
static packet_map verdicts(struct packet_space *space, struct ruleset *ruleset, enum hook hook)
{
	struct meaning meaning = meaning_of(unit_pool(), ruleset);
	struct naming naming = { &meaning, hook };
	struct packet_rules boxes = { 0 };
	packet_map map;

	meaning_boxes(&meaning, unit_pool(), space->universe, hook, &boxes);
	map = packet_map_first_match(space, boxes.items, boxes.items_count, meaning.statements);
	return packet_map_renumber(space, map, verdict_number, &naming);
}

static struct packet_space *space_of(const struct ruleset *ruleset)
{
	struct packet_universe *universe = packet_universe_new(unit_pool());

	packet_universe_add(universe, ruleset);
	packet_universe_finish(universe);
	return packet_space_new(unit_pool(), universe, PACKET_ORDER_SAFE, 0);
}

static bool changes_nothing(struct ruleset *ruleset, const struct policy_rule *statement)
{
	struct packet_space *space = space_of(ruleset);
	packet_set possible = packet_set_possible(space);

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		packet_set difference = packet_map_difference(
			space, verdicts(space, ruleset, hook),
			verdicts(space, without(ruleset, statement), hook));
		struct interval_set number = { 0 };
		struct packet_box box = { .fields = { [FIELD_HOOK] = &number } };

		interval_set_add(unit_pool(), &number, hook, hook);
		difference = packet_set_intersect(space, difference, packet_set_box(space, &box));
		if (!packet_set_is_empty(packet_set_intersect(space, difference, possible)))
			return false;
	}
	return true;
}

static bool is_told(const struct anomalies *anomalies, const struct policy_rule *rule,
		    enum anomaly_kind kind)
{
	for (size_t index = 0; index < anomalies->items_count; index++)
		if (anomalies->items[index].rule == rule && anomalies->items[index].kind == kind)
			return true;
	return false;
}

/* What is told to change nothing does, and the witness is the rule's. */
START_TEST(what_is_told_is_true)
{
	const struct policy *policy = random_policy();
	struct ruleset *ruleset = policy != NULL ? expand(policy) : NULL;
	struct anomalies *anomalies = ruleset != NULL ? find(ruleset, SHADOW_ANY) : NULL;

	for (size_t index = 0; anomalies != NULL && index < anomalies->items_count; index++) {
		const struct anomaly *anomaly = &anomalies->items[index];
		struct decision decision = ruleset_evaluate(ruleset, &anomaly->witness);

		if (anomaly->kind == ANOMALY_PARTLY_SHADOWED) {
			ck_assert(decision.rule == NULL || decision.rule->identity->rule != anomaly->rule);
			continue;
		}
		ck_assert(changes_nothing(ruleset, anomaly->rule));
		if (anomaly->kind == ANOMALY_SHADOWED || anomaly->kind == ANOMALY_REDUNDANT) {
			ck_assert_ptr_ne(decision.rule, NULL);
			ck_assert(decision.rule->identity->rule->number < anomaly->rule->number);
			ck_assert_uint_gt(anomaly->blame_count, 0);
		}
	}
}
END_TEST

static bool is_told_to_go(const struct anomalies *anomalies, const struct policy_rule *rule)
{
	return is_told(anomalies, rule, ANOMALY_REMOVABLE) || is_told(anomalies, rule, ANOMALY_AS_DEFAULT);
}

/* The ruleset without all that are told to change nothing. */
static struct ruleset *without_told(struct ruleset *ruleset, const struct policy *policy,
				    const struct anomalies *anomalies)
{
	for (size_t index = 0; index < policy->rules_count; index++)
		if (is_told_to_go(anomalies, policy->rules[index]))
			ruleset = without(ruleset, policy->rules[index]);
	return ruleset;
}

/* A rule that changes nothing is told, one way or another, unless another was told in its place: without
 * that one it changes something. */
START_TEST(what_is_true_is_told)
{
	const struct policy *policy = random_policy();
	struct ruleset *ruleset = policy != NULL ? expand(policy) : NULL;
	struct anomalies *anomalies = ruleset != NULL ? find(ruleset, SHADOW_ANY) : NULL;
	bool has_dead = false;

	for (size_t index = 0; anomalies != NULL && index < anomalies->items_count; index++)
		has_dead = has_dead || anomalies->items[index].kind == ANOMALY_SHADOWED ||
			   anomalies->items[index].kind == ANOMALY_REDUNDANT ||
			   anomalies->items[index].kind == ANOMALY_PARTLY_SHADOWED;
	for (size_t index = 0; anomalies != NULL && !has_dead && index < policy->rules_count; index++) {
		const struct policy_rule *rule = policy->rules[index];

		if (changes_nothing(ruleset, rule) && !is_told_to_go(anomalies, rule))
			ck_assert(!changes_nothing(without_told(ruleset, policy, anomalies), rule));
	}
}
END_TEST

/* Both engines find the same. */
START_TEST(both_engines_find_the_same)
{
	const struct policy *policy = random_policy();
	struct ruleset *ruleset = policy != NULL ? expand(policy) : NULL;
	struct anomalies *first, *second;

	if (ruleset == NULL)
		return;
	first = find(ruleset, SHADOW_DIAGRAMS);
	second = find(ruleset, SHADOW_COVERS);
	ck_assert_uint_eq(first->undecided_count + second->undecided_count, 0);
	for (size_t index = 0; index < policy->rules_count; index++)
		for (enum anomaly_kind kind = ANOMALY_SHADOWED; kind <= ANOMALY_AS_DEFAULT; kind++)
			ck_assert_int_eq(is_told(first, policy->rules[index], kind),
					 is_told(second, policy->rules[index], kind));
}
END_TEST

/* --- translations ------------------------------------------------------------------------------------- */

static const struct policy *random_translations(void)
{
	static const char *const from[] = { "10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25", "10.0.0.5", "lan", "any",
					    "any except self", "self", "lan, self" };
	static const char *const to[] = { "wan", "any", "198.51.100.0/24", "wan except 198.51.100.0/24" };
	static const char *const ends[] = { "", " as 80.1.0.3", " as 80.1.0.4" };
	struct text *text = text_new(unit_pool());
	struct diags *diags;
	struct policy *policy;

	text_add(text, "zone lan { interface eth1; network 10.0.0.0/24; }\n"
		       "zone wan { interface eth0; network internet; }\n");
	for (unsigned count = 2 + unit_below(6); count > 0; count--) {
		unsigned end = unit_below(3);

		text_addf(text, "%s from %s to %s%s;\n", end == 0 ? "masquerade" : "snat", from[unit_below(9)],
			  to[unit_below(4)], ends[end]);
	}
	policy = policy_of(&diags, text->bytes);
	return diags_has_errors(diags) ? NULL : policy;
}

/* Which statements decide some packet, by the evaluator; and which one alone would. One packet of each kind
 * that the words above tell apart. */
struct use {
	bool decides[HOOK_COUNT], matches[HOOK_COUNT];
};

static bool matches(const struct ruleset *ruleset, const struct translation *statement, const struct packet *packet)
{
	struct ruleset alone = *ruleset;

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		alone.translations = &ruleset->translations[index];
		alone.translations_count = 1;
		if (ruleset->translations[index]->source == statement &&
		    explain_source_translation(&alone, packet) != NULL)
			return true;
	}
	return false;
}

static void use_packet(const struct ruleset *ruleset, const struct packet *packet, struct use *uses)
{
	const struct rule_translation *found = explain_source_translation(ruleset, packet);

	for (size_t index = 0; index < ruleset->policy->translations_count; index++)
		uses[index].matches[packet->hook] |=
			matches(ruleset, ruleset->policy->translations[index], packet);
	if (found != NULL)
		uses[found->source->number].decides[packet->hook] = true;
}

static void use_all(const struct ruleset *ruleset, struct use *uses)
{
	static const uint32_t addresses[] = { 0x0a000005, 0x0a000006, 0x0a0000c8, 0xc6336407, 0xcb007105 };
	static const char *const names[] = { "eth0", "eth1", "eth9" };

	for (unsigned at = 0; at < 2 * 5 * 5 * 3 * 3; at++) {
		const struct packet packet = {
			.hook = at % 2 == 0 ? HOOK_FORWARD : HOOK_OUTPUT,
			.source = addresses[at / 2 % 5],
			.destination = addresses[at / 10 % 5],
			.in = at % 2 == 0 ? names[at / 50 % 3] : NULL,
			.out = names[at / 150],
			.protocol = 6, .first = 80, .second = 40000,
		};

		use_packet(ruleset, &packet, uses);
	}
}

/* Those to blame take it together; an earlier one that nobody needs for that may come first. */
static bool is_blamed_for(const struct ruleset *ruleset, const struct translation_finding *finding,
			  const struct packet *packet)
{
	for (size_t index = 0; index < finding->blame_count; index++)
		if (matches(ruleset, finding->blame[index], packet))
			return true;
	return false;
}

static const struct translation_finding *told_of(const struct translation_findings *findings,
						 const struct translation *statement)
{
	for (size_t index = 0; index < findings->items_count; index++)
		if (findings->items[index].translation == statement)
			return &findings->items[index];
	return NULL;
}

/* Told if and only if no packet is left for it; its packet is an earlier one's. */
START_TEST(translations_that_never_happen_are_told)
{
	const struct policy *policy = random_translations();
	struct ruleset *ruleset = policy != NULL ? expand(policy) : NULL;
	const struct translation_findings *findings;
	struct use uses[8] = { 0 };

	if (ruleset == NULL || diags_has_errors(policy->diags))
		return;
	findings = translations_find(unit_pool(), ruleset);
	ck_assert_uint_eq(findings->undecided_count, 0);
	use_all(ruleset, uses);
	for (size_t index = 0; index < policy->translations_count; index++) {
		const struct translation_finding *finding = told_of(findings, policy->translations[index]);
		const struct use *use = &uses[index];
		bool is_dead = !use->decides[HOOK_FORWARD] && !use->decides[HOOK_OUTPUT];
		bool is_partly = !is_dead && use->matches[HOOK_FORWARD] && !use->decides[HOOK_FORWARD];
		const struct rule_translation *taker;

		ck_assert_int_eq(is_dead, finding != NULL && (finding->kind == TRANSLATION_SHADOWED ||
							      finding->kind == TRANSLATION_REDUNDANT));
		ck_assert_int_eq(is_partly, finding != NULL && finding->kind == TRANSLATION_PARTLY);
		if (!is_dead && !is_partly)
			continue;
		ck_assert(matches(ruleset, policy->translations[index], &finding->witness));
		taker = explain_source_translation(ruleset, &finding->witness);
		ck_assert(taker != NULL && taker->source->number < index);
		ck_assert(is_blamed_for(ruleset, finding, &finding->witness));
	}
}
END_TEST

static Suite *anomalies_suite(void)
{
	Suite *suite = suite_create("anomalies");
	TCase *laws = unit_case(suite, "laws");

	unit_add_law(laws, what_is_told_is_true, 150);
	unit_add_law(laws, what_is_true_is_told, 150);
	unit_add_law(laws, translations_that_never_happen_are_told, 150);
	unit_add_law(laws, both_engines_find_the_same, 150);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ anomalies_suite, NULL });
}
