/* Each group is taken apart once, however many groups and entries name it. */
#include "target/cisco/read/expand.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/sets.h"

enum { GROUP_DEPTH = 64 };

struct acl_expanded {
	bool is_open;   /* being taken apart: meeting it again is a circle */
	bool is_failed; /* and was told */
	struct interval_set addresses;
	struct acl_services services;
};

struct acl_expansion acl_expansion_new(void *pool, struct diags *diags, const struct acl_config *config)
{
	struct arena *arena = arena_new(pool);

	return (struct acl_expansion){
		.pool = pool,
		.arena = arena,
		.diags = diags,
		.config = config,
		.ones = interned_new(pool, arena),
	};
}

const struct interval_set *acl_expand_one(struct acl_expansion *expansion, number128 low, number128 high)
{
	const struct interval item = { low, high };
	void **slot = interned_slot(expansion->ones, &item, sizeof item);
	struct interval_set *set = *slot;

	if (set != NULL)
		return set;
	*slot = set = arena_new_item(expansion->arena, struct interval_set);
	set->items = arena_copy(expansion->arena, &item, sizeof item);
	set->items_count = set->items_capacity = 1;
	return set;
}

/* --- wildcards ------------------------------------------------------------------------------- */

static unsigned bits_count(number128 bits)
{
	return (unsigned)(__builtin_popcountll((uint64_t)bits) +
			  __builtin_popcountll((uint64_t)(bits >> 64)));
}

/* One range for each value of the wildcard's bits above its lowest run, in order. */
static const struct interval_set *wildcard_set(struct acl_expansion *expansion,
					       const struct acl_place *place)
{
	const number128 run = place->wildcard & ~(place->wildcard + 1);
	const number128 above = place->wildcard & ~run;
	struct interval_set *set = arena_new_item(expansion->arena, struct interval_set);
	number128 part = 0;

	set->items_count = set->items_capacity = (size_t)1 << bits_count(above);
	set->items = arena_array(expansion->arena, struct interval, set->items_count);
	for (size_t index = 0; index < set->items_count; index++) {
		set->items[index] = (struct interval){ place->value | part, place->value | part | run };
		part = (part - above) & above;
	}
	return set;
}

static const struct interval_set *known_wildcard(struct acl_expansion *expansion, const struct acl_place *place)
{
	struct acl_expanded_place *known = expansion->places;

	for (size_t index = 0; index < 2; index++)
		if (known[index].set != NULL && known[index].value == place->value &&
		    known[index].wildcard == place->wildcard)
			return known[index].set;
	known[1] = known[0];
	known[0] = (struct acl_expanded_place){ place->value, place->wildcard, wildcard_set(expansion, place) };
	return known[0].set;
}

/* --- ports and flags -------------------------------------------------------------------------- */

static void port_add(struct acl_expansion *expansion, struct interval_set *set, uint32_t low, uint32_t high)
{
	if (low <= high)
		interval_set_add(expansion->pool, set, low, high);
}

bool acl_expand_ports(struct acl_expansion *expansion, const struct acl_ports *ports,
		      const struct interval_set **set)
{
	const struct interval_set whole = { .items = &(struct interval){ 0, UINT16_MAX }, .items_count = 1 };
	struct interval_set *made;

	*set = NULL;
	if (ports->operator == ACL_PORTS_ANY)
		return true;
	if (ports->operator == ACL_PORTS_EQ && ports->count == 1) {
		*set = acl_expand_one(expansion, ports->numbers[0], ports->numbers[0]);
		return true;
	}
	made = arena_new_item(expansion->arena, struct interval_set);
	if (ports->operator == ACL_PORTS_GT)
		port_add(expansion, made, ports->numbers[0] + 1u, UINT16_MAX);
	else if (ports->operator == ACL_PORTS_LT && ports->numbers[0] > 0)
		port_add(expansion, made, 0, ports->numbers[0] - 1u);
	else if (ports->operator == ACL_PORTS_RANGE)
		port_add(expansion, made, ports->numbers[0], ports->numbers[1]);
	else if (ports->operator == ACL_PORTS_EQ || ports->operator == ACL_PORTS_NEQ)
		for (size_t index = 0; index < ports->count; index++)
			port_add(expansion, made, ports->numbers[index], ports->numbers[index]);
	interval_set_normalise(made);
	if (ports->operator == ACL_PORTS_NEQ)
		*made = interval_set_subtract(expansion->pool, &whole, made);
	*set = made;
	return made->items_count > 0;
}

