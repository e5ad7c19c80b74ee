/* The printers of the bag. */
#include <jansson.h>
#include <string.h>

#include "base/pool.h"
#include "diag/print.h"
#include "diag/visible.h"
#include "unit.h"

Suite *print_suite(void);

static struct diags *bag_of(const char *text, size_t length)
{
	struct sources *sources = sources_new(unit_pool());
	sources_add(sources, "policy.fw", text, length, 0);
	return diags_new(unit_pool(), sources);
}

static const char *print(struct diags *diags)
{
	struct text *out = text_new(unit_pool());
	diags_print_text(diags, out, 0);
	return out->bytes;
}

/* One error over a part of a text. */
static const char *print_one(const char *text, uint32_t begin, uint32_t end)
{
	struct diags *diags = bag_of(text, strlen(text));
	diag_add(diags, CODE_UNKNOWN_SERVICE, (struct span){ 0, begin, end }, "message");
	return print(diags);
}

START_TEST(a_message_shows_the_line_and_marks_the_word)
{
	struct diags *diags = bag_of("deny p2p;\nallow kerbros;\n", 25);
	struct diagnostic *added = diag_add(diags, CODE_UNKNOWN_SERVICE, (struct span){ 0, 16, 23 },
					    "unknown service '%s'", "kerbros");
	diag_note(diags, added, SPAN_NONE, "did you mean 'kerberos'?");
	diag_note(diags, added, (struct span){ 0, 5, 8 }, "another place");
	diag_add(diags, CODE_EXPIRED, SPAN_NONE, "a warning");
	ck_assert_str_eq(print(diags), "policy.fw:2:7: error: unknown service 'kerbros' [FW0301]\n"
				       "   2 | allow kerbros;\n"
				       "     |       ^~~~~~~\n"
				       "  note: did you mean 'kerberos'?\n"
				       "policy.fw:1:6: note: another place\n"
				       "   1 | deny p2p;\n"
				       "     |      ^~~\n"
				       "warning: a warning [FW0511]\n"
				       "1 error, 1 warning\n");
}
END_TEST

START_TEST(marks_stand_under_what_they_mean)
{
	ck_assert_str_eq(print_one("\tab", 1, 3), "policy.fw:1:2: error: message [FW0301]\n"
						  "   1 |     ab\n"
						  "     |     ^~\n1 error\n");
	ck_assert_str_eq(print_one("\xc3\xa9\x1b x", 4, 5),
			 "policy.fw:1:4: error: message [FW0301]\n"
			 "   1 | \xc3\xa9\\x1b x\n"
			 "     |       ^\n1 error\n");
	ck_assert_str_eq(print_one("a {\n b\n}", 2, 8), "policy.fw:1:3: error: message [FW0301]\n"
							"   1 | a {\n"
							"     |   ^\n1 error\n");
	ck_assert_str_eq(print_one("ab\n", 3, 3), "policy.fw:2:1: error: message [FW0301]\n"
						  "   2 |\n"
						  "     | ^\n1 error\n");
	ck_assert_str_eq(print_one("ab", 2, 2), "policy.fw:1:3: error: message [FW0301]\n"
						"   1 | ab\n"
						"     |   ^\n1 error\n");
}
END_TEST

/* Whatever the bytes and the span are: bounded lines, valid text, the mark inside. */
static void check_lines(const char *printed)
{
	for (const char *at = printed; *at != '\0';) {
		size_t length = strcspn(at, "\n");
		ck_assert_uint_le(length, 4 * (160 + 8));
		for (size_t i = 0; i < length; i++)
			ck_assert((unsigned char)at[i] >= 0x20 && at[i] != 0x7f);
		at += length + 1;
	}
	struct text *again = text_new(unit_pool());
	visible_add_utf8(again, printed, strlen(printed));
	ck_assert_str_eq(again->bytes, printed);
}

START_TEST(any_bytes_are_printed_safely)
{
	for (unsigned round = 0; round < 400; round++) {
		size_t length = unit_below(600);
		char *bytes = pool_array(unit_pool(), char, length + 1);
		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)(unit_below(3) ? 'a' + unit_below(26) : unit_below(256));
		struct diags *diags = bag_of(bytes, length);
		uint32_t begin = unit_below((unsigned)length + 1);
		uint32_t end = begin + unit_below((unsigned)length + 1 - begin);
		diag_add(diags, CODE_SYNTAX, (struct span){ 0, begin, end }, "%s", bytes);
		struct text *json = text_new(unit_pool());
		diags_print_json(diags, json);
		json_t *parsed = json_loadb(json->bytes, json->length, 0, NULL);
		ck_assert_ptr_nonnull(parsed);
		json_decref(parsed);
		diags->items[0]->message = "message";
		check_lines(print(diags));
	}
}
END_TEST

