/* Two questions to shadow.h. The first numbers the parts of statements, one a hook, and says which never
 * match; the second numbers statements, and says which could go.
 * Hooks that hold the same list are one; if that leaves a single one, the first question answers both. */
#include "analyse/anomalies.h"

#include <string.h>

#include "analyse/overlap.h"
#include "analyse/shadow.h"
#include "base/pool.h"

/* Bounds of one search; past them all that overlap are named, or a packet of the rule alone is told. */
#define OVERLAPS_MOST 2000
#define BLAME_MOST 16
#define BLAME_LOOKED_AT 64
#define COVER_STEPS 20000
#define WORK_DEFAULT 100000000u
#define CONFLICTS_MOST 1000

/* What a number of a list stands for. */
struct item {
	uint32_t statement; /* the policy's count of rules: the default of the hook */
	enum hook hook;     /* of its first box */
};

/* A first-match list of all hooks, statement by statement. */
struct list {
	struct packet_rules boxes;
	struct item *items; /* by number */
	size_t items_count, items_capacity;
	size_t *first_box;  /* of a number; one more at the end */
	uint32_t *outcomes; /* of numbers */
	struct overlap_index *index;
	struct shadow_answer *answer;
	const struct rule_finding **findings; /* of numbers; NULL: none */
};

struct finder {
	void *pool;
	const struct ruleset *ruleset;
	const struct anomaly_settings *settings;
	struct packet_universe *universe;
	struct meaning meaning;
	struct packet_rules hooks[HOOK_COUNT]; /* boxes; none of hooks that repeat an earlier one */
	bool is_asked[HOOK_COUNT];
	size_t asked_count;
	uint32_t *outcomes;   /* of statements */
	bool *stays;          /* statements that hide others, which have other outcomes */
	const struct outcome **kinds; /* of outcomes; of those that are no rule's own */
	size_t kinds_count, kinds_capacity;
	uint32_t otherwise;   /* outcome of most packets that no rule matches */
	size_t work;          /* left */
	struct list parts, statements;
	struct anomalies *found;
};

static const struct policy_rule *rule_of(const struct finder *finder, const struct list *list,
					 uint32_t number)
{
	return finder->ruleset->policy->rules[list->items[number].statement];
}

static bool is_default(const struct finder *finder, const struct list *list, uint32_t number)
{
	return list->items[number].statement == finder->meaning.statements;
}

/* --- outcomes ---------------------------------------------------------------------------------------- */

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool outcomes_equal(const struct outcome *a, const struct outcome *b)
{
	return a == b || (a->verdict == b->verdict && a->limit == b->limit && a->has_log == b->has_log &&
			  a->has_count == b->has_count && texts_equal(a->log_prefix, b->log_prefix) &&
			  texts_equal(a->helper, b->helper));
}

/* Numbers of their own for rules that must stay stand above those of the kinds. */
static uint32_t kind_of_outcome(struct finder *finder, const struct outcome *outcome)
{
	for (size_t kind = 0; kind < finder->kinds_count; kind++)
		if (outcomes_equal(finder->kinds[kind], outcome))
			return finder->meaning.statements + (uint32_t)kind;
	*pool_append(finder->pool, finder, kinds) = outcome;
	return finder->meaning.statements + (uint32_t)finder->kinds_count - 1;
}

/* A helper for some of its services and none, or another one, for the rest: no single outcome. */
static bool has_several_outcomes(const struct policy_rule *rule)
{
	return rule->services_count > 1;
}

/* What a rule does besides its verdict is lost with it. */
static bool could_go(const struct policy_rule *rule)
{
	const struct policy_options *options = rule->options;

	return rule->translation == NULL && !has_several_outcomes(rule) && !options->has_log &&
	       !options->has_count && options->limit == NULL && !options->is_stateless &&
	       !options->is_rescue && options->until == 0;
}

static void number_outcomes(struct finder *finder)
{
	const struct meaning *meaning = &finder->meaning;

	finder->outcomes = pool_array(finder->pool, uint32_t, meaning->statements + 1);
	finder->stays = pool_array(finder->pool, bool, meaning->statements + 1);
	for (uint32_t statement = 0; statement < meaning->statements; statement++) {
		bool is_shared = could_go(finder->ruleset->policy->rules[statement]), is_known = false;
		uint32_t outcome = statement;

		for (enum hook hook = 0; hook < HOOK_COUNT && is_shared; hook++) {
			uint32_t other;

			if (meaning->first[hook][statement] == UINT32_MAX)
				continue;
			other = kind_of_outcome(finder, meaning_outcome(meaning, hook, statement));
			is_shared = !is_known || other == outcome;
			is_known = true;
			outcome = other;
		}
		finder->outcomes[statement] = is_shared ? outcome : statement;
	}
	finder->otherwise = kind_of_outcome(finder, finder->ruleset->defaults[HOOK_INPUT]);
}

