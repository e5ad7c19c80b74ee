/* Who runs this process: for the history. */
#ifndef FWC_OPERATE_WHO_H
#define FWC_OPERATE_WHO_H

#include <stdbool.h>

/* The name of the login that all began with (the kernel's loginuid, which survives sudo and su), else
 * SUDO_USER, else the user's; digits where a user has no name. Printable ASCII. */
const char *who_runs(void *pool);

/* Does this process come of a login? */
bool who_has_login(void);

#endif
