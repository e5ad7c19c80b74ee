/* Whether what a policy asserts holds of a ruleset: every first packet that an assertion describes, in
 * every hook and at every time, is looked at. */
#ifndef FWC_ANALYSE_ASSERTIONS_H
#define FWC_ANALYSE_ASSERTIONS_H

#include "analyse/meaning.h"

/* Of what an assertion speaks: packets are those that rules see, after destination translation. */
enum assertion_reach {
	ASSERTION_OF_NOTHING,
	ASSERTION_OF_TRANSLATED, /* of packets that a `forward` translates before: of none that rules see */
	ASSERTION_OF_PACKETS,
};

/* Reports those that do not hold (ASSERTION_FAILED) with the packet and the deciding rule, and those that
 * cannot be decided (ASSERTION_BUDGET). base: the ruleset that `assert unchanged` compares with; NULL:
 * such assertions are told as undecided (ASSERTION_UNDECIDED). reach: one entry an assertion of the policy,
 * which is raised to what it is in this ruleset. */
void assertions_check(void *pool, struct diags *diags, const struct ruleset *ruleset,
		      const struct ruleset *base, enum assertion_reach *reach);

/* After all rulesets: assertions that speak of no packet of any (ASSERTION_EMPTY). */
void assertions_finish(struct diags *diags, const struct policy *policy, const enum assertion_reach *reach);

#endif
