/* The router target's door: a ruleset to IOS text. */
#ifndef FWC_TARGET_CISCO_CISCO_H
#define FWC_TARGET_CISCO_CISCO_H

#include "target/cisco/minimise/minimise.h"
#include "target/cisco/model/model.h"

struct cisco_settings {
	const char *name;      /* of lists: letters, digits, - and _; NULL: FWC */
	uint32_t number;       /* a numbered list, 100-199 or 2000-2699; 0: a named one */
	bool has_ipv6;         /* an IPv6 list even where the policy names no IPv6 */
	bool has_port_words;   /* www for 80, where IOS has a word */
	enum replies replies;  /* of a list without a device; UNSAID: first packets only */
	bool redacts;          /* placeholders for keys */
	bool has_multi_port_eq; /* of a list without a device: up to ten ports an `eq` */
	enum minimise_aim aim;
	bool keeps_denials;    /* what rules deny keeps its entries before the default */
};

/* lower/lower.c: a list without a device. NULL after an error in the bag. */
struct ios_config *cisco_lower(void *pool, struct diags *diags, const struct ruleset *ruleset,
			       const struct cisco_settings *settings);

/* device/device.c: everything for one device. The ruleset is that of the policy resolved for this device:
 * zones have the device's interfaces. NULL after an error in the bag. */
struct ios_config *cisco_lower_device(void *pool, struct diags *diags, const struct ruleset *ruleset,
				      const struct device *device,
				      const struct cisco_settings *settings);

/* text/text.c: the configuration, ready to be pasted or copied to the running configuration. */
void cisco_text(struct text *out, const struct ios_config *config, const struct cisco_settings *settings);

/* After the analysis: a rule that it found dead or removable is told so, and not again that it has no
 * entry of its own. */
void cisco_forget_covered(struct diags *diags);

#endif
