/* Translations on a router, after Cisco IOS IP Addressing Services: `ip nat`.
 *
 * IOS translates between interfaces that say inside and outside. Source translation is a list of what
 * is translated, and the address that it gets; lists of several statements are made disjoint, so that
 * their order, which IOS does not promise, does not matter. Inside, a packet is translated before it is
 * encrypted: every list begins with what tunnels carry, denied. Destination translation is one static
 * entry a port. Static entries know of no lists: those of hosts behind a tunnel ask a route map. */
#include "target/cisco/device/nat.h"

#include "base/pool.h"
#include "target/cisco/model/form.h"

#define FIRST_LIST 100
#define LAST_LIST 199
#define ENTRIES_MOST 1000 /* of one list */

void nat_report(struct natting *natting, const struct rule_translation *translation, const char *what,
		const char *way_out)
{
	struct diags *diags = natting->lowering->diags;
	struct diagnostic *error = diag_add(diags, CODE_ROUTER_TRANSLATION, translation->origin,
					    "device '%s': %s", natting->lowering->device->name, what);
	if (way_out != NULL)
		diag_note(diags, error, SPAN_NONE, "%s", way_out);
}

/* --- interfaces ---------------------------------------------------------------------------------- */

static void choose(struct interface_choice *choice, size_t index)
{
	choice->count += !choice->has[index];
	choice->has[index] = true;
}

static void choose_zone(const struct device *device, const struct zone *zone,
			struct interface_choice *choice)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (device->interfaces[i].zone == zone)
			choose(choice, i);
}

/* The way to everywhere. */
static void choose_default(const struct device *device, struct interface_choice *choice)
{
	for (size_t i = 0; i < device->routes_count; i++) {
		if (!device->routes[i].is_default || device->routes[i].via.family != FAMILY_IPV4)
			continue;
		const struct device_interface *way = device_towards(device, &device->routes[i].via);
		if (way != NULL)
			choose(choice, (size_t)(way - device->interfaces));
	}
}

/* Groups hold groups as deep as resolve lets them. */
static void choose_places(const struct device *device, const struct place_list *list,
			  struct interface_choice *choice)
{
	for (size_t i = 0; i < list->items_count; i++) {
		const struct place *place = &list->items[i];
		switch (place->kind) {
		case PLACE_GROUP:
			choose_places(device, place->group, choice);
			break;
		case PLACE_ZONE:
			choose_zone(device, place->zone, choice);
			break;
		case PLACE_ANY:
		case PLACE_ADDRESSES:
			choose_default(device, choice);
			break;
		case PLACE_SELF:
			break;
		}
	}
}

/* The outside of a translation: the interfaces of the zones that its side names. */
struct interface_choice nat_choose_outside(struct natting *natting, const struct place_scope *scope)
{
	const struct device *device = natting->lowering->device;
	struct interface_choice choice = {
		.has = pool_array(natting->pool, bool, device->interfaces_count),
	};
	if (scope == NULL)
		choose_default(device, &choice);
	for (; scope != NULL; scope = scope->outer)
		choose_places(device, scope->list, &choice);
	return choice;
}

bool nat_set_side(struct natting *natting, const struct rule_translation *translation, size_t index,
		  enum ios_nat_side side)
{
	struct ios_interface *interface = &natting->lowering->config->interfaces[index];
	if (interface->nat == IOS_NAT_NONE)
		interface->nat = side;
	if (interface->nat == side)
		return true;
	nat_report(natting, translation,
	       pool_format(natting->pool, "interface '%s' would be inside and outside of translations",
			   interface->interface->name), NULL);
	return false;
}

bool nat_set_outside(struct natting *natting, const struct rule_translation *translation,
		     const struct interface_choice *outside)
{
	bool is_good = true;
	for (size_t i = 0; i < natting->lowering->device->interfaces_count; i++)
		if (outside->has[i])
			is_good = nat_set_side(natting, translation, i, IOS_NAT_OUTSIDE) && is_good;
	if (outside->count > 0)
		return is_good;
	nat_report(natting, translation, "there is no telling which interface leads outside",
	       "name a zone that has an interface on the device, or give it a default route");
	return false;
}

