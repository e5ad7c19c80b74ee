/* Tunnels on a router: transform sets, crypto lists, crypto maps, after Cisco IOS Security Command
 * Reference. One map an interface, one sequence number a tunnel. What comes out of a tunnel is not judged
 * by the interface's list (since 12.3(8)T): each entry of a map has a list of its own for it. */
#include "target/cisco/device/tunnel.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"
#include "target/cisco/model/safe.h"

const struct address_set *carry_near(const struct tunnel_side *side, size_t index)
{
	const struct tunnel_carry *carry = &side->tunnel->carries[index];
	return side->end == 0 ? &carry->left : &carry->right;
}

const struct address_set *carry_far(const struct tunnel_side *side, size_t index)
{
	const struct tunnel_carry *carry = &side->tunnel->carries[index];
	return side->end == 0 ? &carry->right : &carry->left;
}

/* --- the tunnels of the device --------------------------------------------------------------------- */

/* false: reported, here or by the policy's reader. */
static bool read_side(struct device_lowering *lowering, struct tunnel_side *side)
{
	const struct tunnel *tunnel = side->tunnel;
	side->interface = tunnel_interface(&tunnel->ends[side->end]);
	side->name = safe_name(lowering->pool, tunnel->name);
	if (side->interface == NULL || !tunnel_end_address(&tunnel->ends[side->end], &side->here) ||
	    !tunnel_end_address(&tunnel->ends[1 - side->end], &side->there))
		return false;
	bool is_good = tunnel_side_check(lowering, side);
	is_good = ike_words_of(lowering, tunnel, &side->ike) && is_good;
	return esp_words_of(lowering, tunnel, &side->esp) && is_good;
}

static bool collect(struct tunnel_sides *sides)
{
	struct device_lowering *lowering = sides->lowering;
	bool is_good = true;
	for (size_t i = 0; i < lowering->policy->tunnels_count; i++)
		for (size_t end = 0; end < 2; end++) {
			struct tunnel_side side = { .tunnel = lowering->policy->tunnels[i], .end = end };
			if (side.tunnel->ends[end].device != lowering->device)
				continue;
			is_good = read_side(lowering, &side) && is_good;
			*pool_append(lowering->pool, sides, items) = side;
		}
	return is_good;
}

/* --- transform sets, lifetimes ------------------------------------------------------------------------ */

static bool is_same_set(const struct esp_words *a, const struct esp_words *b)
{
	return strcmp(a->encryption, b->encryption) == 0 && strcmp(a->hash, b->hash) == 0;
}

static void add_transform_sets(struct tunnel_sides *sides)
{
	void *pool = sides->lowering->pool;
	size_t sets = 0;
	for (size_t i = 0; i < sides->items_count; i++) {
		struct tunnel_side *side = &sides->items[i];
		size_t same = 0;
		while (same < i && !is_same_set(&sides->items[same].esp, &side->esp))
			same++;
		if (same < i) {
			side->transform_set = sides->items[same].transform_set;
			continue;
		}
		side->transform_set = sets == 0 ? "VPNSET" : pool_format(pool, "VPNSET-%zu", sets + 1);
		sets++;
		*pool_append(pool, sides->lowering->config, globals) =
			form_block(pool, "crypto ipsec transform-set %s %s %s", side->transform_set,
				   side->esp.encryption, side->esp.hash);
	}
}

static const char *lifetime_unit(const struct esp_words *esp)
{
	return esp->is_kilobytes ? "kilobytes" : "seconds";
}

/* One lifetime for the whole router, where its tunnels agree. */
static bool is_lifetime_common(const struct tunnel_sides *sides)
{
	const struct esp_words *first = &sides->items[0].esp;
	for (size_t i = 0; i < sides->items_count; i++)
		if (sides->items[i].esp.lifetime != first->lifetime ||
		    sides->items[i].esp.is_kilobytes != first->is_kilobytes)
			return false;
	return true;
}

static void add_common_lifetime(const struct tunnel_sides *sides)
{
	const struct esp_words *esp = &sides->items[0].esp;
	if (is_lifetime_common(sides) && esp->lifetime != 0)
		*pool_append(sides->lowering->pool, sides->lowering->config, globals) =
			form_block(sides->lowering->pool,
				   "crypto ipsec security-association lifetime %s %u",
				   lifetime_unit(esp), esp->lifetime);
}

/* --- lists ---------------------------------------------------------------------------------------------- */

static const char *crypto_list(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	struct device_lowering *lowering = sides->lowering;
	const char *name = pool_format(lowering->pool, "VPN-%s", side->name);
	struct ios_list *list = form_list(lowering->pool, lowering->config, name, FAMILY_IPV4,
					  side->tunnel->span);
	for (size_t i = 0; i < side->tunnel->carries_count; i++)
		form_entries(lowering->pool, list, IOS_PERMIT, &carry_near(side, i)->v4,
			     &carry_far(side, i)->v4);
	return name;
}

static const char *clear_list(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	struct device_lowering *lowering = sides->lowering;
	struct address_set far = { 0 };
	for (size_t i = 0; i < side->tunnel->carries_count; i++)
		far = address_set_union(lowering->pool, &far, carry_far(side, i));
	return device_filter_clear(lowering, side->tunnel, side->interface, &far);
}

/* --- maps ------------------------------------------------------------------------------------------------- */

static struct ios_interface *binding_of(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	return &sides->lowering->config->interfaces[side->interface - sides->lowering->device->interfaces];
}

static const char *map_name(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	struct ios_interface *binding = binding_of(sides, side);
	if (binding->crypto_map == NULL)
		binding->crypto_map = side->interface == sides->items[0].interface ? "VPNMAP" :
			pool_format(sides->lowering->pool, "VPNMAP-%s",
				    safe_name(sides->lowering->pool, side->interface->name));
	return binding->crypto_map;
}

/* 10, 20, …: its place among the tunnels of its interface. */
static unsigned map_sequence(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	unsigned sequence = 10;
	for (const struct tunnel_side *other = sides->items; other < side; other++)
		if (other->interface == side->interface)
			sequence += 10;
	return sequence;
}

static void add_map(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	struct device_lowering *lowering = sides->lowering;
	void *pool = lowering->pool;
	struct ios_block map = form_block(pool, "crypto map %s %u ipsec-isakmp", map_name(sides, side),
					  map_sequence(sides, side));
	form_line(pool, &map, "match address %s", crypto_list(sides, side));
	form_line(pool, &map, "set peer %s", form_address(pool, &side->there));
	form_line(pool, &map, "set transform-set %s", side->transform_set);
	if (side->ike.has_version_2)
		form_line(pool, &map, "set ikev2-profile %s",
			  tunnel_profile_name(pool, tunnel_peer_side(sides, side)));
	if (side->esp.lifetime != 0 && !is_lifetime_common(sides))
		form_line(pool, &map, "set security-association lifetime %s %u",
			  lifetime_unit(&side->esp), side->esp.lifetime);
	form_line(pool, &map, "set ip access-group %s in", clear_list(sides, side));
	*pool_append(pool, lowering->config, maps) = map;
}

void device_tunnel(struct device_lowering *lowering)
{
	struct tunnel_sides sides = { .lowering = lowering };
	if (!collect(&sides) || !tunnel_sides_check(&sides) || sides.items_count == 0)
		return;
	tunnel_keys_lower(&sides);
	add_transform_sets(&sides);
	add_common_lifetime(&sides);
	for (size_t i = 0; i < sides.items_count; i++)
		add_map(&sides, &sides.items[i]);
	tunnel_checks_lower(&sides);
}
