/* Needs: a profile. Gives: the list with rules that matched often moved before rules that matched less.
 * Keeps: every packet's verdict. A rule passes another only where no packet can match both, or where both
 * are plain and of one verdict; it goes so far at most. Rules that share no packet need not be told apart
 * otherwise: counters and log lines stay with their rule. */
#include <string.h>

#include "optimise/pass.h"

enum { STEPS_MOST = 256 };

static bool may_pass(const struct rule *earlier, const struct rule *rule)
{
	bool is_same = pass_is_plain(earlier) && pass_is_plain(rule) &&
		       earlier->is_stateless == rule->is_stateless &&
		       earlier->outcome->verdict == rule->outcome->verdict;

	return is_same || !pass_may_meet(earlier, rule);
}

void pass_frequent(void *pool, struct pass_list *list, const struct optimise_settings *settings)
{
	(void)pool;
	for (size_t i = 1; i < list->rules_count; i++) {
		struct rule *rule = list->rules[i];
		uint64_t packets = profile_packets(settings->profile, identity_text(rule->identity));
		size_t to = i, steps = 0;

		for (size_t at = i; packets != 0 && at > 0 && steps < STEPS_MOST; at--, steps++) {
			const struct rule *earlier = list->rules[at - 1];

			if (!may_pass(earlier, rule))
				break;
			if (profile_packets(settings->profile, identity_text(earlier->identity)) < packets)
				to = at - 1;
		}
		memmove(&list->rules[to + 1], &list->rules[to], (i - to) * sizeof *list->rules);
		list->rules[to] = rule;
	}
}
