/* Answers in a list: what of them stands among the policy's terms (see terms/inbound.h for the rest). */
#ifndef FWC_TARGET_CISCO_REPLIES_REPLIES_H
#define FWC_TARGET_CISCO_REPLIES_REPLIES_H

#include "target/cisco/replies/terms.h"

/* Puts the answers before the terms of the policy. false with an error in the bag. */
bool replies_prepend(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     struct ios_terms *terms);

#endif
