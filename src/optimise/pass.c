#include "optimise/pass.h"

#define PAIRS_MOST 64 /* of tuples or boxes that are compared; beyond, they are taken to meet */

bool pass_is_plain(const struct rule *rule)
{
	const struct outcome *outcome = rule->outcome;
	return !outcome->has_log && !outcome->has_count && outcome->limit == NULL && outcome->helper == NULL;
}

bool pass_is_unconditional(const struct rule *rule)
{
	return rule->match.minutes == NULL && rule->match.until == 0 && !rule->match.is_translated;
}

static bool tuples_may_meet(const struct tuple_set *a, const struct tuple_set *b)
{
	return a->tuples_count * b->tuples_count > PAIRS_MOST || tuple_set_overlaps(a, b);
}

static bool boxes_may_meet(const struct place_box *a, const struct place_box *b, unsigned families)
{
	if (!interface_sets_overlap(&a->interfaces, &b->interfaces))
		return false;
	return ((families & FAMILIES_IPV4) != 0 && interval_set_overlaps(&a->addresses.v4, &b->addresses.v4)) ||
	       ((families & FAMILIES_IPV6) != 0 && interval_set_overlaps(&a->addresses.v6, &b->addresses.v6));
}

static bool places_may_meet(const struct place_boxes *a, const struct place_boxes *b, unsigned families)
{
	if (a->boxes_count * b->boxes_count > PAIRS_MOST)
		return true;
	for (size_t i = 0; i < a->boxes_count; i++)
		for (size_t k = 0; k < b->boxes_count; k++)
			if (boxes_may_meet(&a->boxes[i], &b->boxes[k], families))
				return true;
	return false;
}

bool pass_may_meet(const struct rule *a, const struct rule *b)
{
	unsigned families = a->match.families & b->match.families;
	return families != FAMILIES_NONE && tuples_may_meet(&a->match.services, &b->match.services) &&
	       places_may_meet(&a->match.from, &b->match.from, families) &&
	       places_may_meet(&a->match.to, &b->match.to, families);
}
