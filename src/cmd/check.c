/* fwc check: every mistake of a policy, and what is wrong in it although it compiles. */
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

enum { OPTION_FORMAT = OPTION_OWN, OPTION_CONFLICTS };

static int check_option(struct session_options *options, int option)
{
	if (option == OPTION_CONFLICTS) {
		options->has_conflicts = true;
		return EXIT_DONE;
	}
	if (option != OPTION_FORMAT)
		return session_option(options, "check", option, optarg);
	options->report = report_format_find(optarg);
	if (options->report == NULL)
		return command_misused("check", "no format '%s'", optarg);
	return EXIT_DONE;
}

static int check_parse(struct session_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "conflicts", no_argument, NULL, OPTION_CONFLICTS },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = command_option(argc, argv, "", long_options)) != -1)
		status = check_option(options, option);
	return status != EXIT_DONE ? status : session_path(options, "check", argc, argv);
}

int command_check(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	int status = check_parse(&options, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	session->is_check = true;
	session->options.cisco.redacts = true; /* keys are asked for where they are used */
	if (session_expand(session) && session->policy->devices_count == 0)
		(void)session_lower(session);
	else if (session->policy != NULL && session->policy->devices_count > 0)
		(void)session_lower_cisco(session);
	return session_finish(session);
}
