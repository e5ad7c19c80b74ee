/* Into the kernel and into the state. The state goes first: what cannot be written is not loaded. */
#include "cmd/enforce.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/rescue.h"
#include "cmd/translated.h"
#include "operate/place.h"
#include "operate/state.h"
#include "operate/who.h"
#include "target/nft/load/batch_file.h"
#include "target/nft/load/load.h"
#include "target/nft/load/refusal.h"
#include "target/nft/load/restore.h"
#include "target/nft/model/safe.h"

size_t rules_total(const struct ruleset *ruleset)
{
	size_t total = 0;

	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		total += ruleset->rules_count[hook];
	return total;
}

/* --- the state ------------------------------------------------------------------------------------ */

static struct state_entry *add_entry(struct session *session, const struct enforce_options *enforced,
				     struct state *state, struct bundle *bundle)
{
	struct text *text = text_new(session->pool);
	const struct session_options *options = &session->options;
	struct state_entry *entry;

	bundle_print(bundle, options->path, text);
	entry = state_add(state, session->diags, text);
	talloc_free(text); /* it is in a file, and the next thing is a batch as large */
	bundle_drop_forgotten(bundle, session->sources);
	if (entry == NULL)
		return NULL;
	entry->mark = STATE_LOADING;
	entry->policy = session->policy->name;
	entry->version = session->policy->version;
	entry->file = options->path;
	entry->user = who_runs(state->pool);
	entry->table = session->table->name;
	entry->applied = time(NULL);
	entry->deadline = enforced->confirm_s == 0 ? 0 : entry->applied + (time_t)enforced->confirm_s;
	entry->rules = rules_total(session->ruleset);
	entry->allows_expired_deny = options->allows_expired_deny;
	entry->counts_all = options->counts_all;
	entry->has_log_group = options->nft.has_log_group;
	entry->log_group = options->nft.log_group;
	entry->level = options->nft.level;
	entry->profile = options->profile;
	entry->ends_denied = enforced->drops_denied;
	return entry;
}

/* The kernel has taken nothing: neither has the state. */
static void forget_entry(struct session *session, struct state *state, uint64_t number)
{
	struct state_entry *entry = state_find(state, number);

	if (entry == &state->entries[state->entries_count - 1])
		state->entries_count--;
	(void)state_write(state, session->diags);
}

/* --- the kernel ----------------------------------------------------------------------------------- */

/* What there is to load it, and to take it back. */
struct enforcing {
	struct session *session;
	const struct enforce_options *options;
	struct state *state;
	uint64_t number; /* of the entry */
	const char *mark; /* the chain that says what was applied */
	struct guard *guard; /* where it needs confirmation, and has started */
	struct nft_socket *socket;
	struct nft_kept *before;
	struct nft_restore *restore; /* NULL until it is needed */
	struct kept_hash_result expected; /* of the kernel, once it is loaded */
	const struct nft_chain *mark_chain; /* of the session's table */
	bool is_there; /* the kernel holds the table as it is, but for the mark */
	const char *client; /* the remote session, or NULL */
};

static bool needs_confirmation(const struct enforcing *enforcing)
{
	return enforcing->options->confirm_s != 0;
}

/* The earlier ruleset is back: this process stood still for longer than the time. */
static bool has_come_too_late(const struct enforcing *enforcing)
{
	return needs_confirmation(enforcing) && guard_has_reverted(enforcing->guard);
}

static bool report(struct enforcing *enforcing, int error)
{
	if (error != 0)
		nft_report_error(enforcing->session->diags, error, "read the kernel's rules");
	return error == 0;
}

/* Who may not even ask the kernel is told so before anything is written. */
static bool open_kernel(struct enforcing *enforcing)
{
	uint32_t generation;

	enforcing->socket = nft_socket_new(enforcing->session->pool);
	return report(enforcing, enforcing->socket == NULL ? errno
						       : nft_generation(enforcing->socket, &generation));
}

static int make_restore(struct enforcing *enforcing)
{
	if (enforcing->restore == NULL)
		enforcing->restore = nft_restore_new(enforcing->session->pool, enforcing->before);
	return enforcing->restore == NULL ? errno : 0;
}

