/* What `forward` lets in at an outside interface, where lists see packets before translation. */
#ifndef FWC_TARGET_CISCO_TERMS_NAT_H
#define FWC_TARGET_CISCO_TERMS_NAT_H

#include "target/cisco/terms/term.h"

/* For each `forward` that holds here: what the rules say of the packets that it will translate, by
 * their public address and original services, closed with the default of forward. To stand before
 * all other terms. */
void terms_translated(void *pool, const struct ios_vantage *vantage, struct ios_terms *terms);

#endif
