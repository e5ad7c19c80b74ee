/* Finding and reading definitions.
 *
 * A built-in definition is parsed from its slice of the profile when it is first asked for. Its
 * spans are then moved to the whole profile, so that messages and `fwc service show` name the
 * line in the file. */
#include "services/definition.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "services/helper.h"

struct definition *definition_current(struct definition *definition)
{
	while (definition->replaced_by != NULL)
		definition = definition->replaced_by;
	return definition;
}

bool definition_has_tag(const struct definition *definition, const char *tag)
{
	const struct service *service = &definition->service;
	for (size_t i = 0; i < service->tags_count; i++)
		if (strcasecmp(service->tags[i], tag) == 0)
			return true;
	return false;
}

/* --- from the tree ----------------------------------------------------------------------------- */

static const char *const status_words[] = {
	[SERVICE_CURRENT] = "current",
	[SERVICE_UNOFFICIAL] = "unofficial",
	[SERVICE_HISTORIC] = "historic",
	[SERVICE_INSECURE] = "insecure",
};

/* Wrong words are reported where definitions of users are checked. */
static enum service_status status_of(const struct ast_word *word)
{
	if (word != NULL)
		for (unsigned i = 0; i < sizeof status_words / sizeof *status_words; i++)
			if (strcmp(word->text, status_words[i]) == 0)
				return (enum service_status)i;
	return SERVICE_CURRENT;
}

struct definition *definition_new(void *pool, const struct ast_service_def *ast)
{
	struct definition *definition = pool_new(pool, struct definition);
	struct service *service = &definition->service;
	definition->ast = ast;
	service->name = ast->name->text;
	service->span = ast->name->span;
	service->description = ast->description == NULL ? "" : ast->description->text;
	service->status = status_of(ast->status);
	for (const struct ast_word *word = ast->aliases; word != NULL; word = word->next)
		*pool_append(pool, service, aliases) = word->text;
	for (const struct ast_word *word = ast->tags; word != NULL; word = word->next)
		*pool_append(pool, service, tags) = word->text;
	for (const struct ast_word *word = ast->sources; word != NULL; word = word->next)
		*pool_append(pool, service, sources) = word->text;
	if (ast->helper != NULL) {
		const struct helper *helper = helper_find(ast->helper->text, ast->helper->length);
		service->helper = helper == NULL ? NULL : helper->name;
	}
	return definition;
}

/* --- built-in definitions ------------------------------------------------------------------------ */

static void move_span(struct span *span, uint32_t source, uint32_t offset)
{
	if (span->source != UINT32_MAX)
		*span = (struct span){ source, span->begin + offset, span->end + offset };
}

static void move_words(struct ast_word *word, uint32_t source, uint32_t offset)
{
	for (; word != NULL; word = word->next)
		move_span(&word->span, source, offset);
}

static void move_services(struct ast_service *service, uint32_t source, uint32_t offset)
{
	for (; service != NULL; service = service->next) {
		move_span(&service->span, source, offset);
		move_words(service->word, source, offset);
		move_words(service->protocol, source, offset);
		move_words(service->sport, source, offset);
	}
}

static void move_definition(struct ast_service_def *ast, uint32_t source, uint32_t offset)
{
	move_words(ast->name, source, offset);
	move_span(&ast->services.span, source, offset);
	move_services(ast->services.items, source, offset);
	move_services(ast->services.except, source, offset);
	move_words(ast->helper, source, offset);
}

static uint32_t source_of_file(struct service_store *store, uint32_t number)
{
	const struct builtin_file *file = &builtin_data.files[number];
	if (store->file_sources[number] == 0)
		store->file_sources[number] = 1 + sources_add(store->diags->sources, file->name,
							      file->bytes, file->length, true);
	return store->file_sources[number] - 1;
}

/* One source serves for all slices: the next one takes the place of the text before. */
static uint32_t source_of_slice(struct service_store *store, const char *bytes, size_t length)
{
	struct sources *sources = store->diags->sources;
	if (store->slice_source == 0)
		store->slice_source = 1 + sources_add(sources, "<built-in>", bytes, length, true);
	struct source *source = sources->items[store->slice_source - 1];
	source->bytes = bytes;
	source->length = length;
	return store->slice_source - 1;
}

static struct ast_service_def *parse_builtin(struct service_store *store, uint32_t index)
{
	const struct builtin_definition *builtin = &builtin_data.definitions[index];
	size_t length = builtin->end - builtin->begin;
	const char *bytes = pool_strndup(
		store->pool, builtin_data.files[builtin->file].bytes + builtin->begin, length);
	struct ast_file *file = parse_source(store->pool, store->diags,
					     source_of_slice(store, bytes, length));
	assert(file->statements != NULL && file->statements->kind == AST_SERVICE);
	struct ast_service_def *ast = &file->statements->service;
	move_definition(ast, source_of_file(store, builtin->file), builtin->begin);
	return ast;
}

struct definition *definition_builtin(struct service_database *database, uint32_t index)
{
	struct service_store *store = database->store;
	struct definition **place = &store->builtins[index];
	if (*place == NULL) {
		*place = definition_new(store->pool, parse_builtin(store, index));
		(*place)->service.is_builtin = true;
	}
	return *place;
}

struct definition *definition_builtin_tag(struct service_database *database, uint32_t index)
{
	struct service_store *store = database->store;
	struct definition **place = &store->builtin_tags[index];
	if (*place == NULL) {
		*place = pool_new(store->pool, struct definition);
		(*place)->builtin_tag = &builtin_data.tags[index];
		(*place)->service = (struct service){
			.name = builtin_data.tags[index].name,
			.description = "",
			.span = SPAN_NONE,
			.is_builtin = true,
			.is_tag = true,
		};
	}
	return *place;
}

/* --- names ----------------------------------------------------------------------------------------- */

struct definition *definition_find(struct service_database *database, const char *name,
				   size_t length)
{
	struct definition *known = names_find(database->by_name, name, length);
	if (known != NULL)
		return definition_current(known);
	const struct builtin_key *key = builtin_find(name, length);
	if (key == NULL)
		return NULL;
	known = key->kind == BUILTIN_TAG ? definition_builtin_tag(database, key->index)
					 : definition_builtin(database, key->index);
	names_set(database->by_name, name, length, known);
	return definition_current(known);
}
