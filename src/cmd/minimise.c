/* fwc minimise cisco FILE: a router's lists, made short. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "cmd/write.h"
#include "target/cisco/read/read.h"
#include "target/cisco/minimise/config.h"

enum { OPTION_MINIMISE = OPTION_OWN, OPTION_REPORT, OPTION_MULTI_PORT_EQ };

struct minimise_query {
	const char *path, *list; /* list NULL: all of them */
	const char *output;      /* NULL: standard output */
	enum minimise_aim aim;
	bool has_multi_eq, has_report, has_json;
};

static int minimise_option(struct minimise_query *query, int option)
{
	switch (option) {
	case OPTION_MINIMISE:
		if (!minimise_aim_parse(optarg, &query->aim))
			return command_misused("minimise", "'%s' is none of entries, tcam, none", optarg);
		return EXIT_DONE;
	case OPTION_REPORT:
		query->has_report = true;
		return EXIT_DONE;
	case OPTION_MULTI_PORT_EQ:
		query->has_multi_eq = true;
		return EXIT_DONE;
	case OPTION_JSON:
		query->has_json = true;
		return EXIT_DONE;
	case 'o':
		query->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return EXIT_DONE;
	}
	return command_misused("minimise", NULL);
}

static int minimise_parse(struct minimise_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "minimise", required_argument, NULL, OPTION_MINIMISE },
		{ "report", no_argument, NULL, OPTION_REPORT },
		{ "multi-port-eq", no_argument, NULL, OPTION_MULTI_PORT_EQ },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "o:", long_options)) != -1)
		status = minimise_option(query, option);
	if (status != EXIT_DONE)
		return status;
	if (optind == argc || strcmp(argv[optind], "cisco") != 0)
		return command_misused("minimise", "what is to be read? 'cisco' is known");
	if (optind + 2 != argc)
		return command_misused("minimise", "one file is to be read ('-' is the standard input)");
	query->path = argv[optind + 1];
	return EXIT_DONE;
}

/* FILE#LIST; a file whose own name has the sign is itself. */
static bool minimise_read(struct session *session, struct minimise_query *query, uint32_t *source)
{
	const char *bytes, *mark = strrchr(query->path, '#');
	size_t length;
	int error = session->reader.read(session->reader.context, session->pool, query->path, &bytes, &length);

	if (error == ENOENT && mark != NULL && mark != query->path && mark[1] != '\0') {
		query->path = pool_strndup(session->pool, query->path, (size_t)(mark - query->path));
		query->list = mark + 1;
		error = session->reader.read(session->reader.context, session->pool, query->path, &bytes, &length);
	}
	if (error != 0) {
		diag_add(session->diags, CODE_FILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s", query->path,
			 strerror(error));
		return false;
	}
	session->options.path = query->path; /* which is not written over */
	*source = sources_add(session->sources, query->path, bytes, length, false);
	return true;
}

static bool minimise_make(struct session *session, struct minimise_query *query, struct text *out,
			  struct text *report)
{
	struct minimise_request request = { .aim = query->aim, .has_multi_eq = query->has_multi_eq };

	if (!minimise_read(session, query, &request.source))
		return false;
	request.list = query->list;
	request.config = acl_read(session->pool, session->diags, request.source);
	if (diags_has_errors(session->diags))
		return false;
	return minimise_config(out, report, session->diags, &request);
}

int command_minimise(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct minimise_query query = { .aim = MINIMISE_ENTRIES };
	struct text *out, *report;
	struct session *session;
	bool is_usable;
	int status = minimise_parse(&query, argc, argv);

	if (status != EXIT_DONE)
		return status;
	options.has_json = query.has_json;
	session = session_new(root, &options);
	out = text_new(session->pool);
	report = text_new(session->pool);
	is_usable = minimise_make(session, &query, out, report);
	if (is_usable && query.output != NULL)
		write_file(session, (struct output_item){
			.path = query.output,
			.text = query.has_report ? report : out,
		});
	status = session_finish(session);
	if (is_usable && query.output == NULL && !output_stdout(query.has_report ? report : out))
		return EXIT_WORLD;
	return status;
}
