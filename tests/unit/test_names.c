/* Name tables and suggestions. */
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "unit.h"

Suite *names_suite(void);

static char value_a, value_b;

static void *set(struct names *names, const char *key, void *value)
{
	return names_set(names, key, strlen(key), value);
}

static void *find(const struct names *names, const char *key)
{
	return names_find(names, key, strlen(key));
}

static const char *nearest(const struct names *names, const char *key)
{
	return names_nearest(names, key, strlen(key));
}

START_TEST(what_is_stored_is_found)
{
	struct names *names = names_new(unit_pool(), false);
	ck_assert_ptr_null(find(names, "http"));
	ck_assert_ptr_null(set(names, "http", &value_a));
	ck_assert_ptr_null(set(names, "HTTP", &value_b));
	ck_assert_ptr_eq(find(names, "http"), &value_a);
	ck_assert_ptr_eq(find(names, "HTTP"), &value_b);
	ck_assert_ptr_null(find(names, "Http"));
	ck_assert_ptr_eq(set(names, "http", &value_b), &value_a);
	ck_assert_uint_eq(names_count(names), 2);
	ck_assert_str_eq(names_key(names, 0), "http");
	ck_assert_ptr_eq(names_value(names, 0), &value_b);
}
END_TEST

START_TEST(folding_ignores_case_and_keeps_the_first_spelling)
{
	struct names *names = names_new(unit_pool(), true);
	set(names, "Http", &value_a);
	ck_assert_ptr_eq(set(names, "hTTP", &value_b), &value_a);
	ck_assert_uint_eq(names_count(names), 1);
	ck_assert_str_eq(names_key(names, 0), "Http");
	ck_assert_ptr_eq(names_find(names, "httpx", 4), &value_b);
}
END_TEST

START_TEST(many_names_keep_their_order)
{
	struct names *names = names_new(unit_pool(), true);
	for (uintptr_t i = 1; i <= 20000; i++) {
		const char *key = pool_format(unit_pool(), "name-%lu", (unsigned long)(i * 7919));
		ck_assert_ptr_null(set(names, key, (void *)i));
	}
	for (uintptr_t i = 1; i <= 20000; i++) {
		const char *key = pool_format(unit_pool(), "NAME-%lu", (unsigned long)(i * 7919));
		ck_assert_ptr_eq(find(names, key), (void *)i);
		ck_assert_ptr_eq(names_value(names, i - 1), (void *)i);
	}
}
END_TEST

START_TEST(keys_may_hold_any_byte)
{
	struct names *names = names_new(unit_pool(), true);
	names_set(names, "a\0b", 3, &value_a);
	names_set(names, "", 0, &value_b);
	ck_assert_ptr_null(names_find(names, "a\0c", 3));
	ck_assert_ptr_eq(names_find(names, "A\0B", 3), &value_a);
	ck_assert_ptr_eq(names_find(names, NULL, 0), &value_b);
}
END_TEST

START_TEST(the_nearest_name_is_suggested)
{
	struct names *names = names_new(unit_pool(), true);
	const char *const known[] = { "http", "https", "kerberos", "ldap", "domain-controller" };
	for (size_t i = 0; i < 5; i++)
		set(names, known[i], &value_a);
	ck_assert_str_eq(nearest(names, "kerbros"), "kerberos");
	ck_assert_str_eq(nearest(names, "Kreberos"), "kerberos");
	ck_assert_str_eq(nearest(names, "htpp"), "http");
	ck_assert_str_eq(nearest(names, "domain-contoller"), "domain-controller");
	ck_assert_ptr_null(nearest(names, "zz"));
	ck_assert_ptr_null(nearest(names, "nothing-like-it"));
	char long_key[1000];
	memset(long_key, 'a', sizeof long_key);
	ck_assert_ptr_null(names_nearest(names, long_key, sizeof long_key));
}
END_TEST

/* The same distance by its definition, without any bound. */
static unsigned plain_distance(const char *a, const char *b)
{
	unsigned table[16][16];
	size_t rows = strlen(a), columns = strlen(b);
	for (unsigned i = 0; i <= rows; i++)
		for (unsigned j = 0; j <= columns; j++) {
			if (i == 0 || j == 0) {
				table[i][j] = i + j;
				continue;
			}
			unsigned best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (table[i - 1][j] + 1 < best)
				best = table[i - 1][j] + 1;
			if (table[i][j - 1] + 1 < best)
				best = table[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    table[i - 2][j - 2] + 1 < best)
				best = table[i - 2][j - 2] + 1;
			table[i][j] = best;
		}
	return table[rows][columns];
}

static char *random_word(void)
{
	size_t length = unit_below(12);
	char *word = pool_array(unit_pool(), char, length + 1);
	for (size_t i = 0; i < length; i++)
		word[i] = (char)('a' + unit_below(3));
	return word;
}

static const char *plain_nearest(const struct names *names, const char *key)
{
	const char *best = NULL;
	unsigned bound = (unsigned)strlen(key) / 3;
	for (size_t i = 0; i < names_count(names); i++) {
		unsigned found = plain_distance(key, names_key(names, i));
		if (found > bound || (best != NULL && found >= plain_distance(key, best)))
			continue;
		best = names_key(names, i);
	}
	return best;
}

START_TEST(the_bounded_search_finds_what_the_plain_one_finds)
{
	for (unsigned round = 0; round < 300; round++) {
		struct names *names = names_new(unit_pool(), false);
		for (unsigned i = 0; i < 12; i++)
			set(names, random_word(), &value_a);
		const char *key = random_word();
		const char *expected = plain_nearest(names, key), *found = nearest(names, key);
		ck_assert_msg(expected == found, "'%s': '%s' instead of '%s'", key,
			      found ? found : "-", expected ? expected : "-");
	}
}
END_TEST

Suite *names_suite(void)
{
	Suite *suite = suite_create("names");
	TCase *test_case = unit_case(suite, "names");
	tcase_add_test(test_case, what_is_stored_is_found);
	tcase_add_test(test_case, folding_ignores_case_and_keeps_the_first_spelling);
	tcase_add_test(test_case, many_names_keep_their_order);
	tcase_add_test(test_case, keys_may_hold_any_byte);
	tcase_add_test(test_case, the_nearest_name_is_suggested);
	tcase_add_test(test_case, the_bounded_search_finds_what_the_plain_one_finds);
	return suite;
}
