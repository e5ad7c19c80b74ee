/* Targets of the policy and of the text -> the packets that get each, twice -> where the two differ. */
#include "target/cisco/prove/translated.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "target/cisco/read/read.h"

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
	packet_set passing;          /* once a difference was seen */
	bool has_passing;
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

static const struct acl_nat_pool *pool_of(const struct translating *translating, const struct acl_nat *nat)
{
	const struct acl_config *config = translating->subject->config;

	for (size_t index = 0; nat->pool != NULL && index < config->pools_count; index++)
		if (strcmp(config->pools[index].name, nat->pool) == 0)
			return &config->pools[index];
	return NULL;
}

/* NO_TARGET: one that the policy does not know. */
static uint32_t read_target(struct translating *translating, const struct acl_nat *nat)
{
	const struct acl_nat_pool *pool = pool_of(translating, nat);

	if (nat->interface != NULL)
		return side_of(translating, nat->interface) == ACL_NAT_OUTSIDE ? OUTSIDE_TARGET : NO_TARGET;
	return pool == NULL || pool->range.low != pool->range.high ? NO_TARGET :
	       address_target(translating, pool->range.low);
}

static const char *static_words(const struct translating *translating, const struct acl_nat *nat)
{
	struct text *out = text_new(translating->pool);

	if (nat->interface != NULL) {
		text_addf(out, "translated to the address of interface '%s', whichever the port", nat->interface);
		return out->bytes;
	}
	text_add(out, "translated to ");
	address_format(out, &nat->global);
	if (nat->prefix_length < 32)
		text_addf(out, "/%u", nat->prefix_length);
	text_add(out, ", whichever the port");
	return out->bytes;
}

/* What the text makes of a source that the list permits. */
static const char *found_words(const struct translating *translating, const struct acl_nat *nat)
{
	const struct acl_nat_pool *pool = pool_of(translating, nat);
	struct text *out = text_new(translating->pool);

	if (nat->kind == ACL_NAT_STATIC)
		return static_words(translating, nat);
	text_add(out, "permitted by the list: ");
	if (nat->interface != NULL) {
		text_addf(out, "translated to the address of interface '%s'%s", nat->interface,
			  side_of(translating, nat->interface) == ACL_NAT_OUTSIDE ? "" : ", which is not outside");
		return out->bytes;
	}
	text_addf(out, "translated to pool '%s', ", nat->pool);
	if (pool == NULL) {
		text_add(out, "which is not there");
		return out->bytes;
	}
	address_format(out, &(struct address){ .family = FAMILY_IPV4, .value = pool->range.low });
	if (pool->range.high != pool->range.low) {
		text_add(out, "-");
		address_format(out, &(struct address){ .family = FAMILY_IPV4, .value = pool->range.high });
	}
	if (!nat->is_overload)
		text_add(out, ", each address for one source at a time");
	return out->bytes;
}

