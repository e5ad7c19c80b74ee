/* fwc status: what is in force, from which policy, and whether it still is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/operation.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "target/nft/refusal.h"

enum agreement { AGREES, DIFFERS, NO_TABLE, NOT_KNOWN };

static const char *const agreement_words[] = { "same", "changed", "missing", "unknown" };
static const char *const agreement_texts[] = {
	"the kernel holds what was applied",
	"somebody has changed the table in the kernel since then",
	"the kernel has no such table",
	"whether the kernel holds what was applied is not known",
};

struct standing {
	const char *table;
	struct state_entry *entry; /* what should be in force, or NULL */
	bool has_guard;
	struct nft_kept *kept;     /* what the kernel holds */
	const char *mark;          /* what the kernel says that was applied, or NULL */
	enum agreement agreement;
};

/* The comment of the chain that says what was applied. */
static const char *mark_of(void *pool, const struct nft_kept *kept)
{
	struct nft_table *table = nft_kept_table(pool, kept);

	for (size_t index = 0; table != NULL && index < table->chains_count; index++) {
		const struct nft_kept_chain *chain = table->chains[index]->kept;

		/* one comment: type, length, text (target/nft/userdata.h) */
		if (strncmp(table->chains[index]->name, ENFORCE_MARK, sizeof ENFORCE_MARK - 1) == 0 &&
		    chain->userdata_length > 2)
			return pool_strndup(pool, (const char *)chain->userdata + 2,
					    strnlen((const char *)chain->userdata + 2,
						    chain->userdata_length - 2));
	}
	return NULL;
}

static enum agreement compare(const struct standing *standing)
{
	char hash[REREAD_HASH_LENGTH + 1];

	if (standing->entry == NULL || standing->entry->kernel == NULL)
		return NOT_KNOWN;
	if (!standing->kept->has_table)
		return NO_TABLE;
	nft_kept_hash(standing->kept, hash);
	return strcmp(hash, standing->entry->kernel) == 0 ? AGREES : DIFFERS;
}

static bool look(struct operation *operation, struct standing *standing)
{
	struct session *session = operation->session;
	struct state *state = state_read(session->pool, session->diags, operation->enforced.state);
	struct nft_socket *socket;
	int error;

	if (state == NULL)
		return false;
	for (size_t index = state->entries_count; index-- > 0 && standing->entry == NULL;)
		if (strcmp(state->entries[index].table, standing->table) == 0 &&
		    state->entries[index].mark != STATE_REVERTED)
			standing->entry = &state->entries[index];
	standing->has_guard = state->folder != NULL && guard_is_there(state->folder);
	socket = nft_socket_new(session->pool);
	error = socket == NULL ? errno : nft_kept_read(session->pool, socket, standing->table, &standing->kept);
	if (error != 0) {
		nft_report_error(session->diags, error, "read the kernel's rules");
		return false;
	}
	standing->mark = standing->kept->has_table ? mark_of(session->pool, standing->kept) : NULL;
	standing->agreement = compare(standing);
	return true;
}

static void add_trial(struct text *out, const struct standing *standing)
{
	const struct state_entry *entry = standing->entry;

	if (entry->mark == STATE_CONFIRMED) {
		text_add(out, "confirmed\n");
		return;
	}
	if (entry->mark == STATE_LOADING) {
		text_add(out, "its load has not ended: where no fwc is at work any more, 'fwc rollback' brings "
			 "back what was there before it\n");
		return;
	}
	text_add(out, "waits for 'fwc confirm' until ");
	operation_time(out, entry->deadline);
	text_add(out, standing->has_guard ? "\n" : ", but the process that would bring the earlier ruleset back is "
						   "gone: 'fwc confirm' or 'fwc rollback'\n");
}

static bool print_text(struct text *out, const struct standing *standing)
{
	const struct state_entry *entry = standing->entry;

	text_addf(out, "table inet %s: ", standing->table);
	if (entry == NULL) {
		text_add(out, standing->kept->has_table ? "in the kernel, " : "not in the kernel, ");
		text_add(out, "and nothing in the state says that it was applied\n");
	} else {
		operation_policy(out, entry);
		text_addf(out, ", entry %llu, sha256 %s\n", (unsigned long long)entry->number, entry->hash);
		text_add(out, "applied ");
		operation_time(out, entry->applied);
		text_addf(out, " by %s from ", entry->user);
		visible_add(out, entry->file, strlen(entry->file));
		text_add_char(out, '\n');
		add_trial(out, standing);
		text_addf(out, "%s\n", agreement_texts[standing->agreement]);
	}
	if (standing->mark != NULL && standing->agreement != AGREES) {
		text_add(out, "the kernel says: ");
		visible_add(out, standing->mark, strlen(standing->mark));
		text_add_char(out, '\n');
	}
	return output_stdout(out);
}

static bool print_json(struct text *out, const struct standing *standing)
{
	void *pool = out->pool;
	json_t *root = json_object();
	const struct state_entry *entry = standing->entry;

	json_set(pool, root, "table", json_text(pool, standing->table));
	json_set(pool, root, "in-kernel", json_boolean(standing->kept->has_table));
	json_set(pool, root, "kernel", json_text(pool, agreement_words[standing->agreement]));
	json_set(pool, root, "kernel-says",
		 standing->mark == NULL ? json_null() : json_text(pool, standing->mark));
	json_set(pool, root, "entry", entry == NULL ? json_null() : operation_json(pool, entry));
	json_set(pool, root, "has-timer", json_boolean(standing->has_guard));
	json_set(pool, root, "deadline", entry == NULL || entry->mark != STATE_WAITING
		 ? json_null() : json_integer((json_int_t)entry->deadline));
	return operation_print_json(out, root);
}

int command_status(struct pool_trap *root, int argc, char **argv)
{
	struct operation operation;
	int status = operation_begin(&operation, root, argc, argv, OPERATION_TABLE);
	struct standing standing = { 0 };
	struct text *out;
	bool is_printed;

	if (status != EXIT_DONE)
		return status;
	standing.table = operation.session->options.nft.table;
	if (!look(&operation, &standing))
		return session_finish(operation.session);
	status = session_finish(operation.session);
	if (status != EXIT_DONE)
		return status;
	out = text_new(operation.session->pool);
	is_printed = operation.session->options.has_json ? print_json(out, &standing) : print_text(out, &standing);
	if (!is_printed)
		return EXIT_WORLD;
	return standing.agreement == AGREES ? EXIT_DONE : EXIT_POLICY;
}
