/* The packets asked about are a set; the map of the ruleset, cut down to it, has one number for each rule
 * that decides some of them. */
#include "analyse/explain.h"

#include <string.h>

#include "analyse/router.h"
#include "analyse/translations.h"
#include "base/pool.h"
#include "net/protocol.h"

struct explaining {
	void *pool;
	const struct ruleset *ruleset;
	const struct explain_question *question;
	struct packet_universe *universe;
	struct packet_space *space;
	struct explanation *explanation;
	packet_map map;
	packet_set asked;
};

static const struct interval_set *number_set(void *pool, number128 number)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, number, number);
	return set;
}

static packet_set on_interfaces(struct explaining *explaining)
{
	struct packet_box box = { 0 };
	const struct explain_question *question = explaining->question;

	if (question->in != NULL)
		box.fields[FIELD_IN] = number_set(explaining->pool, packet_universe_interface_number(
							  explaining->universe, question->in));
	if (question->out != NULL)
		box.fields[FIELD_OUT] = number_set(explaining->pool, packet_universe_interface_number(
							   explaining->universe, question->out));
	return packet_set_box(explaining->space, &box);
}

/* Packets as they come: not translated yet. */
static packet_set untranslated(struct explaining *explaining)
{
	struct packet_box box = { 0 };

	box.fields[FIELD_TRANSLATED] = number_set(explaining->pool, 0);
	return packet_set_box(explaining->space, &box);
}

static packet_set asked_set(struct explaining *explaining)
{
	const struct assertion *packets = explaining->question->packets;
	const struct device *device = explaining->ruleset->policy->device;
	struct packet_space *space = explaining->space;
	struct packet_rules boxes = { 0 };
	packet_set set;

	scope_boxes(explaining->pool, explaining->universe, &packets->services, packets->from, packets->to,
		    packets->families, &boxes);
	for (size_t index = 0; index < boxes.items_count; index++)
		boxes.items[index].number = 1;
	set = packet_map_first_match(space, boxes.items, boxes.items_count, 0);
	set = packet_set_intersect(space, set, packet_set_possible(space));
	if (device != NULL)
		set = packet_set_intersect(space, set, router_possible(explaining->pool, space, device));
	return packet_set_intersect(space, set, on_interfaces(explaining));
}

static packet_set hook_set(struct explaining *explaining, enum hook hook)
{
	struct packet_box box = { 0 };

	box.fields[FIELD_HOOK] = number_set(explaining->pool, hook);
	return packet_set_box(explaining->space, &box);
}

/* --- forwards ---------------------------------------------------------------------------------------- */

/* A packet of the point after the translation. */
static struct packet translate(const struct packet *from, const struct translation *translation)
{
	struct packet packet = *from;

	packet.hook = from->hook == HOOK_OUTPUT ? HOOK_OUTPUT : HOOK_FORWARD;
	packet.is_translated = true;
	packet.original_destination = from->destination;
	packet.original_first = from->first;
	packet.destination = translation->host[from->family].value;
	if (translation->port != 0)
		packet.first = translation->port;
	return packet;
}

static uint32_t decide(const struct explaining *explaining, const struct packet *packet)
{
	struct decision decision = ruleset_evaluate(explaining->ruleset, packet);

	return decision.rule != NULL ? (uint32_t)decision.rule->identity->rule->number :
				       explaining->explanation->meaning.statements;
}

/* The out interface is that of the host's zone where zones tell; else what was asked. */
static const char *way_out(const struct explaining *explaining, const struct packet *packet)
{
	const struct policy *policy = explaining->ruleset->policy;

	for (size_t index = 0; index < policy->zones_count; index++) {
		const struct zone *zone = policy->zones[index];

		for (size_t box = 0; box < zone->routed.boxes_count; box++) {
			const struct place_box *place = &zone->routed.boxes[box];

			if (!place->interfaces.is_complement && place->interfaces.names_count > 0 &&
			    zone->has_networks &&
			    interval_set_contains(address_set_family(&place->addresses, packet->family),
						  packet->destination))
				return place->interfaces.names[0];
		}
	}
	return packet_universe_interface(explaining->universe, explaining->universe->interfaces_count + 1);
}

/* Without `at` it is for addresses of the firewall, whose packets are input: which of its own go there, nobody
 * knows here. */
