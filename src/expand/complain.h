/* What is wrong with a rule that matches nothing, or less than it says. */
#ifndef FWC_EXPAND_COMPLAIN_H
#define FWC_EXPAND_COMPLAIN_H

#include "expand/side.h"

/* The rule has no packet in any hook: says why, with the places. */
void complain_empty(struct side_context *context, struct diags *diags,
		    const struct policy_rule *rule);
/* Sources, destinations and services have no family in common, but for the addresses that every zone
 * has on input (0.0.0.0, fe80::/10). true: said so. */
bool complain_families(struct side_context *context, struct diags *diags,
		       const struct policy_rule *rule);
/* A word of the service list that can match in none of the rule's families. */
void complain_words(struct diags *diags, const struct policy_rule *rule, unsigned families);
/* A place that lies partly outside the block round the rule. */
void complain_outside(struct side_context *context, struct diags *diags,
		      const struct policy_rule *rule);

#endif
