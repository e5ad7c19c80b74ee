/* Prefixes, the longest first, each without what longer ones took. */
#include "analyse/router.h"

#include <stdlib.h>

#include "base/pool.h"

/* One prefix, and where it leads. */
struct way {
	struct prefix prefix;
	const char *interface;
};

struct routing {
	void *pool;
	struct packet_space *space;
	const struct device *device;
	enum family family;
	struct way *ways;
	size_t ways_count, ways_capacity;
	struct interval_set own;       /* what reaches the router itself */
	struct interval_set addresses; /* what it sends from */
	packet_set set;
};

static struct interval_set whole_of(void *pool, enum family family)
{
	const struct prefix all = { family, 0, 0 };
	const struct interval range = prefix_interval(&all);
	struct interval_set set = { 0 };

	interval_set_add(pool, &set, range.low, range.high);
	return set;
}

static bool is_known(const struct device *device, enum family family)
{
	bool has_any = false;

	for (size_t index = 0; index < device->interfaces_count; index++) {
		if (device->interfaces[index].addresses_count == 0)
			return false;
		for (size_t other = 0; other < device->interfaces[index].addresses_count; other++)
			has_any = has_any || device->interfaces[index].addresses[other].family == family;
	}
	return has_any;
}

/* --- addresses --------------------------------------------------------------------------------------- */

/* Broadcasts of networks are the router's, too (but of two addresses, RFC 3021). */
static void add_interface(struct routing *routing, const struct device_interface *interface)
{
	for (size_t index = 0; index < interface->addresses_count; index++) {
		const struct prefix *address = &interface->addresses[index];
		struct interval network = prefix_interval(address);

		if (address->family != routing->family)
			continue;
		interval_set_add(routing->pool, &routing->own, address->value, address->value);
		interval_set_add(routing->pool, &routing->addresses, address->value, address->value);
		if (address->family == FAMILY_IPV4 && address->length <= 30)
			interval_set_add(routing->pool, &routing->own, network.high, network.high);
		if (!interface->is_shutdown)
			*pool_append(routing->pool, routing, ways) = (struct way){ *address, interface->name };
	}
}

/* What every host on the wire hears: multicast (RFC 5771, RFC 4291), the broadcast, link-local addresses. */
static void add_common(struct routing *routing)
{
	if (routing->family == FAMILY_IPV4) {
		interval_set_add(routing->pool, &routing->own, 0xe0000000u, 0xefffffffu);
		interval_set_add(routing->pool, &routing->own, UINT32_MAX, UINT32_MAX);
		return;
	}
	interval_set_add(routing->pool, &routing->own, (number128)0xff00 << 112, ~(number128)0);
	interval_set_add(routing->pool, &routing->own, (number128)0xfe80 << 112, ((number128)0xfec0 << 112) - 1);
	interval_set_add(routing->pool, &routing->addresses, (number128)0xfe80 << 112,
			 ((number128)0xfec0 << 112) - 1);
}

/* --- ways -------------------------------------------------------------------------------------------- */

static const char *connected(const struct routing *routing, const struct address *via)
{
	for (size_t index = 0; index < routing->ways_count; index++) {
		struct interval network = prefix_interval(&routing->ways[index].prefix);

		if (via->family == routing->family && network.low <= via->value && via->value <= network.high)
			return routing->ways[index].interface;
	}
	return NULL;
}

static void add_routes(struct routing *routing)
{
	const struct device *device = routing->device;
	struct way *found = pool_array(routing->pool, struct way, device->routes_count + 1);
	size_t count = 0;

	for (size_t index = 0; index < device->routes_count; index++) {
		const struct device_route *route = &device->routes[index];
		const char *interface = connected(routing, &route->via);
		const struct prefix all = { routing->family, 0, 0 };

		if (interface != NULL && (route->is_default || route->prefix.family == routing->family))
			found[count++] = (struct way){ route->is_default ? all : route->prefix, interface };
	}
	for (size_t index = 0; index < count; index++)
		*pool_append(routing->pool, routing, ways) = found[index];
}

static int longer_first(const void *a, const void *b)
{
	const struct way *left = a, *right = b;

	return (int)right->prefix.length - (int)left->prefix.length;
}

/* --- sets -------------------------------------------------------------------------------------------- */

static const struct interval_set *one(struct routing *routing, number128 number)
{
	struct interval_set *set = pool_new(routing->pool, struct interval_set);

	*set = (struct interval_set){ 0 };
	interval_set_add(routing->pool, set, number, number);
	return set;
}

static void add_box(struct routing *routing, enum hook hook, const char *out,
		    const struct interval_set *source, const struct interval_set *destination)
{
	struct packet_box box = { .fields = {
		[FIELD_HOOK] = one(routing, hook),
		[FIELD_FAMILY] = one(routing, routing->family),
		[FIELD_SOURCE] = source,
		[FIELD_DESTINATION] = destination,
	} };

	if (out != NULL)
		box.fields[FIELD_OUT] =
			one(routing, packet_universe_interface_number(routing->space->universe, out));
	if (destination->items_count > 0)
		routing->set = packet_set_union(routing->space, routing->set, packet_set_box(routing->space, &box));
}

static void add_way(struct routing *routing, const char *out, const struct interval_set *destination)
{
	add_box(routing, HOOK_FORWARD, out, NULL, destination);
	add_box(routing, HOOK_OUTPUT, out, &routing->addresses, destination);
}

/* What the router sends to itself never leaves; to everybody on a wire it does. */
static void add_ways(struct routing *routing)
{
	struct interval_set rest = whole_of(routing->pool, routing->family);
	const struct interval_set others = interval_set_subtract(routing->pool, &routing->own, &routing->addresses);

	rest = interval_set_subtract(routing->pool, &rest, &routing->own);
	add_box(routing, HOOK_INPUT, NULL, NULL, &routing->own);
	add_box(routing, HOOK_OUTPUT, NULL, &routing->addresses, &others);
	for (size_t index = 0; index < routing->ways_count; index++) {
		struct interval network = prefix_interval(&routing->ways[index].prefix);
		struct interval_set *set = pool_new(routing->pool, struct interval_set);

		*set = (struct interval_set){ 0 };
		interval_set_add(routing->pool, set, network.low, network.high);
		*set = interval_set_intersect(routing->pool, set, &rest);
		rest = interval_set_subtract(routing->pool, &rest, set);
		add_way(routing, routing->ways[index].interface, set);
	}
	add_way(routing, NULL, &rest);
}

static packet_set of_family(void *pool, struct packet_space *space, const struct device *device,
			    enum family family)
{
	struct routing routing = {
		.pool = pool, .space = space, .device = device, .family = family, .set = packet_set_none(),
	};

	if (!is_known(device, family))
		return packet_set_value(space, FIELD_FAMILY, family);
	for (size_t index = 0; index < device->interfaces_count; index++)
		add_interface(&routing, &device->interfaces[index]);
	add_common(&routing);
	interval_set_normalise(&routing.own);
	interval_set_normalise(&routing.addresses);
	add_routes(&routing);
	qsort(routing.ways, routing.ways_count, sizeof *routing.ways, longer_first);
	add_ways(&routing);
	return routing.set;
}

packet_set router_possible(void *pool, struct packet_space *space, const struct device *device)
{
	return packet_set_union(space, of_family(pool, space, device, FAMILY_IPV4),
				of_family(pool, space, device, FAMILY_IPV6));
}
