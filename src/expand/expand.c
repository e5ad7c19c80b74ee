/* Policy to ruleset.
 *
 * Needs: a policy without mistakes. Gives: in each hook the rules that can match there, in the
 * policy's order, with their boxes cut to the families they can match in. Keeps: the set of packets
 * of every rule; a rule that has none in any hook is an error, never left out in silence. */
#include "expand/expand.h"

#include "base/pool.h"
#include "expand/admitted.h"
#include "expand/complain.h"
#include "expand/outside.h"
#include "expand/product.h"
#include "expand/side.h"
#include "expand/translations.h"
#include "net/protocol.h"
#include "rules/identity.h"

/* One hook's product(s) of places for one rule: in output there may be two (side.h). */
struct places {
	struct place_boxes from, to;
};

/* The rules of the IR that one rule of the policy becomes: products x helpers. */
struct parts {
	struct rule **parts;
	size_t parts_count, parts_capacity;
};

/* Which products a hook has, and which parts they became. */
struct hook_parts {
	struct places places[2];
	size_t places_count;
	size_t begin, end;
};

struct expansion {
	struct side_context sides;
	struct diags *diags;
	struct outside *outside;
	struct ruleset *ruleset;
	struct identity_maker *maker;
	/* of the rule at hand */
	struct parts parts;
	const struct outcome **outcomes; /* of each of its services */
	size_t outcomes_capacity;
	/* of the rule at hand, where it is the same in every hook */
	struct side_value from, to;
	bool from_is_free, to_is_free;
};

static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

static struct side_value from_value(struct expansion *expansion, const struct policy_rule *rule,
				    enum hook hook)
{
	return expansion->from_is_free ? expansion->from :
	       side_evaluate(&expansion->sides, rule->from, hook, SIDE_FROM);
}

static struct side_value to_value(struct expansion *expansion, const struct policy_rule *rule,
				  enum hook hook)
{
	return expansion->to_is_free ? expansion->to :
	       side_evaluate(&expansion->sides, rule->to, hook, SIDE_TO);
}

/* In output: (any, self) x everything, and other sources x what is no zone. */
static size_t output_places(struct expansion *expansion, const struct side_value *from,
			    const struct side_value *to, struct places places[2])
{
	void *pool = expansion->sides.pool;

	if (to->part.boxes == to->all.boxes || place_boxes_equals(&to->part, &to->all) ||
	    place_boxes_equals(&from->part, &from->all)) {
		places[0] = (struct places){ from->all, to->all };
		return 1;
	}
	places[0] = (struct places){ from->part, to->all };
	places[1] = (struct places){ place_boxes_subtract(pool, &from->all, &from->part), to->part };
	return 2;
}

/* Rules that do nothing but decide share these. */
static const struct outcome plain_outcomes[] = {
	[VERDICT_ALLOW] = { .verdict = VERDICT_ALLOW },
	[VERDICT_DENY] = { .verdict = VERDICT_DENY },
	[VERDICT_REJECT] = { .verdict = VERDICT_REJECT },
};

static bool decides_only(const struct policy_options *options)
{
	return !options->has_log && options->log_prefix == NULL && !options->has_count && options->limit == NULL;
}

static const struct outcome *outcome_of(struct expansion *expansion, const struct policy_rule *rule,
					const char *helper)
{
	struct outcome *outcome;

	if (helper == NULL && decides_only(rule->options))
		return &plain_outcomes[rule->verdict];
	outcome = arena_new_item(expansion->sides.arena, struct outcome);
	*outcome = (struct outcome){
		.verdict = rule->verdict,
		.has_log = rule->options->has_log,
		.log_prefix = rule->options->log_prefix,
		.has_count = rule->options->has_count,
		.limit = rule->options->limit,
		.helper = helper,
	};
	return outcome;
}

/* What `forward` admits: packets whose destination it translated. Without `at` that is any address of
 * the firewall, which no match can name; what others translate is left out, and never let in. */
