/* fwc import cisco FILE, iptables FILE..., nft FILE or kernel: what others filter, as a policy. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/foreign.h"
#include "cmd/nft_source.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "import/iptables.h"
#include "target/cisco/read/import.h"
#include "target/cisco/read/read.h"

enum { OPTION_LIST = OPTION_OWN, OPTION_REPLIES_BY_STATE, OPTION_SKIP_UNKNOWN, OPTION_ALWAYS_PASSING,
       OPTION_ONE_TABLE };

#define FILES_MOST 2
#define TABLES_MOST 64

struct import_query {
	const struct import_kind *kind;
	const char *paths[FILES_MOST];
	size_t paths_count;
	const char *list;
	bool has_replies_by_state;
	bool has_json;
	struct import_iptables_settings iptables;
	const char *tables[TABLES_MOST]; /* "inet filter" */
	size_t tables_count;
};

/* Writes a policy of what the sources say. Mistakes are in the bag; false: the text is of no use. */
typedef bool (*import_writer)(struct session *session, const struct import_query *query,
			      const uint32_t *sources, struct text *out);

struct import_kind {
	const char *name;
	size_t files_most;
	bool knows_kernel; /* a file may be the kernel's own rules */
	import_writer write;
};

static int add_table(struct import_query *query, const char *name)
{
	const char *blank = strchr(name, ' ');

	if (blank == NULL || blank == name || blank[1] == '\0')
		return command_misused("import", "'%s' is not a family and a table, as in --table 'inet filter'",
				       name);
	if (query->tables_count == TABLES_MOST)
		return command_misused("import", "there are more than %d tables", TABLES_MOST);
	query->tables[query->tables_count++] = name;
	return EXIT_DONE;
}

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
	case OPTION_SKIP_UNKNOWN:
		query->iptables.skips_unknown = true;
		return EXIT_DONE;
	case OPTION_ONE_TABLE:
		return add_table(query, optarg);
	case OPTION_ALWAYS_PASSING:
		query->iptables.ignores_always_passing = true;
		return EXIT_DONE;
	}
	return command_misused("import", NULL);
}

static bool write_cisco(struct session *session, const struct import_query *query, const uint32_t *sources,
			struct text *out)
{
	const struct acl_import_settings settings = {
		.file = session->sources->items[sources[0]]->name,
		.has_replies_by_state = query->has_replies_by_state,
	};
	const struct acl_config *config = acl_read(session->pool, session->diags, sources[0]);
	const struct acl_list *list;

	if (diags_has_errors(session->diags))
		return false;
	list = acl_import_choose(session->diags, config, query->list);
	if (list == NULL)
		return false;
	foreign_open_database(session);
	return acl_import(out, session->diags, config, list, session->database, &settings);
}

static bool write_iptables(struct session *session, const struct import_query *query,
			   const uint32_t *sources, struct text *out)
{
	return foreign_iptables(session, sources, query->paths_count, &query->iptables, out,
				!session->options.has_json);
}

/* --- kinds -------------------------------------------------------------------------------------------- */

static bool is_kernel(const struct import_query *query)
{
	return query->kind->knows_kernel && strcmp(query->paths[0], NFT_SOURCE_KERNEL) == 0;
}

static bool write_nft(struct session *session, const struct import_query *query, const uint32_t *sources,
		      struct text *out)
{
	const struct import_nft_settings settings = {
		.common = query->iptables, .tables = (const char **)query->tables,
		.tables_count = query->tables_count,
	};
	return foreign_nft(session, is_kernel(query) ? NULL : session->sources->items[sources[0]], &settings, out,
			   !session->options.has_json);
}

static const struct import_kind kinds[] = {
	{ "cisco", 1, false, write_cisco },
	{ "iptables", FILES_MOST, false, write_iptables },
	{ "nft", 1, true, write_nft },
};

static int import_paths(struct import_query *query, int argc, char **argv)
{
	for (size_t index = 0; optind < argc && index < sizeof kinds / sizeof kinds[0]; index++)
		if (strcmp(argv[optind], kinds[index].name) == 0)
			query->kind = &kinds[index];
	if (query->kind == NULL)
		return command_misused("import", "what is to be read? 'cisco', 'iptables' and 'nft' are known");
	for (int index = optind + 1; index < argc; index++) {
		if (query->paths_count == query->kind->files_most)
			return command_misused("import", "there are more files than can be read together");
		query->paths[query->paths_count++] = argv[index];
	}
	if ((query->list != NULL || query->has_replies_by_state) && query->kind->write != write_cisco)
		return command_misused("import", "--list and --replies-by-state are for 'cisco'");
	if ((query->iptables.skips_unknown || query->iptables.ignores_always_passing) &&
	    query->kind->write == write_cisco)
		return command_misused("import", "--skip-unknown and --always-passing are for 'iptables' and "
				       "'nft'");
	if (query->tables_count > 0 && query->kind->write != write_nft)
		return command_misused("import", "--table is for 'nft'");
	if (query->paths_count == 0)
		return command_misused("import", "a file is to be read ('-' is the standard input)");
	return EXIT_DONE;
}

static int import_parse(struct import_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "list", required_argument, NULL, OPTION_LIST },
		{ "replies-by-state", no_argument, NULL, OPTION_REPLIES_BY_STATE },
		{ "skip-unknown", no_argument, NULL, OPTION_SKIP_UNKNOWN },
		{ "always-passing", no_argument, NULL, OPTION_ALWAYS_PASSING },
		{ "table", required_argument, NULL, OPTION_ONE_TABLE },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = import_option(query, option);
	return status != EXIT_DONE ? status : import_paths(query, argc, argv);
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

int command_import(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct import_query query = { 0 };
	struct session *session;
	struct text *out;
	uint32_t sources[FILES_MOST] = { 0 };
	bool is_read = true, is_usable;
	int status = import_parse(&query, argc, argv);

	if (status != EXIT_DONE)
		return status;
	options.has_json = query.has_json;
	session = session_new(root, &options);
	out = text_new(session->pool);
	for (size_t index = 0; index < query.paths_count && !is_kernel(&query); index++)
		is_read = import_read(session, query.paths[index], &sources[index]) && is_read;
	is_usable = is_read && query.kind->write(session, &query, sources, out);
	status = session_finish(session);
	if (is_usable && !output_stdout(out))
		return EXIT_WORLD;
	return status;
}
