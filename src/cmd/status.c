/* fwc status: what is in force, from which policy, and whether it still is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/booted.h"
#include "cmd/command.h"
#include "cmd/operation.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "target/nft/load/kept_ask.h"
#include "target/nft/load/refusal.h"

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
	bool looks_at_elements;    /* each of large sets, too */
	struct state_entry *entry; /* what should be in force, or NULL */
	struct state_entry *lost;  /* was on trial when its process, or the machine, ended; or NULL */
	bool has_guard;
	struct nft_kept *kept;     /* what the kernel holds */
	const char *mark;          /* what the kernel says that was applied, or NULL */
	const char *chain;         /* where it says so */
	bool is_booted;            /* from a batch that no entry made */
	struct booted booted;
	enum agreement agreement;
};

/* The comment of the chain that says what was applied. */
static void read_mark(void *pool, struct standing *standing)
{
	struct nft_table *table = standing->kept->has_table ? nft_kept_table(pool, standing->kept) : NULL;

	for (size_t index = 0; table != NULL && index < table->chains_count; index++) {
		const struct nft_kept_chain *chain = table->chains[index]->kept;

		/* one comment: type, length, text (target/nft/batch/userdata.h) */
		if (strncmp(table->chains[index]->name, ENFORCE_MARK, sizeof ENFORCE_MARK - 1) == 0 &&
		    chain->userdata_length > 2) {
			standing->chain = table->chains[index]->name;
			standing->mark = pool_strndup(pool, (const char *)chain->userdata + 2,
						      strnlen((const char *)chain->userdata + 2,
							      chain->userdata_length - 2));
			return;
		}
	}
}

/* Does the kernel say that it holds this one? */
static bool is_marked(void *pool, const struct standing *standing, const struct state_entry *entry)
{
	const char *chain = pool_format(pool, ENFORCE_MARK "%llu", (unsigned long long)entry->number);
	const char *words = pool_format(pool, "sha256 %s ", entry->hash);

	return standing->mark != NULL && strncmp(standing->mark, words, strlen(words)) == 0 &&
	       strncmp(standing->chain, chain, strlen(chain)) == 0 &&
	       (standing->chain[strlen(chain)] == '\0' || standing->chain[strlen(chain)] == '.');
}

/* The newest that was not taken back. Where it was on trial when the machine ended, a boot has loaded the one
 * before it. */
static void choose_entry(void *pool, struct standing *standing, const struct state *state)
{
	for (size_t index = state->entries_count; index-- > 0;) {
		struct state_entry *entry = &state->entries[index];

		if (strcmp(entry->table, standing->table) != 0 || entry->mark == STATE_REVERTED)
			continue;
		if (standing->entry == NULL)
			standing->entry = entry;
		if (entry->mark != STATE_CONFIRMED)
			continue;
		if (standing->entry != entry && !standing->has_guard && is_marked(pool, standing, entry)) {
			standing->lost = standing->entry;
			standing->entry = entry;
		}
		return;
	}
}

/* A glance sees everything but the elements of large sets, of which it sees how many. */
static enum agreement compare_hashes(const struct standing *standing, const char *whole, const char *glance)
{
	char hash[REREAD_HASH_LENGTH + 1];
	const char *wanted = standing->looks_at_elements ? whole : glance;

	if (wanted == NULL)
		return NOT_KNOWN;
	nft_kept_hash(standing->kept, hash);
	return strcmp(hash, wanted) == 0 ? AGREES : DIFFERS;
}

static enum agreement compare(struct session *session, const struct standing *standing, const char *directory)
{
	struct kept_hash_result expected;

	if (standing->is_booted && booted_expect(session, &standing->booted, directory, &expected))
		return compare_hashes(standing, expected.whole, expected.glance);
	if (standing->is_booted || standing->entry == NULL)
		return NOT_KNOWN;
	if (!standing->kept->has_table)
		return NO_TABLE;
	return compare_hashes(standing, standing->entry->kernel, standing->entry->glance);
}

static bool read_kernel(struct session *session, struct standing *standing, struct state *state)
{
	struct nft_socket *socket = nft_socket_new(session->pool);
	size_t length = 0;
	const char *batch = standing->looks_at_elements && state->folder != NULL
		? state_read_messages(state, &length) : NULL;
	int error = socket == NULL ? errno
		: standing->looks_at_elements
		? nft_kept_read_like(session->pool, socket, standing->table, batch, length, &standing->kept)
		: nft_kept_glance(session->pool, socket, standing->table, NFT_KEPT_GLANCED, &standing->kept);

	if (error != 0)
		nft_report_error(session->diags, error, "read the kernel's rules");
	return error == 0;
}

static bool look(struct operation *operation, struct standing *standing)
{
	struct session *session = operation->session;
	struct state *state = state_read(session->pool, session->diags, operation->enforced.state);

	if (state == NULL || !read_kernel(session, standing, state))
		return false;
	standing->has_guard = state->folder != NULL && guard_is_there(state->folder);
	read_mark(session->pool, standing);
	choose_entry(session->pool, standing, state);
	standing->is_booted = standing->mark != NULL && strcmp(standing->chain, BOOTED_CHAIN) == 0 &&
			      booted_parse(session->pool, standing->mark, &standing->booted);
	/* an fwc of before there were glances */
	if (!standing->is_booted && standing->entry != NULL && standing->entry->glance == NULL &&
	    standing->entry->kernel != NULL && !standing->looks_at_elements) {
		standing->looks_at_elements = true;
		if (!read_kernel(session, standing, state))
			return false;
	}
	standing->agreement = compare(session, standing, operation->enforced.state);
	return true;
}

