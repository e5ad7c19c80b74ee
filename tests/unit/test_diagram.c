/* Many diagrams put together at once, against the same two by two. */
#include "analyse/diagram_all.h"
#include "unit.h"

#define EDGES_MAX 1000000
#define FIELDS 4
#define VALUES 24
#define ITEMS_MOST 40

/* Odd leaves end a list; even ones are sets of bits that go with what comes behind them. */
static uint32_t join_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a % 2 != 0 ? a : a | b;
}

static bool join_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	*result = a == diagram_leaf(0) ? b : a;
	return a == diagram_leaf(0) || b == diagram_leaf(0) ||
	       (diagram_is_leaf(a) && diagram_number(a) % 2 != 0);
}

static bool join_is_last(void *context, diagram leaf)
{
	(void)context;
	return diagram_number(leaf) % 2 != 0;
}

static const struct diagram_operation join = { .leaves = join_leaves, .early = join_early };
static const struct diagram_joining joining = { &join, join_is_last };

/* gaps: of so many pieces one is more than nothing. */
static diagram random_diagram(struct diagrams *diagrams, uint32_t field, unsigned gaps)
{
	size_t base;
	number128 high = 0;
	while (field < FIELDS && unit_below(3) == 0)
		field++;
	if (field == FIELDS)
		return diagram_leaf(unit_below(8));
	base = diagram_row_begin(diagrams);
	while (high < VALUES) {
		bool is_gap = unit_below(gaps) != 0;
		diagram child = is_gap ? diagram_leaf(0) : random_diagram(diagrams, field + 1, gaps);
		high += unit_below(VALUES / 3) + 1;
		diagram_row_add(diagrams, base, high, child);
	}
	diagram_row_add(diagrams, base, DIAGRAM_HIGHEST, diagram_leaf(unit_below(2)));
	return diagram_row_end(diagrams, base, field);
}

static diagram two_by_two(struct diagrams *diagrams, const diagram *items, size_t count)
{
	diagram made = diagram_leaf(0);
	while (count-- > 0)
		made = diagram_apply(diagrams, &join, items[count], made);
	return made;
}

START_TEST(all_at_once_are_the_same_as_two_by_two)
{
	struct diagrams *diagrams = diagrams_new(unit_pool(), EDGES_MAX);
	diagram items[ITEMS_MOST];
	size_t count = unit_below(ITEMS_MOST + 1);
	unsigned gaps = 1 + unit_below(6);
	for (size_t i = 0; i < count; i++)
		items[i] = random_diagram(diagrams, unit_below(FIELDS), gaps);
	diagram made = diagram_all(unit_pool(), diagrams, &joining, items, count);
	ck_assert_uint_eq(made, two_by_two(diagrams, items, count));
	ck_assert(!diagrams_are_over(diagrams));
}
END_TEST

START_TEST(past_the_budget_there_is_no_diagram)
{
	struct diagrams *diagrams = diagrams_new(unit_pool(), ITEMS_MOST * 3);
	diagram items[ITEMS_MOST];
	for (size_t i = 0; i < ITEMS_MOST; i++) {
		struct interval value = { 2 * i, 2 * i };
		const struct interval_set values = { &value, 1, 1 };
		items[i] = diagram_choose(diagrams, 0, &values, diagram_leaf(2 * (uint32_t)i + 1), diagram_leaf(0));
	}
	ck_assert(!diagrams_are_over(diagrams));
	ck_assert_uint_eq(diagram_all(unit_pool(), diagrams, &joining, items, ITEMS_MOST), DIAGRAM_OVER);
	ck_assert(diagrams_are_over(diagrams));
}
END_TEST

static Suite *diagram_suite(void)
{
	Suite *suite = suite_create("diagram");
	TCase *laws = unit_case(suite, "laws");

	unit_add_law(laws, all_at_once_are_the_same_as_two_by_two, 300);
	tcase_add_test(laws, past_the_budget_there_is_no_diagram);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ diagram_suite, NULL });
}
