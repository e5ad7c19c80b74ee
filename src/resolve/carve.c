/* Which packets belong to which zone. */
#include "resolve/carve.h"

#include "base/pool.h"

struct carver {
	struct resolver *resolver;
	struct zone **zones;
	size_t count;
	bool is_quiet; /* another pass reports */
	/* by the index of the zone */
	struct place_boxes *raw;    /* as written: one box */
	struct place_boxes *carved; /* among zones of its kind */
};

/* Holds nothing, and an error says so. */
static bool is_broken(const struct zone *zone)
{
	return address_set_is_empty(&zone->networks) ||
	       interface_set_is_empty(&zone->interfaces) ||
	       (!zone->has_interfaces && !zone->has_networks);
}

/* --- two zones ---------------------------------------------------------------------------------- */

static bool zones_overlap(const struct zone *a, const struct zone *b)
{
	return a->has_interfaces == b->has_interfaces &&
	       interface_sets_overlap(&a->interfaces, &b->interfaces) &&
	       address_set_overlaps(&a->networks, &b->networks);
}

static bool zone_includes(const struct zone *outer, const struct zone *inner)
{
	return interface_set_includes(&outer->interfaces, &inner->interfaces) &&
	       address_set_includes(&outer->networks, &inner->networks);
}

static struct diagnostic *report_pair(struct carver *carver, enum code code, const struct zone *a,
				      const struct zone *b, const char *what)
{
	struct diags *diags = carver->resolver->diags;
	struct diagnostic *error = diag_add(diags, code, b->span, "zones '%s' and '%s' %s", a->name,
					    b->name, what);
	diag_note(diags, error, a->span, "'%s' is defined here", a->name);
	return error;
}

/* A common interface or address, so that the reader need not search. */
static void note_common(struct carver *carver, struct diagnostic *error, const struct zone *a,
			const struct zone *b)
{
	struct resolver *resolver = carver->resolver;
	struct text *text = text_new(resolver->pool);
	struct address_set common =
		address_set_intersect(resolver->pool, &a->networks, &b->networks);
	enum family family = common.v4.items_count != 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	const struct interval_set *part = address_set_family(&common, family);
	address_interval_format(text, family, &part->items[0]);
	if (a->has_interfaces) {
		struct interface_set shared =
			interface_set_intersect(resolver->pool, &a->interfaces, &b->interfaces);
		text_addf(text, " on '%s'", shared.names[0]);
	}
	diag_note(resolver->diags, error, SPAN_NONE, "both have %s", text->bytes);
}

/* Both without networks: they differ by their interfaces alone. */
static bool differ_by_interfaces(const struct zone *a, const struct zone *b)
{
	return a->has_interfaces && !a->has_networks && !b->has_networks;
}

/* Two zones that share packets, and neither is a part of the other. a stands before b in the file. */
static void report_clash(struct carver *carver, const struct zone *a, const struct zone *b,
			 bool are_equal)
{
	struct diagnostic *error;
	if (are_equal && differ_by_interfaces(a, b)) {
		report_pair(carver, CODE_DUPLICATE_INTERFACE, a, b, "have the same interfaces");
		return;
	}
	if (are_equal)
		error = report_pair(carver, CODE_ZONES_EQUAL, a, b, "are the same");
	else if (differ_by_interfaces(a, b))
		error = report_pair(carver, CODE_DUPLICATE_INTERFACE, a, b, "share an interface");
	else
		error = report_pair(carver, CODE_ZONES_CROSS, a, b,
				    "cross: neither lies inside the other");
	if (!are_equal)
		note_common(carver, error, a, b);
	if (carver->resolver->device != NULL)
		diag_note(carver->resolver->diags, error, SPAN_NONE,
			  "on a device the zone that a packet goes to is told by its address");
}

