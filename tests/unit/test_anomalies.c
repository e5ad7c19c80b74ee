/* What is said of rules that never match or could go, against the maps with and without them, and one
 * engine against the other. */
#include <string.h>

#include "analyse/anomalies.h"
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

/* A rule that changes nothing is told, one way or another, unless another of its kind was told for it. */
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

		if (changes_nothing(ruleset, rule))
			ck_assert(is_told(anomalies, rule, ANOMALY_REMOVABLE) ||
				  is_told(anomalies, rule, ANOMALY_AS_DEFAULT));
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

static Suite *anomalies_suite(void)
{
	Suite *suite = suite_create("anomalies");
	TCase *laws = unit_case(suite, "laws");

	tcase_add_loop_test(laws, what_is_told_is_true, 0, 150);
	tcase_add_loop_test(laws, what_is_true_is_told, 0, 150);
	tcase_add_loop_test(laws, both_engines_find_the_same, 0, 150);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ anomalies_suite, NULL });
}
