/* Service tuples against membership of single points. */
#include <string.h>

#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"
#include "net/tuple.h"
#include "unit.h"

Suite *tuple_suite(void);

/* --- points ---------------------------------------------------------------------------- */

static const uint16_t protocols[] = { 1, 6, 17, 47, 58, 255 };
static const uint16_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 254, 255, 256, 65534, 65535 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Ports of ICMP end at 255: there are no points beyond. */
static unsigned highest(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6 ? 255 : 65535;
}

static bool has(const struct tuple_set *set, struct service_tuple point)
{
	for (size_t i = 0; i < set->tuples_count; i++)
		if (tuple_includes(&set->tuples[i], &point))
			return true;
	return false;
}

typedef bool (*expectation)(bool in_a, bool in_b);

static void check_points(const struct tuple_set *result, const struct tuple_set *a,
			 const struct tuple_set *b, uint16_t protocol, expectation expected)
{
	for (uint8_t family = FAMILIES_IPV4; family <= FAMILIES_IPV6; family++)
		for (size_t i = 0; i < COUNT(numbers); i++)
			for (size_t j = 0; j < COUNT(numbers); j++) {
				struct service_tuple point = {
					protocol, family, { numbers[i], numbers[i] },
					{ numbers[j], numbers[j] },
				};
				if (numbers[i] > highest(protocol) || numbers[j] > highest(protocol))
					continue;
				if (has(result, point) !=
				    expected(has(a, point), has(b, point)))
					ck_abort_msg("%u/%u %u %u", numbers[i], protocol,
						     numbers[j], family);
			}
}

/* --- random sets ------------------------------------------------------------------------- */

static struct port_range random_range(unsigned protocol)
{
	uint16_t top = (uint16_t)highest(protocol);
	uint16_t low = (uint16_t)unit_below(7), high = (uint16_t)(low + unit_below(7u - low));
	switch (unit_below(5)) {
	case 0:
		return (struct port_range){ 0, top };
	case 1:
		return (struct port_range){ low, top };
	case 2:
		return (struct port_range){ low, low };
	default:
		return (struct port_range){ low, high };
	}
}

static struct service_tuple random_tuple(void)
{
	uint16_t protocol = protocols[unit_below(COUNT(protocols))];
	struct service_tuple tuple = { .protocol = protocol,
				       .families = (uint8_t)(1 + unit_below(3)) };
	if (unit_below(12) == 0)
		tuple.protocol = PROTOCOL_ANY;
	bool is_partial = tuple.protocol != PROTOCOL_ANY && protocol != 47 && protocol != 255;
	struct port_range whole = { 0, (uint16_t)highest(tuple.protocol) };
	tuple.first = is_partial ? random_range(protocol) : whole;
	tuple.second = is_partial ? random_range(protocol) : whole;
	return tuple;
}

static struct tuple_set random_set(void)
{
	struct tuple_set set = { 0 };
	unsigned count = unit_below(9);
	for (unsigned i = 0; i < count; i++)
		tuple_set_add(unit_pool(), &set, random_tuple());
	return set;
}

/* --- laws ----------------------------------------------------------------------------------- */

static bool ranges_join(struct port_range a, struct port_range b)
{
	return (unsigned)a.high + 1 == b.low || (unsigned)b.high + 1 == a.low;
}

static bool same(struct port_range a, struct port_range b)
{
	return a.low == b.low && a.high == b.high;
}

/* True if the union of two disjoint tuples is a tuple. */
static bool can_join(const struct service_tuple *a, const struct service_tuple *b)
{
	if (a->protocol != b->protocol)
		return false;
	bool first = same(a->first, b->first), second = same(a->second, b->second);
	if (a->families != b->families)
		return first && second;
	return (first && ranges_join(a->second, b->second)) ||
	       (second && ranges_join(a->first, b->first));
}

static void check_normal(const struct tuple_set *set)
{
	for (size_t i = 0; i < set->tuples_count; i++)
		for (size_t j = 0; j < i; j++) {
			if (tuple_overlaps(&set->tuples[i], &set->tuples[j]) ||
			    can_join(&set->tuples[i], &set->tuples[j]))
				ck_abort_msg("tuples %zu and %zu are not apart", j, i);
		}
	for (size_t i = 1; i < set->tuples_count; i++)
		ck_assert_uint_ge(set->tuples[i].protocol, set->tuples[i - 1].protocol);
}

static void check_same_bytes(const struct tuple_set *a, const struct tuple_set *b)
{
	ck_assert(tuple_set_equals(a, b));
	ck_assert_uint_eq(a->tuples_count, b->tuples_count);
	if (a->tuples_count != 0)
		ck_assert_mem_eq(a->tuples, b->tuples, a->tuples_count * sizeof *a->tuples);
}

static bool in_either(bool in_a, bool in_b) { return in_a || in_b; }
static bool in_first_only(bool in_a, bool in_b) { return in_a && !in_b; }
static bool in_both(bool in_a, bool in_b) { return in_a && in_b; }

