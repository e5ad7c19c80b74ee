/* Devices and their interfaces. The parser has checked the shape of every line
 * (src/ast/shape.c): keys are known, words are as many and of the kind that the key takes. */
#include "resolve/devices.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "resolve/literal.h"
#include "resolve/zones.h"
#include "services/walk.h"

/* A device and its statement. */
struct reading {
	struct resolver *resolver;
	struct device *device;
	struct names *interfaces; /* -> struct ast_word of the first */
};

static bool is_word(const struct ast_word *word, const char *text)
{
	return word != NULL && strcmp(word->text, text) == 0;
}

/* --- interfaces ---------------------------------------------------------------------------------- */

static void report_interface(const struct reading *reading, struct span span, const char *what,
			     const char *way)
{
	struct diagnostic *error =
		diag_add(reading->resolver->diags, CODE_DEVICE_INTERFACE, span, "%s", what);
	diag_note(reading->resolver->diags, error, SPAN_NONE, "%s", way);
}

static void report_elsewhere(struct resolver *resolver, struct span span, const char *way, const char *format,
			     ...) __attribute__((format(printf, 4, 5)));

static void report_elsewhere(struct resolver *resolver, struct span span, const char *way, const char *format,
			     ...)
{
	struct text *message = text_new(resolver->pool);
	va_list arguments;
	va_start(arguments, format);
	text_addv(message, format, arguments);
	va_end(arguments);
	struct diagnostic *error =
		diag_add(resolver->diags, CODE_ZONE_ELSEWHERE, span, "%s", message->bytes);
	diag_note(resolver->diags, error, SPAN_NONE, "%s", way);
}

/* A router takes no network's first or last address (but of /31, /32, /127, /128) as its own. */
static bool is_host_address(const struct prefix *prefix)
{
	struct interval network = prefix_interval(prefix);
	if (prefix->length + 1 >= family_bits(prefix->family))
		return true;
	return prefix->value != network.low &&
	       (prefix->family == FAMILY_IPV6 || prefix->value != network.high);
}

/* Two interfaces of one device do not share a network. */
static bool shares_network(const struct device *device, const struct prefix *prefix)
{
	struct interval own = prefix_interval(prefix);
	for (size_t i = 0; i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++) {
			const struct prefix *other = &device->interfaces[i].addresses[j];
			struct interval network = prefix_interval(other);
			if (other->family == prefix->family && network.low <= own.high &&
			    own.low <= network.high)
				return true;
		}
	return false;
}

static void add_address(const struct reading *reading, struct device_interface *interface,
			const struct ast_word *word)
{
	struct prefix prefix;
	if (word->kind != AST_WORD_PREFIX)
		return; /* the parser told */
	if (word->is_reported || !literal_prefix(reading->resolver, word, true, &prefix))
		return;
	if (!is_host_address(&prefix))
		report_interface(reading, word->span,
				 "this is the network itself, or its broadcast address",
				 "write the interface's own address, with the length of its network");
	else if (shares_network(reading->device, &prefix))
		report_interface(reading, word->span,
				 "another interface of the device has addresses of this network",
				 "IOS routes each network to one interface: correct the address or its length");
	else
		*pool_append(reading->resolver->pool, interface, addresses) = prefix;
}

static void read_clock_rate(const struct reading *reading, struct device_interface *interface,
			    const struct ast_word *word)
{
	uint64_t rate;
	if (number_resolve(word, UINT32_MAX, &rate) && rate != 0)
		interface->clock_rate = (uint32_t)rate;
	else
		diag_add(reading->resolver->diags, CODE_BAD_NUMBER, word->span,
			 "'%s' is not a clock rate in bits a second", word->text);
}

static void read_interface_line(const struct reading *reading, struct device_interface *interface,
				const struct ast_property *line)
{
	const struct ast_word *word = line->words;
	if (is_word(line->key, "shutdown"))
		interface->is_shutdown = true;
	else if (word == NULL)
		return; /* the parser told */
	else if (is_word(line->key, "zone"))
		interface->zone = zone_find(reading->resolver, word);
	else if (is_word(line->key, "clock-rate"))
		read_clock_rate(reading, interface, word);
	else if (is_word(line->key, "description"))
		interface->description = word->text;
	else if (is_word(line->key, "address"))
		for (; word != NULL; word = word->next)
			add_address(reading, interface, word);
}

