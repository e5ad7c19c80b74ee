/* What the analysis has to say of a policy that compiles, as warnings and notes in the bag: anomalies
 * between rules, spoofed sources, rules that are wider than they look, old services that are open to the
 * outside, assertions that do not hold. Names of definitions that nobody uses: resolve/unused.h. */
#ifndef FWC_ANALYSE_FINDINGS_H
#define FWC_ANALYSE_FINDINGS_H

#include "analyse/anomalies.h"

struct findings_settings {
	struct anomaly_settings anomalies;
	bool has_notes;     /* what is only worth knowing, too */
	size_t rules_most;  /* rules of a larger ruleset are not compared with each other; 0: all are */
};

/* One ruleset: of this host, or of one device. false: its rules were not compared. */
bool findings_add(void *pool, struct diags *diags, const struct ruleset *ruleset,
		  const struct findings_settings *settings);

#endif
