/* The program's definitions: who has which name.
 *
 * Three rounds over the program, so that the order of its statements does not matter for names:
 *   1. names, aliases and overrides, in order;
 *   2. `extend tag` lines;
 *   3. the tags that the definitions carry. */
#include "services/collect.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "services/helper.h"
#include "services/walk.h"

struct collector {
	struct service_database *database;
	struct service_store *store;
	struct diags *diags;
	/* `extend tag` lines: "SOURCE NAME" folded -> word */
	struct names *extended;
	const struct ast_word **extensions;
	size_t extensions_count, extensions_capacity;
};

/* --- telling where something else has the name -------------------------------------------------------- */

static void note_place(struct collector *collector, struct diagnostic *error,
		       const struct service *service)
{
	if (service->span.source == UINT32_MAX)
		diag_note(collector->diags, error, SPAN_NONE, "'%s' is a tag of the built-in database",
			  service->name);
	else
		diag_note(collector->diags, error, service->span, "'%s' is defined here",
			  service->name);
}

static const char *kind_name(const struct service *service, const struct ast_word *word)
{
	if (service->is_tag)
		return "a tag";
	return strcasecmp(service->name, word->text) == 0 ? "a service" : "another name of a service";
}

static void report_taken(struct collector *collector, const struct ast_word *word,
			 const struct definition *taken)
{
	const struct service *service = &taken->service;
	bool is_service = !service->is_tag && strcasecmp(service->name, word->text) == 0;
	struct diagnostic *error = diag_add(
		collector->diags, is_service ? CODE_DUPLICATE_SERVICE : CODE_SERVICE_CLASH,
		word->span, "'%s' is %s already", word->text, kind_name(service, word));
	note_place(collector, error, service);
	if (is_service)
		diag_note(collector->diags, error, SPAN_NONE,
			  "to replace it write 'override service %s'", service->name);
}

/* --- names and aliases ------------------------------------------------------------------------------------ */

static void set_name(struct collector *collector, const struct ast_word *word,
		     struct definition *definition)
{
	names_set(collector->database->by_name, word->text, word->length, definition);
}

static void add_aliases(struct collector *collector, struct definition *definition)
{
	for (const struct ast_word *word = definition->ast->aliases; word != NULL;
	     word = word->next) {
		struct definition *taken =
			definition_find(collector->database, word->text, word->length);
		if (taken == NULL)
			set_name(collector, word, definition);
		else if (taken != definition) {
			const struct service *service = &taken->service;
			struct diagnostic *error =
				diag_add(collector->diags, CODE_SERVICE_CLASH, word->span,
					 "'%s' is %s already", word->text, kind_name(service, word));
			note_place(collector, error, service);
		}
	}
}

/* The override keeps the aliases, and what it does not say itself. */
static void take_over(struct collector *collector, struct definition *definition,
		      struct definition *replaced)
{
	void *pool = collector->store->pool;
	struct service *service = &definition->service;
	const struct service *before = &replaced->service;
	replaced->replaced_by = definition;
	definition->replaces = replaced;
	for (size_t i = 0; i < before->aliases_count; i++)
		*pool_append(pool, service, aliases) = before->aliases[i];
	if (service->tags_count == 0)
		for (size_t i = 0; i < before->tags_count; i++)
			*pool_append(pool, service, tags) = before->tags[i];
	if (definition->ast->description == NULL)
		service->description = before->description;
	if (definition->ast->status == NULL)
		service->status = before->status;
}

static void add_override(struct collector *collector, struct definition *definition)
{
	const struct ast_word *name = definition->ast->name;
	struct definition *replaced =
		definition_find(collector->database, name->text, name->length);
	if (replaced == NULL) {
		struct diagnostic *error = diag_add(collector->diags, CODE_OVERRIDE_NOTHING,
						    name->span, "there is no service '%s' to override",
						    name->text);
		service_suggest(collector->database, error, name);
		set_name(collector, name, definition); /* it is meant to exist: no more errors */
		return;
	}
	const struct service *service = &replaced->service;
	if (service->is_tag || strcasecmp(service->name, name->text) != 0) {
		struct diagnostic *error = diag_add(collector->diags, CODE_OVERRIDE_NOTHING,
						    name->span, "'%s' is %s, not a service to override",
						    name->text, kind_name(service, name));
		note_place(collector, error, service);
		return;
	}
	set_name(collector, name, definition);
	take_over(collector, definition, replaced);
}

static void add_name(struct collector *collector, struct definition *definition)
{
	const struct ast_word *name = definition->ast->name;
	struct definition *taken = definition_find(collector->database, name->text, name->length);
	if (taken == NULL)
		set_name(collector, name, definition);
	else
		report_taken(collector, name, taken);
}

/* --- words that must be known ----------------------------------------------------------------------------- */

static void check_status(struct collector *collector, const struct ast_word *word)
{
	static const char *const known[] = { "current", "unofficial", "historic", "insecure" };
	if (word == NULL || word->is_reported)
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(word->text, known[i]) == 0)
			return;
	struct diagnostic *error = diag_add(collector->diags, CODE_BAD_STATUS, word->span,
					    "unknown status '%s'", word->text);
	diag_note(collector->diags, error, SPAN_NONE,
		  "it is one of: current, unofficial, historic, insecure");
}

