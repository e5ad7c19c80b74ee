/* Private to the router target: what the files that make a device's configuration share.
 *
 * device.c runs them in this order, each filling its part of the configuration: the device itself
 * (device.c), translations (nat.c), tunnels (tunnel.c), lists of the interfaces (access.c). All of them
 * report and go on; with an error in the bag nothing is given. */
#ifndef FWC_TARGET_CISCO_DEVICE_LOWERING_H
#define FWC_TARGET_CISCO_DEVICE_LOWERING_H

#include "base/names.h"
#include "target/cisco/terms/inbound.h"

/* What nat.c knows of an interface, by its index in the device. */
struct nat_outside {
	struct address_set translated; /* the sources that translated packets carry there */
};

struct device_lowering {
	void *pool;
	struct diags *diags;
	const struct ruleset *ruleset;
	const struct policy *policy;
	const struct device *device;
	const struct cisco_settings *settings;
	struct ios_config *config;       /* interfaces: one an interface of the device, in its order */
	struct nat_outside *outsides;    /* likewise */
	const char *prefix;              /* of the names of lists */
	struct names *names;             /* of lists and blocks that exist; IOS ignores their case */
};

/* A name that no other list or block of this configuration has: prefix, '-', the text made fit. */
const char *lowering_name(struct device_lowering *lowering, const char *text);
/* The interface by which packets to the address leave: connected networks, then routes, the longest
 * first. NULL: none is known. */
const struct device_interface *device_towards(const struct device *device, const struct address *address);
/* The first address of the family; NULL: none. */
const struct prefix *interface_address(const struct device_interface *interface, enum family family);
bool device_has_family(const struct device *device, enum family family);

/* nat.c: `ip nat inside|outside`, lists and statements of the translations. */
void device_translate(struct device_lowering *lowering);
/* tunnel.c: keys, policies, crypto lists and maps; how to look whether they work. */
void device_tunnel(struct device_lowering *lowering);
/* access.c: the lists of interfaces, and what they are bound to. */
void device_filter(struct device_lowering *lowering);
/* access.c: the list for what came out of a tunnel, whose far side these are; its name. */
const char *device_filter_clear(struct device_lowering *lowering, const struct tunnel *tunnel,
				const struct device_interface *interface, const struct address_set *far);

#endif
