/* The map says which rules decide anything at all. The rest is local: a rule's own packets, cut out of
 * the map, name who takes them; what would take them next is asked of the later rules that overlap. */
#include "analyse/anomalies.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/cover.h"
#include "base/pool.h"

/* Bounds of one question; what needs more is counted as undecided. */
#define OVERLAPS_MOST 4000
#define COVER_STEPS 200000
#define CONFLICTS_MOST 1000

/* Where a box lies, for the question that most pairs answer with no: intervals round its addresses. For
 * IPv6 the upper half of the address. */
struct hull {
	uint64_t source_low, source_high, destination_low, destination_high;
	uint8_t family;
	uint16_t protocol; /* or PROTOCOL_ANY */
};

struct finder {
	void *pool;
	const struct ruleset *ruleset;
	const struct anomaly_settings *settings;
	struct packet_universe *universe;
	struct packet_space *space; /* NULL: past the budget */
	struct meaning meaning;
	packet_map map;
	packet_set possible;
	/* A part is a statement in a hook: number hook * statements + statement; the default of a hook
	 * stands behind all of them. */
	uint32_t parts_count;
	bool *seen;                /* by part: decides something */
	struct packet_rules boxes; /* by part */
	size_t *first_box;         /* of a part; one more at the end */
	struct hull *hulls;
	struct anomalies *found;
};

static enum hook hook_of(const struct finder *finder, uint32_t part)
{
	return (enum hook)(part >= finder->parts_count ? part - finder->parts_count :
							 part / finder->meaning.statements);
}

static uint32_t statement_of(const struct finder *finder, uint32_t part)
{
	return part % finder->meaning.statements;
}

/* What a number of the map is in a hook. */
static uint32_t part_of(const struct finder *finder, enum hook hook, uint32_t number)
{
	return number < finder->meaning.statements ? hook * finder->meaning.statements + number :
						     finder->parts_count + hook;
}

static const struct outcome *outcome_of(const struct finder *finder, uint32_t part)
{
	uint32_t number = part >= finder->parts_count ? finder->meaning.statements :
							statement_of(finder, part);

	return meaning_outcome(&finder->meaning, hook_of(finder, part), number);
}

static const struct policy_rule *rule_of(const struct finder *finder, uint32_t part)
{
	return finder->ruleset->policy->rules[statement_of(finder, part)];
}

/* --- hulls ------------------------------------------------------------------------------------------- */

static void set_hull(const struct packet_box *box, enum packet_field field, uint64_t *low,
		     uint64_t *high, bool is_v6)
{
	const struct interval_set *set = box->fields[field];

	*low = 0;
	*high = UINT64_MAX;
	if (set == NULL)
		return;
	*low = (uint64_t)(is_v6 ? set->items[0].low >> 64 : set->items[0].low);
	*high = (uint64_t)(is_v6 ? set->items[set->items_count - 1].high >> 64 :
				   set->items[set->items_count - 1].high);
}

static struct hull hull_of(const struct packet_box *box)
{
	struct hull hull = {
		.family = (uint8_t)box->fields[FIELD_FAMILY]->items[0].low,
		.protocol = PROTOCOL_ANY,
	};

	if (box->fields[FIELD_PROTOCOL] != NULL)
		hull.protocol = (uint16_t)box->fields[FIELD_PROTOCOL]->items[0].low;
	set_hull(box, FIELD_SOURCE, &hull.source_low, &hull.source_high, hull.family == FAMILY_IPV6);
	set_hull(box, FIELD_DESTINATION, &hull.destination_low, &hull.destination_high,
		 hull.family == FAMILY_IPV6);
	return hull;
}

static bool hulls_meet(const struct hull *a, const struct hull *b)
{
	return a->destination_low <= b->destination_high && b->destination_low <= a->destination_high &&
	       a->source_low <= b->source_high && b->source_low <= a->source_high &&
	       a->family == b->family &&
	       (a->protocol == b->protocol || a->protocol == PROTOCOL_ANY ||
		b->protocol == PROTOCOL_ANY);
}

static bool boxes_meet(const struct finder *finder, size_t a, size_t b)
{
	return hulls_meet(&finder->hulls[a], &finder->hulls[b]) &&
	       packet_boxes_overlap(&finder->boxes.items[a].box, &finder->boxes.items[b].box);
}

