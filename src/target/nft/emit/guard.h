/* Conditions of a rule as a whole: its hours, its last day, the translation that it admits. */
#ifndef FWC_TARGET_NFT_EMIT_GUARD_H
#define FWC_TARGET_NFT_EMIT_GUARD_H

#include "target/nft/emit/action.h"

/* Fills the tail's guards for packets of these families. */
void guards_of_rule(struct lower *lower, const struct rule *rule, unsigned families,
		    struct tail *tail);

/* One guard a protocol of the services: nft's text translates to no port without one in the rule. */
void guards_of_protocols(struct lower *lower, const struct tuple_set *services, struct tail *tail);

#endif
