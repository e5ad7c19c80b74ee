/* fwc diff with the kernel on one side: kernel: is its table inet of the name that --table gives. */
#ifndef FWC_CMD_DIFF_KERNEL_H
#define FWC_CMD_DIFF_KERNEL_H

#include "cmd/session.h"

/* Whether an argument names the kernel. */
bool diff_kernel_is_meant(const char *argument);
/* A policy of this host and the kernel, in either order. EXIT_USAGE where nothing differs for certain, but
 * something may. */
int diff_kernel(struct pool_trap *root, struct session_options *options, const char *old, const char *new);

#endif