static uint32_t default_outcome(struct finder *finder, enum hook hook)
{
	return kind_of_outcome(finder, finder->ruleset->defaults[hook]);
}

/* --- hooks ------------------------------------------------------------------------------------------- */

/* Fields whose values depend on the hook; a list that asks none of them means the same in each. */
static bool is_of_hook(size_t field)
{
	return field == FIELD_IN || field == FIELD_OUT || field == FIELD_TRANSLATED ||
	       field == FIELD_ORIGINAL || field == FIELD_ORIGINAL_FIRST;
}

static bool boxes_equal(const struct packet_box *a, const struct packet_box *b)
{
	for (size_t field = 0; field < PACKET_FIELDS; field++) {
		const struct interval_set *one = a->fields[field], *other = b->fields[field];

		if (one == NULL && other == NULL)
			continue;
		if (one == NULL || other == NULL || is_of_hook(field) ||
		    (one != other && !interval_set_equals(one, other)))
			return false;
	}
	return true;
}

static bool hooks_equal(struct finder *finder, enum hook a, enum hook b)
{
	const struct packet_rules *one = &finder->hooks[a], *other = &finder->hooks[b];

	if (one->items_count != other->items_count ||
	    default_outcome(finder, a) != default_outcome(finder, b))
		return false;
	for (size_t box = 0; box < one->items_count; box++)
		if (one->items[box].number != other->items[box].number ||
		    !boxes_equal(&one->items[box].box, &other->items[box].box))
			return false;
	return true;
}

static void read_hooks(struct finder *finder)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		void *pool = pool_child(finder->pool, "hook");
		bool is_new = true;

		meaning_boxes(&finder->meaning, pool, finder->universe, hook, &finder->hooks[hook]);
		for (enum hook earlier = 0; earlier < hook && is_new; earlier++)
			is_new = !finder->is_asked[earlier] || !hooks_equal(finder, earlier, hook);
		finder->is_asked[hook] = is_new;
		finder->asked_count += is_new;
		if (!is_new)
			talloc_free(pool);
	}
}

static const struct interval_set *one_value(struct finder *finder, uint32_t value)
{
	struct interval_set *set = pool_new(finder->pool, struct interval_set);

	interval_set_add(finder->pool, set, value, value);
	return set;
}

static void set_hooks(struct finder *finder)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		const struct interval_set *set = one_value(finder, hook);

		for (size_t box = 0; finder->is_asked[hook] && box < finder->hooks[hook].items_count; box++)
			finder->hooks[hook].items[box].box.fields[FIELD_HOOK] = set;
	}
}

/* --- lists ------------------------------------------------------------------------------------------- */

static void add_item(struct finder *finder, struct list *list, uint32_t statement, enum hook hook)
{
	*pool_append(finder->pool, list, items) = (struct item){ statement, hook };
}

static void add_box(struct finder *finder, struct list *list, const struct packet_box *box)
{
	*pool_append(finder->pool, &list->boxes, items) =
		(struct packet_rule){ *box, (uint32_t)list->items_count - 1 };
}

/* A hook whose default is not the common one ends with a rule that says so. */
static void add_defaults(struct finder *finder, struct list *list)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		struct packet_box box = { .fields = { [FIELD_HOOK] = one_value(finder, hook) } };

		if (!finder->is_asked[hook] || default_outcome(finder, hook) == finder->otherwise)
			continue;
		add_item(finder, list, finder->meaning.statements, hook);
		for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
			box.fields[FIELD_FAMILY] = one_value(finder, family);
			add_box(finder, list, &box);
		}
	}
}

static void list_parts(struct finder *finder)
{
	size_t at[HOOK_COUNT] = { 0 };

	for (uint32_t statement = 0; statement < finder->meaning.statements; statement++)
		for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
			const struct packet_rules *boxes = &finder->hooks[hook];

			if (!finder->is_asked[hook] || at[hook] == boxes->items_count ||
			    boxes->items[at[hook]].number != statement)
				continue;
			add_item(finder, &finder->parts, statement, hook);
			while (at[hook] < boxes->items_count && boxes->items[at[hook]].number == statement)
				add_box(finder, &finder->parts, &boxes->items[at[hook]++].box);
		}
	add_defaults(finder, &finder->parts);
}

