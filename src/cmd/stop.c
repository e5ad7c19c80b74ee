/* fwc stop: takes fwc's own table away, and nothing else. */
#include <getopt.h>
#include <stdio.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/translated.h"
#include "target/nft/load/batch_file.h"

static void take_away(struct session *session, const char *table, bool *was_there)
{
	struct nft_socket *netlink = nft_socket_new(session->pool);

	if (netlink != NULL)
		translated_hold_any(session->pool, netlink, table);
	(void)nft_table_remove(pool_child(session->pool, "stop"), session->diags, table, was_there);
	if (netlink != NULL)
		translated_end(session->pool, session->diags, netlink, table, TRANSLATED_BY_UNKNOWN);
}

int command_stop(struct pool_trap *root, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "table", required_argument, NULL, OPTION_TABLE },
		{ NULL, 0, NULL, 0 },
	};
	struct session_options options = session_options_default();
	struct session *session;
	int option, status = EXIT_DONE;
	bool was_there = false;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = session_option(&options, "stop", option, optarg);
	if (status != EXIT_DONE)
		return status;
	if (optind < argc)
		return command_misused("stop", "takes no file: the table is what '--table' says");
	session = session_new(root, &options);
	take_away(session, options.nft.table, &was_there);
	status = session_finish(session);
	if (status == EXIT_DONE && was_there)
		fprintf(stderr, "fwc: removed: table inet %s; none of its rules filters this host now\n",
			options.nft.table);
	else if (status == EXIT_DONE)
		fprintf(stderr, "fwc: there was no table inet %s\n", options.nft.table);
	return status;
}
