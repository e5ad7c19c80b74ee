/* What binds lists: interfaces, crypto maps, NAT; and time ranges. */
#ifndef FWC_TARGET_CISCO_READ_SECTIONS_H
#define FWC_TARGET_CISCO_READ_SECTIONS_H

#include "target/cisco/read/reader.h"

/* Heads: the words after the keyword. They open the thing, or name the line. */
void acl_interface_open(struct acl_reader *reader);
void acl_crypto_map_open(struct acl_reader *reader, bool is_dynamic);
void acl_time_range_open(struct acl_reader *reader);
/* A line below the head that is open. false: not one that this reader looks at. */
bool acl_interface_line(struct acl_reader *reader);
bool acl_crypto_map_line(struct acl_reader *reader);
void acl_time_range_line(struct acl_reader *reader);

#endif
