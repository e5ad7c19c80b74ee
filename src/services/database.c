/* Definitions to tuples, and what the rest of the compiler asks for.
 *
 * Resolving goes depth first, at most SERVICE_DEPTH deep; the way down is a list of frames, so
 * that a cycle can be told link by link. */
#include "services/database.h"

#include <assert.h>
#include <string.h>

#include "base/pool.h"
#include "base/text.h"
#include "services/collect.h"
#include "services/definition.h"
#include "services/helper.h"
#include "services/trap.h"
#include "services/unknown.h"

/* A definition being resolved, and the word in it that leads further down. */
struct frame {
	struct service_database *database;
	struct definition *definition; /* NULL: the list of a rule */
	struct span link;
	const struct frame *outer;
	unsigned depth;
	bool is_except; /* behind `except`: no parts of the definition, no helper */
};

static bool resolve_below(struct frame *frame, struct definition *definition);

/* --- mistakes ------------------------------------------------------------------------------------ */

/* The frames from the one that resolves the definition down to the last one. */
static void report_cycle(const struct frame *last, const struct definition *definition)
{
	struct diags *diags = last->database->store->diags;
	const struct frame *links[SERVICE_DEPTH + 1];
	size_t count = 0;
	for (const struct frame *frame = last; frame != NULL; frame = frame->outer) {
		links[count++] = frame;
		if (frame->definition == definition)
			break;
	}
	struct diagnostic *error = diag_add(diags, CODE_SERVICE_CYCLE, definition->service.span,
					    "service '%s' contains itself", definition->service.name);
	for (size_t i = count; i > 0; i--) {
		const struct frame *frame = links[i - 1];
		const struct definition *next = i > 1 ? links[i - 2]->definition : definition;
		diag_note(diags, error, frame->link, "%s '%s' holds '%s'",
			  frame->definition->service.is_tag ? "tag" : "service",
			  frame->definition->service.name, next->service.name);
	}
}

static bool is_too_deep(const struct frame *frame, const struct definition *definition)
{
	if (frame->depth < SERVICE_DEPTH)
		return false;
	diag_add(frame->database->store->diags, CODE_TOO_DEEP, frame->link,
		 "service '%s' is more than %d services deep in others", definition->service.name,
		 SERVICE_DEPTH);
	return true;
}

/* --- items ----------------------------------------------------------------------------------------- */

static bool add_literal(struct frame *frame, const struct ast_service *item, const char *helper,
			struct service_uses *uses)
{
	struct service_store *store = frame->database->store;
	store->literal.tuples_count = 0;
	if (!service_literal_resolve(store->pool, store->diags, item, &store->literal))
		return false;
	uses_add(store->pool, uses, helper, &store->literal);
	return true;
}

static void add_service(struct service_store *store, const struct service *service,
			struct service_uses *uses)
{
	for (size_t i = 0; i < service->uses.uses_count; i++)
		uses_add(store->pool, uses, service->uses.uses[i].helper,
			 &service->uses.uses[i].tuples);
}

/* The service of a name in a list, resolved; NULL: reported. */
static struct definition *named(struct frame *frame, const struct ast_word *word)
{
	if (word->is_reported)
		return NULL;
	struct definition *definition = definition_find(frame->database, word->text, word->length);
	if (definition == NULL) {
		unknown_service(frame->database, word);
		return NULL;
	}
	frame->link = word->span;
	return resolve_below(frame, definition) ? definition : NULL;
}

/* All items, also after a mistake, so that every one is reported. */
static bool add_items(struct frame *frame, const struct ast_service *item, struct service_uses *uses)
{
	struct service_store *store = frame->database->store;
	struct definition *owner = frame->definition;
	const char *helper = owner == NULL || frame->is_except ? NULL : owner->service.helper;
	bool is_good = true;
	for (; item != NULL; item = item->next) {
		if (item->kind != AST_SERVICE_NAME) {
			is_good = add_literal(frame, item, helper, uses) && is_good;
			continue;
		}
		struct definition *part = named(frame, item->word);
		is_good = is_good && part != NULL;
		if (part == NULL)
			continue;
		add_service(store, &part->service, uses);
		if (owner != NULL && !frame->is_except)
			*pool_append(store->pool, &owner->service, parts) = &part->service;
	}
	return is_good;
}

static bool subtract_items(struct frame *frame, const struct ast_service *item,
			   struct service_uses *uses)
{
	void *pool = frame->database->store->pool;
	struct service_uses taken = { 0 };
	frame->is_except = true;
	bool is_good = add_items(frame, item, &taken);
	uses_finish(pool, &taken);
	struct tuple_set tuples = uses_union(pool, &taken);
	uses_subtract(pool, uses, &tuples);
	return is_good;
}

