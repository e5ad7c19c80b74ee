/* Constructors of the tree: see ast_build.h. */
#include "ast/ast_build.h"

#include <string.h>

#include "ast/shape.h"
#include "base/pool.h"

struct ast_builder *ast_builder_new(void *pool, struct diags *diags, uint32_t source)
{
	struct ast_builder *builder = pool_new(pool, struct ast_builder);
	builder->diags = diags;
	builder->file = pool_new(pool, struct ast_file);
	builder->file->nodes = pool_child(pool, "nodes");
	builder->arena = arena_new(builder->file->nodes);
	builder->texts = arena_new(pool);
	builder->file->source = source;
	builder->bytes = diags->sources->items[source]->bytes;
	return builder;
}

void *ast_node(struct ast_builder *builder, size_t size)
{
	return arena_bytes(builder->arena, size);
}

#define NODE(builder, type) ((type *)ast_node((builder), sizeof(type)))

/* --- words ------------------------------------------------------------------------ */

struct ast_word *ast_checked_word(struct ast_builder *builder, struct span span,
				  enum ast_word_kind kind, bool is_reported)
{
	const char *bytes = builder->bytes + span.begin;
	size_t length = span.end - span.begin;
	bool is_quoted = length > 0 && bytes[0] == '"';
	if (is_quoted) {
		bytes++;
		length--;
		if (length > 0 && bytes[length - 1] == '"')
			length--;
	}
	struct ast_word *word = ast_node(builder, sizeof *word);
	char *text = arena_bytes(builder->texts, length + 1);
	memcpy(text, bytes, length);
	word->span = span;
	word->text = text;
	word->length = length;
	word->kind = kind;
	word->is_quoted = is_quoted;
	word->is_reported = is_reported;
	return word;
}

struct ast_word *ast_word(struct ast_builder *builder, struct span span, enum ast_word_kind kind)
{
	return ast_checked_word(builder, span, kind, false);
}

struct ast_word *ast_quoted_name(struct ast_builder *builder, struct span span, bool is_reported)
{
	struct ast_word *word = ast_checked_word(builder, span, AST_WORD_STRING, is_reported);
	if (word->length == 0 && !is_reported) {
		diag_add(builder->diags, CODE_BAD_STRING, span, "a name cannot be empty");
		word->is_reported = true;
	}
	return word;
}

struct ast_words ast_words_append(struct ast_words list, struct ast_word *word)
{
	if (list.last == NULL)
		return (struct ast_words){ word, word };
	list.last->next = word;
	list.last = word;
	return list;
}

struct ast_words ast_words_append_comma(struct ast_words list, struct ast_word *word)
{
	word->follows_comma = true;
	return ast_words_append(list, word);
}

struct ast_words ast_words_join(struct ast_words left, struct ast_words right)
{
	left.last->next = right.first;
	left.last = right.last;
	return left;
}

struct ast_words ast_schedule_group(struct ast_builder *builder, struct ast_words days,
				    struct ast_word *times)
{
	struct ast_words pairs = { NULL, NULL };
	for (struct ast_word *day = days.first, *next; day != NULL; day = next) {
		next = day->next;
		day->next = NULL;
		struct ast_word *copy = times;
		if (next != NULL) {
			copy = NODE(builder, struct ast_word);
			*copy = *times;
		}
		pairs = ast_words_append(ast_words_append(pairs, day), copy);
	}
	return pairs;
}

/* --- services --------------------------------------------------------------------- */

static struct ast_service *service_new(struct ast_builder *builder, enum ast_service_kind kind,
				       struct span span)
{
	struct ast_service *service = NODE(builder, struct ast_service);
	service->kind = kind;
	service->span = span;
	return service;
}

struct ast_service *ast_service_name(struct ast_builder *builder, struct ast_word *name)
{
	struct ast_service *service = service_new(builder, AST_SERVICE_NAME, name->span);
	service->word = name;
	return service;
}

