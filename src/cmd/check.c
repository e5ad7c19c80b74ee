/* fwc check: every mistake of a policy, and nothing else. */
#include "cmd/command.h"
#include "cmd/session.h"

int command_check(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	int status = session_plain_options(&options, "check", argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	/* with devices the host's target has nothing to say */
	if (session_expand(session) && session->policy->devices_count == 0)
		session->table = nft_lower(pool_child(session->pool, "nft"), session->diags,
					   session->ruleset, &session->options.nft);
	return session_finish(session);
}
