/* Tunnels: ends, carried networks, settings, key. The parser has checked the shape of every line
 * (src/ast/shape.c). */
#include "resolve/tunnels.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "resolve/list_file.h"
#include "resolve/literal.h"
#include "resolve/rules.h"
#include "resolve/zones.h"

static const struct ast_property *property_find(const struct ast_property *property, const char *key)
{
	while (property != NULL && strcmp(property->key->text, key) != 0)
		property = property->next;
	return property;
}

/* --- ends ------------------------------------------------------------------------------------- */

static const struct device *device_of(struct resolver *resolver, const struct ast_word *name)
{
	const struct device *device = names_find(resolver->devices, name->text, name->length);
	if (device != NULL || name->is_reported)
		return device;
	struct diagnostic *error = diag_add(resolver->diags, CODE_UNKNOWN_DEVICE, name->span,
					    "unknown device '%s'", name->text);
	note_nearest(resolver, error, resolver->devices, name);
	return NULL;
}

/* The page of TUNNEL_ENDS: exactly one interface of the device, with an address, in the zone. */
static void check_end(struct resolver *resolver, const struct tunnel_end *end)
{
	size_t found = 0;
	if (end->device == NULL || end->zone == NULL)
		return;
	for (size_t i = 0; i < end->device->interfaces_count; i++) {
		const struct device_interface *interface = &end->device->interfaces[i];
		found += interface->zone == end->zone && interface->addresses_count != 0;
	}
	if (found != 1)
		diag_add(resolver->diags, CODE_TUNNEL_ENDS, end->span,
			 "device '%s' has %s interface with an address in zone '%s'",
			 end->device->name, found == 0 ? "no" : "more than one", end->zone->name);
}

/* DEVICE on ZONE; gives the word behind. */
static const struct ast_word *read_end(struct resolver *resolver, struct tunnel_end *end,
				       const struct ast_word *word)
{
	const struct ast_word *zone = word->next->next;
	end->span = span_join(word->span, zone->span);
	end->device = device_of(resolver, word);
	end->zone = zone_find(resolver, zone);
	check_end(resolver, end);
	return zone->next;
}

static bool ends_shape_is_good(const struct ast_word *word, size_t wanted)
{
	size_t count = 0;
	for (; word != NULL; word = word->next)
		count++;
	return count == wanted;
}

static void read_ends(struct resolver *resolver, struct tunnel *tunnel,
		      const struct ast_property *between)
{
	/* DEVICE on ZONE, DEVICE on ZONE; or: DEVICE on ZONE and peer ADDRESS */
	if (!ends_shape_is_good(between->words, 6))
		return; /* the parser told */
	const struct ast_word *word = read_end(resolver, &tunnel->ends[0], between->words);
	if (!word->follows_comma && strcmp(word->text, "and") == 0) {
		const struct ast_word *peer = word->next->next;
		tunnel->ends[1].span = peer->span;
		literal_address(resolver, peer, &tunnel->ends[1].peer);
		return;
	}
	read_end(resolver, &tunnel->ends[1], word);
	if (tunnel->ends[0].device != NULL && tunnel->ends[0].device == tunnel->ends[1].device)
		diag_add(resolver->diags, CODE_TUNNEL_ENDS, between->span,
			 "both ends are device '%s'", tunnel->ends[0].device->name);
}

/* --- carry ---------------------------------------------------------------------------------- */

/* Of two sides that share no family nothing can be carried. */
static bool add_carry(struct resolver *resolver, struct tunnel *tunnel,
		      const struct ast_property *property)
{
	const struct address_set *left = place_addresses_resolve(resolver, property->places);
	const struct address_set *right = place_addresses_resolve(resolver, property->places_right);
	if (left == NULL || right == NULL)
		return false;
	if ((address_set_families(left) & address_set_families(right)) == 0) {
		diag_add(resolver->diags, CODE_FAMILY_MISMATCH, property->span,
			 "the two sides have no address family in common");
		return false;
	}
	if (address_set_overlaps(left, right)) {
		diag_add(resolver->diags, CODE_TUNNEL_ITEM, property->span,
			 "the two sides share addresses: a packet has one side only");
		return false;
	}
	*pool_append(resolver->pool, tunnel, carries) =
		(struct tunnel_carry){ *left, *right, property->span };
	return true;
}

/* Which side of `carry` is far: seen from its second end, the left one. */
static void add_far(struct resolver *resolver, const struct tunnel *tunnel, struct address_set *sum)
{
	const struct device *device = resolver->device;
	bool is_first = device == NULL || tunnel->ends[0].device == device;
	bool is_second = device == NULL || tunnel->ends[1].device == device;
	for (size_t i = 0; i < tunnel->carries_count; i++) {
		const struct tunnel_carry *carry = &tunnel->carries[i];
		if (is_first)
			*sum = address_set_union(resolver->pool, sum, &carry->right);
		if (is_second)
			*sum = address_set_union(resolver->pool, sum, &carry->left);
	}
}