static bool is_dead(const struct list *list, uint32_t number)
{
	const struct rule_finding *finding = list->findings[number];

	return finding != NULL && finding->kind != RULE_REMOVABLE && finding->kind != RULE_AS_DEFAULT;
}

/* Whole statements, with their parts that never match: those would match if another rule went. */
static void list_statements(struct finder *finder)
{
	struct list *list = &finder->statements;
	const struct list *parts = &finder->parts;

	for (size_t box = 0; box < parts->boxes.items_count; box++) {
		const struct packet_rule *rule = &parts->boxes.items[box];
		struct item item = parts->items[rule->number];

		if (is_default(finder, parts, rule->number))
			continue;
		if (list->items_count == 0 ||
		    list->items[list->items_count - 1].statement != item.statement)
			add_item(finder, list, item.statement, item.hook);
		add_box(finder, list, &rule->box);
	}
	add_defaults(finder, list);
}

static void find_boxes(struct finder *finder, struct list *list)
{
	size_t box = 0;

	list->first_box = pool_array(finder->pool, size_t, list->items_count + 1);
	for (size_t number = 0; number <= list->items_count; number++) {
		while (box < list->boxes.items_count && list->boxes.items[box].number < number)
			box++;
		list->first_box[number] = box;
	}
}

/* is_whole: what could go is asked, too; else half of the work is left for that. */
static void ask(struct finder *finder, struct list *list, bool is_whole)
{
	size_t share = is_whole ? finder->work : finder->work / 2, given = share;
	bool *stays;
	struct shadow_question question = {
		.universe = finder->universe,
		.rules = list->boxes.items,
		.count = list->boxes.items_count,
		.otherwise = finder->otherwise,
		.has_blame = true,
		.is_dead_only = !is_whole,
		.engine = finder->settings->engine,
		.budget = finder->settings->budget,
		.work = &share,
	};

	list->outcomes = pool_array(finder->pool, uint32_t, list->items_count + 1);
	list->findings = pool_array(finder->pool, const struct rule_finding *, list->items_count + 1);
	stays = pool_array(finder->pool, bool, list->items_count + 1);
	for (uint32_t number = 0; number < list->items_count; number++)
		stays[number] = finder->stays[list->items[number].statement];
	question.stays = stays;
	for (uint32_t number = 0; number < list->items_count; number++)
		list->outcomes[number] = is_default(finder, list, number) ?
						 default_outcome(finder, list->items[number].hook) :
						 finder->outcomes[list->items[number].statement];
	for (uint32_t number = 0; number < list->items_count && !is_whole; number++)
		list->outcomes[number] = number;
	if (!is_whole)
		question.otherwise = (uint32_t)list->items_count;
	question.outcomes = list->outcomes;
	find_boxes(finder, list);
	list->answer = shadow_find(finder->pool, &question);
	finder->work -= given - share;
	for (size_t index = 0; index < list->answer->findings_count; index++) {
		const struct rule_finding *finding = &list->answer->findings[index];

		list->findings[finding->number] = finding;
	}
	if (finder->found->undecided_count < list->answer->undecided_count)
		finder->found->undecided_count = list->answer->undecided_count;
	if (finder->found->undecided_count > finder->meaning.statements)
		finder->found->undecided_count = finder->meaning.statements; /* several parts, and defaults */
}

static struct overlap_index *index_of(struct finder *finder, struct list *list)
{
	if (list->index == NULL)
		list->index = overlap_index_new(finder->pool, finder->universe, list->boxes.items,
						list->boxes.items_count);
	return list->index;
}

/* --- rules that never match -------------------------------------------------------------------------- */

static void add_blame(struct finder *finder, struct anomaly *anomaly, const struct policy_rule *rule)
{
	size_t at;

	for (at = 0; at < anomaly->blame_count; at++)
		if (anomaly->blame[at] == rule)
			return;
	*pool_append(finder->pool, anomaly, blame) = rule;
	for (at = anomaly->blame_count - 1; at > 0 && anomaly->blame[at - 1]->number > rule->number; at--)
		anomaly->blame[at] = anomaly->blame[at - 1];
	anomaly->blame[at] = rule;
}

