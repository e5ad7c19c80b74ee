/* Entries back to IOS text: one line, without a line end, as an extended, standard or IPv6 list takes it.
 *
 * Canonical: numbers for ports, ICMP and protocols without a plain word; `host A` and `any` where
 * they fit; conditions as they were read. Reading the text gives the same entry again, but for its
 * span and counter, and for a cookie that is an option's word (the reader refuses those). */
#ifndef FWC_TARGET_CISCO_READ_FORMAT_H
#define FWC_TARGET_CISCO_READ_FORMAT_H

#include "base/text.h"
#include "target/cisco/read/acl.h"

/* "permit tcp any host 10.0.0.1 eq 80 log": without the number. Nothing for an unread entry. */
void acl_entry_format(struct text *out, const struct acl_list *list, const struct acl_entry *entry);
/* With the number: "10 permit …"; IPv6: "sequence 10 permit …". */
void acl_entry_format_numbered(struct text *out, const struct acl_list *list, const struct acl_entry *entry);
/* The head that opens the list: "ip access-list extended NAME". */
void acl_list_format_head(struct text *out, const struct acl_list *list);

#endif
