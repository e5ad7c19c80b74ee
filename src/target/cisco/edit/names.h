/* What lists refer to by name, and what refers to lists. */
#ifndef FWC_TARGET_CISCO_EDIT_NAMES_H
#define FWC_TARGET_CISCO_EDIT_NAMES_H

#include "target/cisco/read/acl.h"
#include "target/cisco/cisco.h"

/* How many lines of a configuration use the list: interfaces, crypto maps, translations. */
size_t edit_names_uses(const struct acl_config *router, enum family family, const char *name);
/* The first other line of the router's text that seems to name the list: `access-class`, `match ip address`,
 * `snmp-server community`, whatever else may. SPAN_NONE without one. Descriptions and remarks name nothing. */
struct span edit_names_mention(void *pool, const struct sources *sources, uint32_t router, const char *name);
/* Appends the object groups and time ranges of the new lists that the router does not have. One that it has
 * with another content cannot be changed in one step while lists refer to it: an error, false. */
bool edit_names_define(struct text *out, struct diags *diags, const struct ios_config *config,
		       const struct cisco_settings *settings, const struct acl_config *wanted,
		       const struct acl_config *router);

#endif