/* Nothing has changed in the kernel's rules since this entry was loaded. */
static bool is_untouched(struct enforcing *enforcing, const struct state_entry *entry)
{
	const char *place = place_of(enforcing->session->pool, enforcing->socket->fd);

	return entry != NULL && place != NULL && entry->place != NULL && strcmp(entry->place, place) == 0 &&
	       entry->generation == enforcing->before->generation && entry->mark == STATE_CONFIRMED &&
	       entry->kernel != NULL && strcmp(entry->table, enforcing->before->table) == 0;
}

/* What the kernel holds of large sets is then known from the batch of that time. */
static bool fill_before(struct enforcing *enforcing)
{
	const struct state_entry *entry = state_current(enforcing->state);
	char hash[REREAD_HASH_LENGTH + 1];
	size_t length = 0;
	char *batch = is_untouched(enforcing, entry) ? state_read_boot(enforcing->state, &length) : NULL;

	if (batch == NULL || length < NFT_BATCH_FILE_HEAD)
		return false;
	nft_kept_fill(enforcing->before, batch + NFT_BATCH_FILE_HEAD, length - NFT_BATCH_FILE_HEAD);
	talloc_free(batch);
	nft_kept_hash(enforcing->before, hash);
	return strcmp(hash, entry->kernel) == 0;
}

static bool read_before(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	const char *table = session->table->name;
	int error = nft_kept_glance(session->pool, enforcing->socket, table, NFT_KEPT_GLANCED,
				    &enforcing->before);

	if (error == 0 && nft_kept_is_whole(enforcing->before))
		enforcing->before->elements_most = 0;
	else if (error == 0 && !fill_before(enforcing)) {
		talloc_free(enforcing->before);
		error = nft_kept_read(session->pool, enforcing->socket, table, &enforcing->before);
	}
	if (error == 0 && needs_confirmation(enforcing))
		error = make_restore(enforcing);
	return report(enforcing, error);
}

/* The kernel says itself what was applied: as the comment of a chain that nothing enters, made anew each
 * time, for comments of what stays cannot change. */
static void add_mark(struct enforcing *enforcing, const struct state_entry *entry)
{
	struct nft_table *table = enforcing->session->table;
	struct nft_chain *chain = pool_new(table, struct nft_chain);
	char *words = pool_format(table, "sha256 %s %s %s", entry->hash,
				  entry->policy != NULL ? entry->policy : "-",
				  entry->version != NULL ? entry->version : "-");

	enforcing->mark = pool_format(table, ENFORCE_MARK "%llu", (unsigned long long)entry->number);
	chain->name = enforcing->mark;
	chain->comment = pool_strdup(table, nft_safe(words).bytes);
	*pool_append(table, table, chains) = chain;
	enforcing->mark_chain = chain;
}

/* Does the kernel hold what this entry made? */
static bool is_in_force(const struct enforcing *enforcing, const struct state_entry *entry)
{
	char hash[REREAD_HASH_LENGTH + 1];

	if (entry->kernel == NULL || strcmp(entry->table, enforcing->before->table) != 0)
		return false;
	nft_kept_hash(enforcing->before, hash);
	return strcmp(hash, entry->kernel) == 0;
}

/* Does this batch make what the kernel held when the entry was loaded? */
static bool has_made(const struct state_entry *entry, char *batch, size_t length)
{
	const struct kept_hash_result made = nft_kept_expect(batch, batch + NFT_BATCH_FILE_HEAD,
							      length - NFT_BATCH_FILE_HEAD, entry->table,
							      NFT_KEPT_GLANCED);

	return entry->kernel != NULL && strcmp(made.whole, entry->kernel) == 0;
}

/* What may be in the kernel as the current entry made it. */
static bool may_be_there(const struct enforcing *enforcing)
{
	const struct state_entry *entry = state_current(enforcing->state);

	return enforcing->before->has_table && entry != NULL && entry->mark == STATE_CONFIRMED;
}

/* What the current entry made is what this one makes, and is there still: a policy that is applied again costs the
 * kernel one small transaction, and nobody a wait for packets. */
