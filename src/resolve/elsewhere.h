/* Private to src/resolve: whose business a translation is, in a policy of several devices.
 *
 * A router translates what crosses it. Seen from a device, a translation is elsewhere if the device
 * lacks one of its sides and another device of the policy has both; it is then no part of the policy
 * there, and neither is the rule of a `forward`. Where no device has both, each tells the mistake. */
#ifndef FWC_RESOLVE_ELSEWHERE_H
#define FWC_RESOLVE_ELSEWHERE_H

#include "resolve/context.h"

/* After zones were placed. */
bool translation_is_elsewhere(const struct resolver *resolver, const struct translation *translation);

#endif