/* --- preparing --------------------------------------------------------------------------------------- */

static const struct interval_set *hook_set(struct finder *finder, enum hook hook)
{
	struct interval_set *set = pool_new(finder->pool, struct interval_set);

	interval_set_add(finder->pool, set, hook, hook);
	return set;
}

/* The boxes of each hook, in order, with the numbers of parts; the second engine wants the hook. */
static void make_boxes(struct finder *finder)
{
	size_t box = 0;

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		const struct interval_set *set = hook_set(finder, hook);

		meaning_boxes(&finder->meaning, finder->pool, finder->universe, hook, &finder->boxes);
		for (; box < finder->boxes.items_count; box++) {
			struct packet_rule *item = &finder->boxes.items[box];

			item->number = part_of(finder, hook, item->number);
			item->box.fields[FIELD_HOOK] = set;
		}
	}
	finder->first_box = pool_array(finder->pool, size_t, finder->parts_count + 1);
	finder->hulls = pool_array(finder->pool, struct hull, finder->boxes.items_count + 1);
	box = 0;
	for (uint32_t part = 0; part <= finder->parts_count; part++) {
		while (box < finder->boxes.items_count && finder->boxes.items[box].number < part)
			box++;
		finder->first_box[part] = box;
	}
	for (box = 0; box < finder->boxes.items_count; box++)
		finder->hulls[box] = hull_of(&finder->boxes.items[box].box);
}

/* What decides anything in each hook. */
static void find_seen(struct finder *finder, packet_map cut)
{
	bool *numbers = pool_array(finder->pool, bool, finder->meaning.numbers_count);

	finder->seen = pool_array(finder->pool, bool, finder->parts_count + HOOK_COUNT);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		struct packet_box box = { .fields = { [FIELD_HOOK] = hook_set(finder, hook) } };
		packet_map own = packet_map_choose(finder->space, packet_set_box(finder->space, &box), cut,
						   packet_map_constant(finder->meaning.numbers_count));

		memset(numbers, 0, finder->meaning.numbers_count);
		packet_map_numbers(finder->space, own, numbers, finder->meaning.numbers_count);
		for (uint32_t number = 0; number < finder->meaning.numbers_count; number++)
			finder->seen[part_of(finder, hook, number)] = numbers[number];
	}
}

/* The orders one after the other, until one is within the budget. */
static void make_map(struct finder *finder)
{
	uint32_t numbers = finder->meaning.numbers_count;

	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		struct packet_space *space = packet_space_new(finder->pool, finder->universe, order,
							      finder->settings->budget);
		packet_map map = meaning_map(&finder->meaning, finder->pool, space);
		packet_set possible = packet_set_possible(space);
		packet_map cut = packet_map_choose(space, possible, map,
						   packet_map_constant(numbers));

		if (cut != PACKET_MAP_OVER) {
			finder->space = space;
			finder->map = map;
			finder->possible = possible;
			find_seen(finder, cut);
			return;
		}
		talloc_free(space);
	}
	finder->found->is_second_engine = true;
}

/* --- who takes a rule's packets ---------------------------------------------------------------------- */

/* Numbers of rules, as a set that knows its members. */
struct takers {
	uint32_t *items;
	size_t items_count, items_capacity;
};

