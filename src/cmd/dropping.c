/* The state is told when it is done. */
#include "cmd/dropping.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "operate/flows.h"

bool drop_denied(struct session *session, struct state *state, uint64_t number, const struct ruleset *ruleset)
{
	struct flows flows;
	int error = flows_end_denied(session->pool, ruleset, time(NULL), &flows);
	struct state_entry *entry = state_find(state, number);
	struct diagnostic *failure;

	fprintf(stderr, "fwc: ended %zu of %zu connections, which the policy denies\n", flows.ended, flows.seen);
	if (error != 0) {
		failure = diag_add(session->diags, CODE_FLOWS_FAILED, SPAN_NONE, "cannot end more connections: %s",
				   strerror(error));
		diag_note(session->diags, failure, SPAN_NONE,
			  "the policy is in force and confirmed; 'fwc confirm' ends the rest");
		return false;
	}
	if (entry == NULL)
		return true;
	entry->ends_denied = false;
	return state_write(state, session->diags);
}
