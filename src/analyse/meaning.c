/* Products of unions to boxes: one for each combination, with ports of one protocol and the addresses of
 * a family as sets, which are those of the policy wherever they are whole there. */
#include "analyse/meaning.h"

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "expand/product.h"
#include "expand/side.h"
#include "net/protocol.h"

/* --- fixed sets -------------------------------------------------------------------------------------- */

static const struct interval zero = { 0, 0 }, one = { 1, 1 }, two = { 2, 2 };
static const struct interval_set singles[] = {
	{ (struct interval *)&zero, 1, 1 },
	{ (struct interval *)&one, 1, 1 },
	{ (struct interval *)&two, 1, 1 },
};

/* --- services ---------------------------------------------------------------------------------------- */

/* One or more tuples that differ in their first range alone, or whole protocols. */
struct service_box {
	uint8_t families;
	struct interval_set protocols, first, second, original; /* empty: every value */
};

/* Boxes point into it. */
struct service_boxes {
	struct service_box *items;
	size_t items_count, items_capacity;
};

struct match_boxing {
	void *pool;
	struct arena *arena;
	const struct packet_universe *universe;
	struct interned *services; /* of struct service_boxes, by the address and count of tuples */
};

static bool is_whole(const struct service_tuple *tuple, struct port_range range)
{
	bool is_icmp = tuple->protocol == PROTOCOL_ICMP || tuple->protocol == PROTOCOL_ICMP6;

	return range.low == 0 && range.high >= (is_icmp ? UINT8_MAX : UINT16_MAX);
}

static struct interval_set one_range(struct arena *arena, number128 low, number128 high)
{
	struct interval_set set = { .items_count = 1, .items_capacity = 1 };

	set.items = arena_new_item(arena, struct interval);
	set.items[0] = (struct interval){ low, high };
	return set;
}

static struct interval_set range_set(struct arena *arena, const struct service_tuple *tuple,
				     struct port_range range)
{
	return is_whole(tuple, range) ? (struct interval_set){ 0 } : one_range(arena, range.low, range.high);
}

static bool joins(const struct service_tuple *a, const struct service_tuple *b)
{
	return a->protocol == b->protocol && a->families == b->families &&
	       a->second.low == b->second.low && a->second.high == b->second.high &&
	       !is_whole(a, a->first) && !is_whole(b, b->first);
}

/* How many tuples from this one on are one box. */
static size_t joined_count(const struct tuple_set *services, size_t index)
{
	size_t count = 1;

	while (index + count < services->tuples_count &&
	       joins(&services->tuples[index + count - 1], &services->tuples[index + count]))
		count++;
	return count;
}

/* Of tuples that join. */
static struct interval_set first_ranges(struct arena *arena, const struct service_tuple *tuples, size_t count)
{
	struct interval_set set = { .items_count = count, .items_capacity = count };

	if (count == 1)
		return range_set(arena, tuples, tuples->first);
	set.items = arena_array(arena, struct interval, count);
	for (size_t index = 0; index < count; index++)
		set.items[index] = (struct interval){ tuples[index].first.low, tuples[index].first.high };
	interval_set_normalise(&set);
	return set;
}

static struct interval_set protocol_set(struct arena *arena, unsigned protocol)
{
	return protocol == PROTOCOL_ANY ? (struct interval_set){ 0 } : one_range(arena, protocol, protocol);
}

static bool is_whole_protocol(const struct service_tuple *tuple)
{
	return tuple->protocol != PROTOCOL_ANY && is_whole(tuple, tuple->first) && is_whole(tuple, tuple->second);
}

/* The box of whole protocols of these families, made where it is not there yet: `any except 80/tcp` is some 250
 * of them. */
static struct service_box *whole_box(struct service_boxes *boxes, uint8_t families,
				     size_t numbers[FAMILIES_BOTH + 1])
{
	if (numbers[families] == 0) {
		boxes->items[boxes->items_count++] = (struct service_box){ .families = families };
		numbers[families] = boxes->items_count;
	}
	return &boxes->items[numbers[families] - 1];
}

static size_t service_boxes_most(const struct tuple_set *services)
{
	size_t most = 0;

	for (size_t index = 0; index < services->tuples_count; index += joined_count(services, index))
		most++;
	return most;
}

