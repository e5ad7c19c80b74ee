/* By halves. A part of the list is asked with a map of what comes behind it: for each packet that
 * reaches the part and that one of its rules matches, the outcome that it would get without the part;
 * nothing for all others. Such a map shrinks with the part, so that all levels together cost little more
 * than one; at a single rule it is the answer. The later half is asked first; for the earlier half, what
 * is kept of the later one then comes behind. */
#include "analyse/shadow.h"

#include "analyse/shadow_cover.h"
#include "base/pool.h"

/* Numbers that no outcome has. */
#define NOTHING (SHADOW_OUTCOMES + 1)
#define BY_DEFAULT (SHADOW_OUTCOMES + 2)

#define COVER_STEPS 20000
/* Intervals of diagrams that are asked where covers were before: with more they seldom end. */
#define SECOND_BUDGET 2000000
/* Of a longer list of earlier rules the shortest is not sought. */
#define BLAME_MOST 2000
/* And so many of it are named, of its outcome and of others each. */
#define BLAME_SHOWN 50

/* What the leaves below a node have in common. */
struct summary {
	enum { SUMMARY_UNKNOWN, SUMMARY_NOTHING, SUMMARY_SAME, SUMMARY_MIXED } kind;
	uint32_t outcome;        /* SAME: of all leaves that are not nothing */
	bool is_default_alone;   /* and none of them but the default's */
};

struct shadowing {
	void *pool;
	const struct shadow_question *question;
	struct packet_space *space;
	size_t *first_box;       /* of a number; one more at the end */
	size_t rules_count;
	packet_set *areas;       /* what rules of a part match; parts numbered as in a heap */
	uint32_t drop, keep, behind, over; /* operations */
	struct summary *summaries;   /* of nodes */
	size_t summaries_capacity;
	enum rule_fate *fates;
	packet_map *decided;     /* by removable rules: where their example lies */
	packet_set possible;
	bool is_asked[PACKET_FIELDS];
	struct shadow_answer *answer;
};

/* --- operations -------------------------------------------------------------------------------------- */

static uint32_t drop_leaves(void *context, uint32_t map, uint32_t set)
{
	(void)context;
	return set != 0 ? NOTHING : map;
}

static bool drop_early(void *context, diagram map, diagram set, diagram *result)
{
	(void)context;
	if (map == diagram_leaf(NOTHING) || set == diagram_leaf(0))
		*result = map;
	else if (set == diagram_leaf(1))
		*result = diagram_leaf(NOTHING);
	else
		return false;
	return true;
}

static uint32_t keep_leaves(void *context, uint32_t map, uint32_t set)
{
	(void)context;
	return set != 0 ? map : NOTHING;
}

static bool keep_early(void *context, diagram map, diagram set, diagram *result)
{
	(void)context;
	if (map == diagram_leaf(NOTHING) || set == diagram_leaf(1))
		*result = map;
	else if (set == diagram_leaf(0))
		*result = diagram_leaf(NOTHING);
	else
		return false;
	return true;
}

static uint32_t behind_leaves(void *context, uint32_t map, uint32_t kept)
{
	(void)context;
	return map == NOTHING || kept == NOTHING ? map : kept;
}

static bool behind_early(void *context, diagram map, diagram kept, diagram *result)
{
	(void)context;
	*result = map;
	return map == diagram_leaf(NOTHING) || kept == diagram_leaf(NOTHING) || map == kept;
}

static uint32_t over_leaves(void *context, uint32_t earlier, uint32_t later)
{
	(void)context;
	return earlier == NOTHING ? later : earlier;
}

static bool over_early(void *context, diagram earlier, diagram later, diagram *result)
{
	(void)context;
	if (earlier == diagram_leaf(NOTHING))
		*result = later;
	else if (diagram_is_leaf(earlier) || later == diagram_leaf(NOTHING) || earlier == later)
		*result = earlier;
	else
		return false;
	return true;
}

static packet_map apply(struct shadowing *shadowing, uint32_t number,
			uint32_t (*leaves)(void *, uint32_t, uint32_t),
			bool (*early)(void *, diagram, diagram, diagram *), packet_map a, packet_map b)
{
	const struct diagram_operation operation = { number, NULL, leaves, early };

	if (a == PACKET_MAP_OVER || b == PACKET_MAP_OVER)
		return PACKET_MAP_OVER;
	return diagram_apply(shadowing->space->diagrams, &operation, a, b);
}

static packet_map drop(struct shadowing *shadowing, packet_map map, packet_set set)
{
	return apply(shadowing, shadowing->drop, drop_leaves, drop_early, map, set);
}

