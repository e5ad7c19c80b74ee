/* Needs: nothing. Gives: the list without rules that no packet reaches, for a single earlier rule takes all
 * of theirs. Keeps: every packet's rule. Rules that are counted stay, so that `fwc hits` shows them.
 *
 * Earlier rules are looked for among those with the same places. */
#include "base/interned.h"
#include "base/pool.h"
#include "optimise/pass.h"

enum { LOOKED_AT = 16 }; /* earlier rules with the same places */

/* Earlier rules whose places have one summary. */
struct bucket {
	struct rule **rules;
	size_t rules_count, rules_capacity;
};

/* What places are looked up by; equal places have equal ones. */
struct summary {
	uint64_t counts[2];
	number128 lows[4];
};

static number128 first_low(const struct interval_set *set)
{
	return set->items_count == 0 ? 0 : set->items[0].low;
}

static struct summary summary_of(const struct match *match)
{
	const struct place_boxes *sides[] = { &match->from, &match->to };
	struct summary summary;

	for (size_t i = 0; i < 2; i++) {
		const struct place_boxes *boxes = sides[i];

		summary.counts[i] = boxes->boxes_count;
		summary.lows[2 * i] = boxes->boxes_count == 0 ? 0 : first_low(&boxes->boxes[0].addresses.v4);
		summary.lows[2 * i + 1] = boxes->boxes_count == 0 ? 0
			: first_low(&boxes->boxes[0].addresses.v6);
	}
	return summary;
}

static bool tuples_include(const struct tuple_set *outer, const struct tuple_set *inner)
{
	for (size_t i = 0; i < inner->tuples_count; i++) {
		bool is_included = false;

		for (size_t k = 0; k < outer->tuples_count && !is_included; k++)
			is_included = tuple_includes(&outer->tuples[k], &inner->tuples[i]);
		if (!is_included)
			return false;
	}
	return true;
}

static bool covers(const struct rule *earlier, const struct rule *rule)
{
	const struct match *outer = &earlier->match, *inner = &rule->match;

	return pass_is_unconditional(earlier) && earlier->is_stateless == rule->is_stateless &&
	       (inner->families & ~outer->families) == 0 && tuples_include(&outer->services, &inner->services) &&
	       place_boxes_equals(&outer->from, &inner->from) && place_boxes_equals(&outer->to, &inner->to);
}

static struct bucket *bucket_of(void *pool, struct interned *places, const struct match *match)
{
	const struct summary summary = summary_of(match);
	void **slot = interned_slot(places, &summary, sizeof summary);

	if (*slot == NULL)
		*slot = pool_new(pool, struct bucket);
	return *slot;
}

static bool is_covered(const struct bucket *bucket, const struct rule *rule)
{
	size_t first = bucket->rules_count > LOOKED_AT ? bucket->rules_count - LOOKED_AT : 0;

	for (size_t i = first; i < bucket->rules_count; i++)
		if (covers(bucket->rules[i], rule))
			return true;
	return false;
}

void pass_covered(void *pool, struct pass_list *list, const struct optimise_settings *settings)
{
	void *scratch = pool_child(pool, "covered");
	struct interned *places = interned_new(scratch, arena_new(scratch));
	size_t kept = 0;

	(void)settings;
	for (size_t i = 0; i < list->rules_count; i++) {
		struct rule *rule = list->rules[i];
		struct bucket *bucket = bucket_of(scratch, places, &rule->match);

		if (!rule->outcome->has_count && is_covered(bucket, rule))
			continue;
		*pool_append(scratch, bucket, rules) = rule;
		list->rules[kept++] = rule;
	}
	list->rules_count = kept;
	talloc_free(scratch);
}
