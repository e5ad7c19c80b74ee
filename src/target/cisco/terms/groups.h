/* Object groups: several prefixes, or several services, behind one name, where the device says so.
 *
 * `object-group network` and `service` are of IOS 12.4(20)T and later, `v6-network` and `v6-service` of
 * IOS-XE alone ("Object Groups for ACLs", "IPv6 Object Groups for ACLs" in the configuration guides). */
#ifndef FWC_TARGET_CISCO_TERMS_GROUPS_H
#define FWC_TARGET_CISCO_TERMS_GROUPS_H

#include "target/cisco/model/cover.h"
#include "target/cisco/model/model.h"
#include "target/cisco/terms/service_form.h"

#define GROUPED_ENTRIES_MAX 1024 /* entries with groups in one list: IOS takes no more */

struct ios_place ios_place_of(enum family family, const struct prefix *prefix);
/* The prefixes as one place of an entry: as it is for a single one, else a group of the configuration, made
 * on first use and shared by whatever has the same addresses. */
struct ios_place group_place(void *pool, struct ios_config *config, enum family family,
			     const struct ios_cover *cover);
/* Whether a line of a service group can say it: no codes of ICMP, no ports of sctp. */
bool group_takes_form(enum family family, const struct service_form *form);
/* Those of the forms that a group takes, as a group; NULL: they are fewer than two. */
const struct ios_group *group_services(void *pool, struct ios_config *config, enum family family,
				       const struct service_forms *forms);

#endif
