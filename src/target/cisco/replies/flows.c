/* Rule by rule: a product of sources, destinations and services, cut by the denials before it into at
 * most three products each, then by the translations. */
#include "target/cisco/replies/flows.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define PIECES_MAX 20000 /* of one rule */

/* What later rules do not get. */
struct taker {
	struct interval_set source, destination;
	const struct tuple_set *services;
};

struct flow_collector {
	void *pool;
	struct diags *diags;
	const struct ios_vantage *vantage;
	struct interval_set behind;
	struct reply_flows *flows;
	/* of the pass that runs: packets of a hook, that come by an interface */
	enum hook hook;
	const char *in;          /* NULL: from the router itself, or not known */
	struct interval_set own; /* sources of the router */
	struct taker *takers;
	size_t takers_count, takers_capacity;
	bool is_good;
};

struct pieces {
	struct reply_flow *items;
	size_t items_count, items_capacity;
};

/* --- sets --------------------------------------------------------------------------------------- */

static struct interval_set whole_set(void *pool, enum family family)
{
	struct interval_set set = { 0 };

	interval_set_add(pool, &set, 0, family_highest(family));
	interval_set_normalise(&set);
	return set;
}

/* The addresses of all boxes that hold the interface; NULL: of all boxes. */
static struct interval_set boxes_set(void *pool, const struct place_boxes *boxes, enum family family,
				     const char *interface)
{
	struct interval_set sum = { 0 };
	bool is_first = true;

	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];
		const struct interval_set *set = address_set_family(&box->addresses, family);

		if (set->items_count == 0 ||
		    (interface != NULL && !interface_set_contains(&box->interfaces, interface)))
			continue;
		sum = is_first ? *set : interval_set_union(pool, &sum, set);
		is_first = false;
	}
	return sum;
}

/* Cheap: most pairs of rules are far apart. */
static bool sets_meet(const struct interval_set *a, const struct interval_set *b)
{
	return a->items_count > 0 && b->items_count > 0 && a->items[0].low <= b->items[b->items_count - 1].high &&
	       b->items[0].low <= a->items[a->items_count - 1].high && interval_set_overlaps(a, b);
}

/* --- taking out --------------------------------------------------------------------------------- */

static void add_piece(void *pool, struct pieces *pieces, const struct reply_flow *piece)
{
	if (piece->source.items_count > 0 && piece->destination.items_count > 0 &&
	    piece->services.tuples_count > 0)
		*pool_append(pool, pieces, items) = *piece;
}

static void take_from_piece(void *pool, const struct reply_flow *piece, const struct taker *taker,
			    struct pieces *rest)
{
	struct reply_flow part = *piece;

	part.source = interval_set_subtract(pool, &piece->source, &taker->source);
	add_piece(pool, rest, &part);
	part.source = interval_set_intersect(pool, &piece->source, &taker->source);
	part.destination = interval_set_subtract(pool, &piece->destination, &taker->destination);
	add_piece(pool, rest, &part);
	if (taker->services == NULL)
		return;
	part.destination = interval_set_intersect(pool, &piece->destination, &taker->destination);
	part.services = tuple_set_subtract(pool, &piece->services, taker->services);
	add_piece(pool, rest, &part);
}

static bool piece_meets(const struct reply_flow *piece, const struct taker *taker)
{
	return sets_meet(&piece->source, &taker->source) && sets_meet(&piece->destination, &taker->destination) &&
	       (taker->services == NULL || tuple_set_overlaps(&piece->services, taker->services));
}

static void take(struct flow_collector *collector, struct pieces *pieces, const struct taker *taker)
{
	struct pieces rest = { 0 };
	bool is_met = false;

	for (size_t index = 0; index < pieces->items_count && !is_met; index++)
		is_met = piece_meets(&pieces->items[index], taker);
	if (!is_met)
		return;
	for (size_t index = 0; index < pieces->items_count; index++)
		if (piece_meets(&pieces->items[index], taker))
			take_from_piece(collector->pool, &pieces->items[index], taker, &rest);
		else
			*pool_append(collector->pool, &rest, items) = pieces->items[index];
	*pieces = rest;
}

/* --- translation -------------------------------------------------------------------------------- */

/* What a source translation writes into packets that leave by the interface. */
static bool translated_address(const struct ios_vantage *vantage, const struct rule_translation *translation,
			       number128 *value)
{
	const struct device *device = vantage->device;

	if (translation->kind == TRANSLATION_SNAT) {
		*value = translation->source->as[vantage->family].value;
		return translation->source->has_as[vantage->family];
	}
	for (size_t index = 0; index < device->interfaces_count; index++) {
		const struct device_interface *interface = &device->interfaces[index];

		if (strcmp(interface->name, vantage->interface) != 0)
			continue;
		for (size_t other = 0; other < interface->addresses_count; other++)
			if (interface->addresses[other].family == vantage->family) {
				*value = interface->addresses[other].value;
				return true;
			}
	}
	return false;
}