/* Tuples are sorted: those that join by their first range stand together. */
static struct service_boxes *service_boxes_of(struct match_boxing *boxing, const struct tuple_set *services)
{
	struct arena *arena = boxing->arena;
	struct service_boxes *boxes = arena_new_item(arena, struct service_boxes);
	size_t numbers[FAMILIES_BOTH + 1] = { 0 }; /* of boxes of whole protocols, from 1 */

	boxes->items_capacity = service_boxes_most(services);
	boxes->items = arena_array(arena, struct service_box, boxes->items_capacity);
	for (size_t index = 0, count; index < services->tuples_count; index += count) {
		const struct service_tuple *tuple = &services->tuples[index];

		count = joined_count(services, index);
		if (is_whole_protocol(tuple)) {
			interval_set_add(boxing->pool, &whole_box(boxes, tuple->families, numbers)->protocols,
					 tuple->protocol, tuple->protocol);
			continue;
		}
		boxes->items[boxes->items_count++] = (struct service_box){
			.families = tuple->families,
			.protocols = protocol_set(arena, tuple->protocol),
			.first = first_ranges(arena, tuple, count),
			.second = range_set(arena, tuple, tuple->second),
		};
	}
	for (size_t index = 0; index < boxes->items_count; index++)
		interval_set_normalise(&boxes->items[index].protocols);
	return boxes;
}

static const struct service_boxes *known_services(struct match_boxing *boxing, const struct tuple_set *services)
{
	const uintptr_t key[] = { (uintptr_t)services->tuples, services->tuples_count };
	void **slot = interned_slot(boxing->services, key, sizeof key);

	if (*slot == NULL)
		*slot = service_boxes_of(boxing, services);
	return *slot;
}

/* false: it is none of the box's. */
static bool narrow_protocol(struct arena *arena, struct service_box *box, unsigned protocol)
{
	if (!interval_set_is_empty(&box->protocols) && !interval_set_contains(&box->protocols, protocol))
		return false;
	box->protocols = protocol_set(arena, protocol);
	return true;
}

/* A `forward` with another port: its services before translation belong to those after it by their
 * protocol and source ports. */
static struct service_boxes with_originals(struct match_boxing *boxing, const struct service_boxes *after,
					   const struct tuple_set *original)
{
	struct arena *arena = boxing->arena;
	struct service_boxes boxes = { 0 };

	for (size_t a = 0; a < after->items_count; a++) {
		for (size_t b = 0; b < original->tuples_count; b++) {
			const struct service_tuple *tuple = &original->tuples[b];
			struct interval_set second = range_set(arena, tuple, tuple->second);
			struct service_box box = after->items[a];

			box.families &= tuple->families;
			if ((tuple->protocol != PROTOCOL_ANY && !narrow_protocol(arena, &box, tuple->protocol)) ||
			    box.families == FAMILIES_NONE)
				continue;
			box.original = range_set(arena, tuple, tuple->first);
			if (interval_set_is_empty(&box.second))
				box.second = second;
			else if (!interval_set_is_empty(&second))
				box.second = interval_set_intersect(boxing->pool, &box.second, &second);
			*pool_append(boxing->pool, &boxes, items) = box;
		}
	}
	return boxes;
}

/* --- one match --------------------------------------------------------------------------------------- */

struct boxing {
	struct match_boxing *all;
	uint32_t number;
	struct packet_rules *out;
	struct packet_box box; /* what all have in common */
};

static const struct interval_set *keep(struct match_boxing *boxing, struct interval_set set)
{
	return arena_copy(boxing->arena, &set, sizeof set);
}

static const struct interval_set *set_or_null(const struct interval_set *set)
{
	return interval_set_is_empty(set) ? NULL : set;
}

/* false: nothing of the family. */
static bool set_side(struct boxing *boxing, const struct place_box *place, enum family family,
		     enum packet_field interface, enum packet_field address)
{
	const struct interval_set *addresses = address_set_family(&place->addresses, family);

	if (addresses->items_count == 0)
		return false;
	boxing->box.fields[address] = address_set_is_whole(&place->addresses, family) ? NULL : addresses;
	boxing->box.fields[interface] =
		interface_set_is_all(&place->interfaces) ? NULL :
		keep(boxing->all, packet_universe_interfaces(boxing->all->universe, boxing->all->pool,
							     &place->interfaces));
	return true;
}