static bool has_helper(const struct policy_rule *rule, const char *helper)
{
	for (size_t index = 0; index < rule->services_count; index++)
		if (texts_equal(rule->services[index].helper, helper))
			return true;
	return false;
}

static bool limits_equal(const struct limit *a, const struct limit *b)
{
	return a == b || (a != NULL && b != NULL && a->rate == b->rate && a->unit_s == b->unit_s &&
			  a->burst == b->burst && a->is_per_source == b->is_per_source);
}

/* What the rule would have done beside its verdict, and the other does not do in its place; NULL: nothing. */
static const char *lost_to(const struct policy_rule *rule, const struct policy_rule *other)
{
	const struct policy_options *own = rule->options, *others = other->options;

	if (!limits_equal(own->limit, others->limit))
		return own->limit == NULL ? "under a limit" : "without its limit";
	if (own->is_stateless != others->is_stateless)
		return own->is_stateless ? "but not 'stateless'" : "but 'stateless'";
	for (size_t index = 0; index < rule->services_count; index++)
		if (!has_helper(other, rule->services[index].helper) && rule->services[index].helper != NULL)
			return "without its helper";
	if (own->has_log && (!others->has_log || !texts_equal(own->log_prefix, others->log_prefix)))
		return "without its log line";
	return own->has_count && !others->has_count ? "without its counter" : NULL;
}

/* Do those to blame all do the same with the rule's packets? Where they do not, a few that match all of them are
 * not those that take them. */
static bool is_blame_alike(const struct anomaly *anomaly)
{
	for (size_t index = 1; index < anomaly->blame_count; index++)
		if (anomaly->blame[index]->verdict != anomaly->blame[0]->verdict ||
		    !texts_equal(lost_to(anomaly->rule, anomaly->blame[index]),
				 lost_to(anomaly->rule, anomaly->blame[0])))
			return false;
	return true;
}

static enum anomaly_kind kind_of(struct anomaly *anomaly)
{
	size_t alike = 0;

	for (size_t index = 0; index < anomaly->blame_count; index++)
		alike += anomaly->blame[index]->verdict == anomaly->rule->verdict;
	anomaly->is_mixed = alike > 0 && alike < anomaly->blame_count;
	if (alike < anomaly->blame_count)
		return ANOMALY_SHADOWED;
	for (size_t index = 0; index < anomaly->blame_count && anomaly->lost == NULL; index++)
		anomaly->lost = lost_to(anomaly->rule, anomaly->blame[index]);
	return anomaly->lost != NULL ? ANOMALY_SHADOWED : ANOMALY_REDUNDANT;
}

/* A rule that never matches still opens what it names when a boot fails closed. */
static bool is_for_rescue(const struct anomaly *anomaly)
{
	bool are_all = true;

	for (size_t index = 0; index < anomaly->blame_count; index++)
		are_all = are_all && anomaly->blame[index]->options->is_rescue;
	return anomaly->rule->options->is_rescue && !are_all;
}

/* Adds the boxes of a statement's parts. */
static void list_boxes_of(struct finder *finder, void *pool, uint32_t statement, struct overlap_list *list)
{
	const struct list *parts = &finder->parts;
	size_t low = 0, high = parts->items_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (parts->items[middle].statement < statement)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < parts->items_count && parts->items[low].statement == statement; low++)
		for (size_t box = parts->first_box[low]; box < parts->first_box[low + 1]; box++)
			*pool_append(pool, list, items) = box;
}

/* Do these rules take all of the parts from `begin` until before `end`? */
static bool are_enough(struct finder *finder, const struct policy_rule *const *rules, size_t count,
		       uint32_t begin, uint32_t end)
{
	struct list *parts = &finder->parts;
	void *pool = pool_child(finder->pool, "blame");
	size_t first = parts->first_box[begin];
	struct overlap_list list = { 0 };
	enum cover_answer answer;

	for (size_t at = 0; at < count; at++)
		list_boxes_of(finder, pool, (uint32_t)rules[at]->number, &list);
	answer = overlap_covers(pool, index_of(finder, parts), &parts->boxes.items[first],
				parts->first_box[end] - first, &list,
				(struct overlap_budget){ COVER_STEPS, &finder->work });
	talloc_free(pool);
	return answer == COVER_YES;
}

