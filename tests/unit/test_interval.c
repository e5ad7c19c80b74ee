/* Interval sets against bit masks: a universe of 64 numbers at the bottom, in the middle
 * and at the very top of the number type. */
#include <string.h>

#include "base/pool.h"
#include "net/interval.h"
#include "unit.h"

Suite *interval_suite(void);

static const number128 top = ~(number128)0;

static number128 universe_base(unsigned which)
{
	const number128 bases[] = { 0, ((number128)1 << 64) - 32, top - 63 };
	return bases[which % 3];
}

/* A set and the mask of the numbers in it. */
struct model {
	struct interval_set set;
	uint64_t mask;
};

static uint64_t mask_of(unsigned low, unsigned high)
{
	return (UINT64_MAX >> (63 - (high - low))) << low;
}

static struct model random_model(number128 base)
{
	struct model model = { 0 };
	unsigned count = unit_below(7);
	for (unsigned i = 0; i < count; i++) {
		unsigned low = unit_below(64);
		unsigned high = low + unit_below(unit_below(4) == 0 ? 64 - low : 1);
		interval_set_add(unit_pool(), &model.set, base + low, base + high);
		model.mask |= mask_of(low, high);
	}
	interval_set_normalise(&model.set);
	return model;
}

static uint64_t mask_of_set(const struct interval_set *set, number128 base)
{
	uint64_t mask = 0;
	for (unsigned bit = 0; bit < 64; bit++)
		if (interval_set_contains(set, base + bit))
			mask |= (uint64_t)1 << bit;
	return mask;
}

static void check_normal(const struct interval_set *set)
{
	for (size_t i = 0; i < set->items_count; i++) {
		ck_assert(set->items[i].low <= set->items[i].high);
		if (i > 0) /* a gap of at least one number */
			ck_assert(set->items[i].low > set->items[i - 1].high &&
				  set->items[i].low - set->items[i - 1].high > 1);
	}
}

static void check_set(const struct interval_set *set, number128 base, uint64_t mask)
{
	check_normal(set);
	ck_assert_uint_eq(mask_of_set(set, base), mask);
}

static void check_pair(number128 base)
{
	struct model a = random_model(base), b = random_model(base);
	if (unit_below(4) == 0)
		b = a; /* equal ones, which hardly ever come up by themselves */
	struct interval_set either = interval_set_union(unit_pool(), &a.set, &b.set);
	struct interval_set both = interval_set_intersect(unit_pool(), &a.set, &b.set);
	struct interval_set rest = interval_set_subtract(unit_pool(), &a.set, &b.set);
	check_set(&a.set, base, a.mask);
	check_set(&either, base, a.mask | b.mask);
	check_set(&both, base, a.mask & b.mask);
	check_set(&rest, base, a.mask & ~b.mask);
	ck_assert_int_eq(interval_set_is_empty(&both), (a.mask & b.mask) == 0);
	ck_assert_int_eq(interval_set_overlaps(&a.set, &b.set), (a.mask & b.mask) != 0);
	ck_assert_int_eq(interval_set_includes(&a.set, &b.set), (b.mask & ~a.mask) == 0);
	ck_assert_int_eq(interval_set_equals(&a.set, &b.set), a.mask == b.mask);
	struct interval_set whole = interval_set_union(unit_pool(), &rest, &both);
	ck_assert(interval_set_equals(&whole, &a.set));
	ck_assert_uint_eq(interval_set_hash(&whole), interval_set_hash(&a.set));
}

START_TEST(algebra_agrees_with_bit_masks)
{
	for (unsigned round = 0; round < 6000; round++)
		check_pair(universe_base(round));
}
END_TEST

START_TEST(the_whole_universe_is_one_interval)
{
	struct interval_set set = { 0 }, none = { 0 };
	interval_set_add(unit_pool(), &set, (number128)1 << 127, top);
	interval_set_add(unit_pool(), &set, 0, ((number128)1 << 127) - 1);
	interval_set_add(unit_pool(), &set, 5, 5);
	interval_set_normalise(&set);
	ck_assert_uint_eq(set.items_count, 1);
	ck_assert(set.items[0].low == 0 && set.items[0].high == top);
	struct interval_set rest = interval_set_subtract(unit_pool(), &set, &set);
	ck_assert(interval_set_is_empty(&rest) && interval_set_equals(&rest, &none));
	ck_assert(interval_set_includes(&none, &none) && !interval_set_overlaps(&none, &set));
}
END_TEST

START_TEST(a_million_intervals_are_sorted_and_searched)
{
	const unsigned count = 1000000;
	struct interval_set set = { 0 }, one = { 0 };
	for (unsigned i = 0; i < count; i++) {
		/* a permutation of the multiples of three: no two touch */
		number128 low = (number128)((uint64_t)i * 7919 % count) * 3;
		interval_set_add(unit_pool(), &set, low, low);
	}
	interval_set_normalise(&set);
	ck_assert_uint_eq(set.items_count, count);
	check_normal(&set);
	interval_set_normalise(&set);
	ck_assert_uint_eq(set.items_count, count);
	interval_set_add(unit_pool(), &one, 2999997, 2999997);
	unsigned wrong = 0; /* one assertion a number would take longer than the search */
	for (unsigned i = 0; i < 100000; i++) {
		wrong += !interval_set_contains(&set, (number128)i * 3);
		wrong += interval_set_contains(&set, (number128)i * 3 + 1);
		wrong += !interval_set_includes(&set, &one);
		wrong += !interval_set_overlaps(&one, &set);
	}
	ck_assert_uint_eq(wrong, 0);
	struct interval_set common = interval_set_intersect(unit_pool(), &set, &one);
	ck_assert(interval_set_equals(&common, &one));
}
END_TEST

START_TEST(the_hash_is_the_same_on_every_machine)
{
	struct interval_set set = { 0 };
	uint64_t empty = interval_set_hash(&set);
	interval_set_add(unit_pool(), &set, 80, 80);
	interval_set_add(unit_pool(), &set, top - 1, top);
	ck_assert_uint_eq(empty, 0xe220a8397b1dcdafu);
	ck_assert_uint_eq(interval_set_hash(&set), 0x3d6b1ab20a919099u);
}
END_TEST

Suite *interval_suite(void)
{
	Suite *suite = suite_create("interval");
	TCase *test_case = unit_case(suite, "interval");
	tcase_add_test(test_case, algebra_agrees_with_bit_masks);
	tcase_add_test(test_case, the_whole_universe_is_one_interval);
	tcase_add_test(test_case, a_million_intervals_are_sorted_and_searched);
	tcase_add_test(test_case, the_hash_is_the_same_on_every_machine);
	return suite;
}