struct ast_service *ast_service_any(struct ast_builder *builder, struct span span)
{
	return service_new(builder, AST_SERVICE_ANY, span);
}

/* A literal is one word to its reader: "8443 / tcp" is told to be written as one. */
static void check_joined(struct ast_builder *builder, const struct ast_word *left,
			 struct span slash, const struct ast_word *right)
{
	if (left->span.end == slash.begin && slash.end == right->span.begin)
		return;
	diag_add(builder->diags, CODE_SYNTAX, span_join(left->span, right->span),
		 "no blanks inside: write '%s/%s'", left->text, right->text);
}

struct ast_service *ast_service_literal(struct ast_builder *builder, struct ast_word *ports,
					struct span slash, struct ast_word *protocol)
{
	check_joined(builder, ports, slash, protocol);
	struct ast_service *service = service_new(builder, AST_SERVICE_LITERAL,
						  span_join(ports->span, protocol->span));
	service->word = ports;
	service->protocol = protocol;
	return service;
}

struct ast_service *ast_service_sport(struct ast_service *service, struct ast_word *ports)
{
	service->sport = ports;
	service->span = span_join(service->span, ports->span);
	return service;
}

struct ast_service_list ast_services_append(struct ast_service_list list,
					    struct ast_service *service)
{
	if (list.last == NULL)
		return (struct ast_service_list){ service, service };
	list.last->next = service;
	list.last = service;
	return list;
}

struct ast_services ast_services(struct span span, struct ast_service_list items,
				 struct ast_service_list except)
{
	return (struct ast_services){ .span = span, .items = items.first, .except = except.first };
}

/* --- places ----------------------------------------------------------------------- */

struct ast_place *ast_place(struct ast_builder *builder, enum ast_place_kind kind,
			    struct ast_word *word)
{
	struct ast_place *place = NODE(builder, struct ast_place);
	place->kind = kind;
	place->span = word->span;
	place->word = word;
	return place;
}

struct ast_place *ast_place_file(struct ast_builder *builder, struct span span,
				 struct ast_word *path, bool may_be_empty)
{
	struct ast_place *place = ast_place(builder, AST_PLACE_FILE, path);
	place->span = span;
	place->may_be_empty = may_be_empty;
	return place;
}

struct ast_place_list ast_places_append(struct ast_place_list list, struct ast_place *place)
{
	if (list.last == NULL)
		return (struct ast_place_list){ place, place };
	list.last->next = place;
	list.last = place;
	return list;
}

struct ast_places *ast_places(struct ast_builder *builder, struct span span,
			      struct ast_place_list items, struct ast_place_list except)
{
	struct ast_places *places = NODE(builder, struct ast_places);
	places->span = span;
	places->items = items.first;
	places->except = except.first;
	return places;
}

/* --- options ---------------------------------------------------------------------- */

struct ast_option *ast_option(struct ast_builder *builder, enum ast_option_kind kind,
			      struct span span, struct ast_word *word)
{
	struct ast_option *option = NODE(builder, struct ast_option);
	option->kind = kind;
	option->span = span;
	option->word = word;
	return option;
}

struct ast_rate ast_rate(struct ast_builder *builder, struct ast_word *number, struct span slash,
			 struct ast_word *unit)
{
	check_joined(builder, number, slash, unit);
	return (struct ast_rate){ number, unit };
}

struct ast_option *ast_limit(struct ast_builder *builder, struct span span, struct ast_rate rate,
			     struct ast_word *burst, bool is_per_source)
{
	struct ast_option *option = ast_option(builder, AST_OPTION_LIMIT, span, rate.number);
	option->unit = rate.unit;
	option->burst = burst;
	option->is_per_source = is_per_source;
	return option;
}

struct ast_option_list ast_options_append(struct ast_option_list list, struct ast_option *option)
{
	if (list.last == NULL)
		return (struct ast_option_list){ option, option };
	list.last->next = option;
	list.last = option;
	return list;
}