const struct interval_set *acl_expand_flags(struct acl_expansion *expansion, const struct acl_flags *flags)
{
	struct interval_set *set;

	if (flags->mask == 0)
		return NULL;
	if (expansion->flags.mask == flags->mask && expansion->flags.value == flags->value &&
	    expansion->flags.is_all == flags->is_all)
		return expansion->flags_set;
	set = arena_new_item(expansion->arena, struct interval_set);
	for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
		unsigned equal = ~(byte ^ flags->value) & flags->mask;

		if (flags->is_all ? equal == flags->mask : equal != 0)
			interval_set_add(expansion->pool, set, byte, byte);
	}
	interval_set_normalise(set);
	expansion->flags = *flags;
	expansion->flags_set = set;
	return set;
}

/* --- groups ------------------------------------------------------------------------------------ */

static void group_failed(struct acl_expansion *expansion, struct span span, const struct acl_group *group,
			 const char *name, const char *why)
{
	struct diagnostic *diagnostic = diag_add(expansion->diags, CODE_FOREIGN_UNKNOWN, span,
						 "object group '%s' %s", name, why);

	if (group != NULL)
		diag_note(expansion->diags, diagnostic, group->span, "it stands here");
}

static const struct acl_group *group_find(struct acl_expansion *expansion, const char *name)
{
	if (expansion->groups == NULL) {
		expansion->groups = names_new(expansion->pool, false);
		expansion->expanded = names_new(expansion->pool, false);
		for (size_t index = 0; index < expansion->config->groups_count; index++) {
			struct acl_group *group = expansion->config->groups[index];

			names_set(expansion->groups, group->name, strlen(group->name), group);
		}
	}
	return names_find(expansion->groups, name, strlen(name));
}

static const struct interval_set *item_ports(struct acl_expansion *expansion, const struct acl_ports *ports,
					     bool *is_empty)
{
	const struct interval_set *set = NULL;

	if (!acl_expand_ports(expansion, ports, &set))
		*is_empty = true;
	return set;
}

/* false: ports that no packet has. */
static bool service_add(struct acl_expansion *expansion, const struct acl_item *item, uint16_t protocol,
			struct acl_services *services)
{
	struct acl_service service = { 0 };
	bool is_empty = false;

	if (protocol != ACL_PROTOCOL_IP)
		service.protocol = acl_expand_one(expansion, protocol, protocol);
	service.first = item_ports(expansion, &item->destination_ports, &is_empty);
	service.second = item_ports(expansion, &item->source_ports, &is_empty);
	if (item->icmp_type != ACL_ICMP_ANY)
		service.first = acl_expand_one(expansion, item->icmp_type, item->icmp_type);
	if (item->icmp_code != ACL_ICMP_ANY)
		service.second = acl_expand_one(expansion, item->icmp_code, item->icmp_code);
	*pool_append(expansion->pool, services, items) = service;
	return !is_empty;
}

struct wanted {
	enum family family;
	bool is_network;
	struct span span;
};

static struct acl_expanded *group_expand(struct acl_expansion *expansion, const struct wanted *wanted,
					 const char *name, unsigned depth);

static bool item_expand(struct acl_expansion *expansion, const struct wanted *wanted,
			const struct acl_item *item, unsigned depth, struct acl_expanded *expanded)
{
	const struct acl_expanded *part;

	switch (item->kind) {
	case ACL_ITEM_RANGE:
		interval_set_add(expansion->pool, &expanded->addresses, item->range.low, item->range.high);
		return true;
	case ACL_ITEM_SERVICE:
		if (service_add(expansion, item, item->protocol, &expanded->services) &&
		    (!item->is_tcp_udp ||
		     service_add(expansion, item, PROTOCOL_UDP, &expanded->services)))
			return true;
		diag_add(expansion->diags, CODE_FOREIGN_UNKNOWN, item->span,
			 "this service has no port at all");
		return false;
	case ACL_ITEM_GROUP:
		part = group_expand(expansion, wanted, item->group, depth + 1);
		if (part == NULL)
			return false;
		for (size_t index = 0; index < part->addresses.items_count; index++)
			interval_set_add(expansion->pool, &expanded->addresses,
					 part->addresses.items[index].low, part->addresses.items[index].high);
		for (size_t index = 0; index < part->services.items_count; index++)
			*pool_append(expansion->pool, &expanded->services, items) =
				part->services.items[index];
		return true;
	}
	return false;
}

