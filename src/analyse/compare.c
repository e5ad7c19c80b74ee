/* Two maps, combined: the pairs of numbers that some packet gets. */
#include "analyse/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/interned.h"
#include "base/pool.h"

/* Pairs of numbers, numbered in the order of their finding; 0 is no pair. */
struct pair {
	uint32_t a, b;
};

struct pairs {
	void *pool;
	struct interned *known;
	struct pair *items;
	size_t items_count, items_capacity;
};

struct comparing {
	void *pool;
	const struct ruleset *before, *after;
	struct comparison *comparison;
	packet_set possible;
	struct change *limited; /* under equal limits before and after */
	size_t limited_count, limited_capacity;
};

static struct pairs *pairs_new(void *pool)
{
	struct pairs *pairs = pool_new(pool, struct pairs);

	pairs->pool = pairs;
	pairs->known = interned_new(pairs, arena_new(pairs));
	*pool_append(pairs, pairs, items) = (struct pair){ 0, 0 };
	return pairs;
}

static uint32_t pair_number(void *context, uint32_t a, uint32_t b)
{
	struct pairs *pairs = context;
	struct pair pair = { a, b };
	void **slot = interned_slot(pairs->known, &pair, sizeof pair);

	if (*slot == NULL) {
		*slot = (void *)(uintptr_t)pairs->items_count;
		*pool_append(pairs->pool, pairs, items) = pair;
	}
	return (uint32_t)(uintptr_t)*slot;
}

/* --- outcomes ---------------------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool limits_equal(const struct limit *a, const struct limit *b)
{
	return a == b || (a != NULL && b != NULL && a->rate == b->rate && a->unit_s == b->unit_s &&
			  a->burst == b->burst && a->is_per_source == b->is_per_source);
}

/* false: they are the same. */
static bool change_of(const struct outcome *before, const struct outcome *after, enum change_kind *kind)
{
	bool was_allowed = before->verdict == VERDICT_ALLOW, is_allowed = after->verdict == VERDICT_ALLOW;

	if (was_allowed != is_allowed)
		*kind = is_allowed ? CHANGE_ALLOWED : CHANGE_DENIED;
	else if (before->verdict != after->verdict)
		*kind = CHANGE_ANSWERED;
	else if (!limits_equal(before->limit, after->limit))
		*kind = CHANGE_LIMITED;
	else if (before->has_log != after->has_log || before->has_count != after->has_count ||
		 !texts_equal(before->log_prefix, after->log_prefix))
		*kind = CHANGE_LOGGED;
	else
		return false;
	return true;
}

/* --- rules ------------------------------------------------------------------------------------------- */

static packet_set hook_packets(struct comparing *comparing, enum hook hook)
{
	struct packet_space *space = comparing->comparison->space;

	return packet_set_intersect(space, packet_set_value(space, FIELD_HOOK, hook),
				    comparing->possible);
}

static packet_map hook_map(struct comparing *comparing, const struct meaning *meaning, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;
	struct packet_rules boxes = { 0 };

	meaning_boxes(meaning, comparing->pool, comparison->universe, hook, &boxes);
	return packet_map_first_match(comparison->space, boxes.items, boxes.items_count,
				      meaning->statements);
}

static void add_change(struct comparing *comparing, struct change change)
{
	*pool_append(comparing->pool, comparing->comparison, changes) = change;
}

static bool is_stateless(const struct meaning *meaning, enum hook hook, uint32_t number)
{
	const struct rule *rule = meaning_rule(meaning, hook, number);

	return rule != NULL && rule->is_stateless;
}

static void add_rule_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	struct comparison *comparison = comparing->comparison;
	enum hook hook = change.hook;
	const struct outcome *before = meaning_outcome(&comparison->before, hook, pair.a);
	bool is_changed =
		change_of(before, meaning_outcome(&comparison->after, hook, pair.b), &change.kind);

	change.before = pair.a;
	change.after = pair.b;
	if ((!is_changed || change.kind == CHANGE_LOGGED) &&
	    is_stateless(&comparison->before, hook, pair.a) !=
		    is_stateless(&comparison->after, hook, pair.b)) {
		change.kind = CHANGE_TRACKED;
		is_changed = true;
	}
	if (is_changed)
		add_change(comparing, change);
	else if (before->limit != NULL)
		*pool_append(comparing->pool, comparing, limited) = change;
}

/* Each statement has a limit of its own: two statements that become one share what each had for itself. */
static void compare_shares(struct comparing *comparing)
{
	for (size_t index = 0; index < comparing->limited_count; index++) {
		struct change change = comparing->limited[index];
		bool is_shared = false;

		for (size_t at = 0; at < comparing->limited_count && !is_shared; at++)
			is_shared = (comparing->limited[at].before == change.before) !=
				    (comparing->limited[at].after == change.after);
		change.kind = CHANGE_LIMITED;
		if (is_shared)
			add_change(comparing, change);
	}
}