static void read_interface(struct reading *reading, const struct ast_property *property)
{
	const struct ast_word *name = property->words;
	if (name == NULL || name->is_reported)
		return;
	const struct ast_word *before = names_find(reading->interfaces, name->text, name->length);
	if (before != NULL) {
		struct diagnostic *error =
			diag_add(reading->resolver->diags, CODE_DEVICE_INTERFACE, name->span,
				 "interface '%s' stands in this device already", name->text);
		diag_note(reading->resolver->diags, error, before->span, "here");
		return;
	}
	names_set(reading->interfaces, name->text, name->length, (void *)(uintptr_t)name);
	struct device_interface interface = { .name = name->text, .span = name->span };
	for (const struct ast_property *line = property->children; line != NULL; line = line->next)
		read_interface_line(reading, &interface, line);
	*pool_append(reading->resolver->pool, reading->device, interfaces) = interface;
}

/* --- routes, cdp ------------------------------------------------------------------------------------ */

static void read_route(struct reading *reading, const struct ast_property *property)
{
	const struct ast_word *to = property->words;
	if (to == NULL || to->next == NULL || to->next->next == NULL)
		return; /* the parser told */
	const struct ast_word *via = to->next->next;
	struct device_route route = { .span = property->span, .is_default = is_word(to, "default") };
	if (!literal_address(reading->resolver, via, &route.via))
		return;
	if (route.is_default)
		route.prefix.family = route.via.family;
	else if (!literal_prefix(reading->resolver, to, false, &route.prefix))
		return;
	if (route.prefix.family != route.via.family) {
		diag_add(reading->resolver->diags, CODE_FAMILY_MISMATCH, property->span,
			 "the route and its gateway are of different families");
		return;
	}
	*pool_append(reading->resolver->pool, reading->device, routes) = route;
}

static bool read_seconds(struct reading *reading, const struct ast_word *word, uint32_t low,
			 uint32_t high, uint32_t *seconds)
{
	uint64_t number = 0;
	if (number_resolve(word, high, &number) && number >= low) {
		*seconds = (uint32_t)number;
		return true;
	}
	diag_add(reading->resolver->diags, CODE_CDP_LIMITS, word->span,
		 "'%s' is not within %u to %u seconds", word->text, low, high);
	return false;
}

static void read_cdp(struct reading *reading, const struct ast_property *property)
{
	struct device *device = reading->device;
	const struct ast_word *what = property->words;
	if (what == NULL)
		return; /* the parser told */
	device->cdp_span = property->span;
	if (is_word(what, "timer") && what->next != NULL)
		read_seconds(reading, what->next, 5, 254, &device->cdp_timer_s);
	else if (is_word(what, "holdtime") && what->next != NULL)
		read_seconds(reading, what->next, 10, 255, &device->cdp_holdtime_s);
	if (!is_word(what, "off"))
		return;
	struct device_cdp_off off = { .span = property->span };
	if (what->next != NULL && what->next->next != NULL) {
		off.zone = zone_find(reading->resolver, what->next->next);
		if (off.zone == NULL)
			return;
	}
	*pool_append(reading->resolver->pool, device, cdp_off) = off;
}

/* IOS takes both values; neighbours would then forget the device between two messages. */
static void check_cdp(struct reading *reading)
{
	const struct device *device = reading->device;
	uint32_t timer = device->cdp_timer_s == 0 ? 60 : device->cdp_timer_s;       /* IOS's own */
	uint32_t hold = device->cdp_holdtime_s == 0 ? 180 : device->cdp_holdtime_s; /* likewise */
	if (hold < timer)
		diag_add(reading->resolver->diags, CODE_CDP_HOLDTIME, device->cdp_span,
			 "the hold time (%u s) is shorter than the timer (%u s)", hold, timer);
}

/* CDP is switched off where the zone is: somewhere on the device. */
static void check_cdp_zones(struct reading *reading)
{
	const struct device *device = reading->device;
	for (size_t i = 0; i < device->cdp_off_count; i++) {
		const struct device_cdp_off *off = &device->cdp_off[i];
		bool is_found = off->zone == NULL;
		for (size_t j = 0; j < device->interfaces_count; j++)
			is_found = is_found || device->interfaces[j].zone == off->zone;
		if (!is_found)
			report_elsewhere(reading->resolver, off->span,
					 "put an interface of the device into the zone: 'zone NAME;' in its block",
					 "device '%s' has no interface in zone '%s'", device->name,
					 off->zone->name);
	}
}