/* Why the group cannot be used; NULL if it can. */
static const char *group_fault(const struct acl_group *group, const struct wanted *wanted,
			       const struct acl_expanded *expanded, unsigned depth)
{
	if (group == NULL)
		return "is not in the text";
	if (group->unread_count > 0)
		return "has lines that were not understood";
	if ((group->kind == ACL_GROUP_NETWORK) != wanted->is_network || group->family != wanted->family)
		return "is of another kind or family than is wanted here";
	if (expanded != NULL && expanded->is_open)
		return "holds itself";
	return depth > GROUP_DEPTH ? "lies too deep in other groups" : NULL;
}

static void group_fill(struct acl_expansion *expansion, const struct wanted *wanted,
		       const struct acl_group *group, unsigned depth, struct acl_expanded *expanded)
{
	expanded->is_open = true;
	for (size_t index = 0; index < group->items_count && !expanded->is_failed; index++)
		expanded->is_failed = !item_expand(expansion, wanted, &group->items[index], depth, expanded);
	expanded->is_open = false;
	if (expanded->is_failed)
		return;
	interval_set_normalise(&expanded->addresses);
	if (expanded->addresses.items_count == 0 && expanded->services.items_count == 0) {
		group_failed(expansion, wanted->span, group, group->name, "is empty");
		expanded->is_failed = true;
	}
}

static struct acl_expanded *group_expand(struct acl_expansion *expansion, const struct wanted *wanted,
					 const char *name, unsigned depth)
{
	const struct acl_group *group = group_find(expansion, name);
	struct acl_expanded *expanded = names_find(expansion->expanded, name, strlen(name));
	const char *fault = group_fault(group, wanted, expanded, depth);

	if (fault != NULL) {
		group_failed(expansion, wanted->span, group, name, fault);
		return NULL;
	}
	if (expanded == NULL) {
		expanded = pool_new(expansion->pool, struct acl_expanded);
		names_set(expansion->expanded, name, strlen(name), expanded);
		group_fill(expansion, wanted, group, depth, expanded);
	} else if (expanded->is_failed) {
		group_failed(expansion, wanted->span, group, name, "cannot be taken apart");
	}
	return expanded->is_failed ? NULL : expanded;
}

/* --- the door ------------------------------------------------------------------------------------ */

bool acl_expand_place(struct acl_expansion *expansion, enum family family, const struct acl_place *place,
		      struct span span, const struct interval_set **set)
{
	const struct wanted wanted = { .family = family, .is_network = true, .span = span };
	const number128 run = place->wildcard & ~(place->wildcard + 1);
	const struct acl_expanded *expanded;

	*set = NULL;
	if (place->group != NULL) {
		expanded = group_expand(expansion, &wanted, place->group, 0);
		if (expanded != NULL)
			*set = &expanded->addresses;
		return expanded != NULL;
	}
	if (place->wildcard == family_highest(family))
		return true;
	if (bits_count(place->wildcard & ~run) > bits_count(ACL_WILDCARD_RANGES - 1)) {
		diag_add(expansion->diags, CODE_FOREIGN_WILDCARD, span,
			 "a wildcard mask here stands for more than %u ranges of addresses",
			 ACL_WILDCARD_RANGES);
		return false;
	}
	*set = known_wildcard(expansion, place);
	return true;
}

bool acl_expand_services(struct acl_expansion *expansion, enum family family, const char *group,
			 struct span span, const struct acl_services **services)
{
	const struct wanted wanted = { .family = family, .span = span };
	const struct acl_expanded *expanded = group_expand(expansion, &wanted, group, 0);

	if (expanded == NULL)
		return false;
	*services = &expanded->services;
	return true;
}
