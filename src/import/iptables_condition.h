/* A rule of iptables as what it asks and what it does, in the space of a symbolic walk.
 *
 * The second reading of a rule: import/match.h made the policy of the first, and neither knows the other, so that
 * a proof compares two. Facts: iptables(8), iptables-extensions(8). What is not known here is a condition of its
 * own, which may hold or not. An option of a match is one wherever it stands, behind the target, too. */
#ifndef FWC_IMPORT_IPTABLES_CONDITION_H
#define FWC_IMPORT_IPTABLES_CONDITION_H

#include "diag/diag.h"
#include "import/save.h"
#include "target/nft/walk/path.h"

struct iptables_reading {
	void *pool;
	struct walk *walk;
	struct sources *sources; /* for names of what is not known */
	enum family family;
};

struct iptables_condition {
	diagram holds; /* predicate: leaves 0 and 1, also over fields of limits */
	const struct save_word *target; /* or NULL */
	bool is_goto;
	struct save_word *options; /* of the target, with their arguments */
	size_t options_count, options_capacity;
};

struct iptables_condition iptables_condition_read(const struct iptables_reading *reading,
						  const struct save_rule *rule);
/* What stands behind an option of the target, or NULL. */
const char *iptables_condition_option(const struct iptables_condition *condition, const char *option);

#endif
