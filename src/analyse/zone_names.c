/* A row for each zone, use and family; those of one family's addresses are found by their hash. */
#include "analyse/zone_names.h"

#include "base/pool.h"

enum use { USE_INPUT, USE_ROUTED, USE_ROUTED_TO, USES };

struct named_zone {
	const char *name;
	enum use use;
	enum family family;
	uint64_t hash; /* of the addresses */
	const struct interval_set *addresses;
	struct interval_set interfaces;
	bool has_both;
};

struct zone_names {
	const struct packet_universe *universe;
	struct named_zone *zones;
	size_t zones_count, zones_capacity;
};

struct zone_names *zone_names_new(void *pool, const struct packet_universe *universe)
{
	struct zone_names *names = pool_new(pool, struct zone_names);

	names->universe = universe;
	return names;
}

static const struct interval_set *of_family(const struct address_set *set, enum family family)
{
	return family == FAMILY_IPV4 ? &set->v4 : &set->v6;
}

/* A name that the universe does not know would stand for all others. */
static bool are_known(const struct packet_universe *universe, const struct interface_set *set)
{
	for (size_t index = 0; index < set->names_count; index++)
		if (packet_universe_interface_number(universe, set->names[index]) >
		    universe->interfaces_count)
			return false;
	return true;
}

static bool is_in_families(const struct place_boxes *boxes, enum family family)
{
	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (of_family(&boxes->boxes[index].addresses, family)->items_count > 0)
			return true;
	return false;
}

/* Only what has the same addresses on all of its interfaces can be one side of a box. */
static void add_use(struct zone_names *names, const char *name, const struct place_boxes *boxes, enum use use,
		    enum family family)
{
	struct named_zone zone = { .name = name, .use = use, .family = family };

	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];
		const struct interval_set *addresses = of_family(&box->addresses, family);
		struct interval_set interfaces;

		if (addresses->items_count == 0)
			continue;
		if (names->universe->interfaces_count > 0 && !are_known(names->universe, &box->interfaces))
			return;
		interfaces = packet_universe_interfaces(names->universe, names, &box->interfaces);
		if (zone.addresses != NULL && !interval_set_equals(zone.addresses, addresses))
			return;
		zone.interfaces = zone.addresses == NULL ?
				  interfaces : interval_set_union(names, &zone.interfaces, &interfaces);
		zone.addresses = addresses;
	}
	if (zone.addresses == NULL)
		return;
	zone.hash = interval_set_hash(zone.addresses);
	zone.has_both = is_in_families(boxes, FAMILY_IPV4) && is_in_families(boxes, FAMILY_IPV6);
	*pool_append(names, names, zones) = zone;
}

void zone_names_add(struct zone_names *names, const struct zone *zone)
{
	const struct place_boxes *const boxes[USES] = {
		[USE_INPUT] = &zone->input, [USE_ROUTED] = &zone->routed, [USE_ROUTED_TO] = &zone->routed_to,
	};

	for (enum use use = 0; use < USES; use++)
		for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
			add_use(names, zone->name, boxes[use], use, family);
}

/* USES: no zone is meant there. */
static enum use use_of(const struct zone_side *side)
{
	if (side->field == FIELD_DESTINATION)
		return side->hook == HOOK_INPUT ? USES : USE_ROUTED_TO;
	return side->hook == HOOK_INPUT ? USE_INPUT : side->hook == HOOK_FORWARD ? USE_ROUTED : USES;
}

static bool is_any(const struct packet_universe *universe, const struct interval_set *interfaces)
{
	return interfaces == NULL || (interfaces->items_count == 1 && interfaces->items[0].low <= 1 &&
				      interfaces->items[0].high >= universe->interfaces_count + 1);
}

static bool are_interfaces_of(const struct zone_names *names, const struct named_zone *zone,
			      const struct interval_set *interfaces)
{
	if (names->universe->interfaces_count == 0)
		return true;
	if (is_any(names->universe, interfaces))
		return is_any(names->universe, &zone->interfaces);
	return interval_set_equals(interfaces, &zone->interfaces);
}

const char *zone_names_find(const struct zone_names *names, const struct zone_side *side, bool *has_both)
{
	enum use use = use_of(side);
	uint64_t hash = interval_set_hash(side->addresses);

	for (size_t index = 0; index < names->zones_count; index++) {
		const struct named_zone *zone = &names->zones[index];

		if (zone->use != use || zone->family != side->family || zone->hash != hash ||
		    !interval_set_equals(zone->addresses, side->addresses) ||
		    !are_interfaces_of(names, zone, side->interfaces))
			continue;
		*has_both = zone->has_both;
		return zone->name;
	}
	return NULL;
}
