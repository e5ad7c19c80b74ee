/* Language reference, "Rules", "State", "Translation of addresses": rules of input judge what is addressed
 * to the router, those of forward all else; a `forward` changes host and port before that. An inbound list
 * does not know by which interface a packet will leave: it knows destinations by their addresses. */
#include "target/cisco/prove/wanted.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

struct wanting {
	void *pool;
	struct packet_space *space;
	const struct wanted_place *place;
	struct interval_set own; /* addresses that reach the router itself */
	bool is_set;             /* 1 for what may enter, 0 else, in place of what decides */
};

static uint32_t number_of(const struct wanting *wanting, uint32_t decider)
{
	return wanting->is_set ? wanted_permits(wanting->place, decider) : decider;
}

/* --- sets ------------------------------------------------------------------------------------------- */

static struct interval_set *one(struct wanting *wanting, number128 low, number128 high)
{
	struct interval_set *set = pool_new(wanting->pool, struct interval_set);

	interval_set_add(wanting->pool, set, low, high);
	return set;
}

static const struct interval_set *family_set(struct wanting *wanting)
{
	return one(wanting, wanting->place->family, wanting->place->family);
}

/* Its addresses, their networks' broadcasts (but of two addresses, RFC 3021), what every host on the wire
 * hears: multicast (RFC 5771, RFC 4291), the broadcast, link-local addresses. */
static struct interval_set own_of(struct wanting *wanting)
{
	const struct device *device = wanting->place->device;
	enum family family = wanting->place->family;
	struct interval_set own = { 0 };

	for (size_t index = 0; device != NULL && index < device->interfaces_count; index++)
		for (size_t other = 0; other < device->interfaces[index].addresses_count; other++) {
			const struct prefix *address = &device->interfaces[index].addresses[other];
			struct interval network = prefix_interval(address);

			if (address->family != family)
				continue;
			interval_set_add(wanting->pool, &own, address->value, address->value);
			if (family == FAMILY_IPV4 && address->length <= 30)
				interval_set_add(wanting->pool, &own, network.high, network.high);
		}
	if (device != NULL && family == FAMILY_IPV4) {
		interval_set_add(wanting->pool, &own, 0xe0000000u, 0xefffffffu);
		interval_set_add(wanting->pool, &own, UINT32_MAX, UINT32_MAX);
	} else if (device != NULL) {
		interval_set_add(wanting->pool, &own, (number128)0xff00 << 112, ~(number128)0);
		interval_set_add(wanting->pool, &own, (number128)0xfe80 << 112,
				 ((number128)0xfec0 << 112) - 1);
	}
	interval_set_normalise(&own);
	return own;
}

/* --- rules ------------------------------------------------------------------------------------------ */

/* The box as this place sees it; false: nothing of it. */
static bool box_here(struct wanting *wanting, struct packet_box *box)
{
	const struct wanted_place *place = wanting->place;
	const struct interval_set *family = box->fields[FIELD_FAMILY], *in = box->fields[FIELD_IN];

	if (family != NULL && !interval_set_contains(family, place->family))
		return false;
	if (place->interface != NULL && in != NULL &&
	    !interval_set_contains(in, packet_universe_interface_number(wanting->space->universe,
									place->interface)))
		return false;
	box->fields[FIELD_IN] = box->fields[FIELD_OUT] = NULL;
	if (place->far != NULL) {
		const struct interval_set *far = address_set_family(place->far, place->family);
		struct interval_set *met = pool_new(wanting->pool, struct interval_set);

		*met = box->fields[FIELD_SOURCE] == NULL ? *far :
		       interval_set_intersect(wanting->pool, box->fields[FIELD_SOURCE], far);
		box->fields[FIELD_SOURCE] = met;
		return met->items_count > 0;
	}
	return true;
}

static struct packet_rules rules_of(struct wanting *wanting, enum hook hook)
{
	const struct ruleset *ruleset = wanting->place->ruleset;
	struct match_boxing *boxing = match_boxing_new(wanting->pool, wanting->space->universe);
	struct packet_rules boxes = { 0 };
	size_t count = 0;

	for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
		const struct rule *rule = ruleset->rules[hook][index];

		match_boxing_add(boxing, &rule->match,
				 number_of(wanting, WANTED_RULES + rule->identity->rule->number), &boxes);
	}
	for (size_t index = 0; index < boxes.items_count; index++)
		if (box_here(wanting, &boxes.items[index].box))
			boxes.items[count++] = boxes.items[index];
	boxes.items_count = count;
	return boxes;
}

