/* What answers let in beyond the policy: packets that nobody asked for and that look like answers.
 *
 * Exactly: the answers less what the policy admits as first packets at this place, computed with packet
 * sets. One note a rule that asks for them; below it, one box a line:
 *
 *   LIST: PROTOCOL [type SET] [code SET] [with ACK or RST] from SET [port SET] to SET [port SET]
 *
 * PROTOCOL is a name or `protocol N[-M]`; a SET is `any` or prefixes, addresses, numbers and ranges
 * with commas between; what is not said is every one. Where the policy admits some of these packets at
 * certain times, it is said as for the other times. */
#ifndef FWC_TARGET_CISCO_REPLIES_EXCESS_H
#define FWC_TARGET_CISCO_REPLIES_EXCESS_H

#include "target/cisco/replies/flows.h"

/* Puts what it told into the list's `answers`. false with an error in the bag. */
bool replies_tell_excess(void *pool, struct diags *diags, const struct ios_vantage *vantage,
			 const struct reply_flows *flows, struct ios_list *list);

#endif
