/* Lists of boxes, one for each aspect and hook; which pairs of rules decide otherwise list_diff.h finds. */
#include "analyse/compare.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/list_diff.h"
#include "analyse/translations.h"
#include "base/pool.h"

#define WORK_DEFAULT 20000000u

struct pair {
	uint32_t a, b;
};

struct comparing {
	void *pool;
	const struct ruleset *sides[2]; /* before, after */
	struct comparison *comparison;
	struct list_pairing *pairing;
	packet_set possible;
	enum hook hook; /* that is looked at */
	size_t work;    /* left */
	struct change *limited; /* under equal limits before and after */
	size_t limited_count, limited_capacity;
};

/* Something that rules do: as a first-match list, the outcomes of its numbers, and what becomes of pairs. */
struct aspect {
	struct packet_list (*list)(struct comparing *comparing, bool is_after);
	const char *(*key)(void *comparing, bool is_after, uint32_t number);
	bool (*is_asked)(void *comparing, uint32_t before, uint32_t after);
	void (*add)(struct comparing *comparing, struct change change, struct pair pair);
	struct undecided_change (*undecided)(struct comparing *comparing, bool is_after, uint32_t number);
};

static const struct meaning *meaning_at(const struct comparing *comparing, bool is_after)
{
	return is_after ? &comparing->comparison->after : &comparing->comparison->before;
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

static const struct outcome *outcome_at(const struct comparing *comparing, bool is_after, uint32_t number)
{
	return meaning_outcome(meaning_at(comparing, is_after), comparing->hook, number);
}

static struct packet_list rules_list(struct comparing *comparing, bool is_after)
{
	const struct meaning *meaning = meaning_at(comparing, is_after);
	struct packet_rules boxes = { 0 };

	meaning_boxes(meaning, comparing->pool, comparing->comparison->universe, comparing->hook, &boxes);
	return (struct packet_list){ boxes.items, boxes.items_count, meaning->statements };
}

/* All of what change_of and add_rule_pair look at; limits are always looked at in pairs. */
static const char *rule_key(void *context, bool is_after, uint32_t number)
{
	struct comparing *comparing = context;
	const struct outcome *outcome = outcome_at(comparing, is_after, number);

	if (outcome->limit != NULL)
		return NULL;
	return pool_format(comparing->pool, "%d%d%d%d%s%s", (int)outcome->verdict, outcome->has_log,
			   outcome->has_count,
			   is_stateless(meaning_at(comparing, is_after), comparing->hook, number),
			   outcome->log_prefix != NULL ? " " : "",
			   outcome->log_prefix != NULL ? outcome->log_prefix : "");
}

static bool is_rule_pair_asked(void *context, uint32_t before, uint32_t after)
{
	const struct comparing *comparing = context;
	const struct outcome *old = outcome_at(comparing, false, before);
	enum change_kind kind;

	return change_of(old, outcome_at(comparing, true, after), &kind) || old->limit != NULL ||
	       is_stateless(&comparing->comparison->before, comparing->hook, before) !=
		       is_stateless(&comparing->comparison->after, comparing->hook, after);
}

static struct undecided_change undecided_rule(struct comparing *comparing, bool is_after, uint32_t number)
{
	return (struct undecided_change){ is_after, number,
					  meaning_origin(meaning_at(comparing, is_after), comparing->hook,
							 number) };
}

static const struct aspect rule_aspect = { rules_list, rule_key, is_rule_pair_asked, add_rule_pair,
					   undecided_rule };

static void add_undecided(struct comparing *comparing, struct undecided_change undecided)
{
	struct comparison *comparison = comparing->comparison;

	for (size_t at = 0; at < comparison->undecided_count; at++)
		if (comparison->undecided[at].is_after == undecided.is_after &&
		    comparison->undecided[at].statement == undecided.statement &&
		    comparison->undecided[at].origin.begin == undecided.origin.begin)
			return;
	*pool_append(comparing->pool, comparison, undecided) = undecided;
}

static void compare_aspect(struct comparing *comparing, enum hook hook, const struct aspect *aspect)
{
	struct packet_space *space = comparing->comparison->space;
	struct list_diff_question question = {
		.space = space,
		.hook = hook,
		.context = comparing,
		.key = aspect->key,
		.is_asked = aspect->is_asked,
		.work = &comparing->work,
	};
	const struct list_differences *found;

	comparing->hook = hook;
	question.possible = packet_set_intersect(space, packet_set_value(space, FIELD_HOOK, hook),
						 comparing->possible);
	question.before = aspect->list(comparing, false);
	question.after = aspect->list(comparing, true);
	found = list_diff_find(comparing->pool, comparing->pairing, &question);
	for (size_t at = 0; at < found->items_count; at++)
		aspect->add(comparing,
			    (struct change){ .hook = hook, .packets = found->items[at].packets,
					     .region = found->items[at].region,
					     .is_within = found->items[at].is_within },
			    (struct pair){ found->items[at].before, found->items[at].after });
	for (size_t at = 0; at < found->undecided_count; at++)
		add_undecided(comparing, aspect->undecided(comparing, found->undecided[at].is_after,
							   found->undecided[at].number));
}

/* --- helpers ----------------------------------------------------------------------------------------- */

/* A statement has several rules where some of its services have helpers: those are numbered one by one, from
 * behind the number of the default. */
static struct packet_list helpers_list(struct comparing *comparing, bool is_after)
{
	const struct meaning *meaning = meaning_at(comparing, is_after);
	const struct ruleset *ruleset = meaning->ruleset;
	struct packet_rules boxes = { 0 };
	struct match_boxing *boxing = match_boxing_new(comparing->pool, comparing->comparison->universe);

	for (size_t index = 0; index < ruleset->rules_count[comparing->hook]; index++) {
		const struct rule *rule = ruleset->rules[comparing->hook][index];
		uint32_t number = rule->outcome->helper != NULL ?
				  meaning->statements + 1 + (uint32_t)index :
				  (uint32_t)rule->identity->rule->number;

		match_boxing_add(boxing, &rule->match, number, &boxes);
	}
	return (struct packet_list){ boxes.items, boxes.items_count, meaning->statements };
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

static bool is_helped_allow(const struct comparing *comparing, bool is_after, uint32_t number,
			    const char **helper)
{
	uint32_t statement = helped_by(meaning_at(comparing, is_after), comparing->hook, number, helper);

	return outcome_at(comparing, is_after, statement)->verdict == VERDICT_ALLOW;
}

static const char *helper_key(void *context, bool is_after, uint32_t number)
{
	struct comparing *comparing = context;
	const char *helper;
	bool is_allowed = is_helped_allow(comparing, is_after, number, &helper);

	return !is_allowed ? "no" : helper == NULL ? "yes" : pool_format(comparing->pool, "yes %s", helper);
}

static bool is_helper_pair_asked(void *context, uint32_t before, uint32_t after)
{
	const char *old, *new;
	bool was_allowed = is_helped_allow(context, false, before, &old);

	return is_helped_allow(context, true, after, &new) && was_allowed && !texts_equal(old, new);
}

static void add_helper_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	const char *helper;

	change.kind = CHANGE_HELPED;
	change.before = helped_by(&comparing->comparison->before, change.hook, pair.a, &helper);
	change.after = helped_by(&comparing->comparison->after, change.hook, pair.b, &helper);
	add_change(comparing, change);
}

static struct undecided_change undecided_helper(struct comparing *comparing, bool is_after, uint32_t number)
{
	const char *helper;

	return undecided_rule(comparing, is_after,
			      helped_by(meaning_at(comparing, is_after), comparing->hook, number, &helper));
}

static const struct aspect helper_aspect = { helpers_list, helper_key, is_helper_pair_asked, add_helper_pair,
					     undecided_helper };

static void compare_helpers(struct comparing *comparing, enum hook hook)
{
	if (comparing->sides[0]->helpers_count > 0 || comparing->sides[1]->helpers_count > 0)
		compare_aspect(comparing, hook, &helper_aspect);
}

/* --- a boot that fails closed ------------------------------------------------------------------------ */

static struct packet_list rescue_list(struct comparing *comparing, bool is_after)
{
	const struct meaning *meaning = meaning_at(comparing, is_after);
	const struct ruleset *ruleset = meaning->ruleset;
	struct packet_rules boxes = { 0 };
	struct match_boxing *boxing = match_boxing_new(comparing->pool, comparing->comparison->universe);

	for (size_t index = 0; index < ruleset->rules_count[comparing->hook]; index++) {
		const struct rule *rule = ruleset->rules[comparing->hook][index];

		if (rule->is_rescue)
			match_boxing_add(boxing, &rule->match, (uint32_t)rule->identity->rule->number,
					 &boxes);
	}
	return (struct packet_list){ boxes.items, boxes.items_count, meaning->statements };
}

static bool is_open(const struct ruleset *ruleset, uint32_t number)
{
	return number < ruleset->policy->rules_count &&
	       ruleset->policy->rules[number]->verdict == VERDICT_ALLOW;
}

static const char *rescue_key(void *context, bool is_after, uint32_t number)
{
	const struct comparing *comparing = context;

	return is_open(comparing->sides[is_after], number) ? "open" : "closed";
}

static bool is_rescue_pair_asked(void *context, uint32_t before, uint32_t after)
{
	const struct comparing *comparing = context;

	return is_open(comparing->sides[0], before) != is_open(comparing->sides[1], after);
}

static void add_rescue_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	change.kind = CHANGE_RESCUED;
	change.before = pair.a;
	change.after = pair.b;
	add_change(comparing, change);
}

