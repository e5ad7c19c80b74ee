/* Where two lists decide otherwise: against two maps of the whole lists, which know nothing of pairs. */
#include <string.h>

#include "analyse/list_diff.h"
#include "analyse/meaning.h"
#include "base/pool.h"
#include "random_ruleset.h"
#include "unit.h"

#define OUTCOMES 3
#define NUMBERS_MOST 4000

static const struct ruleset_kind kinds[] = {
	{ .rules_most = 12, .has_addresses = true, .has_rich_services = true },
	{ .rules_most = 20, .has_addresses = true, .has_ipv6 = true, .has_interfaces = true },
	{ .rules_most = 25, .has_addresses = true, .has_options = true, .has_interfaces = true,
	  .has_many_zones = true, .has_ipv6 = true },
	{ .rules_most = 25, .has_addresses = true, .has_rich_services = true },
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))

/* Two lists; the second is made of the first, or is another one. */
struct world {
	struct packet_universe *universe;
	struct packet_space *space;
	enum hook hook;
	packet_set possible;
	struct packet_rules lists[2];
	uint32_t otherwise[2];
	unsigned outcomes[2][NUMBERS_MOST];
	bool has_keys; /* else no box has a twin */
	size_t work;
};

static const char *key(void *context, bool is_after, uint32_t number)
{
	static const char *const words[OUTCOMES] = { "none", "one", "two" };
	const struct world *world = context;

	return world->has_keys ? words[world->outcomes[is_after][number]] : NULL;
}

static bool is_asked(void *context, uint32_t before, uint32_t after)
{
	const struct world *world = context;

	return world->outcomes[0][before] != world->outcomes[1][after];
}

static void add_boxes(struct world *world, struct packet_rules *list, const struct ruleset *ruleset)
{
	for (size_t index = 0; index < ruleset->rules_count[world->hook]; index++)
		match_boxes(unit_pool(), world->universe, &ruleset->rules[world->hook][index]->match,
			    (uint32_t)index, list);
}

/* Takes boxes out, repeats and moves them, and gives some another number. */
static void change(struct world *world)
{
	const struct packet_rules *from = &world->lists[0];
	struct packet_rules *to = &world->lists[1];

	for (size_t at = 0; at < from->items_count; at++)
		if (unit_below(8) != 0)
			*pool_append(unit_pool(), to, items) = from->items[at];
	for (unsigned round = unit_below(4); to->items_count > 1 && round > 0; round--) {
		size_t one = unit_below((unsigned)to->items_count), other = unit_below((unsigned)to->items_count);
		struct packet_rule kept = to->items[one];

		if (unit_below(2) == 0)
			to->items[one] = to->items[other];
		to->items[other] = kept;
	}
}

static struct world random_world(int round)
{
	const struct ruleset *ruleset = random_ruleset(unit_pool(), &kinds[round % KINDS]);
	const struct ruleset *other = random_ruleset(unit_pool(), &kinds[round % KINDS]);
	struct world world = { .universe = packet_universe_new(unit_pool()), .work = 10000000,
			       .has_keys = unit_below(5) != 0, .hook = (enum hook)unit_below(HOOK_COUNT) };

	packet_universe_add(world.universe, ruleset);
	packet_universe_add(world.universe, other);
	packet_universe_finish(world.universe);
	world.space = packet_space_new(unit_pool(), world.universe,
				       (enum packet_order)unit_below(PACKET_ORDERS), 0);
	world.possible = packet_set_intersect(world.space, packet_set_possible(world.space),
					      packet_set_value(world.space, FIELD_HOOK, world.hook));
	add_boxes(&world, &world.lists[0], ruleset);
	if (unit_below(6) == 0)
		add_boxes(&world, &world.lists[1], other);
	else
		change(&world);
	for (int side = 0; side < 2; side++) {
		world.otherwise[side] = 1000;
		for (size_t number = 0; number < NUMBERS_MOST; number++)
			world.outcomes[side][number] = side == 1 && unit_below(10) != 0 ?
							       world.outcomes[0][number] : unit_below(OUTCOMES);
	}
	return world;
}

static struct list_differences *find(struct world *world, size_t region_most)
{
	const struct list_diff_question question = {
		.space = world->space,
		.hook = world->hook,
		.possible = world->possible,
		.before = { world->lists[0].items, world->lists[0].items_count, world->otherwise[0] },
		.after = { world->lists[1].items, world->lists[1].items_count, world->otherwise[1] },
		.context = world,
		.key = key,
		.is_asked = is_asked,
		.work = &world->work,
		.region_most = region_most,
	};

	return list_diff_find(unit_pool(), list_pairing_new(unit_pool()), &question);
}

/* Pairs whose outcomes differ, as numbers from 1; all others 0. */
struct pairs {
	const struct world *world;
	uint32_t items[10000][2];
	uint32_t count;
};

static uint32_t pair_number(void *context, uint32_t before, uint32_t after)
{
	struct pairs *pairs = context;
	uint32_t number = 1;

	if (pairs->world->outcomes[0][before] == pairs->world->outcomes[1][after])
		return 0;
	while (number <= pairs->count &&
	       (pairs->items[number][0] != before || pairs->items[number][1] != after))
		number++;
	if (number > pairs->count) {
		ck_assert_uint_lt(number, 10000);
		pairs->items[number][0] = before;
		pairs->items[number][1] = after;
		pairs->count = number;
	}
	return number;
}

