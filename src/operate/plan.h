/* What loading a table would change in the kernel, by the policy's places. */
#ifndef FWC_OPERATE_PLAN_H
#define FWC_OPERATE_PLAN_H

#include "base/names.h"
#include "target/nft/read/read.h"

/* What stands or goes for one place. */
struct plan_place {
	const char *words;  /* "policy.fw:12", the comment in the kernel; NULL: what every ruleset has */
	size_t rules, elements, others; /* others: chains, sets and objects */
};

struct plan_side {
	struct plan_place *places; /* in the order of the table */
	size_t places_count, places_capacity;
	struct names *by_words;
};

struct plan {
	struct plan_side added, removed;
	struct plan_place kept;
	bool has_changes;
};

/* Either table may be NULL: it is not there. Two things are the same where all but their places are; rules of
 * a chain in another order are, too. The chain that says what was applied is left out, by how its name begins. */
struct plan *plan_make(void *pool, const struct read_table *before, const struct read_table *after,
		       const char *mark);

#endif
