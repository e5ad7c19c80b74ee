/* What splitting stands on, against plain loops: the index of intervals, the order of positions, points. A value
 * that is missed there is a unit that is looked up in too few cells, which the proof of a table sees only where a
 * policy is large enough to show it. And the table of costs, which says by what its figures are chosen. */
#include <stdlib.h>

#include "base/pool.h"
#include "target/nft/split/index.h"
#include "target/nft/split/order.h"
#include "target/nft/split/points.h"
#include "unit.h"

#define SPAN 48     /* few values: intervals touch, and are of one value, all the time */
#define ITEMS_MOST 60

/* In a narrow span, at the beginning of all addresses or at their end. */
static struct interval some_interval(number128 base)
{
	unsigned low = unit_below(SPAN), high = low + unit_below(3) * unit_below(SPAN / 4);

	return (struct interval){ base + low, base + (high < SPAN ? high : SPAN - 1) };
}

static number128 some_base(void)
{
	return unit_below(2) == 0 ? 0 : ~(number128)0 - (SPAN - 1);
}

/* --- the index -------------------------------------------------------------------------- */

static int compare_values(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

START_TEST(every_interval_that_meets_is_found)
{
	struct interval items[ITEMS_MOST], asked;
	struct split_index index = { 0 };
	struct index_hits hits = { 0 };
	size_t count = unit_below(ITEMS_MOST), found = 0;
	number128 base = some_base();

	for (size_t i = 0; i < count; i++) {
		items[i] = some_interval(base);
		index_add(unit_pool(), &index, items[i], (uint32_t)i);
	}
	index_close(&index);
	asked = some_interval(base);
	index_find(unit_pool(), &index, asked, &hits);
	if (hits.values_count != 0)
		qsort(hits.values, hits.values_count, sizeof *hits.values, compare_values);
	for (size_t i = 0; i < count; i++) {
		if (items[i].low > asked.high || items[i].high < asked.low)
			continue;
		ck_assert_uint_lt(found, hits.values_count);
		ck_assert_uint_eq(hits.values[found++], i);
	}
	ck_assert_uint_eq(found, hits.values_count);
}
END_TEST

/* --- the order -------------------------------------------------------------------------- */

#define BOUND_MOST 5000

START_TEST(members_come_in_order)
{
	bool is_member[BOUND_MOST] = { false };
	uint32_t bound = 1 + unit_below(unit_below(2) == 0 ? 70 : BOUND_MOST - 1);
	struct order order = order_new(unit_pool(), bound);
	size_t count = 0;

	for (unsigned step = 0; step < 300; step++) {
		uint32_t member = unit_below(bound);

		if (is_member[member])
			order_remove(&order, member);
		else
			order_add(&order, member);
		is_member[member] = !is_member[member];
	}
	for (uint32_t from = bound, next = ORDER_END; from-- > 0;) {
		next = is_member[from] ? from : next;
		count += is_member[from];
		ck_assert_uint_eq(order_next(&order, from), next);
	}
	ck_assert_uint_eq(order.count, count);
}
END_TEST

/* --- points ----------------------------------------------------------------------------- */

/* Each point begins a cell, and so does the first value. */
START_TEST(cells_reach_from_point_to_point)
{
	number128 base = some_base(), points[SPAN], low = base, high;
	size_t count = 0;
	struct interval asked = some_interval(base), around;

	for (unsigned i = 1; i < SPAN; i++)
		if (unit_below(5) == 0)
			points[count++] = base + i;
	high = base + SPAN - 1;
	around = points_around(points, count, asked, high);
	for (size_t i = 0; i < count; i++) {
		if (points[i] <= asked.low)
			low = points[i];
		if (points[i] > asked.high && points[i] - 1 < high)
			high = points[i] - 1;
	}
	ck_assert(around.low == (low == base ? 0 : low));
	ck_assert(around.high == high);
}
END_TEST

/* --- costs ------------------------------------------------------------------------------ */

struct blend {
	unsigned nanoseconds;
	double plain, guarded; /* what was measured, on either kind of machine */
};

static const struct blend parts[] = {
#define BLEND(nanoseconds, plain, guarded) { nanoseconds, plain, guarded }
#define COST(name, nanoseconds, plain, guarded, what) BLEND(nanoseconds, plain, guarded),
#define LOOKUP(name, at_10, at_1000, at_100000, what)
#include "optimise/costs.def"
#undef COST
#undef LOOKUP
};

static const struct blend lookups[][3] = {
#define COST(name, nanoseconds, plain, guarded, what)
#define LOOKUP(name, at_10, at_1000, at_100000, what) { at_10, at_1000, at_100000 },
#include "optimise/costs.def"
#undef BLEND
#undef COST
#undef LOOKUP
};

static void check_blend(const struct blend *blend)
{
	double square = blend->plain * blend->guarded, up = blend->nanoseconds, down = up - 1;

	ck_assert_msg(down * down < square && square <= up * up, "%u is not between %g and %g",
		      blend->nanoseconds, blend->plain, blend->guarded);
}

/* And no lookup gets cheaper by more elements: what lies between is reckoned without a sign. */
START_TEST(costs_are_the_mean_of_both_kinds_of_machine)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		check_blend(&parts[i]);
	for (size_t i = 0; i < sizeof lookups / sizeof lookups[0]; i++)
		for (size_t size = 0; size < 3; size++) {
			check_blend(&lookups[i][size]);
			ck_assert(size == 0 || lookups[i][size - 1].nanoseconds <= lookups[i][size].nanoseconds);
		}
}
END_TEST

static Suite *split_suite(void)
{
	Suite *suite = suite_create("split");
	TCase *test_case = unit_case(suite, "laws");

	unit_add_law(test_case, every_interval_that_meets_is_found, 400);
	unit_add_law(test_case, members_come_in_order, 100);
	unit_add_law(test_case, cells_reach_from_point_to_point, 400);
	tcase_add_test(test_case, costs_are_the_mean_of_both_kinds_of_machine);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { split_suite, NULL };

	return unit_run(suites);
}