const struct address_set *tunnel_far_networks(struct resolver *resolver,
					      struct place_definition *definition)
{
	struct tunnel *tunnel = definition->tunnel;
	struct address_set *sum = arena_new_item(resolver->arena, struct address_set);
	const struct ast_property *property = definition->ast_tunnel->properties;
	const struct ast_property *between = property_find(property, "between");
	bool is_good = true;
	if (between != NULL)
		read_ends(resolver, tunnel, between);
	for (; property != NULL; property = property->next)
		if (property->places != NULL)
			is_good = add_carry(resolver, tunnel, property) && is_good;
	add_far(resolver, tunnel, sum);
	definition->is_empty_file = definition->may_be_empty = address_set_is_empty(sum);
	if (tunnel->carries_count != 0 || !is_good)
		return is_good ? sum : NULL;
	diag_add(resolver->diags, CODE_TUNNEL_ITEM, definition->span,
		 "tunnel '%s' has no 'carry' line", definition->name);
	return NULL;
}

/* --- settings ------------------------------------------------------------------------------------ */

static struct tunnel_setting setting_of(const struct ast_property *property)
{
	const struct ast_word *value = property->words;
	return (struct tunnel_setting){
		.key = property->key->text,
		.value = value == NULL ? "" : value->text,
		.unit = value == NULL || value->next == NULL ? NULL : value->next->text,
		.span = property->span,
	};
}

static void check_settings(struct resolver *resolver, const struct ast_property *block,
			   const char *const *wanted)
{
	for (; *wanted != NULL; wanted++)
		if (property_find(block->children, *wanted) == NULL)
			diag_add(resolver->diags, CODE_TUNNEL_ITEM, block->key->span,
				 "'%s' has no '%s' line", block->key->text, *wanted);
}

static void read_settings(struct resolver *resolver, struct tunnel *tunnel,
			  const struct ast_property *properties)
{
	static const char *const ike_wanted[] = { "version", "encryption", "hash", "group", NULL };
	static const char *const esp_wanted[] = { "encryption", "hash", NULL };
	const struct ast_property *ike = property_find(properties, "ike");
	const struct ast_property *esp = property_find(properties, "esp");
	if (ike != NULL) {
		check_settings(resolver, ike, ike_wanted);
		for (const struct ast_property *line = ike->children; line != NULL; line = line->next)
			*pool_append(resolver->pool, tunnel, ike) = setting_of(line);
	}
	if (esp != NULL) {
		check_settings(resolver, esp, esp_wanted);
		for (const struct ast_property *line = esp->children; line != NULL; line = line->next)
			*pool_append(resolver->pool, tunnel, esp) = setting_of(line);
	}
}

static void read_key(struct resolver *resolver, struct tunnel *tunnel,
		     const struct ast_property *key)
{
	const struct ast_word *how = key->words;
	if (how == NULL || how->next == NULL)
		return; /* the parser told */
	const struct ast_word *name = how->next;
	if (name->is_reported)
		return;
	if (name->length == 0) {
		diag_add(resolver->diags, CODE_TUNNEL_KEY, name->span, "the name of the key is empty");
		return;
	}
	tunnel->key_span = key->span;
	if (strcmp(how->text, "env") == 0)
		tunnel->key_env = name->text;
	else
		tunnel->key_file = path_beside(resolver, name);
}

static const struct ast_property *wanted_property(struct resolver *resolver,
						  const struct place_definition *definition,
						  const char *key, enum code code)
{
	const struct ast_property *property =
		property_find(definition->ast_tunnel->properties, key);
	if (property == NULL)
		diag_add(resolver->diags, code, definition->span, "tunnel '%s' has no '%s' line",
			 definition->name, key);
	return property;
}

static void resolve_tunnel(struct resolver *resolver, struct place_definition *definition)
{
	struct tunnel *tunnel = definition->tunnel;
	tunnel->name = definition->name;
	tunnel->span = definition->span;
	const struct ast_property *key = wanted_property(resolver, definition, "key",
							 CODE_TUNNEL_KEY);
	wanted_property(resolver, definition, "between", CODE_TUNNEL_ENDS);
	wanted_property(resolver, definition, "ike", CODE_TUNNEL_ITEM);
	wanted_property(resolver, definition, "esp", CODE_TUNNEL_ITEM);
	if (key != NULL)
		read_key(resolver, tunnel, key);
	read_settings(resolver, tunnel, definition->ast_tunnel->properties);
	*pool_append(resolver->pool, resolver->policy, tunnels) = tunnel;
}

