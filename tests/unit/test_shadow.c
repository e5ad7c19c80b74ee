/* Lists of ClassBench's kinds: the engines against each other, against reading the list rule by rule, and
 * what could go really left out. */
#include <string.h>

#include "analyse/cover.h"
#include "analyse/list_compare.h"
#include "analyse/shadow.h"
#include "base/pool.h"
#include "classbench.h"
#include "net/protocol.h"
#include "unit.h"

#define DEFAULT_NUMBER 1000000u

struct world {
	struct classbench list;
	struct packet_universe *universe;
	struct packet_space *space;
};

static struct world random_world(int round, size_t most)
{
	const struct classbench_wish wish = {
		.kind = (enum classbench_kind)(round % CLASSBENCH_KINDS),
		.family = round / CLASSBENCH_KINDS % 2 != 0 ? FAMILY_IPV6 : FAMILY_IPV4,
		.count = 1 + unit_below((unsigned)most),
		.seed = unit_random(),
		.holes_percent = round % 2 != 0 ? 20 : 0,
	};
	struct world world = { .list = classbench_list(unit_pool(), &wish) };

	world.universe = packet_universe_new(unit_pool());
	packet_universe_finish(world.universe);
	world.space = packet_space_new(unit_pool(), world.universe,
				       (enum packet_order)(round % PACKET_ORDERS), 0);
	return world;
}

/* A value at the edge of the set, or next to it. */
static number128 corner(const struct interval_set *set, number128 highest)
{
	const struct interval *item;
	number128 value;

	if (set == NULL)
		return unit_below(3) == 0 ? highest : unit_random() % ((uint64_t)highest | 1);
	item = &set->items[unit_below((unsigned)set->items_count)];
	value = unit_below(2) != 0 ? item->low : item->high;
	if (unit_below(4) == 0 && value > 0)
		value--;
	else if (unit_below(4) == 0 && value < highest)
		value++;
	return value;
}

/* A packet that can be, at the corners of one rule or of two. */
static struct packet_point corner_packet(const struct world *world)
{
	const struct packet_box *a = &world->list.rules[unit_below((unsigned)world->list.count)].box;
	const struct packet_box *b = &world->list.rules[unit_below((unsigned)world->list.count)].box;
	static const enum packet_field addresses[] = { FIELD_SOURCE, FIELD_DESTINATION };
	struct packet_point point = { 0 };
	number128 highest = 0;

	point.fields[FIELD_HOOK] = HOOK_FORWARD;
	point.fields[FIELD_IN] = point.fields[FIELD_OUT] = 1;
	point.fields[FIELD_FAMILY] = a->fields[FIELD_FAMILY]->items[0].low;
	highest = family_highest((enum family)point.fields[FIELD_FAMILY]);
	for (size_t index = 0; index < 2; index++)
		point.fields[addresses[index]] =
			corner((unit_below(4) == 0 ? b : a)->fields[addresses[index]], highest);
	point.fields[FIELD_PROTOCOL] = a->fields[FIELD_PROTOCOL] == NULL ?
					       PROTOCOL_UDP : a->fields[FIELD_PROTOCOL]->items[0].low;
	if (!protocol_has_ports((unsigned)point.fields[FIELD_PROTOCOL]))
		return point;
	point.fields[FIELD_FIRST] = corner((unit_below(4) == 0 ? b : a)->fields[FIELD_FIRST], UINT16_MAX);
	point.fields[FIELD_SECOND] = corner(a->fields[FIELD_SECOND], UINT16_MAX);
	return point;
}

/* The first rule that holds the packet, as the list reads. */
static uint32_t first_rule(const struct classbench *list, const struct packet_point *point)
{
	for (size_t index = 0; index < list->count; index++)
		if (packet_box_holds(&list->rules[index].box, point))
			return (uint32_t)index;
	return DEFAULT_NUMBER;
}

START_TEST(maps_read_lists_as_they_stand)
{
	struct world world = random_world(_i, 150);
	packet_map map = packet_map_first_match(world.space, world.list.rules, world.list.count,
						DEFAULT_NUMBER);

	ck_assert(map != PACKET_MAP_OVER);
	for (int round = 0; round < 1000; round++) {
		struct packet_point point = corner_packet(&world);

		ck_assert_uint_eq(packet_map_at(world.space, map, &point),
				  first_rule(&world.list, &point));
	}
}
END_TEST