static void add_translated(struct expansion *expansion, struct match *match,
			   const struct translation *translation, const struct admitted_part *part)
{
	struct address_set all = address_set_all(expansion->sides.pool);
	struct match_original *original = arena_new_item(expansion->sides.arena, struct match_original);

	match->is_translated = true;
	match->original = original;
	match->has_original_to = translation->has_at || !address_set_is_empty(&part->apart);
	if (translation->has_at)
		original->to = translation->at;
	else if (match->has_original_to)
		original->to = address_set_subtract(expansion->sides.pool, &all, &part->apart);
	if (translation->port != 0)
		original->services = translation->services;
	else if (part->has_port_rival) /* one port, which stays what it was */
		original->services = part->services;
}

/* admitted: the part of a `forward`, of these services; else NULL. */
static void add_one(struct expansion *expansion, const struct policy_rule *rule,
		    const struct places *places, const struct tuple_set *services,
		    const struct outcome *outcome, const struct admitted_part *admitted)
{
	unsigned families = rule->options->families & tuples_families(services) &
			    boxes_families(&places->from) & boxes_families(&places->to);
	struct rule *part;

	if (families == FAMILIES_NONE)
		return;
	part = arena_new_item(expansion->sides.arena, struct rule);
	*part = (struct rule){
		.match = {
			.families = (uint8_t)families,
			.services = tuples_in_families(expansion->sides.pool, services, families),
			.from = boxes_in_families(&expansion->sides, &places->from, families),
			.to = boxes_in_families(&expansion->sides, &places->to, families),
			.minutes = rule->options->during != NULL ? &rule->options->during->minutes :
				   NULL,
			.until = rule->options->until,
		},
		.outcome = outcome,
		.origin = rule->span,
		.is_stateless = rule->options->is_stateless,
		.is_rescue = rule->options->is_rescue,
	};
	if (admitted != NULL)
		add_translated(expansion, &part->match, rule->translation, admitted);
	*pool_append(expansion->ruleset, &expansion->parts, parts) = part;
}

static void add_part(struct expansion *expansion, const struct policy_rule *rule,
		     const struct places *places, const struct tuple_set *services,
		     const struct outcome *outcome)
{
	struct admitted admitted;

	if (rule->translation == NULL) {
		add_one(expansion, rule, places, services, outcome, NULL);
		return;
	}
	admitted = admitted_parts(expansion->sides.pool, expansion->ruleset->policy, rule->translation, services);
	for (size_t index = 0; index < admitted.parts_count; index++)
		add_one(expansion, rule, places, &admitted.parts[index].services, outcome,
			&admitted.parts[index]);
}

/* Helpers matter to what is allowed only; a denied service is one set. */
static void add_places(struct expansion *expansion, const struct policy_rule *rule,
		       const struct places *places, const struct tuple_set *all_services)
{
	if (all_services != NULL) {
		add_part(expansion, rule, places, all_services, expansion->outcomes[0]);
		return;
	}
	for (size_t index = 0; index < rule->services_count; index++)
		add_part(expansion, rule, places, &rule->services[index].tuples, expansion->outcomes[index]);
}

static struct tuple_set *denied_services(struct expansion *expansion,
					 const struct policy_rule *rule)
{
	void *pool = expansion->sides.pool;
	struct tuple_set sum = { 0 }, *services;

	if (rule->verdict == VERDICT_ALLOW || rule->services_count < 2)
		return NULL;
	for (size_t use = 0; use < rule->services_count; use++)
		for (size_t index = 0; index < rule->services[use].tuples.tuples_count; index++)
			tuple_set_add(pool, &sum, rule->services[use].tuples.tuples[index]);
	services = pool_new(pool, struct tuple_set);
	*services = tuple_set_normalise(pool, &sum);
	return services;
}

/* What the rule's places are in the hook: none, where one side is empty. */
static size_t hook_places(struct expansion *expansion, const struct policy_rule *rule, enum hook hook,
			  struct places places[2])
{
	struct side_value from = from_value(expansion, rule, hook);
	struct side_value to;