static const struct aspect rescue_aspect = { rescue_list, rescue_key, is_rescue_pair_asked, add_rescue_pair,
					     undecided_rule };

/* --- translations ------------------------------------------------------------------------------------ */

static bool is_destination(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD;
}

/* Whether it sees packets of the hook. Before routing, packets to an address of the firewall stand in for input,
 * all others for forward: those that say no address (`at`) see the first alone. */
static bool is_seen(const struct rule_translation *translation, enum hook hook)
{
	if (hook == HOOK_OUTPUT)
		return translation->applies_to_local;
	return translation->applies_to_routed &&
	       (hook == HOOK_FORWARD ? !is_destination(translation) || translation->source->has_at :
				       is_destination(translation));
}

static struct packet_list translations_list(struct comparing *comparing, bool is_after,
					    bool is_for_destinations)
{
	const struct ruleset *ruleset = comparing->sides[is_after];
	struct packet_rules boxes = { 0 };

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *translation = ruleset->translations[index];
		struct match match = translation_match(comparing->pool, translation);

		if (is_destination(translation) == is_for_destinations && is_seen(translation, comparing->hook))
			match_boxes(comparing->pool, comparing->comparison->universe, &match,
				    (uint32_t)index, &boxes);
	}
	return (struct packet_list){ boxes.items, boxes.items_count, (uint32_t)ruleset->translations_count };
}

