/* Tuples by the connection tracking helper that they want.
 *
 * A service, and the service list of a rule, is a list of uses: one for each helper and one
 * without. The sets of one list are disjoint and normalised; where a tuple is asked for with
 * a helper and without, the helper wins; of two helpers the one that stands first. */
#ifndef FWC_SERVICES_USES_H
#define FWC_SERVICES_USES_H

#include <stdbool.h>

#include "net/tuple.h"

struct service_use {
	const char *helper; /* NULL: none */
	struct tuple_set tuples;
};

struct service_uses {
	struct service_use *uses;
	size_t uses_count, uses_capacity;
};

/* Adds tuples; the list is to be finished before anybody else sees it. */
void uses_add(void *pool, struct service_uses *uses, const char *helper,
	      const struct tuple_set *tuples);
/* Makes the sets disjoint and normal, drops empty ones; the one without helper is last. */
void uses_finish(void *pool, struct service_uses *uses);
/* Of finished uses: takes the tuples away. */
void uses_subtract(void *pool, struct service_uses *uses, const struct tuple_set *tuples);
/* Where every tuple has whole source ports (ICMP: codes) and no protocol is `any`: sorts, joins and
 * updates the count; the same as tuple_set_normalise. false: nothing done. */
bool tuples_join_simple(struct service_tuple *tuples, size_t *count);
/* All tuples of finished uses, normalised. */
struct tuple_set uses_union(void *pool, const struct service_uses *uses);

#endif
