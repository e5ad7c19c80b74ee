/* Later fragments: they carry no ports, so that an entry that permits some ports of a protocol permits
 * every later fragment between its addresses, and one that denies some ports denies none (Cisco,
 * "Access Control Lists and IP Fragments", document 8014). The policy judges whole packets. */
#ifndef FWC_TARGET_CISCO_TERMS_FRAGMENT_H
#define FWC_TARGET_CISCO_TERMS_FRAGMENT_H

#include "target/cisco/model/model.h"

/* Tells which later fragments the list lets pass for that reason, by entries that permit some ports, and
 * by entries that permit all where such denials stand before: one note a list. */
void note_fragments(void *pool, struct diags *diags, const struct device *device, const struct ios_list *list);

#endif
