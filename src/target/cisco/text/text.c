/* The configuration as IOS reads it back: numbers for ports unless words are asked for. */
#include "target/cisco/cisco.h"

#include <string.h>

#include "net/protocol.h"
#include "target/cisco/model/safe.h"
#include "target/cisco/text/line.h"

/* --- groups and time ranges ------------------------------------------------------------------- */

static void add_address(struct text *out, enum family family, number128 value)
{
	const struct address address = { family, value };

	address_format(out, &address);
}

/* "host A" | "A NETMASK" | "range A B"; IPv6: a prefix a line */
static void add_group_interval(struct text *out, enum family family, const struct interval *interval)
{
	struct prefix prefixes[254]; /* net/address.h */
	unsigned length;
	bool is_prefix = interval_is_prefix(family, interval, &length);

	if (family == FAMILY_IPV4 && !is_prefix) {
		text_add(out, " range ");
		add_address(out, family, interval->low);
		text_add_char(out, ' ');
		add_address(out, family, interval->high);
		text_add_char(out, '\n');
		return;
	}
	size_t count = interval_to_prefixes(family, interval, prefixes);

	for (size_t index = 0; index < count; index++) {
		const struct prefix *prefix = &prefixes[index];

		text_add(out, prefix->length == family_bits(family) ? " host " : " ");
		if (prefix->length == family_bits(family)) {
			add_address(out, family, prefix->value);
		} else if (family == FAMILY_IPV6) {
			prefix_format(out, prefix);
		} else {
			add_address(out, family, prefix->value);
			text_add_char(out, ' ');
			add_address(out, family, UINT32_MAX - ((UINT32_C(1) << (32 - prefix->length)) - 1));
		}
		text_add_char(out, '\n');
	}
}

static void add_group(struct text *out, const struct ios_group *group)
{
	const struct interval_set *set;

	if (group->is_service) {
		text_addf(out, "object-group %s %s\n", group->family == FAMILY_IPV4 ? "service" : "v6-service",
			  group->name);
		text_add_group_services(out, group->family, group->services);
		return;
	}
	text_addf(out, "object-group %s %s\n", group->family == FAMILY_IPV4 ? "network" : "v6-network",
		  group->name);
	set = address_set_family(group->addresses, group->family);
	for (size_t index = 0; index < set->items_count; index++)
		add_group_interval(out, group->family, &set->items[index]);
}

static void add_time_range(struct text *out, const struct ios_time_range *range)
{
	text_addf(out, "time-range %s\n", range->name);
	for (size_t index = 0; index < range->lines_count; index++)
		text_addf(out, " %s\n", range->lines[index]);
}

#define LINE_LENGTH 80 /* of most */

/* --- lists ------------------------------------------------------------------------------------ */

static void add_list(struct text *out, const struct ios_list *list, const struct cisco_settings *settings)
{
	struct text_lines lines = {
		.out = out, .family = list->family, .has_port_words = settings->has_port_words,
	};

	if (!list->is_numbered)
		text_addf(out, "%s access-list %s%s\n", list->family == FAMILY_IPV4 ? "ip" : "ipv6",
			  list->family == FAMILY_IPV4 ? "extended " : "", list->name);
	text_reserve(out, list->lines_count * LINE_LENGTH);
	for (size_t index = 0; index < list->lines_count; index++) {
		if (list->is_numbered)
			text_addf(out, "access-list %s ", list->name);
		else
			text_add_char(out, ' ');
		text_add_line(&lines, &list->lines[index]);
		text_add_char(out, '\n');
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

static void add_blocks(struct text *out, const struct ios_block *blocks, size_t count)
{
	for (size_t index = 0; index < count; index++) {
		text_addf(out, "%s\n", blocks[index].head);
		for (size_t line = 0; line < blocks[index].lines_count; line++)
			text_addf(out, " %s\n", blocks[index].lines[line]);
	}
	if (count > 0)
		text_add(out, "!\n");
}

static void add_binding(struct text *out, const char *command, const char *list, const char *direction)
{
	if (list != NULL)
		text_addf(out, " %s %s %s\n", command, list, direction);
}

static void add_interface_addresses(struct text *out, const struct device_interface *interface)
{
	bool has_v4 = false;

	for (size_t index = 0; index < interface->addresses_count; index++) {
		const struct prefix *prefix = &interface->addresses[index];

		if (prefix->family == FAMILY_IPV6) {
			text_add(out, " ipv6 address ");
			prefix_format(out, prefix);
			text_add_char(out, '\n');
			continue;
		}
		text_add(out, " ip address ");
		add_address(out, FAMILY_IPV4, prefix->value);
		text_add_char(out, ' ');
		add_address(out, FAMILY_IPV4, prefix->length == 0 ? 0 :
			    UINT32_MAX - (uint32_t)(((uint64_t)1 << (32 - prefix->length)) - 1));
		text_add(out, has_v4 ? " secondary\n" : "\n");
		has_v4 = true;
	}
}

static void add_interface(struct text *out, const struct ios_interface *interface)
{
	text_addf(out, "interface %s\n", interface->interface->name);
	if (interface->interface->description != NULL)
		text_addf(out, " description %s\n", interface->interface->description);
	add_interface_addresses(out, interface->interface);
	if (interface->interface->clock_rate != 0)
		text_addf(out, " clock rate %u\n", interface->interface->clock_rate);
	if (interface->is_silent)
		text_add(out, interface->in_v6 != NULL ? " no ip unreachables\n no ipv6 unreachables\n" :
			 " no ip unreachables\n");
	if (interface->nat != IOS_NAT_NONE)
		text_addf(out, " ip nat %s\n", interface->nat == IOS_NAT_INSIDE ? "inside" : "outside");
	add_binding(out, "ip access-group", interface->in_v4, "in");
	add_binding(out, "ip access-group", interface->out_v4, "out");
	add_binding(out, "ipv6 traffic-filter", interface->in_v6, "in");
	add_binding(out, "ipv6 traffic-filter", interface->out_v6, "out");
	if (interface->crypto_map != NULL)
		text_addf(out, " crypto map %s\n", interface->crypto_map);
	if (interface->has_no_cdp)
		text_add(out, " no cdp enable\n");
	text_add(out, interface->interface->is_shutdown ? " shutdown\n!\n" : " no shutdown\n!\n");
}

void cisco_text(struct text *out, const struct ios_config *config, const struct cisco_settings *settings)
{
	if (config->device != NULL)
		text_addf(out, "! device %s\n",
			  safe_text(out->pool, config->device->name, strlen(config->device->name),
				    SAFE_REMARK_MAX));
	add_blocks(out, config->globals, config->globals_count);
	for (size_t index = 0; index < config->time_ranges_count; index++)
		add_time_range(out, &config->time_ranges[index]);
	for (size_t index = 0; index < config->groups_count; index++)
		add_group(out, config->groups[index]);
	if (config->time_ranges_count + config->groups_count > 0)
		text_add(out, "!\n");
	for (size_t index = 0; index < config->lists_count; index++) {
		add_list(out, config->lists[index], settings);
		text_add(out, "!\n");
	}
	add_blocks(out, config->maps, config->maps_count);
	for (size_t index = 0; index < config->interfaces_count; index++)
		add_interface(out, &config->interfaces[index]);
	add_blocks(out, config->routing, config->routing_count);
	for (size_t index = 0; index < config->checks_count; index++)
		text_addf(out, "! %s\n", config->checks[index]);
}
