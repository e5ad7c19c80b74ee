/* Memory, text and files. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/radix.h"
#include "base/sha256.h"
#include "base/text.h"
#include "unit.h"

Suite *names_suite(void);

struct list {
	int *values;
	size_t values_count, values_capacity;
};

START_TEST(memory_is_zeroed_and_grows)
{
	void *pool = pool_child(unit_pool(), "test");
	struct list list = { 0 };
	for (int i = 0; i < 10000; i++)
		*pool_append(pool, &list, values) = i;
	ck_assert_uint_ge(list.values_capacity, 10000);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(list.values[i], i);
	ck_assert_int_eq(*pool_append(pool, &list, values), 0);
	size_t capacity = 0;
	const int *grown = pool_grow(pool, NULL, &capacity, 100, sizeof *grown);
	for (size_t i = 0; i < capacity; i++)
		ck_assert_int_eq(grown[i], 0);
	const long *numbers = pool_array(pool, long, 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers[i], 0);
}
END_TEST

START_TEST(growth_stays_when_there_is_room)
{
	size_t capacity = 0;
	int *array = pool_grow(unit_pool(), NULL, &capacity, 3, sizeof *array);
	size_t before = capacity;
	ck_assert_ptr_eq(pool_grow(unit_pool(), array, &capacity, before, sizeof *array), array);
	ck_assert_uint_eq(capacity, before);
}
END_TEST

START_TEST(strings_are_copied)
{
	ck_assert_str_eq(pool_strdup(unit_pool(), "abc"), "abc");
	ck_assert_str_eq(pool_strndup(unit_pool(), "abcdef", 3), "abc");
	ck_assert_str_eq(pool_strndup(unit_pool(), NULL, 0), "");
	ck_assert_int_eq(memcmp(pool_strndup(unit_pool(), "a\0b", 3), "a\0b", 4), 0);
	ck_assert_str_eq(pool_format(unit_pool(), "%d-%s", 7, "x"), "7-x");
}
END_TEST

/* Not a constant: a compiler that sees through the calls would warn of it. */
static volatile size_t too_much = SIZE_MAX;

/* Requests that cannot be met, one a number; each must jump. */
static void ask_too_much(int which)
{
	void *child = pool_child(pool_child(unit_pool(), "outer"), "inner");
	size_t capacity = 8;
	switch (which) {
	case 0:
		pool_bytes(child, too_much);
		break;
	case 1:
		pool_array_bytes(child, SIZE_MAX / 2, 3);
		break;
	case 2:
		pool_grow(child, pool_bytes(child, 64), &capacity, SIZE_MAX / 4, 8);
		break;
	case 3:
		pool_strndup(child, "x", too_much);
		break;
	case 4:
		pool_bytes(child, (size_t)1 << 28); /* more than one chunk may hold */
		break;
	}
}

START_TEST(out_of_memory_jumps_to_the_session)
{
	struct pool_trap *trap = unit_pool();
	if (setjmp(trap->jump) == 0) {
		ask_too_much(_i);
		ck_abort_msg("the request was met");
	}
	ck_assert_uint_ge(trap->wanted, (size_t)1 << 28);
}
END_TEST

START_TEST(without_an_armed_trap_it_aborts)
{
	pool_bytes(pool_child(unit_pool(), "test"), too_much);
}
END_TEST

START_TEST(without_a_session_it_aborts)
{
	pool_bytes(talloc_new(NULL), too_much);
}
END_TEST

START_TEST(text_grows_and_ends_with_nul)
{
	struct text *text = text_new(unit_pool());
	ck_assert_str_eq(text->bytes, "");
	for (unsigned i = 0; i < 5000; i++) {
		text_add(text, "ab");
		text_add_char(text, 'c');
		ck_assert_int_eq(text->bytes[text->length], 0);
	}
	ck_assert_uint_eq(text->length, 15000);
	ck_assert_str_eq(text->bytes + 14997, "abc");
}
END_TEST

START_TEST(text_takes_formats_of_any_length)
{
	struct text *text = text_new(unit_pool());
	struct text *expected = text_new(unit_pool());
	for (int width = 0; width < 300; width++) {
		text_addf(text, "%*d|", width, width);
		const char *piece = pool_format(unit_pool(), "%*d|", width, width);
		text_add(expected, piece);
	}
	ck_assert_str_eq(text->bytes, expected->bytes);
	ck_assert_uint_eq(text->length, strlen(text->bytes));
}
END_TEST

static void take_text(void *context, const char *bytes, size_t length)
{
	text_add_bytes(context, bytes, length);
}

START_TEST(text_lets_go_in_order)
{
	struct text *all = text_new(unit_pool()), *text = text_new(unit_pool());
	size_t most = 0, times = 0;
	text->sink = (struct text_sink){ take_text, all };
	for (unsigned i = 0; i < 100000; i++) {
		times += text_let_go(text);
		ck_assert_int_eq(text->bytes[text->length], 0);
		text_add_unsigned(text, i);
		most = text->length > most ? text->length : most;
	}
	text_let_all_go(text);
	ck_assert_uint_ge(times, 5);
	ck_assert_uint_le(most, all->length / 5);
	ck_assert_uint_eq(text->length, 0);
	struct text *expected = text_new(unit_pool());
	for (unsigned i = 0; i < 100000; i++) {
		text_add_unsigned(expected, i);
		ck_assert(!text_let_go(expected)); /* it has no sink */
	}
	ck_assert_str_eq(all->bytes, expected->bytes);
}
END_TEST

