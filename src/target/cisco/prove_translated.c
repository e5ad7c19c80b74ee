/* Targets of the policy and of the text -> the packets that get each, twice -> where the two differ. */
#include "target/cisco/prove_translated.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "target/cisco/acl_read.h"

#define NO_TARGET 0u
#define OUTSIDE_TARGET 1u /* the address of an outside interface; more: those of snat */

static const struct interval v4_only = { FAMILY_IPV4, FAMILY_IPV4 };
static const struct interval_set v4_family = { (struct interval *)(uintptr_t)&v4_only, 1, 1 };

struct translating {
	const struct translated_subject *subject;
	void *pool;
	const struct device *device;
	number128 *addresses;        /* of targets from OUTSIDE_TARGET + 1 on */
	size_t addresses_count, addresses_capacity;
	struct translated_difference difference;
};

/* --- the policy ---------------------------------------------------------------------------------------- */

static bool is_meant(const struct rule_translation *translation)
{
	return translation->kind != TRANSLATION_FORWARD && translation->applies_to_routed &&
	       (translation->families & FAMILIES_IPV4) != 0;
}

static uint32_t address_target(struct translating *translating, number128 address)
{
	for (size_t index = 0; index < translating->addresses_count; index++)
		if (translating->addresses[index] == address)
			return OUTSIDE_TARGET + 1 + (uint32_t)index;
	*pool_append(translating->pool, translating, addresses) = address;
	return OUTSIDE_TARGET + (uint32_t)translating->addresses_count;
}

static uint32_t target_of(struct translating *translating, const struct rule_translation *translation)
{
	if (translation->kind == TRANSLATION_MASQUERADE)
		return OUTSIDE_TARGET;
	return address_target(translating, translation->source->as[FAMILY_IPV4].value);
}

static packet_set packets_of(const struct translating *translating, const struct rule_translation *translation)
{
	struct packet_space *space = translating->subject->space;
	packet_set sum = packet_set_none();

	for (size_t from = 0; from < translation->from.boxes_count; from++)
		for (size_t to = 0; to < translation->to.boxes_count; to++) {
			const struct packet_box box = { .fields = {
				[FIELD_FAMILY] = &v4_family,
				[FIELD_SOURCE] = &translation->from.boxes[from].addresses.v4,
				[FIELD_DESTINATION] = &translation->to.boxes[to].addresses.v4,
			} };

			if (!interval_set_is_empty(box.fields[FIELD_SOURCE]) &&
			    !interval_set_is_empty(box.fields[FIELD_DESTINATION]))
				sum = packet_set_union(space, sum, packet_set_box(space, &box));
		}
	return sum;
}

/* The targets of packets; *has_any: whether the policy speaks of sources. */
static packet_map wanted_targets(struct translating *translating, bool *has_any)
{
	const struct ruleset *ruleset = translating->subject->ruleset;
	struct packet_space *space = translating->subject->space;
	packet_map map = packet_map_constant(NO_TARGET);

	for (size_t index = ruleset->translations_count; index-- > 0;) {
		const struct rule_translation *translation = ruleset->translations[index];

		if (!is_meant(translation))
			continue;
		*has_any = true;
		map = packet_map_choose(space, packets_of(translating, translation),
					packet_map_constant(target_of(translating, translation)), map);
	}
	return packet_map_choose(space, translating->subject->carried, packet_map_constant(NO_TARGET), map);
}

static struct span origin_of(const struct translating *translating, const struct packet_point *point)
{
	const struct ruleset *ruleset = translating->subject->ruleset;

	for (size_t index = 0; index < ruleset->translations_count; index++)
		if (is_meant(ruleset->translations[index]) &&
		    packet_map_at(translating->subject->space,
				  packets_of(translating, ruleset->translations[index]), point) != 0)
			return ruleset->translations[index]->origin;
	return SPAN_NONE;
}

/* --- the text ------------------------------------------------------------------------------------------ */

static enum acl_nat_side side_of(const struct translating *translating, const char *name)
{
	const struct acl_interface *read = acl_interface_find(translating->subject->config, name);

	return read == NULL ? ACL_NAT_NONE : read->nat;
}

static bool is_source_list(const struct acl_nat *nat)
{
	return nat->kind == ACL_NAT_LIST && !nat->is_outside && !nat->is_destination;
}

/* NO_TARGET: one that the policy does not know. */
static uint32_t read_target(struct translating *translating, const struct acl_nat *nat)
{
	const struct acl_config *config = translating->subject->config;

	if (nat->interface != NULL)
		return side_of(translating, nat->interface) == ACL_NAT_OUTSIDE ? OUTSIDE_TARGET : NO_TARGET;
	for (size_t index = 0; index < config->pools_count; index++)
		if (strcmp(config->pools[index].name, nat->pool) == 0 &&
		    config->pools[index].range.low == config->pools[index].range.high)
			return address_target(translating, config->pools[index].range.low);
	return NO_TARGET;
}