/* Another order of construction, one node: rules that do not overlap may change places. */
START_TEST(equal_lists_are_one_node)
{
	struct world world = random_world(_i, 120);
	struct classbench *list = &world.list;
	packet_map map = packet_map_first_match(world.space, list->rules, list->count, DEFAULT_NUMBER);

	for (size_t step = 0; step < list->count * 4; step++) {
		size_t at = unit_below((unsigned)list->count);
		struct packet_rule kept = list->rules[at];

		if (at == 0 || packet_boxes_overlap(&kept.box, &list->rules[at - 1].box))
			continue;
		list->rules[at] = list->rules[at - 1];
		list->rules[at - 1] = kept;
	}
	ck_assert_uint_eq(packet_map_first_match(world.space, list->rules, list->count, DEFAULT_NUMBER),
			  map);
}
END_TEST

static struct shadow_answer *findings_of(const struct world *world, enum shadow_engine engine)
{
	const struct shadow_question question = {
		.universe = world->universe, .rules = world->list.rules, .count = world->list.count,
		.outcomes = world->list.outcomes, .has_blame = true, .engine = engine,
	};

	return shadow_find(unit_pool(), &question);
}

START_TEST(engines_find_the_same)
{
	struct world world = random_world(_i, 100);
	struct shadow_answer *maps = findings_of(&world, SHADOW_DIAGRAMS);
	struct shadow_answer *covers = findings_of(&world, SHADOW_COVERS);

	ck_assert_int_eq(maps->engine, SHADOW_DIAGRAMS);
	ck_assert_int_eq(covers->engine, SHADOW_COVERS);
	ck_assert_uint_eq(covers->undecided_count, 0);
	ck_assert_uint_eq(maps->findings_count, covers->findings_count);
	for (size_t index = 0; index < maps->findings_count; index++) {
		ck_assert_uint_eq(maps->findings[index].number, covers->findings[index].number);
		ck_assert_int_eq(maps->findings[index].kind, covers->findings[index].kind);
	}
}
END_TEST

/* All that was found is left out at once: the same function of all packets that can be. */
static void check_all_can_go(struct world world, const struct shadow_answer *answer)
{
	struct packet_rule *all = pool_array(unit_pool(), struct packet_rule, world.list.count);
	struct packet_rule *kept = pool_array(unit_pool(), struct packet_rule, world.list.count);
	size_t kept_count = 0, next = 0;
	packet_set difference;

	for (size_t index = 0; index < world.list.count; index++) {
		all[index] = world.list.rules[index];
		all[index].number = world.list.outcomes[index];
		if (next < answer->findings_count && answer->findings[next].number == index)
			next++;
		else
			kept[kept_count++] = all[index];
	}
	ck_assert_uint_eq(next, answer->findings_count);
	difference = packet_map_difference(
		world.space, packet_map_first_match(world.space, all, world.list.count, 0),
		packet_map_first_match(world.space, kept, kept_count, 0));
	ck_assert_uint_eq(packet_set_intersect(world.space, difference,
					       packet_set_possible(world.space)), packet_set_none());
}

START_TEST(findings_can_all_go)
{
	struct world world = random_world(_i, 150);

	check_all_can_go(world, findings_of(&world, (enum shadow_engine)(_i % 3)));
}
END_TEST

/* With too little work some of it is found, or nothing; never anything else. */
START_TEST(past_the_work_nothing_is_guessed)
{
	struct world world = random_world(_i, 60);
	size_t work = unit_below(20000);
	const struct shadow_question question = {
		.universe = world.universe, .rules = world.list.rules, .count = world.list.count,
		.outcomes = world.list.outcomes, .has_blame = true, .engine = SHADOW_COVERS, .work = &work,
	};
	const struct shadow_answer *answer = shadow_find(unit_pool(), &question);
	const struct shadow_answer *expected = findings_of(&world, SHADOW_COVERS);
	packet_set possible = packet_set_possible(world.space), before = packet_set_none();
	size_t next = 0;

	check_all_can_go(world, answer);
	if (answer->undecided_count == 0)
		ck_assert_uint_eq(answer->findings_count, expected->findings_count);
	for (size_t index = 0; index < world.list.count; index++) {
		packet_set box = packet_set_box(world.space, &world.list.rules[index].box);
		bool is_dead = packet_set_includes(world.space, before,
						   packet_set_intersect(world.space, box, possible));

		before = packet_set_union(world.space, before, box);
		if (next == answer->findings_count || answer->findings[next].number != index)
			continue;
		ck_assert_int_eq(answer->findings[next].kind != RULE_REMOVABLE &&
				 answer->findings[next].kind != RULE_AS_DEFAULT, is_dead);
		next++;
	}
}
END_TEST