/* A whole list, after except. */
static bool resolve_list(struct frame *frame, const struct ast_services *list,
			 struct service_uses *uses)
{
	struct service_store *store = frame->database->store;
	bool is_good = add_items(frame, list->items, uses);
	uses_finish(store->pool, uses);
	if (list->except != NULL)
		is_good = subtract_items(frame, list->except, uses) && is_good;
	if (list->items == NULL && store->has_syntax_errors)
		return false; /* its lines may be among what the parser left out */
	if (is_good && uses->uses_count == 0) {
		diag_add(store->diags, CODE_SERVICE_EMPTY,
			 list->items == NULL && frame->definition != NULL
				 ? frame->definition->service.span
				 : list->span,
			 list->except != NULL ? "nothing is left after 'except'"
					      : "the service holds nothing");
		return false;
	}
	return is_good;
}

/* --- definitions -------------------------------------------------------------------------------------- */

/* The helper sees packets of its own protocols only; a wrong pair would not load. */
static bool helper_fits(struct service_store *store, const struct definition *definition)
{
	const struct service *service = &definition->service;
	const struct helper *helper =
		service->helper == NULL ? NULL : helper_find(service->helper, strlen(service->helper));
	bool has_fitting = helper == NULL;
	if (helper == NULL)
		return true;
	for (size_t i = 0; i < service->uses.uses_count; i++) {
		const struct service_use *use = &service->uses.uses[i];
		if (use->helper == NULL || strcmp(use->helper, helper->name) != 0)
			continue;
		has_fitting = true;
		for (size_t j = 0; j < use->tuples.tuples_count; j++) {
			if (helper_takes(helper, use->tuples.tuples[j].protocol))
				continue;
			diag_add(store->diags, CODE_UNKNOWN_HELPER, definition->ast->helper->span,
				 "helper '%s' follows %s only", helper->name,
				 helper->has_tcp && helper->has_udp ? "tcp and udp"
				 : helper->has_tcp		    ? "tcp"
								    : "udp");
			return false;
		}
	}
	if (!has_fitting)
		diag_add(store->diags, CODE_UNKNOWN_HELPER, definition->ast->helper->span,
			 "helper '%s' has no ports of this service to follow", helper->name);
	return has_fitting;
}

static bool is_part_already(const struct service *tag, const struct service *member)
{
	for (size_t i = 0; i < tag->parts_count; i++)
		if (tag->parts[i] == member)
			return true;
	return false;
}

/* An override may have given up the tag. */
static bool add_member(struct frame *frame, struct definition *member, bool may_be_twice)
{
	struct definition *tag = frame->definition, *current = definition_current(member);
	if (!definition_has_tag(current, tag->service.name) ||
	    (may_be_twice && is_part_already(&tag->service, &current->service)))
		return true;
	frame->link = tag->service.span;
	if (!resolve_below(frame, current))
		return false;
	*pool_append(frame->database->store->pool, &tag->service, parts) = &current->service;
	add_service(frame->database->store, &current->service, &tag->service.uses);
	return true;
}

static bool resolve_tag(struct frame *frame)
{
	struct definition *tag = frame->definition;
	const struct builtin_tag *builtin = tag->builtin_tag;
	bool is_good = true;
	for (size_t i = 0; builtin != NULL && i < builtin->members_count; i++)
		is_good = add_member(frame, definition_builtin(frame->database, builtin->members[i]),
				     false) && is_good;
	for (size_t i = 0; i < tag->members_count; i++)
		is_good = add_member(frame, tag->members[i], tag->members[i]->replaces != NULL) &&
			  is_good;
	uses_finish(frame->database->store->pool, &tag->service.uses);
	if (is_good && tag->service.uses.uses_count == 0) {
		diag_add(frame->database->store->diags, CODE_SERVICE_EMPTY, frame->outer->link,
			 "no service carries the tag '%s' any more", tag->service.name);
		return false;
	}
	return is_good;
}

static bool resolve_body(struct frame *frame)
{
	struct definition *definition = frame->definition;
	struct service_store *store = frame->database->store;
	if (definition->ast == NULL)
		return resolve_tag(frame);
	return resolve_list(frame, &definition->ast->services, &definition->service.uses) &&
	       helper_fits(store, definition);
}