/* Without a device nothing is known of translation: what a rule says of hosts stands as it is. */
static void forget_translations(struct packet_rules *rules, bool has_device)
{
	size_t count = 0;

	for (size_t index = 0; index < rules->items_count; index++) {
		struct packet_box *box = &rules->items[index].box;

		if (box->fields[FIELD_TRANSLATED] != NULL && has_device)
			continue;
		box->fields[FIELD_TRANSLATED] = box->fields[FIELD_ORIGINAL] = NULL;
		box->fields[FIELD_ORIGINAL_FIRST] = NULL;
		rules->items[count++] = rules->items[index];
	}
	rules->items_count = count;
}

static packet_map map_of(const struct wanting *wanting, enum hook hook)
{
	struct wanting own = *wanting;
	struct packet_rules rules;
	packet_map map;

	own.pool = pool_child(wanting->pool, "rules");
	rules = rules_of(&own, hook);
	forget_translations(&rules, wanting->place->device != NULL);
	map = packet_map_first_match(wanting->space, rules.items, rules.items_count,
				     number_of(wanting, hook == HOOK_INPUT ? WANTED_DEFAULT_INPUT :
									     WANTED_DEFAULT_FORWARD));
	talloc_free(own.pool);
	return map;
}

/* --- translation ------------------------------------------------------------------------------------ */

/* What a rule says of packets that go to this host and port in the end, by what they carry on arrival. */
static bool box_before(const struct translation *forward, enum family family, struct packet_box *box)
{
	const struct interval_set *to = box->fields[FIELD_DESTINATION], *port = box->fields[FIELD_FIRST];

	if (to != NULL && !interval_set_contains(to, forward->host[family].value))
		return false;
	box->fields[FIELD_DESTINATION] = box->fields[FIELD_ORIGINAL];
	if (forward->port != 0) {
		if (port != NULL && !interval_set_contains(port, forward->port))
			return false;
		box->fields[FIELD_FIRST] = box->fields[FIELD_ORIGINAL_FIRST];
	}
	box->fields[FIELD_TRANSLATED] = box->fields[FIELD_ORIGINAL] = box->fields[FIELD_ORIGINAL_FIRST] = NULL;
	return true;
}

static packet_map judged_after(struct wanting *wanting, const struct translation *forward)
{
	struct packet_rules rules = rules_of(wanting, HOOK_FORWARD), before = { 0 };

	for (size_t index = 0; index < rules.items_count; index++)
		if (box_before(forward, wanting->place->family, &rules.items[index].box))
			*pool_append(wanting->pool, &before, items) = rules.items[index];
	return packet_map_first_match(wanting->space, before.items, before.items_count,
				      number_of(wanting, WANTED_DEFAULT_FORWARD));
}

/* Without `at`: the addresses of the interface where the packets come in. */
static struct address_set listening_at(struct wanting *wanting, const struct translation *forward)
{
	const struct device *device = wanting->place->device;
	struct address_set at = { 0 };

	if (forward->has_at)
		return forward->at;
	for (size_t index = 0; index < device->interfaces_count; index++)
		if (strcmp(device->interfaces[index].name, wanting->place->interface) == 0)
			for (size_t other = 0; other < device->interfaces[index].addresses_count; other++) {
				const struct prefix *own = &device->interfaces[index].addresses[other];

				address_set_add_range(wanting->pool, &at, own->family, own->value, own->value);
			}
	address_set_normalise(&at);
	return at;
}

static packet_set translated_by(struct wanting *wanting, const struct rule_translation *half)
{
	struct place_boxes at = { 0 };
	struct packet_rules boxes = { 0 };
	struct place_box box = { .interfaces = interface_set_all() };
	struct match match = { .families = half->families, .services = half->services, .from = half->from };
	packet_set sum = packet_set_none();

	box.addresses = listening_at(wanting, half->source);
	at.boxes = &box;
	at.boxes_count = 1;
	match.to = at;
	match_boxes(wanting->pool, wanting->space->universe, &match, 0, &boxes);
	for (size_t index = 0; index < boxes.items_count; index++) {
		boxes.items[index].box.fields[FIELD_TRANSLATED] = NULL;
		if (box_here(wanting, &boxes.items[index].box))
			sum = packet_set_union(wanting->space, sum,
					       packet_set_box(wanting->space, &boxes.items[index].box));
	}
	return sum;
}

