/* What a list that was read costs: entries, entries of the TCAM, range registers. */
#ifndef FWC_TARGET_CISCO_MINIMISE_COST_H
#define FWC_TARGET_CISCO_MINIMISE_COST_H

#include "diag/diag.h"
#include "target/cisco/read/acl.h"

struct list_cost {
	size_t entries, expanded, registers; /* registers: in halves */
};

struct cost_summing {
	void *pool;
	const struct acl_config *config;
	const struct acl_list *list;
	struct sources *sources;
	struct list_cost sum;
	uint64_t *operations; /* those that need a register */
	size_t operations_count, operations_capacity;
};

/* Groups count as their members. */
void list_cost_add(struct cost_summing *summing, const struct acl_entry *entry);
struct list_cost list_cost_sum(struct cost_summing *summing);

#endif
