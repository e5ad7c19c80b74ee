/* Needs: nothing. Gives: neighbours of one verdict and the same places as one rule with all their services.
 * Keeps: the meaning; a plain verdict cannot be told from its neighbour's. The joined rule has the first one's
 * place in the policy. A rule does not grow beyond what is still quick to look through. */
#include "base/pool.h"
#include "optimise/pass.h"

enum { TUPLES_MOST = 32 };

static bool can_join(const struct rule *a, const struct rule *b)
{
	return pass_is_plain(b) && pass_is_unconditional(b) && a->outcome->verdict == b->outcome->verdict &&
	       a->is_stateless == b->is_stateless && a->match.families == b->match.families &&
	       place_boxes_equals(&a->match.from, &b->match.from) && place_boxes_equals(&a->match.to, &b->match.to);
}

/* How many rules from this one on become one. */
static size_t run_length(const struct pass_list *list, size_t first)
{
	const struct rule *rule = list->rules[first];
	size_t tuples = rule->match.services.tuples_count, length = 1;

	if (!pass_is_plain(rule) || !pass_is_unconditional(rule))
		return 1;
	for (; first + length < list->rules_count; length++) {
		const struct rule *next = list->rules[first + length];

		tuples += next->match.services.tuples_count;
		if (tuples > TUPLES_MOST || !can_join(rule, next))
			break;
	}
	return length;
}

static struct rule *join(void *pool, const struct pass_list *list, size_t first, size_t length)
{
	struct rule *joined = pool_new(pool, struct rule);
	struct tuple_set services = { 0 };

	for (size_t i = first; i < first + length; i++)
		for (size_t k = 0; k < list->rules[i]->match.services.tuples_count; k++)
			tuple_set_add(pool, &services, list->rules[i]->match.services.tuples[k]);
	*joined = *list->rules[first];
	joined->match.services = tuple_set_normalise(pool, &services);
	return joined;
}

void pass_joined(void *pool, struct pass_list *list, const struct optimise_settings *settings)
{
	size_t kept = 0;

	(void)settings;
	for (size_t i = 0, length; i < list->rules_count; i += length) {
		length = run_length(list, i);
		list->rules[kept++] = length == 1 ? list->rules[i] : join(pool, list, i, length);
	}
	list->rules_count = kept;
}