/* The first `forward` that holds a packet translates it. */
static packet_map with_translations(struct wanting *wanting, packet_map map)
{
	const struct ruleset *ruleset = wanting->place->ruleset;

	for (size_t index = ruleset->translations_count; index-- > 0;) {
		const struct rule_translation *half = ruleset->translations[index];

		if (half->kind == TRANSLATION_FORWARD && half->applies_to_routed &&
		    half->source->has_host[wanting->place->family])
			map = packet_map_choose(wanting->space, translated_by(wanting, half),
						judged_after(wanting, half->source), map);
	}
	return map;
}

/* --- all of it -------------------------------------------------------------------------------------- */

/* Neighbour discovery, and multicast listeners from link-local addresses, to the router itself; without a
 * device nobody knows where that is. No list sees the hop limit, which is told (FW0928). */
static packet_set always(struct wanting *wanting)
{
	struct interval_set *types = one(wanting, 130, 132);
	struct packet_box discovery = { .fields = {
		[FIELD_FAMILY] = family_set(wanting),
		[FIELD_PROTOCOL] = one(wanting, PROTOCOL_ICMP6, PROTOCOL_ICMP6),
		[FIELD_FIRST] = one(wanting, 133, 136),
	} };
	struct packet_box listeners;

	if (wanting->own.items_count > 0)
		discovery.fields[FIELD_DESTINATION] = &wanting->own;
	listeners = discovery;
	interval_set_add(wanting->pool, types, 143, 143);
	listeners.fields[FIELD_FIRST] = types;
	listeners.fields[FIELD_SOURCE] = one(wanting, (number128)0xfe80 << 112, ((number128)0xfec0 << 112) - 1);
	return packet_set_union(wanting->space, packet_set_box(wanting->space, &discovery),
				packet_set_box(wanting->space, &listeners));
}

static packet_map whole_map(struct wanting *wanting)
{
	struct packet_space *space = wanting->space;
	packet_map map = map_of(wanting, HOOK_FORWARD);

	wanting->own = own_of(wanting);
	if (wanting->own.items_count > 0) {
		const struct packet_box box = { .fields = { [FIELD_DESTINATION] = &wanting->own } };

		map = packet_map_choose(space, packet_set_box(space, &box), map_of(wanting, HOOK_INPUT), map);
	}
	if (wanting->place->device != NULL && wanting->place->far == NULL)
		map = with_translations(wanting, map);
	if (wanting->place->family == FAMILY_IPV6)
		map = packet_map_choose(space, always(wanting),
					packet_map_constant(number_of(wanting, WANTED_ALWAYS)), map);
	return map;
}

packet_map wanted_map(void *pool, struct packet_space *space, const struct wanted_place *place)
{
	struct wanting wanting = { .pool = pool, .space = space, .place = place };

	return whole_map(&wanting);
}

packet_set wanted_set(void *pool, struct packet_space *space, const struct wanted_place *place)
{
	struct wanting wanting = { .pool = pool, .space = space, .place = place, .is_set = true };

	return whole_map(&wanting);
}

bool wanted_permits(const struct wanted_place *place, uint32_t number)
{
	const struct ruleset *ruleset = place->ruleset;

	switch (number) {
	case WANTED_ALWAYS:
		return true;
	case WANTED_DEFAULT_INPUT:
		return ruleset->defaults[HOOK_INPUT]->verdict == VERDICT_ALLOW;
	case WANTED_DEFAULT_FORWARD:
		return ruleset->defaults[HOOK_FORWARD]->verdict == VERDICT_ALLOW;
	}
	return ruleset->policy->rules[number - WANTED_RULES]->verdict == VERDICT_ALLOW;
}

struct span wanted_origin(const struct wanted_place *place, uint32_t number)
{
	const struct policy *policy = place->ruleset->policy;
	const struct policy_default *fallback =
		&policy->defaults[number == WANTED_DEFAULT_INPUT ? HOOK_INPUT : HOOK_FORWARD];

	if (number >= WANTED_RULES)
		return policy->rules[number - WANTED_RULES]->span;
	return number != WANTED_ALWAYS && fallback->is_written ? fallback->span : SPAN_NONE;
}