static bool resolve_below(struct frame *outer, struct definition *definition)
{
	switch (definition->state) {
	case DEFINITION_RESOLVED:
		return true;
	case DEFINITION_BROKEN:
		return false;
	case DEFINITION_RESOLVING:
		report_cycle(outer, definition);
		return false;
	case DEFINITION_READ:
		break;
	}
	if (is_too_deep(outer, definition))
		return false;
	struct frame frame = { .database = outer->database, .definition = definition,
			       .link = SPAN_NONE, .outer = outer,
			       .depth = outer->depth + 1 };
	definition->state = DEFINITION_RESOLVING;
	bool is_good = resolve_body(&frame);
	definition->service.own = uses_union(outer->database->store->pool, &definition->service.uses);
	definition->state = is_good ? DEFINITION_RESOLVED : DEFINITION_BROKEN;
	return is_good;
}

bool definition_resolve(struct service_database *database, struct definition *definition)
{
	struct frame root = { .database = database, .link = definition->service.span };
	return resolve_below(&root, definition);
}

/* --- lists of rules ---------------------------------------------------------------------------------------- */

static void add_key(struct text *key, const struct ast_service *item)
{
	for (; item != NULL; item = item->next) {
		text_add_char(key, item->kind == AST_SERVICE_ANY ? '*' : ',');
		if (item->word != NULL)
			text_add_bytes(key, item->word->text, item->word->length);
		if (item->protocol != NULL) {
			text_add_char(key, '\n'); /* no word holds it */
			text_add_bytes(key, item->protocol->text, item->protocol->length);
		}
		if (item->sport != NULL) {
			text_add_char(key, '\t');
			text_add_bytes(key, item->sport->text, item->sport->length);
		}
	}
}

static void **list_slot(struct service_store *store, const struct ast_services *list)
{
	struct text *key = store->list_key;
	key->length = 0;
	add_key(key, list->items);
	text_add_char(key, '\r');
	add_key(key, list->except);
	return interned_slot(store->lists, key->bytes, key->length);
}

static void mark_used(struct service *service)
{
	if (service->is_used)
		return;
	service->is_used = true;
	for (size_t i = 0; i < service->parts_count; i++)
		mark_used((struct service *)service->parts[i]); /* ours, seen from the public side */
}

static size_t count_items(const struct ast_service *item)
{
	size_t count = 0;
	for (; item != NULL; item = item->next)
		count++;
	return count;
}

static const char *word_of(struct arena *arena, const struct ast_service *item)
{
	if (item->kind == AST_SERVICE_NAME)
		return item->word->text;
	if (item->kind == AST_SERVICE_ANY)
		return "any";
	size_t size = item->word->length + 1 + item->protocol->length + 1;
	char *word = arena_bytes(arena, size);
	memcpy(word, item->word->text, item->word->length);
	word[item->word->length] = '/';
	memcpy(word + item->word->length + 1, item->protocol->text, item->protocol->length);
	return word;
}

static void list_words(struct service_database *database, const struct ast_services *ast,
		       struct service_list *list)
{
	struct service_store *store = database->store;
	list->words = arena_array(store->arena, struct service_word, count_items(ast->items));
	for (const struct ast_service *item = ast->items; item != NULL; item = item->next) {
		struct definition *definition =
			item->kind == AST_SERVICE_NAME
				? definition_find(database, item->word->text, item->word->length)
				: NULL;
		if (definition != NULL)
			mark_used(&definition->service);
		list->words[list->words_count++] = (struct service_word){
			.word = word_of(store->arena, item),
			.service = definition == NULL ? NULL : &definition->service,
		};
	}
}

#define GATHER_MOST 64

/* Names of services without helpers and with whole source ports, as most lists are: gathered on
 * the stack. false: the general way. */
static bool gather(struct service_store *store, const struct ast_services *ast,
		   struct service_list *list)
{
	struct service_tuple tuples[GATHER_MOST];
	size_t count = 0;
	if (ast->except != NULL)
		return false;
	for (size_t i = 0; i < list->words_count; i++) {
		const struct service *service = list->words[i].service;
		if (service == NULL || service->uses.uses_count != 1 ||
		    service->uses.uses[0].helper != NULL ||
		    count + service->own.tuples_count > GATHER_MOST)
			return false;
		memcpy(tuples + count, service->own.tuples,
		       service->own.tuples_count * sizeof *tuples);
		count += service->own.tuples_count;
	}
	if (!tuples_join_simple(tuples, &count))
		return false;
	struct service_use use = { .tuples = { .tuples_count = count, .tuples_capacity = count } };
	use.tuples.tuples = arena_copy(store->arena, tuples, count * sizeof *tuples);
	list->uses.uses = arena_copy(store->arena, &use, sizeof use);
	list->uses.uses_count = list->uses.uses_capacity = 1;
	return true;
}

