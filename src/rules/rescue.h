/* What stays open when a boot fails closed. */
#ifndef FWC_RULES_RESCUE_H
#define FWC_RULES_RESCUE_H

#include "rules/ruleset.h"

/* The rules that are marked `rescue`, in their order, and the DHCP client of this host: 68/udp and 67/udp
 * (RFC 2131), 546/udp and 547/udp (RFC 8415). All else is denied in every hook, without a log; nothing is
 * translated. What always passes (ruleset.h) passes here, too. Shares parts with the ruleset. */
struct ruleset *ruleset_rescue(void *pool, const struct ruleset *ruleset);
/* For a host whose files cannot be used: only what always passes. */
struct ruleset *ruleset_bare(void *pool);

#endif
