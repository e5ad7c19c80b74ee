/* The cuts are quantiles of a sample of the rules' addresses. Of the two fields the one is cut by which fewer
 * rules stand in several pieces. */
#include "target/nft/prove_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define PIECE_WEIGHT 16000u  /* intervals of sets, and what rules count */
#define RULE_WEIGHT 16u      /* a rule is as much work as so many intervals of a set */
#define SAMPLE_RULES 20000u
#define SAMPLE_INTERVALS 512u /* of one set */
#define INTERVALS_OWN 1024u  /* a rule with more of them stands in every piece */
/* Where each piece has more than such a share of the rules, the cuts do not help. */
#define SHARE_MOST 8u
#define ELEMENTS_MIN 64u
#define TRANSLATIONS_MOST 256u /* they are not sorted into pieces */

struct point {
	number128 low;
	uint64_t weight;
};

struct points {
	struct point *items;
	size_t items_count, items_capacity;
	uint64_t weight;
};

static const enum walk_field cut_fields[] = { WALK_SOURCE, WALK_DESTINATION };
#define CUT_FIELDS (sizeof cut_fields / sizeof cut_fields[0])

static const struct place_boxes *side_of(const struct rule *rule, enum walk_field field)
{
	return field == WALK_SOURCE ? &rule->match.from : &rule->match.to;
}

static const struct interval_set *set_of(const struct place_boxes *boxes, size_t box, unsigned family)
{
	return address_set_family(&boxes->boxes[box].addresses, (enum family)family);
}

static size_t rules_of(const struct ruleset *ruleset)
{
	size_t count = 0;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		count += ruleset->rules_count[hook];
	return count;
}

static size_t intervals_of(const struct place_boxes *boxes)
{
	size_t count = 0;
	for (size_t i = 0; i < boxes->boxes_count; i++)
		count += set_of(boxes, i, FAMILY_IPV4)->items_count + set_of(boxes, i, FAMILY_IPV6)->items_count;
	return count;
}

/* --- cuts ------------------------------------------------------------------------------------------- */

static void add_set(void *pool, struct points *points, const struct interval_set *set, uint64_t weight)
{
	size_t stride = set->items_count / SAMPLE_INTERVALS + 1;
	for (size_t i = 0; i < set->items_count; i += stride) {
		*pool_append(pool, points, items) = (struct point){ set->items[i].low, weight * stride };
		points->weight += weight * stride;
	}
}

static void add_rule(void *pool, struct points *points, const struct place_boxes *boxes, uint64_t stride)
{
	size_t count = intervals_of(boxes);
	uint64_t weight = stride * (count == 0 ? 0 : 1 + RULE_WEIGHT / count);
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		add_set(pool, points, set_of(boxes, i, FAMILY_IPV4), weight);
		add_set(pool, points, set_of(boxes, i, FAMILY_IPV6), weight);
	}
}

static size_t stride_of(const struct ruleset *ruleset)
{
	return rules_of(ruleset) / SAMPLE_RULES + 1;
}

static int compare_points(const void *left, const void *right)
{
	const struct point *a = left, *b = right;
	return (a->low > b->low) - (a->low < b->low);
}

static struct points points_of(void *pool, const struct ruleset *ruleset, enum walk_field field)
{
	struct points points = { 0 };
	size_t stride = stride_of(ruleset);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t i = 0; i < ruleset->rules_count[hook]; i += stride)
			add_rule(pool, &points, side_of(ruleset->rules[hook][i], field), stride);
	if (points.items_count > 1)
		qsort(points.items, points.items_count, sizeof *points.items, compare_points);
	return points;
}

static struct walk_cuts cuts_of(void *pool, const struct points *points, enum walk_field field, size_t piece_weight,
				size_t most)
{
	uint64_t pieces = points->weight / (piece_weight != 0 ? piece_weight : PIECE_WEIGHT) + 1, done = 0;
	if (pieces > most)
		pieces = most;
	struct walk_cuts cuts = { field, pool_array(pool, number128, pieces), 1,
				  piece_weight != 0 ? 1 : ELEMENTS_MIN };
	for (size_t i = 0; i < points->items_count && cuts.count < pieces; i++) {
		const struct point *point = &points->items[i];
		if (done >= points->weight / pieces * cuts.count && point->low > cuts.lows[cuts.count - 1])
			cuts.lows[cuts.count++] = point->low;
		done += point->weight;
	}
	return cuts;
}

/* --- rules of pieces -------------------------------------------------------------------------------- */

struct sorting {
	const struct walk_cuts *cuts;
	uint32_t *seen;  /* of a piece: the rule that was counted last, from 1 */
	uint32_t rule;   /* from 1 */
	uint32_t *count; /* of a piece: its rules so far */
	uint32_t *rules; /* where they go; NULL: they are counted */
};

