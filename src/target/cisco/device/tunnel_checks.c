/* How to see that tunnels work: comments behind the configuration. A tunnel is made when packets want
 * it, so that a ping from inside to inside comes first. */
#include "target/cisco/device/tunnel.h"

#include "base/pool.h"
#include "target/cisco/model/form.h"

/* `show crypto ipsec sa` writes networks so. */
static const char *ident(void *pool, const struct address_set *set)
{
	struct prefix prefixes[254];
	interval_to_prefixes(FAMILY_IPV4, &set->v4.items[0], prefixes);
	const struct address network = { FAMILY_IPV4, prefixes[0].value };
	return pool_format(pool, "%s/%s/0/0", form_address(pool, &network),
			   form_mask(pool, prefixes[0].length));
}

static void add_check(const struct tunnel_sides *sides, const char *text)
{
	*pool_append(sides->lowering->pool, sides->lowering->config, checks) = text;
}

/* An address of a device in these networks: NULL: none is known. */
static const char *inner_address(void *pool, const struct device *device, const struct address_set *set)
{
	for (size_t i = 0; device != NULL && i < device->interfaces_count; i++) {
		const struct prefix *own = interface_address(&device->interfaces[i], FAMILY_IPV4);
		if (own != NULL && interval_set_contains(&set->v4, own->value))
			return form_address(pool, &(struct address){ FAMILY_IPV4, own->value });
	}
	return NULL;
}

static void add_ping(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	void *pool = sides->lowering->pool;
	const struct device *far = side->tunnel->ends[1 - side->end].device;
	const char *target = inner_address(pool, far, carry_far(side, 0));
	const char *source = inner_address(pool, sides->lowering->device, carry_near(side, 0));
	add_check(sides, pool_format(pool, "  ping %s source %s", target == NULL ? "FAR-HOST" : target,
				     source == NULL ? "NEAR-INTERFACE" : source));
	add_check(sides, "    where rules allow it on the other side: the first packets are lost while the");
	add_check(sides, "    tunnel is made, then '!!!!!'");
}

static void add_sides(const struct tunnel_sides *sides, const struct tunnel_side *side)
{
	void *pool = sides->lowering->pool;
	add_check(sides, pool_format(pool, "tunnel %s:", side->name));
	add_ping(sides, side);
	add_check(sides, side->ike.has_version_2 ? "  show crypto ikev2 sa" : "  show crypto isakmp sa");
	add_check(sides, pool_format(pool, "    %s and %s, %s", form_address(pool, &side->there),
				     form_address(pool, &side->here),
				     side->ike.has_version_2 ? "status READY" :
				     "state QM_IDLE, status ACTIVE"));
	add_check(sides, "  show crypto ipsec sa");
	add_check(sides, pool_format(pool, "    local  ident %s", ident(pool, carry_near(side, 0))));
	add_check(sides, pool_format(pool, "    remote ident %s", ident(pool, carry_far(side, 0))));
	add_check(sides, "    '#pkts encaps' and '#pkts decaps' count upwards");
}

void tunnel_checks_lower(const struct tunnel_sides *sides)
{
	for (size_t i = 0; i < sides->items_count; i++)
		add_sides(sides, &sides->items[i]);
}
