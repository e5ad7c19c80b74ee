/* What the rules of this language say, of what a foreign filter does: first packets.
 *
 * A rule judges the first packet of a connection: new ones, and of those that connection tracking never
 * takes for new (neighbour discovery, multicast listener messages) the untracked. What always passes
 * before any rule is left to the language; where the foreign filter denies some of it, that is told. */
#ifndef FWC_IMPORT_FIRST_H
#define FWC_IMPORT_FIRST_H

#include "import/unfold.h"

/* First packets of the set, their state forgotten. */
import_set import_first(struct import_space *space, import_set set);
/* First packets of a hook that rules judge: those that can be, without what always passes. */
import_set import_judged(struct import_space *space, enum import_hook hook);

/* Three lists, by enum import_hook, and what they are called. Adds an error for each kind of packet that always
 * passes here and that a list denies. *lets_invalid: some packet of no known connection passes a list. */
void import_compare_passing(struct import_space *space, struct diags *diags, const struct import_list *lists,
			    const char *const *names, bool *lets_invalid);

#endif
