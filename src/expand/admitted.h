/* What a `forward` admits, beside others that lead to the same host. */
#ifndef FWC_EXPAND_ADMITTED_H
#define FWC_EXPAND_ADMITTED_H

#include "resolve/policy.h"

/* Services as rules see them, and the addresses that they must not have been sent to. has_port_rival: another
 * forward to the host changes ports to these, and its packets would pass for this one's without a look at what they
 * asked for before. */
struct admitted_part {
	struct tuple_set services;
	struct address_set apart;
	bool has_port_rival;
};

struct admitted {
	struct admitted_part *parts;
	size_t parts_count, parts_capacity;
};

/* Of two that lead the same service to one host, the one with `at` admits what was sent to its address, the
 * other all else, whichever of them translated it. Disjoint parts of the services, in `pool`; one, with nothing
 * apart, where no other speaks of them. `services`: of the translation's rule, or some of them. */
struct admitted admitted_parts(void *pool, const struct policy *policy, const struct translation *translation,
			       const struct tuple_set *services);

#endif