static bool is_there(struct enforcing *enforcing, const struct text *batch)
{
	const struct state_entry *entry = state_current(enforcing->state);
	size_t length = 0;
	char *old = state_read_boot(enforcing->state, &length), *mark;
	bool is_same;

	if (old == NULL)
		return false;
	mark = pool_format(old, ENFORCE_MARK "%llu", (unsigned long long)entry->number);
	is_same = nft_batch_file_equals(batch->bytes, batch->length, enforcing->mark, old, length, mark) &&
		  has_made(entry, old, length) &&
		  (is_untouched(enforcing, entry) || is_in_force(enforcing, entry));
	talloc_free(old);
	return is_same;
}

/* The batch on its way to the disk. */
struct keeping {
	struct folder_writer *writer;
	struct kept_hash *hash;
	struct text *batch; /* as a whole, to be compared; or NULL */
};

static void keep_message(void *context, const struct nlmsghdr *message)
{
	const struct keeping *keeping = context;
	size_t length = NLMSG_ALIGN((size_t)message->nlmsg_len);

	kept_hash_message(keeping->hash, message);
	folder_writer_add(keeping->writer, (const char *)message, length);
	if (keeping->batch != NULL)
		text_add_bytes(keeping->batch, (const char *)message, length);
}

static bool keep_batch(struct enforcing *enforcing, const struct state_entry *entry, const struct keeping *keeping,
		       const struct text *rescue)
{
	struct session *session = enforcing->session;
	char head[NFT_BATCH_FILE_HEAD] = { 0 };
	struct state_boot boot = { keeping->writer, head, sizeof head, rescue };

	folder_writer_add(keeping->writer, head, sizeof head);
	if (keeping->batch != NULL)
		text_add_bytes(keeping->batch, head, sizeof head);
	nft_batch_file_stream(keeping->hash, session->table,
			      (struct nft_sink){ keep_message, (void *)(uintptr_t)keeping }, head);
	enforcing->expected = kept_hash_finish(keeping->hash);
	return state_keep_boot(enforcing->state, session->diags, entry, &boot);
}

/* Once it is confirmed, a boot loads the same. */
static bool keep_boot(struct enforcing *enforcing, const struct state_entry *entry)
{
	struct session *session = enforcing->session;
	void *scratch = pool_child(session->pool, "boot");
	const struct text *rescue = rescue_make(session);
	struct keeping keeping = { .batch = may_be_there(enforcing) ? text_new(scratch) : NULL };
	bool is_kept = false;

	if (rescue != NULL) {
		keeping.hash = kept_hash_new(scratch, session->table->name, false, NFT_KEPT_GLANCED);
		keeping.writer = folder_writer_new(enforcing->state->folder);
		is_kept = keep_batch(enforcing, entry, &keeping, rescue);
	}
	enforcing->is_there = is_kept && keeping.batch != NULL && is_there(enforcing, keeping.batch);
	talloc_free(scratch);
	return is_kept;
}

static void note_other_tables(struct enforcing *enforcing, const struct state_entry *entry)
{
	const struct state *state = enforcing->state;

	for (size_t index = 0; index < state->entries_count; index++) {
		const struct state_entry *other = &state->entries[index];
		struct diagnostic *note;

		if (other->mark != STATE_CONFIRMED || strcmp(other->table, entry->table) == 0)
			continue;
		note = diag_add(enforcing->session->diags, CODE_BOOT_ONE_TABLE, SPAN_NONE,
				"a boot loads one table from '%s': that of the policy that was confirmed last, and "
				"not both '%s' and '%s'", state->folder->path, other->table, entry->table);
		diag_note(enforcing->session->diags, note, SPAN_NONE,
			  "give each table a folder of its own with '--state'");
		return;
	}
}

static bool prepare_state(struct enforcing *enforcing, struct bundle *bundle)
{
	struct session *session = enforcing->session;
	struct state *state = enforcing->state;
	struct state_entry *entry = add_entry(session, enforcing->options, state, bundle);

	if (entry == NULL)
		return false;
	enforcing->number = entry->number;
	entry->client = enforcing->client;
	add_mark(enforcing, entry);
	return keep_boot(enforcing, entry) &&
	       state_keep_before(state, session->diags, entry, enforcing->before->bytes,
				 enforcing->before->bytes_count);
}