/* --- properties ------------------------------------------------------------------- */

struct ast_property *ast_property(struct ast_builder *builder, struct span span,
				  struct ast_word *key, struct ast_words words)
{
	struct ast_property *property = NODE(builder, struct ast_property);
	property->span = span;
	property->key = key;
	property->words = words.first;
	return property;
}

struct ast_property *ast_property_block(struct ast_builder *builder, struct span span,
					struct ast_word *key, struct ast_words words,
					struct ast_property_list children)
{
	struct ast_property *property = ast_property(builder, span, key, words);
	property->children = children.first;
	property->has_block = true;
	return property;
}

struct ast_property *ast_property_services(struct ast_builder *builder, struct span span,
					   struct ast_services services)
{
	struct span start = { span.source, span.begin, span.begin };
	struct ast_property *property =
		ast_property(builder, span, ast_word(builder, start, AST_WORD_NAME),
			     (struct ast_words){ NULL, NULL });
	property->services = NODE(builder, struct ast_services);
	*property->services = services;
	return property;
}

struct ast_property *ast_property_places(struct ast_builder *builder, struct span span,
					 struct ast_word *key, struct ast_places *left,
					 struct ast_places *right)
{
	struct ast_property *property =
		ast_property(builder, span, key, (struct ast_words){ NULL, NULL });
	property->places = left;
	property->places_right = right;
	return property;
}

struct ast_property *ast_property_end(struct ast_property *property, struct span end)
{
	property->span = span_join(property->span, end);
	return property;
}

struct ast_property_list ast_properties_append(struct ast_property_list list,
					       struct ast_property *property)
{
	if (property == NULL)
		return list;
	if (list.last == NULL)
		return (struct ast_property_list){ property, property };
	list.last->next = property;
	list.last = property;
	return list;
}

/* --- definitions ------------------------------------------------------------------ */

static struct ast_statement *statement_new(struct ast_builder *builder, enum ast_kind kind,
					   struct span span)
{
	struct ast_statement *statement = NODE(builder, struct ast_statement);
	statement->kind = kind;
	statement->span = span;
	return statement;
}

struct ast_statement *ast_policy(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_word *version)
{
	struct ast_statement *statement = statement_new(builder, AST_POLICY, span);
	statement->policy = (struct ast_policy){ .name = name, .version = version };
	return statement;
}

struct ast_statement *ast_include(struct ast_builder *builder, struct span span,
				  struct ast_word *path)
{
	struct ast_statement *statement = statement_new(builder, AST_INCLUDE, span);
	statement->include = path;
	return statement;
}

struct ast_statement *ast_service_list_def(struct ast_builder *builder, struct span span,
					   struct ast_word *name, struct ast_word *description,
					   struct ast_services services)
{
	struct ast_statement *statement = statement_new(builder, AST_SERVICE, span);
	statement->service = (struct ast_service_def){
		.name = name, .description = description, .services = services
	};
	return statement;
}

/* The places where words of a service's properties are gathered, by key. */
static struct ast_word **service_property_end(struct ast_service_def *def, const char *key)
{
	const struct {
		const char *key;
		struct ast_word **list;
	} rows[] = {
		{ "alias", &def->aliases }, { "helper", &def->helper }, { "source", &def->sources },
		{ "status", &def->status }, { "tag", &def->tags },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].list;
	return NULL;
}

static struct ast_word *copied_words(struct ast_builder *builder, const struct ast_word *words)
{
	struct ast_words copies = { NULL, NULL };
	for (; words != NULL; words = words->next) {
		struct ast_word *copy = NODE(builder, struct ast_word);
		*copy = *words;
		copy->next = NULL;
		copies = ast_words_append(copies, copy);
	}
	return copies.first;
}