/* The rule's packets, as a set. */
static packet_set rule_set(struct finder *finder, uint32_t number)
{
	packet_set set = packet_set_none();

	for (size_t box = finder->first_box[number]; box < finder->first_box[number + 1]; box++)
		set = packet_set_union(finder->space, set,
				       packet_set_box(finder->space, &finder->boxes.items[box].box));
	return packet_set_intersect(finder->space, set, finder->possible);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

/* The parts that a map names, which says something of one hook alone. The depth is that of the fields. */
static void gather_parts(const struct finder *finder, enum hook hook, packet_map map,
			 struct takers *takers)
{
	struct diagram_edges edges;

	if (diagram_is_leaf(map)) {
		if (diagram_number(map) < finder->meaning.numbers_count)
			*pool_append(finder->pool, takers, items) =
				part_of(finder, hook, diagram_number(map));
		return;
	}
	edges = diagram_edges(finder->space->diagrams, map);
	for (size_t index = 0; index < edges.count; index++)
		gather_parts(finder, hook, edges.children[index], takers);
}

static void sort_unique(struct takers *takers)
{
	size_t kept = 0;

	if (takers->items_count > 0)
		qsort(takers->items, takers->items_count, sizeof *takers->items, compare_numbers);
	for (size_t index = 0; index < takers->items_count; index++)
		if (kept == 0 || takers->items[kept - 1] != takers->items[index])
			takers->items[kept++] = takers->items[index];
	takers->items_count = kept;
}

/* With the map: who decides them. Without: every earlier rule that overlaps. */
static void find_takers(struct finder *finder, uint32_t number, struct takers *takers)
{
	if (finder->space != NULL) {
		packet_map none = packet_map_constant(finder->meaning.numbers_count);
		packet_map cut = packet_map_choose(finder->space, rule_set(finder, number), finder->map,
						   none);

		if (cut != PACKET_MAP_OVER)
			gather_parts(finder, hook_of(finder, number), cut, takers);
		sort_unique(takers);
		return;
	}
	for (uint32_t earlier = hook_of(finder, number) * finder->meaning.statements;
	     earlier < number; earlier++) {
		bool meets = false;

		for (size_t a = finder->first_box[earlier];
		     a < finder->first_box[earlier + 1] && !meets; a++)
			for (size_t b = finder->first_box[number];
			     b < finder->first_box[number + 1] && !meets; b++)
				meets = boxes_meet(finder, a, b);
		if (meets)
			*pool_append(finder->pool, takers, items) = earlier;
	}
}

/* Whether these rules, but for one of them, take all packets of the rule. */
static enum cover_answer takers_cover(struct finder *finder, uint32_t number,
				      const struct takers *takers, size_t but)
{
	struct packet_rules boxes = { 0 };
	const struct packet_box **covers;
	enum cover_answer answer = COVER_YES;

	for (size_t index = 0; index < takers->items_count; index++)
		for (size_t box = finder->first_box[takers->items[index]];
		     index != but && box < finder->first_box[takers->items[index] + 1]; box++)
			*pool_append(finder->pool, &boxes, items) = finder->boxes.items[box];
	covers = pool_array(finder->pool, const struct packet_box *, boxes.items_count + 1);
	for (size_t index = 0; index < boxes.items_count; index++)
		covers[index] = &boxes.items[index].box;
	for (size_t box = finder->first_box[number];
	     box < finder->first_box[number + 1] && answer == COVER_YES; box++)
		answer = cover_find(finder->pool, finder->universe, &finder->boxes.items[box].box,
				    covers, boxes.items_count, COVER_STEPS, NULL);
	talloc_free(covers);
	talloc_free(boxes.items);
	return answer;
}

/* Past this many the list is not worth the time: all of them are named. */
#define BLAME_MOST 64

/* Leaves out who is not needed, later ones first. */
static void shorten(struct finder *finder, uint32_t number, struct takers *takers)
{
	if (takers->items_count > BLAME_MOST)
		return;
	for (size_t index = takers->items_count; index-- > 0 && takers->items_count > 1;) {
		if (takers_cover(finder, number, takers, index) != COVER_YES)
			continue;
		memmove(&takers->items[index], &takers->items[index + 1],
			(takers->items_count - index - 1) * sizeof *takers->items);
		takers->items_count--;
	}
}

/* --- anomalies --------------------------------------------------------------------------------------- */

static bool has_blame(const struct anomaly *anomaly, const struct policy_rule *rule)
{
	for (size_t index = 0; index < anomaly->blame_count; index++)
		if (anomaly->blame[index] == rule)
			return true;
	return false;
}

static void add_blame(struct finder *finder, struct anomaly *anomaly, uint32_t number)
{
	const struct policy_rule *rule = rule_of(finder, number);
	size_t at;

	if (has_blame(anomaly, rule))
		return;
	*pool_append(finder->pool, anomaly, blame) = rule;
	for (at = anomaly->blame_count - 1; at > 0 && anomaly->blame[at - 1]->number > rule->number; at--)
		anomaly->blame[at] = anomaly->blame[at - 1];
	anomaly->blame[at] = rule;
}

/* A packet of the rule; the map gives natural ones. */
static struct packet witness_of(struct finder *finder, uint32_t number)
{
	struct packet_point point = { 0 };

	if (finder->space == NULL ||
	    !packet_set_example(finder->space, rule_set(finder, number), &point))
		(void)cover_find(finder->pool, finder->universe,
				 &finder->boxes.items[finder->first_box[number]].box, NULL, 0, COVER_STEPS,
				 &point);
	return packet_of_point(finder->universe, &point);
}

static bool is_dead(struct finder *finder, uint32_t number, bool *is_undecided)
{
	struct takers takers = { 0 };
	enum cover_answer answer;

	if (finder->space != NULL)
		return !finder->seen[number];
	find_takers(finder, number, &takers);
	answer = takers.items_count > OVERLAPS_MOST ? COVER_UNKNOWN :
		 takers_cover(finder, number, &takers, SIZE_MAX);
	talloc_free(takers.items);
	*is_undecided = *is_undecided || answer == COVER_UNKNOWN;
	return answer == COVER_YES;
}

static void blame_for(struct finder *finder, struct anomaly *anomaly, uint32_t number)
{
	struct takers takers = { 0 };

	find_takers(finder, number, &takers);
	shorten(finder, number, &takers);
	for (size_t index = 0; index < takers.items_count; index++)
		add_blame(finder, anomaly, takers.items[index]);
	talloc_free(takers.items);
}

static enum anomaly_kind kind_of(struct anomaly *anomaly)
{
	size_t alike = 0;

	for (size_t index = 0; index < anomaly->blame_count; index++)
		alike += anomaly->blame[index]->verdict == anomaly->rule->verdict;
	anomaly->is_mixed = alike > 0;
	return alike == anomaly->blame_count ? ANOMALY_REDUNDANT : ANOMALY_SHADOWED;
}

/* Dead in all hooks, or in this one alone. */
static void add_dead(struct finder *finder, const struct policy_rule *rule, const uint32_t *numbers,
		     size_t count, bool is_part)
{
	struct anomaly anomaly = {
		.rule = rule,
		.hook = hook_of(finder, numbers[0]),
		.witness = witness_of(finder, numbers[0]),
	};

	for (size_t index = 0; index < count; index++)
		blame_for(finder, &anomaly, numbers[index]);
	anomaly.kind = kind_of(&anomaly);
	if (is_part && anomaly.kind == ANOMALY_REDUNDANT)
		return; /* it does no harm there */
	if (is_part)
		anomaly.kind = ANOMALY_PARTLY_SHADOWED;
	*pool_append(finder->pool, finder->found, items) = anomaly;
}

/* --- rules that could go ----------------------------------------------------------------------------- */

static bool outcomes_equal(const struct outcome *a, const struct outcome *b)
{
	return a == b || (a->verdict == b->verdict && a->limit == b->limit && a->has_log == b->has_log &&
			  a->has_count == b->has_count &&
			  (a->log_prefix == b->log_prefix ||
			   (a->log_prefix != NULL && b->log_prefix != NULL &&
			    strcmp(a->log_prefix, b->log_prefix) == 0)) &&
			  (a->helper == b->helper || (a->helper != NULL && b->helper != NULL &&
						      strcmp(a->helper, b->helper) == 0)));
}

/* What decides next: later rules that overlap, of other statements. false: too many. */
static bool later_boxes(struct finder *finder, uint32_t number, struct packet_rules *later)
{
	size_t end = finder->first_box[(hook_of(finder, number) + 1) * finder->meaning.statements];

	for (size_t box = finder->first_box[number + 1]; box < end; box++) {
		bool meets = false;

		for (size_t own = finder->first_box[number];
		     own < finder->first_box[number + 1] && !meets; own++)
			meets = boxes_meet(finder, own, box);
		if (!meets)
			continue;
		if (later->items_count == OVERLAPS_MOST)
			return false;
		*pool_append(finder->pool, later, items) = finder->boxes.items[box];
	}
	return true;
}

enum removal { REMOVAL_NO, REMOVAL_RULES, REMOVAL_DEFAULT, REMOVAL_UNKNOWN };

static enum removal removal_by(struct finder *finder, uint32_t number, struct takers *takers,
			       packet_map next)
{
	const struct outcome *outcome = outcome_of(finder, number);
	bool is_default_alone = true;

	gather_parts(finder, hook_of(finder, number), next, takers);
	sort_unique(takers);
	for (size_t index = 0; index < takers->items_count; index++) {
		/* a rule that lives on what this one leaves it would be told as well: one of both is enough */
		if (!finder->seen[takers->items[index]] && takers->items[index] < finder->parts_count)
			return REMOVAL_NO;
		if (!outcomes_equal(outcome, outcome_of(finder, takers->items[index])))
			return REMOVAL_NO;
		is_default_alone = is_default_alone &&
				   takers->items[index] >= finder->parts_count;
	}
	return is_default_alone ? REMOVAL_DEFAULT : REMOVAL_RULES;
}

/* What would decide the packets that the rule decides. */
static enum removal removal_of(struct finder *finder, uint32_t number, struct takers *takers)
{
	packet_map none = packet_map_constant(finder->meaning.numbers_count);
	struct packet_space *space = finder->space;
	struct packet_rules later = { 0 };
	packet_map own = packet_map_choose(space, rule_set(finder, number), finder->map, none);
	packet_map next;
	enum removal removal = REMOVAL_UNKNOWN;

	if (later_boxes(finder, number, &later)) {
		for (size_t box = 0; box < later.items_count; box++)
			later.items[box].number = statement_of(finder, later.items[box].number);
		next = packet_map_first_match(space, later.items, later.items_count,
					      finder->meaning.statements);
		own = packet_map_where(space, own, statement_of(finder, number));
		next = packet_map_choose(space, own, next, none);
		if (next != PACKET_MAP_OVER)
			removal = removal_by(finder, number, takers, next);
	}
	talloc_free(later.items);
	return removal;
}

static bool could_go(const struct policy_rule *rule)
{
	const struct policy_options *options = &rule->options;

	return rule->translation == NULL && !options->has_log && !options->has_count &&
	       options->limit == NULL && !options->is_stateless && !options->is_rescue &&
	       options->until == 0;
}

static void judge_removal(struct finder *finder, const struct policy_rule *rule, const uint32_t *numbers,
			  size_t count)
{
	struct anomaly anomaly = { .kind = ANOMALY_AS_DEFAULT, .rule = rule };
	struct takers takers = { 0 };
	bool is_witnessed = false;

	for (size_t index = 0; index < count; index++) {
		enum removal removal;

		if (!finder->seen[numbers[index]])
			continue;
		removal = removal_of(finder, numbers[index], &takers);
		finder->found->undecided_count += removal == REMOVAL_UNKNOWN;
		if (removal == REMOVAL_NO || removal == REMOVAL_UNKNOWN)
			break;
		if (removal == REMOVAL_RULES)
			anomaly.kind = ANOMALY_REMOVABLE;
		if (!is_witnessed) {
			anomaly.hook = hook_of(finder, numbers[index]);
			anomaly.witness = witness_of(finder, numbers[index]);
			is_witnessed = true;
		}
		if (index + 1 < count)
			continue;
		for (size_t taker = 0; taker < takers.items_count; taker++)
			if (takers.items[taker] < finder->parts_count)
				add_blame(finder, &anomaly, takers.items[taker]);
		*pool_append(finder->pool, finder->found, items) = anomaly;
	}
	talloc_free(takers.items);
}

/* --- statements -------------------------------------------------------------------------------------- */

static void judge_hooks(struct finder *finder, const struct policy_rule *rule, const uint32_t *numbers,
			const bool *dead, size_t count)
{
	size_t begin = 0;

	while (begin < count) {
		enum hook hook = hook_of(finder, numbers[begin]);
		size_t end = begin;
		bool is_hook_dead = true;

		for (; end < count && hook_of(finder, numbers[end]) == hook; end++)
			is_hook_dead = is_hook_dead && dead[end];
		if (is_hook_dead)
			add_dead(finder, rule, numbers + begin, end - begin, true);
		begin = end;
	}
}

static void judge_statement(struct finder *finder, const struct policy_rule *rule,
			    const uint32_t *numbers, size_t count)
{
	bool *dead = pool_array(finder->pool, bool, count + 1);
	size_t dead_count = 0;
	bool is_undecided = false;

	for (size_t index = 0; index < count; index++) {
		dead[index] = is_dead(finder, numbers[index], &is_undecided);
		dead_count += dead[index];
	}
	finder->found->undecided_count += is_undecided;
	if (count > 0 && dead_count == count)
		add_dead(finder, rule, numbers, count, false);
	else if (dead_count > 0)
		judge_hooks(finder, rule, numbers, dead, count);
	if (dead_count < count && finder->space != NULL && could_go(rule))
		judge_removal(finder, rule, numbers, count);
	talloc_free(dead);
}

/* --- conflicts --------------------------------------------------------------------------------------- */

static bool includes_all(const struct finder *finder, uint32_t outer, uint32_t inner)
{
	for (size_t box = finder->first_box[inner]; box < finder->first_box[inner + 1]; box++) {
		bool is_inside = false;

		for (size_t other = finder->first_box[outer];
		     other < finder->first_box[outer + 1] && !is_inside; other++)
			is_inside = packet_box_includes(&finder->boxes.items[other].box,
							&finder->boxes.items[box].box);
		if (!is_inside)
			return false;
	}
	return true;
}

static bool rules_meet(const struct finder *finder, uint32_t a, uint32_t b, size_t *box)
{
	for (size_t i = finder->first_box[a]; i < finder->first_box[a + 1]; i++)
		for (size_t k = finder->first_box[b]; k < finder->first_box[b + 1]; k++)
			if (boxes_meet(finder, i, k)) {
				*box = k;
				return true;
			}
	return false;
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

static void judge_pair(struct finder *finder, uint32_t earlier, uint32_t later)
{
	const struct policy_rule *first = rule_of(finder, earlier), *second = rule_of(finder, later);
	struct anomaly anomaly = { .kind = ANOMALY_CONFLICTING, .rule = second };
	size_t box;

	if ((first->verdict == VERDICT_ALLOW) == (second->verdict == VERDICT_ALLOW) ||
	    !rules_meet(finder, earlier, later, &box) || includes_all(finder, earlier, later) ||
	    includes_all(finder, later, earlier) || is_told(finder, second, first))
		return;
	*pool_append(finder->pool, &anomaly, blame) = first;
	anomaly.hook = hook_of(finder, later);
	anomaly.witness = witness_of(finder, later);
	if (finder->space != NULL) {
		struct packet_point point;

		if (packet_set_example(finder->space,
				       packet_set_intersect(finder->space, rule_set(finder, earlier),
							    rule_set(finder, later)), &point))
			anomaly.witness = packet_of_point(finder->universe, &point);
	}
	*pool_append(finder->pool, finder->found, items) = anomaly;
}

static void find_conflicts(struct finder *finder)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		uint32_t first = hook * finder->meaning.statements;
		uint32_t end = first + finder->meaning.statements;

		for (uint32_t later = first; later < end; later++)
			for (uint32_t earlier = first; earlier < later; earlier++)
				if (finder->found->items_count < CONFLICTS_MOST)
					judge_pair(finder, earlier, later);
	}
}

/* The parts of a statement that there are. */
static void judge(struct finder *finder, uint32_t statement)
{
	uint32_t parts[HOOK_COUNT];
	size_t count = 0;

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		uint32_t part = part_of(finder, hook, statement);

		if (finder->first_box[part] < finder->first_box[part + 1])
			parts[count++] = part;
	}
	judge_statement(finder, finder->ruleset->policy->rules[statement], parts, count);
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
	};

	finder.parts_count = finder.meaning.statements * HOOK_COUNT;
	packet_universe_add(finder.universe, ruleset);
	packet_universe_finish(finder.universe);
	make_boxes(&finder);
	make_map(&finder);
	for (uint32_t statement = 0; statement < finder.meaning.statements; statement++)
		judge(&finder, statement);
	if (settings->has_conflicts)
		find_conflicts(&finder);
	return finder.found;
}