static bool list_packets(struct translating *translating, const struct acl_nat *nat, packet_set *packets)
{
	const struct translated_subject *subject = translating->subject;
	const struct given_context context = {
		translating->pool, subject->diags, subject->config, subject->universe, 0,
	};
	const struct acl_list *list = acl_list_find(subject->config, FAMILY_IPV4, nat->list);
	struct given_list given;

	translating->difference.lists++;
	translating->difference.entries += list != NULL ? list->entries_count : 0;
	translating->difference.is_unreadable = !given_list_make(&context, FAMILY_IPV4, list, &given);
	if (translating->difference.is_unreadable)
		return false;
	*packets = packet_map_first_match(subject->space, given.rules.items, given.rules.items_count, 0);
	return true;
}

/* --- the comparison ------------------------------------------------------------------------------------ */

static void add_addresses(const struct translating *translating, struct interval_set *sum,
			  const struct interval_set *more)
{
	*sum = interval_set_union(translating->pool, sum, more);
}

/* Packets that leave by an outside interface: no zone of another has the destination, nor the router. */
static packet_set leaving(const struct translating *translating)
{
	const struct translated_subject *subject = translating->subject;
	struct interval_set near = { 0 };
	struct packet_box box = { .fields = { [FIELD_DESTINATION] = &near } };

	for (size_t index = 0; index < translating->device->interfaces_count; index++) {
		const struct device_interface *interface = &translating->device->interfaces[index];
		bool is_near = side_of(translating, interface->name) != ACL_NAT_OUTSIDE && interface->zone != NULL;

		for (size_t at = 0; at < interface->addresses_count; at++)
			if (interface->addresses[at].family == FAMILY_IPV4)
				add_addresses(translating, &near, &(struct interval_set){
					&(struct interval){ interface->addresses[at].value,
							    interface->addresses[at].value }, 1, 1 });
		for (size_t at = 0; is_near && at < interface->zone->routed_to.boxes_count; at++)
			add_addresses(translating, &near, &interface->zone->routed_to.boxes[at].addresses.v4);
	}
	if (interval_set_is_empty(&near))
		return subject->scope;
	return packet_set_subtract(subject->space, subject->scope, packet_set_box(subject->space, &box));
}

static const char *target_words(const struct translating *translating, uint32_t target)
{
	struct text *out = text_new(translating->pool);

	if (target == NO_TARGET)
		return "not translated";
	if (target == OUTSIDE_TARGET)
		return "translated to the outside interface's address";
	text_add(out, "translated to ");
	address_format(out, &(struct address){
		.family = FAMILY_IPV4, .value = translating->addresses[target - OUTSIDE_TARGET - 1] });
	return out->bytes;
}

/* nat NULL: no list permits what one should. */
static bool differ(struct translating *translating, const struct acl_nat *nat, packet_map wanted,
		   packet_set packets)
{
	struct translated_difference *difference = &translating->difference;

	if (!packet_set_example(translating->subject->space, packets, &difference->point))
		return false;
	difference->has_point = true;
	difference->where = nat == NULL ? "the translation of sources" :
			    pool_format(translating->pool, "translation list '%s'", nat->list);
	difference->wanted = target_words(translating, packet_map_at(translating->subject->space, wanted,
								    &difference->point));
	difference->found = nat == NULL ? "permitted by none of the lists" : "permitted by the list";
	difference->entry = nat == NULL ? SPAN_NONE : nat->span;
	difference->origin = origin_of(translating, &difference->point);
	return true;
}

/* Each list takes what gets its target and nothing else; together they take all of it. IOS does not say in
 * which order it asks them. */
static void compare_lists(struct translating *translating, packet_map wanted, packet_set scope, bool is_whole)
{
	const struct acl_config *config = translating->subject->config;
	struct packet_space *space = translating->subject->space;
	packet_set taken = packet_set_none();
	packet_set open;

	for (size_t index = 0; index < config->nats_count; index++) {
		const struct acl_nat *nat = &config->nats[index];
		packet_set packets, wrong;
		uint32_t target;

		if (!is_source_list(nat))
			continue;
		target = read_target(translating, nat);
		if (!list_packets(translating, nat, &packets))
			return;
		packets = packet_set_intersect(space, packets, scope);
		wrong = target == NO_TARGET ? packets :
			packet_set_subtract(space, packets, packet_map_where(space, wanted, target));
		if (differ(translating, nat, wanted, wrong))
			return;
		taken = packet_set_union(space, taken, packets);
	}
	open = packet_set_subtract(space, scope, packet_map_where(space, wanted, NO_TARGET));
	if (is_whole)
		(void)differ(translating, NULL, wanted, packet_set_subtract(space, open, taken));
}