/* --- devices ------------------------------------------------------------------------------------------ */

static void read_target(struct reading *reading, const struct ast_word *word)
{
	static const char *const targets[] = { "cisco-ios", "nft" };
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		if (is_word(word, targets[i]))
			reading->device->target = targets[i];
	if (reading->device->target != NULL)
		return;
	struct diagnostic *error = diag_add(reading->resolver->diags, CODE_DEVICE_TARGET, word->span,
					    "unknown target '%s'", word->text);
	diag_note(reading->resolver->diags, error, SPAN_NONE, "targets are: cisco-ios, nft");
}

static enum replies replies_of(const struct ast_word *word)
{
	if (is_word(word, "established"))
		return REPLIES_ESTABLISHED;
	return is_word(word, "reflexive") ? REPLIES_REFLEXIVE : REPLIES_NONE;
}

static void read_degrade(struct reading *reading, const struct ast_word *word)
{
	for (; word != NULL; word = word->next) {
		if (is_word(word, "limit"))
			reading->device->degrades_limit = true;
		else
			diag_add(reading->resolver->diags, CODE_DEVICE_ITEM, word->span,
				 "'%s' cannot be degraded; 'limit' can", word->text);
	}
}

static void read_groups(struct device *device, const struct ast_word *word)
{
	device->has_object_groups_v6 = is_word(word, "ios-xe");
	device->has_object_groups = device->has_object_groups_v6 || is_word(word, "yes");
}

static void read_line(struct reading *reading, const struct ast_property *line)
{
	struct device *device = reading->device;
	const struct ast_word *word = line->words;
	if (word == NULL)
		return; /* the parser told */
	if (is_word(line->key, "interface"))
		read_interface(reading, line);
	else if (is_word(line->key, "route"))
		read_route(reading, line);
	else if (is_word(line->key, "cdp"))
		read_cdp(reading, line);
	else if (is_word(line->key, "target"))
		read_target(reading, word);
	else if (is_word(line->key, "hostname"))
		device->hostname = word->text;
	else if (is_word(line->key, "replies"))
		device->replies = replies_of(word);
	else if (is_word(line->key, "denied"))
		device->is_denied_silent = is_word(word, "silent");
	else if (is_word(line->key, "object-groups"))
		read_groups(device, word);
	else if (is_word(line->key, "multi-port-eq"))
		device->has_multi_port_eq = is_word(word, "yes");
	else if (is_word(line->key, "degrade"))
		read_degrade(reading, word);
}

static bool has_line(const struct ast_device *ast, const char *key)
{
	for (const struct ast_property *line = ast->properties; line != NULL; line = line->next)
		if (is_word(line->key, key))
			return true;
	return false;
}

static void read_device(struct resolver *resolver, const struct ast_device *ast)
{
	struct device *device = names_find(resolver->devices, ast->name->text, ast->name->length);
	if (device == NULL || device->span.begin != ast->name->span.begin ||
	    device->span.source != ast->name->span.source)
		return; /* a duplicate */
	struct reading reading = { .resolver = resolver, .device = device,
				   .interfaces = names_new(resolver->pool, false) };
	for (const struct ast_property *line = ast->properties; line != NULL; line = line->next)
		read_line(&reading, line);
	if (!has_line(ast, "target"))
		diag_add(resolver->diags, CODE_DEVICE_TARGET, device->span,
			 "device '%s' has no 'target' line", device->name);
	check_cdp(&reading);
	check_cdp_zones(&reading);
	*pool_append(resolver->pool, resolver->policy, devices) = device;
}

static void collect(struct resolver *resolver, const struct ast_word *name)
{
	struct device *before = names_find(resolver->devices, name->text, name->length);
	if (before != NULL) {
		struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_DEVICE,
						    name->span, "'%s' is a device already",
						    name->text);
		diag_note(resolver->diags, error, before->span, "'%s' is defined here",
			  before->name);
		return;
	}
	struct device *device = pool_new(resolver->pool, struct device);
	device->name = name->text;
	device->span = name->span;
	device->cdp_span = SPAN_NONE;
	names_set(resolver->devices, name->text, name->length, device);
}

