/* Policy to ruleset, hook by hook: which hooks a rule speaks of, which boxes it has there.
 *
 * Never empty, never wider: a rule that matches no packet in any hook is an error
 * (RULE_EMPTY, FAMILY_MISMATCH, BLOCK_EMPTY); partly outside its block a warning. */
#ifndef FWC_EXPAND_EXPAND_H
#define FWC_EXPAND_EXPAND_H

#include "rules/ruleset.h"

/* NULL never; do not use when the bag has errors afterwards. */
struct ruleset *expand_policy(void *pool, struct diags *diags, const struct policy *policy);

#endif
