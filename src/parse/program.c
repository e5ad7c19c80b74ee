/* A policy with its includes: files read once, cycles told link by link.
 *
 * Includes are followed depth first, in the order of the text, so that a file is whole
 * (its own includes with it) before the next include statement is looked at. */
#include <errno.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "parse/parse.h"
#include "parse/path.h"

/* A file of the program while it is read, and what an include needs to know of it. */
struct entry {
	const char *path;
	struct ast_file *file;
	struct span included_at; /* SPAN_NONE: the main file */
	struct entry *parent;    /* the including file; while open */
	bool is_open;
	bool holds_rules;        /* itself or through its includes */
};

struct loader {
	void *pool;
	struct diags *diags;
	const struct file_reader *reader;
	struct program *program;
};

/* --- reading one file ------------------------------------------------------------------- */

static enum code code_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR: return CODE_FILE_MISSING;
	case EISDIR: return CODE_FILE_IS_DIRECTORY;
	case EFBIG: return CODE_FILE_TOO_LARGE;
	default: return CODE_FILE_UNREADABLE;
	}
}

static struct diagnostic *report_unread(struct loader *loader, const char *path, int error, struct span asked)
{
	enum code code = code_of_errno(error);
	if (code == CODE_FILE_MISSING)
		return diag_add(loader->diags, code, asked, "there is no file '%s'", path);
	if (code == CODE_FILE_IS_DIRECTORY)
		return diag_add(loader->diags, code, asked, "'%s' is a folder, not a file", path);
	if (code == CODE_FILE_TOO_LARGE)
		return diag_add(loader->diags, code, asked, "'%s' is larger than %zu MiB", path,
				PARSE_FILE_LIMIT >> 20);
	return diag_add(loader->diags, code, asked, "cannot read '%s': %s", path,
			strerrordesc_np(error) != NULL ? strerrordesc_np(error) : "unknown error");
}

/* What stands in an include that is not read is not known: a name that nothing else defines is no mistake of
 * its own. error: NULL where the parser told it. */
static void go_without(struct loader *loader, struct diagnostic *error)
{
	bool is_first = !loader->diags->lacks_names;
	loader->diags->lacks_names = true;
	if (error != NULL && is_first)
		diag_note(loader->diags, error, SPAN_NONE, "unknown names are not told: this file may define them");
}

static const char *identity(const struct loader *loader, const char *path)
{
	const char *name = NULL;
	if (loader->reader->identify != NULL)
		name = loader->reader->identify(loader->reader->context, loader->pool, path);
	return name != NULL ? name : path_normalise(loader->pool, path);
}

/* Reads and parses; NULL after a report. */
static struct entry *entry_read(struct loader *loader, const char *path, struct span asked)
{
	const char *bytes;
	size_t length;
	int error = loader->reader->read(loader->reader->context, loader->pool, path, &bytes,
					 &length);
	if (error != 0) {
		struct diagnostic *report = report_unread(loader, path, error, asked);
		if (asked.source != UINT32_MAX)
			go_without(loader, report);
		return NULL;
	}
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
	uint32_t source = sources_add(loader->diags->sources, name, bytes, length, false);
	struct entry *entry = pool_new(loader->pool, struct entry);
	entry->path = name;
	entry->included_at = asked;
	entry->file = parse_source(loader->pool, loader->diags, source);
	entry->holds_rules = entry->file->holds_rules;
	struct program_file *row = pool_append(loader->pool, loader->program, files);
	*row = (struct program_file){ .path = name, .file = entry->file };
	return entry;
}

/* --- includes ---------------------------------------------------------------------------- */

static void report_cycle(struct loader *loader, const struct entry *from, const struct entry *to,
			 const struct ast_word *path)
{
	struct diagnostic *error = diag_add(loader->diags, CODE_INCLUDE_CYCLE, path->span,
					    "'%s' includes itself", to->path);
	diag_note(loader->diags, error, path->span, "'%s' includes '%s' here", from->path,
		  to->path);
	for (; from != to; from = from->parent)
		diag_note(loader->diags, error, from->included_at, "'%s' includes '%s' here",
			  from->parent->path, from->path);
}

