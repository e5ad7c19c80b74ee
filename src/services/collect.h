/* Private to src/services: the program's definitions into the database. */
#ifndef FWC_SERVICES_COLLECT_H
#define FWC_SERVICES_COLLECT_H

#include "services/definition.h"

/* Collects names, aliases, overrides and tags of all definitions, and reports clashes, closed tags,
 * unknown helpers and status words. Nothing is resolved yet. */
void collect_definitions(struct service_database *database, const struct program *program);

#endif
