/* Names of services that mean something else than most people expect. */
#ifndef FWC_SERVICES_TRAP_H
#define FWC_SERVICES_TRAP_H

#include "diag/diag.h"
#include "services/database.h"

/* Warns where the name of a built-in service is a known trap (SERVICE_TRAP), at the words that
 * use it. A service that the user defined under such a name is what the user says. */
void trap_warn(struct diags *diags, const struct service *service, struct span use);

#endif
