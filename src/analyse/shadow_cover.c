/* A rule could go if no packet that it decides would then meet another outcome first: for each later rule
 * of another outcome, what both match must be taken by earlier rules, or by later ones before that. */
#include "analyse/shadow_cover.h"

#include "base/pool.h"

#define COVER_STEPS 20000

struct judging {
	void *pool; /* of one rule */
	const struct shadow_question *question;
	const struct overlap_index *index;
	const size_t *first_box;
	size_t number;
	struct overlap_list others; /* earlier, then later ones that are kept */
	size_t earlier_count;
	const struct packet_box **boxes; /* of the others */
};

static void take_work(const struct judging *judging, size_t comparisons)
{
	size_t *work = judging->question->work;

	*work -= *work < comparisons ? *work : comparisons;
}

static void find_overlaps(const struct judging *judging, size_t begin, size_t end,
			  struct overlap_list *list)
{
	const struct packet_rule *rules = judging->question->rules;
	size_t own = judging->first_box[judging->number];
	size_t own_end = judging->first_box[judging->number + 1];

	overlap_find_any(judging->pool, judging->index, &rules[own], own_end - own, begin, end, list);
	take_work(judging, list->items_count);
}

/* Behind which place nothing is left of the rule, for earlier boxes each include one of its own; SIZE_MAX: not
 * all of its boxes are included like that. */
static size_t included_end(const struct judging *judging)
{
	size_t end = 0;

	for (size_t own = judging->first_box[judging->number]; own < judging->first_box[judging->number + 1];
	     own++) {
		size_t includer = overlap_includer(judging->index, &judging->question->rules[own].box,
						   judging->first_box[judging->number]);

		if (includer == SIZE_MAX)
			return SIZE_MAX;
		if (includer >= end)
			end = includer + 1;
	}
	return end;
}

void shadow_cover_earlier(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t number,
			  struct overlap_list *list)
{
	const struct judging judging = { .pool = pool, .question = question, .index = index,
					 .first_box = first_box, .number = number };
	size_t end = included_end(&judging);

	find_overlaps(&judging, 0, end != SIZE_MAX ? end : first_box[number], list);
}

/* Is the box taken by the first so many of the others? */
static enum cover_answer is_taken(const struct judging *judging, const struct packet_box *box,
				  size_t count)
{
	return cover_find_within(judging->pool, judging->question->universe, box, judging->boxes, count,
				 COVER_STEPS, judging->question->work, NULL);
}

/* Is the rule, or what of it lies in a box (NULL: all), taken by the first so many? */
static enum cover_answer is_rule_taken(const struct judging *judging, const struct packet_box *within,
				       size_t count)
{
	enum cover_answer answer = COVER_YES;

	for (size_t own = judging->first_box[judging->number];
	     own < judging->first_box[judging->number + 1] && answer == COVER_YES; own++) {
		const struct packet_box *box = &judging->question->rules[own].box;
		struct packet_box both;

		if (within == NULL)
			answer = is_taken(judging, box, count);
		else if (packet_boxes_overlap(box, within)) {
			both = packet_box_intersect(judging->pool, box, within);
			answer = is_taken(judging, &both, count);
		}
	}
	return answer;
}

/* No later rule with this outcome (or, is_equal false, with another) gets a packet of the rule. */
static enum cover_answer none_gets(const struct judging *judging, uint32_t outcome, bool is_equal)
{
	const struct shadow_question *question = judging->question;
	enum cover_answer answer = COVER_YES;

	for (size_t at = judging->earlier_count; at < judging->others.items_count; at++) {
		const struct packet_rule *rule = &question->rules[judging->others.items[at]];

		if ((question->outcomes[rule->number] == outcome) == is_equal)
			answer = is_rule_taken(judging, &rule->box, at);
		if (answer != COVER_YES)
			return answer;
	}
	return answer;
}

static enum cover_answer can_go(const struct judging *judging)
{
	uint32_t outcome = judging->question->outcomes[judging->number];
	enum cover_answer answer = COVER_YES;

	if (judging->question->otherwise != outcome)
		answer = is_rule_taken(judging, NULL, judging->others.items_count);
	return answer == COVER_YES ? none_gets(judging, outcome, false) : answer;
}

static void find_later(struct judging *judging, const enum rule_fate *fates)
{
	struct overlap_list later = { 0 };

	find_overlaps(judging, judging->first_box[judging->number + 1], judging->question->count, &later);
	for (size_t at = 0; at < later.items_count; at++)
		if (fates[judging->question->rules[later.items[at]].number] == RULE_KEPT)
			*pool_append(judging->pool, &judging->others, items) = later.items[at];
}

static void list_boxes(struct judging *judging)
{
	judging->boxes = pool_array(judging->pool, const struct packet_box *,
				    judging->others.items_count + 1);
	for (size_t at = 0; at < judging->others.items_count; at++)
		judging->boxes[at] = &judging->question->rules[judging->others.items[at]].box;
}

static bool stays(const struct judging *judging)
{
	const bool *numbers = judging->question->stays;

	return numbers != NULL && numbers[judging->number];
}

static enum cover_answer judge(struct judging *judging, enum rule_fate *fates)
{
	uint32_t outcome = judging->question->outcomes[judging->number];
	enum cover_answer answer;

	if (included_end(judging) != SIZE_MAX) {
		fates[judging->number] = RULE_DEAD;
		return COVER_YES;
	}
	if (*judging->question->work == 0)
		return COVER_UNKNOWN;
	find_overlaps(judging, 0, judging->first_box[judging->number], &judging->others);
	judging->earlier_count = judging->others.items_count;
	list_boxes(judging);
	answer = is_rule_taken(judging, NULL, judging->earlier_count);
	if (answer == COVER_YES)
		fates[judging->number] = RULE_DEAD;
	if (answer != COVER_NO || judging->question->is_dead_only || stays(judging))
		return answer;
	find_later(judging, fates);
	list_boxes(judging);
	answer = can_go(judging);
	if (answer == COVER_YES)
		fates[judging->number] = none_gets(judging, outcome, true) == COVER_YES ?
						 RULE_GOES_AS_DEFAULT : RULE_GOES;
	return answer;
}

size_t shadow_cover_fates(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t rules_count,
			  enum rule_fate *fates)
{
	size_t undecided_count = 0;

	for (size_t number = 0; number < rules_count; number++)
		fates[number] = RULE_KEPT;
	for (size_t number = rules_count; number-- > 0;) {
		struct judging judging = { .pool = pool_child(pool, "rule"), .question = question,
					   .index = index, .first_box = first_box, .number = number };

		undecided_count += judge(&judging, fates) == COVER_UNKNOWN;
		talloc_free(judging.pool);
	}
	return undecided_count;
}

void shadow_cover_decided(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t number,
			  struct packet_point *point)
{
	struct judging judging = { .pool = pool_child(pool, "rule"), .question = question,
				   .index = index, .first_box = first_box, .number = number };
	enum cover_answer answer = COVER_YES;

	find_overlaps(&judging, 0, first_box[number], &judging.others);
	list_boxes(&judging);
	for (size_t own = first_box[number]; own < first_box[number + 1] && answer != COVER_NO; own++)
		answer = cover_find_within(judging.pool, question->universe, &question->rules[own].box,
					   judging.boxes, judging.others.items_count, COVER_STEPS,
					   question->work, point);
	if (answer != COVER_NO)
		(void)cover_find(judging.pool, question->universe,
				 &question->rules[first_box[number]].box, NULL, 0, COVER_STEPS, point);
	talloc_free(judging.pool);
}