static void add_trial(struct text *out, const struct standing *standing)
{
	const struct state_entry *entry = standing->entry;

	if (entry->mark == STATE_CONFIRMED) {
		text_add(out, "confirmed");
		if (entry->ends_denied)
			text_add(out, "; connections that it denies were not all ended: 'fwc confirm' ends them");
		text_add_char(out, '\n');
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

static void add_entry(struct text *out, const struct standing *standing)
{
	const struct state_entry *entry = standing->entry;

	operation_policy(out, entry);
	text_addf(out, ", entry %llu, sha256 %s\n", (unsigned long long)entry->number, entry->hash);
	text_add(out, "applied ");
	operation_time(out, entry->applied);
	text_addf(out, " by %s from ", entry->user);
	visible_add(out, entry->file, strlen(entry->file));
	text_add_char(out, '\n');
	add_trial(out, standing);
}

static void add_booted(struct text *out, const struct standing *standing)
{
	static const char *const texts[] = {
		"booted from a batch", "booted from a rescue batch, for the policy's could not be used",
		"booted with the built-in rules, for no batch could be used",
	};
	const struct booted *booted = &standing->booted;

	text_add(out, texts[booted->what]);
	if (booted->sha256 != NULL)
		text_addf(out, ", sha256 %s", booted->sha256);
	if (booted->path != NULL) {
		text_add(out, ", ");
		visible_add(out, booted->path, strlen(booted->path));
	}
	text_add_char(out, '\n');
}

/* An entry that is not what the kernel holds, nor what it should. */
static void add_other(struct text *out, const struct state_entry *entry, const char *words)
{
	if (entry == NULL)
		return;
	text_addf(out, "entry %llu (", (unsigned long long)entry->number);
	operation_policy(out, entry);
	text_add(out, "), applied ");
	operation_time(out, entry->applied);
	text_addf(out, " by %s, %s\n", entry->user, words);
}

static void add_agreement(struct text *out, const struct standing *standing)
{
	if (standing->is_booted && standing->agreement == AGREES)
		text_add(out, "the kernel holds what was booted");
	else if (standing->is_booted && standing->agreement == NOT_KNOWN)
		text_add(out, "whether the kernel holds what was booted is not known: its batch is not there");
	else
		text_add(out, agreement_texts[standing->agreement]);
	if (standing->agreement == AGREES && !nft_kept_is_whole(standing->kept))
		text_add(out, ", of large sets as many elements ('--elements' looks at each)");
	text_add_char(out, '\n');
}

static bool print_text(struct text *out, const struct standing *standing)
{
	const struct state_entry *entry = standing->entry;

	text_addf(out, "table inet %s: ", standing->table);
	if (standing->is_booted) {
		add_booted(out, standing);
	} else if (entry == NULL) {
		text_add(out, standing->kept->has_table ? "in the kernel, " : "not in the kernel, ");
		text_add(out, "and nothing in the state says that it was applied\n");
	} else {
		add_entry(out, standing);
	}
	if (standing->is_booted || entry != NULL)
		add_agreement(out, standing);
	if (standing->is_booted)
		add_other(out, entry, "is not in force");
	add_other(out, standing->lost, standing->lost != NULL && standing->lost->mark == STATE_LOADING
		  ? "is being loaded, or was when its fwc was ended: it is not in force"
		  : "was on trial when fwc or the machine was ended, and is not in force");
	if (!standing->is_booted && standing->mark != NULL && standing->agreement != AGREES) {
		text_add(out, "the kernel says: ");
		visible_add(out, standing->mark, strlen(standing->mark));
		text_add_char(out, '\n');
	}
	return output_stdout(out);
}

static json_t *json_of_booted(void *pool, const struct standing *standing)
{
	const struct booted *booted = &standing->booted;
	json_t *object = json_object();

	json_set(pool, object, "what", json_text(pool, booted_word(booted->what)));
	json_set(pool, object, "sha256", booted->sha256 == NULL ? json_null() : json_text(pool, booted->sha256));
	json_set(pool, object, "file", booted->path == NULL ? json_null() : json_text(pool, booted->path));
	return object;
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
	json_set(pool, root, "booted", standing->is_booted ? json_of_booted(pool, standing) : json_null());
	json_set(pool, root, "elements-compared", json_boolean(nft_kept_is_whole(standing->kept)));
	json_set(pool, root, "entry", entry == NULL ? json_null() : operation_json(pool, entry));
	json_set(pool, root, "has-timer", json_boolean(standing->has_guard));
	json_set(pool, root, "deadline", entry == NULL || entry->mark != STATE_WAITING
		 ? json_null() : json_integer((json_int_t)entry->deadline));
	json_set(pool, root, "lost", standing->lost == NULL ? json_null() : operation_json(pool, standing->lost));
	return operation_print_json(out, root);
}

static bool is_as_it_should_be(const struct standing *standing)
{
	return standing->agreement == AGREES &&
	       (!standing->is_booted || (standing->booted.what == BOOTED_POLICY && standing->entry == NULL));
}

int command_status(struct pool_trap *root, int argc, char **argv)
{
	struct operation operation;
	int status = operation_begin(&operation, root, argc, argv, OPERATION_TABLE | OPERATION_ELEMENTS);
	struct standing standing = { 0 };
	struct text *out;
	bool is_printed;

	if (status != EXIT_DONE)
		return status;
	standing.table = operation.session->options.nft.table;
	standing.looks_at_elements = operation.looks_at_elements;
	if (!look(&operation, &standing))
		return session_finish(operation.session);
	status = session_finish(operation.session);
	if (status != EXIT_DONE)
		return status;
	out = text_new(operation.session->pool);
	is_printed = operation.session->options.has_json ? print_json(out, &standing) : print_text(out, &standing);
	if (!is_printed)
		return EXIT_WORLD;
	return is_as_it_should_be(&standing) ? EXIT_DONE : EXIT_POLICY;
}
