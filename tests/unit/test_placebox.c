/* Interface sets and place boxes against brute force: a small world of interfaces and addresses
 * in which every point can be asked. */
#include "base/pool.h"
#include "net/placebox.h"
#include "unit.h"

static const char *const interface_names[] = { "eth0", "eth1", "eth2", "wg0" };
#define NAMED 4
#define POINTS_V4 12 /* addresses 0..11 */
#define POINTS_V6 6
#define POINTS ((NAMED + 1) * (POINTS_V4 + POINTS_V6)) /* one unnamed interface */

static struct interface_set random_interfaces(void *pool)
{
	struct interface_set set = { .is_complement = unit_below(4) == 0 };
	set.names = pool_array(pool, const char *, NAMED);
	for (unsigned i = 0; i < NAMED; i++)
		if (unit_below(2) == 0)
			set.names[set.names_count++] = interface_names[i];
	return set;
}

static struct address_set random_addresses(void *pool)
{
	struct address_set set = { 0 };
	for (unsigned i = unit_below(3); i > 0; i--) {
		unsigned low = unit_below(POINTS_V4);
		address_set_add_range(pool, &set, FAMILY_IPV4, low,
				      low + unit_below(POINTS_V4 - low));
	}
	if (unit_below(2) == 0) {
		unsigned low = unit_below(POINTS_V6);
		address_set_add_range(pool, &set, FAMILY_IPV6, low,
				      low + unit_below(POINTS_V6 - low));
	}
	address_set_normalise(&set);
	return set;
}

/* Not in normal form: boxes may overlap and be empty. */
static struct place_boxes random_boxes(void *pool)
{
	struct place_boxes boxes = { 0 };
	for (unsigned i = unit_below(4); i > 0; i--)
		*pool_append(pool, &boxes, boxes) =
			(struct place_box){ random_interfaces(pool), random_addresses(pool) };
	return boxes;
}

static bool has_point(const struct place_boxes *boxes, unsigned point)
{
	unsigned interface = point / (POINTS_V4 + POINTS_V6);
	unsigned value = point % (POINTS_V4 + POINTS_V6);
	const char *name = interface < NAMED ? interface_names[interface] : "unnamed";
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		bool has_address =
			value < POINTS_V4
				? interval_set_contains(&box->addresses.v4, value)
				: interval_set_contains(&box->addresses.v6, value - POINTS_V4);
		if (has_address && interface_set_contains(&box->interfaces, name))
			return true;
	}
	return false;
}

static void assert_normal(void *pool, const struct place_boxes *boxes)
{
	struct place_boxes none = { 0 };
	struct place_boxes again = place_boxes_union(pool, boxes, &none);
	ck_assert_uint_eq(again.boxes_count, boxes->boxes_count);
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		ck_assert(!interface_set_is_empty(&box->interfaces));
		ck_assert(!address_set_is_empty(&box->addresses));
		ck_assert(interface_set_equals(&box->interfaces, &again.boxes[i].interfaces));
		ck_assert(address_set_equals(&box->addresses, &again.boxes[i].addresses));
		for (size_t j = 0; j < i; j++) {
			struct interface_set common = interface_set_intersect(
				pool, &box->interfaces, &boxes->boxes[j].interfaces);
			ck_assert(interface_set_is_empty(&common));
		}
	}
}

START_TEST(operations_agree_with_brute_force)
{
	for (unsigned round = 0; round < 4000; round++) {
		void *pool = pool_child(unit_pool(), "round");
		struct place_boxes a = random_boxes(pool), b = random_boxes(pool);
		struct place_boxes common = place_boxes_intersect(pool, &a, &b);
		struct place_boxes rest = place_boxes_subtract(pool, &a, &b);
		struct place_boxes all = place_boxes_union(pool, &a, &b);
		bool is_same = true;
		for (unsigned point = 0; point < POINTS; point++) {
			bool in_a = has_point(&a, point), in_b = has_point(&b, point);
			ck_assert(has_point(&common, point) == (in_a && in_b));
			ck_assert(has_point(&rest, point) == (in_a && !in_b));
			ck_assert(has_point(&all, point) == (in_a || in_b));
			is_same = is_same && in_a == in_b;
		}
		ck_assert(place_boxes_equals(&a, &b) == is_same);
		assert_normal(pool, &common);
		assert_normal(pool, &rest);
		assert_normal(pool, &all);
		struct place_boxes parts[] = { common, rest, place_boxes_subtract(pool, &b, &a) };
		struct place_boxes many = place_boxes_union_all(pool, parts, 3);
		ck_assert(place_boxes_equals(&many, &all));
		assert_normal(pool, &many);
		talloc_free(pool);
	}
}
END_TEST

START_TEST(interface_sets_agree_with_brute_force)
{
	for (unsigned round = 0; round < 2000; round++) {
		void *pool = pool_child(unit_pool(), "round");
		struct interface_set a = random_interfaces(pool), b = random_interfaces(pool);
		struct interface_set common = interface_set_intersect(pool, &a, &b);
		struct interface_set rest = interface_set_subtract(pool, &a, &b);
		struct interface_set all = interface_set_union(pool, &a, &b);
		ck_assert(interface_sets_overlap(&a, &b) == !interface_set_is_empty(&common));
		ck_assert(interface_set_includes(&b, &a) == interface_set_is_empty(&rest));
		for (unsigned i = 0; i <= NAMED; i++) {
			const char *name = i < NAMED ? interface_names[i] : "unnamed";
			bool in_a = interface_set_contains(&a, name);
			bool in_b = interface_set_contains(&b, name);
			ck_assert(interface_set_contains(&common, name) == (in_a && in_b));
			ck_assert(interface_set_contains(&rest, name) == (in_a && !in_b));
			ck_assert(interface_set_contains(&all, name) == (in_a || in_b));
		}
		talloc_free(pool);
	}
}
END_TEST

START_TEST(everything_is_one_box)
{
	void *pool = unit_pool();
	struct place_boxes all = place_boxes_all(pool), none = { 0 };
	struct place_boxes rest = place_boxes_subtract(pool, &all, &all);
	ck_assert_uint_eq(all.boxes_count, 1);
	ck_assert_uint_eq(rest.boxes_count, 0);
	ck_assert(place_boxes_equals(&rest, &none));
	ck_assert(interface_set_is_all(&all.boxes[0].interfaces));
	ck_assert(address_set_is_all(&all.boxes[0].addresses));
}
END_TEST

static Suite *placebox_suite(void)
{
	Suite *suite = suite_create("placebox");
	TCase *laws = unit_case(suite, "laws");
	tcase_add_test(laws, operations_agree_with_brute_force);
	tcase_add_test(laws, interface_sets_agree_with_brute_force);
	tcase_add_test(laws, everything_is_one_box);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { placebox_suite, NULL };
	return unit_run(suites);
}
