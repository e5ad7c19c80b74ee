/* Parts of an entry as sets of numbers: wildcards, ports, flags, object groups. */
#ifndef FWC_TARGET_CISCO_READ_EXPAND_H
#define FWC_TARGET_CISCO_READ_EXPAND_H

#include "base/arena.h"
#include "base/interned.h"
#include "base/names.h"
#include "diag/diag.h"
#include "target/cisco/read/acl.h"

/* What was asked for last, for the entries of one rule follow each other. */
struct acl_expanded_place {
	number128 value, wildcard;
	const struct interval_set *set; /* NULL: none yet */
};

/* Sets that several entries share, and groups that were taken apart. */
struct acl_expansion {
	void *pool;
	struct arena *arena;
	struct diags *diags;
	const struct acl_config *config;
	struct interned *ones;   /* sets of one interval, by that: numbers of ports and protocols come again */
	struct acl_expanded_place places[2]; /* sources and destinations take turns */
	struct names *groups;    /* by name; NULL until the first one is asked for */
	struct names *expanded;  /* of struct acl_expanded, by name */
	struct acl_flags flags;  /* that were looked at last, and what became of them */
	const struct interval_set *flags_set;
};

/* One service that a group or an entry names. NULL: every value. */
struct acl_service {
	const struct interval_set *protocol, *first, *second;
};

struct acl_services {
	struct acl_service *items;
	size_t items_count, items_capacity;
};

struct acl_expansion acl_expansion_new(void *pool, struct diags *diags, const struct acl_config *config);

/* Each false after an error in the bag, at the span. *set NULL: every value. */
bool acl_expand_place(struct acl_expansion *expansion, enum family family, const struct acl_place *place,
		      struct span span, const struct interval_set **set);
bool acl_expand_services(struct acl_expansion *expansion, enum family family, const char *group,
			 struct span span, const struct acl_services **services);
/* *set NULL: every value. false: no port at all (`lt 0`, `gt 65535`), which is no error. */
bool acl_expand_ports(struct acl_expansion *expansion, const struct acl_ports *ports,
		      const struct interval_set **set);
/* NULL for a mask of 0. */
const struct interval_set *acl_expand_flags(struct acl_expansion *expansion, const struct acl_flags *flags);
const struct interval_set *acl_expand_one(struct acl_expansion *expansion, number128 low, number128 high);

#endif