static packet_set translated_by(struct explaining *explaining,
				const struct rule_translation *translation, bool is_own)
{
	struct packet_rules boxes = { 0 };
	const struct match match = translation_match(explaining->pool, translation);
	bool has_at = translation->source->has_at;

	if (is_own && translation->applies_to_local && has_at)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_OUTPUT, &match, 1, &boxes);
	if (!is_own && translation->applies_to_routed)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_INPUT, &match, 1, &boxes);
	if (!is_own && translation->applies_to_routed && has_at)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_FORWARD, &match, 1, &boxes);
	return packet_map_first_match(explaining->space, boxes.items, boxes.items_count, 0);
}

/* is_own: of the firewall's own packets, else of all others. */
static void add_forward(struct explaining *explaining, const struct rule_translation *translation, bool is_own)
{
	struct packet_space *space = explaining->space;
	struct packet_point point;
	struct packet packet;
	packet_set taken = packet_set_intersect(space, explaining->asked,
						translated_by(explaining, translation, is_own));

	if (!packet_set_example(space, taken, &point))
		return;
	explaining->asked = packet_set_subtract(space, explaining->asked, taken);
	packet = packet_of_point(explaining->universe, &point);
	packet = translate(&packet, translation->source);
	packet.out = way_out(explaining, &packet);
	*pool_append(explaining->pool, explaining->explanation, forwards) =
		(struct explain_forward){ translation, packet, decide(explaining, &packet) };
}

/* First match: what earlier translations took is gone, and rules never see it as it came. */
static void add_forwards(struct explaining *explaining)
{
	for (size_t index = 0; index < explaining->ruleset->translations_count; index++) {
		const struct rule_translation *translation = explaining->ruleset->translations[index];

		if (translation->kind != TRANSLATION_FORWARD)
			continue;
		add_forward(explaining, translation, false);
		add_forward(explaining, translation, true);
	}
}

/* --- what always passes ------------------------------------------------------------------------------ */

/* Of ICMPv6, whatever its hop limit: neighbour discovery, what multicast listeners say. */
static packet_set always_set(struct explaining *explaining, enum explain_always_kind kind)
{
	const number128 link_local = (number128)0xfe80 << 112;
	struct interval_set types = { 0 }, sources = { 0 };
	struct packet_box box = { .fields = {
		[FIELD_FAMILY] = number_set(explaining->pool, FAMILY_IPV6),
		[FIELD_PROTOCOL] = number_set(explaining->pool, PROTOCOL_ICMP6),
		[FIELD_FIRST] = &types,
	} };

	if (kind == EXPLAIN_DISCOVERY) {
		interval_set_add(explaining->pool, &types, 133, 136);
		return packet_set_box(explaining->space, &box);
	}
	interval_set_add(explaining->pool, &types, 130, 132);
	interval_set_add(explaining->pool, &types, 143, 143);
	interval_set_add(explaining->pool, &sources, link_local, link_local | (((number128)1 << 118) - 1));
	box.fields[FIELD_SOURCE] = &sources;
	return packet_set_box(explaining->space, &box);
}

static void add_always(struct explaining *explaining, enum hook hook, enum explain_always_kind kind, packet_set set)
{
	struct packet_point point;

	set = packet_set_intersect(explaining->space, set, always_set(explaining, kind));
	if (hook != HOOK_FORWARD && packet_set_example(explaining->space, set, &point))
		*pool_append(explaining->pool, explaining->explanation, always) = (struct explain_always){
			hook, kind, packet_of_point(explaining->universe, &point) };
}

/* --- parts ------------------------------------------------------------------------------------------- */

/* asked: of the hook; part: of them what the statement of this number decides, with neighbour discovery of another
 * hop limit. */
static void add_part(struct explaining *explaining, struct explain_part found, packet_set asked, packet_set part)
{
	struct packet_space *space = explaining->space;
	packet_set rest = part;
	struct packet_point point;

	if (found.hook != HOOK_FORWARD)
		rest = packet_set_subtract(space, part, always_set(explaining, EXPLAIN_DISCOVERY));
	found.is_hop_limit_other = packet_set_is_empty(rest);
	found.is_every = rest == asked;
	if (!packet_set_example(space, found.is_hop_limit_other ? part : rest, &point))
		return;
	found.packet = packet_of_point(explaining->universe, &point);
	*pool_append(explaining->pool, explaining->explanation, parts) = found;
}

