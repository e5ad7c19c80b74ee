/* Destination translation on a router: one static entry a port. */
#include "target/cisco/device/nat.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/model/form.h"

#define PORTS_MOST 256 /* static entries of one `forward` */

/* One static entry. */
struct entry {
	const struct rule_translation *translation;
	const char *protocol;
	unsigned public_port, host_port;
	const char *host;
	const char *route_map; /* or NULL */
};

/* Zones that have an interface here: where the packets come in, all of them and no others are
 * translated. A list elsewhere would let in what then reaches the router itself. */
static bool places_are_outside(const struct place_list *list)
{
	if (list->excepts_count > 0)
		return false;
	for (size_t i = 0; i < list->items_count; i++)
		if (list->items[i].kind != PLACE_ZONE || !list->items[i].zone->has_interfaces)
			return false;
	return true;
}

static bool check_forward(struct natting *natting, const struct rule_translation *translation)
{
	const struct translation *source = translation->source;
	bool is_outside = source->from != NULL;
	for (const struct place_scope *scope = source->from; scope != NULL; scope = scope->outer)
		is_outside = is_outside && places_are_outside(scope->list);
	if (!is_outside) {
		nat_report(natting, translation, "IOS translates whatever comes in by an outside interface",
			   "name zones with interfaces of the device in 'from', and deny what else comes "
			   "from there");
		return false;
	}
	for (size_t i = 0; i < translation->services.tuples_count; i++) {
		const struct service_tuple *tuple = &translation->services.tuples[i];
		if ((tuple->protocol == PROTOCOL_TCP || tuple->protocol == PROTOCOL_UDP) &&
		    tuple->second.low == 0 && tuple->second.high == UINT16_MAX)
			continue;
		nat_report(natting, translation, "IOS forwards ports of tcp and udp, from every source port",
		       NULL);
		return false;
	}
	return true;
}

static size_t count_ports(const struct tuple_set *services)
{
	size_t count = 0;
	for (size_t i = 0; i < services->tuples_count; i++)
		count += (size_t)(services->tuples[i].first.high - services->tuples[i].first.low) + 1;
	return count;
}

/* Answers through a tunnel keep the host's own address. */
static const char *exemption_map(struct natting *natting, const struct rule_translation *translation,
				 const struct interval_set *host)
{
	if (!nat_exempt_tunnels(natting, NULL, host))
		return NULL;
	struct interval_set all = { 0 };
	struct ios_list *list = nat_list(natting, translation);
	interval_set_add(natting->pool, &all, 0, family_highest(FAMILY_IPV4));
	interval_set_normalise(&all);
	(void)nat_exempt_tunnels(natting, list, host);
	nat_add_entries(natting, list, IOS_PERMIT, host, &all);
	const char *name = lowering_name(natting->lowering,
					 pool_format(natting->pool, "NAT-%s", list->name));
	struct ios_block map = form_block(natting->pool, "route-map %s permit 10", name);
	form_line(natting->pool, &map, "match ip address %s", list->name);
	*pool_append(natting->pool, natting->lowering->config, maps) = map;
	return name;
}

/* public: an address, or "interface NAME". */
static void add_static(struct natting *natting, const struct entry *entry, const char *public)
{
	const char *key = pool_format(natting->pool, "%s %s %u", entry->protocol, public,
				      entry->public_port);
	const struct rule_translation *before = names_find(natting->public, key, strlen(key));
	if (before != NULL) {
		struct diags *diags = natting->lowering->diags;
		struct diagnostic *error =
			diag_add(diags, CODE_ROUTER_TRANSLATION, entry->translation->origin,
				 "device '%s': port %u/%s of %s is translated already",
				 natting->lowering->device->name, entry->public_port, entry->protocol,
				 public);
		diag_note(diags, error, before->origin, "here");
		return;
	}
	names_set(natting->public, key, strlen(key), (void *)(uintptr_t)entry->translation);
	nat_add_statement(natting, form_block(natting->pool, "ip nat inside source static %s %s %u %s %u%s%s",
					  entry->protocol, entry->host, entry->host_port, public,
					  entry->public_port, entry->route_map == NULL ? "" : " route-map ",
					  entry->route_map == NULL ? "" : entry->route_map));
}