static struct tuple_set join(const struct tuple_set *a, const struct tuple_set *b)
{
	struct tuple_set all = { 0 };
	for (size_t i = b->tuples_count; i-- > 0;) /* backwards: the order must not matter */
		tuple_set_add(unit_pool(), &all, b->tuples[i]);
	for (size_t i = 0; i < a->tuples_count; i++)
		tuple_set_add(unit_pool(), &all, a->tuples[i]);
	return tuple_set_normalise(unit_pool(), &all);
}

START_TEST(operations_agree_with_points)
{
	for (unsigned round = 0; round < 400; round++) {
		struct tuple_set a = random_set(), b = random_set();
		struct tuple_set either = join(&a, &b);
		struct tuple_set rest = tuple_set_subtract(unit_pool(), &a, &b);
		struct tuple_set both = tuple_set_intersect(unit_pool(), &a, &b);
		check_normal(&either);
		check_normal(&rest);
		check_normal(&both);
		uint16_t protocol = protocols[round % COUNT(protocols)];
		check_points(&either, &a, &b, protocol, in_either);
		check_points(&rest, &a, &b, protocol, in_first_only);
		check_points(&both, &a, &b, protocol, in_both);
	}
}
END_TEST

START_TEST(equal_sets_are_equal_bytes)
{
	for (unsigned round = 0; round < 600; round++) {
		struct tuple_set a = random_set(), b = random_set();
		struct tuple_set normal = tuple_set_normalise(unit_pool(), &a);
		struct tuple_set twice = tuple_set_normalise(unit_pool(), &normal);
		check_same_bytes(&normal, &twice);
		struct tuple_set rest = tuple_set_subtract(unit_pool(), &a, &b);
		struct tuple_set both = tuple_set_intersect(unit_pool(), &a, &b);
		struct tuple_set again = join(&rest, &both);
		check_same_bytes(&normal, &again);
	}
}
END_TEST

static const struct service_tuple everything = {
	PROTOCOL_ANY, FAMILIES_BOTH, { 0, 65535 }, { 0, 65535 }
};

START_TEST(any_is_taken_apart_and_put_together)
{
	for (unsigned round = 0; round < 60; round++) {
		struct tuple_set any = { 0 }, some = random_set();
		tuple_set_add(unit_pool(), &any, everything);
		struct tuple_set rest = tuple_set_subtract(unit_pool(), &any, &some);
		struct tuple_set again = join(&rest, &some);
		check_same_bytes(&again, &any);
		struct tuple_set same_again = tuple_set_intersect(unit_pool(), &any, &some);
		struct tuple_set normal = tuple_set_normalise(unit_pool(), &some);
		check_same_bytes(&same_again, &normal);
	}
}
END_TEST

static const char *format(struct service_tuple tuple)
{
	struct text *out = text_new(unit_pool());
	tuple_format(out, &tuple);
	return out->bytes;
}

static const char *format_set(const struct tuple_set *set)
{
	struct text *out = text_new(unit_pool());
	for (size_t i = 0; i < set->tuples_count; i++) {
		text_add(out, i == 0 ? "" : ", ");
		tuple_format(out, &set->tuples[i]);
	}
	return out->bytes;
}

START_TEST(any_minus_web_is_all_other_protocols_and_the_rest_of_tcp)
{
	struct tuple_set any = { 0 }, web = { 0 };
	tuple_set_add(unit_pool(), &any, everything);
	tuple_set_add(unit_pool(), &web, (struct service_tuple){ 6, 3, { 80, 80 }, { 0, 65535 } });
	struct tuple_set rest = tuple_set_subtract(unit_pool(), &any, &web);
	ck_assert_uint_eq(rest.tuples_count, 257);
	ck_assert_str_eq(format(rest.tuples[6]), "0-79/tcp");
	ck_assert_str_eq(format(rest.tuples[7]), "81-65535/tcp");
	ck_assert_str_eq(format(rest.tuples[1]), "1/ip");
	ck_assert_str_eq(format(rest.tuples[48]), "47/ip");
}
END_TEST

START_TEST(a_family_may_lack_a_part)
{
	struct tuple_set icmp = { 0 }, ping = { 0 };
	tuple_set_add(unit_pool(), &icmp, (struct service_tuple){ 1, 3, { 0, 255 }, { 0, 255 } });
	tuple_set_add(unit_pool(), &ping, (struct service_tuple){ 1, 1, { 8, 8 }, { 0, 255 } });
	struct tuple_set rest = tuple_set_subtract(unit_pool(), &icmp, &ping);
	ck_assert_str_eq(format_set(&rest), "0-7/icmp, 9-255/icmp, 1/ip ipv6");
	struct tuple_set together = join(&ping, &icmp);
	ck_assert_str_eq(format_set(&together), "1/ip");
}
END_TEST