	if (from.all.boxes_count == 0)
		return 0;
	to = to_value(expansion, rule, hook);
	if (to.all.boxes_count == 0)
		return 0;
	if (hook == HOOK_OUTPUT)
		return output_places(expansion, &from, &to, places);
	places[0] = (struct places){ from.all, to.all };
	return 1;
}

/* By their memory: places that are the same in every hook are worked out once. */
static bool has_same_places(const struct hook_parts *a, const struct hook_parts *b)
{
	bool is_same = a->places_count == b->places_count;

	for (size_t index = 0; is_same && index < a->places_count; index++)
		is_same = a->places[index].from.boxes == b->places[index].from.boxes &&
			  a->places[index].from.boxes_count == b->places[index].from.boxes_count &&
			  a->places[index].to.boxes == b->places[index].to.boxes &&
			  a->places[index].to.boxes_count == b->places[index].to.boxes_count;
	return is_same;
}

/* The parts of an earlier hook that has the same places. */
static bool share_parts(const struct hook_parts *hooks_parts, struct hook_parts *own)
{
	for (const struct hook_parts *earlier = hooks_parts; earlier < own; earlier++) {
		if (!has_same_places(earlier, own))
			continue;
		own->begin = earlier->begin;
		own->end = earlier->end;
		return true;
	}
	return false;
}

static void expand_hook(struct expansion *expansion, const struct policy_rule *rule,
			const struct tuple_set *all_services, struct hook_parts *own)
{
	own->begin = expansion->parts.parts_count;
	for (size_t index = 0; index < own->places_count; index++)
		if (own->places[index].from.boxes_count > 0 && own->places[index].to.boxes_count > 0)
			add_places(expansion, rule, &own->places[index], all_services);
	own->end = expansion->parts.parts_count;
}

/* All parts of a hook are those of an earlier one, or none: so its list has them in their order. */
static void expand_hooks(struct expansion *expansion, const struct policy_rule *rule,
			 const struct tuple_set *all_services)
{
	struct hook_parts hooks_parts[HOOK_COUNT];

	for (size_t index = 0; index < HOOK_COUNT; index++) {
		struct hook_parts *own = &hooks_parts[index];

		own->places_count = hook_places(expansion, rule, hooks[index], own->places);
		if (!share_parts(hooks_parts, own))
			expand_hook(expansion, rule, all_services, own);
		for (size_t at = own->begin; at < own->end; at++)
			expansion->parts.parts[at]->hooks |= (uint8_t)(1u << hooks[index]);
	}
}

static void prepare_outcomes(struct expansion *expansion, const struct policy_rule *rule)
{
	bool has_helpers = rule->verdict == VERDICT_ALLOW;

	expansion->outcomes = pool_room(expansion->ruleset, expansion->outcomes, &expansion->outcomes_capacity,
					rule->services_count + 1, sizeof *expansion->outcomes);
	for (size_t index = 0; index < rule->services_count; index++) {
		const char *helper = has_helpers ? rule->services[index].helper : NULL;

		expansion->outcomes[index] = index > 0 && !has_helpers ? expansion->outcomes[0] :
					     outcome_of(expansion, rule, helper);
	}
}

static void prepare_sides(struct expansion *expansion, const struct policy_rule *rule)
{
	expansion->from_is_free = side_is_hook_free(rule->from);
	if (expansion->from_is_free)
		expansion->from = side_evaluate(&expansion->sides, rule->from, HOOK_FORWARD, SIDE_FROM);
	expansion->to_is_free = side_is_hook_free(rule->to);
	if (expansion->to_is_free)
		expansion->to = side_evaluate(&expansion->sides, rule->to, HOOK_FORWARD, SIDE_TO);
}

