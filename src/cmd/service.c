/* fwc service: show, search, port, list; import stands in service_import.c. */
#include "cmd/service.h"

#include <ctype.h>
#include <getopt.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "parse/parse.h"
#include "services/search.h"

enum { OPTION_SERVICE_TAG = OPTION_OWN, OPTION_SERVICE_STATUS, OPTION_SERVICE_POLICY,
       OPTION_SERVICE_OVERRIDE };

static const char *const status_words[] = { "current", "unofficial", "historic", "insecure" };

static int service_option(struct service_query *query, int option)
{
	switch (option) {
	case OPTION_SERVICE_TAG:
		query->tag = optarg;
		return EXIT_DONE;
	case OPTION_SERVICE_STATUS:
		query->status = optarg;
		for (size_t index = 0; index < 4; index++)
			if (strcmp(optarg, status_words[index]) == 0)
				return EXIT_DONE;
		return command_misused("service", "no status '%s'", optarg);
	case OPTION_SERVICE_POLICY:
		query->policy = optarg;
		return EXIT_DONE;
	case OPTION_SERVICE_OVERRIDE:
		query->overrides = true;
		return EXIT_DONE;
	case OPTION_JSON:
		query->has_json = true;
		return EXIT_DONE;
	}
	return command_misused("service", NULL);
}

static int service_parse(struct service_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "tag", required_argument, NULL, OPTION_SERVICE_TAG },
		{ "status", required_argument, NULL, OPTION_SERVICE_STATUS },
		{ "policy", required_argument, NULL, OPTION_SERVICE_POLICY },
		{ "override", no_argument, NULL, OPTION_SERVICE_OVERRIDE },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = command_option(argc, argv, "", long_options)) != -1)
		status = service_option(query, option);
	query->argument = optind < argc ? argv[optind] : NULL;
	if (status == EXIT_DONE && argc - optind > 1)
		return command_misused("service", "one argument at a time");
	return status;
}

/* --- one service as text and JSON ------------------------------------------------- */

static void add_words(struct text *out, const char *label, const char **words, size_t count)
{
	if (count == 0)
		return;
	text_addf(out, "  %-8s ", label);
	for (size_t index = 0; index < count; index++)
		text_addf(out, "%s%s", index > 0 ? ", " : "", words[index]);
	text_add_char(out, '\n');
}

static void add_tuples(struct text *out, const struct tuple_set *set)
{
	for (size_t index = 0; index < set->tuples_count; index++) {
		if (index > 0)
			text_add(out, ", ");
		tuple_format(out, &set->tuples[index]);
	}
}

static void add_parts(struct text *out, const struct service *service)
{
	if (service->parts_count == 0)
		return;
	text_addf(out, "  %-8s ", service->is_tag ? "members" : "includes");
	for (size_t index = 0; index < service->parts_count; index++)
		text_addf(out, "%s%s", index > 0 ? ", " : "", service->parts[index]->name);
	text_add_char(out, '\n');
}

static void print_full(struct text *out, struct sources *sources, const struct service *service)
{
	text_addf(out, "%s%s%s%s\n  %-8s ", service->name, service->is_tag ? " (tag)" : "",
		  service->description[0] != '\0' ? ": " : "", service->description, "ports");
	add_tuples(out, &service->own);
	text_add_char(out, '\n');
	add_words(out, "alias", service->aliases, service->aliases_count);
	add_words(out, "tag", service->tags, service->tags_count);
	add_parts(out, service);
	if (service->helper != NULL)
		text_addf(out, "  %-8s %s\n", "helper", service->helper);
	if (service->is_tag)
		return;
	text_addf(out, "  %-8s %s\n", "status", status_words[service->status]);
	add_words(out, "source", service->sources, service->sources_count);
	text_addf(out, "  %-8s %s\n", "defined", span_place(out->pool, sources, service->span));
}

static void print_brief(struct text *out, const struct service *service)
{
	text_addf(out, "%-28s ", service->name);
	add_tuples(out, &service->own);
	if (service->description[0] != '\0')
		text_addf(out, "  # %s", service->description);
	text_add_char(out, '\n');
}

static json_t *json_words(const char **words, size_t count)
{
	json_t *list = json_array();

	for (size_t index = 0; index < count; index++)
		json_array_append_new(list, json_string(words[index]));
	return list;
}

