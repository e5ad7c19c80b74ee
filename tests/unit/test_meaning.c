/* The engines: maps against the plain evaluator, the two engines against each other, and the laws of
 * sets. */
#include <string.h>

#include "analyse/cover.h"
#include "analyse/meaning.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "random_ruleset.h"
#include "rules/evaluate.h"
#include "unit.h"

static const struct ruleset_kind kinds[] = {
	{ .rules_most = 12, .has_addresses = true, .has_rich_services = true },
	{ .rules_most = 12, .has_addresses = true, .has_rich_services = true, .has_ipv6 = true,
	  .has_interfaces = true },
	{ .rules_most = 20, .has_addresses = true, .has_options = true, .has_interfaces = true,
	  .has_many_zones = true, .has_ipv6 = true },
	{ .rules_most = 40, .has_addresses = true, .is_allow_mostly = true, .has_rich_services = true,
	  .has_options = true, .has_interfaces = true },
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))

static struct packet packet_from(const struct model_packet *from, enum hook hook)
{
	bool is_icmp = from->protocol == PROTOCOL_ICMP || from->protocol == PROTOCOL_ICMP6;
	bool has_ports = protocol_has_ports(from->protocol);

	return (struct packet){
		.hook = hook,
		.in = from->in,
		.out = from->out,
		.family = from->family,
		.source = from->source,
		.destination = from->destination,
		.protocol = from->protocol,
		.first = is_icmp ? from->type : has_ports ? from->destination_port : 0,
		.second = is_icmp ? from->code : has_ports ? from->source_port : 0,
		.minute = (from->day + 6) % 7 * 1440 + from->second / 60,
		.time = (time_t)from->time,
	};
}

struct world {
	struct ruleset *ruleset;
	struct packet_universe *universe;
	struct meaning meaning;
};

/* Each rule of the ruleset becomes a statement of its own. */
static void make_statements(struct ruleset *ruleset)
{
	struct policy *policy = pool_new(unit_pool(), struct policy);

	ruleset->policy = policy;
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
			struct policy_rule *statement = pool_new(unit_pool(), struct policy_rule);
			struct identity *identity = pool_new(unit_pool(), struct identity);

			statement->number = (uint32_t)policy->rules_count;
			statement->verdict = ruleset->rules[hook][index]->outcome->verdict;
			identity->rule = statement;
			ruleset->rules[hook][index]->identity = identity;
			*pool_append(unit_pool(), policy, rules) = statement;
		}
}

static struct world random_world(int kind)
{
	struct world world = { .ruleset = random_ruleset(unit_pool(), &kinds[kind]) };

	make_statements(world.ruleset);

	world.universe = packet_universe_new(unit_pool());
	packet_universe_add(world.universe, world.ruleset);
	packet_universe_finish(world.universe);
	world.meaning = meaning_of(unit_pool(), world.ruleset);
	return world;
}

static uint32_t expected_number(const struct world *world, const struct packet *packet)
{
	struct decision decision = ruleset_evaluate(world->ruleset, packet);

	return decision.rule != NULL ? (uint32_t)decision.rule->identity->rule->number :
				       world->meaning.statements;
}

START_TEST(maps_decide_as_the_evaluator)
{
	struct world world = random_world(_i % KINDS);

	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		struct packet_space *space =
			packet_space_new(unit_pool(), world.universe, order, 0);
		packet_map map = meaning_map(&world.meaning, unit_pool(), space);

		ck_assert(map != PACKET_MAP_OVER);
		for (int round = 0; round < 300; round++) {
			enum hook hook = (enum hook)unit_below(HOOK_COUNT);
			struct model_packet model = random_packet(world.ruleset, hook);
			struct packet packet = packet_from(&model, hook);
			struct packet_point point = point_of_packet(world.universe, &packet);

			ck_assert_uint_eq(packet_map_at(space, map, &point),
					  expected_number(&world, &packet));
		}
	}
}
END_TEST

/* --- corners ------------------------------------------------------------------------------------------ */

/* Both engines and the evaluator on one packet; packets that cannot be are left out. */
struct cornering {
	const struct world *world;
	struct packet_space *space;
	packet_map map;
	packet_set possible;
	enum hook hook;
	struct packet_rules boxes;
	const struct packet_box **earlier; /* all boxes, in order */
	size_t checked_count;
};