/* A port of the translator's choice. */
static struct tuple_set any_source_port(void *pool, const struct tuple_set *services)
{
	struct tuple_set set = { 0 };

	for (size_t index = 0; index < services->tuples_count; index++) {
		struct service_tuple tuple = services->tuples[index];

		if (protocol_has_ports(tuple.protocol))
			tuple.second = (struct port_range){ 0, UINT16_MAX };
		tuple_set_add(pool, &set, tuple);
	}
	return tuple_set_normalise(pool, &set);
}

static void add_flow(struct flow_collector *collector, const struct reply_flow *flow)
{
	*pool_append(collector->pool, collector->flows, flows) = *flow;
}

static void add_translated(struct flow_collector *collector, const struct reply_flow *piece,
			   const struct taker *taker, number128 address)
{
	struct reply_flow flow = *piece;

	flow.destination = interval_set_intersect(collector->pool, &piece->destination, &taker->destination);
	flow.source = (struct interval_set){ 0 };
	interval_set_add(collector->pool, &flow.source, address, address);
	interval_set_normalise(&flow.source);
	flow.services = any_source_port(collector->pool, &piece->services);
	add_flow(collector, &flow);
}

/* The pieces that one translation gets become flows, the others stay. */
static void translate(struct flow_collector *collector, const struct rule_translation *translation,
		      struct pieces *pieces)
{
	const struct ios_vantage *vantage = collector->vantage;
	unsigned family = vantage->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	bool applies = collector->hook == HOOK_OUTPUT ? translation->applies_to_local :
		       translation->applies_to_routed;
	struct taker taker = { { 0 }, { 0 }, NULL };
	number128 address;

	if (translation->kind == TRANSLATION_FORWARD || !applies || (translation->families & family) == 0 ||
	    !translated_address(vantage, translation, &address))
		return;
	taker.source = boxes_set(collector->pool, &translation->from, vantage->family, collector->in);
	taker.destination = boxes_set(collector->pool, &translation->to, vantage->family, NULL);
	for (size_t index = 0; index < pieces->items_count; index++)
		if (piece_meets(&pieces->items[index], &taker))
			add_translated(collector, &pieces->items[index], &taker, address);
	take(collector, pieces, &taker);
}

static void add_pieces(struct flow_collector *collector, struct pieces *pieces)
{
	const struct ios_vantage *vantage = collector->vantage;
	const struct ruleset *ruleset = vantage->ruleset;

	if (vantage->device != NULL && address_set_is_empty(&vantage->far))
		for (size_t index = 0; index < ruleset->translations_count; index++)
			translate(collector, ruleset->translations[index], pieces);
	for (size_t index = 0; index < pieces->items_count; index++)
		add_flow(collector, &pieces->items[index]);
}

/* --- rules -------------------------------------------------------------------------------------- */

static void add_product(struct flow_collector *collector, const struct reply_flow *product)
{
	struct pieces pieces = { 0 };

	add_piece(collector->pool, &pieces, product);
	for (size_t index = 0; index < collector->takers_count; index++) {
		take(collector, &pieces, &collector->takers[index]);
		if (pieces.items_count <= PIECES_MAX)
			continue;
		diag_add(collector->diags, CODE_TARGET_LIMIT, product->origin,
			 "what the denials before this leave of it are more than %d pieces, and its answers "
			 "would be as many entries", PIECES_MAX);
		collector->is_good = false;
		return;
	}
	add_pieces(collector, &pieces);
}

static bool has_family(uint8_t families, enum family family)
{
	return (families & (family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6)) != 0;
}

static void add_rule(struct flow_collector *collector, const struct rule *rule)
{
	enum family family = collector->vantage->family;
	bool is_timed = rule->match.minutes != NULL || rule->match.until != 0;
	struct reply_flow product = {
		.rule = rule,
		.hook = collector->hook,
		.origin = rule->origin,
		.services = rule->match.services,
	};

	if (!has_family(rule->match.families, family))
		return;
	product.source = boxes_set(collector->pool, &rule->match.from, family, collector->in);
	if (collector->hook == HOOK_OUTPUT)
		product.source = interval_set_intersect(collector->pool, &product.source, &collector->own);
	product.destination = boxes_set(collector->pool, &rule->match.to, family, NULL);
	product.destination = interval_set_intersect(collector->pool, &product.destination, &collector->behind);
	if (rule->outcome->verdict == VERDICT_ALLOW && !rule->is_stateless)
		add_product(collector, &product);
	else if (!is_timed && !rule->match.is_translated)
		*pool_append(collector->pool, collector, takers) =
			(struct taker){ product.source, product.destination, &rule->match.services };
}

