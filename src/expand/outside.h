/* Rules and blocks that reach out of the block round them. */
#ifndef FWC_EXPAND_OUTSIDE_H
#define FWC_EXPAND_OUTSIDE_H

#include "expand/side.h"

struct outside;

struct outside *outside_new(struct side_context *context, struct diags *diags);
/* Warns (BLOCK_OUTSIDE) of each place that lies outside its block, wholly or partly; once for
 * each list, though a block's stands round many rules. */
void outside_check(struct outside *outside, const struct policy_rule *rule);
/* Error (BLOCK_EMPTY) where a list and the blocks round it have nothing in common; true: that is
 * so, and was reported for this rule or another one. */
bool outside_check_disjoint(struct outside *outside, const struct policy_rule *rule);

#endif