/* The pairs that possible packets of the hook get. */
static void compare_maps(struct comparing *comparing, enum hook hook, packet_map before, packet_map after,
			 void (*add)(struct comparing *, struct change, struct pair))
{
	struct packet_space *space = comparing->comparison->space;
	struct pairs *pairs = pairs_new(comparing->pool);
	packet_map both = packet_map_combine(space, before, after, pair_number, pairs);
	packet_map cut = packet_map_choose(space, hook_packets(comparing, hook), both,
					   packet_map_constant(0));
	bool *seen;

	if (cut == PACKET_MAP_OVER)
		return;
	seen = pool_array(comparing->pool, bool, pairs->items_count);
	packet_map_numbers(space, cut, seen, pairs->items_count);
	for (uint32_t number = 1; number < pairs->items_count; number++)
		if (seen[number])
			add(comparing,
			    (struct change){ .hook = hook,
					     .packets = packet_map_where(space, cut, number),
					     .region = packet_map_where(space, both, number) },
			    pairs->items[number]);
}

static void compare_rules(struct comparing *comparing, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;

	compare_maps(comparing, hook, hook_map(comparing, &comparison->before, hook),
		     hook_map(comparing, &comparison->after, hook), add_rule_pair);
}

/* --- helpers ----------------------------------------------------------------------------------------- */

/* A statement has several rules where some of its services have helpers: those are numbered one by one, from
 * behind the number of the default. */
static packet_map helper_map(struct comparing *comparing, const struct ruleset *ruleset,
			     const struct meaning *meaning, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;
	struct packet_rules boxes = { 0 };

	for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
		const struct rule *rule = ruleset->rules[hook][index];
		uint32_t number = rule->outcome->helper != NULL ?
				  meaning->statements + 1 + (uint32_t)index :
				  (uint32_t)rule->identity->rule->number;

		match_boxes(comparing->pool, comparison->universe, &rule->match, number, &boxes);
	}
	return packet_map_first_match(comparison->space, boxes.items, boxes.items_count,
				      meaning->statements);
}

/* The statement; *helper: its helper there, or NULL. */
static uint32_t helped_by(const struct meaning *meaning, enum hook hook, uint32_t number,
			  const char **helper)
{
	const struct rule *rule;

	*helper = NULL;
	if (number <= meaning->statements)
		return number;
	rule = meaning->ruleset->rules[hook][number - meaning->statements - 1];
	*helper = rule->outcome->helper;
	return (uint32_t)rule->identity->rule->number;
}

static void add_helper_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	struct comparison *comparison = comparing->comparison;
	const char *old, *new;
	uint32_t before = helped_by(&comparison->before, change.hook, pair.a, &old);
	uint32_t after = helped_by(&comparison->after, change.hook, pair.b, &new);

	change.kind = CHANGE_HELPED;
	change.before = before;
	change.after = after;
	if (!texts_equal(old, new) &&
	    meaning_outcome(&comparison->before, change.hook, before)->verdict == VERDICT_ALLOW &&
	    meaning_outcome(&comparison->after, change.hook, after)->verdict == VERDICT_ALLOW)
		add_change(comparing, change);
}

static void compare_helpers(struct comparing *comparing, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;

	if (comparing->before->helpers_count == 0 && comparing->after->helpers_count == 0)
		return;
	compare_maps(comparing, hook, helper_map(comparing, comparing->before, &comparison->before, hook),
		     helper_map(comparing, comparing->after, &comparison->after, hook), add_helper_pair);
}

/* --- a boot that fails closed ------------------------------------------------------------------------ */

static packet_map rescue_map(struct comparing *comparing, const struct ruleset *ruleset,
			     const struct meaning *meaning, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;
	struct packet_rules boxes = { 0 };

	for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
		const struct rule *rule = ruleset->rules[hook][index];

		if (rule->is_rescue)
			match_boxes(comparing->pool, comparison->universe, &rule->match,
				    (uint32_t)rule->identity->rule->number, &boxes);
	}
	return packet_map_first_match(comparison->space, boxes.items, boxes.items_count,
				      meaning->statements);
}

static bool is_open(const struct ruleset *ruleset, uint32_t number)
{
	return number < ruleset->policy->rules_count &&
	       ruleset->policy->rules[number]->verdict == VERDICT_ALLOW;
}

static void add_rescue_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	change.kind = CHANGE_RESCUED;
	change.before = pair.a;
	change.after = pair.b;
	if (is_open(comparing->before, pair.a) != is_open(comparing->after, pair.b))
		add_change(comparing, change);
}

static void compare_rescue(struct comparing *comparing, enum hook hook)
{
	struct comparison *comparison = comparing->comparison;

	compare_maps(comparing, hook, rescue_map(comparing, comparing->before, &comparison->before, hook),
		     rescue_map(comparing, comparing->after, &comparison->after, hook), add_rescue_pair);
}

/* --- translations ------------------------------------------------------------------------------------ */

static bool is_destination(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD;
}

static struct match translation_match(void *pool, const struct rule_translation *translation)
{
	struct match match = {
		.families = translation->families,
		.services = translation->services,
		.from = translation->from,
		.to = translation->to,
	};

