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
	packet_set own;     /* asked about, too: what the firewall sends to itself */
	packet_set arrived; /* the same: what comes in by loopback */
	struct packet_box *boxes; /* BOXES_MOST */
	bool is_over;
};

#define LOOPBACK "lo"
#define BOXES_MOST 4096

static const struct interval_set *number_set(void *pool, number128 number)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, number, number);
	return set;
}

static packet_set by_interface(struct explaining *explaining, enum packet_field field, const char *name)
{
	return packet_set_value(explaining->space, field,
				packet_universe_interface_number(explaining->universe, name));
}

static bool is_not_but(const char *name, const char *only)
{
	return name == NULL || strcmp(name, only) == 0;
}

static packet_set hook_set(struct explaining *explaining, enum hook hook)
{
	struct packet_box box = { 0 };

	box.fields[FIELD_HOOK] = number_set(explaining->pool, hook);
	return packet_set_box(explaining->space, &box);
}

/* Of the firewall itself alone, whatever it is connected to (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3). */
static packet_set to_loopback(struct explaining *explaining)
{
	struct interval_set *addresses = pool_new(explaining->pool, struct interval_set);
	struct packet_box box = { .fields = {
		[FIELD_FAMILY] = number_set(explaining->pool, FAMILY_IPV4),
		[FIELD_DESTINATION] = addresses,
	} };
	packet_set set;

	interval_set_add(explaining->pool, addresses, 127u << 24, (128u << 24) - 1);
	set = packet_set_box(explaining->space, &box);
	box.fields[FIELD_FAMILY] = number_set(explaining->pool, FAMILY_IPV6);
	box.fields[FIELD_DESTINATION] = number_set(explaining->pool, 1);
	return packet_set_union(explaining->space, set, packet_set_box(explaining->space, &box));
}

/* What no rule is asked about where nothing translates it: it comes by loopback, or goes there. */
static packet_set by_loopback(struct explaining *explaining)
{
	struct packet_space *space = explaining->space;
	packet_set set;

	if (!explaining->question->has_loopback)
		return packet_set_none();
	set = packet_set_union(space, by_interface(explaining, FIELD_IN, LOOPBACK),
			       by_interface(explaining, FIELD_OUT, LOOPBACK));
	return packet_set_union(space, set, packet_set_subtract(space, to_loopback(explaining),
								hook_set(explaining, HOOK_INPUT)));
}

/* Packets as they come: not translated yet, by whatever interface they leave. */
static packet_set set_of(struct explaining *explaining, const struct packet_rules *boxes)
{
	const struct device *device = explaining->ruleset->policy->device;
	struct packet_space *space = explaining->space;
	packet_set set;

	for (size_t index = 0; index < boxes->items_count; index++)
		boxes->items[index].number = 1;
	set = packet_map_first_match(space, boxes->items, boxes->items_count, 0);
	set = packet_set_intersect(space, set, packet_set_possible(space));
	set = packet_set_intersect(space, set, packet_set_value(space, FIELD_TRANSLATED, 0));
	if (device != NULL)
		set = packet_set_intersect(space, set, router_possible(explaining->pool, space, device));
	return set;
}

/* asked, and what arrives by loopback, from a zone that has it. */
static void ask(struct explaining *explaining)
{
	const struct assertion *packets = explaining->question->packets;
	const char *in = explaining->question->in, *out = explaining->question->out;
	struct packet_space *space = explaining->space;
	packet_set output = hook_set(explaining, HOOK_OUTPUT), loopback = by_loopback(explaining);
	struct packet_rules boxes = { 0 };
	packet_set set;

	scope_boxes(explaining->pool, explaining->universe, &packets->services, packets->from, packets->to,
		    packets->families, &boxes);
	set = set_of(explaining, &boxes);
	if (in != NULL)
		set = packet_set_intersect(space, set, by_interface(explaining, FIELD_IN, in));
	if (out != NULL) /* by which others leave is not known before they are translated */
		set = packet_set_subtract(space, set, packet_set_subtract(
						  space, output, by_interface(explaining, FIELD_OUT, out)));
	explaining->asked = packet_set_subtract(space, set, loopback);
	explaining->arrived = out != NULL ? packet_set_none() :
		packet_set_intersect(space, packet_set_intersect(space, set, loopback),
				     hook_set(explaining, HOOK_INPUT));
}