static void add_at(struct natting *natting, const struct entry *entry, const struct interval_set *at)
{
	for (size_t i = 0; i < at->items_count; i++)
		for (number128 value = at->items[i].low; value <= at->items[i].high; value++)
			add_static(natting, entry,
				   form_address(natting->pool, &(struct address){ FAMILY_IPV4, value }));
}

/* All addresses of the interface; a route map cannot stand with an interface's name, which means the
 * first of them. */
static void add_interface(struct natting *natting, const struct entry *entry,
			  const struct device_interface *interface)
{
	const struct prefix *first = interface_address(interface, FAMILY_IPV4);
	for (size_t i = 0; i < interface->addresses_count; i++) {
		const struct prefix *own = &interface->addresses[i];
		if (own->family != FAMILY_IPV4)
			continue;
		add_static(natting, entry, own == first && entry->route_map == NULL ?
			   pool_format(natting->pool, "interface %s", interface->name) :
			   form_address(natting->pool, &(struct address){ FAMILY_IPV4, own->value }));
	}
}

static void add_interfaces(struct natting *natting, const struct entry *entry,
			   const struct interface_choice *outside)
{
	const struct device *device = natting->lowering->device;
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (outside->has[i] && nat_interface_address(natting, entry->translation, i) != NULL)
			add_interface(natting, entry, &device->interfaces[i]);
}

static void add_ports(struct natting *natting, struct entry *entry, const struct interface_choice *outside)
{
	const struct translation *source = entry->translation->source;
	const struct tuple_set *services = &entry->translation->services;
	for (size_t i = 0; i < services->tuples_count; i++)
		for (unsigned port = services->tuples[i].first.low;
		     port <= services->tuples[i].first.high; port++) {
			entry->protocol = services->tuples[i].protocol == PROTOCOL_TCP ? "tcp" : "udp";
			entry->public_port = port;
			entry->host_port = source->port != 0 ? source->port : port;
			if (source->has_at)
				add_at(natting, entry, &source->at.v4);
			else
				add_interfaces(natting, entry, outside);
		}
}

static size_t count_at(const struct translation *source)
{
	number128 count = 0;
	for (size_t i = 0; source->has_at && i < source->at.v4.items_count; i++)
		count += source->at.v4.items[i].high - source->at.v4.items[i].low + 1;
	return count > PORTS_MOST ? PORTS_MOST + 1 : count == 0 ? 1 : (size_t)count;
}

void nat_forward(struct natting *natting, const struct rule_translation *translation)
{
	const struct device *device = natting->lowering->device;
	const struct address *host = &translation->source->host[FAMILY_IPV4];
	struct interface_choice outside = nat_choose_outside(natting, translation->source->from);
	const struct device_interface *inside = device_towards(device, host);
	if (!check_forward(natting, translation) || !nat_set_outside(natting, translation, &outside))
		return;
	if (count_ports(&translation->services) * count_at(translation->source) > PORTS_MOST) {
		nat_report(natting, translation, "IOS needs one entry a port, and here are more than 256",
		       "forward fewer ports");
		return;
	}
	if (inside == NULL) {
		nat_report(natting, translation, "no interface and no route leads to the host",
		       "give the device a 'route' to it");
		return;
	}
	if (!nat_set_side(natting, translation, (size_t)(inside - device->interfaces), IOS_NAT_INSIDE))
		return;
	struct interval_set own = { 0 };
	interval_set_add(natting->pool, &own, host->value, host->value);
	struct entry entry = {
		.translation = translation,
		.host = form_address(natting->pool, host),
		.route_map = exemption_map(natting, translation, &own),
	};
	add_ports(natting, &entry, &outside);
}