static void add_places(struct boxing *boxing, const struct place_boxes *from,
		       const struct place_boxes *to, enum family family)
{
	for (size_t a = 0; a < from->boxes_count; a++) {
		if (!set_side(boxing, &from->boxes[a], family, FIELD_IN, FIELD_SOURCE))
			continue;
		for (size_t b = 0; b < to->boxes_count; b++)
			if (set_side(boxing, &to->boxes[b], family, FIELD_OUT, FIELD_DESTINATION))
				*pool_append(boxing->all->pool, boxing->out, items) =
					(struct packet_rule){ boxing->box, boxing->number };
	}
}

static bool set_original(struct boxing *boxing, const struct match *match, enum family family)
{
	const struct interval_set *addresses;

	boxing->box.fields[FIELD_TRANSLATED] = match->is_translated ? &singles[1] : NULL;
	boxing->box.fields[FIELD_ORIGINAL] = NULL;
	if (!match->is_translated || !match->has_original_to)
		return true;
	addresses = address_set_family(&match->original->to, family);
	if (!address_set_is_whole(&match->original->to, family))
		boxing->box.fields[FIELD_ORIGINAL] = addresses;
	return addresses->items_count > 0;
}

static void add_family(struct boxing *boxing, const struct match *match,
		       const struct service_boxes *services, enum family family)
{
	unsigned bit = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;

	if ((match->families & bit) == 0 || !set_original(boxing, match, family))
		return;
	boxing->box.fields[FIELD_FAMILY] = &singles[family];
	for (size_t index = 0; index < services->items_count; index++) {
		const struct service_box *service = &services->items[index];

		if ((service->families & bit) == 0)
			continue;
		boxing->box.fields[FIELD_PROTOCOL] = set_or_null(&service->protocols);
		boxing->box.fields[FIELD_FIRST] = set_or_null(&service->first);
		boxing->box.fields[FIELD_SECOND] = set_or_null(&service->second);
		boxing->box.fields[FIELD_ORIGINAL_FIRST] = set_or_null(&service->original);
		add_places(boxing, &match->from, &match->to, family);
	}
}

static void add_boxes(struct match_boxing *all, const struct interval_set *hook, const struct match *match,
		      uint32_t number, struct packet_rules *boxes)
{
	struct boxing boxing = { .all = all, .number = number, .out = boxes };
	struct service_boxes services = *known_services(all, &match->services);

	if (match->is_translated && match->original->services.tuples_count > 0)
		services = with_originals(all, &services, &match->original->services);
	boxing.box.fields[FIELD_HOOK] = hook;
	boxing.box.fields[FIELD_MINUTE] = match->minutes;
	if (match->until != 0)
		boxing.box.fields[FIELD_ERA] =
			keep(all, packet_universe_eras(all->universe, all->pool, match->until));
	add_family(&boxing, match, &services, FAMILY_IPV4);
	add_family(&boxing, match, &services, FAMILY_IPV6);
}

struct match_boxing *match_boxing_new(void *pool, const struct packet_universe *universe)
{
	struct match_boxing *boxing = pool_new(pool, struct match_boxing);

	boxing->pool = pool;
	boxing->arena = arena_new(pool);
	boxing->universe = universe;
	boxing->services = interned_new(pool, boxing->arena);
	return boxing;
}

void match_boxing_add(struct match_boxing *boxing, const struct match *match, uint32_t number,
		      struct packet_rules *boxes)
{
	add_boxes(boxing, NULL, match, number, boxes);
}

void match_boxes(void *pool, const struct packet_universe *universe, const struct match *match,
		 uint32_t number, struct packet_rules *boxes)
{
	add_boxes(match_boxing_new(pool, universe), NULL, match, number, boxes);
}

void match_boxes_in(void *pool, const struct packet_universe *universe, enum hook hook,
		    const struct match *match, uint32_t number, struct packet_rules *boxes)
{
	add_boxes(match_boxing_new(pool, universe), &singles[hook], match, number, boxes);
}

/* --- a ruleset --------------------------------------------------------------------------------------- */

static uint32_t statement_of(const struct rule *rule)
{
	return (uint32_t)rule->identity->rule->number;
}

struct meaning meaning_of(void *pool, const struct ruleset *ruleset)
{
	struct meaning meaning = { .ruleset = ruleset };

	meaning.statements = (uint32_t)ruleset->policy->rules_count;
	meaning.numbers_count = meaning.statements + 1;
	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		uint32_t *first = pool_array(pool, uint32_t, meaning.statements + 1);