static bool load(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	const struct nft_load_limits limits = { .socket = enforcing->socket, .expected = enforcing->before };
	bool is_loaded = enforcing->is_there &&
			 nft_load_mark(session->pool, enforcing->socket, session->table, enforcing->mark_chain,
				       ENFORCE_MARK, enforcing->before->generation);

	if (is_loaded)
		return true;
	return nft_load_within(pool_child(session->pool, "load"), session->diags, session->table, &limits, NULL);
}

static bool translates(const struct nft_table *table)
{
	for (size_t index = 0; index < table->chains_count; index++)
		if (table->chains[index]->is_base && strcmp(table->chains[index]->type, "nat") == 0)
			return true;
	return false;
}

/* What was translated stays so until the rules are in force, and ends then. */
static bool load_translated(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	const char *table = session->table->name;
	bool is_last = nft_kept_translates(enforcing->before) && !translates(session->table);
	bool is_loaded, is_known;

	if (is_last)
		translated_hold(session->pool, enforcing->socket, table);
	is_loaded = load(enforcing);
	is_known = is_loaded && !has_come_too_late(enforcing);
	if (is_loaded || is_last)
		translated_end(session->pool, session->diags, enforcing->socket, table,
			       !is_known ? TRANSLATED_BY_UNKNOWN
			       : translates(session->table) ? TRANSLATED_BY_TABLE : TRANSLATED_BY_OTHERS);
	if (is_loaded)
		session->options.is_strict = false; /* nothing is refused any more */
	return is_loaded;
}

/* The kernel holds something else than what was sent: does it do the same? */
static bool prove_kernel(struct session *session, const struct nft_kept *now)
{
	const struct proof_limits limits = proof_limits_of(session);
	void *pool = pool_child(session->pool, "proof");
	const struct nft_read *read = nft_kept_reading(pool, now);
	struct proof proof;

	if (session->options.skips_proof)
		return true;
	proof = nft_prove(pool, session->ruleset, read, proof_table(pool, read, session->table->name), &limits);
	(void)proof_report(session, &proof, "what the kernel holds now", NULL);
	talloc_free(pool);
	return !diags_has_errors(session->diags);
}

/* Reads back what the kernel made of it. The hashes, by which a later change is seen, are NULL where it cannot be
 * read. */
static bool check_kernel(struct enforcing *enforcing, struct state_entry *entry)
{
	struct session *session = enforcing->session;
	const char *table = session->table->name;
	void *pool = enforcing->state->pool;
	struct nft_kept_look look;
	struct nft_kept *now;
	char *found;

	entry->kernel = entry->glance = entry->place = NULL;
	if (nft_kept_look(session->pool, enforcing->socket, table, NFT_KEPT_GLANCED, &look) != 0)
		return true;
	entry->glance = pool_strdup(pool, look.glance);
	entry->place = place_of(pool, enforcing->socket->fd);
	entry->generation = look.generation;
	if (strcmp(look.glance, enforcing->expected.glance) == 0) {
		entry->kernel = pool_strdup(pool, enforcing->expected.whole);
		return true;
	}
	if (nft_kept_read(session->pool, enforcing->socket, table, &now) != 0)
		return true;
	found = pool_bytes(pool, REREAD_HASH_LENGTH + 1);
	nft_kept_hash(now, found);
	entry->kernel = found;
	return has_come_too_late(enforcing) || prove_kernel(session, now);
}

static bool finish_state(struct enforcing *enforcing)
{
	struct state_entry *entry = state_find(enforcing->state, enforcing->number);

	if (!check_kernel(enforcing, entry))
		return false;
	entry->mark = needs_confirmation(enforcing) ? STATE_WAITING : STATE_CONFIRMED;
	if (!needs_confirmation(enforcing))
		entry->before = NULL;
	else
		entry->deadline = time(NULL) + (time_t)enforcing->options->confirm_s;
	if (needs_confirmation(enforcing))
		return state_write(enforcing->state, enforcing->session->diags);
	return state_confirm(enforcing->state, enforcing->session->diags, enforcing->number);
}

/* After a failure behind the load. */
static void take_back(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	struct diags *own = diags_new(session->pool, session->sources);

	if (report(enforcing, make_restore(enforcing)) &&
	    translated_restore(enforcing->restore, session->pool, own))
		forget_entry(session, enforcing->state, enforcing->number);
	else
		diags_take_errors(session->diags, own);
}

/* --- who is first --------------------------------------------------------------------------------- */