/* Every name known and resolved? Reports nothing. */
static bool is_resolved(struct service_database *database, const struct ast_service *item)
{
	for (; item != NULL; item = item->next) {
		if (item->kind != AST_SERVICE_NAME)
			return false;
		struct definition *definition =
			definition_find(database, item->word->text, item->word->length);
		if (definition == NULL || definition->state != DEFINITION_RESOLVED)
			return false;
	}
	return true;
}

static struct service_list *list_new(struct service_database *database,
				     const struct ast_services *ast)
{
	struct service_store *store = database->store;
	struct service_list *list = arena_new_item(store->arena, struct service_list);
	struct frame root = { .database = database };
	if (is_resolved(database, ast->items)) {
		list_words(database, ast, list);
		if (list->words_count == 1 && ast->except == NULL) {
			list->uses = list->words[0].service->uses;
			return list;
		}
		if (gather(store, ast, list))
			return list;
		list->words_count = 0;
	}
	if (!resolve_list(&root, ast, &list->uses))
		return NULL;
	list_words(database, ast, list);
	return list;
}

const struct service_list *service_list_resolve(struct service_database *database,
						const struct ast_services *ast)
{
	void **slot = list_slot(database->store, ast);
	if (*slot != NULL)
		return *slot;
	struct service_list *list = list_new(database, ast);
	/* not kept when broken: the next rule is told, too */
	*slot = list;
	return list;
}

/* --- the database --------------------------------------------------------------------------------------------- */

/* Mistakes of the program's own definitions are told whether they are used or not. */
static void resolve_own(struct service_database *database)
{
	struct service_store *store = database->store;
	for (size_t i = 0; i < store->own_count; i++) {
		struct definition *definition = store->own[i];
		definition_resolve(database, definition);
		for (const struct ast_service *item = definition->ast->services.items; item != NULL;
		     item = item->next) {
			struct definition *part =
				item->kind != AST_SERVICE_NAME
					? NULL
					: definition_find(database, item->word->text,
							  item->word->length);
			if (part != NULL)
				trap_warn(store->diags, &part->service, item->word->span);
		}
	}
}

struct service_database *service_database_new(void *pool, struct diags *diags,
					      const struct program *program)
{
	struct service_database *database = pool_new(pool, struct service_database);
	struct service_store *store = pool_new(database, struct service_store);
	store->pool = store;
	store->diags = diags;
	store->has_syntax_errors = diags_has_errors(diags);
	store->arena = arena_new(store);
	store->builtins = pool_array(store, struct definition *, builtin_data.definitions_count);
	store->builtin_tags = pool_array(store, struct definition *, builtin_data.tags_count);
	store->file_sources = pool_array(store, uint32_t, builtin_data.files_count);
	store->lists = interned_new(store, store->arena);
	store->list_key = text_new(store);
	database->by_name = names_new(database, true);
	database->store = store;
	if (program != NULL) {
		collect_definitions(database, program);
		resolve_own(database);
	}
	return database;
}

const struct service *service_find(struct service_database *database, const char *name, size_t length,
				   bool *is_known)
{
	struct definition *definition = definition_find(database, name, length);
	*is_known = definition != NULL;
	if (definition == NULL || !definition_resolve(database, definition))
		return NULL;
	return &definition->service;
}

static void add_item(struct service_database *database, struct definition *definition)
{
	definition_resolve(database, definition);
	*pool_append(database, database, items) = &definition->service;
}

static bool replaces_builtin(const struct definition *definition)
{
	while (definition->replaces != NULL)
		definition = definition->replaces;
	return definition->service.is_builtin;
}

void service_database_resolve_all(struct service_database *database)
{
	struct service_store *store = database->store;
	database->items_count = 0;
	for (size_t i = 0; i < builtin_data.definitions_count; i++)
		add_item(database, definition_current(definition_builtin(database, (uint32_t)i)));
	for (size_t i = 0; i < store->own_count; i++) {
		struct definition *definition = store->own[i];
		if (definition->replaced_by == NULL && !replaces_builtin(definition))
			add_item(database, definition);
	}
	for (size_t i = 0; i < builtin_data.tags_count; i++)
		add_item(database, definition_builtin_tag(database, (uint32_t)i));
	for (size_t i = 0; i < store->own_tags_count; i++)
		add_item(database, store->own_tags[i]);
}

size_t service_own_count(const struct service_database *database)
{
	return database->store->own_count;
}

const struct service *service_own(const struct service_database *database, size_t index)
{
	return &database->store->own[index]->service;
}