/* Without multicast and the broadcast address, which are none of the firewall's own; the unspecified one stays, for
 * nobody sends to it. */
static packet_set to_hosts(struct explaining *explaining, packet_set set)
{
	struct packet_space *space = explaining->space;
	packet_set hosts = packet_set_union(space, packet_set_to_hosts(explaining->pool, space),
					    packet_set_value(space, FIELD_DESTINATION, 0));

	return packet_set_intersect(space, set, hosts);
}

/* Which of the addresses are its own nobody knows here. */
static packet_set own_set(struct explaining *explaining)
{
	const struct explain_question *question = explaining->question;
	const struct assertion *packets = question->packets;
	struct packet_rules boxes = { 0 };
	packet_set set;

	if (!question->has_loopback || !is_not_but(question->in, LOOPBACK) || !is_not_but(question->out, LOOPBACK))
		return packet_set_none();
	scope_boxes_to_itself(explaining->pool, explaining->universe, &packets->services, packets->from,
			      packets->to, packets->families, &boxes);
	set = packet_set_intersect(explaining->space, set_of(explaining, &boxes),
				   by_interface(explaining, FIELD_OUT, LOOPBACK));
	return question->in == NULL && question->out == NULL ? to_hosts(explaining, set) : set;
}

/* --- forwards ---------------------------------------------------------------------------------------- */

static uint32_t decide(const struct explaining *explaining, const struct packet *packet)
{
	struct decision decision = ruleset_evaluate(explaining->ruleset, packet);

	return decision.rule != NULL ? (uint32_t)decision.rule->identity->rule->number :
				       explaining->explanation->meaning.statements;
}

/* The interfaces of all zones that the host can be in; NULL: any, or a router's, whose ways are known otherwise. */
static const struct interval_set *ways_to(const struct explaining *explaining, const struct address *host)
{
	const struct policy *policy = explaining->ruleset->policy;
	const struct packet_universe *universe = explaining->universe;
	struct interval_set *ways = pool_new(explaining->pool, struct interval_set);

	for (size_t index = 0; index < policy->zones_count && policy->device == NULL; index++) {
		const struct place_boxes *routed = &policy->zones[index]->routed;

		for (size_t box = 0; box < routed->boxes_count; box++) {
			const struct place_box *place = &routed->boxes[box];
			const struct interval_set *addresses = address_set_family(&place->addresses, host->family);
			struct interval_set some;

			if (place->interfaces.is_complement || !interval_set_contains(addresses, host->value))
				continue;
			some = packet_universe_interfaces(universe, explaining->pool, &place->interfaces);
			*ways = interval_set_union(explaining->pool, ways, &some);
		}
	}
	return interval_set_is_empty(ways) ? NULL : ways;
}

static bool is_way_known(const struct explaining *explaining, const struct translation *forward,
			 const struct packet *packet)
{
	const struct interval_set *ways = ways_to(explaining, &forward->host[packet->family]);

	return packet->hook == HOOK_INPUT || explaining->ruleset->policy->device != NULL ||
	       (explaining->question->out != NULL && packet->hook == HOOK_FORWARD) ||
	       (ways != NULL && ways->items_count == 1 && ways->items[0].low == ways->items[0].high);
}

/* Without `at` it is for addresses of the firewall, whose packets are input, or its own by loopback. */
static packet_set translated_by(struct explaining *explaining, const struct rule_translation *translation,
				bool is_own)
{
	struct packet_rules boxes = { 0 };
	const struct match match = translation_match(explaining->pool, translation);
	bool has_at = translation->source->has_at;
	packet_set set;

	if (is_own && translation->applies_to_local)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_OUTPUT, &match, 1, &boxes);
	if (!is_own && translation->applies_to_routed)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_INPUT, &match, 1, &boxes);
	if (!is_own && translation->applies_to_routed && has_at)
		match_boxes_in(explaining->pool, explaining->universe, HOOK_FORWARD, &match, 1, &boxes);
	set = packet_map_first_match(explaining->space, boxes.items, boxes.items_count, 0);
	if (!has_at)
		set = to_hosts(explaining, set);
	if (is_own && !has_at)
		set = packet_set_intersect(explaining->space, set, explaining->own);
	return set;
}