/* Whether packets of these places come in at the interface. */
static bool is_source(const struct device_interface *interface, const struct place_boxes *from)
{
	for (size_t i = 0; i < from->boxes_count && interface->zone != NULL; i++)
		if (interface_set_contains(&from->boxes[i].interfaces, interface->name) &&
		    address_set_overlaps(&from->boxes[i].addresses, &interface->zone->networks))
			return true;
	return false;
}

static bool set_inside(struct natting *natting, const struct rule_translation *translation,
		       const struct interface_choice *outside)
{
	const struct device *device = natting->lowering->device;
	bool is_found = false;
	for (size_t i = 0; i < device->interfaces_count; i++) {
		if (outside->has[i] || !is_source(&device->interfaces[i], &translation->from))
			continue;
		is_found = true;
		if (!nat_set_side(natting, translation, i, IOS_NAT_INSIDE))
			return false;
	}
	if (!is_found)
		nat_report(natting, translation, "no interface of the device leads to what is translated",
		       "a zone in 'from' needs an interface there");
	return is_found;
}

/* --- what is translated ----------------------------------------------------------------------------- */

static const struct interval_set *addresses_of(struct natting *natting, const struct place_boxes *boxes)
{
	struct interval_set *sum = pool_new(natting->pool, struct interval_set);
	for (size_t i = 0; i < boxes->boxes_count; i++)
		*sum = interval_set_union(natting->pool, sum, &boxes->boxes[i].addresses.v4);
	return sum;
}

/* Addresses that packets never leave for by an outside interface: those of zones with others. */
static struct interval_set addresses_inside(struct natting *natting, const struct interface_choice *outside)
{
	const struct device *device = natting->lowering->device;
	struct interval_set sum = { 0 };
	for (size_t i = 0; i < device->interfaces_count; i++) {
		const struct zone *zone = device->interfaces[i].zone;
		if (outside->has[i] || zone == NULL)
			continue;
		for (size_t j = 0; j < zone->routed_to.boxes_count; j++)
			sum = interval_set_union(natting->pool, &sum,
						 &zone->routed_to.boxes[j].addresses.v4);
	}
	return sum;
}

void nat_add_entries(struct natting *natting, struct ios_list *list, enum ios_action action,
		     const struct interval_set *from, const struct interval_set *to)
{
	size_t count = form_prefix_count(FAMILY_IPV4, from) * form_prefix_count(FAMILY_IPV4, to);
	if (count <= ENTRIES_MOST && list->lines_count + count <= ENTRIES_MOST)
		form_entries(natting->pool, list, action, from, to);
	else
		diag_add(natting->lowering->diags, CODE_TARGET_LIMIT, list->origin,
			 "device '%s': the list of what is translated has more than %d entries",
			 natting->lowering->device->name, ENTRIES_MOST);
}

/* The tunnel's carried networks at one of its ends, as far as they are sources of the list. */
static bool exempt_end(struct natting *natting, struct ios_list *list, const struct tunnel *tunnel,
		       size_t end, const struct interval_set *from)
{
	bool is_any = false;
	for (size_t i = 0; i < tunnel->carries_count; i++) {
		const struct address_set *left = &tunnel->carries[i].left;
		const struct address_set *right = &tunnel->carries[i].right;
		struct interval_set near = interval_set_intersect(
			natting->pool, end == 0 ? &left->v4 : &right->v4, from);
		if (interval_set_is_empty(&near))
			continue;
		is_any = true;
		if (list != NULL)
			nat_add_entries(natting, list, IOS_DENY, &near,
					end == 0 ? &right->v4 : &left->v4);
	}
	return is_any;
}

bool nat_exempt_tunnels(struct natting *natting, struct ios_list *list, const struct interval_set *from)
{
	const struct policy *policy = natting->lowering->policy;
	bool is_any = false;
	for (size_t i = 0; i < policy->tunnels_count; i++)
		for (size_t end = 0; end < 2; end++)
			if (policy->tunnels[i]->ends[end].device == natting->lowering->device)
				is_any = exempt_end(natting, list, policy->tunnels[i], end, from) ||
					 is_any;
	return is_any;
}