static packet_map keep(struct shadowing *shadowing, packet_map map, packet_set set)
{
	return apply(shadowing, shadowing->keep, keep_leaves, keep_early, map, set);
}

static packet_map put_behind(struct shadowing *shadowing, packet_map map, packet_map kept)
{
	return apply(shadowing, shadowing->behind, behind_leaves, behind_early, map, kept);
}

static packet_map put_over(struct shadowing *shadowing, packet_map earlier, packet_map later)
{
	return apply(shadowing, shadowing->over, over_leaves, over_early, earlier, later);
}

/* --- summaries --------------------------------------------------------------------------------------- */

static struct summary leaf_summary(const struct shadowing *shadowing, uint32_t number)
{
	if (number == NOTHING)
		return (struct summary){ .kind = SUMMARY_NOTHING };
	if (number == BY_DEFAULT)
		return (struct summary){ SUMMARY_SAME, shadowing->question->otherwise, true };
	return (struct summary){ SUMMARY_SAME, number, false };
}

static struct summary joined(struct summary a, struct summary b)
{
	if (a.kind == SUMMARY_NOTHING)
		return b;
	if (b.kind == SUMMARY_NOTHING)
		return a;
	if (a.kind == SUMMARY_MIXED || b.kind == SUMMARY_MIXED || a.outcome != b.outcome)
		return (struct summary){ .kind = SUMMARY_MIXED };
	a.is_default_alone = a.is_default_alone && b.is_default_alone;
	return a;
}

/* Of a map; each node is looked at once. Recursion is as deep as there are fields. */
static struct summary summary_of(struct shadowing *shadowing, packet_map map)
{
	struct summary summary = { .kind = SUMMARY_NOTHING };
	struct diagram_edges edges;

	if (diagram_is_leaf(map))
		return leaf_summary(shadowing, diagram_number(map));
	if (map >= shadowing->summaries_capacity)
		shadowing->summaries = pool_grow(shadowing->space, shadowing->summaries,
						 &shadowing->summaries_capacity, (size_t)map + 1,
						 sizeof *shadowing->summaries);
	if (shadowing->summaries[map].kind != SUMMARY_UNKNOWN)
		return shadowing->summaries[map];
	edges = diagram_edges(shadowing->space->diagrams, map);
	for (size_t index = 0; index < edges.count && summary.kind != SUMMARY_MIXED; index++)
		summary = joined(summary, summary_of(shadowing, edges.children[index]));
	shadowing->summaries[map] = summary;
	return summary;
}

/* --- halves ------------------------------------------------------------------------------------------ */

static packet_set make_area(struct shadowing *shadowing, size_t part, size_t begin, size_t end)
{
	const struct shadow_question *question = shadowing->question;
	packet_set area = packet_set_none();

	if (end - begin > 1) {
		size_t middle = begin + (end - begin) / 2;
		packet_set first = make_area(shadowing, part * 2, begin, middle);
		packet_set second = make_area(shadowing, part * 2 + 1, middle, end);

		area = packet_set_union(shadowing->space, first, second);
	} else {
		for (size_t box = shadowing->first_box[begin]; box < shadowing->first_box[end]; box++)
			area = packet_set_union(shadowing->space, area,
						packet_set_box(shadowing->space,
							       &question->rules[box].box));
	}
	shadowing->areas[part] = area;
	return area;
}

static packet_map outcome_in(struct shadowing *shadowing, packet_set area, uint32_t outcome)
{
	return keep(shadowing, packet_map_constant(outcome), area);
}

/* One rule: what it leaves of the list. */
static packet_map judge(struct shadowing *shadowing, size_t part, size_t number, packet_map behind)
{
	const struct shadow_question *question = shadowing->question;
	uint32_t outcome = question->outcomes[number];
	struct summary summary = summary_of(shadowing, behind);
	bool stays = question->stays != NULL && question->stays[number];

	if (!stays && summary.kind == SUMMARY_SAME && summary.outcome == outcome) {
		shadowing->fates[number] =
			summary.is_default_alone ? RULE_GOES_AS_DEFAULT : RULE_GOES;
		shadowing->decided[number] = behind;
		return packet_map_constant(NOTHING);
	}
	return outcome_in(shadowing, shadowing->areas[part], outcome);
}

