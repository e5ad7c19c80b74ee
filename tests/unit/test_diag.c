/* Sources, the bag and the table of codes. */
#include <string.h>

#include "base/pool.h"
#include "diag/diag.h"
#include "unit.h"

Suite *print_suite(void);

static struct sources *sources_of(const char *text)
{
	struct sources *sources = sources_new(unit_pool());
	sources_add(sources, "policy.fw", text, strlen(text), 0);
	return sources;
}

static void check_position(struct sources *sources, uint32_t offset, unsigned line, unsigned column)
{
	struct position position = sources_position(sources, 0, offset);
	ck_assert_uint_eq(position.line, line);
	ck_assert_uint_eq(position.column, column);
}

START_TEST(lines_and_columns_count_characters)
{
	struct sources *sources = sources_of("ab\r\nc\xc3\xa9z\n\nlast");
	check_position(sources, 0, 1, 1);
	check_position(sources, 1, 1, 2);
	check_position(sources, 4, 2, 1);
	check_position(sources, 7, 2, 3); /* behind the two bytes of é */
	check_position(sources, 9, 3, 1);
	check_position(sources, 10, 4, 1);
	check_position(sources, 14, 4, 5);
	check_position(sources, 999, 4, 5);
	size_t length;
	ck_assert_int_eq(strncmp(sources_line(sources, 0, 1, &length), "ab\r", 3), 0);
	ck_assert_uint_eq(length, 2);
	sources_line(sources, 0, 3, &length);
	ck_assert_uint_eq(length, 0);
	ck_assert_str_eq(sources_line(sources, 0, 4, &length), "last");
	sources_line(sources, 0, 5, &length);
	ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(a_byte_order_mark_is_not_a_column)
{
	struct sources *sources = sources_of("\xef\xbb\xbf" "abc\nd");
	check_position(sources, 0, 1, 1);
	check_position(sources, 3, 1, 1);
	check_position(sources, 4, 1, 2);
	check_position(sources, 7, 2, 1);
	size_t length;
	ck_assert_int_eq(*sources_line(sources, 0, 1, &length), 'a');
	ck_assert_uint_eq(length, 3);
}
END_TEST

START_TEST(an_empty_source_has_one_line)
{
	struct sources *sources = sources_of("");
	size_t length = 1;
	check_position(sources, 0, 1, 1);
	sources_line(sources, 0, 1, &length);
	ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(spans_have_places_and_join)
{
	struct sources *sources = sources_of("a\nbc");
	uint32_t builtin = sources_add(sources, "profiles/web.fw", "x", 1, 1);
	struct span a = { 0, 0, 1 }, b = { 0, 2, 4 };
	ck_assert_str_eq(span_place(unit_pool(), sources, b), "policy.fw:2");
	ck_assert_str_eq(span_place(unit_pool(), sources, (struct span){ builtin, 0, 1 }),
			 "<built-in>/profiles/web.fw:1");
	ck_assert_str_eq(span_place(unit_pool(), sources, SPAN_NONE), "");
	struct span joined = span_join(a, b);
	ck_assert_uint_eq(joined.begin, 0);
	ck_assert_uint_eq(joined.end, 4);
	ck_assert_uint_eq(span_join(SPAN_NONE, b).begin, 2);
	ck_assert_uint_eq(span_join(a, SPAN_NONE).end, 1);
}
END_TEST

START_TEST(codes_are_sorted_and_have_pages)
{
	for (size_t i = 0; i < code_count(); i++) {
		const struct code_info *info = code_at(i);
		if (i > 0)
			ck_assert_uint_gt(info->code, code_at(i - 1)->code);
		ck_assert_ptr_eq(code_find((unsigned)info->code), info);
		ck_assert_uint_gt(strlen(info->title), 0);
		ck_assert_ptr_null(strchr(info->title, '\n'));
		ck_assert_msg(strlen(info->page) > 100, "%s has no page", info->name);
		ck_assert_msg(info->page[strlen(info->page) - 1] == '\n', "%s", info->name);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(info->name, code_at(j)->name);
	}
	ck_assert_ptr_null(code_find(0));
	ck_assert_ptr_null(code_find(9999));
}
END_TEST

START_TEST(lines_of_pages_fit_a_terminal)
{
	for (size_t i = 0; i < code_count(); i++) {
		const char *line = code_at(i)->page;
		while (*line != '\0') {
			size_t length = strcspn(line, "\n");
			ck_assert_msg(length <= 84, "%s: %.*s", code_at(i)->name, (int)length, line);
			line += length + (line[length] == '\n');
		}
	}
}
END_TEST

START_TEST(the_bag_counts_and_sorts)
{
	struct diags *diags = diags_new(unit_pool(), sources_of("0123456789"));
	ck_assert(!diags_has_errors(diags));
	diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE, "nowhere");
	diag_add(diags, CODE_SYNTAX, (struct span){ 0, 5, 6 }, "second");
	diag_add(diags, CODE_UNKNOWN_SERVICE, (struct span){ 0, 2, 3 }, "first, higher code");
	diag_add(diags, CODE_EXPIRED, (struct span){ 0, 5, 6 }, "third");
	struct diagnostic *noted = diag_add(diags, CODE_SYNTAX, (struct span){ 0, 2, 4 }, "'%s'", "x");
	diag_note(diags, noted, SPAN_NONE, "note %d", 1);
	diag_note(diags, noted, SPAN_NONE, "note %d", 2);
	diag_add(diags, CODE_SYNTAX, (struct span){ 0, 2, 3 }, "added later");
	diags_sort(diags);
	static const char *const order[] = { "'x'",    "added later", "first, higher code",
					     "second", "third",	      "nowhere" };
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(diags->items[i]->message, order[i]);
	ck_assert_str_eq(diags->items[0]->notes->message, "note 1");
	ck_assert_str_eq(diags->items[0]->notes->next->message, "note 2");
	ck_assert_uint_eq(diags->error_count, 5);
	ck_assert_uint_eq(diags->warning_count, 1);
	diag_expect(diags, diags->items[4]);
	diag_expect(diags, diags->items[4]);
	ck_assert_uint_eq(diags->warning_count, 0);
	ck_assert(diags_has_errors(diags));
}
END_TEST

START_TEST(a_full_bag_goes_on_counting)
{
	struct diags *diags = diags_new(unit_pool(), sources_of("x"));
	for (unsigned i = 0; i < 3000; i++) {
		if (i == DIAG_LIMIT) /* what stands behind the list is anything */
			memset(&diags->items[i], 0xa5, (diags->items_capacity - i) * sizeof *diags->items);
		struct diagnostic *added = diag_add(diags, CODE_SYNTAX, SPAN_NONE, "%u", i);
		diag_note(diags, added, SPAN_NONE, "note");
		ck_assert_int_eq(diags->is_full, i >= DIAG_LIMIT);
	}
	ck_assert_uint_eq(diags->items_count, DIAG_LIMIT);
	ck_assert_uint_eq(diags->error_count, 3000);
	ck_assert_str_eq(diags->items[DIAG_LIMIT - 1]->message, "999");
	diags_sort(diags);
	ck_assert_str_eq(diags->items[0]->message, "0");
}
END_TEST

START_TEST(a_full_bag_keeps_mistakes)
{
	struct diags *diags = diags_new(unit_pool(), sources_of("x"));

	for (unsigned i = 0; i < DIAG_LIMIT + 10; i++)
		diag_add(diags, CODE_SHADOWED, SPAN_NONE, "%u", i);
	diag_add(diags, CODE_SYNTAX, SPAN_NONE, "first");
	diag_note(diags, diag_add(diags, CODE_SYNTAX, SPAN_NONE, "second"), SPAN_NONE, "note");
	diag_add(diags, CODE_SHADOWED, SPAN_NONE, "late");
	ck_assert_uint_eq(diags->items_count, DIAG_LIMIT);
	ck_assert_str_eq(diags->items[DIAG_LIMIT - 2]->message, "first");
	ck_assert_str_eq(diags->items[DIAG_LIMIT - 1]->message, "second");
	ck_assert_ptr_nonnull(diags->items[DIAG_LIMIT - 1]->notes);
	ck_assert_str_eq(diags->items[DIAG_LIMIT - 3]->message, "997");
	ck_assert_uint_eq(diag_totals_of(diags).unseen, 13);
}
END_TEST

static Suite *diag_suite(void)
{
	Suite *suite = suite_create("diag");
	TCase *test_case = unit_case(suite, "diag");
	tcase_add_test(test_case, lines_and_columns_count_characters);
	tcase_add_test(test_case, a_byte_order_mark_is_not_a_column);
	tcase_add_test(test_case, an_empty_source_has_one_line);
	tcase_add_test(test_case, spans_have_places_and_join);
	tcase_add_test(test_case, codes_are_sorted_and_have_pages);
	tcase_add_test(test_case, lines_of_pages_fit_a_terminal);
	tcase_add_test(test_case, the_bag_counts_and_sorts);
	tcase_add_test(test_case, a_full_bag_goes_on_counting);
	tcase_add_test(test_case, a_full_bag_keeps_mistakes);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { diag_suite, print_suite, NULL };
	return unit_run(suites);
}
