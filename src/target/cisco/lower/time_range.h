/* `during` and `until` as time-ranges of IOS, in the policy's own time zone.
 *
 * Whether a range still holds in its last minute differs between trains: what permits ends a minute
 * early, what denies a minute late at most. */
#ifndef FWC_TARGET_CISCO_LOWER_TIME_RANGE_H
#define FWC_TARGET_CISCO_LOWER_TIME_RANGE_H

#include "target/cisco/model/model.h"

/* The range's name, made on first use; NULL: the rule holds at every time. */
const char *time_range_of(void *pool, struct ios_config *config, const struct policy *policy,
			  const struct rule *rule);

#endif