static void meet(struct sorting *sorting, size_t first, size_t last)
{
	for (size_t at = first; at <= last; at++) {
		if (sorting->seen[at] == sorting->rule)
			continue;
		sorting->seen[at] = sorting->rule;
		if (sorting->rules != NULL)
			sorting->rules[sorting->count[at]] = sorting->rule - 1;
		sorting->count[at]++;
	}
}

/* What reaches a family's highest address has no end (walk_choose). */
static void meet_set(struct sorting *sorting, const struct interval_set *set, unsigned family)
{
	const number128 highest = family_highest((enum family)family);
	for (size_t i = 0; i < set->items_count; i++) {
		const struct interval *item = &set->items[i];
		size_t first, last = walk_cuts_find(sorting->cuts, item->low,
						    item->high >= highest ? DIAGRAM_HIGHEST : item->high, &first);
		meet(sorting, first, last);
	}
}

static void meet_rule(struct sorting *sorting, const struct rule *rule, size_t number)
{
	const struct place_boxes *boxes = side_of(rule, sorting->cuts->field);
	sorting->rule = (uint32_t)number + 1;
	if (intervals_of(boxes) > INTERVALS_OWN) {
		meet(sorting, 0, sorting->cuts->count - 1);
		return;
	}
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		meet_set(sorting, set_of(boxes, i, FAMILY_IPV4), FAMILY_IPV4);
		meet_set(sorting, set_of(boxes, i, FAMILY_IPV6), FAMILY_IPV6);
	}
}

static size_t sum_of(const uint32_t *counts, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += counts[i];
	return sum;
}

/* Rules in all pieces, as far as a sample tells. */
static size_t sampled_rules(void *pool, const struct ruleset *ruleset, const struct walk_cuts *cuts)
{
	size_t stride = stride_of(ruleset), sum;
	void *scratch = pool_child(pool, "sample");
	uint32_t *counts = pool_array(scratch, uint32_t, cuts->count);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		struct sorting sorting = { .cuts = cuts, .count = counts,
					   .seen = pool_array(scratch, uint32_t, cuts->count) };
		for (size_t i = 0; i < ruleset->rules_count[hook]; i += stride)
			meet_rule(&sorting, ruleset->rules[hook][i], i);
	}
	sum = sum_of(counts, cuts->count) * stride;
	talloc_free(scratch);
	return sum;
}

static void sort_hook(void *pool, struct prove_pieces *pieces, const struct ruleset *ruleset, unsigned hook)
{
	size_t count = pieces->cuts.count;
	void *scratch = pool_child(pool, "sorting");
	struct sorting sorting = { .cuts = &pieces->cuts, .count = pool_array(scratch, uint32_t, count),
				   .seen = pool_array(scratch, uint32_t, count) };
	uint32_t *first = pool_array(pool, uint32_t, count + 1);
	for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
		meet_rule(&sorting, ruleset->rules[hook][i], i);
	for (size_t i = 0; i < count; i++)
		first[i + 1] = first[i] + sorting.count[i];
	sorting.rules = pool_array(pool, uint32_t, (size_t)first[count] + 1);
	memcpy(sorting.count, first, count * sizeof *first);
	memset(sorting.seen, 0, count * sizeof *sorting.seen);
	for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
		meet_rule(&sorting, ruleset->rules[hook][i], i);
	pieces->rules[hook] = sorting.rules;
	pieces->first[hook] = first;
	pieces->rules_count += first[count];
	talloc_free(scratch);
}

struct prove_pieces *prove_pieces_new(void *pool, const struct ruleset *ruleset, size_t piece_weight, size_t most)
{
	struct walk_cuts cuts[CUT_FIELDS];
	size_t best = 0, least = SIZE_MAX;
	if (ruleset->has_stateless || ruleset->translations_count > TRANSLATIONS_MOST || most < 2)
		return NULL; /* answers turn round what is source and destination */
	for (size_t i = 0; i < CUT_FIELDS; i++) {
		void *scratch = pool_child(pool, "cuts");
		struct points points = points_of(scratch, ruleset, cut_fields[i]);
		cuts[i] = cuts_of(pool, &points, cut_fields[i], piece_weight, most);
		talloc_free(scratch);
		size_t share = sampled_rules(pool, ruleset, &cuts[i]) / cuts[i].count;
		if (cuts[i].count > 1 && share < least) {
			least = share;
			best = i;
		}
	}
	bool helps = least <= rules_of(ruleset) / SHARE_MOST + SHARE_MOST;
	if (least == SIZE_MAX || (!helps && piece_weight == 0))
		return NULL;
	struct prove_pieces *pieces = pool_new(pool, struct prove_pieces);
	pieces->cuts = cuts[best];
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		sort_hook(pool, pieces, ruleset, hook);
	return pieces;
}