static void check_helper(struct collector *collector, const struct ast_word *word)
{
	if (word == NULL || word->is_reported || helper_find(word->text, word->length) != NULL)
		return;
	struct diagnostic *error = diag_add(collector->diags, CODE_UNKNOWN_HELPER, word->span,
					    "the kernel has no helper '%s'", word->text);
	struct text *known = text_new(collector->store->pool);
	for (size_t i = 0; i < helper_count(); i++)
		text_addf(known, "%s%s", i == 0 ? "" : ", ", helper_at(i)->name);
	diag_note(collector->diags, error, SPAN_NONE, "it has: %s", known->bytes);
}

static void collect_definition(struct collector *collector, const struct ast_service_def *ast)
{
	struct service_store *store = collector->store;
	if (ast->name->is_reported)
		return;
	struct definition *definition = definition_new(store->pool, ast);
	*pool_append(store->pool, store, own) = definition;
	if (ast->is_override)
		add_override(collector, definition);
	else
		add_name(collector, definition);
	add_aliases(collector, definition);
	check_status(collector, ast->status);
	check_helper(collector, ast->helper);
}

/* --- tags --------------------------------------------------------------------------------------------------- */

static const char *extension_key(struct collector *collector, uint32_t source, const char *tag)
{
	return pool_format(collector->store->pool, "%u %s", (unsigned)source, tag);
}

static void collect_extension(struct collector *collector, const struct ast_word *word)
{
	const char *key = extension_key(collector, word->span.source, word->text);
	names_set(collector->extended, key, strlen(key), collector);
	*pool_append(collector->store->pool, collector, extensions) = word;
}

static bool is_extended(struct collector *collector, const struct ast_word *tag)
{
	const char *key = extension_key(collector, tag->span.source, tag->text);
	return names_find(collector->extended, key, strlen(key)) != NULL;
}

static struct definition *tag_new(struct collector *collector, const struct ast_word *word)
{
	struct service_store *store = collector->store;
	struct definition *tag = pool_new(store->pool, struct definition);
	tag->service = (struct service){
		.name = word->text, .description = "", .span = word->span, .is_tag = true,
	};
	set_name(collector, word, tag);
	*pool_append(store->pool, store, own_tags) = tag;
	return tag;
}

/* Whether a definition in this file may add to the tag. */
static bool is_open(struct collector *collector, const struct definition *tag,
		    const struct ast_word *word)
{
	if (tag->builtin_tag == NULL && tag->service.span.source == word->span.source)
		return true;
	if (is_extended(collector, word))
		return true;
	struct diagnostic *error = diag_add(collector->diags, CODE_TAG_CLOSED, word->span,
					    "tag '%s' grows only in a file that says so", word->text);
	if (tag->builtin_tag == NULL)
		diag_note(collector->diags, error, tag->service.span, "it begins here");
	else
		diag_note(collector->diags, error, SPAN_NONE, "it is a tag of the built-in database");
	diag_note(collector->diags, error, SPAN_NONE, "write 'extend tag %s;' in this file",
		  word->text);
	return false;
}

static void add_member(struct collector *collector, const struct ast_word *word,
		       struct definition *definition)
{
	struct definition *tag = definition_find(collector->database, word->text, word->length);
	if (tag == NULL)
		tag = tag_new(collector, word);
	if (!tag->service.is_tag) {
		struct diagnostic *error = diag_add(collector->diags, CODE_SERVICE_CLASH, word->span,
						    "'%s' is %s, not a tag", word->text,
						    kind_name(&tag->service, word));
		note_place(collector, error, &tag->service);
		return;
	}
	if (is_open(collector, tag, word))
		*pool_append(collector->store->pool, tag, members) = definition;
}

/* Whether what this override replaces has the tag: its place in it is taken over. */
static bool is_inherited(const struct ast_word *word, const struct definition *replaced)
{
	return replaced != NULL && definition_has_tag(replaced, word->text);
}

static void collect_tags(struct collector *collector, struct definition *definition)
{
	for (const struct ast_word *word = definition->ast->tags; word != NULL; word = word->next)
		if (!word->is_reported && !is_inherited(word, definition->replaces))
			add_member(collector, word, definition);
}

static void check_extensions(struct collector *collector)
{
	for (size_t i = 0; i < collector->extensions_count; i++) {
		const struct ast_word *word = collector->extensions[i];
		struct definition *tag =
			definition_find(collector->database, word->text, word->length);
		if (tag != NULL && tag->service.is_tag)
			continue;
		struct diagnostic *error = diag_add(collector->diags, CODE_UNKNOWN_TAG, word->span,
						    "there is no tag '%s'", word->text);
		if (tag != NULL)
			note_place(collector, error, &tag->service);
		else
			service_suggest(collector->database, error, word);
	}
}

void collect_definitions(struct service_database *database, const struct program *program)
{
	struct service_store *store = database->store;
	struct collector collector = {
		.database = database,
		.store = store,
		.diags = store->diags,
		.extended = names_new(store->pool, true),
	};
	struct walk walk = walk_begin_others(store->pool, program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;) {
		if (statement->kind == AST_SERVICE)
			collect_definition(&collector, &statement->service);
		else if (statement->kind == AST_EXTEND_TAG)
			collect_extension(&collector, statement->extend_tag);
	}
	for (size_t i = 0; i < store->own_count; i++)
		collect_tags(&collector, store->own[i]);
	check_extensions(&collector);
}