static void judge_pair(struct carver *carver, size_t a_index, size_t b_index)
{
	const struct zone *a = carver->zones[a_index], *b = carver->zones[b_index];
	void *pool = carver->resolver->pool;
	bool is_outer = zone_includes(a, b), is_inner = zone_includes(b, a);
	if (is_outer && !is_inner)
		carver->carved[a_index] = place_boxes_subtract(pool, &carver->carved[a_index],
							       &carver->raw[b_index]);
	else if (is_inner && !is_outer)
		carver->carved[b_index] = place_boxes_subtract(pool, &carver->carved[b_index],
							       &carver->raw[a_index]);
	else if (!carver->is_quiet)
		report_clash(carver, a, b, is_outer);
}

static void carve_pairs(struct carver *carver)
{
	for (size_t b = 1; b < carver->count; b++)
		for (size_t a = 0; a < b; a++)
			if (!is_broken(carver->zones[a]) && !is_broken(carver->zones[b]) &&
			    zones_overlap(carver->zones[a], carver->zones[b]))
				judge_pair(carver, a, b);
}

/* --- all zones -------------------------------------------------------------------------------------- */

/* 0.0.0.0 and fe80::/10: sources of hosts that have no address yet, and of link-local ones. */
static struct address_set special_addresses(void *pool)
{
	struct address_set set = { 0 };
	const struct prefix link_local = { FAMILY_IPV6, (number128)0xfe80 << 112, 10 };
	address_set_add_range(pool, &set, FAMILY_IPV4, 0, 0);
	address_set_add_prefix(pool, &set, &link_local);
	return set;
}

static struct place_boxes one_box(void *pool, struct interface_set interfaces,
				  struct address_set addresses)
{
	struct place_boxes boxes = { 0 };
	if (!interface_set_is_empty(&interfaces) && !address_set_is_empty(&addresses))
		*pool_append(pool, &boxes, boxes) = (struct place_box){ interfaces, addresses };
	return boxes;
}

/* All addresses that zones of networks alone have, of any interface. */
static struct place_boxes networks_alone(struct carver *carver)
{
	void *pool = carver->resolver->pool;
	struct address_set sum = { 0 };
	for (size_t i = 0; i < carver->count; i++)
		if (!carver->zones[i]->has_interfaces && !is_broken(carver->zones[i]))
			sum = address_set_union(pool, &sum, &carver->zones[i]->networks);
	return one_box(pool, interface_set_all(), sum);
}

static struct interface_set named_interfaces(struct carver *carver)
{
	struct interface_set sum = { 0 };
	for (size_t i = 0; i < carver->count; i++)
		if (carver->zones[i]->has_interfaces)
			sum = interface_set_union(carver->resolver->pool, &sum,
						  &carver->zones[i]->interfaces);
	return sum;
}

static void set_routed(struct carver *carver)
{
	void *pool = carver->resolver->pool;
	struct place_boxes alone = networks_alone(carver);
	for (size_t i = 0; i < carver->count; i++) {
		struct zone *zone = carver->zones[i];
		zone->routed = carver->carved[i];
		if (zone->has_interfaces)
			zone->routed = place_boxes_subtract(pool, &zone->routed, &alone);
		if (zone->routed.boxes_count == 0 && !is_broken(zone) && !carver->is_quiet)
			diag_add(carver->resolver->diags, CODE_ZONE_EMPTY, zone->span,
				 "nothing is left of zone '%s': other zones take all of it",
				 zone->name);
	}
}

/* What of the special addresses no zone with interfaces names as its networks. */
static struct place_boxes unclaimed(struct carver *carver, const struct place_boxes *specials)
{
	void *pool = carver->resolver->pool;
	struct place_boxes rest = *specials;
	for (size_t i = 0; i < carver->count; i++)
		if (carver->zones[i]->has_interfaces)
			rest = place_boxes_subtract(pool, &rest, &carver->carved[i]);
	return rest;
}