		for (size_t statement = 0; statement < meaning.statements; statement++)
			first[statement] = UINT32_MAX;
		for (size_t index = ruleset->rules_count[hook]; index-- > 0;)
			first[statement_of(ruleset->rules[hook][index])] = (uint32_t)index;
		meaning.first[hook] = first;
	}
	return meaning;
}

void meaning_boxes(const struct meaning *meaning, void *pool, const struct packet_universe *universe,
		   enum hook hook, struct packet_rules *boxes)
{
	const struct ruleset *ruleset = meaning->ruleset;
	struct match_boxing *boxing = match_boxing_new(pool, universe);

	for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
		match_boxing_add(boxing, &ruleset->rules[hook][index]->match,
				 statement_of(ruleset->rules[hook][index]), boxes);
}

packet_map meaning_map(const struct meaning *meaning, void *pool, struct packet_space *space)
{
	packet_map all = packet_map_constant(0);

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		struct packet_rules boxes = { 0 };
		struct packet_box box = { .fields = { [FIELD_HOOK] = &singles[hook] } };
		packet_map map;

		meaning_boxes(meaning, pool, space->universe, hook, &boxes);
		map = packet_map_first_match(space, boxes.items, boxes.items_count, meaning->statements);
		if (map == PACKET_MAP_OVER)
			return PACKET_MAP_OVER;
		all = packet_map_choose(space, packet_set_box(space, &box), map, all);
	}
	return all;
}

size_t meaning_index(const struct meaning *meaning, enum hook hook, uint32_t number)
{
	return number < meaning->statements ? meaning->first[hook][number] :
					      meaning->ruleset->rules_count[hook];
}

const struct rule *meaning_rule(const struct meaning *meaning, enum hook hook, uint32_t number)
{
	return number < meaning->statements ?
	       meaning->ruleset->rules[hook][meaning->first[hook][number]] : NULL;
}

const struct outcome *meaning_outcome(const struct meaning *meaning, enum hook hook, uint32_t number)
{
	const struct rule *rule = meaning_rule(meaning, hook, number);

	return rule != NULL ? rule->outcome : meaning->ruleset->defaults[hook];
}

struct span meaning_origin(const struct meaning *meaning, enum hook hook, uint32_t number)
{
	const struct rule *rule = meaning_rule(meaning, hook, number);
	const struct policy_default *fallback = &meaning->ruleset->policy->defaults[hook];

	if (rule != NULL)
		return rule->origin;
	return fallback->is_written ? fallback->span : SPAN_NONE;
}

/* --- scopes ------------------------------------------------------------------------------------------ */

static void add_scope(void *pool, const struct packet_universe *universe, enum hook hook,
		      const struct tuple_set *services, const struct place_boxes *from,
		      const struct place_boxes *to, unsigned families, struct packet_rules *boxes)
{
	const struct match match = {
		.families = (uint8_t)families,
		.services = *services,
		.from = *from,
		.to = *to,
	};

	if (from->boxes_count > 0 && to->boxes_count > 0)
		match_boxes_in(pool, universe, hook, &match, 0, boxes);
}

/* As expand has it: in output a zone is a destination of the firewall's own packets alone. */
void scope_boxes(void *pool, const struct packet_universe *universe, const struct tuple_set *services,
		 const struct place_scope *from, const struct place_scope *to, unsigned families,
		 struct packet_rules *boxes)
{
	struct side_context sides = side_context_new(pool);

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		struct side_value source = side_evaluate(&sides, from, hook, SIDE_FROM);
		struct side_value target = side_evaluate(&sides, to, hook, SIDE_TO);
		struct place_boxes others;

		if (hook != HOOK_OUTPUT) {
			add_scope(pool, universe, hook, services, &source.all, &target.all, families,
				  boxes);
			continue;
		}
		others = place_boxes_subtract(pool, &source.all, &source.part);
		add_scope(pool, universe, hook, services, &source.part, &target.all, families, boxes);
		add_scope(pool, universe, hook, services, &others, &target.part, families, boxes);
	}
}

void scope_boxes_to_itself(void *pool, const struct packet_universe *universe, const struct tuple_set *services,
			   const struct place_scope *from, const struct place_scope *to, unsigned families,
			   struct packet_rules *boxes)
{
	struct side_context sides = side_context_new(pool);
	struct side_value source = side_evaluate(&sides, from, HOOK_OUTPUT, SIDE_FROM);
	struct side_value target = side_evaluate(&sides, to, HOOK_INPUT, SIDE_TO);

