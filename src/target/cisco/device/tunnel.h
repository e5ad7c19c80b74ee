/* Private to the router target: a tunnel as one of its devices sees it. */
#ifndef FWC_TARGET_CISCO_DEVICE_TUNNEL_H
#define FWC_TARGET_CISCO_DEVICE_TUNNEL_H

#include "target/cisco/device/algorithms.h"

struct tunnel_side {
	const struct tunnel *tunnel;
	size_t end;                    /* which of its ends is the device's */
	const struct device_interface *interface;
	struct address here, there;    /* of the device, of its peer */
	struct ike_words ike;
	struct esp_words esp;
	const char *name;              /* of the tunnel, fit for IOS */
	const char *transform_set;
};

/* All tunnels of the device. */
struct tunnel_sides {
	struct device_lowering *lowering;
	struct tunnel_side *items;
	size_t items_count, items_capacity;
};

/* The networks of a `carry` line on the device's side, and those on the other. */
const struct address_set *carry_near(const struct tunnel_side *side, size_t index);
const struct address_set *carry_far(const struct tunnel_side *side, size_t index);

/* tunnel_check.c: whether both ends fit together, and what IOS cannot carry. false: reported. */
bool tunnel_side_check(struct device_lowering *lowering, const struct tunnel_side *side);
/* Two tunnels of one device: whether packets and peers tell them apart. false: reported. */
bool tunnel_sides_check(const struct tunnel_sides *sides);
/* tunnel_ike.c: policies, keys, profiles. */
void tunnel_keys_lower(const struct tunnel_sides *sides);
/* tunnel_checks.c: what to run on the router, and what it shows when the tunnels work. */
void tunnel_checks_lower(const struct tunnel_sides *sides);
/* The first tunnel to the same peer: its key and profile are those of all of them. */
const struct tunnel_side *tunnel_peer_side(const struct tunnel_sides *sides,
					    const struct tunnel_side *side);
/* The name of the IKEv2 profile of a tunnel. */
const char *tunnel_profile_name(void *pool, const struct tunnel_side *side);

#endif
