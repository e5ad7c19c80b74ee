/* What one list says, as ordered products: the policy's rules as they stand at a vantage, in one
 * family, and the defaults at the end. The first term that holds a packet decides; together the terms
 * hold every packet. */
#ifndef FWC_TARGET_CISCO_TERMS_TERM_H
#define FWC_TARGET_CISCO_TERMS_TERM_H

#include "target/cisco/terms/inbound.h"

struct ios_term {
	const struct rule *rule;            /* NULL: a default */
	const struct outcome *outcome;
	const struct identity *identity;
	struct span origin;
	const struct interval_set *from, *to; /* addresses of the family; shared: compare pointers first */
	const struct tuple_set *services;
	bool is_established;                /* answers of TCP alone */
	bool is_pinned;                     /* log or count */
};

struct ios_terms {
	struct ios_term *terms;
	size_t terms_count, terms_capacity;
	size_t rules_count; /* rules of the policy among them */
};

/* Every address of a family. */
const struct interval_set *ios_whole(enum family family);

/* False after an error in the bag: a rule that a list at this vantage cannot say. */
bool terms_collect(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		   struct ios_terms *terms);

#endif
