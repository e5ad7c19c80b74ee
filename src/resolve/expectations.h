/* What `expect` can name, and matching expectations with findings.
 *
 * A finding is a warning about one statement. Those that the compiler itself gives have a code;
 * those of the analysis get theirs when it gives them. */
#ifndef FWC_RESOLVE_EXPECTATIONS_H
#define FWC_RESOLVE_EXPECTATIONS_H

#include "resolve/policy.h"

struct finding {
	const char *name;
	unsigned code; /* of its diagnostics; 0: not given by this program yet */
	bool is_late;  /* given when devices are lowered */
};

/* NULL if there is none of this name. */
const struct finding *finding_find(const char *name);
size_t finding_count(void);
const struct finding *finding_at(size_t index);

/* Acknowledges the warnings in the bag that the policy expects (diag_expect). May run after every
 * pass. */
void expectations_apply(struct policy *policy);
/* After the last pass: applies, and warns of expectations that nothing met (EXPECT_NOTHING), but for
 * findings that this program does not give and, unless all devices were lowered, for late ones. */
void expectations_finish(struct policy *policy, bool has_lowered);

#endif
