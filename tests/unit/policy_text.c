/* Programs from texts in memory, and what the bag says of them. */
#include "policy_text.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"
#include "diag/print.h"
#include "unit.h"

static int read_text(void *context, void *pool, const char *path, const char **bytes, size_t *length)
{
	(void)pool;
	for (const struct text_file *file = context; file->name != NULL; file++)
		if (strcmp(file->name, path) == 0) {
			*bytes = file->text;
			*length = strlen(file->text);
			return 0;
		}
	return ENOENT;
}

static struct file_reader reader_of(const struct text_file *files)
{
	return (struct file_reader){ .read = read_text, .context = (void *)(uintptr_t)files };
}

struct program *program_of(struct diags **diags, const struct text_file *files)
{
	struct file_reader reader = reader_of(files);
	*diags = diags_new(unit_pool(), sources_new(unit_pool()));
	struct program *program = parse_program(unit_pool(), *diags, &reader, files[0].name);
	ck_assert_ptr_nonnull(program);
	return program;
}

struct policy *policy_of_files(struct diags **diags, const struct text_file *files)
{
	struct file_reader reader = reader_of(files);
	struct resolve_settings settings = { .reader = &reader, .today = TEST_TODAY };
	struct program *program = program_of(diags, files);
	return resolve_policy(pool_child(unit_pool(), "policy"), *diags, program, &settings);
}

struct policy *policy_of(struct diags **diags, const char *text)
{
	const struct text_file files[] = { { "policy.fw", text }, { NULL, NULL } };
	return policy_of_files(diags, files);
}

struct policy *good_policy(const char *text)
{
	struct diags *diags;
	struct policy *policy = policy_of(&diags, text);
	assert_codes(diags, text, "");
	return policy;
}

void assert_codes(struct diags *diags, const char *text, const char *codes)
{
	struct text *found = text_new(unit_pool()), *messages = text_new(unit_pool());
	diags_sort(diags);
	for (size_t i = 0; i < diags->items_count; i++)
		text_addf(found, "%s%s", i == 0 ? "" : " ",
			  code_find((unsigned)diags->items[i]->code)->name);
	diags_print_text(diags, messages, false);
	ck_assert_msg(strcmp(found->bytes, codes) == 0, "%s\nwanted: %s\nfound:  %s\n%s", text, codes,
		      found->bytes, messages->bytes);
}
