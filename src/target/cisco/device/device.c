/* A device's whole configuration: the router itself, and the parts that other files make. */
#include "target/cisco/device/lowering.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"
#include "target/cisco/model/safe.h"

#define HOSTNAME_LONGEST 63 /* RFC 1123 */
#define INTERFACE_LONGEST 40 /* lists are named after it, with words before and behind: IOS takes 64 */
#define DESCRIPTION_LONGEST 240
#define LIST_NAME "FWC"     /* where the settings say none */

/* --- names ---------------------------------------------------------------------------------------- */

const char *lowering_name(struct device_lowering *lowering, const char *text)
{
	const char *base = pool_format(lowering->pool, "%s-%s", lowering->prefix,
				       safe_name(lowering->pool, text));
	const char *name = base;
	for (unsigned number = 2; names_find(lowering->names, name, strlen(name)) != NULL; number++)
		name = pool_format(lowering->pool, "%s-%u", base, number);
	names_set(lowering->names, name, strlen(name), lowering);
	return name;
}

static void report_name(struct device_lowering *lowering, struct span span, const char *what,
			const char *name, const char *rule)
{
	struct diagnostic *error =
		diag_add(lowering->diags, CODE_DEVICE_NAME, span, "%s '%s' is not one that IOS takes", what,
			 name);
	diag_note(lowering->diags, error, SPAN_NONE, "IOS takes %s", rule);
}

/* RFC 1123, and IOS's own: a letter first. */
static bool is_hostname(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > HOSTNAME_LONGEST || !isalpha((unsigned char)name[0]) ||
	    name[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isascii((unsigned char)name[i]) ||
		    (!isalnum((unsigned char)name[i]) && name[i] != '-'))
			return false;
	return true;
}

/* A kind and where it is: "Serial0/0", "GigabitEthernet0/0/1.10", "Port-channel1". */
static bool is_interface(const char *name)
{
	size_t kind = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-");
	size_t place = strspn(name + kind, "0123456789/.:");
	return isalpha((unsigned char)name[0]) && isdigit((unsigned char)name[kind]) &&
	       name[kind + place] == '\0' && isdigit((unsigned char)name[kind + place - 1]) &&
	       kind + place <= INTERFACE_LONGEST;
}

static void check_names(struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	if (device->hostname != NULL && !is_hostname(device->hostname))
		report_name(lowering, device->span, "the hostname", device->hostname,
			    "letters, digits and '-', a letter first, at most 63");
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (!is_interface(device->interfaces[i].name))
			report_name(lowering, device->interfaces[i].span, "the interface's name",
				    device->interfaces[i].name,
				    "a kind and a number, such as 'Serial0/0', at most 40 characters");
}

/* --- addresses and ways --------------------------------------------------------------------------- */

const struct prefix *interface_address(const struct device_interface *interface, enum family family)
{
	for (size_t i = 0; i < interface->addresses_count; i++)
		if (interface->addresses[i].family == family)
			return &interface->addresses[i];
	return NULL;
}

bool device_has_family(const struct device *device, enum family family)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (interface_address(&device->interfaces[i], family) != NULL)
			return true;
	return false;
}

static bool prefix_holds(const struct prefix *prefix, const struct address *address)
{
	struct interval interval = prefix_interval(prefix);
	return prefix->family == address->family && address->value >= interval.low &&
	       address->value <= interval.high;
}

static const struct device_interface *connected_towards(const struct device *device,
							const struct address *address)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++)
			if (prefix_holds(&device->interfaces[i].addresses[j], address))
				return &device->interfaces[i];
	return NULL;
}

const struct device_interface *device_towards(const struct device *device, const struct address *address)
{
	const struct device_interface *way = connected_towards(device, address);
	const struct device_route *best = NULL;
	for (size_t i = 0; i < device->routes_count && way == NULL; i++) {
		const struct device_route *route = &device->routes[i];
		if (prefix_holds(&route->prefix, address) &&
		    (best == NULL || route->prefix.length > best->prefix.length))
			best = route;
	}
	return best == NULL ? way : connected_towards(device, &best->via);
}

/* --- the router itself ------------------------------------------------------------------------------ */

static void add_global(struct device_lowering *lowering, struct ios_block block)
{
	*pool_append(lowering->pool, lowering->config, globals) = block;
}

