/* The statements of a program in the order in which they count: included files stand where
 * they are included. Blocks are given whole; their bodies are the caller's business. */
#ifndef FWC_SERVICES_WALK_H
#define FWC_SERVICES_WALK_H

#include "parse/parse.h"

struct walk_frame {
	const struct ast_file *file;
	const struct ast_statement *next; /* of all statements */
	size_t next_other;                /* of those that are no rules */
};

struct walk {
	void *pool;
	const struct program *program;
	struct walk_frame *frames; /* the file being read, and those that include it */
	size_t frames_count, frames_capacity;
	bool skips_rules;
};

/* The pool is for a stack as deep as includes are nested. */
struct walk walk_begin(void *pool, const struct program *program);
/* The same for all that is not a rule of its own: definitions, blocks and the rest. */
struct walk walk_begin_others(void *pool, const struct program *program);
/* The next statement that is not an include, or NULL. */
const struct ast_statement *walk_next(struct walk *walk);

#endif