static struct tuple_set every_service(void *pool)
{
	struct tuple_set set = { 0 };

	tuple_set_add(pool, &set, (struct service_tuple){
		PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } });
	return set;
}

/* TCP, whose answers have a flag, and echo requests. */
static struct tuple_set safe_services(void *pool)
{
	struct tuple_set set = { 0 };

	tuple_set_add(pool, &set, (struct service_tuple){
		PROTOCOL_TCP, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } });
	tuple_set_add(pool, &set, (struct service_tuple){
		PROTOCOL_ICMP, FAMILIES_IPV4, { 8, 8 }, { 0, UINT8_MAX } });
	tuple_set_add(pool, &set, (struct service_tuple){
		PROTOCOL_ICMP6, FAMILIES_IPV6, { 128, 128 }, { 0, UINT8_MAX } });
	return tuple_set_normalise(pool, &set);
}

/* A default that nobody wrote opens no port of the router to answers without a connection. */
static void add_default(struct flow_collector *collector)
{
	const struct ruleset *ruleset = collector->vantage->ruleset;
	const struct policy_default *source = &ruleset->policy->defaults[collector->hook];
	bool is_safe = collector->hook == HOOK_OUTPUT && !source->is_written;
	enum family family = collector->vantage->family;
	struct reply_flow product = {
		.hook = collector->hook,
		.origin = source->is_written ? source->span : SPAN_NONE,
		.source = collector->hook == HOOK_OUTPUT ? collector->own : whole_set(collector->pool, family),
		.destination = collector->behind,
	};

	if (ruleset->defaults[collector->hook]->verdict != VERDICT_ALLOW)
		return;
	collector->flows->has_unwritten_output |= is_safe && collector->own.items_count > 0;
	product.services = is_safe ? safe_services(collector->pool) : every_service(collector->pool);
	add_product(collector, &product);
}

static void collect_hook(struct flow_collector *collector, enum hook hook, const char *in)
{
	const struct ruleset *ruleset = collector->vantage->ruleset;

	collector->hook = hook;
	collector->in = in;
	collector->takers_count = 0;
	for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
		add_rule(collector, ruleset->rules[hook][index]);
	add_default(collector);
}

/* --- where -------------------------------------------------------------------------------------- */

static const struct zone *zone_of(const struct ios_vantage *vantage)
{
	const struct device *device = vantage->device;

	for (size_t index = 0; device != NULL && index < device->interfaces_count; index++)
		if (strcmp(device->interfaces[index].name, vantage->interface) == 0)
			return device->interfaces[index].zone;
	return NULL;
}

struct interval_set reply_flows_behind(void *pool, const struct ios_vantage *vantage)
{
	const struct zone *zone = zone_of(vantage);

	if (!address_set_is_empty(&vantage->far))
		return *address_set_family(&vantage->far, vantage->family);
	if (zone == NULL)
		return whole_set(pool, vantage->family);
	return boxes_set(pool, &zone->routed_to, vantage->family, NULL);
}

/* Addresses that the router can send from. */
static struct interval_set own_sources(void *pool, const struct ios_vantage *vantage)
{
	struct interval_set set = { 0 };
	const struct device *device = vantage->device;

	for (size_t index = 0; index < device->interfaces_count; index++)
		for (size_t other = 0; other < device->interfaces[index].addresses_count; other++) {
			const struct prefix *address = &device->interfaces[index].addresses[other];

			if (address->family == vantage->family)
				interval_set_add(pool, &set, address->value, address->value);
		}
	if (vantage->family == FAMILY_IPV6 && set.items_count > 0)
		interval_set_add(pool, &set, (number128)0xfe80 << 112, ((number128)0xfec0 << 112) - 1);
	interval_set_normalise(&set);
	return set;
}

bool reply_flows_collect(void *pool, struct diags *diags, const struct ios_vantage *vantage,
			 struct reply_flows *flows)
{
	const struct device *device = vantage->device;
	struct flow_collector collector = {
		.pool = pool,
		.diags = diags,
		.vantage = vantage,
		.behind = reply_flows_behind(pool, vantage),
		.flows = flows,
		.is_good = true,
	};

	if (device == NULL) {
		collect_hook(&collector, HOOK_FORWARD, NULL);
		return collector.is_good;
	}
	for (size_t index = 0; index < device->interfaces_count; index++)
		if (device->interfaces[index].zone != NULL)
			collect_hook(&collector, HOOK_FORWARD, device->interfaces[index].name);
	collector.own = own_sources(pool, vantage);
	collect_hook(&collector, HOOK_OUTPUT, NULL);
	return collector.is_good;
}