static packet_map whole_map(struct world *world, int side)
{
	return packet_map_first_match(world->space, world->lists[side].items, world->lists[side].items_count,
				      world->otherwise[side]);
}

static const struct list_difference *difference_of(const struct list_differences *found, uint32_t before,
						   uint32_t after)
{
	for (size_t at = 0; at < found->items_count; at++)
		if (found->items[at].before == before && found->items[at].after == after)
			return &found->items[at];
	return NULL;
}

static bool is_undecided(const struct list_differences *found, uint32_t before, uint32_t after)
{
	for (size_t at = 0; at < found->undecided_count; at++)
		if (found->undecided[at].number == (found->undecided[at].is_after ? after : before))
			return true;
	return false;
}

/* What every answer must be; gives how many pairs differ. */
static size_t check(struct world *world, const struct list_differences *found, bool is_whole)
{
	struct pairs *pairs = pool_new(unit_pool(), struct pairs);
	packet_map map;
	size_t differing = 0;

	pairs->world = world;
	map = packet_map_combine(world->space, whole_map(world, 0), whole_map(world, 1), pair_number, pairs);
	ck_assert(map != PACKET_MAP_OVER);
	for (uint32_t number = 1; number <= pairs->count; number++) {
		packet_set region = packet_map_where(world->space, map, number);
		packet_set packets = packet_set_intersect(world->space, region, world->possible);
		uint32_t before = pairs->items[number][0], after = pairs->items[number][1];
		const struct list_difference *difference = difference_of(found, before, after);

		if (packet_set_is_empty(packets)) {
			ck_assert_ptr_null(difference);
			continue;
		}
		differing++;
		if (difference == NULL) {
			ck_assert(!is_whole && is_undecided(found, before, after));
			continue;
		}
		ck_assert(!packet_set_is_empty(difference->packets));
		ck_assert(packet_set_includes(world->space, packets, difference->packets));
		if (difference->is_within)
			ck_assert(is_undecided(found, before, after) ||
				  packet_set_includes(world->space, difference->region, packets));
		else if (is_whole)
			ck_assert_uint_eq(difference->packets, packets);
	}
	ck_assert_uint_le(found->items_count, differing);
	return differing;
}

/* Worlds of one process. */
#define ROUNDS 20

START_TEST(pairs_are_those_of_the_maps)
{
	size_t pairs = 0, within = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct world world = random_world(round);
		const struct list_differences *found = find(&world, 1000000);

		ck_assert_uint_eq(found->undecided_count, 0);
		for (size_t at = 0; at < found->items_count; at++)
			within += found->items[at].is_within;
		pairs += found->items_count;
		ck_assert_uint_eq(check(&world, found, true), found->items_count);
	}
	ck_assert_uint_le(within * 10, pairs); /* few are too intricate to be cut out exactly */
}
END_TEST

/* Where regions may not be cut out the second engine finds the pairs. */
START_TEST(boxes_find_the_same_pairs)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct world world = random_world(round);
		const struct list_differences *found = find(&world, 1);

		ck_assert_uint_eq(found->undecided_count, 0);
		ck_assert_uint_eq(check(&world, found, true), found->items_count);
	}
}
END_TEST

START_TEST(past_the_work_nothing_is_guessed)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct world world = random_world(round);

		world.work = unit_below(400);
		(void)check(&world, find(&world, unit_below(2)), false);
	}
}
END_TEST

/* A list and itself have no box without a twin; of two lists as many as one can see by hand. */
START_TEST(common_boxes_are_paired)
{
	static const uint32_t before[] = { 1, 2, 3, 4, 5, 2, 6 }, after[] = { 1, 3, 4, 2, 5, 2, 7, 6 };
	const uint32_t *const ids[2] = { before, after }, *const same[2] = { before, before };
	const size_t counts[2] = { 7, 8 }, equal_counts[2] = { 7, 7 };
	size_t first[8], second[8];
	size_t *const twins[2] = { first, second };
	size_t paired = 0;

	list_align(unit_pool(), ids, counts, twins);
	for (size_t at = 0; at < 7; at++) {
		if (first[at] != LIST_NO_TWIN) {
			ck_assert_uint_eq(before[at], after[first[at]]);
			ck_assert_uint_eq(second[first[at]], at);
			paired++;
		}
	}
	ck_assert_uint_ge(paired, 5);
	ck_assert_uint_eq(first[0], 0);
	ck_assert_uint_eq(first[6], 7);
	list_align(unit_pool(), same, equal_counts, twins);
	for (size_t at = 0; at < 7; at++)
		ck_assert_uint_eq(first[at], at);
}
END_TEST

static Suite *list_diff_suite(void)
{
	Suite *suite = suite_create("list_diff");
	TCase *laws = unit_case(suite, "laws");

	tcase_add_test(laws, common_boxes_are_paired);
	unit_add_law(laws, pairs_are_those_of_the_maps, 10);
	unit_add_law(laws, boxes_find_the_same_pairs, 6);
	unit_add_law(laws, past_the_work_nothing_is_guessed, 6);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ list_diff_suite, NULL });
}
