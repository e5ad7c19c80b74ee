/* Zones as they are written: interfaces, networks, `internet`. */
#include "resolve/zones.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "resolve/places.h"

/* --- interfaces ------------------------------------------------------------------------------- */

#define INTERFACE_LONGEST 15 /* the kernel's IFNAMSIZ - 1 */

/* The kernel's dev_valid_name; '*' and '\' mean something else in nft. NULL: acceptable. */
static const char *interface_mistake(const struct ast_word *word)
{
	if (word->length > INTERFACE_LONGEST)
		return "is longer than 15 characters";
	if (strcmp(word->text, ".") == 0 || strcmp(word->text, "..") == 0)
		return "is the name of a folder";
	for (size_t i = 0; i < word->length; i++) {
		if (isspace((unsigned char)word->text[i]))
			return "holds a blank";
		if (word->text[i] == '*')
			return "holds '*': there are no wildcards, interfaces are named one by one";
		if (strchr("/:\\\"$", word->text[i]) != NULL)
			return "holds '/', ':', '\\', '$' or a quote";
		if (!isascii((unsigned char)word->text[i]) || !isprint((unsigned char)word->text[i]))
			return "holds something else than printable ASCII, which nft's text cannot say";
	}
	return NULL;
}

static bool check_interface(struct resolver *resolver, const struct ast_word *word)
{
	/* on devices the host's interfaces do not matter */
	const char *mistake =
		names_count(resolver->devices) != 0 ? NULL : interface_mistake(word);
	if (word->is_reported)
		return false;
	if (mistake != NULL)
		diag_add(resolver->diags, CODE_BAD_INTERFACE, word->span,
			 "the interface's name '%s' %s", word->text, mistake);
	return mistake == NULL;
}

static void add_interface(struct resolver *resolver, struct zone *zone, const struct ast_word *word,
			  struct names *seen)
{
	if (!check_interface(resolver, word))
		return;
	const struct ast_word *before = names_find(seen, word->text, word->length);
	if (before != NULL) {
		struct diagnostic *error =
			diag_add(resolver->diags, CODE_DUPLICATE_INTERFACE, word->span,
				 "interface '%s' stands in zone '%s' already", word->text, zone->name);
		diag_note(resolver->diags, error, before->span, "here");
		return;
	}
	names_set(seen, word->text, word->length, (void *)(uintptr_t)word);
	zone->interfaces.names[zone->interfaces.names_count++] = word->text;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static size_t count_interfaces(const struct ast_property *property)
{
	size_t count = 0;
	for (; property != NULL; property = property->next)
		if (property->places == NULL)
			for (const struct ast_word *word = property->words; word != NULL;
			     word = word->next)
				count++;
	return count;
}

static void read_interfaces(struct resolver *resolver, struct zone *zone,
			    const struct ast_property *properties)
{
	size_t count = count_interfaces(properties);
	zone->has_interfaces = count != 0;
	zone->interfaces = interface_set_all();
	if (count == 0)
		return;
	struct names *seen = names_new(resolver->pool, false);
	zone->interfaces = (struct interface_set){
		.names = pool_array(resolver->pool, const char *, count),
	};
	for (const struct ast_property *property = properties; property != NULL;
	     property = property->next)
		if (property->places == NULL)
			for (const struct ast_word *word = property->words; word != NULL;
			     word = word->next)
				add_interface(resolver, zone, word, seen);
	if (zone->interfaces.names_count > 1)
		qsort(zone->interfaces.names, zone->interfaces.names_count,
		      sizeof *zone->interfaces.names, compare_names);
}

/* --- networks and internet ----------------------------------------------------------------------- */

/* The network lines of all zones, in the order of zones. */
struct zone_lines {
	struct network_line *lines;
	size_t lines_count, lines_capacity;
};

static void add_set(void *pool, struct address_set *sum, const struct address_set *more)
{
	*sum = address_set_union(pool, sum, more);
}

static void read_networks(struct resolver *resolver, struct zone *zone,
			  const struct ast_property *property, struct zone_lines *lines)
{
	for (; property != NULL; property = property->next) {
		struct network_line line = { 0 };
		if (property->places == NULL)
			continue;
		zone->has_networks = true;
		if (network_line_resolve(resolver, property->places, &line))
			*pool_append(resolver->pool, lines, lines) = line;
	}
}

static const struct address_set *find_internet(struct resolver *resolver,
					       const struct zone_lines *zones, size_t count)
{
	struct address_set named = { 0 }, all = address_set_all(resolver->pool);
	struct address_set *internet = arena_new_item(resolver->arena, struct address_set);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < zones[i].lines_count; j++)
			add_set(resolver->pool, &named, &zones[i].lines[j].others);
	*internet = address_set_subtract(resolver->pool, &all, &named);
	return internet;
}

