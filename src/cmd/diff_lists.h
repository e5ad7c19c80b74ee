/* fwc diff with a router's configuration on one side or both: cisco:FILE, cisco:FILE#LIST. */
#ifndef FWC_CMD_DIFF_LISTS_H
#define FWC_CMD_DIFF_LISTS_H

#include "cmd/session.h"

/* Whether an argument names a configuration. */
bool diff_lists_is_meant(const char *argument);
/* Two lists; two configurations, list by list and binding by binding; or a policy and a list. */
int diff_lists(struct pool_trap *root, struct session_options *options, const char *old, const char *new);

#endif
