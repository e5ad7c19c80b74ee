/* Rows as the text of a policy. */
#ifndef FWC_IMPORT_POLICY_H
#define FWC_IMPORT_POLICY_H

#include "import/nat.h"

struct import_policy {
	bool has_family[2]; /* by enum family */
	const char *files[2];
	const char *origin; /* of both, or NULL */
	struct import_rows rows[2][IMPORT_HOOKS];
	struct import_translations translations;
	struct names *interfaces; /* that rows name */
	struct import_networks networks; /* of which those that rows name are defined */
	bool lacks_foreign_icmp; /* types of ICMPv6 in IPv4 packets, or the other way round, were let through */
	bool drops_invalid; /* what was let through without a known connection is dropped here */
};

/* A limit of both families that does not come to one rule of both: what row.limit is of it; NULL: none. */
const void *import_policy_split_limit(void *pool, const struct import_policy *policy);
void import_policy_write(struct text *out, const struct import_policy *policy);

#endif
