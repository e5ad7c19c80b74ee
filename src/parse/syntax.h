/* Syntax errors in the user's terms: from the tokens that could stand at a place to
 * "expected a service, found 'from'". */
#ifndef FWC_PARSE_SYNTAX_H
#define FWC_PARSE_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "diag/diag.h"

struct syntax_error {
	const char *bytes; /* of the source */
	struct span found;
	bool is_end;           /* found is the end of the file */
	bool begins_statement; /* found would be a statement's first word */
	const char *const *expected; /* names of tokens as grammar/parser.y spells them */
	size_t expected_count;
};

/* The report, for more notes; NULL where it needs none. */
struct diagnostic *syntax_report(void *pool, struct diags *diags, const struct syntax_error *error);
/* Whether the token could stand at the place. */
bool syntax_expects(const struct syntax_error *error, const char *token);
/* A statement is wanted, and what was found begins none. */
bool syntax_wants_statement(const struct syntax_error *error);
/* What was found begins with a letter. */
bool syntax_is_word(const struct syntax_error *error);
/* The word of letters right before a place in the text, on its line; empty where there is none. */
struct span syntax_word_before(const struct syntax_error *error, uint32_t place);
bool syntax_span_is(const struct syntax_error *error, struct span span, const char *word);
/* The words at the span in quotes, cut to a readable length. */
const char *syntax_quote(void *pool, const char *bytes, struct span span);

#endif
