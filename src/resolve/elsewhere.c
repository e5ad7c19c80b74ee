/* Whose business a translation is. */
#include "resolve/elsewhere.h"

/* Whether packets of these addresses come in, or leave, by an interface that has a network of them. */
static bool is_connected(const struct device_interface *interface, const struct address_set *addresses)
{
	for (size_t i = 0; i < interface->addresses_count; i++) {
		struct interval network = prefix_interval(&interface->addresses[i]);
		const struct interval_set set = { &network, 1, 1 };
		if (interval_set_overlaps(address_set_family(addresses, interface->addresses[i].family),
					  &set))
			return true;
	}
	return false;
}

/* Groups hold groups as deep as resolve lets them. */
static bool list_has(const struct place_list *list, const struct device_interface *interface)
{
	for (size_t i = 0; i < list->items_count; i++) {
		const struct place *place = &list->items[i];
		bool has = false;
		switch (place->kind) {
		case PLACE_ANY:
		case PLACE_SELF:
			has = true;
			break;
		case PLACE_ZONE:
			has = interface->zone == place->zone;
			break;
		case PLACE_ADDRESSES:
			has = is_connected(interface, place->addresses);
			break;
		case PLACE_GROUP:
			has = list_has(place->group, interface);
			break;
		}
		if (has)
			return true;
	}
	return false;
}

/* Every interface is on a side that is not said. */
static bool scope_has(const struct place_scope *scope, const struct device_interface *interface)
{
	for (; scope != NULL; scope = scope->outer)
		if (!list_has(scope->list, interface))
			return false;
	return true;
}

static bool list_names_zones(const struct place_list *list)
{
	for (size_t i = 0; i < list->items_count; i++)
		if (list->items[i].kind == PLACE_ZONE ||
		    (list->items[i].kind == PLACE_GROUP && list_names_zones(list->items[i].group)))
			return true;
	return false;
}

/* Destinations that are addresses leave by whatever interface leads to them. */
static bool is_everywhere(const struct place_scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		if (list_names_zones(scope->list))
			return false;
	return true;
}

static bool device_has(const struct device *device, const struct place_scope *scope)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (scope_has(scope, &device->interfaces[i]))
			return true;
	return false;
}

/* Beside an interface of the `from` side, one that has the host's network. */
static bool has_host(const struct device *device, const struct translation *translation)
{
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		struct interval host = { translation->host[family].value, translation->host[family].value };
		const struct interval_set set = { &host, 1, 1 };
		const struct address_set addresses = {
			.v4 = family == FAMILY_IPV4 ? set : (struct interval_set){ 0 },
			.v6 = family == FAMILY_IPV6 ? set : (struct interval_set){ 0 },
		};
		for (size_t i = 0; translation->has_host[family] && i < device->interfaces_count; i++)
			if (is_connected(&device->interfaces[i], &addresses))
				return true;
	}
	return false;
}

static bool has_both_sides(const struct device *device, const struct translation *translation)
{
	if (!device_has(device, translation->from))
		return false;
	if (translation->kind == TRANSLATION_FORWARD)
		return has_host(device, translation);
	return is_everywhere(translation->to) || device_has(device, translation->to);
}

bool translation_is_elsewhere(const struct resolver *resolver, const struct translation *translation)
{
	const struct policy *policy = resolver->policy;
	if (resolver->device == NULL || has_both_sides(resolver->device, translation))
		return false;
	for (size_t i = 0; i < policy->devices_count; i++)
		if (has_both_sides(policy->devices[i], translation))
			return true;
	return false;
}