/* Gives what is kept of the part. */
static packet_map halve(struct shadowing *shadowing, size_t part, size_t begin, size_t end,
			packet_map behind)
{
	size_t middle = begin + (end - begin) / 2;
	packet_map earlier, later, reached;

	if (behind == PACKET_MAP_OVER)
		return PACKET_MAP_OVER;
	if (behind == diagram_leaf(NOTHING)) {
		for (size_t number = begin; number < end; number++)
			shadowing->fates[number] = RULE_DEAD;
		return behind;
	}
	if (end - begin == 1)
		return judge(shadowing, part, begin, behind);
	reached = drop(shadowing, behind, shadowing->areas[part * 2]);
	later = halve(shadowing, part * 2 + 1, middle, end,
		      keep(shadowing, reached, shadowing->areas[part * 2 + 1]));
	reached = keep(shadowing, behind, shadowing->areas[part * 2]);
	earlier = halve(shadowing, part * 2, begin, middle, put_behind(shadowing, reached, later));
	if (part == 1)
		return earlier; /* nobody asks for the whole */
	return put_over(shadowing, earlier, later);
}

static bool find_fates(struct shadowing *shadowing, enum packet_order order)
{
	const struct shadow_question *question = shadowing->question;
	packet_map behind;

	shadowing->space = packet_space_new(shadowing->pool, question->universe, order,
					    question->budget == 0 && question->engine == SHADOW_ANY ?
						    SECOND_BUDGET : question->budget);
	shadowing->drop = diagrams_operation(shadowing->space->diagrams);
	shadowing->keep = diagrams_operation(shadowing->space->diagrams);
	shadowing->behind = diagrams_operation(shadowing->space->diagrams);
	shadowing->over = diagrams_operation(shadowing->space->diagrams);
	shadowing->summaries = NULL;
	shadowing->summaries_capacity = 0;
	for (size_t number = 0; number < shadowing->rules_count; number++)
		shadowing->fates[number] = RULE_KEPT;
	if (make_area(shadowing, 1, 0, shadowing->rules_count) == PACKET_MAP_OVER)
		return false;
	behind = keep(shadowing, packet_map_constant(BY_DEFAULT),
		      packet_set_possible_of(shadowing->space, shadowing->is_asked));
	behind = keep(shadowing, behind, shadowing->areas[1]);
	(void)halve(shadowing, 1, 0, shadowing->rules_count, behind);
	return !packet_space_is_over(shadowing->space);
}

/* --- findings ----------------------------------------------------------------------------------------- */

static const struct packet_rule *boxes_of(const struct shadowing *shadowing, size_t number,
					  size_t *count)
{
	*count = shadowing->first_box[number + 1] - shadowing->first_box[number];
	return shadowing->question->rules + shadowing->first_box[number];
}

static void add_blame(struct shadowing *shadowing, struct rule_finding *finding,
		      const struct overlap_list *list)
{
	uint32_t own = shadowing->question->outcomes[finding->number];
	size_t alike = 0, kept[2] = { 0 };
	uint32_t last = UINT32_MAX;

	for (size_t at = 0; at < list->items_count; at++) {
		uint32_t number = shadowing->question->rules[list->items[at]].number;

		bool is_alike = shadowing->question->outcomes[number] == own;

		if (number == last)
			continue;
		last = number;
		if (!finding->blame_is_least && kept[is_alike] == BLAME_SHOWN)
			continue;
		kept[is_alike]++;
		*pool_append(shadowing->answer, finding, blame) = number;
		alike += is_alike;
	}
	finding->kind = finding->blame_count == 0 ? RULE_IMPOSSIBLE :
			alike == finding->blame_count ? RULE_REDUNDANT :
			alike == 0 ? RULE_SHADOWED : RULE_MIXED;
}

/* A packet of the rule; false: none can be. */
static bool find_packet(struct shadowing *shadowing, void *pool, size_t number,
			struct packet_point *witness)
{
	size_t count;
	const struct packet_rule *boxes = boxes_of(shadowing, number, &count);

	for (size_t box = 0; box < count; box++)
		if (cover_find(pool, shadowing->question->universe, &boxes[box].box, NULL, 0, COVER_STEPS,
			       witness) == COVER_NO)
			return true;
	return false;
}

/* Is nothing of the rule left to a box of the list by those before it? */
static enum cover_answer is_left_nothing(const struct shadowing *shadowing, void *pool,
					 const struct packet_rule *boxes, size_t count,
					 const struct packet_box *const *list, size_t at)
{
	enum cover_answer answer = COVER_YES;

	for (size_t box = 0; box < count && answer == COVER_YES; box++) {
		struct packet_box both;

		if (!packet_boxes_overlap(&boxes[box].box, list[at]))
			continue;
		both = packet_box_intersect(pool, &boxes[box].box, list[at]);
		answer = cover_find_within(pool, shadowing->question->universe, &both, list, at, COVER_STEPS,
					   shadowing->question->work, NULL);
	}
	return answer;
}