/* By the second engine: the first so many boxes take the packet, as a box of its own. */
static bool is_taken(const struct cornering *cornering, const struct packet_point *point, size_t count)
{
	struct interval items[PACKET_FIELDS];
	struct interval_set sets[PACKET_FIELDS];
	struct packet_box box;
	enum cover_answer answer;

	for (size_t field = 0; field < PACKET_FIELDS; field++) {
		items[field] = (struct interval){ point->fields[field], point->fields[field] };
		sets[field] = (struct interval_set){ &items[field], 1, 1 };
		box.fields[field] = &sets[field];
	}
	answer = cover_find(unit_pool(), cornering->world->universe, &box, cornering->earlier, count, 100000, NULL);
	ck_assert_int_ne(answer, COVER_UNKNOWN);
	return answer == COVER_YES;
}

static void check_corner(struct cornering *cornering, const struct packet_point *point)
{
	const struct world *world = cornering->world;
	struct packet packet;
	uint32_t expected;
	size_t begin = 0, end;

	if (packet_map_at(cornering->space, cornering->possible, point) == 0)
		return;
	packet = packet_of_point(world->universe, point);
	expected = expected_number(world, &packet);
	ck_assert_uint_eq(packet_map_at(cornering->space, cornering->map, point), expected);
	while (begin < cornering->boxes.items_count && cornering->boxes.items[begin].number != expected)
		begin++;
	end = begin;
	while (end < cornering->boxes.items_count && cornering->boxes.items[end].number == expected)
		end++;
	ck_assert(!is_taken(cornering, point, begin));
	ck_assert(begin == end || is_taken(cornering, point, end));
	cornering->checked_count++;
}

#define INTERVALS_LOOKED_AT 4
#define BOXES_LOOKED_AT 40 /* of a hook, about */

/* Below, at and above each end of the intervals of a field, the other fields as they are. */
static void check_field(struct cornering *cornering, struct packet_point point, const struct packet_box *box,
			enum packet_field field)
{
	const struct interval_set *set = box->fields[field];
	number128 highest = packet_field_highest(cornering->world->universe, field);

	for (size_t index = 0; set != NULL && index < set->items_count && index < INTERVALS_LOOKED_AT; index++) {
		const number128 ends[] = { set->items[index].low, set->items[index].high };

		for (size_t end = 0; end < 2; end++)
			for (number128 value = ends[end] > 0 ? ends[end] - 1 : 0; value <= ends[end] + 1; value++) {
				if (value > highest)
					break;
				point.fields[field] = value;
				check_corner(cornering, &point);
			}
	}
}

/* From the packet that has the lowest values of the box, and the one that has the highest. */
static void check_box(struct cornering *cornering, const struct packet_box *box)
{
	for (int side = 0; side < 2; side++) {
		struct packet_point point;

		if (cover_find(unit_pool(), cornering->world->universe, box, NULL, 0, 1000, &point) != COVER_NO)
			return; /* no packet can be like that */
		for (size_t field = 0; field < PACKET_FIELDS; field++)
			if (box->fields[field] != NULL)
				point.fields[field] = side == 0 ? box->fields[field]->items[0].low :
					box->fields[field]->items[box->fields[field]->items_count - 1].high;
		for (enum packet_field field = FIELD_PROTOCOL; field < PACKET_FIELDS; field++)
			check_field(cornering, point, box, field);
	}
}

static uint32_t statement_number(const struct world *world, enum hook hook, size_t index)
{
	return (uint32_t)world->ruleset->rules[hook][index]->identity->rule->number;
}