void tunnels_resolve(struct resolver *resolver)
{
	const struct names *places = resolver->policy->places;
	for (size_t i = 0; i < names_count(places); i++) {
		struct place_definition *definition = names_value(places, i);
		if (definition->kind == PLACE_DEFINITION_TUNNEL)
			resolve_tunnel(resolver, definition);
	}
}

/* --- the tunnel's own packets ---------------------------------------------------------------------- */

const struct device_interface *tunnel_interface(const struct tunnel_end *end)
{
	if (end->device == NULL || end->zone == NULL)
		return NULL;
	for (size_t i = 0; i < end->device->interfaces_count; i++) {
		const struct device_interface *interface = &end->device->interfaces[i];
		if (interface->zone == end->zone && interface->addresses_count != 0)
			return interface;
	}
	return NULL;
}

bool tunnel_end_address(const struct tunnel_end *end, struct address *address)
{
	const struct device_interface *interface = tunnel_interface(end);
	if (end->device == NULL) {
		*address = end->peer;
		return true;
	}
	if (interface == NULL)
		return false;
	*address = (struct address){ interface->addresses[0].family, interface->addresses[0].value };
	return true;
}

static const struct place_scope *place_scope_of(struct resolver *resolver, const struct place *place,
						const struct place_scope *outer)
{
	struct place_list *list = arena_new_item(resolver->arena, struct place_list);
	list->span = place->span;
	list->items = arena_copy(resolver->arena, place, sizeof *place);
	list->items_count = 1;
	return scope_new(resolver, list, outer);
}

static const struct place_scope *address_scope(struct resolver *resolver, const struct address *address,
					       struct span span, const struct place_scope *outer)
{
	struct address_set *set = arena_new_item(resolver->arena, struct address_set);
	struct text *name = text_new(resolver->pool);
	address_set_add_range(resolver->pool, set, address->family, address->value, address->value);
	address_format(name, address);
	const struct place place = { .kind = PLACE_ADDRESSES, .span = span, .name = name->bytes,
				     .addresses = set };
	return place_scope_of(resolver, &place, outer);
}

/* IKE and its way through NAT, RFC 7296 section 2.23, and ESP, RFC 4303. */
static void add_own_services(struct resolver *resolver, struct policy_rule *rule)
{
	static const struct service_tuple own[] = {
		{ PROTOCOL_UDP, FAMILIES_BOTH, { 500, 500 }, { 0, UINT16_MAX } },
		{ PROTOCOL_UDP, FAMILIES_BOTH, { 4500, 4500 }, { 0, UINT16_MAX } },
		{ PROTOCOL_ESP, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } },
	};
	struct service_use *use = arena_new_item(resolver->arena, struct service_use);
	struct tuple_set services = { 0 };
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		tuple_set_add(resolver->pool, &services, own[i]);
	use->tuples = tuple_set_normalise(resolver->pool, &services);
	rule->services = use;
	rule->services_count = 1;
}

/* From the peer, out of the zone through which it is reached, to the device's end. */
static void add_rule(struct resolver *resolver, const struct tunnel *tunnel,
		     const struct tunnel_end *own, const struct tunnel_end *far)
{
	const struct place zone = { .kind = PLACE_ZONE, .span = own->span,
				    .name = own->zone == NULL ? "" : own->zone->name,
				    .zone = own->zone };
	const struct place self = { .kind = PLACE_SELF, .span = own->span, .name = "self" };
	struct address here, there;
	if (own->zone == NULL || !tunnel_end_address(own, &here) || !tunnel_end_address(far, &there))
		return; /* reported */
	if (here.family != there.family)
		return; /* no target joins them, and each says so */
	static const struct policy_options options = {
		.families = FAMILIES_BOTH, .because = "packets of the tunnel itself",
	};
	struct policy_rule *rule = arena_new_item(resolver->arena, struct policy_rule);
	*rule = (struct policy_rule){
		.verdict = VERDICT_ALLOW,
		.span = tunnel->span,
		.verdict_span = tunnel->span,
		.from = address_scope(resolver, &there, far->span,
				      place_scope_of(resolver, &zone, NULL)),
		.to = address_scope(resolver, &here, own->span,
				    place_scope_of(resolver, &self, NULL)),
		.options = &options,
		.tunnel = tunnel,
	};
	add_own_services(resolver, rule);
	rule_append(resolver, rule);
}

void tunnels_add_rules(struct resolver *resolver)
{
	const struct policy *policy = resolver->policy;
	for (size_t i = 0; i < policy->tunnels_count && resolver->device != NULL; i++)
		for (size_t end = 0; end < 2; end++)
			if (policy->tunnels[i]->ends[end].device == resolver->device)
				add_rule(resolver, policy->tunnels[i], &policy->tunnels[i]->ends[end],
					 &policy->tunnels[i]->ends[1 - end]);
}
