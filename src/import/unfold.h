/* The chains of the filter table as one list a hook: what decides each packet, first match.
 *
 * A jump carries its condition into the chain; RETURN and goto take their packets out of the rest of
 * it. So an entry holds for a set of packets, and the list needs no chains. Entries that no packet
 * reaches are left out, in lists that are not too long to tell. */
#ifndef FWC_IMPORT_UNFOLD_H
#define FWC_IMPORT_UNFOLD_H

#include "import/match.h"

enum import_hook { IMPORT_INPUT, IMPORT_FORWARD, IMPORT_OUTPUT };
#define IMPORT_HOOKS 3

enum import_action { IMPORT_ACCEPT, IMPORT_DROP, IMPORT_REJECT, IMPORT_LOG, IMPORT_OTHER };


struct import_entry {
	import_set set;
	enum import_action action;
	const struct save_rule *rule;
	struct import_match match;
	const char *answer; /* of REJECT: what stands behind --reject-with; of OTHER: what it is, or NULL */
	const char *prefix; /* of LOG */
	bool counts;       /* it has a counter that somebody reads */
	bool meets_established; /* packets of known connections may come to it, too */
};

struct import_list {
	struct import_entry *items;
	size_t items_count, items_capacity;
	bool is_accepting; /* the policy of the hook's chain */
	struct span span;  /* of the chain */
};

/* Whether what an entry decides is to be taken from later ones: not in long lists, where that costs more memory
 * than it saves. */
bool import_is_pruned(const struct import_space *space, size_t entries);

/* false after an error in the bag. The table may lack the chain: it accepts. */
bool import_unfold(struct import_space *space, struct diags *diags, const struct save_table *table,
		   const char *chain, struct import_list *list);

#endif
