/* The statements of a program in order, without recursion: includes may nest as deep as a user
 * likes (cycles were cut by the parser). */
#include "services/walk.h"

#include "base/pool.h"

static void enter(struct walk *walk, const struct ast_file *file)
{
	if (file != NULL)
		pool_append(walk->pool, walk, frames)->next = file->statements;
}

struct walk walk_begin(void *pool, const struct program *program)
{
	struct walk walk = { .pool = pool, .program = program };
	enter(&walk, program->main_file);
	return walk;
}

const struct ast_statement *walk_next(struct walk *walk)
{
	while (walk->frames_count != 0) {
		struct walk_frame *frame = &walk->frames[walk->frames_count - 1];
		const struct ast_statement *statement = frame->next;
		if (statement == NULL) {
			walk->frames_count--;
			continue;
		}
		frame->next = statement->next;
		if (statement->kind != AST_INCLUDE)
			return statement;
		enter(walk, program_include(walk->program, statement));
	}
	return NULL;
}