/* What earlier statements translate is theirs. */
static void exempt_done(struct natting *natting, struct ios_list *list, const struct interval_set *from)
{
	for (size_t i = 0; i < natting->done_count; i++) {
		struct interval_set both =
			interval_set_intersect(natting->pool, natting->done[i].from, from);
		if (!interval_set_is_empty(&both))
			nat_add_entries(natting, list, IOS_DENY, &both, natting->done[i].to);
	}
}

/* Permits from × to, in the shortest of two ways: as it is, or all but the rest. */
static const struct interval_set *permit(struct natting *natting, struct ios_list *list,
					 const struct interval_set *from, const struct interval_set *to,
					 const struct interface_choice *outside)
{
	struct interval_set *all = pool_new(natting->pool, struct interval_set);
	interval_set_add(natting->pool, all, 0, family_highest(FAMILY_IPV4));
	interval_set_normalise(all);
	struct interval_set inside = addresses_inside(natting, outside);
	struct interval_set rest = interval_set_subtract(natting->pool, all, to);
	rest = interval_set_subtract(natting->pool, &rest, &inside);
	if (form_prefix_count(FAMILY_IPV4, &rest) >= form_prefix_count(FAMILY_IPV4, to)) {
		nat_add_entries(natting, list, IOS_PERMIT, from, to);
		return to;
	}
	if (!interval_set_is_empty(&rest))
		nat_add_entries(natting, list, IOS_DENY, from, &rest);
	nat_add_entries(natting, list, IOS_PERMIT, from, all);
	return interval_set_is_empty(&rest) ? all : to;
}

struct ios_list *nat_list(struct natting *natting, const struct rule_translation *translation)
{
	unsigned number = FIRST_LIST + natting->lists++;
	if (number > LAST_LIST) {
		nat_report(natting, translation, "IOS has 100 numbered lists, and translations need more",
		       NULL);
		number = LAST_LIST;
	}
	struct ios_list *list = form_list(natting->pool, natting->lowering->config,
					  pool_format(natting->pool, "%u", number), FAMILY_IPV4,
					  translation->origin);
	return list;
}

static struct ios_list *source_list(struct natting *natting, const struct rule_translation *translation,
				    const struct interface_choice *outside)
{
	struct ios_list *list = nat_list(natting, translation);
	const struct interval_set *from = addresses_of(natting, &translation->from);
	const struct interval_set *to = addresses_of(natting, &translation->to);
	(void)nat_exempt_tunnels(natting, list, from);
	exempt_done(natting, list, from);
	to = permit(natting, list, from, to, outside);
	*pool_append(natting->pool, natting, done) = (struct done){ from, to };
	return list;
}

/* --- source translation ---------------------------------------------------------------------------- */

void nat_add_statement(struct natting *natting, struct ios_block block)
{
	*pool_append(natting->pool, natting->lowering->config, routing) = block;
}

/* What leaves by the interface may carry this source. */
static void add_source(struct natting *natting, size_t index, number128 source)
{
	struct nat_outside *outside = &natting->lowering->outsides[index];
	struct address_set one = { 0 };
	address_set_add_range(natting->pool, &one, FAMILY_IPV4, source, source);
	outside->translated = address_set_union(natting->pool, &outside->translated, &one);
}

const struct prefix *nat_interface_address(struct natting *natting,
					   const struct rule_translation *translation, size_t index)
{
	const struct device_interface *interface = &natting->lowering->device->interfaces[index];
	const struct prefix *address = interface_address(interface, FAMILY_IPV4);
	if (address == NULL)
		nat_report(natting, translation,
		       pool_format(natting->pool, "interface '%s' has no IPv4 address to translate to",
				   interface->name), NULL);
	return address;
}

/* One list for several interfaces: each asks a route map by which of them the packet leaves. */
static const char *map_of(struct natting *natting, const struct ios_list *list, const char *interface)
{
	struct device_lowering *lowering = natting->lowering;
	const char *name = lowering_name(lowering,
					 pool_format(natting->pool, "NAT-%s-%s", list->name, interface));
	struct ios_block map = form_block(natting->pool, "route-map %s permit 10", name);
	form_line(natting->pool, &map, "match ip address %s", list->name);
	form_line(natting->pool, &map, "match interface %s", interface);
	*pool_append(natting->pool, lowering->config, maps) = map;
	return name;
}

