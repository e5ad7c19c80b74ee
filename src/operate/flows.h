/* Connections that the kernel tracks.
 *
 * Source: linux/netfilter/nfnetlink_conntrack.h; net/netfilter/nf_conntrack_netlink.c. */
#ifndef FWC_OPERATE_FLOWS_H
#define FWC_OPERATE_FLOWS_H

#include <time.h>

#include "rules/ruleset.h"

struct flows {
	size_t seen, ended;
	size_t left; /* that could not be ended */
};

/* Ends the connections whose first packet the ruleset would not let in if they began now. The interfaces are those
 * of the routes to both ends; a connection over loopback that nothing translated, one that a helper expected, and
 * one of which the interfaces are not known, goes on. 0 or an errno, the last one; what could be ended is. */
int flows_end_denied(void *pool, const struct ruleset *ruleset, time_t now, struct flows *flows);

/* The same of those whose source or destination is translated, of which alone the kernel is asked. families:
 * FAMILIES_*. */
int flows_end_translated(unsigned families, struct flows *flows);
/* How many connections the kernel tracks here; SIZE_MAX: it does not say. */
size_t flows_count(void);

#endif
