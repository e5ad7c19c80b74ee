/* The statements of a program in order, without recursion: includes may nest as deep as a user
 * likes (cycles were cut by the parser). */
#include "services/walk.h"

#include "base/pool.h"

static void enter(struct walk *walk, const struct ast_file *file)
{
	if (file != NULL)
		*pool_append(walk->pool, walk, frames) = (struct walk_frame){
			.file = file, .next = file->statements,
		};
}

struct walk walk_begin(void *pool, const struct program *program)
{
	struct walk walk = { .pool = pool, .program = program };
	enter(&walk, program->main_file);
	return walk;
}

struct walk walk_begin_others(void *pool, const struct program *program)
{
	struct walk walk = walk_begin(pool, program);
	walk.skips_rules = true;
	return walk;
}

/* NULL: the file's end. */
static const struct ast_statement *step(const struct walk *walk, struct walk_frame *frame)
{
	const struct ast_statement *statement = frame->next;
	if (walk->skips_rules)
		return frame->next_other == frame->file->others_count ? NULL
								      : frame->file->others[frame->next_other++];
	if (statement != NULL)
		frame->next = statement->next;
	return statement;
}

const struct ast_statement *walk_next(struct walk *walk)
{
	while (walk->frames_count != 0) {
		const struct ast_statement *statement = step(walk, &walk->frames[walk->frames_count - 1]);
		if (statement == NULL) {
			walk->frames_count--;
			continue;
		}
		if (statement->kind != AST_INCLUDE)
			return statement;
		enter(walk, program_include(walk->program, statement));
	}
	return NULL;
}
