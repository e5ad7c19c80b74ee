/* fwc rollback: an earlier policy again, from the text that was kept; or at once what was there before the one
 * that waits for its confirmation. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/operation.h"
#include "cmd/translated.h"
#include "target/nft/load/refusal.h"

/* --- the one on trial -------------------------------------------------------------------------------- */

static bool bring_back(struct session *session, const struct nft_kept *kept)
{
	struct nft_restore *restore = nft_restore_new(session->pool, kept);
	struct diags *own = diags_new(session->pool, session->sources);

	if (restore == NULL) {
		nft_report_error(session->diags, errno, "bring the earlier ruleset back");
		return false;
	}
	if (translated_restore(restore, session->pool, own)) {
		diags_take(session->diags, own);
		return true;
	}
	diags_take_errors(session->diags, own);
	return false;
}

/* Whether it is back in the kernel; that the state cannot be told is an error in the bag. */
static bool end_trial(struct session *session, struct state *state, struct state_entry *entry)
{
	size_t length = 0;
	const char *bytes = entry->before == NULL ? NULL
		: state_read_before(state, session->diags, entry, &length);
	struct nft_kept *kept = bytes == NULL ? NULL : nft_kept_parse(session->pool, bytes, length);

	if (kept == NULL && bytes != NULL)
		diag_add(session->diags, CODE_STATE_DAMAGED, SPAN_NONE,
			 "what was there before entry %llu was kept by a machine of another kind",
			 (unsigned long long)entry->number);
	if (kept == NULL || !bring_back(session, kept))
		return false;
	entry->mark = STATE_REVERTED;
	entry->before = NULL;
	(void)state_write(state, session->diags);
	return true;
}

/* --- an earlier one ---------------------------------------------------------------------------------- */

/* The newest confirmed one before the running one, of its table, that is another policy. */
static struct state_entry *entry_before(const struct state *state)
{
	const struct state_entry *current = state_current(state);

	for (size_t index = state->entries_count; current != NULL && index-- > 0;) {
		struct state_entry *entry = &state->entries[index];

		if (entry->number < current->number && entry->mark == STATE_CONFIRMED &&
		    strcmp(entry->table, current->table) == 0 && strcmp(entry->hash, current->hash) != 0)
			return entry;
	}
	return NULL;
}

static struct state_entry *entry_wanted(struct operation *operation, const struct state *state)
{
	struct session *session = operation->session;
	struct state_entry *entry = operation->number == 0 ? entry_before(state)
							   : state_find(state, operation->number);
	struct diagnostic *diagnostic;

	if (entry != NULL)
		return entry;
	diagnostic = operation->number == 0
			     ? diag_add(session->diags, CODE_ROLLBACK_NOTHING, SPAN_NONE,
					"no other policy was confirmed before the running one")
			     : diag_add(session->diags, CODE_ROLLBACK_NOTHING, SPAN_NONE, "there is no entry %llu",
					(unsigned long long)operation->number);
	diag_note(session->diags, diagnostic, SPAN_NONE, "'fwc history' shows what was applied, by its numbers");
	return NULL;
}

static int apply_again(struct operation *operation, struct state *state)
{
	struct state_entry *entry = entry_wanted(operation, state);
	struct bundle *bundle = NULL;
	struct session *session = entry == NULL ? NULL : operation_session(operation, state, entry, &bundle);
	struct enforce_proof proof;
	struct guard guard;
	int status;

	state_unlock(state);
	if (session == NULL)
		return session_finish(operation->session);
	if (enforce_prepare(session, &proof))
		(void)enforce(session, bundle, &operation->enforced, &guard);
	status = session_finish(session);
	return status != EXIT_DONE ? status : enforce_finish(session, &operation->enforced, &guard, &proof);
}

int command_rollback(struct pool_trap *root, int argc, char **argv)
{
	struct operation operation;
	int status = operation_begin(&operation, root, argc, argv,
				     OPERATION_CONFIRM | OPERATION_FORCES | OPERATION_NUMBER);
	struct state_entry *waiting;
	struct session *session;
	struct state *state;
	bool is_back;

	if (status != EXIT_DONE)
		return status;
	session = operation.session;
	state = state_open(session->pool, session->diags, operation.enforced.state);
	if (state == NULL)
		return session_finish(session);
	waiting = operation.number == 0 ? state_waiting(state) : NULL;
	if (waiting == NULL)
		return apply_again(&operation, state);
	is_back = end_trial(session, state, waiting);
	status = session_finish(session);
	if (is_back)
		fputs(status == EXIT_DONE ? "fwc: the earlier ruleset is back\n"
		      : "fwc: the earlier ruleset is back in the kernel, but the state does not say so\n", stderr);
	return status;
}