/* Each part and each box has a list of its own; together they may hold more than the statement needs. */
static void shorten_blame(struct finder *finder, struct anomaly *anomaly, uint32_t begin, uint32_t end)
{
	const struct policy_rule **blame = anomaly->blame;
	size_t at = 0, count = anomaly->blame_count;

	while (at < count && !are_enough(finder, &blame[at], 1, begin, end))
		at++;
	if (at < count) {
		blame[0] = blame[at];
		count = 1;
	}
	for (at = count > 2 ? count : 0; at-- > 0;) { /* the one looked at goes to the end meanwhile */
		const struct policy_rule *rule = blame[at];

		memmove(&blame[at], &blame[at + 1], (count - at - 1) * sizeof(struct policy_rule *));
		if (are_enough(finder, blame, count - 1, begin, end)) {
			count--;
			continue;
		}
		memmove(&blame[at + 1], &blame[at], (count - at - 1) * sizeof(struct policy_rule *));
		blame[at] = rule;
	}
	anomaly->blame_count = count;
}

/* Parts of one statement that never match: all of them, or (is_part) those of one hook alone. */
static void add_dead(struct finder *finder, uint32_t begin, uint32_t end, bool is_part)
{
	const struct list *parts = &finder->parts;
	struct anomaly anomaly = { .rule = rule_of(finder, parts, begin),
				   .hook = parts->items[begin].hook };
	bool is_witnessed = false, is_least = true;

	for (uint32_t number = begin; number < end; number++) {
		const struct rule_finding *finding = parts->findings[number];

		if (finding->kind == RULE_IMPOSSIBLE)
			continue;
		is_least = is_least && finding->blame_is_least;
		for (size_t index = 0; index < finding->blame_count; index++)
			add_blame(finder, &anomaly, rule_of(finder, parts, finding->blame[index]));
		if (is_witnessed)
			continue;
		anomaly.hook = parts->items[number].hook;
		anomaly.witness = packet_of_point(finder->universe, &finding->witness);
		is_witnessed = true;
	}
	if (is_least && anomaly.blame_count > 1 && anomaly.blame_count <= BLAME_MOST && is_blame_alike(&anomaly))
		shorten_blame(finder, &anomaly, begin, end);
	anomaly.kind = kind_of(&anomaly);
	if (is_part && (anomaly.kind == ANOMALY_REDUNDANT || anomaly.lost != NULL))
		return; /* it does no harm there */
	if (anomaly.kind == ANOMALY_REDUNDANT && (is_for_rescue(&anomaly) || anomaly.rule->translation != NULL))
		return; /* it opens at a boot, or translates, which is judged apart (translations.h) */
	if (is_part)
		anomaly.kind = ANOMALY_PARTLY_SHADOWED;
	*pool_append(finder->pool, finder->found, items) = anomaly;
}

static void judge_parts(struct finder *finder, uint32_t begin, uint32_t end)
{
	uint32_t dead_count = 0;

	for (uint32_t number = begin; number < end; number++)
		dead_count += is_dead(&finder->parts, number);
	if (dead_count == end - begin) {
		add_dead(finder, begin, end, false);
		return;
	}
	for (uint32_t number = begin; number < end; number++)
		if (is_dead(&finder->parts, number))
			add_dead(finder, number, number + 1, true);
}

/* --- rules that could go ----------------------------------------------------------------------------- */

/* Does a later box get a packet of the rule that none of the boxes before it has? */
static bool gets_any(struct finder *finder, void *pool, const struct list *list, uint32_t number,
		     const struct overlap_list *others, size_t before)
{
	const struct packet_box *later = &list->boxes.items[others->items[before]].box;
	const struct packet_box **covers = pool_array(pool, const struct packet_box *, before + 1);

	for (size_t at = 0; at < before; at++)
		covers[at] = &list->boxes.items[others->items[at]].box;
	for (size_t own = list->first_box[number]; own < list->first_box[number + 1]; own++) {
		const struct packet_box *box = &list->boxes.items[own].box;
		struct packet_box both;

		if (!packet_boxes_overlap(box, later))
			continue;
		both = packet_box_intersect(pool, box, later);
		if (cover_find_within(pool, finder->universe, &both, covers, before, COVER_STEPS,
				      &finder->work, NULL) != COVER_YES)
			return true;
	}
	return false;
}

/* Every other box that overlaps, but those of later rules that are gone. */
static void find_others(struct finder *finder, void *pool, struct list *list, uint32_t number,
			struct overlap_list *others)
{
	size_t own = list->first_box[number], own_end = list->first_box[number + 1];
	struct overlap_list all = { 0 };