/* Another policy that waits for its confirmation has to be decided first. Where the process that would
 * bring the earlier one back is gone (the machine was started anew), nothing is decided by it any more; but
 * where it was killed and its rules are in force, nobody has confirmed what a trial would come back to. */
static bool is_free(struct enforcing *enforcing)
{
	struct state *state = enforcing->state;
	struct state_entry *waiting = state_waiting(state);
	struct diagnostic *error;

	if (waiting == NULL)
		return true;
	if (!guard_is_there(state->folder) && !(needs_confirmation(enforcing) && is_in_force(enforcing, waiting))) {
		waiting->mark = STATE_REVERTED;
		waiting->before = NULL;
		return is_free(enforcing);
	}
	error = diag_add(enforcing->session->diags, CODE_APPLY_WAITING, SPAN_NONE,
			 "entry %llu was applied by %s and still waits for its confirmation",
			 (unsigned long long)waiting->number, waiting->user);
	diag_note(enforcing->session->diags, error, SPAN_NONE,
		  "'fwc confirm' keeps it, 'fwc rollback' brings the earlier ruleset back");
	return false;
}

/* What could not be brought back is not replaced on trial. */
static bool start_guard(struct enforcing *enforcing, struct guard *guard)
{
	const struct guard_task task = {
		.root = enforcing->options->root,
		.state = enforcing->state,
		.number = enforcing->number,
		.mark = enforcing->mark,
		.seconds = enforcing->options->confirm_s,
		.restore = enforcing->restore,
	};
	int error;

	if (needs_confirmation(enforcing) &&
	    !nft_restore_is_possible(enforcing->restore, enforcing->session->diags))
		return false;
	enforcing->guard = guard;
	error = needs_confirmation(enforcing) ? guard_start(guard, &task) : 0;
	if (error != 0)
		diag_add(enforcing->session->diags, CODE_GUARD_FAILED, SPAN_NONE,
			 "cannot start the process that would bring the earlier ruleset back: %s", strerror(error));
	return error == 0;
}

/* The earlier ruleset came back while this process stood still. */
static void write_reverted(struct enforcing *enforcing)
{
	struct state_entry *entry = state_find(enforcing->state, enforcing->number);

	entry->mark = STATE_REVERTED;
	entry->before = NULL;
	(void)state_write(enforcing->state, enforcing->session->diags);
}

/* It is loaded: the time runs. false: it was taken back, for nobody would do it later. */
static bool begin_trial(struct enforcing *enforcing)
{
	switch (guard_arm(enforcing->guard)) {
	case GUARD_ARMED:
		return true;
	case GUARD_TOO_LATE:
		write_reverted(enforcing);
		return true;
	case GUARD_DEAD:
		break;
	}
	diag_add(enforcing->session->diags, CODE_GUARD_FAILED, SPAN_NONE,
		 "the process that would bring the earlier ruleset back was killed: it was brought back at once");
	take_back(enforcing);
	return false;
}

/* What failed did so because the earlier ruleset came back meanwhile. */
static bool end_too_late(struct enforcing *enforcing)
{
	(void)guard_arm(enforcing->guard);
	write_reverted(enforcing);
	return true;
}

static void undo(struct enforcing *enforcing, bool is_loaded)
{
	if (is_loaded)
		take_back(enforcing);
	else
		forget_entry(enforcing->session, enforcing->state, enforcing->number);
	if (needs_confirmation(enforcing))
		guard_cancel(enforcing->guard);
}

/* With the guard running: it ends, or the time runs. */
static bool load_guarded(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	struct diags *all = session->diags, *own = diags_new(session->pool, session->sources);
	bool is_loaded, is_in_force;

	session->diags = own;
	is_loaded = load_translated(enforcing);
	is_in_force = is_loaded && finish_state(enforcing);
	session->diags = all;
	if (!is_in_force && has_come_too_late(enforcing))
		return end_too_late(enforcing);
	diags_take(all, own);
	if (!is_in_force)
		undo(enforcing, is_loaded);
	return is_in_force && (!needs_confirmation(enforcing) || begin_trial(enforcing));
}

