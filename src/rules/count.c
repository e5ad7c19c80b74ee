/* Counting: see count.h. */
#include "rules/count.h"

#include "base/interned.h"
#include "base/pool.h"

struct counting {
	void *pool;
	struct interned *copies; /* outcome to its copy */
};

static const struct outcome *counted(struct counting *counting, const struct outcome *outcome, bool counts)
{
	void **slot;
	struct outcome *copy;

	if (outcome->has_count == counts)
		return outcome; /* as is that of a rule met before, in another hook */
	slot = interned_slot(counting->copies, &outcome, sizeof outcome);
	copy = *slot;
	if (copy == NULL) {
		copy = pool_new(counting->pool, struct outcome);
		*copy = *outcome;
		copy->has_count = counts;
		*slot = copy;
	}
	return copy;
}

enum counting_what { COUNT_SAID, COUNT_ALL };

static void count(void *pool, struct ruleset *ruleset, enum counting_what what)
{
	struct counting counting = { .pool = pool, .copies = interned_new(pool, arena_new(pool)) };

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		bool counts = what == COUNT_ALL || ruleset->policy->defaults[hook].options.has_count;

		for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
			struct rule *rule = ruleset->rules[hook][index];

			rule->outcome = counted(&counting, rule->outcome,
						what == COUNT_ALL || rule->identity->rule->options->has_count);
		}
		ruleset->defaults[hook] = counted(&counting, ruleset->defaults[hook], counts);
	}
}

void ruleset_count_all(void *pool, struct ruleset *ruleset)
{
	count(pool, ruleset, COUNT_ALL);
}

void ruleset_count_said(void *pool, struct ruleset *ruleset)
{
	count(pool, ruleset, COUNT_SAID);
}