const struct address_set *internet_addresses(struct resolver *resolver, struct span use)
{
	if (resolver->internet == NULL) {
		struct diagnostic *error = diag_add(
			resolver->diags, CODE_PLACE_CYCLE, use,
			"'internet' is what the networks of the zones leave, and this is part of them");
		diag_note(resolver->diags, error, SPAN_NONE,
			  "write 'network internet;' in the zone itself");
		return NULL;
	}
	if (!address_set_is_empty(resolver->internet))
		return resolver->internet;
	diag_add(resolver->diags, CODE_INTERNET_EMPTY, use,
		 "nothing is left for 'internet': the zones name all addresses");
	return NULL;
}

/* The networks of a zone, when internet is known. */
static void set_networks(struct resolver *resolver, struct zone *zone,
			 const struct zone_lines *lines)
{
	void *pool = resolver->pool;
	if (!zone->has_networks) {
		zone->networks = address_set_all(pool);
		return;
	}
	bool may_be_empty = false;
	for (size_t i = 0; i < lines->lines_count; i++) {
		const struct network_line *line = &lines->lines[i];
		may_be_empty = may_be_empty || line->may_be_empty;
		add_set(pool, &zone->networks, &line->others);
		const struct address_set *internet =
			line->has_internet ? internet_addresses(resolver, line->span) : NULL;
		if (internet == NULL)
			continue;
		struct address_set rest = address_set_subtract(pool, internet, &line->excepts);
		add_set(pool, &zone->networks, &rest);
	}
	if (address_set_is_empty(&zone->networks) && !diags_has_errors(resolver->diags))
		diag_add(resolver->diags, may_be_empty ? CODE_EMPTY_PLACE : CODE_ZONE_EMPTY,
			 zone->span, "the networks of zone '%s' hold no address", zone->name);
}

static struct place_definition *zone_definition(const struct resolver *resolver, size_t index)
{
	struct place_definition *definition = names_value(resolver->policy->places, index);
	return definition->zone == NULL ? NULL : definition;
}

void zones_collect(struct resolver *resolver)
{
	for (size_t i = 0; i < names_count(resolver->policy->places); i++) {
		struct place_definition *definition = zone_definition(resolver, i);
		if (definition == NULL)
			continue;
		definition->zone->name = definition->name;
		definition->zone->span = definition->span;
		*pool_append(resolver->pool, resolver->policy, zones) = definition->zone;
	}
}

void zones_read(struct resolver *resolver)
{
	struct policy *policy = resolver->policy;
	struct zone_lines *lines = pool_array(resolver->pool, struct zone_lines, policy->zones_count);
	size_t count = 0;
	for (size_t i = 0; i < names_count(policy->places); i++) {
		struct place_definition *definition = zone_definition(resolver, i);
		if (definition == NULL)
			continue;
		read_interfaces(resolver, definition->zone, definition->ast_zone->properties);
		read_networks(resolver, definition->zone, definition->ast_zone->properties,
			      &lines[count++]);
	}
	resolver->internet = find_internet(resolver, lines, policy->zones_count);
	for (size_t i = 0; i < policy->zones_count; i++)
		set_networks(resolver, policy->zones[i], &lines[i]);
}

struct zone *zone_find(struct resolver *resolver, const struct ast_word *name)
{
	struct place_definition *definition = place_find(resolver, name);
	if (definition != NULL && definition->zone != NULL) {
		definition->zone->is_used = true;
		return definition->zone;
	}
	if (name->is_reported)
		return NULL;
	struct diagnostic *error = diag_add(resolver->diags, CODE_UNKNOWN_ZONE, name->span,
					    definition == NULL ? "unknown zone '%s'"
							       : "'%s' is not a zone",
					    name->text);
	if (definition != NULL) {
		diag_note(resolver->diags, error, definition->span, "'%s' is defined here",
			  definition->name);
		return NULL;
	}
	struct names *zones = names_new(resolver->pool, false);
	for (size_t i = 0; i < resolver->policy->zones_count; i++) {
		const char *zone = resolver->policy->zones[i]->name;
		names_set(zones, zone, strlen(zone), zones);
	}
	note_nearest(resolver, error, zones, name);
	return NULL;
}