	if (is_destination(translation) && translation->source->has_at) {
		match.to = (struct place_boxes){ 0 };
		*pool_append(pool, &match.to, boxes) =
			(struct place_box){ interface_set_all(), translation->source->at };
	}
	return match;
}

/* Packets that come to be forwarded for destinations (before that) and sources; the firewall's own for
 * sources. */
static packet_map translation_map(struct comparing *comparing, const struct ruleset *ruleset,
				  enum hook hook, bool is_for_destinations)
{
	struct comparison *comparison = comparing->comparison;
	struct packet_rules boxes = { 0 };

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *translation = ruleset->translations[index];
		struct match match = translation_match(comparing->pool, translation);

		if (is_destination(translation) == is_for_destinations &&
		    (hook == HOOK_OUTPUT ? translation->applies_to_local :
					   translation->applies_to_routed))
			match_boxes(comparing->pool, comparison->universe, &match, (uint32_t)index, &boxes);
	}
	return packet_map_first_match(comparison->space, boxes.items, boxes.items_count,
				      (uint32_t)ruleset->translations_count);
}

static bool addresses_equal(const bool has_a[2], const struct address a[2], const bool has_b[2],
			    const struct address b[2])
{
	for (size_t family = 0; family < 2; family++)
		if (has_a[family] != has_b[family] ||
		    (has_a[family] && a[family].value != b[family].value))
			return false;
	return true;
}

static bool translations_equal(const struct rule_translation *a, const struct rule_translation *b)
{
	return a == b ||
	       (a != NULL && b != NULL && a->kind == b->kind && a->source->port == b->source->port &&
		a->source->has_at == b->source->has_at &&
		addresses_equal(a->source->has_as, a->source->as, b->source->has_as, b->source->as) &&
		addresses_equal(a->source->has_host, a->source->host, b->source->has_host,
				b->source->host));
}

static const struct rule_translation *translation_at(const struct ruleset *ruleset, uint32_t number)
{
	return number < ruleset->translations_count ? ruleset->translations[number] : NULL;
}

static void add_translation_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	const struct rule_translation *before = translation_at(comparing->before, pair.a);
	const struct rule_translation *after = translation_at(comparing->after, pair.b);

	change.kind = CHANGE_TRANSLATED;
	change.before = before != NULL ? pair.a : SIZE_MAX;
	change.after = after != NULL ? pair.b : SIZE_MAX;
	if (!translations_equal(before, after))
		add_change(comparing, change);
}

static void compare_translations(struct comparing *comparing)
{
	static const enum hook hooks[] = { HOOK_FORWARD, HOOK_OUTPUT };

	if (comparing->before->translations_count == 0 && comparing->after->translations_count == 0)
		return;
	for (size_t at = 0; at < 2; at++)
		for (int destinations = 0; destinations <= 1; destinations++)
			compare_maps(comparing, hooks[at],
				     translation_map(comparing, comparing->before, hooks[at],
						     destinations != 0),
				     translation_map(comparing, comparing->after, hooks[at],
						     destinations != 0),
				     add_translation_pair);
}

/* --- all --------------------------------------------------------------------------------------------- */

static int compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->kind != y->kind)
		return (x->kind > y->kind) - (x->kind < y->kind);
	if (x->after != y->after)
		return (x->after > y->after) - (x->after < y->after);
	if (x->before != y->before)
		return (x->before > y->before) - (x->before < y->before);
	return (x->hook > y->hook) - (x->hook < y->hook);
}

static void compare_in(struct comparing *comparing, enum packet_order order)
{
	struct comparison *comparison = comparing->comparison;

	comparison->space = packet_space_new(comparing->pool, comparison->universe, order, 0);
	comparison->changes_count = 0;
	comparing->limited_count = 0;
	comparing->possible = packet_set_possible(comparison->space);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		compare_rules(comparing, hook);
	compare_shares(comparing);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		compare_helpers(comparing, hook);
		compare_rescue(comparing, hook);
	}
	compare_translations(comparing);
	comparison->is_over = packet_space_is_over(comparison->space);
}

struct comparison *rulesets_compare(void *pool, const struct ruleset *before,
				    const struct ruleset *after)
{
	struct comparison *comparison = pool_new(pool, struct comparison);
	struct comparing comparing = { pool, before, after, comparison, 0 };

	comparison->universe = packet_universe_new(pool);
	packet_universe_add(comparison->universe, before);
	packet_universe_add(comparison->universe, after);
	packet_universe_add_zones(comparison->universe, after->policy); /* regions have zones' names */
	packet_universe_finish(comparison->universe);
	comparison->before = meaning_of(pool, before);
	comparison->after = meaning_of(pool, after);
	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		compare_in(&comparing, order);
		if (!comparison->is_over)
			break;
	}
	if (comparison->changes_count > 0)
		qsort(comparison->changes, comparison->changes_count, sizeof *comparison->changes,
		      compare_changes);
	return comparison;
}