START_TEST(text_writes_numbers)
{
	struct text *text = text_new(unit_pool());
	text_add_unsigned(text, 0);
	text_add_char(text, ' ');
	text_add_unsigned(text, 65535);
	text_add_char(text, ' ');
	text_add_unsigned(text, UINT64_MAX);
	ck_assert_str_eq(text->bytes, "0 65535 18446744073709551615");
}
END_TEST

/* NIST, "Examples with intermediate values", SHA256.pdf, and the empty message. */
START_TEST(sha256_is_that_of_the_standard)
{
	static const struct {
		const char *message, *digits;
	} examples[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
		char found[SHA256_DIGITS + 1];
		sha256_digits_of(examples[i].message, strlen(examples[i].message), found);
		ck_assert_str_eq(found, examples[i].digits);
	}
}
END_TEST

START_TEST(sha256_of_pieces_is_that_of_the_whole)
{
	uint8_t bytes[700];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)unit_below(256);
	for (size_t length = 0; length <= sizeof bytes; length++) {
		char found[SHA256_DIGITS + 1], wanted[SHA256_DIGITS + 1];
		struct sha256 hash;
		sha256_begin(&hash);
		for (size_t at = 0, part; at < length; at += part) {
			part = 1 + unit_below(200);
			part = part < length - at ? part : length - at;
			sha256_add(&hash, bytes + at, part);
		}
		sha256_end_digits(&hash, found);
		sha256_digits_of(bytes, length, wanted);
		ck_assert_str_eq(found, wanted);
	}
}
END_TEST

START_TEST(text_holds_nul_bytes)
{
	struct text *text = text_new(unit_pool());
	text_add_bytes(text, "a\0b", 3);
	text_add_bytes(text, NULL, 0);
	ck_assert_uint_eq(text->length, 3);
	ck_assert_int_eq(memcmp(text->bytes, "a\0b", 4), 0);
}
END_TEST

START_TEST(numbers_are_ordered_by_their_digits)
{
	uint64_t numbers[3000], seed = 88172645463325252u;
	for (size_t i = 0; i < 3000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		numbers[i] = i % 3 == 0 ? seed % 50 : i % 3 == 1 ? seed % 100000 << 40 : seed;
	}
	const uint32_t *order = radix_order(unit_pool(), numbers, 3000);
	bool is_there[3000] = { false };
	for (size_t i = 0; i < 3000; i++) {
		ck_assert(!is_there[order[i]]);
		is_there[order[i]] = true;
		if (i == 0)
			continue;
		ck_assert_uint_le(numbers[order[i - 1]], numbers[order[i]]);
		ck_assert(numbers[order[i - 1]] != numbers[order[i]] || order[i - 1] < order[i]);
	}
	ck_assert_uint_eq(radix_order(unit_pool(), numbers, 1)[0], 0);
}
END_TEST

static Suite *radix_suite(void)
{
	Suite *suite = suite_create("radix");
	TCase *test_case = unit_case(suite, "radix");
	tcase_add_test(test_case, numbers_are_ordered_by_their_digits);
	return suite;
}

/* What is expected of the length, for 5,000 bytes. */
static const size_t expected_lengths[] = { 0, 1, 4999, 5000, 5001, 100000 };

START_TEST(a_file_is_read_to_its_end)
{
	FILE *file = tmpfile();
	char written[5000], *bytes = NULL;
	size_t length = 0;
	for (size_t i = 0; i < sizeof written; i++)
		written[i] = (char)(i * 7 % 251);
	ck_assert_int_eq(file_write(fileno(file), written, sizeof written), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	ck_assert_int_eq(file_read_end(unit_pool(), fileno(file), expected_lengths[_i], 5000, &bytes, &length), 0);
	ck_assert_uint_eq(length, sizeof written);
	ck_assert_int_eq(memcmp(bytes, written, sizeof written), 0);
	ck_assert_int_eq(bytes[length], '\0');
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	bytes = NULL;
	ck_assert_int_eq(file_read_end(unit_pool(), fileno(file), expected_lengths[_i], 4999, &bytes, &length),
			 EFBIG);
	ck_assert_ptr_null(bytes);
	(void)fclose(file);
	ck_assert_int_eq(file_read_end(unit_pool(), -1, 0, 5000, &bytes, &length), EBADF);
}
END_TEST

static Suite *file_suite(void)
{
	Suite *suite = suite_create("file");
	TCase *test_case = unit_case(suite, "file");
	tcase_add_loop_test(test_case, a_file_is_read_to_its_end, 0,
			    sizeof expected_lengths / sizeof expected_lengths[0]);
	return suite;
}

static Suite *pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *test_case = unit_case(suite, "pool");
	tcase_add_test(test_case, memory_is_zeroed_and_grows);
	tcase_add_test(test_case, growth_stays_when_there_is_room);
	tcase_add_test(test_case, strings_are_copied);
	tcase_add_loop_test(test_case, out_of_memory_jumps_to_the_session, 0, 5);
	tcase_add_test_raise_signal(test_case, without_an_armed_trap_it_aborts, SIGABRT);
	tcase_add_test_raise_signal(test_case, without_a_session_it_aborts, SIGABRT);
	return suite;
}

static Suite *text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *test_case = unit_case(suite, "text");
	tcase_add_test(test_case, text_grows_and_ends_with_nul);
	tcase_add_test(test_case, text_takes_formats_of_any_length);
	tcase_add_test(test_case, text_lets_go_in_order);
	tcase_add_test(test_case, text_writes_numbers);
	tcase_add_test(test_case, text_holds_nul_bytes);
	tcase_add_test(test_case, sha256_is_that_of_the_standard);
	tcase_add_test(test_case, sha256_of_pieces_is_that_of_the_whole);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { pool_suite, file_suite, radix_suite,
						  text_suite, names_suite, NULL };
	return unit_run(suites);
}
