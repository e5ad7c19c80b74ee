/* Reflexive lists: the outbound list of an interface remembers what leaves, the inbound one lets the
 * answers in (Cisco IOS: `reflect`, `evaluate`; "IP Session Filtering").
 *
 * The outbound list stands behind translation: sources are as seen from outside. It holds nothing back:
 * what leaves was let in somewhere. Only what the policy lets others start is remembered. */
#ifndef FWC_TARGET_CISCO_REPLIES_REFLEXIVE_H
#define FWC_TARGET_CISCO_REPLIES_REFLEXIVE_H

#include "target/cisco/replies/flows.h"

/* Appends `evaluate` to the list and makes *outbound, if any forwarded flow needs it; else *outbound
 * stays NULL. */
bool replies_reflect(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     const struct reply_flows *flows, struct ios_config *config, struct ios_list *list,
		     struct ios_list **outbound);

#endif
