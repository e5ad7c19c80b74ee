/* Private to the router target: keys of tunnels, which stand outside policies.
 *
 * A key is read when a configuration is made, and stands nowhere but there: no message tells any of it. */
#ifndef FWC_TARGET_CISCO_DEVICE_KEY_H
#define FWC_TARGET_CISCO_DEVICE_KEY_H

#include "target/cisco/device/lowering.h"

/* The longest that IOS takes, in characters. */
#define KEY_LONGEST 127
/* What stands in the place of a key that is not to be shown. */
#define KEY_REDACTED "<redacted>"

/* From the environment or the file that the tunnel names. NULL: it cannot be used, reported. */
const char *key_read(struct device_lowering *lowering, const struct tunnel *tunnel);

#endif
