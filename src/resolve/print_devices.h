/* Devices and tunnels in --show=policy: one property a line, in the order of the policy.
 *
 * A key is never there, only where it will come from. */
#ifndef FWC_RESOLVE_PRINT_DEVICES_H
#define FWC_RESOLVE_PRINT_DEVICES_H

#include "base/text.h"
#include "resolve/policy.h"

void print_device(struct text *out, const struct device *device);
void print_tunnel(struct text *out, const struct tunnel *tunnel);

#endif