/* Over whatever interface. */
static bool place_boxes_hold(const struct place_boxes *boxes, const struct address *address)
{
	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (interval_set_contains(&boxes->boxes[index].addresses.v4, address->value))
			return true;
	return false;
}

static bool comes_in(const struct rule_translation *translation, const struct device_interface *interface)
{
	for (size_t index = 0; index < translation->from.boxes_count && interface->zone != NULL; index++)
		if (interface_set_contains(&translation->from.boxes[index].interfaces, interface->name) &&
		    address_set_overlaps(&translation->from.boxes[index].addresses, &interface->zone->networks))
			return true;
	return false;
}

static bool is_wrong_side(struct translating *translating, const struct device_interface *interface,
			  enum acl_nat_side wanted, struct span origin)
{
	static const char *const words[] = {
		[ACL_NAT_NONE] = "neither inside nor outside",
		[ACL_NAT_INSIDE] = "inside of translations",
		[ACL_NAT_OUTSIDE] = "outside of translations",
	};
	struct translated_difference *difference = &translating->difference;
	enum acl_nat_side side = side_of(translating, interface->name);

	if (side == wanted || difference->where != NULL)
		return difference->where != NULL;
	difference->where = pool_format(translating->pool, "interface '%s'", interface->name);
	difference->wanted = words[wanted];
	difference->found = words[side];
	difference->origin = origin;
	return true;
}

/* Where the zones that a side names are. */
static bool names_zone(const struct place_scope *scope, const struct zone *zone)
{
	for (; scope != NULL; scope = scope->outer)
		for (size_t index = 0; index < scope->list->items_count; index++)
			if (scope->list->items[index].kind == PLACE_ZONE && scope->list->items[index].zone == zone)
				return true;
	return false;
}

static const struct place_scope *outer_side(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD ? translation->source->from : translation->source->to;
}

/* Packets are translated between inside and outside: by `forward` from the zones that it names to its host's. */
static bool has_wrong_side(struct translating *translating, const struct rule_translation *translation,
			   const struct device_interface *interface)
{
	if (!translation->applies_to_routed || (translation->families & FAMILIES_IPV4) == 0 ||
	    interface->zone == NULL)
		return false;
	if (names_zone(outer_side(translation), interface->zone))
		return is_wrong_side(translating, interface, ACL_NAT_OUTSIDE, translation->origin);
	if (translation->kind == TRANSLATION_FORWARD) {
		const struct address *host = &translation->source->host[FAMILY_IPV4];

		return translation->source->has_host[FAMILY_IPV4] &&
		       place_boxes_hold(&interface->zone->routed_to, host) &&
		       is_wrong_side(translating, interface, ACL_NAT_INSIDE, translation->origin);
	}
	return comes_in(translation, interface) && side_of(translating, interface->name) == ACL_NAT_NONE &&
	       is_wrong_side(translating, interface, ACL_NAT_INSIDE, translation->origin);
}

static bool compare_sides(struct translating *translating)
{
	const struct ruleset *ruleset = translating->subject->ruleset;

	for (size_t index = 0; index < ruleset->translations_count; index++)
		for (size_t at = 0; at < translating->device->interfaces_count; at++)
			if (has_wrong_side(translating, ruleset->translations[index],
					   &translating->device->interfaces[at]))
				return false;
	return true;
}

static bool has_route_map(const struct acl_config *config)
{
	for (size_t index = 0; index < config->nats_count; index++)
		if (config->nats[index].kind == ACL_NAT_ROUTE_MAP && !config->nats[index].is_outside)
			return true;
	return false;
}

struct translated_difference translated_compare(const struct translated_subject *subject)
{
	struct translating translating = {
		.subject = subject,
		.pool = subject->pool,
		.device = subject->ruleset->policy->device,
		.difference = { .origin = SPAN_NONE, .entry = SPAN_NONE },
	};
	bool has_any = false;
	packet_map wanted = wanted_targets(&translating, &has_any);
	bool is_whole = has_any && !has_route_map(subject->config);
	packet_set scope = is_whole ? packet_set_union(subject->space, leaving(&translating), subject->carried) :
			   subject->carried;

	scope = packet_set_intersect(subject->space, scope, subject->scope);
	if (compare_sides(&translating))
		compare_lists(&translating, wanted, scope, is_whole);
	return translating.difference;
}
