/* Lists while they are read: what a router does with lines that are typed.
 *
 * Entries without a number get the highest one plus ten. An entry that the list holds already is
 * ignored, whatever its number. `no` takes away. An entry whose number another one has is refused by
 * some trains and replaces the other on others: it is kept as an unread one. */
#ifndef FWC_TARGET_CISCO_READ_LISTS_H
#define FWC_TARGET_CISCO_READ_LISTS_H

#include "target/cisco/read/reader.h"

struct acl_list_head {
	const char *name;
	enum family family;
	enum acl_kind kind;
	bool is_shown;   /* a head of `show access-lists` */
	bool is_foreign; /* another platform's: its entries are kept as unread ones */
};

/* The list of this family and name, made when it is not there; the reader's draft from now on. A list that is there
 * with another kind becomes unknown. */
void acl_lists_open(struct acl_reader *reader, const struct acl_list_head *head);
/* no ip access-list … */
void acl_lists_remove(struct acl_reader *reader, enum family family, const char *name);
/* The rest of the line as a line of the list that is open: an entry, a remark, `no …`. */
void acl_lists_line(struct acl_reader *reader);
/* The line, already named, makes the list that is open unknown from here on. */
void acl_lists_unread(struct acl_reader *reader);
/* ip access-list resequence NAME START STEP. false: there is no such list. */
bool acl_lists_resequence(struct acl_reader *reader, const char *name, uint32_t start, uint32_t step);
/* Puts the lists, in order, into the configuration. */
void acl_lists_finish(struct acl_reader *reader);

#endif
