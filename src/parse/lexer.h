/* The scanner: bytes of a source to tokens. Implemented in grammar/lexer.l.
 *
 * Numbers of tokens are those of grammar/parser.y; 0 is the end of the file. Lexical
 * mistakes are reported here, once each; words of a wrong form come back as TOKEN_BAD or,
 * where their kind is plain, as that kind with is_reported. Comments go to the file's
 * list. Runs in linear time on any bytes. */
#ifndef FWC_PARSE_LEXER_H
#define FWC_PARSE_LEXER_H

#include <stdbool.h>

#include "ast/ast.h"
#include "diag/diag.h"

struct lexer;

struct lexer_token {
	int kind;
	struct span span;
	bool is_reported;
};

/* Scans source number file->source of the bag's sources. */
struct lexer *lexer_new(void *pool, struct diags *diags, struct ast_file *file);
/* Frees its copy of the source's text; there are no more tokens. */
void lexer_end(struct lexer *lexer);
void lexer_next(struct lexer *lexer, struct lexer_token *token);

#endif
