/* Private to src/services: an error for a name that no service has. Suggestions: see database.h. */
#ifndef FWC_SERVICES_UNKNOWN_H
#define FWC_SERVICES_UNKNOWN_H

#include "services/definition.h"

void unknown_service(struct service_database *database, const struct ast_word *word);

#endif
