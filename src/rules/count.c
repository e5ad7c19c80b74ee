/* Counting: see count.h. */
#include "rules/count.h"

#include "base/interned.h"
#include "base/pool.h"

struct counting {
	void *pool;
	struct interned *copies; /* outcome to its copy */
};

static const struct outcome *counted(struct counting *counting, const struct outcome *outcome)
{
	void **slot;
	struct outcome *copy;

	if (outcome->has_count)
		return outcome; /* as is that of a rule met before, in another hook */
	slot = interned_slot(counting->copies, &outcome, sizeof outcome);
	copy = *slot;
	if (copy == NULL) {
		copy = pool_new(counting->pool, struct outcome);
		*copy = *outcome;
		copy->has_count = true;
		*slot = copy;
	}
	return copy;
}

void ruleset_count_all(void *pool, struct ruleset *ruleset)
{
	struct counting counting = { .pool = pool, .copies = interned_new(pool, arena_new(pool)) };

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			ruleset->rules[hook][index]->outcome =
				counted(&counting, ruleset->rules[hook][index]->outcome);
		ruleset->defaults[hook] = counted(&counting, ruleset->defaults[hook]);
	}
}
