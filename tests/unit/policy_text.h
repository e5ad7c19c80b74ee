/* Programs from texts in memory, and what the bag says of them. */
#ifndef FWC_TESTS_POLICY_TEXT_H
#define FWC_TESTS_POLICY_TEXT_H

#include "parse/parse.h"
#include "resolve/resolve.h"

/* Files by name; a row without a name ends the list, the first is the main file. */
struct text_file {
	const char *name;
	const char *text;
};

/* 2026-11-21 12:00 UTC */
#define TEST_TODAY ((time_t)1795262400)

struct program *program_of(struct diags **diags, const struct text_file *files);
struct policy *policy_of_files(struct diags **diags, const struct text_file *files);
struct policy *policy_of(struct diags **diags, const char *text);
/* A policy without any finding; fails the test with the messages otherwise. */
struct policy *good_policy(const char *text);
/* Fails the test unless the bag's codes are exactly these, in the order of the text. Names as in
 * codes.def: "UNKNOWN_PLACE NAT_HOST". */
void assert_codes(struct diags *diags, const char *text, const char *codes);

#endif
