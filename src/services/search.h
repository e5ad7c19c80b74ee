/* Finding services by what is said of them. */
#ifndef FWC_SERVICES_SEARCH_H
#define FWC_SERVICES_SEARCH_H

#include <stdbool.h>

#include "services/database.h"

/* Whether the name, description, an alias, tag or source holds the words, whatever their case and
 * accents ("telecopie" finds "Télécopie"). Scratch memory from the pool. */
bool service_mentions(void *pool, const struct service *service, const char *words);

#endif
