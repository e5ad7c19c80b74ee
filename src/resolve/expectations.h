/* What `expect` can name, and matching expectations with findings: warnings about one statement. */
#ifndef FWC_RESOLVE_EXPECTATIONS_H
#define FWC_RESOLVE_EXPECTATIONS_H

#include "resolve/policy.h"

/* Who gives a finding. */
enum finding_source {
	FINDING_COMPILER = 1,  /* every command that resolves and expands */
	FINDING_RULES = 2,     /* the comparison of rules (analyse/findings.h) */
	FINDING_CONFLICTS = 4, /* on request */
	FINDING_NAMES = 8,     /* unused.h */
	FINDING_DEVICES = 16,  /* the lowering of all devices */
};

struct finding {
	const char *name;
	unsigned code; /* of its diagnostics */
	enum finding_source source;
};

/* NULL if there is none of this name. */
const struct finding *finding_find(const char *name);
size_t finding_count(void);
const struct finding *finding_at(size_t index);

/* Acknowledges the warnings in the bag that the policy expects (diag_expect). May run after every
 * pass. */
void expectations_apply(struct policy *policy);
/* After the last pass: applies, and warns of expectations that nothing met (EXPECT_NOTHING), where those
 * who could have (FINDING_*) were asked. */
void expectations_finish(struct policy *policy, unsigned sources);

#endif
