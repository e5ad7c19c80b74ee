/* fwc apply: a policy into the running kernel. */
#include <stdio.h>
#include <string.h>

#include "cmd/applied.h"
#include "cmd/command.h"
#include "cmd/dropping.h"
#include "cmd/enforce.h"
#include "operate/folder.h"

enum { OPTION_DROP_DENIED = OPTION_OWN };

static int apply_parse(struct session_options *options, struct enforce_options *enforced, int argc, char **argv)
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
			enforced->drops_denied = true;
		else if (enforce_is_option(option))
			status = enforce_option(enforced, "apply", option, optarg);
		else
			status = session_option(options, "apply", option, optarg);
	}
	return status != EXIT_DONE ? status : session_path(options, "apply", argc, argv);
}

/* Without a trial it stays as soon as it is loaded; else whoever confirms it does that. */
static int end_denied(struct session *session, const struct enforce_options *enforced)
{
	struct state *state = state_open(session->pool, session->diags, enforced->state);
	const struct state_entry *current = state == NULL ? NULL : state_current(state);

	/* another may have been applied since then */
	if (current != NULL && current->ends_denied && strcmp(current->table, session->table->name) == 0)
		(void)drop_denied(session, state, current->number, session->ruleset);
	return session_finish(session);
}

int command_apply(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct enforce_options enforced = { .root = root, .state = FOLDER_DEFAULT };
	int status = apply_parse(&options, &enforced, argc, argv);
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
	if (enforce_prepare(session, &proof)) {
		applied_note_omitted(session, enforced.state);
		(void)enforce(session, bundle, &enforced, &guard);
	}
	status = session_finish(session);
	if (status == EXIT_DONE)
		status = enforce_finish(session, &enforced, &guard, &proof);
	if (status != EXIT_DONE || !enforced.drops_denied || enforced.confirm_s != 0)
		return status;
	diags_drop(session->diags); /* told already */
	return end_denied(session, &enforced);
}