static bool includes_all(const struct packet_box *outer, const struct packet_rule *boxes, size_t count)
{
	for (size_t box = 0; box < count; box++)
		if (!packet_box_includes(outer, &boxes[box].box))
			return false;
	return true;
}

/* Leaves those that take some of the rule's packets. false: of some that is not known; they are left, too. */
static bool leave_takers(const struct shadowing *shadowing, void *pool, const struct packet_rule *boxes,
			 size_t count, struct overlap_list *list)
{
	const struct packet_box **all = pool_array(pool, const struct packet_box *, list->items_count + 1);
	bool are_known = true;
	size_t kept = 0;

	for (size_t at = 0; at < list->items_count; at++)
		all[at] = &shadowing->question->rules[list->items[at]].box;
	for (size_t at = 0; at < list->items_count; at++) {
		enum cover_answer answer = is_left_nothing(shadowing, pool, boxes, count, all, at);

		if (answer != COVER_YES)
			list->items[kept++] = list->items[at];
		are_known = are_known && answer != COVER_UNKNOWN;
		if (includes_all(all[at], boxes, count))
			break;
	}
	list->items_count = kept;
	return are_known;
}

/* Do those that take some of a rule all do the same with it? Else a few of them that match all of it would tell
 * of an outcome that some of its packets do not get. */
static bool are_alike(const struct shadow_question *question, const struct overlap_list *list)
{
	for (size_t at = 1; at < list->items_count; at++)
		if (question->outcomes[question->rules[list->items[at]].number] !=
		    question->outcomes[question->rules[list->items[0]].number])
			return false;
	return true;
}

static void blame_dead(struct shadowing *shadowing, const struct overlap_index *index,
		       struct rule_finding *finding)
{
	void *pool = pool_child(shadowing->pool, "blame");
	const struct overlap_budget budget = { COVER_STEPS, shadowing->question->work };
	struct overlap_list list = { 0 };
	size_t count;
	const struct packet_rule *boxes = boxes_of(shadowing, finding->number, &count);

	finding->blame_is_least = true;
	finding->kind = RULE_IMPOSSIBLE;
	if (find_packet(shadowing, pool, finding->number, &finding->witness)) {
		shadow_cover_earlier(pool, shadowing->question, index, shadowing->first_box,
				     finding->number, &list);
		finding->blame_is_least = list.items_count <= BLAME_MOST &&
					  leave_takers(shadowing, pool, boxes, count, &list) &&
					  (!are_alike(shadowing->question, &list) ||
					   overlap_shorten(pool, index, boxes, count, &list, budget));
		add_blame(shadowing, finding, &list);
	}
	talloc_free(pool);
}

/* A packet that the rule decides: the diagrams know natural ones, as long as there is room. */
static void find_decided(struct shadowing *shadowing, const struct overlap_index *index,
			 struct rule_finding *finding)
{
	packet_set where = PACKET_MAP_OVER;

	if (shadowing->answer->engine == SHADOW_DIAGRAMS) {
		where = packet_map_difference(shadowing->space, shadowing->decided[finding->number],
					      packet_map_constant(NOTHING));
		where = packet_set_intersect(shadowing->space, where, shadowing->possible);
	}
	if (!packet_set_example(shadowing->space, where, &finding->witness))
		shadow_cover_decided(shadowing->pool, shadowing->question, index, shadowing->first_box,
				     finding->number, &finding->witness);
}

static void add_finding(struct shadowing *shadowing, const struct overlap_index *index, size_t number)
{
	struct rule_finding finding = { .number = (uint32_t)number, .kind = RULE_SHADOWED };
	bool has_blame = shadowing->question->has_blame;

	switch (shadowing->fates[number]) {
	case RULE_KEPT:
		return;
	case RULE_DEAD:
		if (has_blame)
			blame_dead(shadowing, index, &finding);
		break;
	case RULE_GOES:
	case RULE_GOES_AS_DEFAULT:
		finding.kind = shadowing->fates[number] == RULE_GOES ? RULE_REMOVABLE :
									    RULE_AS_DEFAULT;
		if (has_blame)
			find_decided(shadowing, index, &finding);
		break;
	}
	*pool_append(shadowing->answer, shadowing->answer, findings) = finding;
}

/* Past the work that is allowed it is not known who takes what a rule matches, nor what would come of it if
 * others went: rules that never match are not told any more, and none that could go, for the user might
 * leave a dead rule where the one goes that hides it. */
static bool is_past_telling(const struct shadowing *shadowing, size_t number)
{
	return shadowing->question->has_blame && shadowing->fates[number] != RULE_KEPT &&
	       *shadowing->question->work == 0;
}

