/* Entries that a router takes for one that the list holds already.
 *
 * IOS ignores an entry that is there already, whatever its number, and what is logged tells two apart no more
 * than the number does. The later one decides no packet, so that it goes; the first one logs or not, as it
 * did. A rule that has no entry left by it is told.
 *
 * Cisco IOS: "IP Access List Entry Sequence Numbering", restrictions. */
#ifndef FWC_TARGET_CISCO_LOWER_SAME_H
#define FWC_TARGET_CISCO_LOWER_SAME_H

#include "target/cisco/model/model.h"

void same_remove(void *pool, struct diags *diags, struct ios_list *list);

#endif
