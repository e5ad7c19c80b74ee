/* One list from its old entries to its new ones (see edit.h). */
#ifndef FWC_TARGET_CISCO_EDIT_LIST_H
#define FWC_TARGET_CISCO_EDIT_LIST_H

#include "base/text.h"
#include "target/cisco/read/acl.h"

/* The same entries in the same order: numbers, remarks, counters and words for ports aside. */
bool edit_is_same(void *pool, const struct acl_list *a, const struct acl_list *b);
/* Appends the commands under the old list's name. false, with nothing appended and a reason in words:
 * the list has to be swapped. */
bool edit_list(void *pool, struct text *out, const struct acl_list *old, const struct acl_list *wanted,
	       const char **reason);
/* The whole list under another name. */
void edit_write_list(struct text *out, const struct acl_list *list, const char *name);
#define EDIT_HASH_DIGITS 8
/* The name that a swap makes is this and hexadecimal digits of the entries; a name begins with a letter. */
const char *edit_swap_base(void *pool, const char *name);
const char *edit_hash(void *pool, const struct acl_list *list);

#endif