/* What becomes of the packets in a hook: they leave by the ways that are said or known. */
static packet_set become(struct explaining *explaining, const struct translation *forward,
			 packet_set taken, enum family family, enum hook hook)
{
	struct packet_space *space = explaining->space;
	const struct device *device = explaining->ruleset->policy->device;
	const char *out = explaining->question->out;
	struct packet_box *boxes = explaining->boxes;
	packet_set sum = packet_set_none();
	bool is_whole;
	size_t count;

	taken = packet_set_intersect(space, taken, packet_set_value(space, FIELD_FAMILY, family));
	count = packet_set_boxes(explaining->pool, space, taken, boxes, BOXES_MOST, &is_whole);
	explaining->is_over = explaining->is_over || !is_whole;
	for (size_t index = 0; index < count; index++) {
		struct packet_box ways = { .fields = {
			[FIELD_OUT] = hook == HOOK_INPUT ? NULL : ways_to(explaining, &forward->host[family]),
		} };

		boxes[index].fields[FIELD_HOOK] = number_set(explaining->pool, hook);
		sum = packet_set_union(space, sum, packet_set_intersect(
			space, translation_made(explaining->pool, space, forward, boxes[index]),
			packet_set_box(space, &ways)));
	}
	sum = packet_set_intersect(space, sum, packet_set_possible(space));
	if (hook == HOOK_OUTPUT && explaining->question->has_loopback) /* of the first way, if it was that */
		sum = packet_set_subtract(space, sum, by_interface(explaining, FIELD_OUT, LOOPBACK));
	else
		sum = packet_set_subtract(space, sum, by_loopback(explaining));
	if (device != NULL)
		sum = packet_set_intersect(space, sum, router_possible(explaining->pool, space, device));
	if (out != NULL && hook != HOOK_OUTPUT)
		sum = packet_set_intersect(space, sum, by_interface(explaining, FIELD_OUT, out));
	return sum;
}

/* Each statement that decides some of them, with one of these. */
static void add_become(struct explaining *explaining, const struct rule_translation *translation, packet_set set,
		       enum hook hook)
{
	struct explanation *explanation = explaining->explanation;
	struct packet_space *space = explaining->space;
	size_t count = explanation->meaning.numbers_count;
	bool *seen = pool_array(explaining->pool, bool, count + 1);
	packet_map map = packet_map_choose(space, set, explaining->map, packet_map_constant((uint32_t)count));
	struct packet_point point;

	if (map == PACKET_MAP_OVER)
		return;
	packet_map_numbers(space, map, seen, count);
	for (uint32_t number = 0; number < count; number++) {
		packet_set part = packet_map_where(space, map, number);
		struct packet packet;

		if (!seen[number] || !packet_set_example(space, part, &point))
			continue;
		packet = packet_of_point(explaining->universe, &point);
		if (translation->source->port == 0)
			packet.original_first = packet.first;
		*pool_append(explaining->pool, explanation, forwards) = (struct explain_forward){
			.translation = translation,
			.hook = hook,
			.packet = packet,
			.number = decide(explaining, &packet),
			.is_every = part == set,
			.is_way_known = is_way_known(explaining, translation->source, &packet),
		};
	}
}

/* From no address, or one of the link alone: no router sends these on. */
static packet_set bound_to_link(struct explaining *explaining)
{
	struct interval_set *local = pool_new(explaining->pool, struct interval_set);
	struct packet_box box = { .fields = {
		[FIELD_FAMILY] = number_set(explaining->pool, FAMILY_IPV4),
		[FIELD_SOURCE] = number_set(explaining->pool, 0),
	} };
	packet_set set = packet_set_box(explaining->space, &box);

	interval_set_add(explaining->pool, local, (number128)0xfe80 << 112, ((number128)0xfec0 << 112) - 1);
	box.fields[FIELD_FAMILY] = number_set(explaining->pool, FAMILY_IPV6);
	box.fields[FIELD_SOURCE] = local;
	return packet_set_union(explaining->space, set, packet_set_box(explaining->space, &box));
}