/* The state says it before the kernel has it; and whoever brings it back is there before the state says it. */
static bool begin(struct enforcing *enforcing, struct bundle *bundle, struct guard *guard)
{
	bool is_guarded = prepare_state(enforcing, bundle) && start_guard(enforcing, guard);

	if (is_guarded && state_note(enforcing->state, enforcing->session->diags))
		return true;
	if (is_guarded && needs_confirmation(enforcing))
		guard_cancel(guard);
	state_forget(enforcing->state);
	return false;
}

/* What the passes have freed: what comes next stands on top of what is left. */
static void give_back_memory(void)
{
	(void)malloc_trim(0);
}

bool enforce_prepare(struct session *session, struct enforce_proof *proof)
{
	proof->is_proved = false;
	session->drops_trees = true;
	if (!session_expand(session))
		return false;
	give_back_memory();
	if (!session_lower(session) || session_is_refused(session))
		return false;
	rights_want_no_program();
	give_back_memory();
	if (!session->options.skips_proof)
		proof->is_proved = proof_make(session, &proof->proof, proof->sha256);
	give_back_memory();
	return !diags_has_errors(session->diags) && !session_is_refused(session);
}

/* Closes it without a wait. The kernel frees what a commit took away when a grace period is over, and holds whoever
 * closes a netfilter socket until then (nft_rcv_nl_event): a child process that has nothing else open, and does
 * nothing else, in the caller's stead. Where there can be no child, the caller waits. */
static void leave(struct nft_socket *netlink)
{
	unsigned fd = (unsigned)netlink->fd;

	if (fork() == 0) {
		if (fd != 0)
			(void)close_range(0, fd - 1, 0);
		(void)close_range(fd + 1, UINT_MAX, 0);
		_exit(0);
	}
	talloc_free(netlink);
}

bool enforce(struct session *session, struct bundle *bundle, const struct enforce_options *options,
	     struct guard *guard)
{
	struct enforcing enforcing = { .session = session, .options = options };
	struct remote remote = remote_find(session->pool);
	bool is_in_force;

	enforcing.client = remote.kind == REMOTE_SSH ? remote.connection : NULL;
	if (!enforce_is_safe(session, options, &remote) || !open_kernel(&enforcing))
		return false;
	enforcing.state = state_open(session->pool, session->diags, options->state);
	if (enforcing.state == NULL || !read_before(&enforcing) || !is_free(&enforcing))
		return false;
	if (!begin(&enforcing, bundle, guard))
		return false;
	is_in_force = load_guarded(&enforcing);
	state_unlock(enforcing.state);
	if (is_in_force) {
		nft_note_other_chains(enforcing.socket, session->diags, session->table);
		note_other_tables(&enforcing, state_find(enforcing.state, enforcing.number));
	}
	if (!needs_confirmation(&enforcing)) /* else there is time, and a child is waited for */
		leave(enforcing.socket);
	return is_in_force;
}

int enforce_finish(const struct session *session, const struct enforce_options *options,
		   const struct guard *guard, const struct enforce_proof *proof)
{
	if (proof->is_proved)
		proof_tell(session, &proof->proof, proof->sha256);
	fprintf(stderr, "fwc: applied: table inet %s, %zu rules in 3 hooks%s\n", session->table->name,
		rules_total(session->ruleset), proof->is_proved ? "" : ", not proved");
	if (options->confirm_s == 0)
		return EXIT_DONE;
	/* as it is to be typed there, where nobody remembers the folder */
	fprintf(stderr, "fwc: the earlier ruleset comes back in %u s, unless 'fwc confirm%s%s' comes from a new "
		"session\n", options->confirm_s, strcmp(options->state, FOLDER_DEFAULT) == 0 ? "" : " --state ",
		strcmp(options->state, FOLDER_DEFAULT) == 0 ? "" : options->state);
	switch (guard_wait(guard)) {
	case GUARD_CONFIRMED:
		fputs("fwc: confirmed\n", stderr);
		return EXIT_DONE;
	case GUARD_REVERTED:
		fputs("fwc: not confirmed: the earlier ruleset is back\n", stderr);
		return EXIT_REFUSED;
	case GUARD_GONE:
		break;
	}
	fputs("fwc: error: the process that brings the earlier ruleset back was killed: 'fwc confirm' or "
	      "'fwc rollback'\n", stderr);
	return EXIT_WORLD;
}
