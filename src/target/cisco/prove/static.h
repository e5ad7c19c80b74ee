/* Which ports a router forwards, by its lines of `ip nat inside source static`, against the policy's `forward`:
 * each line is for one, each port of each has its line. One of a policy without `forward` is not looked at, for
 * its router may have its own; nor, beside lines that are not understood, what is missing. A line of whole
 * addresses has the port of each; of its other ports the lists judge. */
#ifndef FWC_TARGET_CISCO_PROVE_STATIC_H
#define FWC_TARGET_CISCO_PROVE_STATIC_H

#include "rules/ruleset.h"
#include "target/cisco/read/read.h"

struct static_difference {
	const char *where; /* "port 443/tcp of 80.1.0.2"; NULL: there is none */
	const char *wanted, *found;
	struct span origin, entry;
};

/* The ruleset is of a policy with a device. */
struct static_difference static_compare(void *pool, const struct ruleset *ruleset, const struct acl_config *config);

#endif
