/* What two lists, or a list and a policy, think differently of: whole packets and first fragments that one
 * permits and the other denies, as regions, one for each pair of entries that decide them. */
#ifndef FWC_TARGET_CISCO_PROVE_COMPARE_H
#define FWC_TARGET_CISCO_PROVE_COMPARE_H

#include "target/cisco/prove/given.h"
#include "target/cisco/prove/wanted.h"

/* A list of a configuration, or a policy at a place. */
struct acl_side {
	const struct acl_config *config; /* NULL: the policy */
	const struct acl_list *list;     /* NULL: none is there, and everything passes */
	const struct wanted_place *policy;
};

/* What decides on one side. */
struct acl_decision {
	bool is_permitted;
	struct span span; /* entry or statement; SPAN_NONE: the list's end, or a default that nobody wrote */
};

struct acl_change {
	bool is_permitted; /* newly; else newly denied */
	struct acl_decision before, after;
	packet_set packets; /* possible ones; not empty */
	packet_set region;  /* the same, whatever is possible: fewer boxes */
};

struct acl_comparison {
	struct packet_universe *universe;
	struct packet_space *space;
	struct acl_change *changes;
	size_t changes_count, changes_capacity;
	bool is_over; /* past the budget: the changes are not known */
};

/* NULL after an error in the bag: an entry whose meaning is not known. */
struct acl_comparison *acl_compare(void *pool, struct diags *diags, enum family family,
				   const struct acl_side *before, const struct acl_side *after);
/* Whether both lists are the same line by line, and nothing in them stands for something else. */
bool acl_lists_are_same(const struct sources *sources, const struct acl_list *a, const struct acl_list *b);

#endif
