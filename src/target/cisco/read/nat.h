/* `ip nat …` of the global configuration. */
#ifndef FWC_TARGET_CISCO_READ_NAT_H
#define FWC_TARGET_CISCO_READ_NAT_H

#include "target/cisco/read/reader.h"

/* The words after `ip nat`: a translation or a pool; others are skipped. */
void acl_nat_line(struct acl_reader *reader);
/* The words after `no ip nat`. */
void acl_nat_remove(struct acl_reader *reader);

#endif
