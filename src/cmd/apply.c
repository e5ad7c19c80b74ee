/* fwc apply: a policy into the running kernel. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/command.h"
#include "cmd/enforce.h"
#include "operate/flows.h"
#include "operate/folder.h"

enum { OPTION_DROP_DENIED = OPTION_OWN };

static int apply_parse(struct session_options *options, struct enforce_options *enforced, bool *drops_denied,
		       int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "no-proof", no_argument, NULL, OPTION_NO_PROOF },
		ENFORCE_LONG_OPTIONS,
		{ "drop-denied", no_argument, NULL, OPTION_DROP_DENIED },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1) {
		if (option == OPTION_DROP_DENIED)
			*drops_denied = true;
		else if (enforce_is_option(option))
			status = enforce_option(enforced, "apply", option, optarg);
		else
			status = session_option(options, "apply", option, optarg);
	}
	return status != EXIT_DONE ? status : session_path(options, "apply", argc, argv);
}

/* Once it is sure that the policy stays. */
static int drop_denied(struct session *session)
{
	struct flows flows;
	int error = flows_end_denied(session->pool, session->ruleset, time(NULL), &flows);

	fprintf(stderr, "fwc: ended %zu of %zu connections, which the policy denies\n", flows.ended, flows.seen);
	if (error == 0)
		return EXIT_DONE;
	fprintf(stderr, "fwc: error: cannot end more connections: %s\n", strerror(error));
	return EXIT_WORLD;
}

int command_apply(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct enforce_options enforced = { .root = root, .state = FOLDER_DEFAULT };
	bool drops_denied = false;
	int status = apply_parse(&options, &enforced, &drops_denied, argc, argv);
	const struct file_reader disk = file_reader_disk();
	struct enforce_proof proof;
	struct session *session;
	struct bundle *bundle;
	struct guard guard;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	bundle = bundle_new(session->pool);
	session->reader = bundle_recorder(bundle, &disk);
	if (enforce_prepare(session, &proof))
		(void)enforce(session, bundle, &enforced, &guard);
	status = session_finish(session);
	if (status == EXIT_DONE)
		status = enforce_finish(session, &enforced, &guard, &proof);
	return status == EXIT_DONE && drops_denied ? drop_denied(session) : status;
}
