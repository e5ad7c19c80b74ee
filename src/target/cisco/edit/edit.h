/* Changing the lists of a live router.
 *
 * A list that is applied filters between any two commands. `swap` makes the new list beside the old one,
 * binds it with one line and removes the old one. `edit` changes a list entry by entry:
 *
 *   Old and new list are merged into one row in which both stand in their order, what they share once.
 *   First the new entries are inserted from the top down, then the old ones removed from the bottom up.
 *   A packet's first match is then always its first match in the old list or in the new one: while
 *   inserting, everything old is there, and everything new above what was inserted last; while removing,
 *   everything new is there, and everything old above what was removed last.
 *
 * IOS ignores an entry that the list holds already, whatever its number; one that logs in another way is
 * taken for the same. One that moves is stood for by two halves of it, until the old one is gone. Where that
 * cannot be, the list is swapped, and the output says it. The commands are read back together with the
 * router's configuration before they are given: what comes out must be the new lists.
 *
 * Cisco IOS: "IP Access List Entry Sequence Numbering"; `ip access-list resequence`, `ip access-group`,
 * `ipv6 traffic-filter`. IPv6 lists cannot be renumbered. */
#ifndef FWC_TARGET_CISCO_EDIT_EDIT_H
#define FWC_TARGET_CISCO_EDIT_EDIT_H

#include "target/cisco/read/acl.h"
#include "target/cisco/cisco.h"

enum cisco_mode { CISCO_FULL, CISCO_SWAP, CISCO_EDIT };

struct cisco_change {
	enum cisco_mode mode;       /* swap or edit */
	uint32_t router;            /* source of the running configuration; UINT32_MAX: none was given */
};

/* Appends the commands; nothing where nothing changes. false with an error in the bag, and then the text
 * is not to be used. */
bool cisco_edit(struct text *out, struct diags *diags, const struct ios_config *config,
		const struct cisco_settings *settings, const struct cisco_change *change);

#endif
