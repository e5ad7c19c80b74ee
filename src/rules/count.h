/* A counter on everything, or on what says so. */
#ifndef FWC_RULES_COUNT_H
#define FWC_RULES_COUNT_H

#include "rules/ruleset.h"

/* From here on every rule and default of the ruleset counts, as if the policy said `count` of each.
 * Outcomes are copied once; rules that shared one share its copy. */
void ruleset_count_all(void *pool, struct ruleset *ruleset);
/* The same back again: only those count of which the policy says so. */
void ruleset_count_said(void *pool, struct ruleset *ruleset);

#endif
