/* fwc apply: a policy into the running kernel. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/enforce.h"
#include "cmd/proof.h"
#include "operate/folder.h"

static int apply_parse(struct session_options *options, struct enforce_options *enforced, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "no-proof", no_argument, NULL, OPTION_NO_PROOF },
		ENFORCE_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (enforce_is_option(option))
			status = enforce_option(enforced, "apply", option, optarg);
		else
			status = session_option(options, "apply", option, optarg);
	}
	return status != EXIT_DONE ? status : session_path(options, "apply", argc, argv);
}

/* Whether the table may be loaded; *is_proved: it was compared with the policy, too. */
static bool prepare(struct session *session, struct proof *proof, char *sha256, bool *is_proved)
{
	*is_proved = false;
	if (!session_lower(session) || session_is_refused(session))
		return false;
	if (!session->options.skips_proof)
		*is_proved = proof_make(session, proof, sha256);
	return !diags_has_errors(session->diags) && !session_is_refused(session);
}

int command_apply(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	struct enforce_options enforced = { .state = FOLDER_DEFAULT };
	int status = apply_parse(&options, &enforced, argc, argv);
	const struct file_reader disk = file_reader_disk();
	char sha256[REREAD_HASH_LENGTH + 1];
	struct session *session;
	struct bundle *bundle;
	struct proof proof;
	bool is_proved;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	bundle = bundle_new(session->pool);
	session->reader = bundle_recorder(bundle, &disk);
	if (prepare(session, &proof, sha256, &is_proved))
		(void)enforce(session, bundle, &enforced);
	status = session_finish(session);
	if (status != EXIT_DONE)
		return status;
	if (is_proved)
		proof_tell(session, &proof, sha256);
	fprintf(stderr, "fwc: applied: table inet %s, %zu rules in 3 hooks%s\n", session->table->name,
		rules_total(session->ruleset), is_proved ? "" : ", not proved");
	return status;
}