	overlap_find_any(pool, index_of(finder, list), &list->boxes.items[own], own_end - own, 0,
			 list->boxes.items_count, &all);
	for (size_t at = 0; at < all.items_count; at++) {
		uint32_t other = list->boxes.items[all.items[at]].number;

		if (other < number || (other > number && list->findings[other] == NULL))
			*pool_append(pool, others, items) = all.items[at];
	}
}

/* Who does the same with its packets once it is gone. */
static void blame_next(struct finder *finder, struct list *list, uint32_t number, struct anomaly *anomaly)
{
	void *pool = pool_child(finder->pool, "next");
	struct overlap_list others = { 0 };

	find_others(finder, pool, list, number, &others);
	for (size_t at = 0; at < others.items_count; at++) {
		uint32_t other = list->boxes.items[others.items[at]].number;

		if (other > number && !is_default(finder, list, other) &&
		    (others.items_count > OVERLAPS_MOST ||
		     gets_any(finder, pool, list, number, &others, at)))
			add_blame(finder, anomaly, rule_of(finder, list, other));
	}
	talloc_free(pool);
}

static void add_removable(struct finder *finder, struct list *list, uint32_t number)
{
	const struct rule_finding *finding = list->findings[number];
	struct anomaly anomaly = { .kind = ANOMALY_AS_DEFAULT, .rule = rule_of(finder, list, number) };

	anomaly.witness = packet_of_point(finder->universe, &finding->witness);
	anomaly.hook = anomaly.witness.hook;
	if (finding->kind == RULE_REMOVABLE)
		blame_next(finder, list, number, &anomaly);
	if (anomaly.blame_count > 0)
		anomaly.kind = ANOMALY_REMOVABLE;
	*pool_append(finder->pool, finder->found, items) = anomaly;
}

/* --- conflicts --------------------------------------------------------------------------------------- */

static bool includes_all(const struct list *list, uint32_t outer, uint32_t inner)
{
	for (size_t box = list->first_box[inner]; box < list->first_box[inner + 1]; box++) {
		bool is_inside = false;

		for (size_t other = list->first_box[outer];
		     other < list->first_box[outer + 1] && !is_inside; other++)
			is_inside = packet_box_includes(&list->boxes.items[other].box,
							&list->boxes.items[box].box);
		if (!is_inside)
			return false;
	}
	return true;
}

static bool is_told(const struct finder *finder, const struct policy_rule *rule,
		    const struct policy_rule *other)
{
	for (size_t index = finder->found->items_count; index-- > 0;) {
		const struct anomaly *anomaly = &finder->found->items[index];

		if (anomaly->kind == ANOMALY_CONFLICTING && anomaly->rule == rule &&
		    anomaly->blame[0] == other)
			return true;
	}
	return false;
}

/* Two boxes that overlap, of two parts. */
static void judge_pair(struct finder *finder, size_t earlier_box, size_t later_box)
{
	const struct list *parts = &finder->parts;
	const struct packet_rule *one = &parts->boxes.items[earlier_box];
	const struct packet_rule *other = &parts->boxes.items[later_box];
	const struct policy_rule *first = rule_of(finder, parts, one->number);
	const struct policy_rule *second = rule_of(finder, parts, other->number);
	struct anomaly anomaly = { .kind = ANOMALY_CONFLICTING, .rule = second };
	struct packet_point point = { 0 };
	struct packet_box both;

	if ((first->verdict == VERDICT_ALLOW) == (second->verdict == VERDICT_ALLOW) ||
	    includes_all(parts, one->number, other->number) ||
	    includes_all(parts, other->number, one->number) || is_told(finder, second, first))
		return;
	both = packet_box_intersect(finder->pool, &one->box, &other->box);
	if (cover_find(finder->pool, finder->universe, &both, NULL, 0, COVER_STEPS, &point) != COVER_NO)
		return; /* no packet can be like that */
	*pool_append(finder->pool, &anomaly, blame) = first;
	anomaly.hook = parts->items[other->number].hook;
	anomaly.witness = packet_of_point(finder->universe, &point);
	*pool_append(finder->pool, finder->found, items) = anomaly;
}

