/* fwc confirm: what was applied on trial stays. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/dropping.h"
#include "cmd/operation.h"
#include "operate/remote.h"
#include "target/nft/load/refusal.h"

static void has_nothing(struct session *session, const struct state *state)
{
	const struct state_entry *last = state->entries_count == 0
		? NULL : &state->entries[state->entries_count - 1];
	struct diagnostic *error = diag_add(session->diags, CODE_CONFIRM_NOTHING, SPAN_NONE,
					    "nothing waits for a confirmation");

	if (last == NULL)
		diag_note(session->diags, error, SPAN_NONE,
			  "nothing was ever applied by '%s': '--state DIR' is to be that of 'fwc apply'",
			  state->folder->path);
	if (last != NULL && last->mark == STATE_LOADING)
		diag_note(session->diags, error, SPAN_NONE,
			  "the load of entry %llu has not ended: 'fwc rollback' brings back what was there "
			  "before it",
			  (unsigned long long)last->number);
	if (last != NULL && last->mark == STATE_REVERTED)
		diag_note(session->diags, error, SPAN_NONE,
			  "entry %llu was not confirmed in time: what was there before is back",
			  (unsigned long long)last->number);
}

/* However the environment of one process and the socket of another write it. */
static bool is_same_connection(void *pool, const char *one, const char *other)
{
	struct remote a, b;

	if (!remote_parse(pool, one, &a) || !remote_parse(pool, other, &b))
		return strcmp(one, other) == 0;
	return a.client.family == b.client.family && a.client.value == b.client.value &&
	       a.client_port == b.client_port && a.server.family == b.server.family &&
	       a.server.value == b.server.value && a.server_port == b.server_port;
}

/* Only a connection that is new shows that the rules let it in. */
static bool is_new_session(struct operation *operation, const struct state_entry *entry)
{
	struct session *session = operation->session;
	struct remote remote = remote_find(session->pool);
	struct diagnostic *error;

	if (operation->enforced.is_forced || entry->client == NULL || remote.kind != REMOTE_SSH ||
	    !is_same_connection(session->pool, remote.connection, entry->client))
		return true;
	error = diag_add(session->diags, CODE_CONFIRM_SAME_SESSION, SPAN_NONE,
			 "this is the session that applied it (%s): it was open before", entry->client);
	diag_note(session->diags, error, SPAN_NONE, "log in anew and confirm there, or say '--force'");
	return false;
}

/* What the kernel held before it was written that this stays. */
struct look {
	struct nft_socket *socket;
	uint32_t generation;
	bool is_in_force; /* else it is confirmed all the same, by force */
};

/* The kernel's count of a large set is enough here: a list of it takes a minute, and the time runs. */
static bool looks_the_same(struct session *session, struct look *look, const struct state_entry *entry)
{
	void *pool = pool_child(session->pool, "glance");
	char hash[REREAD_HASH_LENGTH + 1] = "";
	struct nft_kept *kept = NULL;

	if (entry->glance != NULL &&
	    nft_kept_glance(pool, look->socket, entry->table, NFT_KEPT_GLANCED, &kept) == 0) {
		nft_kept_hash(kept, hash);
		look->generation = kept->generation;
	}
	talloc_free(pool);
	return entry->glance != NULL && strcmp(hash, entry->glance) == 0;
}

/* A new session shows something of the rules that it came in under. Those may be gone: the table was flushed, or
 * the machine started anew, with what was confirmed before. */
