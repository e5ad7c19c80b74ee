/* Tunnels: ends, carried networks, settings, key. The parser has checked the shape of every line
 * (src/ast/shape.c). */
#include "resolve/tunnels.h"

#include <string.h>

#include "base/pool.h"
#include "resolve/literal.h"
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
	if (strcmp(how->text, "env") == 0)
		tunnel->key_env = name->text;
	else
		tunnel->key_file = name->text;
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