/* What is not found matters: some packet gets another outcome without the rule. */
START_TEST(nothing_else_can_go)
{
	struct world world = random_world(_i, 40);
	struct shadow_answer *answer = findings_of(&world, (enum shadow_engine)(_i % 3));
	packet_set possible = packet_set_possible(world.space);
	struct packet_rule *kept = pool_array(unit_pool(), struct packet_rule, world.list.count);
	size_t kept_count = 0, next = 0;
	packet_map whole;

	for (size_t index = 0; index < world.list.count; index++) {
		if (next < answer->findings_count && answer->findings[next].number == index) {
			next++;
			continue;
		}
		kept[kept_count] = world.list.rules[index];
		kept[kept_count++].number = world.list.outcomes[index];
	}
	whole = packet_map_first_match(world.space, kept, kept_count, 0);
	for (size_t index = 0; index < kept_count; index++) {
		struct packet_rule taken = kept[index];
		bool is_last = index + 1 == kept_count;
		packet_map without;

		if (!is_last)
			kept[index] = kept[index + 1]; /* twice is as good as once */
		without = packet_map_first_match(world.space, kept, kept_count - is_last, 0);
		kept[index] = taken;
		ck_assert_uint_ne(packet_set_intersect(world.space,
						       packet_map_difference(world.space, whole, without),
						       possible), packet_set_none());
	}
}
END_TEST

/* What is left of a set once the rule at this place of the list has taken its own. */
static packet_set without_rule(struct world *world, packet_set rest, uint32_t number)
{
	return packet_set_subtract(world->space, rest,
				   packet_set_box(world->space, &world->list.rules[number].box));
}

static bool is_blamed(const struct rule_finding *finding, uint32_t number)
{
	for (size_t at = 0; at < finding->blame_count; at++)
		if (finding->blame[at] == number)
			return true;
	return false;
}

/* Together they take the rule; of those with one outcome none can be left out. */
static void check_blame(struct world *world, const struct rule_finding *finding, packet_set rest, bool are_alike)
{
	for (size_t left = are_alike ? 0 : finding->blame_count; left <= finding->blame_count; left++) {
		packet_set uncovered = rest;

		for (size_t at = 0; at < finding->blame_count; at++)
			if (at != left)
				uncovered = without_rule(world, uncovered, finding->blame[at]);
		ck_assert_int_eq(packet_set_is_empty(uncovered), left == finding->blame_count);
	}
}

/* What the list says of the rule's packets is what the kind says; all that take some are named, or all have
 * one outcome. */
static void check_kind(struct world *world, const struct rule_finding *finding, packet_set rest, bool are_alike)
{
	const uint32_t *outcomes = world->list.outcomes;
	bool has_own = false, has_other = false;

	for (uint32_t number = 0; number < finding->number; number++) {
		packet_set after = without_rule(world, rest, number);

		if (after == rest)
			continue;
		rest = after;
		has_own = has_own || outcomes[number] == outcomes[finding->number];
		has_other = has_other || outcomes[number] != outcomes[finding->number];
		ck_assert(are_alike ? outcomes[number] == outcomes[finding->blame[0]] : is_blamed(finding, number));
	}
	ck_assert(packet_set_is_empty(rest));
	ck_assert_int_eq(finding->kind, !has_other ? RULE_REDUNDANT : !has_own ? RULE_SHADOWED : RULE_MIXED);
}