void devices_collect(struct resolver *resolver)
{
	struct walk walk = walk_begin_others(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		if (statement->kind == AST_DEVICE)
			collect(resolver, statement->device.name);
}

/* --- zones on devices --------------------------------------------------------------------------------- */

static void add_networks(struct resolver *resolver, struct zone *zone,
			 const struct device_interface *interface)
{
	for (size_t i = 0; i < interface->addresses_count; i++) {
		struct prefix network = prefix_network(&interface->addresses[i]);
		address_set_add_prefix(resolver->pool, &zone->networks, &network);
	}
}

static void add_device_networks(struct resolver *resolver, struct zone *zone,
				const struct device *device)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (device->interfaces[i].zone == zone)
			add_networks(resolver, zone, &device->interfaces[i]);
}

/* Without a line of its own: the connected networks here, else those elsewhere. */
static void set_zone_networks(struct resolver *resolver, struct zone *zone)
{
	const struct policy *policy = resolver->policy;
	struct address_set all = zone->networks;
	zone->networks = (struct address_set){ 0 };
	if (resolver->device != NULL)
		add_device_networks(resolver, zone, resolver->device);
	if (!zone->has_interfaces)
		for (size_t i = 0; i < policy->devices_count; i++)
			add_device_networks(resolver, zone, policy->devices[i]);
	address_set_normalise(&zone->networks);
	zone->has_networks = !address_set_is_empty(&zone->networks);
	if (!zone->has_networks)
		zone->networks = all;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The interfaces of a zone on the device; what its `interface` lines say is for a host. */
static void set_zone_interfaces(struct resolver *resolver, struct zone *zone)
{
	const struct device *device = resolver->device;
	struct interface_set own = { 0 };
	zone->has_interfaces = false;
	zone->interfaces = interface_set_all();
	if (device == NULL)
		return;
	own.names = pool_array(resolver->pool, const char *, device->interfaces_count);
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (device->interfaces[i].zone == zone)
			own.names[own.names_count++] = device->interfaces[i].name;
	if (own.names_count == 0)
		return;
	qsort(own.names, own.names_count, sizeof *own.names, compare_names);
	zone->has_interfaces = true;
	zone->interfaces = own;
}

void devices_place_zones(struct resolver *resolver)
{
	if (names_count(resolver->devices) == 0 && !resolver->settings->is_by_address)
		return;
	for (size_t i = 0; i < resolver->policy->zones_count; i++) {
		struct zone *zone = resolver->policy->zones[i];
		set_zone_interfaces(resolver, zone);
		if (!zone->has_networks)
			set_zone_networks(resolver, zone);
	}
}

bool device_zone_is_known(struct resolver *resolver, const struct zone *zone, struct span use)
{
	if (zone->has_networks || (resolver->device == NULL && !resolver->settings->is_by_address))
		return true;
	if (resolver->device == NULL) {
		report_elsewhere(resolver, use, "write a 'network' line into the zone, or define the router",
				 "zone '%s' has no network: a list without a device knows zones by their "
				 "addresses alone", zone->name);
		return false;
	}
	if (zone->has_interfaces)
		report_elsewhere(resolver, use,
				 "give the interface an 'address', or write a 'network' line into the zone",
				 "zone '%s' has no network: its interface '%s' on device '%s' has no address",
				 zone->name, zone->interfaces.names[0], resolver->device->name);
	else
		report_elsewhere(resolver, use,
				 "put an interface of the device into the zone, or write a 'network' line into it",
				 "zone '%s' has no interface on device '%s', and no network", zone->name,
				 resolver->device->name);
	return false;
}

/* --- all devices -------------------------------------------------------------------------------------- */

static void find_viewpoint(struct resolver *resolver)
{
	const char *name = resolver->settings->device;
	if (name == NULL)
		return;
	resolver->device = names_find(resolver->devices, name, strlen(name));
	resolver->policy->device = resolver->device;
	if (resolver->device != NULL)
		return;
	struct diagnostic *error = diag_add(resolver->diags, CODE_UNKNOWN_DEVICE, SPAN_NONE,
					    "the policy has no device '%s'", name);
	const char *nearest = names_nearest(resolver->devices, name, strlen(name));
	if (nearest != NULL)
		diag_note(resolver->diags, error, SPAN_NONE, "did you mean '%s'?", nearest);
}

void devices_resolve(struct resolver *resolver)
{
	struct walk walk = walk_begin_others(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		if (statement->kind == AST_DEVICE)
			read_device(resolver, &statement->device);
	find_viewpoint(resolver);
}