START_TEST(corners_of_every_rule_are_decided_alike)
{
	struct world world = random_world(_i % KINDS);
	struct cornering cornering = {
		.world = &world,
		.space = packet_space_new(unit_pool(), world.universe,
					  (enum packet_order)(_i % PACKET_ORDERS), 0),
	};

	cornering.map = meaning_map(&world.meaning, unit_pool(), cornering.space);
	cornering.possible = packet_set_possible(cornering.space);
	for (cornering.hook = 0; cornering.hook < HOOK_COUNT; cornering.hook++) {
		size_t rules = world.ruleset->rules_count[cornering.hook];

		cornering.boxes = (struct packet_rules){ 0 };
		for (size_t index = 0; index < rules; index++)
			match_boxes_in(unit_pool(), world.universe, cornering.hook,
				       &world.ruleset->rules[cornering.hook][index]->match,
				       statement_number(&world, cornering.hook, index), &cornering.boxes);
		cornering.earlier = pool_array(unit_pool(), const struct packet_box *,
					       cornering.boxes.items_count + 1);
		for (size_t box = 0; box < cornering.boxes.items_count; box++)
			cornering.earlier[box] = &cornering.boxes.items[box].box;
		for (size_t box = 0; box < cornering.boxes.items_count;
		     box += 1 + cornering.boxes.items_count / BOXES_LOOKED_AT)
			check_box(&cornering, cornering.earlier[box]);
	}
	ck_assert(cornering.checked_count > 0 || world.meaning.statements < 3);
}
END_TEST

/* What each rule decides has an example, which the evaluator gives to that rule. */
START_TEST(examples_are_decided_as_they_say)
{
	struct world world = random_world(_i % KINDS);
	struct packet_space *space = packet_space_new(unit_pool(), world.universe,
						      (enum packet_order)(_i % PACKET_ORDERS), 0);
	packet_map map = meaning_map(&world.meaning, unit_pool(), space);
	packet_set possible = packet_set_possible(space);

	for (uint32_t number = 0; number < world.meaning.numbers_count; number++) {
		packet_set set = packet_set_intersect(space, packet_map_where(space, map, number),
						      possible);
		struct packet_point point;
		struct packet packet;

		if (!packet_set_example(space, set, &point))
			continue;
		ck_assert_uint_eq(packet_map_at(space, map, &point), number);
		packet = packet_of_point(world.universe, &point);
		ck_assert_uint_eq(expected_number(&world, &packet), number);
	}
}
END_TEST

static packet_set random_set(const struct world *world, struct packet_space *space)
{
	struct packet_rules boxes = { 0 };

	for (int count = 0; count < 4; count++) {
		enum hook hook = (enum hook)unit_below(HOOK_COUNT);
		size_t rules = world->ruleset->rules_count[hook];

		if (rules > 0)
			match_boxes_in(unit_pool(), world->universe, hook,
				    &world->ruleset->rules[hook][unit_below((unsigned)rules)]->match,
				    unit_below(2), &boxes);
	}
	return packet_map_first_match(space, boxes.items, boxes.items_count, 0);
}

START_TEST(sets_keep_their_laws)
{
	struct world world = random_world(_i % KINDS);
	struct packet_space *space = packet_space_new(unit_pool(), world.universe,
						      (enum packet_order)(_i % PACKET_ORDERS), 0);
	packet_set a = random_set(&world, space), b = random_set(&world, space);
	packet_set c = random_set(&world, space), all = packet_set_all();

	ck_assert_uint_eq(packet_set_union(space, a, b), packet_set_union(space, b, a));
	ck_assert_uint_eq(packet_set_intersect(space, a, packet_set_union(space, b, c)),
			  packet_set_union(space, packet_set_intersect(space, a, b),
					   packet_set_intersect(space, a, c)));
	ck_assert_uint_eq(packet_set_subtract(space, a, b),
			  packet_set_intersect(space, a, packet_set_subtract(space, all, b)));
	ck_assert_uint_eq(packet_set_subtract(space, all, packet_set_subtract(space, all, a)), a);
	ck_assert_uint_eq(packet_map_difference(space, a, b),
			  packet_set_union(space, packet_set_subtract(space, a, b),
					   packet_set_subtract(space, b, a)));
	ck_assert_uint_eq(packet_map_choose(space, a, b, c),
			  packet_set_union(space, packet_set_intersect(space, a, b),
					   packet_set_subtract(space, c, a)));
	ck_assert(packet_set_includes(space, packet_set_union(space, a, b), a));
	ck_assert_uint_eq(packet_map_difference(space, a, a), packet_set_none());
}
END_TEST

