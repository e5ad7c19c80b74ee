/* What stands after the places of an entry: flags, conditions, logging, counters. */
#ifndef FWC_TARGET_CISCO_READ_OPTIONS_H
#define FWC_TARGET_CISCO_READ_OPTIONS_H

#include "target/cisco/read/entry.h"

/* All options to the end of the line, each at most once, in any order; false after a complaint. */
bool acl_options_take(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
		      struct acl_entry *entry);
/* What may follow `evaluate NAME`: `sequence N`, counters. */
bool acl_evaluate_tail_take(struct acl_line *line, const struct acl_dialect *dialect,
			    struct acl_entry *entry);

#endif