START_TEST(long_lines_are_cut_round_the_mark)
{
	char line[2001];
	memset(line, 'x', 2000);
	line[2000] = '\0';
	memcpy(line + 1000, "WORD", 4);
	const char *printed = print_one(line, 1000, 1004);
	const char *shown = strchr(printed, '\n') + 1;
	size_t length = strcspn(shown, "\n");
	ck_assert_uint_le(length, 160 + strlen("   1 | "));
	ck_assert_int_eq(strncmp(shown, "   1 | ...xxx", 13), 0);
	ck_assert_int_eq(strncmp(shown + length - 6, "xxx...", 6), 0);
	const char *mark = strchr(shown + length, '^');
	ck_assert_int_eq(strncmp(mark, "^~~~\n", 5), 0);
	ck_assert_int_eq(strncmp(shown + (mark - (shown + length + 1)), "WORD", 4), 0);
}
END_TEST

START_TEST(messages_cannot_move_the_cursor)
{
	struct diags *diags = bag_of("", 0);
	diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE, "%s", "a\033[2J\n\xe2\x80\xae\xff\xc3\xa9");
	ck_assert_str_eq(print(diags),
			 "error: a\\x1b[2J\\x0a\\xe2\\x80\\xae\\xff\xc3\xa9 [FW1202]\n1 error\n");
}
END_TEST

START_TEST(expected_warnings_are_silent)
{
	struct diags *diags = bag_of("", 0);
	diag_expect(diags, diag_add(diags, CODE_EXPIRED, SPAN_NONE, "hidden"));
	ck_assert_str_eq(print(diags), "");
	struct text *json = text_new(unit_pool());
	diags_print_json(diags, json);
	ck_assert_str_eq(json->bytes, "{\"diagnostics\":[],\"errors\":0,\"warnings\":0}\n");
}
END_TEST

START_TEST(a_full_bag_says_how_many_are_missing)
{
	struct diags *diags = bag_of("", 0);
	for (unsigned i = 0; i < DIAG_LIMIT + 7; i++)
		diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE, "x");
	const char *end = "\n7 more messages are not shown\n1007 errors\n";
	const char *printed = print(diags);
	ck_assert_str_eq(printed + strlen(printed) - strlen(end), end);
}
END_TEST

START_TEST(json_has_the_same_facts)
{
	struct diags *diags = bag_of("a\nbc\xff", 5);
	struct diagnostic *added =
		diag_add(diags, CODE_UNKNOWN_SERVICE, (struct span){ 0, 2, 4 }, "bad \xff\"");
	diag_note(diags, added, SPAN_NONE, "note");
	struct text *json = text_new(unit_pool());
	diags_print_json(diags, json);
	ck_assert_str_eq(json->bytes,
			 "{\"diagnostics\":[{\"code\":\"FW0301\",\"severity\":\"error\","
			 "\"file\":\"policy.fw\",\"line\":2,\"column\":1,\"end_line\":2,"
			 "\"end_column\":3,\"message\":\"bad \\\\xff\\\"\",\"notes\":[{\"file\":null,"
			 "\"line\":null,\"column\":null,\"end_line\":null,\"end_column\":null,"
			 "\"message\":\"note\"}]}],\"errors\":1,\"warnings\":0}\n");
}
END_TEST

START_TEST(color_is_on_request)
{
	struct diags *diags = bag_of("ab", 2);
	diag_add(diags, CODE_SYNTAX, (struct span){ 0, 0, 2 }, "m");
	struct text *out = text_new(unit_pool());
	diags_print_text(diags, out, 1);
	ck_assert_str_eq(out->bytes, "\033[1mpolicy.fw:1:1: \033[1;31merror: \033[0mm [FW0105]\n"
				     "   1 | ab\n     | \033[1;31m^~\033[0m\n1 error\n");
}
END_TEST

Suite *print_suite(void)
{
	Suite *suite = suite_create("print");
	TCase *test_case = unit_case(suite, "print");
	tcase_add_test(test_case, a_message_shows_the_line_and_marks_the_word);
	tcase_add_test(test_case, marks_stand_under_what_they_mean);
	tcase_add_test(test_case, any_bytes_are_printed_safely);
	tcase_add_test(test_case, long_lines_are_cut_round_the_mark);
	tcase_add_test(test_case, messages_cannot_move_the_cursor);
	tcase_add_test(test_case, expected_warnings_are_silent);
	tcase_add_test(test_case, a_full_bag_says_how_many_are_missing);
	tcase_add_test(test_case, json_has_the_same_facts);
	tcase_add_test(test_case, color_is_on_request);
	return suite;
}