static json_t *json_pairs(void *pool, const struct tuple_set *set)
{
	json_t *list = json_array();

	for (size_t index = 0; index < set->tuples_count; index++) {
		struct text *pair = text_new(pool);

		tuple_format(pair, &set->tuples[index]);
		json_array_append_new(list, json_string(pair->bytes));
	}
	return list;
}

static json_t *json_parts(const struct service *service)
{
	json_t *list = json_array();

	for (size_t index = 0; index < service->parts_count; index++)
		json_array_append_new(list, json_string(service->parts[index]->name));
	return list;
}

static json_t *service_json(void *pool, const struct service *service)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", json_string(service->name));
	json_object_set_new(object, "kind", json_string(service->is_tag ? "tag" : "service"));
	json_object_set_new(object, "description", json_string(service->description));
	json_object_set_new(object, "aliases",
			    json_words(service->aliases, service->aliases_count));
	json_object_set_new(object, "tags", json_words(service->tags, service->tags_count));
	json_object_set_new(object, "status", service->is_tag ? json_null() :
			    json_string(status_words[service->status]));
	json_object_set_new(object, "helper", service->helper == NULL ? json_null() :
			    json_string(service->helper));
	json_object_set_new(object, "sources",
			    json_words(service->sources, service->sources_count));
	json_object_set_new(object, "pairs", json_pairs(pool, &service->own));
	json_object_set_new(object, "includes", json_parts(service));
	return object;
}

/* --- the answers --------------------------------------------------------------------- */

/* The services that a query chose, in the database's order. */
struct service_answer {
	const struct service **items;
	size_t items_count, items_capacity;
};

static int answer_print(struct session *session, const struct service_query *query,
			const struct service_answer *answer, bool is_full)
{
	struct text *out = text_new(session->pool);
	json_t *list = query->has_json ? json_array() : NULL;
	char *dump;

	for (size_t index = 0; index < answer->items_count; index++) {
		if (list != NULL)
			json_array_append_new(list, service_json(session->pool, answer->items[index]));
		else if (is_full)
			print_full(out, session->sources, answer->items[index]);
		else
			print_brief(out, answer->items[index]);
	}
	if (list != NULL) {
		dump = json_dumps(list, JSON_INDENT(1));
		text_addf(out, "%s\n", dump);
		free(dump);
		json_decref(list);
	}
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}

static int nothing_found(struct session *session, const char *what)
{
	diag_add(session->diags, CODE_UNKNOWN_SERVICE, SPAN_NONE, "no service %s", what);
	return session_finish(session);
}

static int run_show(struct session *session, const struct service_query *query)
{
	struct service_answer answer = { 0 };
	bool is_known;
	const struct service *service =
		service_find(session->database, query->argument, strlen(query->argument), &is_known);
	const char *nearest;

	if (service != NULL) {
		*pool_append(session->pool, &answer, items) = service;
		return answer_print(session, query, &answer, true);
	}
	nearest = service_nearest(session->database, query->argument, strlen(query->argument));
	return nothing_found(session, pool_format(session->pool, nearest != NULL ?
			     "'%s'; did you mean '%s'?" : "'%s'", query->argument, nearest));
}

static int run_search(struct session *session, const struct service_query *query)
{
	struct service_answer answer = { 0 };
	const struct service_database *database = session->database;

	for (size_t index = 0; index < database->items_count; index++)
		if (service_mentions(session->pool, database->items[index], query->argument))
			*pool_append(session->pool, &answer, items) = database->items[index];
	if (answer.items_count == 0)
		return nothing_found(session, pool_format(session->pool, "mentions '%s'",
							  query->argument));
	return answer_print(session, query, &answer, false);
}

/* The literal as the language reads it, through its own parser. */
static bool literal_tuples(struct session *session, const char *literal, struct tuple_set *tuples)
{
	if (strpbrk(literal, ";#") != NULL) /* the end of the statement, or of what is read */
		return false;

	const char *text = pool_format(session->pool, "service asked = %s;", literal);
	const struct ast_file *file =
		parse_source(session->pool, session->diags,
			     sources_add(session->sources, "<argument>", text, strlen(text), false));
	const struct ast_statement *statement = file->statements;

	if (diags_has_errors(session->diags) || statement == NULL || statement->next != NULL ||
	    statement->kind != AST_SERVICE || statement->service.services.items == NULL ||
	    statement->service.services.items->kind != AST_SERVICE_LITERAL)
		return false;
	return service_literal_resolve(session->pool, session->diags,
				       statement->service.services.items, tuples);
}

