/* Object groups of networks: several prefixes behind one name, where the device says `object-groups yes`. */
#ifndef FWC_TARGET_CISCO_GROUPS_H
#define FWC_TARGET_CISCO_GROUPS_H

#include "target/cisco/cover.h"
#include "target/cisco/model.h"

struct ios_place ios_place_of(enum family family, const struct prefix *prefix);
/* The prefixes as one place of an entry: as it is for a single one, else a group of the configuration, made
 * on first use and shared by whatever has the same addresses. IPv4. */
struct ios_place group_place(void *pool, struct ios_config *config, const struct ios_cover *cover);

#endif
