/* Reading IOS text: running configurations, `show access-lists`, and configuration text as it is typed.
 *
 * Strict where it matters: a line of a list, group, time range or translation, or a line that binds a
 * list, is understood whole or named (FOREIGN_LINE) and kept as unread, so that nobody takes its list
 * for known. A line that is none of these is skipped. Text that was cut short (a running
 * configuration without `end`, a pager's `--More--`, a last entry without its end) is an error.
 *
 * Keywords are read whole, in any case; lines below a head may be indented or not. Several texts are
 * read one after the other, as if typed on one router: `no …`, numbers and `resequence` do what
 * they do there. The reader knows nothing of the writer. */
#ifndef FWC_TARGET_CISCO_READ_READ_H
#define FWC_TARGET_CISCO_READ_READ_H

#include "diag/diag.h"
#include "target/cisco/read/acl.h"

/* The sources of the bag with these numbers, in order. Never NULL: with mistakes in the bag it holds
 * what was read. */
struct acl_config *acl_read_all(void *pool, struct diags *diags, const uint32_t *sources, size_t count);
struct acl_config *acl_read(void *pool, struct diags *diags, uint32_t source);

/* The list of this name and family, or NULL: a list that is missing permits everything where it is bound. */
const struct acl_list *acl_list_find(const struct acl_config *config, enum family family, const char *name);
const struct acl_group *acl_group_find(const struct acl_config *config, const char *name);
const struct acl_time_range *acl_time_range_find(const struct acl_config *config, const char *name);
const struct acl_interface *acl_interface_find(const struct acl_config *config, const char *name);

#endif
