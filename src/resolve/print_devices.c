/* What was not said is not printed, but for answers that have a default with consequences. */
#include "resolve/print_devices.h"

#include "resolve/print_sets.h"

/* --- devices ------------------------------------------------------------------------------ */

static void print_interface(struct text *out, const struct device_interface *interface)
{
	text_addf(out, "  interface %s", interface->name);
	if (interface->zone != NULL)
		text_addf(out, " zone %s", interface->zone->name);
	for (size_t i = 0; i < interface->addresses_count; i++) {
		text_add_char(out, ' ');
		prefix_format(out, &interface->addresses[i]);
	}
	if (interface->clock_rate != 0)
		text_addf(out, " clock-rate %u", (unsigned)interface->clock_rate);
	if (interface->description != NULL)
		text_addf(out, " description \"%s\"", interface->description);
	text_add(out, interface->is_shutdown ? " shutdown\n" : "\n");
}

static void print_route(struct text *out, const struct device_route *route)
{
	text_add(out, "  route ");
	if (route->is_default)
		text_add(out, "default");
	else
		prefix_format(out, &route->prefix);
	text_add(out, " via ");
	address_format(out, &route->via);
	text_add_char(out, '\n');
}

static void print_replies(struct text *out, enum replies replies)
{
	static const char *const words[] = {
		[REPLIES_UNSAID] = "(not said)",
		[REPLIES_ESTABLISHED] = "established",
		[REPLIES_REFLEXIVE] = "reflexive",
		[REPLIES_NONE] = "none",
	};
	text_addf(out, "  replies %s\n", words[replies]);
}

static void print_cdp(struct text *out, const struct device *device)
{
	for (size_t i = 0; i < device->cdp_off_count; i++) {
		const struct zone *zone = device->cdp_off[i].zone;
		text_addf(out, "  cdp off%s%s\n", zone == NULL ? "" : " on ",
			  zone == NULL ? "" : zone->name);
	}
	if (device->cdp_timer_s != 0)
		text_addf(out, "  cdp timer %u\n", (unsigned)device->cdp_timer_s);
	if (device->cdp_holdtime_s != 0)
		text_addf(out, "  cdp holdtime %u\n", (unsigned)device->cdp_holdtime_s);
}

static void print_switches(struct text *out, const struct device *device)
{
	if (device->is_denied_silent)
		text_add(out, "  denied silent\n");
	if (device->has_object_groups)
		text_addf(out, "  object-groups %s\n", device->has_object_groups_v6 ? "ios-xe" : "yes");
	if (device->has_multi_port_eq)
		text_add(out, "  multi-port-eq yes\n");
	if (device->degrades_limit)
		text_add(out, "  degrade limit\n");
}

void print_device(struct text *out, const struct device *device)
{
	text_addf(out, "device %s target %s\n", device->name,
		  device->target == NULL ? "(none)" : device->target);
	if (device->hostname != NULL)
		text_addf(out, "  hostname %s\n", device->hostname);
	for (size_t i = 0; i < device->interfaces_count; i++)
		print_interface(out, &device->interfaces[i]);
	for (size_t i = 0; i < device->routes_count; i++)
		print_route(out, &device->routes[i]);
	print_replies(out, device->replies);
	print_cdp(out, device);
	print_switches(out, device);
}

/* --- tunnels ------------------------------------------------------------------------------ */

static void print_end(struct text *out, const struct tunnel_end *end)
{
	if (end->device == NULL) {
		text_add(out, "  between peer ");
		address_format(out, &end->peer);
		text_add_char(out, '\n');
		return;
	}
	text_addf(out, "  between %s on %s\n", end->device->name,
		  end->zone == NULL ? "(none)" : end->zone->name);
}

static void print_carry(struct text *out, const struct tunnel_carry *carry)
{
	text_add(out, "  carry ");
	address_set_print(out, &carry->left);
	text_add(out, " <-> ");
	address_set_print(out, &carry->right);
	text_add_char(out, '\n');
}

static void print_settings(struct text *out, const char *phase, const struct tunnel_setting *settings,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_addf(out, "  %s %s %s%s%s\n", phase, settings[i].key, settings[i].value,
			  settings[i].unit == NULL ? "" : " ",
			  settings[i].unit == NULL ? "" : settings[i].unit);
}

void print_tunnel(struct text *out, const struct tunnel *tunnel)
{
	text_addf(out, "tunnel %s\n", tunnel->name);
	for (size_t i = 0; i < 2; i++)
		print_end(out, &tunnel->ends[i]);
	for (size_t i = 0; i < tunnel->carries_count; i++)
		print_carry(out, &tunnel->carries[i]);
	print_settings(out, "ike", tunnel->ike, tunnel->ike_count);
	print_settings(out, "esp", tunnel->esp, tunnel->esp_count);
	if (tunnel->key_env != NULL)
		text_addf(out, "  key of environment variable %s\n", tunnel->key_env);
	if (tunnel->key_file != NULL)
		text_addf(out, "  key of file \"%s\"\n", tunnel->key_file);
}
