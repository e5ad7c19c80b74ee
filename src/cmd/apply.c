/* fwc apply: a policy into the running kernel. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/session.h"

static size_t rules_total(const struct ruleset *ruleset)
{
	size_t total = 0;

	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		total += ruleset->rules_count[hook];
	return total;
}

int command_apply(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	int status = session_plain_options(&options, "apply", argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	if (session_lower(session) && !session_is_refused(session) &&
	    nft_load(pool_child(session->pool, "load"), session->diags, session->table))
		nft_note_other_chains(session->pool, session->diags, session->table);
	status = session_finish(session);
	if (status == EXIT_DONE)
		fprintf(stderr, "fwc: applied: table inet %s, %zu rules in 3 hooks\n",
			session->table->name, rules_total(session->ruleset));
	return status;
}
