/* Object groups, line by line. */
#ifndef FWC_TARGET_CISCO_READ_GROUPS_H
#define FWC_TARGET_CISCO_READ_GROUPS_H

#include "target/cisco/read/reader.h"

/* The words after `object-group`: opens the group, or names the line. */
void acl_groups_open(struct acl_reader *reader);
/* The words after `no object-group`. */
void acl_groups_remove(struct acl_reader *reader);
/* A line of the group that is open. */
void acl_groups_line(struct acl_reader *reader);

#endif
