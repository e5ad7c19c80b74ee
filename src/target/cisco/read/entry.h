/* One entry of a list, from its words. */
#ifndef FWC_TARGET_CISCO_READ_ENTRY_H
#define FWC_TARGET_CISCO_READ_ENTRY_H

#include "base/arena.h"
#include "target/cisco/read/acl.h"
#include "target/cisco/read/line.h"

/* What kind of text the entry stands in. */
struct acl_dialect {
	enum family family;
	enum acl_kind kind;
	bool is_shown; /* as `show access-lists` prints it: counters, "wildcard bits", states */
};

/* An entry without conditions: of this family, from any to any. */
struct acl_entry *acl_entry_new(struct arena *arena, enum family family);
/* Reads [NUMBER | sequence NUMBER] permit|deny …, or [NUMBER] evaluate NAME, to the end of the
 * line. false: not understood, with the complaint in the line; the entry is then of no use. */
bool acl_entry_read(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
		    struct acl_entry *entry);

#endif
