#include "optimise/optimise.h"

#include <string.h>

#include "base/pool.h"
#include "optimise/pass.h"

struct pass_row {
	void (*run)(void *pool, struct pass_list *list, const struct optimise_settings *settings);
};

#define PASSES_MAX 16

static size_t passes_of(const struct optimise_settings *settings, struct pass_row rows[PASSES_MAX])
{
	size_t count = 0;
#define PASS(name, is_wanted_here, what)                                                          \
	if (is_wanted_here)                                                                       \
		rows[count++] = (struct pass_row){ pass_##name };
#include "optimise/passes.def"
#undef PASS
	return count;
}

static size_t rejects_count(struct rule *const *rules, size_t count)
{
	size_t rejects = 0;

	for (size_t i = 0; i < count; i++)
		rejects += rules[i]->outcome->verdict == VERDICT_REJECT;
	return rejects;
}

static void optimise_hook(void *pool, const struct optimise_settings *settings,
			  const struct ruleset *ruleset, size_t hook, struct ruleset *result)
{
	struct pass_row rows[PASSES_MAX];
	size_t count = passes_of(settings, rows);
	struct pass_list list = { NULL, ruleset->rules_count[hook] };

	list.rules = pool_array(pool, struct rule *, list.rules_count + 1);
	if (list.rules_count != 0)
		memcpy(list.rules, ruleset->rules[hook], list.rules_count * sizeof(struct rule *));
	for (size_t i = 0; i < count; i++)
		rows[i].run(pool, &list, settings);
	result->has_lost_reject |= rejects_count(list.rules, list.rules_count) <
				   rejects_count(ruleset->rules[hook], ruleset->rules_count[hook]);
	result->rules[hook] = list.rules;
	result->rules_count[hook] = result->rules_capacity[hook] = list.rules_count;
}

/* A hook ahead of this one whose list holds the very same rules; HOOK_COUNT: none. */
static size_t find_same(const struct ruleset *ruleset, size_t hook)
{
	size_t count = ruleset->rules_count[hook];

	for (size_t earlier = 0; count != 0 && earlier < hook; earlier++)
		if (ruleset->rules_count[earlier] == count &&
		    memcmp(ruleset->rules[earlier], ruleset->rules[hook], count * sizeof(struct rule *)) == 0)
			return earlier;
	return HOOK_COUNT;
}

const struct ruleset *optimise_ruleset(void *pool, const struct ruleset *ruleset,
				       const struct optimise_settings *settings)
{
	struct pass_row rows[PASSES_MAX];
	struct ruleset *result;

	if (passes_of(settings, rows) == 0)
		return ruleset;
	result = pool_new(pool, struct ruleset);
	*result = *ruleset;
	result->written = ruleset;
	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		size_t same = find_same(ruleset, hook);

		if (same == HOOK_COUNT) {
			optimise_hook(pool, settings, ruleset, hook, result);
			continue;
		}
		result->rules[hook] = result->rules[same];
		result->rules_count[hook] = result->rules_capacity[hook] = result->rules_count[same];
	}
	return result;
}