/* A set that is taken apart into boxes and put together again is the same set. */
START_TEST(boxes_make_the_set_again)
{
	enum { MOST = 4000 };
	struct world world = random_world(_i % KINDS);
	struct packet_space *space = packet_space_new(unit_pool(), world.universe,
						      (enum packet_order)(_i % PACKET_ORDERS), 0);
	packet_set set = random_set(&world, space), sum = packet_set_none();
	struct packet_box *boxes = pool_array(unit_pool(), struct packet_box, MOST);
	bool is_whole;
	size_t count = packet_set_boxes(unit_pool(), space, set, boxes, MOST, &is_whole);

	ck_assert(is_whole);
	for (size_t index = 0; index < count; index++) {
		packet_set box = packet_set_box(space, &boxes[index]);

		ck_assert_uint_eq(packet_set_intersect(space, sum, box), packet_set_none());
		sum = packet_set_union(space, sum, box);
	}
	ck_assert_uint_eq(packet_map_difference(space, sum, set), packet_set_none());
}
END_TEST

START_TEST(both_engines_say_the_same)
{
	struct world world = random_world(_i % KINDS);
	struct packet_space *space =
		packet_space_new(unit_pool(), world.universe, PACKET_ORDER_SAFE, 0);
	packet_set possible = packet_set_possible(space);
	enum hook hook = (enum hook)unit_below(HOOK_COUNT);
	struct packet_rules boxes = { 0 };
	packet_set before = packet_set_none();
	const struct packet_box **earlier;

	for (size_t index = 0; index < world.ruleset->rules_count[hook]; index++)
		match_boxes_in(unit_pool(), world.universe, hook,
			       &world.ruleset->rules[hook][index]->match, 0, &boxes);
	earlier = pool_array(unit_pool(), const struct packet_box *, boxes.items_count + 1);
	for (size_t index = 0; index < boxes.items_count; index++) {
		packet_set box = packet_set_intersect(
			space, packet_set_box(space, &boxes.items[index].box), possible);
		bool is_covered = packet_set_includes(space, before, box);
		struct packet_point witness;
		enum cover_answer answer =
			cover_find(unit_pool(), world.universe, &boxes.items[index].box, earlier,
				   index, 200000, &witness);

		ck_assert_int_ne(answer, COVER_UNKNOWN);
		ck_assert_int_eq(answer == COVER_YES, is_covered);
		if (answer == COVER_NO) {
			ck_assert_uint_eq(packet_map_at(space, before, &witness), 0);
			ck_assert_uint_eq(packet_map_at(space, box, &witness), 1);
		}
		before = packet_set_union(space, before, box);
		earlier[index] = &boxes.items[index].box;
	}
}
END_TEST

/* `any except 80/tcp, 53/udp`: 252 other protocols are no boxes of their own. */
START_TEST(whole_protocols_are_one_box)
{
	struct tuple_set any = tuple_set_any(unit_pool()), some = { 0 };
	struct packet_universe *universe = packet_universe_new(unit_pool());
	struct packet_rules boxes = { 0 };
	const uint16_t left_out[][2] = { { PROTOCOL_TCP, 80 }, { PROTOCOL_UDP, 53 } };
	struct match match = { .families = FAMILIES_IPV4, .from = place_boxes_all(unit_pool()),
			       .to = place_boxes_all(unit_pool()) };

	for (size_t i = 0; i < 2; i++)
		tuple_set_add(unit_pool(), &some, (struct service_tuple){
			.protocol = left_out[i][0], .families = FAMILIES_BOTH,
			.first = { left_out[i][1], left_out[i][1] }, .second = { 0, UINT16_MAX },
		});
	match.services = tuple_set_subtract(unit_pool(), &any, &some);
	packet_universe_finish(universe);
	match_boxes(unit_pool(), universe, &match, 0, &boxes);
	ck_assert_uint_eq(boxes.items_count, 3); /* tcp, udp, all others */
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++)
		for (unsigned port = 0; port < 100; port++) {
			const bool is_out = (protocol == PROTOCOL_TCP && port == 80) ||
					    (protocol == PROTOCOL_UDP && port == 53);
			const struct packet_point point = { .fields = {
				[FIELD_FAMILY] = FAMILY_IPV4, [FIELD_PROTOCOL] = protocol, [FIELD_FIRST] = port,
			} };
			unsigned holding = 0;

			for (size_t i = 0; i < boxes.items_count; i++)
				holding += packet_box_holds(&boxes.items[i].box, &point);
			ck_assert_uint_eq(holding, is_out ? 0 : 1);
		}
}
END_TEST