/* The blamed take all of the rule; witnesses are what they say. */
START_TEST(blame_and_witnesses_hold)
{
	struct world world = random_world(_i, 100);
	struct shadow_answer *answer = findings_of(&world, (enum shadow_engine)(_i % 3));
	packet_set possible = packet_set_possible(world.space);

	for (size_t index = 0; index < answer->findings_count; index++) {
		const struct rule_finding *finding = &answer->findings[index];
		packet_set rest = packet_set_intersect(
			world.space, possible,
			packet_set_box(world.space, &world.list.rules[finding->number].box));
		uint32_t decides = first_rule(&world.list, &finding->witness);
		bool are_alike = true;

		ck_assert(packet_box_holds(&world.list.rules[finding->number].box, &finding->witness));
		ck_assert_uint_eq(packet_map_at(world.space, possible, &finding->witness), 1);
		if (finding->kind == RULE_REMOVABLE || finding->kind == RULE_AS_DEFAULT) {
			ck_assert_uint_eq(decides, finding->number);
			continue;
		}
		ck_assert_uint_lt(decides, finding->number);
		ck_assert(finding->blame_is_least && finding->blame_count > 0);
		for (size_t at = 1; at < finding->blame_count; at++)
			are_alike = are_alike && world.list.outcomes[finding->blame[at]] ==
							 world.list.outcomes[finding->blame[0]];
		check_blame(&world, finding, rest, are_alike);
		check_kind(&world, finding, rest, are_alike);
	}
}
END_TEST

/* Whole, and in slices where the room is small: one answer; what differs is shown. */
START_TEST(lists_compare_in_slices)
{
	struct world world = random_world(_i, 400);
	struct packet_list list = { world.list.rules, world.list.count, DEFAULT_NUMBER };
	struct packet_rule *rules = pool_array(unit_pool(), struct packet_rule, world.list.count);
	struct packet_list other = { rules, world.list.count, DEFAULT_NUMBER };
	size_t budget = _i % 3 == 0 ? 0 : 30000;
	uint32_t gone = unit_below((unsigned)world.list.count);
	enum list_answer expected;
	struct packet_point point;

	memcpy(rules, world.list.rules, world.list.count * sizeof *rules);
	ck_assert_int_eq(packet_lists_compare(unit_pool(), world.universe, &list, &other, budget, &point),
			 LISTS_EQUAL);
	rules[gone].number = DEFAULT_NUMBER + 1;
	expected = packet_set_is_empty(packet_set_intersect(
			   world.space, packet_set_possible(world.space),
			   packet_map_where(world.space,
					    packet_map_first_match(world.space, list.rules, list.count,
								   DEFAULT_NUMBER), gone))) ?
			   LISTS_EQUAL : LISTS_DIFFER;
	ck_assert_int_eq(packet_lists_compare(unit_pool(), world.universe, &list, &other, budget, &point),
			 expected);
	if (expected == LISTS_DIFFER)
		ck_assert_uint_eq(first_rule(&world.list, &point), gone);
}
END_TEST

/* Diagrams with too little room: the covers give the same answer. */
START_TEST(budgets_lead_to_the_other_engine)
{
	struct world world = random_world(_i, 60);
	struct shadow_question question = {
		.universe = world.universe, .rules = world.list.rules, .count = world.list.count,
		.outcomes = world.list.outcomes, .budget = 1,
		.engine = SHADOW_DIAGRAMS,
	};
	struct shadow_answer *answer = shadow_find(unit_pool(), &question);
	struct shadow_answer *expected = findings_of(&world, (enum shadow_engine)(_i % 3));

	ck_assert_int_eq(answer->engine, SHADOW_COVERS);
	ck_assert_uint_eq(answer->findings_count, expected->findings_count);
}
END_TEST

static Suite *shadow_suite(void)
{
	Suite *suite = suite_create("shadow");
	TCase *laws = unit_case(suite, "laws");

	unit_add_law(laws, maps_read_lists_as_they_stand, 40);
	unit_add_law(laws, equal_lists_are_one_node, 40);
	unit_add_law(laws, engines_find_the_same, 60);
	unit_add_law(laws, findings_can_all_go, 60);
	unit_add_law(laws, past_the_work_nothing_is_guessed, 60);
	unit_add_law(laws, nothing_else_can_go, 60);
	unit_add_law(laws, blame_and_witnesses_hold, 60);
	unit_add_law(laws, lists_compare_in_slices, 60);
	unit_add_law(laws, budgets_lead_to_the_other_engine, 12);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ shadow_suite, NULL });
}