/* One address without `overload` serves one source at a time; for an interface IOS adds the word itself. */
static bool serves_one(const struct acl_nat *nat)
{
	return nat->pool != NULL && !nat->is_overload;
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

static struct interval_set *protocols_of(const struct translating *translating, const struct rule *rule)
{
	const struct tuple_set *services = &rule->match.services;
	struct interval_set *protocols = pool_new(translating->pool, struct interval_set);

	for (size_t index = 0; index < services->tuples_count; index++) {
		const uint16_t protocol = services->tuples[index].protocol;

		interval_set_add(translating->pool, protocols, protocol == PROTOCOL_ANY ? 0 : protocol,
				 protocol == PROTOCOL_ANY ? UINT8_MAX : protocol);
	}
	interval_set_normalise(protocols);
	return protocols;
}

static void add_between(const struct translating *translating, const struct interval_set *protocols,
			const struct place_boxes *sources, const struct place_boxes *destinations,
			struct packet_rules *rules)
{
	for (size_t from = 0; from < sources->boxes_count; from++)
		for (size_t to = 0; to < destinations->boxes_count; to++) {
			const struct packet_rule rule = { .number = 1, .box.fields = {
				[FIELD_FAMILY] = &v4_family,
				[FIELD_PROTOCOL] = protocols,
				[FIELD_SOURCE] = &sources->boxes[from].addresses.v4,
				[FIELD_DESTINATION] = &destinations->boxes[to].addresses.v4,
			} };

			if (!interval_set_is_empty(rule.box.fields[FIELD_SOURCE]) &&
			    !interval_set_is_empty(rule.box.fields[FIELD_DESTINATION]))
				*pool_append(translating->pool, rules, items) = rule;
		}
}

/* What rules allow between these addresses by these protocols, and its answers; and what tunnels carry. The lists
 * that filter let nothing else through, whose translation would show. */
static packet_set passing(const struct translating *translating)
{
	const struct translated_subject *subject = translating->subject;
	const struct ruleset *ruleset = subject->ruleset;
	struct packet_rules rules = { 0 };
	packet_set allowed;

	if (ruleset->defaults[HOOK_FORWARD]->verdict == VERDICT_ALLOW)
		return subject->scope;
	for (size_t index = 0; index < ruleset->rules_count[HOOK_FORWARD]; index++) {
		const struct rule *rule = ruleset->rules[HOOK_FORWARD][index];
		const struct interval_set *protocols = protocols_of(translating, rule);

		if (rule->outcome->verdict != VERDICT_ALLOW)
			continue;
		add_between(translating, protocols, &rule->match.from, &rule->match.to, &rules);
		add_between(translating, protocols, &rule->match.to, &rule->match.from, &rules);
	}
	allowed = packet_map_first_match(subject->space, rules.items, rules.items_count, 0);
	return packet_set_union(subject->space, allowed, subject->carried);
}

static packet_set that_pass(struct translating *translating, packet_set packets)
{
	if (packet_set_is_empty(packets))
		return packets;
	if (!translating->has_passing)
		translating->passing = passing(translating);
	translating->has_passing = true;
	return packet_set_intersect(translating->subject->space, packets, translating->passing);
}

/* nat NULL: no list permits what one should. */
static bool differ(struct translating *translating, const struct acl_nat *nat, packet_map wanted,
		   packet_set packets)
{
	struct translated_difference *difference = &translating->difference;

	packets = that_pass(translating, packets);
	if (!packet_set_example(translating->subject->space, packets, &difference->point))
		return false;
	difference->has_point = true;
	difference->where = nat == NULL ? "the translation of sources" :
			    nat->kind == ACL_NAT_STATIC ? "a translation of whole addresses" :
			    pool_format(translating->pool, "translation list '%s'", nat->list);
	difference->wanted = target_words(translating, packet_map_at(translating->subject->space, wanted,
								    &difference->point));
	difference->found = nat == NULL ? "permitted by none of the lists" : found_words(translating, nat);
	difference->entry = nat == NULL ? SPAN_NONE : nat->span;
	difference->origin = origin_of(translating, &difference->point);
	return true;
}

/* `ip nat inside source static` of whole addresses: it comes before all lists. */
static bool is_whole_static(const struct acl_nat *nat)
{
	return nat->kind == ACL_NAT_STATIC && !nat->is_outside && !nat->is_destination &&
	       nat->protocol == ACL_PROTOCOL_IP && nat->prefix_length <= 32;
}

static packet_set static_packets(const struct translating *translating, const struct acl_nat *nat)
{
	const number128 rest = UINT32_MAX >> nat->prefix_length % 32;
	struct interval local = { nat->local.value, nat->local.value };
	const struct interval_set sources = { &local, 1, 1 };
	const struct packet_box box = { .fields = { [FIELD_FAMILY] = &v4_family, [FIELD_SOURCE] = &sources } };

	if (nat->prefix_length < 32)
		local = (struct interval){ nat->local.value & ~rest, nat->local.value | rest };
	return packet_set_box(translating->subject->space, &box);
}

static uint32_t static_target(struct translating *translating, const struct acl_nat *nat)
{
	if (nat->prefix_length < 32)
		return NO_TARGET;
	return nat->interface != NULL ? read_target(translating, nat) :
	       address_target(translating, nat->global.value);
}

/* Takes what gets the target, and nothing else. */
static bool takes_wrong(struct translating *translating, const struct acl_nat *nat, packet_map wanted,
			packet_set packets)
{
	const uint32_t target = nat->kind == ACL_NAT_STATIC ? static_target(translating, nat) :
				read_target(translating, nat);

	if (target != NO_TARGET)
		packets = packet_set_subtract(translating->subject->space, packets,
					      packet_map_where(translating->subject->space, wanted, target));
	return differ(translating, nat, wanted, packets);
}

static bool compare_statics(struct translating *translating, packet_map wanted, packet_set scope, packet_set *taken)
{
	const struct acl_config *config = translating->subject->config;
	struct packet_space *space = translating->subject->space;

	for (size_t index = 0; index < config->nats_count; index++) {
		packet_set packets;

		if (!is_whole_static(&config->nats[index]))
			continue;
		packets = packet_set_intersect(space, static_packets(translating, &config->nats[index]), scope);
		if (takes_wrong(translating, &config->nats[index], wanted, packets))
			return false;
		*taken = packet_set_union(space, *taken, packets);
	}
	return true;
}

/* An address that serves one source at a time has no more than one: another than the example's is shown. */
static bool serves_too_many(struct translating *translating, const struct acl_nat *nat, packet_map wanted,
			    packet_set packets)
{
	struct packet_space *space = translating->subject->space;
	struct packet_point point;

	if (!serves_one(nat))
		return false;
	packets = that_pass(translating, packets);
	return packet_set_example(space, packets, &point) &&
	       differ(translating, nat, wanted,
		      packet_set_subtract(space, packets,
					  packet_set_value(space, FIELD_SOURCE, point.fields[FIELD_SOURCE])));
}

/* Each list takes what gets its target and nothing else; together they take all of it. IOS does not say in
 * which order it asks them. */
static void compare_lists(struct translating *translating, packet_map wanted, packet_set scope, bool is_whole)
{
	const struct acl_config *config = translating->subject->config;
	struct packet_space *space = translating->subject->space;
	packet_set by_statics = packet_set_none(), taken, open;

	if (!compare_statics(translating, wanted, scope, &by_statics))
		return;
	taken = by_statics;
	for (size_t index = 0; index < config->nats_count; index++) {
		const struct acl_nat *nat = &config->nats[index];
		packet_set packets;

		if (!is_source_list(nat))
			continue;
		if (!list_packets(translating, nat, &packets))
			return;
		packets = packet_set_subtract(space, packet_set_intersect(space, packets, scope), by_statics);
		if (takes_wrong(translating, nat, wanted, packets) ||
		    serves_too_many(translating, nat, wanted, packets))
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

static bool is_outer(const struct translating *translating, const struct zone *zone)
{
	const struct ruleset *ruleset = translating->subject->ruleset;

	for (size_t index = 0; index < ruleset->translations_count; index++)
		if (ruleset->translations[index]->applies_to_routed &&
		    (ruleset->translations[index]->families & FAMILIES_IPV4) != 0 &&
		    names_zone(outer_side(ruleset->translations[index]), zone))
			return true;
	return false;
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
	return comes_in(translation, interface) && !is_outer(translating, interface->zone) &&
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

static const struct acl_nat *nat_of_kind(const struct acl_config *config, enum acl_nat_kind kind)
{
	for (size_t index = 0; index < config->nats_count; index++)
		if (config->nats[index].kind == kind && !config->nats[index].is_outside)
			return &config->nats[index];
	return NULL;
}

struct translated_difference translated_compare(const struct translated_subject *subject)
{
	struct translating translating = {
		.subject = subject,
		.pool = subject->pool,
		.device = subject->ruleset->policy->device,
		.difference = { .origin = SPAN_NONE, .entry = SPAN_NONE, .unasked = SPAN_NONE },
	};
	const struct acl_nat *route_map = nat_of_kind(subject->config, ACL_NAT_ROUTE_MAP);
	const struct acl_nat *unread = nat_of_kind(subject->config, ACL_NAT_UNREAD);
	bool has_any = false;
	packet_map wanted = wanted_targets(&translating, &has_any);
	bool is_whole = has_any && route_map == NULL;
	packet_set scope = is_whole ? packet_set_union(subject->space, leaving(&translating), subject->carried) :
			   subject->carried;

	scope = packet_set_intersect(subject->space, scope, subject->scope);
	if (compare_sides(&translating))
		compare_lists(&translating, wanted, scope, is_whole && unread == NULL);
	if (subject->ruleset->translations_count > 0 && (route_map != NULL || unread != NULL))
		translating.difference.unasked = route_map != NULL ? route_map->span : unread->span;
	return translating.difference;
}