static void report_twice(struct loader *loader, const struct entry *again,
			 const struct ast_word *path)
{
	struct diagnostic *error = diag_add(
		loader->diags, CODE_INCLUDE_TWICE, path->span,
		"'%s' holds rules and is included a second time", again->path);
	diag_note(loader->diags, error, again->included_at, "it is included here before");
}

static bool is_too_deep(const struct entry *from)
{
	size_t depth = 0;
	for (; from != NULL; from = from->parent)
		depth++;
	return depth >= PARSE_DEPTH;
}

static void remember_include(struct loader *loader, const struct ast_statement *include,
			     struct ast_file *file)
{
	names_set(loader->program->by_include, (const char *)&include, sizeof include, file);
}

/* The entry that an include newly opens, or NULL. */
static struct entry *include_open(struct loader *loader, struct entry *from,
				  const struct ast_statement *include)
{
	const struct ast_word *word = include->include;
	if (word->is_reported) {
		go_without(loader, NULL);
		return NULL;
	}
	if (word->length == 0) {
		go_without(loader, diag_add(loader->diags, CODE_BAD_STRING, word->span, "an include needs a name"));
		return NULL;
	}
	bool is_stdin = strcmp(from->path, "<stdin>") == 0;
	const char *path = is_stdin ? word->text
				    : path_join(loader->pool, from->path, word->text);
	const char *name = identity(loader, path);
	struct entry *known = names_find(loader->program->by_path, name, strlen(name));
	if (known != NULL) {
		if (known->is_open)
			report_cycle(loader, from, known, word);
		else if (known->holds_rules)
			report_twice(loader, known, word);
		return NULL;
	}
	if (is_too_deep(from)) {
		go_without(loader, diag_add(loader->diags, CODE_TOO_DEEP, word->span,
					    "files include each other more than %d deep", PARSE_DEPTH));
		return NULL;
	}
	struct entry *entry = entry_read(loader, path, word->span);
	if (entry == NULL)
		return NULL;
	names_set(loader->program->by_path, name, strlen(name), entry);
	remember_include(loader, include, entry->file);
	entry->parent = from;
	return entry;
}

/* Recursion is bounded by is_too_deep. */
static void follow_includes(struct loader *loader, struct entry *entry)
{
	entry->is_open = true;
	const struct ast_file *file = entry->file;
	for (size_t i = 0; i < file->others_count; i++) {
		const struct ast_statement *statement = file->others[i];
		if (statement->kind != AST_INCLUDE)
			continue;
		struct entry *included = include_open(loader, entry, statement);
		if (included == NULL)
			continue;
		follow_includes(loader, included);
		entry->holds_rules = entry->holds_rules || included->holds_rules;
	}
	entry->is_open = false;
}

struct program *parse_program(void *pool, struct diags *diags, const struct file_reader *reader,
			      const char *path)
{
	struct program *program = pool_new(pool, struct program);
	program->by_path = names_new(pool, false);
	program->by_include = names_new(pool, false);
	struct loader loader = { pool, diags, reader, program };
	struct entry *entry = entry_read(&loader, path, SPAN_NONE);
	if (entry == NULL)
		return NULL;
	program->main_file = entry->file;
	if (strcmp(path, "-") != 0) {
		const char *name = identity(&loader, path);
		names_set(program->by_path, name, strlen(name), entry);
	}
	follow_includes(&loader, entry);
	return program;
}

struct ast_file *program_include(const struct program *program, const struct ast_statement *include)
{
	return names_find(program->by_include, (const char *)&include, sizeof include);
}

void program_drop_trees(struct program *program)
{
	for (size_t i = 0; i < program->files_count; i++) {
		struct ast_file *file = program->files[i].file;
		talloc_free(file->nodes);
		*file = (struct ast_file){ .source = file->source };
	}
}
