/* The passes over a ruleset, between the policy's meaning and a target: each takes a ruleset and gives one
 * that means the same, and is cheaper for packets.
 *
 * Rules are never changed in place: what a pass leaves alone is shared, what it changes is made anew in the
 * pool. What can be counted, logged, limited or helped keeps its own rule. The table that a target makes of the
 * result is compared with the ruleset that went in (target/nft/prove/prove.h), so a pass that is wrong gives no
 * output. */
#ifndef FWC_OPTIMISE_OPTIMISE_H
#define FWC_OPTIMISE_OPTIMISE_H

#include "optimise/level.h"
#include "optimise/profile.h"
#include "rules/ruleset.h"

struct optimise_settings {
	enum optimise_level level;
	const struct profile *profile; /* or NULL */
};

/* Runs the passes of the level in their order (passes.def). */
const struct ruleset *optimise_ruleset(void *pool, const struct ruleset *ruleset,
				       const struct optimise_settings *settings);

#endif