static struct packet_list sources_list(struct comparing *comparing, bool is_after)
{
	return translations_list(comparing, is_after, false);
}

static struct packet_list destinations_list(struct comparing *comparing, bool is_after)
{
	return translations_list(comparing, is_after, true);
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

/* Each is looked at, but for the last of all, none: there are few. */
static const char *translation_key(void *context, bool is_after, uint32_t number)
{
	const struct comparing *comparing = context;

	return translation_at(comparing->sides[is_after], number) == NULL ? "none" : NULL;
}

static bool is_translation_pair_asked(void *context, uint32_t before, uint32_t after)
{
	const struct comparing *comparing = context;

	const struct rule_translation *was = translation_at(comparing->sides[0], before);
	const struct rule_translation *is = translation_at(comparing->sides[1], after);

	/* what `at` says holds for packets of both kinds, and is told of one */
	if (comparing->hook == HOOK_INPUT && (was == NULL || was->source->has_at) &&
	    (is == NULL || is->source->has_at))
		return false;
	return !translations_equal(was, is);
}

static void add_translation_pair(struct comparing *comparing, struct change change, struct pair pair)
{
	bool was = translation_at(comparing->sides[0], pair.a) != NULL;
	bool is = translation_at(comparing->sides[1], pair.b) != NULL;

	change.kind = CHANGE_TRANSLATED;
	change.before = was ? pair.a : SIZE_MAX;
	change.after = is ? pair.b : SIZE_MAX;
	add_change(comparing, change);
}

static struct undecided_change undecided_translation(struct comparing *comparing, bool is_after,
						     uint32_t number)
{
	const struct rule_translation *translation = translation_at(comparing->sides[is_after], number);

	return (struct undecided_change){ is_after, SIZE_MAX,
					  translation != NULL ? translation->origin : SPAN_NONE };
}

static const struct aspect translation_aspects[] = {
	{ sources_list, translation_key, is_translation_pair_asked, add_translation_pair,
	  undecided_translation },
	{ destinations_list, translation_key, is_translation_pair_asked, add_translation_pair,
	  undecided_translation },
};

static void compare_translations(struct comparing *comparing)
{
	if (comparing->sides[0]->translations_count == 0 && comparing->sides[1]->translations_count == 0)
		return;
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t aspect = 0; aspect < 2; aspect++)
			compare_aspect(comparing, hook, &translation_aspects[aspect]);
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

static void compare_all(struct comparing *comparing)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		compare_aspect(comparing, hook, &rule_aspect);
	compare_shares(comparing);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		compare_helpers(comparing, hook);
		compare_aspect(comparing, hook, &rescue_aspect);
	}
	compare_translations(comparing);
}

/* Translated packets are those that a `forward` of either side makes. */
static packet_set possible(const struct comparing *comparing)
{
	struct packet_space *space = comparing->comparison->space;
	packet_set set = packet_set_value(space, FIELD_TRANSLATED, 0);

	for (size_t side = 0; side < 2; side++)
		set = packet_set_union(space, set,
				       translations_made(comparing->pool, space, comparing->sides[side]));
	return packet_set_intersect(space, set, packet_set_possible(space));
}

struct comparison *rulesets_compare(void *pool, const struct ruleset *before,
				    const struct ruleset *after, size_t work)
{
	struct comparison *comparison = pool_new(pool, struct comparison);
	struct comparing comparing = {
		.pool = pool,
		.sides = { before, after },
		.comparison = comparison,
		.pairing = list_pairing_new(pool),
		.work = work != 0 ? work : WORK_DEFAULT,
	};

	comparison->universe = packet_universe_new(pool);
	packet_universe_add(comparison->universe, before);
	packet_universe_add(comparison->universe, after);
	packet_universe_add_zones(comparison->universe, after->policy); /* regions have zones' names */
	packet_universe_finish(comparison->universe);
	comparison->before = meaning_of(pool, before);
	comparison->after = meaning_of(pool, after);
	comparison->space = packet_space_new(pool, comparison->universe, PACKET_ORDER_SAFE, 0);
	comparing.possible = possible(&comparing);
	compare_all(&comparing);
	comparison->is_over = packet_space_is_over(comparison->space);
	if (comparison->changes_count > 0)
		qsort(comparison->changes, comparison->changes_count, sizeof *comparison->changes,
		      compare_changes);
	return comparison;
}