static void find_conflicts(struct finder *finder)
{
	struct list *parts = &finder->parts;

	for (size_t box = 0; box < parts->boxes.items_count; box++) {
		uint32_t number = parts->boxes.items[box].number;
		struct overlap_list earlier = { 0 };

		if (is_default(finder, parts, number))
			continue;
		overlap_find(finder->pool, index_of(finder, parts), &parts->boxes.items[box].box, 0,
			     parts->first_box[number], &earlier);
		for (size_t at = 0; at < earlier.items_count; at++)
			if (finder->found->items_count < CONFLICTS_MOST)
				judge_pair(finder, earlier.items[at], box);
		talloc_free(earlier.items);
	}
}

/* --- statements -------------------------------------------------------------------------------------- */

/* Both lists, side by side. */
static void judge(struct finder *finder, struct list *whole)
{
	const struct list *parts = &finder->parts;
	uint32_t number = 0, begin = 0, end;

	for (; begin < parts->items_count && !is_default(finder, parts, begin); begin = end) {
		uint32_t statement = parts->items[begin].statement;

		for (end = begin + 1; end < parts->items_count && parts->items[end].statement == statement;)
			end++;
		judge_parts(finder, begin, end);
		while (number < whole->items_count && whole->items[number].statement < statement)
			number++;
		if (number < whole->items_count && whole->items[number].statement == statement &&
		    whole->findings[number] != NULL && !is_dead(whole, number))
			add_removable(finder, whole, number);
	}
}

/* --- what hides -------------------------------------------------------------------------------------- */

/* Would the other rule be told to go, though it has another outcome than this one? */
static bool goes_otherwise(const struct list *list, uint32_t other, uint32_t number)
{
	return list->findings[other] != NULL && !is_dead(list, other) &&
	       list->outcomes[other] != list->outcomes[number];
}

/* The same, or told never to match: those are taken out as well. */
static bool is_told_otherwise(const struct list *list, uint32_t other, uint32_t number)
{
	return list->findings[other] != NULL && list->outcomes[other] != list->outcomes[number];
}

/* Does a dead rule stay dead when all others went of which something is told, but those that are held? NULL: none
 * is. */
static bool stays_dead(struct finder *finder, struct list *list, uint32_t number, const bool *held)
{
	void *pool = pool_child(finder->pool, "hidden");
	const struct packet_rule *boxes = &list->boxes.items[list->first_box[number]];
	size_t count = list->first_box[number + 1] - list->first_box[number];
	struct overlap_list earlier = { 0 }, kept = { 0 };
	bool is_covered;

	overlap_find_any(pool, index_of(finder, list), boxes, count, 0, list->first_box[number], &earlier);
	for (size_t at = 0; at < earlier.items_count; at++) {
		uint32_t other = list->boxes.items[earlier.items[at]].number;

		if ((held != NULL && held[other]) || !is_told_otherwise(list, other, number))
			*pool_append(pool, &kept, items) = earlier.items[at];
	}
	is_covered = overlap_covers(pool, index_of(finder, list), boxes, count, &kept,
				    (struct overlap_budget){ COVER_STEPS, &finder->work }) == COVER_YES;
	talloc_free(pool);
	return is_covered;
}

static void keep(struct finder *finder, const struct list *list, uint32_t number)
{
	uint32_t statement = list->items[number].statement;

	finder->stays[statement] = true;
}

/* Is what a box has in common with a rule taken by others before the rule? */
static bool is_taken(struct finder *finder, struct list *list, size_t box, uint32_t number,
		     const struct overlap_list *kept)
{
	void *pool = pool_child(finder->pool, "common");
	struct overlap_budget budget = { COVER_STEPS, &finder->work };
	bool is_covered = true;

	for (size_t own = list->first_box[number]; own < list->first_box[number + 1] && is_covered; own++) {
		struct packet_rule both = { .number = number };

		if (!packet_boxes_overlap(&list->boxes.items[own].box, &list->boxes.items[box].box))
			continue;
		both.box = packet_box_intersect(pool, &list->boxes.items[own].box,
						&list->boxes.items[box].box);
		is_covered = overlap_covers(pool, index_of(finder, list), &both, 1, kept, budget) == COVER_YES;
	}
	talloc_free(pool);
	return is_covered;
}

/* Rules that are told to go must be able to go one by one: a rule that hides some of a later one, which has
 * another outcome there, has to stay. true: there are some. */