	add_scope(pool, universe, HOOK_OUTPUT, services, &source.all, &target.all, families, boxes);
}

/* --- packets ----------------------------------------------------------------------------------------- */

struct packet packet_of_point(const struct packet_universe *universe, const struct packet_point *point)
{
	const number128 *fields = point->fields;

	return (struct packet){
		.hook = (enum hook)fields[FIELD_HOOK],
		.in = packet_universe_interface(universe, (size_t)fields[FIELD_IN]),
		.out = packet_universe_interface(universe, (size_t)fields[FIELD_OUT]),
		.family = (enum family)fields[FIELD_FAMILY],
		.source = fields[FIELD_SOURCE],
		.destination = fields[FIELD_DESTINATION],
		.protocol = (uint8_t)fields[FIELD_PROTOCOL],
		.first = (uint16_t)fields[FIELD_FIRST],
		.second = (uint16_t)fields[FIELD_SECOND],
		.minute = (unsigned)fields[FIELD_MINUTE],
		.time = packet_universe_time(universe, (size_t)fields[FIELD_ERA]),
		.is_translated = fields[FIELD_TRANSLATED] != 0,
		.original_destination = fields[FIELD_ORIGINAL],
		.original_first = (uint16_t)fields[FIELD_ORIGINAL_FIRST],
	};
}

struct packet_point point_of_packet(const struct packet_universe *universe, const struct packet *packet)
{
	return (struct packet_point){ .fields = {
		[FIELD_HOOK] = packet->hook,
		[FIELD_FAMILY] = packet->family,
		[FIELD_PROTOCOL] = packet->protocol,
		[FIELD_SOURCE] = packet->source,
		[FIELD_DESTINATION] = packet->destination,
		[FIELD_FIRST] = packet->first,
		[FIELD_SECOND] = packet->second,
		[FIELD_IN] = packet_universe_interface_number(universe, packet->in),
		[FIELD_OUT] = packet_universe_interface_number(universe, packet->out),
		[FIELD_TRANSLATED] = packet->is_translated,
		[FIELD_ORIGINAL] = packet->original_destination,
		[FIELD_ORIGINAL_FIRST] = packet->original_first,
		[FIELD_MINUTE] = packet->minute,
		[FIELD_ERA] = packet_universe_era(universe, packet->time),
		[FIELD_FLAGS] = packet->protocol == PROTOCOL_TCP ? 2 : 0, /* SYN */
	} };
}

static void add_end(struct text *out, enum family family, number128 address, bool has_port,
		    unsigned port)
{
	struct address end = { family, address };
	bool has_brackets = has_port && family == FAMILY_IPV6;

	text_add(out, has_brackets ? "[" : "");
	address_format(out, &end);
	text_add(out, has_brackets ? "]" : "");
	if (has_port)
		text_addf(out, ":%u", port);
}

static void add_protocol(struct text *out, const struct packet *packet)
{
	const char *name = protocol_name(packet->protocol);
	const char *type;

	if (packet->protocol != PROTOCOL_ICMP && packet->protocol != PROTOCOL_ICMP6) {
		if (name != NULL)
			text_add(out, name);
		else
			text_addf(out, "%u/ip", packet->protocol);
		return;
	}
	type = icmp_type_name(packet->protocol, (uint8_t)packet->first);
	text_add(out, packet->protocol == PROTOCOL_ICMP ? "icmp " : "icmp6 ");
	if (packet->second == 0 && type != NULL)
		text_add(out, type);
	else
		text_addf(out, "%u:%u", packet->first, packet->second);
}


void packet_format(struct text *out, const struct packet *packet)
{
	bool has_ports = protocol_has_ports(packet->protocol);

	add_protocol(out, packet);
	text_add_char(out, ' ');
	add_end(out, packet->family, packet->source, has_ports, packet->second);
	text_add(out, " -> ");
	add_end(out, packet->family, packet->destination, has_ports, packet->first);
	if (packet->in != NULL)
		text_addf(out, " in %s", packet->in);
	if (packet->out != NULL)
		text_addf(out, " out %s", packet->out);
	if (packet->is_translated) {
		text_add(out, ", translated from ");
		add_end(out, packet->family, packet->original_destination, has_ports,
			packet->original_first);
	}
}
