/* How often rules matched: what `fwc hits --json` prints, a list of objects with `id` and `packets`. */
#ifndef FWC_OPTIMISE_PROFILE_H
#define FWC_OPTIMISE_PROFILE_H

#include "diag/diag.h"
#include "rules/ruleset.h"

struct profile;

/* The profile in the bytes; NULL with PROFILE_UNREADABLE in the bag where they are something else. name: of
 * the file, for messages. */
struct profile *profile_parse(void *pool, struct diags *diags, const char *name, const char *bytes, size_t length);
/* 0 for rules that it does not name. */
uint64_t profile_packets(const struct profile *profile, const char *id);
/* Warns of ids that the ruleset does not have: the counters of another policy. */
void profile_compare(const struct profile *profile, struct diags *diags, const struct ruleset *ruleset);

#endif
