/* fwc import cisco FILE: a router's list as a policy. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "services/database.h"
#include "target/cisco/acl_import.h"
#include "target/cisco/acl_read.h"

enum { OPTION_LIST = OPTION_OWN, OPTION_REPLIES_BY_STATE };

struct import_query {
	const char *path, *list;
	bool has_replies_by_state;
	bool has_json;
};

static int import_option(struct import_query *query, int option)
{
	switch (option) {
	case OPTION_LIST:
		query->list = optarg;
		return EXIT_DONE;
	case OPTION_REPLIES_BY_STATE:
		query->has_replies_by_state = true;
		return EXIT_DONE;
	case OPTION_JSON:
		query->has_json = true;
		return EXIT_DONE;
	}
	return command_misused("import", "see the options below");
}

static int import_parse(struct import_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "list", required_argument, NULL, OPTION_LIST },
		{ "replies-by-state", no_argument, NULL, OPTION_REPLIES_BY_STATE },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		status = import_option(query, option);
	if (status != EXIT_DONE)
		return status;
	if (optind == argc || strcmp(argv[optind], "cisco") != 0)
		return command_misused("import", "what is to be read? 'cisco' is known");
	if (optind + 2 != argc)
		return command_misused("import", "one file is to be read ('-' is the standard input)");
	query->path = argv[optind + 1];
	return EXIT_DONE;
}

static bool import_read(struct session *session, const char *path, uint32_t *source)
{
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path, *bytes;
	size_t length;
	int error = session->reader.read(session->reader.context, session->pool, path, &bytes, &length);

	if (error != 0)
		diag_add(session->diags, error == EFBIG ? CODE_FILE_TOO_LARGE : CODE_FILE_UNREADABLE,
			 SPAN_NONE, "cannot read '%s': %s", name, strerror(error));
	else
		*source = sources_add(session->sources, name, bytes, length, false);
	return !diags_has_errors(session->diags);
}

static void import_write(struct session *session, const struct import_query *query, uint32_t source,
			 struct text *out)
{
	const struct acl_import_settings settings = {
		.file = session->sources->items[source]->name,
		.has_replies_by_state = query->has_replies_by_state,
	};
	const struct acl_config *config = acl_read(session->pool, session->diags, source);
	const struct acl_list *list;

	if (diags_has_errors(session->diags))
		return;
	list = acl_import_choose(session->diags, config, query->list);
	if (list == NULL)
		return;
	session->database = service_database_new(session->pool, session->diags, NULL);
	service_database_resolve_all(session->database);
	acl_import(out, session->diags, config, list, session->database, &settings);
}

int command_import(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct import_query query = { 0 };
	struct session *session;
	struct text *out;
	uint32_t source = 0;
	int status = import_parse(&query, argc, argv);

	if (status != EXIT_DONE)
		return status;
	options.has_json = query.has_json;
	session = session_new(root, &options);
	out = text_new(session->pool);
	if (import_read(session, query.path, &source))
		import_write(session, &query, source, out);
	status = session_finish(session);
	if (status == EXIT_DONE && !output_stdout(out))
		return EXIT_WORLD;
	return status;
}