static void set_input(struct carver *carver)
{
	void *pool = carver->resolver->pool;
	struct address_set addresses = special_addresses(pool);
	struct place_boxes specials = one_box(pool, named_interfaces(carver), addresses);
	struct place_boxes rest = unclaimed(carver, &specials);
	for (size_t i = 0; i < carver->count; i++) {
		struct zone *zone = carver->zones[i];
		if (!zone->has_interfaces) {
			zone->input = place_boxes_subtract(pool, &zone->routed, &specials);
			continue;
		}
		struct place_boxes own = one_box(pool, zone->interfaces, addresses);
		struct place_boxes claimed =
			place_boxes_intersect(pool, &carver->carved[i], &specials);
		struct place_boxes given = place_boxes_intersect(pool, &rest, &own);
		rest = place_boxes_subtract(pool, &rest, &given);
		zone->input = place_boxes_union(pool, &zone->routed, &claimed);
		zone->input = place_boxes_union(pool, &zone->input, &given);
	}
}

/* Where the text has mistakes, what is missing may be what could not be read. */
static bool is_half_read(const struct diags *diags)
{
	for (size_t i = 0; i < diags->items_count; i++)
		if (diags->items[i]->severity == SEVERITY_ERROR && diags->items[i]->code / 100 == 1)
			return true;
	return false;
}

static void report_nothing_written(struct carver *carver)
{
	if (is_half_read(carver->resolver->diags))
		return;
	for (size_t i = 0; i < carver->count; i++) {
		const struct zone *zone = carver->zones[i];
		if (!zone->has_interfaces && !zone->has_networks)
			diag_add(carver->resolver->diags, CODE_ZONE_EMPTY, zone->span,
				 "zone '%s' has neither interfaces nor networks", zone->name);
	}
}

static void carve(struct carver *carver)
{
	void *pool = carver->resolver->pool;
	carver->raw = pool_array(pool, struct place_boxes, carver->count);
	carver->carved = pool_array(pool, struct place_boxes, carver->count);
	for (size_t i = 0; i < carver->count; i++) {
		const struct zone *zone = carver->zones[i];
		if (zone->has_interfaces || zone->has_networks)
			carver->raw[i] = one_box(pool, zone->interfaces, zone->networks);
		carver->carved[i] = carver->raw[i];
	}
	carve_pairs(carver);
	set_routed(carver);
}

/* A packet that a router judges as it comes in has no outgoing interface yet: all zones are zones of
 * networks alone there. */
static void carve_by_address(struct resolver *resolver)
{
	struct policy *policy = resolver->policy;
	struct zone *copies = pool_array(resolver->pool, struct zone, policy->zones_count);
	struct carver carver = {
		.resolver = resolver,
		.zones = pool_array(resolver->pool, struct zone *, policy->zones_count),
		.count = policy->zones_count,
		.is_quiet = resolver->device == NULL && !resolver->settings->is_by_address,
	};
	for (size_t i = 0; i < carver.count; i++) {
		copies[i] = *policy->zones[i];
		copies[i].has_interfaces = false;
		copies[i].interfaces = interface_set_all();
		carver.zones[i] = &copies[i];
	}
	carve(&carver);
	for (size_t i = 0; i < carver.count; i++)
		policy->zones[i]->routed_to = copies[i].routed;
}

void zones_carve(struct resolver *resolver)
{
	struct policy *policy = resolver->policy;
	bool has_devices = names_count(resolver->devices) != 0 || resolver->settings->is_by_address;
	struct carver carver = {
		.resolver = resolver,
		.zones = policy->zones,
		.count = policy->zones_count,
		.is_quiet = has_devices, /* what is by interface there, devices.c has told */
	};
	if (!has_devices)
		report_nothing_written(&carver);
	carve(&carver);
	set_input(&carver);
	if (has_devices)
		carve_by_address(resolver);
	else
		for (size_t i = 0; i < carver.count; i++)
			policy->zones[i]->routed_to = policy->zones[i]->routed;
}