static bool keep_before(struct finder *finder, struct list *list, uint32_t number)
{
	void *pool = pool_child(finder->pool, "before");
	const struct packet_rule *boxes = &list->boxes.items[list->first_box[number]];
	size_t count = list->first_box[number + 1] - list->first_box[number];
	struct overlap_list earlier = { 0 }, kept = { 0 };
	bool is_found = false;

	overlap_find_any(pool, index_of(finder, list), boxes, count, 0, list->first_box[number], &earlier);
	for (size_t at = 0; at < earlier.items_count; at++)
		if (list->findings[list->boxes.items[earlier.items[at]].number] == NULL)
			*pool_append(pool, &kept, items) = earlier.items[at];
	for (size_t at = 0; at < earlier.items_count; at++) {
		uint32_t other = list->boxes.items[earlier.items[at]].number;

		if (!goes_otherwise(list, other, number) ||
		    is_taken(finder, list, earlier.items[at], number, &kept))
			continue;
		keep(finder, list, other);
		is_found = true;
	}
	talloc_free(pool);
	return is_found;
}

/* Of those to blame that would go, the first are let go as long as the others hide the rule: what stands last is
 * mostly the widest. */
static void keep_some(struct finder *finder, struct list *list, uint32_t number)
{
	const struct rule_finding *finding = list->findings[number];
	bool *held = pool_array(finder->pool, bool, list->items_count + 1);

	for (size_t at = 0; at < finding->blame_count; at++)
		held[finding->blame[at]] = goes_otherwise(list, finding->blame[at], number);
	for (size_t at = 0; at < finding->blame_count && finding->blame_count <= BLAME_LOOKED_AT; at++) {
		uint32_t other = finding->blame[at];

		if (!held[other])
			continue;
		held[other] = false;
		held[other] = !stays_dead(finder, list, number, held);
	}
	for (size_t at = 0; at < finding->blame_count; at++)
		if (held[finding->blame[at]])
			keep(finder, list, finding->blame[at]);
	talloc_free(held);
}

/* A rule that alone hides another one cannot go: the other one would match, with another outcome. */
static bool keep_blamed(struct finder *finder, struct list *list, uint32_t number)
{
	const struct rule_finding *finding = list->findings[number];
	bool is_blamed = false;

	for (size_t at = 0; finding != NULL && at < finding->blame_count && !is_blamed; at++)
		is_blamed = goes_otherwise(list, finding->blame[at], number);
	if (!is_blamed || stays_dead(finder, list, number, NULL))
		return false;
	keep_some(finder, list, number);
	return true;
}

/* true: there are some. What hides a hook's default is found first: it may be what hides others, too, and
 * these then need no rule of their own. */
static bool keep_hiding(struct finder *finder, struct list *list)
{
	bool is_found = false;

	for (uint32_t number = 0; number < list->items_count; number++)
		is_found = (is_default(finder, list, number) && keep_blamed(finder, list, number)) || is_found;
	if (is_found)
		return true;
	for (uint32_t number = 0; number < list->items_count; number++)
		if (list->findings[number] != NULL && !is_dead(list, number))
			is_found = keep_before(finder, list, number) || is_found;
	for (uint32_t number = 0; number < list->items_count; number++)
		is_found = keep_blamed(finder, list, number) || is_found;
	return is_found;
}

/* Until no rule that would go hides another; each time fewer go. */
static void ask_whole(struct finder *finder, struct list *list, bool is_asked)
{
	if (!is_asked)
		ask(finder, list, true);
	while (keep_hiding(finder, list))
		ask(finder, list, true);
}

struct anomalies *anomalies_find(void *pool, const struct ruleset *ruleset,
				 const struct anomaly_settings *settings)
{
	struct finder finder = {
		.pool = pool,
		.ruleset = ruleset,
		.settings = settings,
		.universe = packet_universe_new(pool),
		.meaning = meaning_of(pool, ruleset),
		.found = pool_new(pool, struct anomalies),
		.work = settings->work != 0 ? settings->work : WORK_DEFAULT,
	};
	bool is_one;

	packet_universe_add(finder.universe, ruleset);
	packet_universe_finish(finder.universe);
	number_outcomes(&finder);
	read_hooks(&finder);
	set_hooks(&finder);
	is_one = finder.asked_count == 1;
	list_parts(&finder);
	ask(&finder, &finder.parts, is_one);
	if (!is_one)
		list_statements(&finder);
	ask_whole(&finder, is_one ? &finder.parts : &finder.statements, is_one);
	judge(&finder, is_one ? &finder.parts : &finder.statements);
	if (settings->has_conflicts)
		find_conflicts(&finder);
	return finder.found;
}
