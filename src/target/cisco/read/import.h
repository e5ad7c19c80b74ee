/* A list that was read as a policy of this language, which compiled back gives a list of the same meaning.
 *
 * A router's list judges every packet of one direction; rules judge the first packet of a connection, and
 * answers pass by themselves. So the text speaks of first, whole packets, and says so in its head. What rules
 * cannot say is an error at the entry: fragments, TCP flags, fields of the header, time ranges, and what
 * depends on earlier packets. Where state takes the place of the last, settings may ask for that:
 * `established` and `evaluate` are then left out with a comment, `reflect` becomes a plain rule.
 *
 * Services have the shortest name of a protocol in the database whose pairs are exactly theirs and
 * which brings no helper; else literals. Texts of the router are made safe. */
#ifndef FWC_TARGET_CISCO_READ_IMPORT_H
#define FWC_TARGET_CISCO_READ_IMPORT_H

#include "diag/diag.h"
#include "services/database.h"
#include "target/cisco/read/acl.h"

struct acl_import_settings {
	const char *file;          /* for the head */
	bool has_replies_by_state;
};

/* Appends the policy. false after an error in the bag; what was appended is then of no use. The
 * database must have been resolved whole. */
bool acl_import(struct text *out, struct diags *diags, const struct acl_config *config,
		const struct acl_list *list, const struct service_database *database,
		const struct acl_import_settings *settings);

/* The list of this name (NULL: the only one there is); NULL after an error in the bag. */
const struct acl_list *acl_import_choose(struct diags *diags, const struct acl_config *config,
					 const char *name);

#endif