static bool is_in_force(struct operation *operation, const struct state_entry *entry, struct look *look)
{
	struct session *session = operation->session;
	char hash[REREAD_HASH_LENGTH + 1];
	struct nft_kept *kept = NULL;
	struct diagnostic *error;
	int failure;

	look->socket = nft_socket_new(session->pool);
	look->is_in_force = look->socket != NULL && looks_the_same(session, look, entry);
	if (look->is_in_force)
		return true;
	failure = look->socket == NULL ? errno : nft_kept_read(session->pool, look->socket, entry->table, &kept);
	if (failure != 0) {
		nft_report_error(session->diags, failure, "read the kernel's rules");
		return false;
	}
	nft_kept_hash(kept, hash);
	look->generation = kept->generation;
	look->is_in_force = entry->kernel == NULL || strcmp(hash, entry->kernel) == 0;
	if (operation->enforced.is_forced || look->is_in_force)
		return true;
	error = diag_add(session->diags, CODE_CONFIRM_OTHER_RULES, SPAN_NONE,
			 kept->has_table ? "table inet '%s' is not what entry %llu made of it any more"
					 : "the kernel has no table inet '%s' any more, which entry %llu made",
			 entry->table, (unsigned long long)entry->number);
	diag_note(session->diags, error, SPAN_NONE,
		  "nothing was confirmed: 'fwc rollback' brings back what was there before it, and then apply it "
		  "again; '--force' confirms it all the same, for the next boot");
	return false;
}

/* With the policy as it was kept: the exit status. */
static int end_denied(struct operation *operation, struct state *state, const struct state_entry *entry)
{
	struct bundle *bundle = NULL;
	struct session *own = operation_session(operation, state, entry, &bundle);

	if (own == NULL)
		return session_finish(operation->session);
	if (session_expand(own) && drop_denied(own, state, entry->number, own->ruleset))
		return session_finish(operation->session);
	return session_finish(own);
}

/* Where this process stood still until the time was over, nobody waited for it: the earlier ruleset is back, or
 * comes back. That a trial is decided lies in the state from here on, so that the process of the way back ends. */
static bool is_too_late(struct session *session, const struct state *state, const struct state_entry *entry,
			const struct look *look)
{
	const char *mark = pool_format(session->pool, ENFORCE_MARK "%llu", (unsigned long long)entry->number);
	struct nft_kernel *kernel;
	uint32_t generation;

	guard_wait_gone(state->folder);
	return look->is_in_force && nft_generation(look->socket, &generation) == 0 &&
	       generation != look->generation &&
	       nft_kernel_read(session->pool, look->socket, entry->table, &kernel) == 0 &&
	       !guard_has_mark(kernel, mark);
}

static bool write_too_late(struct session *session, struct state *state, struct state_entry *entry)
{
	entry->mark = STATE_REVERTED;
	if (state_write(state, session->diags))
		has_nothing(session, state);
	return false;
}

static bool keep(struct operation *operation, struct state *state, struct state_entry *entry)
{
	struct session *session = operation->session;
	uint64_t number = entry->number;
	struct look look = { .socket = NULL };

	if (!is_new_session(operation, entry) || !is_in_force(operation, entry, &look))
		return false;
	entry->mark = STATE_CONFIRMED;
	entry->before = NULL;
	if (!state_write(state, session->diags))
		return false;
	entry = state_find(state, number);
	if (is_too_late(session, state, entry, &look))
		return write_too_late(session, state, entry);
	return state_confirm(state, session->diags, number);
}

static void tell(void *pool, const struct state_entry *entry)
{
	struct text *out = text_new(pool);

	operation_policy(out, entry);
	fprintf(stderr, "fwc: confirmed: %s, entry %llu\n", out->bytes, (unsigned long long)entry->number);
}

static int confirm(struct operation *operation)
{
	struct session *session = operation->session;
	struct state *state = state_open(session->pool, session->diags, operation->enforced.state);
	struct state_entry *waiting = state == NULL ? NULL : state_waiting(state);
	struct state_entry *entry = waiting != NULL || state == NULL ? waiting : state_current(state);

	if (state == NULL)
		return session_finish(session);
	if (waiting != NULL && waiting->mark == STATE_WAITING) {
		if (!keep(operation, state, waiting))
			return session_finish(session);
		tell(session->pool, waiting);
	} else if (entry == NULL || entry == waiting || !entry->ends_denied) {
		has_nothing(session, state);
		return session_finish(session);
	}
	return entry->ends_denied ? end_denied(operation, state, entry) : session_finish(session);
}

int command_confirm(struct pool_trap *root, int argc, char **argv)
{
	struct operation operation;
	int status = operation_begin(&operation, root, argc, argv, OPERATION_FORCES);

	if (status != EXIT_DONE)
		return status;
	return confirm(&operation);
}