static void gather_words(struct ast_builder *builder, struct ast_service_def *def,
			 const struct ast_property *property)
{
	struct ast_word **end = service_property_end(def, property->key->text);
	if (end == NULL)
		return;
	bool is_single = end == &def->status || end == &def->helper;
	if (is_single && *end != NULL) {
		struct diagnostic *twice = diag_add(builder->diags, CODE_PROPERTY_TWICE,
						    property->span, "'%s' is said twice",
						    property->key->text);
		diag_note(builder->diags, twice, (*end)->span, "it is said here before");
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = copied_words(builder, property->words);
}

/* The def's services are copies: the properties keep the lines as written. */
static struct ast_services gathered_services(struct ast_builder *builder, struct span span,
					     const struct ast_property *properties)
{
	struct ast_service_list all = { NULL, NULL };
	for (; properties != NULL; properties = properties->next) {
		if (properties->services == NULL)
			continue;
		const struct ast_service *service = properties->services->items;
		for (; service != NULL; service = service->next) {
			struct ast_service *copy = NODE(builder, struct ast_service);
			*copy = *service;
			copy->next = NULL;
			all = ast_services_append(all, copy);
		}
	}
	return ast_services(span, all, (struct ast_service_list){ NULL, NULL });
}

struct ast_statement *ast_service_block_def(struct ast_builder *builder, struct span span,
					    struct ast_word *name, struct ast_word *description,
					    struct ast_property_list properties)
{
	struct ast_statement *statement = ast_service_list_def(
		builder, span, name, description,
		gathered_services(builder, span, properties.first));
	statement->service.is_block = true;
	statement->service.properties = properties.first;
	const struct ast_property *property = properties.first;
	for (; property != NULL; property = property->next)
		gather_words(builder, &statement->service, property);
	return statement;
}

struct ast_statement *ast_override(struct ast_statement *service, struct span span)
{
	service->service.is_override = true;
	service->span = span;
	return service;
}

struct ast_statement *ast_extend_tag(struct ast_builder *builder, struct span span,
				     struct ast_word *name)
{
	struct ast_statement *statement = statement_new(builder, AST_EXTEND_TAG, span);
	statement->extend_tag = name;
	return statement;
}

struct ast_statement *ast_place_def(struct ast_builder *builder, enum ast_kind kind,
				    struct span span, struct ast_word *name,
				    struct ast_places *places)
{
	struct ast_statement *statement = statement_new(builder, kind, span);
	statement->place = (struct ast_place_def){ .name = name, .places = *places };
	return statement;
}

struct ast_statement *ast_zone(struct ast_builder *builder, struct span span,
			       struct ast_word *name, struct ast_property_list properties)
{
	struct ast_statement *statement = statement_new(builder, AST_ZONE, span);
	statement->zone = (struct ast_zone){ .name = name, .properties = properties.first };
	return statement;
}

struct ast_statement *ast_schedule(struct ast_builder *builder, struct span span,
				   struct ast_word *name, struct ast_words spans)
{
	struct ast_statement *statement = statement_new(builder, AST_SCHEDULE, span);
	statement->schedule = (struct ast_schedule){ .name = name, .spans = spans.first };
	return statement;
}

struct ast_statement *ast_timezone(struct ast_builder *builder, struct span span,
				   struct ast_word *offset)
{
	struct ast_statement *statement = statement_new(builder, AST_TIMEZONE, span);
	statement->timezone = offset;
	return statement;
}

struct ast_statement *ast_device(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_property_list properties)
{
	struct ast_statement *statement = statement_new(builder, AST_DEVICE, span);
	statement->device = (struct ast_device){ .name = name, .properties = properties.first };
	shape_check(builder->diags, SHAPE_DEVICE, properties.first);
	return statement;
}

struct ast_statement *ast_tunnel(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_property_list properties)
{
	struct ast_statement *statement = statement_new(builder, AST_TUNNEL, span);
	statement->tunnel = (struct ast_tunnel){ .name = name, .properties = properties.first };
	shape_check(builder->diags, SHAPE_TUNNEL, properties.first);
	return statement;
}

/* --- rules ------------------------------------------------------------------------ */

struct ast_statement *ast_rule(struct ast_builder *builder, struct span span,
			       struct span verdict_span, enum ast_verdict verdict,
			       struct ast_services services, struct ast_sides sides,
			       struct ast_option_list options)
{
	struct ast_statement *statement = statement_new(builder, AST_RULE, span);
	statement->rule = (struct ast_rule){
		.verdict = verdict, .verdict_span = verdict_span, .services = services,
		.from = sides.from, .to = sides.to, .options = options.first,
	};
	return statement;
}

static bool may_stand_in_block(enum ast_kind kind)
{
	return kind == AST_RULE || kind == AST_BLOCK || kind == AST_ASSERT || kind == AST_EXPECT;
}

/* Takes what may not stand in a block out of its body, with an error for each. */
static struct ast_statement *checked_body(struct ast_builder *builder, struct span header,
					  struct ast_statement *body)
{
	struct ast_statement_list kept = { NULL, NULL };
	for (struct ast_statement *next; body != NULL; body = next) {
		next = body->next;
		body->next = NULL;
		if (may_stand_in_block(body->kind)) {
			kept = ast_statements_append(kept, body);
			continue;
		}
		struct diagnostic *misplaced = diag_add(
			builder->diags, CODE_MISPLACED_STATEMENT, body->span,
			"%s cannot stand inside a block", ast_kind_name(body->kind));
		diag_note(builder->diags, misplaced, header,
			  "a block holds rules, assert, expect and other blocks");
		body->next = builder->misplaced;
		builder->misplaced = body;
	}
	return kept.first;
}

struct ast_statement *ast_block(struct ast_builder *builder, struct span span,
				struct ast_sides sides, struct span open,
				struct ast_statement_list body, struct span close)
{
	struct ast_statement *statement = statement_new(builder, AST_BLOCK, span);
	struct span header = { span.source, span.begin, open.begin };
	statement->block = (struct ast_block){
		.from = sides.from, .to = sides.to, .open = open, .close = close,
		.body = checked_body(builder, header, body.first),
	};
	return statement;
}

struct ast_statement *ast_default(struct ast_builder *builder, struct span span,
				  struct ast_word *hook, enum ast_verdict verdict,
				  struct ast_option_list options)
{
	struct ast_statement *statement = statement_new(builder, AST_DEFAULT, span);
	statement->default_verdict = (struct ast_default){
		.hook = hook, .verdict = verdict, .options = options.first
	};
	return statement;
}

struct ast_statement *ast_source_nat(struct ast_builder *builder, enum ast_kind kind,
				     struct span span, struct ast_sides sides,
				     struct ast_word *as, struct ast_option_list options)
{
	struct ast_statement *statement = statement_new(builder, kind, span);
	statement->translation = (struct ast_translation){
		.from = sides.from, .to = sides.to, .as = as, .options = options.first
	};
	return statement;
}

struct ast_statement *ast_forward(struct ast_builder *builder, struct span span,
				  struct ast_services services, struct ast_places *from,
				  struct ast_word *at, struct ast_word *host,
				  struct ast_word *port)
{
	struct ast_statement *statement = statement_new(builder, AST_FORWARD, span);
	statement->translation = (struct ast_translation){
		.services = services, .from = from, .at = at, .host = host, .port = port
	};
	return statement;
}

struct ast_statement *ast_forward_options(struct ast_statement *forward, struct span span,
					  struct ast_option_list options)
{
	forward->translation.options = options.first;
	forward->span = span;
	return forward;
}

struct ast_statement *ast_assert(struct ast_builder *builder, struct span span,
				 enum ast_assert_kind kind, struct span verdict_span,
				 struct ast_services services, struct ast_sides sides,
				 struct ast_option_list options)
{
	struct ast_statement *statement = statement_new(builder, AST_ASSERT, span);
	statement->assertion = (struct ast_assert){
		.kind = kind,
		.rule = { .verdict_span = verdict_span, .services = services,
			  .from = sides.from, .to = sides.to, .options = options.first },
	};
	return statement;
}

struct ast_statement *ast_assert_about(struct ast_statement *rule, struct span span)
{
	struct ast_rule claim = rule->rule;
	rule->kind = AST_ASSERT;
	rule->span = span;
	rule->assertion = (struct ast_assert){ .kind = AST_ASSERT_VERDICT, .rule = claim };
	return rule;
}

struct ast_statement *ast_expect(struct ast_builder *builder, struct span span,
				 struct ast_word *finding, struct ast_word *because)
{
	struct ast_statement *statement = statement_new(builder, AST_EXPECT, span);
	statement->expect = (struct ast_expect){ .finding = finding, .because = because };
	return statement;
}

/* --- files ------------------------------------------------------------------------ */

struct ast_statement *ast_statement_end(struct ast_statement *statement, struct span end)
{
	statement->span = span_join(statement->span, end);
	return statement;
}

struct ast_statement_list ast_statements_append(struct ast_statement_list list,
						struct ast_statement *statement)
{
	if (statement == NULL)
		return list;
	if (list.last == NULL)
		return (struct ast_statement_list){ statement, statement };
	list.last->next = statement;
	list.last = statement;
	return list;
}

static bool is_rule_like(enum ast_kind kind)
{
	switch (kind) {
	case AST_RULE:
	case AST_BLOCK:
	case AST_DEFAULT:
	case AST_MASQUERADE:
	case AST_SNAT:
	case AST_FORWARD:
	case AST_ASSERT:
		return true;
	case AST_POLICY:
	case AST_INCLUDE:
	case AST_SERVICE:
	case AST_EXTEND_TAG:
	case AST_HOST:
	case AST_NETWORK:
	case AST_GROUP:
	case AST_ZONE:
	case AST_SCHEDULE:
	case AST_TIMEZONE:
	case AST_DEVICE:
	case AST_TUNNEL:
	case AST_EXPECT:
		return false;
	}
	return false;
}

void ast_lose_name(struct ast_builder *builder, struct span span)
{
	struct ast_word *name = ast_word(builder, span, AST_WORD_NAME);
	name->next = builder->file->lost_names;
	builder->file->lost_names = name;
}

void ast_finish(struct ast_builder *builder, struct ast_statement_list statements)
{
	struct ast_file *file = builder->file;
	if (statements.last != NULL)
		statements.last->next = builder->misplaced;
	else
		statements.first = builder->misplaced;
	file->statements = statements.first;
	for (const struct ast_statement *at = file->statements; at != NULL; at = at->next) {
		file->holds_rules = file->holds_rules || is_rule_like(at->kind);
		if (at->kind != AST_RULE)
			*pool_append(file->nodes, file, others) = at;
	}
}

const char *ast_kind_name(enum ast_kind kind)
{
	switch (kind) {
	case AST_POLICY: return "'policy'";
	case AST_INCLUDE: return "'include'";
	case AST_SERVICE: return "a service definition";
	case AST_EXTEND_TAG: return "'extend tag'";
	case AST_HOST: return "a host definition";
	case AST_NETWORK: return "a network definition";
	case AST_GROUP: return "a group definition";
	case AST_ZONE: return "a zone definition";
	case AST_SCHEDULE: return "a schedule";
	case AST_TIMEZONE: return "'timezone'";
	case AST_RULE: return "a rule";
	case AST_BLOCK: return "a block";
	case AST_DEFAULT: return "'default'";
	case AST_MASQUERADE: return "'masquerade'";
	case AST_SNAT: return "'snat'";
	case AST_FORWARD: return "'forward'";
	case AST_DEVICE: return "a device";
	case AST_TUNNEL: return "a tunnel";
	case AST_ASSERT: return "'assert'";
	case AST_EXPECT: return "'expect'";
	}
	return "a statement";
}
