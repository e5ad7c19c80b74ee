/* Private to src/resolve: schedules and the time zone. */
#ifndef FWC_RESOLVE_SCHEDULE_H
#define FWC_RESOLVE_SCHEDULE_H

#include "resolve/context.h"

/* All schedules, in minutes of the week UTC. A span that runs over midnight belongs to the day on
 * which it begins: `fri 22:00-06:00` ends on saturday. */
void schedules_resolve(struct resolver *resolver);

#endif