static void masquerade(struct natting *natting, const struct rule_translation *translation,
		       const struct interface_choice *outside)
{
	const struct ios_list *list = source_list(natting, translation, outside);
	for (size_t i = 0; i < natting->lowering->device->interfaces_count; i++) {
		if (!outside->has[i])
			continue;
		const char *interface = natting->lowering->device->interfaces[i].name;
		const struct prefix *address = nat_interface_address(natting, translation, i);
		if (address == NULL)
			continue;
		add_source(natting, i, address->value);
		if (outside->count == 1)
			nat_add_statement(natting, form_block(natting->pool,
				      "ip nat inside source list %s interface %s overload", list->name,
				      interface));
		else
			nat_add_statement(natting, form_block(natting->pool,
				      "ip nat inside source route-map %s interface %s overload",
				      map_of(natting, list, interface), interface));
	}
}

/* IOS refuses a pool whose addresses are the first or the last of its network. */
static unsigned pool_length(const struct device *device, const struct address *address)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++) {
			const struct prefix *own = &device->interfaces[i].addresses[j];
			struct interval network = prefix_interval(own);
			if (own->family == FAMILY_IPV4 && address->value > network.low &&
			    address->value < network.high)
				return own->length;
		}
	unsigned length = 30;
	for (; length > 8; length--) {
		number128 hosts = (address->value & (((number128)1 << (32 - length)) - 1));
		if (hosts != 0 && hosts != ((number128)1 << (32 - length)) - 1)
			break;
	}
	return length;
}

static void translate_to(struct natting *natting, const struct rule_translation *translation,
			 const struct interface_choice *outside)
{
	const struct address *as = &translation->source->as[FAMILY_IPV4];
	const struct ios_list *list = source_list(natting, translation, outside);
	const char *name = lowering_name(natting->lowering,
					 pool_format(natting->pool, "NAT-%s", list->name));
	const char *address = form_address(natting->pool, as);
	for (size_t i = 0; i < natting->lowering->device->interfaces_count; i++)
		if (outside->has[i])
			add_source(natting, i, as->value);
	nat_add_statement(natting, form_block(natting->pool, "ip nat pool %s %s %s prefix-length %u", name,
					  address, address,
					  pool_length(natting->lowering->device, as)));
	nat_add_statement(natting, form_block(natting->pool, "ip nat inside source list %s pool %s overload",
					  list->name, name));
}

static void translate_source(struct natting *natting, const struct rule_translation *translation)
{
	struct interface_choice outside = nat_choose_outside(natting, translation->source->to);
	if (!nat_set_outside(natting, translation, &outside) ||
	    !set_inside(natting, translation, &outside))
		return;
	if (translation->kind == TRANSLATION_MASQUERADE)
		masquerade(natting, translation, &outside);
	else
		translate_to(natting, translation, &outside);
}

/* --- all translations --------------------------------------------------------------------------------- */

/* Whether the same statement also speaks of packets from elsewhere. */
static bool has_routed(const struct natting *natting, const struct rule_translation *half)
{
	const struct ruleset *ruleset = natting->lowering->ruleset;
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (ruleset->translations[i]->source == half->source &&
		    ruleset->translations[i]->applies_to_routed)
			return true;
	return false;
}

static void translate(struct natting *natting, const struct rule_translation *translation)
{
	/* the other half is what the router itself sends: IOS translates it like the rest */
	if (!translation->applies_to_routed) {
		if (translation->kind == TRANSLATION_SNAT && !has_routed(natting, translation))
			nat_report(natting, translation, "IOS translates what comes in by an interface",
				   "name a zone in 'from'");
		return;
	}
	if ((translation->families & FAMILIES_IPV6) != 0) {
		nat_report(natting, translation, "IOS does not translate IPv6",
		       "say 'ipv4', or keep it to IPv4 addresses");
		return;
	}
	if (translation->kind == TRANSLATION_FORWARD)
		nat_forward(natting, translation);
	else
		translate_source(natting, translation);
}

void device_translate(struct device_lowering *lowering)
{
	struct natting natting = {
		.lowering = lowering,
		.pool = lowering->pool,
		.public = names_new(lowering->pool, false),
	};
	for (size_t i = 0; i < lowering->ruleset->translations_count; i++)
		translate(&natting, lowering->ruleset->translations[i]);
}