static void append_rule(struct ruleset *ruleset, enum hook hook, struct rule *rule)
{
	size_t count = ruleset->rules_count[hook]++;

	ruleset->rules[hook] = pool_room(ruleset, ruleset->rules[hook], &ruleset->rules_capacity[hook],
					 count + 1, sizeof(struct rule *));
	ruleset->rules[hook][count] = rule;
}

/* Hands the parts to their hooks' lists, under one identity. */
static void finish_rule(struct expansion *expansion, const struct policy_rule *rule)
{
	struct ruleset *ruleset = expansion->ruleset;
	struct parts *parts = &expansion->parts;
	const struct identity *identity = identity_make(expansion->maker, rule, parts->parts,
							parts->parts_count);
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < parts->parts_count; index++) {
		struct rule *part = parts->parts[index];

		part->identity = identity;
		families |= part->match.families;
		ruleset->has_stateless = ruleset->has_stateless || part->is_stateless;
		for (size_t at = 0; at < HOOK_COUNT; at++)
			if ((part->hooks & 1u << hooks[at]) != 0)
				append_rule(ruleset, hooks[at], part);
	}
	complain_words(expansion->diags, rule, families);
	complain_places(&expansion->sides, expansion->diags,
			(struct named_places){ rule->span, rule->from, rule->to }, families);
	outside_check(expansion->outside, rule);
}

static void report_mistakes(struct expansion *expansion, const struct policy_rule *rule)
{
	if (side_has_empty_file(rule->from) || side_has_empty_file(rule->to))
		return; /* `or empty` asked for it, and a note said so */
	if (!outside_check_disjoint(expansion->outside, rule))
		complain_empty(&expansion->sides, expansion->diags, rule);
}

static void expand_rule(struct expansion *expansion, const struct policy_rule *rule)
{
	const struct tuple_set *all_services = denied_services(expansion, rule);

	expansion->parts.parts_count = 0;
	prepare_outcomes(expansion, rule);
	prepare_sides(expansion, rule);
	expand_hooks(expansion, rule, all_services);
	if (expansion->parts.parts_count == 0)
		report_mistakes(expansion, rule);
	else if (!complain_link_local(&expansion->sides, expansion->diags, rule,
				      expansion->parts.parts, expansion->parts.parts_count))
		finish_rule(expansion, rule);
}

static void expand_default(struct expansion *expansion, enum hook hook)
{
	static const char *const names[] = { "default-input", "default-forward", "default-output" };
	const struct policy_default *source = &expansion->ruleset->policy->defaults[hook];
	struct outcome *outcome = arena_new_item(expansion->sides.arena, struct outcome);

	*outcome = (struct outcome){
		.verdict = source->is_written ? source->verdict :
			   hook == HOOK_OUTPUT ? VERDICT_ALLOW : VERDICT_DENY,
		.has_log = source->options.has_log,
		.log_prefix = source->options.log_prefix,
		.has_count = source->options.has_count,
	};
	expansion->ruleset->defaults[hook] = outcome;
	expansion->ruleset->default_identities[hook] = identity_fixed(expansion->maker, names[hook]);
}

struct ruleset *expand_policy(void *pool, struct diags *diags, const struct policy *policy)
{
	struct ruleset *ruleset = pool_new(pool, struct ruleset);
	struct expansion expansion = {
		.sides = side_context_new(pool),
		.diags = diags,
		.ruleset = ruleset,
		.maker = identity_maker_new(pool, policy),
	};

	expansion.outside = outside_new(&expansion.sides, diags);
	ruleset->policy = policy;
	ruleset->helpers = policy->helpers;
	ruleset->helpers_count = policy->helpers_count;
	for (size_t index = 0; index < policy->rules_count; index++)
		if (!policy->rules[index]->is_expired)
			expand_rule(&expansion, policy->rules[index]);
	for (size_t index = 0; index < HOOK_COUNT; index++)
		expand_default(&expansion, hooks[index]);
	expand_translations(&expansion.sides, diags, expansion.maker, ruleset);
	return ruleset;
}