START_TEST(another_port_joins_what_it_makes_equal)
{
	struct tuple_set set = { 0 };
	tuple_set_add(unit_pool(), &set, (struct service_tuple){ 6, 3, { 80, 80 }, { 0, 1023 } });
	tuple_set_add(unit_pool(), &set, (struct service_tuple){ 6, 3, { 88, 88 }, { 1024, 65535 } });
	tuple_set_add(unit_pool(), &set, (struct service_tuple){ 17, 3, { 80, 80 }, { 53, 53 } });
	struct tuple_set changed = tuple_set_to_port(unit_pool(), &set, 443);
	ck_assert_str_eq(format_set(&changed), "443/tcp, 443/udp sport 53");
	changed = tuple_set_to_port(unit_pool(), &set, 0);
	ck_assert_str_eq(format_set(&changed), "80/tcp sport 0-1023, 88/tcp sport 1024-65535, 80/udp sport 53");
}
END_TEST

START_TEST(tuples_are_written_as_the_language_does)
{
	const struct port_range all = { 0, 65535 }, types = { 0, 255 };
	ck_assert_str_eq(format((struct service_tuple){ 6, 3, { 88, 88 }, all }), "88/tcp");
	ck_assert_str_eq(format((struct service_tuple){ 17, 3, { 27000, 27050 }, all }),
			 "27000-27050/udp");
	ck_assert_str_eq(format((struct service_tuple){ 17, 3, { 67, 67 }, { 68, 68 } }),
			 "67/udp sport 68");
	ck_assert_str_eq(format((struct service_tuple){ 6, 3, all, all }), "any/tcp");
	ck_assert_str_eq(format((struct service_tuple){ 6, 1, all, { 1, 2 } }),
			 "any/tcp sport 1-2 ipv4");
	ck_assert_str_eq(format((struct service_tuple){ 47, 3, all, all }), "47/ip");
	ck_assert_str_eq(format(everything), "any");
	ck_assert_str_eq(format((struct service_tuple){ 1, 1, { 8, 8 }, types }), "8/icmp");
	ck_assert_str_eq(format((struct service_tuple){ 1, 1, { 3, 3 }, { 4, 4 } }), "3:4/icmp");
	ck_assert_str_eq(format((struct service_tuple){ 1, 1, types, types }), "any/icmp");
	ck_assert_str_eq(format((struct service_tuple){ 58, 2, { 128, 128 }, types }), "128/icmp6");
	ck_assert_str_eq(format((struct service_tuple){ 1, 3, types, types }), "1/ip");
	ck_assert_str_eq(format((struct service_tuple){ 58, 3, types, types }), "58/ip");
}
END_TEST

START_TEST(every_second_port_is_quick)
{
	struct tuple_set set = { 0 }, holes = { 0 };
	for (unsigned i = 0; i < 32768; i++) {
		uint16_t port = (uint16_t)((i * 7919u % 32768u) * 2);
		struct service_tuple tuple = { 6, 3, { port, port }, { 0, 65535 } };
		tuple_set_add(unit_pool(), &set, tuple);
		tuple.first.low = tuple.first.high = (uint16_t)(port + 1);
		tuple_set_add(unit_pool(), &holes, tuple);
	}
	struct tuple_set normal = tuple_set_normalise(unit_pool(), &set);
	ck_assert_uint_eq(normal.tuples_count, 32768);
	struct tuple_set same_again = tuple_set_subtract(unit_pool(), &normal, &holes);
	check_same_bytes(&same_again, &normal);
	struct tuple_set whole = join(&set, &holes);
	ck_assert_str_eq(format_set(&whole), "any/tcp");
}
END_TEST

START_TEST(nested_ranges_are_quick)
{
	struct tuple_set set = { 0 };
	for (unsigned i = 0; i < 32768; i++)
		tuple_set_add(unit_pool(), &set,
			      (struct service_tuple){ 17, 3, { (uint16_t)i, (uint16_t)(65535 - i) },
						      { 0, 65535 } });
	struct tuple_set whole = tuple_set_normalise(unit_pool(), &set);
	ck_assert_str_eq(format_set(&whole), "any/udp");
}
END_TEST

Suite *tuple_suite(void)
{
	Suite *suite = suite_create("tuple");
	TCase *test_case = unit_case(suite, "tuple");
	tcase_add_test(test_case, operations_agree_with_points);
	tcase_add_test(test_case, equal_sets_are_equal_bytes);
	tcase_add_test(test_case, any_is_taken_apart_and_put_together);
	tcase_add_test(test_case, any_minus_web_is_all_other_protocols_and_the_rest_of_tcp);
	tcase_add_test(test_case, a_family_may_lack_a_part);
	tcase_add_test(test_case, another_port_joins_what_it_makes_equal);
	tcase_add_test(test_case, tuples_are_written_as_the_language_does);
	tcase_add_test(test_case, every_second_port_is_quick);
	tcase_add_test(test_case, nested_ranges_are_quick);
	return suite;
}
