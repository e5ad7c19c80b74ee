/* Whether what a policy asserts holds of a ruleset: every first packet that an assertion describes, in
 * every hook and at every time, is looked at. */
#ifndef FWC_ANALYSE_ASSERTIONS_H
#define FWC_ANALYSE_ASSERTIONS_H

#include "analyse/meaning.h"

/* Reports those that do not hold (ASSERTION_FAILED) with the packet and the deciding rule, and those that
 * cannot be decided (ASSERTION_BUDGET). base: the ruleset that `assert unchanged` compares with; NULL:
 * such assertions are told as undecided (ASSERTION_UNDECIDED). are_met[i]: set to true where assertion i
 * speaks of some packet of this ruleset; one entry an assertion of the policy. */
void assertions_check(void *pool, struct diags *diags, const struct ruleset *ruleset,
		      const struct ruleset *base, bool *are_met);

/* After all rulesets: assertions that speak of no packet of any (ASSERTION_EMPTY). */
void assertions_finish(struct diags *diags, const struct policy *policy, const bool *are_met);

#endif
