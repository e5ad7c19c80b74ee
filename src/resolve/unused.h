/* Definitions that nobody uses, and definitions that say the same in other words. */
#ifndef FWC_RESOLVE_UNUSED_H
#define FWC_RESOLVE_UNUSED_H

#include "parse/parse.h"
#include "resolve/policy.h"

/* Warnings (UNUSED, DUPLICATE_MEANING), after everything was resolved. Files that are included are
 * libraries: there single definitions may be unused, but a file of which nothing is used is told at its
 * include. */
void unused_report(struct diags *diags, const struct policy *policy, const struct program *program);

#endif