/* Its host may be an address of the firewall, too: then they are input. */
static void add_translated(struct explaining *explaining, const struct rule_translation *translation,
			   packet_set taken, bool is_own)
{
	packet_set sets[HOOK_COUNT] = { packet_set_none(), packet_set_none(), packet_set_none() };
	packet_set routed;

	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
			if (translation->source->has_host[family] && (hook == HOOK_OUTPUT) == is_own)
				sets[hook] = packet_set_union(explaining->space, sets[hook], become(
					explaining, translation->source, taken, family, hook));
	routed = packet_set_subtract(explaining->space, sets[HOOK_FORWARD], bound_to_link(explaining));
	if (!packet_set_is_empty(routed))
		sets[HOOK_FORWARD] = routed;
	add_become(explaining, translation, sets[HOOK_FORWARD], HOOK_FORWARD);
	add_become(explaining, translation, sets[HOOK_INPUT], HOOK_INPUT);
	add_become(explaining, translation, sets[HOOK_OUTPUT], HOOK_OUTPUT);
}

/* is_own: of the firewall's own packets, else of all others. What it leaves as it is, no later one sees. */
static packet_set add_forward(struct explaining *explaining, const struct rule_translation *translation,
			      bool is_own, packet_set *free)
{
	struct packet_space *space = explaining->space;
	packet_set taken = packet_set_intersect(space, *free, translated_by(explaining, translation, is_own));
	packet_set same = packet_set_intersect(space, taken, translation_unchanged(explaining->pool, space,
										   translation->source));

	*free = packet_set_subtract(space, *free, taken);
	taken = packet_set_subtract(space, taken, same);
	if (!packet_set_is_empty(taken))
		add_translated(explaining, translation, taken, is_own);
	return same;
}

/* First match: what earlier translations took is gone, and rules never see it as it came. Gives what is left. */
static packet_set add_forwards(struct explaining *explaining, packet_set free)
{
	packet_set same = packet_set_none();

	for (size_t index = 0; index < explaining->ruleset->translations_count; index++) {
		const struct rule_translation *translation = explaining->ruleset->translations[index];

		for (int is_own = 0; translation->kind == TRANSLATION_FORWARD && is_own <= 1; is_own++)
			same = packet_set_union(explaining->space, same,
						add_forward(explaining, translation, is_own, &free));
	}
	return packet_set_union(explaining->space, free, same);
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

static void add_loopback_packet(struct explaining *explaining, packet_set set, bool is_input)
{
	struct packet_point point;
	struct packet packet;

	if (!packet_set_example(explaining->space, set, &point))
		return;
	packet = packet_of_point(explaining->universe, &point);
	if (is_input) {
		packet.hook = HOOK_INPUT;
		packet.in = LOOPBACK;
		packet.out = NULL;
	}
	*pool_append(explaining->pool, explaining->explanation, always) =
		(struct explain_always){ packet.hook, EXPLAIN_LOOPBACK, packet };
}

/* left: of the firewall's packets to itself. Told where nothing else was asked, or it was asked by name. */
static void add_loopback(struct explaining *explaining, packet_set left)
{
	const struct explain_question *question = explaining->question;
	bool is_named = question->in != NULL || question->out != NULL;
	packet_set elsewhere = packet_set_subtract(explaining->space, explaining->own, to_loopback(explaining));

	if (is_named || packet_set_is_empty(explaining->asked) || packet_set_is_empty(elsewhere))
		add_loopback_packet(explaining, left, question->in != NULL && question->out == NULL);
	if (packet_set_is_empty(explaining->asked) && packet_set_is_empty(explaining->own))
		add_loopback_packet(explaining, explaining->arrived, true);
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
	if (question->has_loopback)
		packet_universe_add_interface(universe, LOOPBACK);
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
		.boxes = pool_array(pool, struct packet_box, BOXES_MOST),
	};
	packet_set left;

	explaining.explanation->meaning = meaning_of(pool, ruleset);
	explaining.space = packet_space_new(pool, explaining.universe, PACKET_ORDER_SAFE, 0);
	explaining.map = meaning_map(&explaining.explanation->meaning, pool, explaining.space);
	ask(&explaining);
	explaining.own = own_set(&explaining);
	left = packet_set_union(explaining.space, explaining.asked, explaining.own);
	if (!question->is_untracked)
		left = add_forwards(&explaining, left);
	add_loopback(&explaining, packet_set_intersect(explaining.space, left, explaining.own));
	explaining.asked = packet_set_subtract(explaining.space, left, explaining.own);
	if (question->out != NULL)
		explaining.asked = packet_set_intersect(explaining.space, explaining.asked,
							by_interface(&explaining, FIELD_OUT, question->out));
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		add_hook(&explaining, hook);
	explaining.explanation->is_over = explaining.is_over || packet_space_is_over(explaining.space);
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
