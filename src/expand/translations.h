/* The policy's translations to boxes. */
#ifndef FWC_EXPAND_TRANSLATIONS_H
#define FWC_EXPAND_TRANSLATIONS_H

#include "expand/side.h"
#include "rules/identity.h"

/* Fills ruleset->translations; NAT_EMPTY and NAT_FAMILY go into the bag. */
void expand_translations(struct side_context *context, struct diags *diags,
			 struct identity_maker *maker, struct ruleset *ruleset);

#endif
