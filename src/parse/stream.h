/* Between scanner and grammar: pushes tokens, counts braces, steers the recovery.
 *
 * The grammar recovers by itself at statement ends; this room decides what it sees after
 * a mistake, so that each mistake is told once and costs its own statement only:
 * - a token that begins a statement on a new line, where the grammar wants ';' instead,
 *   gets a ';' before it;
 * - after an error the rest of the statement is dropped, its block too, except the
 *   body of `from … to … { }`, whose statements are still checked;
 * - braces always match for the grammar: what is missing at the end is added. */
#ifndef FWC_PARSE_STREAM_H
#define FWC_PARSE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "ast/ast_build.h"

struct parse_stream;

/* Parses the whole source; see parse_source. */
struct ast_file *stream_parse(void *pool, struct diags *diags, uint32_t source);

/* For the grammar: */
struct ast_builder *stream_builder(const struct parse_stream *stream);
/* Will the next syntax error be shown? Saves looking for what was expected. */
bool stream_wants_message(const struct parse_stream *stream);
/* expected: names of the tokens that could stand here, as parser.y spells them. */
void stream_syntax_error(struct parse_stream *stream, struct span found,
			 const char *const *expected, size_t expected_count);
void stream_out_of_depth(struct parse_stream *stream, struct span span);

#endif