static void leave_out_removable(struct shadow_answer *answer)
{
	size_t kept = 0;

	for (size_t at = 0; at < answer->findings_count; at++)
		if (answer->findings[at].kind != RULE_REMOVABLE && answer->findings[at].kind != RULE_AS_DEFAULT)
			answer->findings[kept++] = answer->findings[at];
	answer->undecided_count += answer->findings_count - kept;
	answer->findings_count = kept;
}

static void add_findings(struct shadowing *shadowing, const struct overlap_index *index)
{
	size_t untold_count = 0;

	for (size_t number = 0; number < shadowing->rules_count; number++)
		if (is_past_telling(shadowing, number))
			untold_count++;
		else
			add_finding(shadowing, index, number);
	shadowing->answer->undecided_count += untold_count;
	if (untold_count > 0)
		leave_out_removable(shadowing->answer);
}

/* One order after the other, until one keeps within the budget. */
static bool race_orders(struct shadowing *shadowing)
{
	bool is_known = false;

	for (enum packet_order order = 0; order < PACKET_ORDERS && !is_known; order++) {
		talloc_free(shadowing->space);
		is_known = find_fates(shadowing, order);
		shadowing->answer->bytes = talloc_total_size(shadowing->space);
	}
	if (is_known && shadowing->question->has_blame)
		shadowing->possible = packet_set_possible(shadowing->space);
	return is_known;
}

static void ask_covers(struct shadowing *shadowing, const struct overlap_index *index)
{
	shadowing->answer->engine = SHADOW_COVERS;
	shadowing->answer->undecided_count =
		shadow_cover_fates(shadowing->pool, shadowing->question, index, shadowing->first_box,
				   shadowing->rules_count, shadowing->fates);
}

static void ask_diagrams(struct shadowing *shadowing)
{
	enum rule_fate *fates = shadowing->fates;

	shadowing->fates = pool_array(shadowing->pool, enum rule_fate, shadowing->rules_count);
	if (!race_orders(shadowing)) {
		shadowing->fates = fates;
		return;
	}
	shadowing->answer->engine = SHADOW_DIAGRAMS;
	shadowing->answer->undecided_count = 0;
}

static void ask_engines(struct shadowing *shadowing, const struct overlap_index *index)
{
	enum shadow_engine wanted = shadowing->question->engine;

	if (wanted != SHADOW_DIAGRAMS)
		ask_covers(shadowing, index);
	if (wanted == SHADOW_DIAGRAMS ||
	    (wanted == SHADOW_ANY && shadowing->answer->undecided_count > 0))
		ask_diagrams(shadowing);
	if (shadowing->answer->engine == SHADOW_ANY)
		ask_covers(shadowing, index);
}

static void read_list(struct shadowing *shadowing)
{
	const struct shadow_question *question = shadowing->question;
	size_t rules = question->count > 0 ? (size_t)question->rules[question->count - 1].number + 1 : 0;
	size_t box = 0;

	shadowing->rules_count = rules;
	shadowing->first_box = pool_array(shadowing->pool, size_t, rules + 1);
	for (size_t number = 0; number <= rules; number++) {
		while (box < question->count && question->rules[box].number < number)
			box++;
		shadowing->first_box[number] = box;
	}
	shadowing->is_asked[FIELD_HOOK] = true;
	for (box = 0; box < question->count; box++)
		for (size_t field = 0; field < PACKET_FIELDS; field++)
			if (question->rules[box].box.fields[field] != NULL)
				shadowing->is_asked[field] = true;
	shadowing->areas = pool_array(shadowing->pool, packet_set, rules * 4 + 4);
	shadowing->fates = pool_array(shadowing->pool, enum rule_fate, rules + 1);
	shadowing->decided = pool_array(shadowing->pool, packet_map, rules + 1);
}

struct shadow_answer *shadow_find(void *pool, const struct shadow_question *asked)
{
	size_t any_work = SIZE_MAX;
	struct shadow_question question = *asked;
	struct shadowing shadowing = {
		.pool = pool_child(pool, "shadow"),
		.question = &question,
		.answer = pool_new(pool, struct shadow_answer),
	};
	struct overlap_index *index;

	if (question.work == NULL)
		question.work = &any_work;
	read_list(&shadowing);
	if (shadowing.rules_count == 0) {
		shadowing.answer->engine = SHADOW_COVERS;
		return shadowing.answer;
	}
	index = overlap_index_new(shadowing.pool, question.universe, question.rules, question.count);
	ask_engines(&shadowing, index);
	add_findings(&shadowing, index);
	talloc_free(shadowing.pool);
	return shadowing.answer;
}