/* Few start alike, or many; some meet, and some are the same. */
static struct interval random_interval(enum family family, unsigned prefixes)
{
	number128 low = family == FAMILY_IPV4 ? (number128)(1 + unit_below(1u << 20)) << 8 :
		(number128)(UINT64_C(0x8000000000000000) | unit_below(prefixes)) << 64 | unit_below(1u << 20);

	return (struct interval){ low, low };
}

/* So many that their bounds are sorted by digits. */
START_TEST(long_lists_give_the_first_that_holds)
{
	enum { RULES = 900 };
	enum family family = _i % 3 == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
	struct packet_universe *universe = packet_universe_new(unit_pool());
	struct packet_rule *rules = pool_array(unit_pool(), struct packet_rule, RULES);
	struct interval value = { family, family }, *sources = pool_array(unit_pool(), struct interval, RULES);
	struct interval_set one = { &value, 1, 1 }, *sets = pool_array(unit_pool(), struct interval_set, RULES);

	packet_universe_finish(universe);
	for (uint32_t number = 0; number < RULES; number++) {
		sources[number] = number > 0 && unit_below(8) == 0 ? sources[unit_below(number)] :
				  random_interval(family, _i % 3 == 1 ? 4 : 1u << 20);
		if (number > 0 && unit_below(8) == 0)
			sources[number].low = sources[number - 1].high + unit_below(2);
		sources[number].high = sources[number].low + unit_below(64);
		sets[number] = (struct interval_set){ &sources[number], 1, 1 };
		rules[number].number = number;
		rules[number].box.fields[FIELD_FAMILY] = &one;
		rules[number].box.fields[FIELD_SOURCE] = &sets[number];
	}
	struct packet_space *space = packet_space_new(unit_pool(), universe, PACKET_ORDER_SAFE, 0);
	packet_map map = packet_map_first_match(space, rules, RULES, RULES);
	for (uint32_t round = 0; round < 4 * RULES; round++) {
		const struct interval *source = &sources[round / 4];
		struct packet_point point = { 0 };
		uint32_t first = 0;

		point.fields[FIELD_FAMILY] = family;
		point.fields[FIELD_SOURCE] = round % 4 < 2 ? source->low - round % 2 : source->high + round % 2;
		while (first < RULES && !packet_box_holds(&rules[first].box, &point))
			first++;
		ck_assert_uint_eq(packet_map_at(space, map, &point), first);
	}
}
END_TEST

START_TEST(budgets_end_without_a_guess)
{
	struct world world = random_world(3);
	struct packet_space *space =
		packet_space_new(unit_pool(), world.universe, PACKET_ORDER_SAFE, 30);
	packet_map map = meaning_map(&world.meaning, unit_pool(), space);
	struct packet_point point;

	if (map == PACKET_MAP_OVER)
		ck_assert(packet_space_is_over(space));
	ck_assert(map == PACKET_MAP_OVER || world.meaning.statements < 6);
	ck_assert(!packet_set_example(space, PACKET_MAP_OVER, &point));
	ck_assert(packet_set_union(space, PACKET_MAP_OVER, packet_set_all()) == PACKET_MAP_OVER);
}
END_TEST

static Suite *meaning_suite(void)
{
	Suite *suite = suite_create("meaning");
	TCase *laws = unit_case(suite, "laws");

	unit_add_law(laws, maps_decide_as_the_evaluator, 60);
	unit_add_law(laws, corners_of_every_rule_are_decided_alike, 12);
	unit_add_law(laws, examples_are_decided_as_they_say, 60);
	unit_add_law(laws, sets_keep_their_laws, 200);
	unit_add_law(laws, boxes_make_the_set_again, 100);
	unit_add_law(laws, both_engines_say_the_same, 60);
	tcase_add_test(laws, whole_protocols_are_one_box);
	unit_add_law(laws, long_lists_give_the_first_that_holds, 12);
	unit_add_law(laws, budgets_end_without_a_guess, 10);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ meaning_suite, NULL });
}