/* IPv6 is not routed unless it is said. */
static bool routes_ipv6(const struct device *device)
{
	size_t count = 0;
	for (size_t i = 0; i < device->interfaces_count; i++)
		count += interface_address(&device->interfaces[i], FAMILY_IPV6) != NULL;
	return count > 1;
}

static void add_itself(struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	if (device->hostname != NULL)
		add_global(lowering, form_block(lowering->pool, "hostname %s", device->hostname));
	if (routes_ipv6(device))
		add_global(lowering, form_block(lowering->pool, "ipv6 unicast-routing"));
}

static void add_cdp(struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	for (size_t i = 0; i < device->cdp_off_count; i++)
		if (device->cdp_off[i].zone == NULL) {
			add_global(lowering, form_block(lowering->pool, "no cdp run"));
			break;
		}
	if (device->cdp_timer_s != 0)
		add_global(lowering, form_block(lowering->pool, "cdp timer %u", device->cdp_timer_s));
	if (device->cdp_holdtime_s != 0)
		add_global(lowering,
			   form_block(lowering->pool, "cdp holdtime %u", device->cdp_holdtime_s));
}

static bool is_cdp_off(const struct device *device, const struct zone *zone)
{
	for (size_t i = 0; i < device->cdp_off_count && zone != NULL; i++)
		if (device->cdp_off[i].zone == zone)
			return true;
	return false;
}

/* The interface with a description that IOS takes: it has room for 240 characters. */
static const struct device_interface *described(struct device_lowering *lowering,
						const struct device_interface *interface)
{
	if (interface->description == NULL)
		return interface;
	struct device_interface *copy = pool_new(lowering->pool, struct device_interface);
	*copy = *interface;
	copy->description = safe_text(lowering->pool, interface->description,
				      strlen(interface->description), DESCRIPTION_LONGEST);
	if (copy->description[0] == '\0')
		copy->description = NULL;
	return copy;
}

static void add_interfaces(struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	for (size_t i = 0; i < device->interfaces_count; i++) {
		const struct device_interface *interface = &device->interfaces[i];
		*pool_append(lowering->pool, lowering->config, interfaces) = (struct ios_interface){
			.interface = described(lowering, interface),
			.is_silent = device->is_denied_silent && interface->zone != NULL,
			.has_no_cdp = is_cdp_off(device, interface->zone),
		};
	}
}

static void add_routes(struct device_lowering *lowering)
{
	void *pool = lowering->pool;
	for (size_t i = 0; i < lowering->device->routes_count; i++) {
		const struct device_route *route = &lowering->device->routes[i];
		const struct address network = { route->prefix.family, route->prefix.value };
		const char *via = form_address(pool, &route->via);
		struct ios_block block = route->prefix.family == FAMILY_IPV4 ?
			form_block(pool, "ip route %s %s %s", form_address(pool, &network),
				   form_mask(pool, route->prefix.length), via) :
			form_block(pool, "ipv6 route %s/%u %s", form_address(pool, &network),
				   route->prefix.length, via);
		*pool_append(pool, lowering->config, routing) = block;
	}
}

/* --- all of it --------------------------------------------------------------------------------------- */

struct ios_config *cisco_lower_device(void *pool, struct diags *diags, const struct ruleset *ruleset,
				      const struct device *device,
				      const struct cisco_settings *settings)
{
	size_t errors = diags->error_count;
	struct device_lowering lowering = {
		.pool = pool,
		.diags = diags,
		.ruleset = ruleset,
		.policy = ruleset->policy,
		.device = device,
		.settings = settings,
		.config = pool_new(pool, struct ios_config),
		.outsides = pool_array(pool, struct nat_outside, device->interfaces_count),
		.prefix = settings->name == NULL ? LIST_NAME : settings->name,
		.names = names_new(pool, true),
	};
	lowering.config->device = device;
	check_names(&lowering);
	add_itself(&lowering);
	add_cdp(&lowering);
	add_interfaces(&lowering);
	device_translate(&lowering);
	device_tunnel(&lowering);
	device_filter(&lowering);
	add_routes(&lowering);
	return diags->error_count == errors ? lowering.config : NULL;
}