static void add_hook(struct explaining *explaining, enum hook hook)
{
	struct explanation *explanation = explaining->explanation;
	struct packet_space *space = explaining->space;
	size_t count = explanation->meaning.numbers_count;
	const packet_set asked = packet_set_intersect(space, explaining->asked, hook_set(explaining, hook));
	packet_set judged = asked;
	bool *seen = pool_array(explaining->pool, bool, count + 1);
	packet_map map;

	add_always(explaining, hook, EXPLAIN_DISCOVERY, asked);
	add_always(explaining, hook, EXPLAIN_LISTENERS, asked);
	if (hook != HOOK_FORWARD)
		judged = packet_set_subtract(space, asked, always_set(explaining, EXPLAIN_LISTENERS));
	if (packet_set_is_empty(judged))
		return;
	map = packet_map_choose(space, judged, explaining->map, packet_map_constant((uint32_t)count));
	if (map == PACKET_MAP_OVER)
		return;
	packet_map_numbers(space, map, seen, count);
	for (uint32_t number = 0; number < count; number++)
		if (seen[number])
			add_part(explaining, (struct explain_part){ .hook = hook, .number = number }, asked,
				 packet_map_where(space, map, number));
}

static struct packet_universe *universe_of(void *pool, const struct ruleset *ruleset,
					   const struct explain_question *question)
{
	struct packet_universe *universe = packet_universe_new(pool);

	packet_universe_add(universe, ruleset);
	packet_universe_add_zones(universe, ruleset->policy);
	for (size_t index = 0; ruleset->policy->device != NULL &&
	     index < ruleset->policy->device->interfaces_count; index++)
		packet_universe_add_interface(universe, ruleset->policy->device->interfaces[index].name);
	if (question->in != NULL)
		packet_universe_add_interface(universe, question->in);
	if (question->out != NULL)
		packet_universe_add_interface(universe, question->out);
	packet_universe_finish(universe);
	return universe;
}

struct explanation *explain_packets(void *pool, const struct ruleset *ruleset,
				    const struct explain_question *question)
{
	struct explaining explaining = {
		.pool = pool,
		.ruleset = ruleset,
		.question = question,
		.universe = universe_of(pool, ruleset, question),
		.explanation = pool_new(pool, struct explanation),
	};

	explaining.explanation->meaning = meaning_of(pool, ruleset);
	explaining.space = packet_space_new(pool, explaining.universe, PACKET_ORDER_SAFE, 0);
	explaining.map = meaning_map(&explaining.explanation->meaning, pool, explaining.space);
	explaining.asked = packet_set_intersect(explaining.space, asked_set(&explaining),
						untranslated(&explaining));
	add_forwards(&explaining);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		add_hook(&explaining, hook);
	explaining.explanation->is_over = packet_space_is_over(explaining.space);
	return explaining.explanation;
}

/* --- round about ------------------------------------------------------------------------------------- */

const struct rule_translation *explain_source_translation(const struct ruleset *ruleset,
							  const struct packet *packet)
{
	if (packet->hook == HOOK_INPUT)
		return NULL;
	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *translation = ruleset->translations[index];
		unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;

		if (translation->kind != TRANSLATION_FORWARD && (translation->families & family) != 0 &&
		    (packet->hook == HOOK_OUTPUT ? translation->applies_to_local :
						   translation->applies_to_routed) &&
		    boxes_hold(&translation->from, packet->in, packet->family, packet->source) &&
		    boxes_hold(&translation->to, packet->out, packet->family, packet->destination))
			return translation;
	}
	return NULL;
}

static bool carries(const struct tunnel_carry *carry, enum family family, number128 left,
		    number128 right)
{
	return interval_set_contains(address_set_family(&carry->left, family), left) &&
	       interval_set_contains(address_set_family(&carry->right, family), right);
}

const struct tunnel *explain_tunnel(const struct policy *policy, const struct packet *packet,
				    bool *is_back)
{
	for (size_t index = 0; index < policy->tunnels_count; index++) {
		const struct tunnel *tunnel = policy->tunnels[index];

		for (size_t line = 0; line < tunnel->carries_count; line++) {
			const struct tunnel_carry *carry = &tunnel->carries[line];

			*is_back = carries(carry, packet->family, packet->destination, packet->source);
			if (*is_back || carries(carry, packet->family, packet->source,
						packet->destination))
				return tunnel;
		}
	}
	return NULL;
}