/* The place in the text around the literal is nobody's business; what is wrong with its words is. */
static int literal_misused(const struct session *session, const char *literal)
{
	const struct diagnostic *first =
		session->diags->items_count > 0 ? session->diags->items[0] : NULL;
	bool has_reason = first != NULL && first->code != CODE_SYNTAX;

	return command_misused("service", "'%s' is not PORTS/PROTOCOL, such as 88/tcp%s%s", literal,
			       has_reason ? ": " : "", has_reason ? first->message : "");
}

static int run_port(struct session *session, const struct service_query *query)
{
	struct service_answer answer = { 0 };
	struct tuple_set tuples = { 0 };
	const struct service_database *database = session->database;

	if (!literal_tuples(session, query->argument, &tuples))
		return literal_misused(session, query->argument);
	for (size_t index = 0; index < database->items_count; index++)
		if (!database->items[index]->is_tag &&
		    tuple_set_overlaps(&database->items[index]->own, &tuples))
			*pool_append(session->pool, &answer, items) = database->items[index];
	if (answer.items_count == 0)
		return nothing_found(session, pool_format(session->pool, "has '%s'",
							  query->argument));
	return answer_print(session, query, &answer, false);
}

static bool has_tag(const struct service *service, const char *tag)
{
	for (size_t index = 0; index < service->tags_count; index++)
		if (strcasecmp(service->tags[index], tag) == 0)
			return true;
	return false;
}

static int run_list(struct session *session, const struct service_query *query)
{
	struct service_answer answer = { 0 };
	const struct service_database *database = session->database;

	for (size_t index = 0; index < database->items_count; index++) {
		const struct service *service = database->items[index];

		if (service->is_tag ||
		    (query->tag != NULL && !has_tag(service, query->tag)) ||
		    (query->status != NULL &&
		     strcmp(status_words[service->status], query->status) != 0))
			continue;
		*pool_append(session->pool, &answer, items) = service;
	}
	if (answer.items_count == 0)
		return nothing_found(session, query->tag != NULL ?
				     pool_format(session->pool, "carries the tag '%s'", query->tag) :
				     "fits");
	return answer_print(session, query, &answer, false);
}

/* --- the command ------------------------------------------------------------------------ */

static const struct verb {
	const char *name;
	bool needs_argument;
	bool needs_all; /* every definition resolved */
	int (*run)(struct session *session, const struct service_query *query);
} verbs[] = {
	{ "show", true, false, run_show },
	{ "search", true, true, run_search },
	{ "port", true, true, run_port },
	{ "list", false, true, run_list },
	{ "import", true, true, service_import },
};

static const struct verb *verb_find(const char *name)
{
	for (size_t index = 0; index < sizeof verbs / sizeof verbs[0]; index++)
		if (strcmp(verbs[index].name, name) == 0)
			return &verbs[index];
	return NULL;
}

static bool open_database(struct session *session, const struct service_query *query)
{
	if (query->policy != NULL && !session_parse(session))
		return false;
	session->database = service_database_new(session->pool, session->diags, session->program);
	return !diags_has_errors(session->diags);
}

int command_service(struct pool_trap *root, int argc, char **argv)
{
	struct service_query query = { 0 };
	struct session_options options = session_options_default();
	const struct verb *verb = argc > 1 ? verb_find(argv[1]) : NULL;
	struct session *session;
	int status;

	if (verb == NULL)
		return command_misused("service", argc > 1 ? "no verb '%s'" : "a verb is missing",
				       argc > 1 ? argv[1] : "");
	argv[1] = argv[0]; /* as getopt's messages begin */
	status = service_parse(&query, argc - 1, argv + 1);
	if (status != EXIT_DONE)
		return status;
	if (verb->needs_argument != (query.argument != NULL))
		return command_misused("service", verb->needs_argument ? "%s wants an argument" :
				       "%s takes no argument", verb->name);
	options.path = query.policy;
	session = session_new(root, &options);
	if (!open_database(session, &query))
		return session_finish(session);
	if (verb->needs_all)
		service_database_resolve_all(session->database);
	if (diags_has_errors(session->diags))
		return session_finish(session);
	return verb->run(session, &query);
}
