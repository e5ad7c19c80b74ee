/* What is wrong with a rule that matches nothing, or less than it says. */
#ifndef FWC_EXPAND_COMPLAIN_H
#define FWC_EXPAND_COMPLAIN_H

#include "expand/side.h"
#include "rules/ruleset.h"

/* The rule has no packet in any hook: says why, with the places. */
void complain_empty(struct side_context *context, struct diags *diags,
		    const struct policy_rule *rule);
/* A word of the service list that can match in none of the families. */
void complain_words(struct diags *diags, const struct policy_rule *rule, unsigned families);
/* The places that a rule or a translation names, in its own lists and in those of its blocks. */
struct named_places {
	struct span span; /* of the statement */
	const struct place_scope *from, *to;
};

/* A place of the statement's own lists that can match in none of the families: a warning. */
void complain_places(struct side_context *context, struct diags *diags, struct named_places places,
		     unsigned families);
/* A rule whose places have no family in common, so that it matches only the link-local sources that
 * a zone has on input: a mistake where the destination is no link's. true: reported. */
bool complain_link_local(struct side_context *context, struct diags *diags,
			 const struct policy_rule *rule, struct rule *const *parts, size_t count);

#endif
