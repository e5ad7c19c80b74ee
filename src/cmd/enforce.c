/* Into the kernel and into the state. The state goes first: what cannot be written is not loaded. */
#include "cmd/enforce.h"

#include <errno.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "operate/state.h"
#include "operate/who.h"
#include "target/nft/load.h"
#include "target/nft/refusal.h"
#include "target/nft/restore.h"
#include "target/nft/safe.h"

size_t rules_total(const struct ruleset *ruleset)
{
	size_t total = 0;

	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		total += ruleset->rules_count[hook];
	return total;
}

/* --- options -------------------------------------------------------------------------------------- */

bool enforce_is_option(int option)
{
	return option == OPTION_STATE || option == OPTION_CONFIRM;
}

/* A day is enough to look at anything. */
#define CONFIRM_MOST_S 86400

static bool seconds_parse(const char *text, unsigned *seconds)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' || value > CONFIRM_MOST_S)
		return false;
	*seconds = (unsigned)value;
	return true;
}

int enforce_option(struct enforce_options *options, const char *command, int option, const char *argument)
{
	if (option == OPTION_STATE)
		options->state = argument;
	else if (!seconds_parse(argument, &options->confirm_s) || options->confirm_s != 0)
		return command_misused(command, "'%s' is not 0", argument);
	else
		options->has_confirm = true;
	return EXIT_DONE;
}

/* --- the state ------------------------------------------------------------------------------------ */

static struct state_entry *add_entry(struct session *session, struct state *state, const struct bundle *bundle)
{
	struct text *text = text_new(state->pool);
	const struct session_options *options = &session->options;
	struct state_entry *entry;

	bundle_print(bundle, options->path, text);
	entry = state_add(state, session->diags, text);
	if (entry == NULL)
		return NULL;
	entry->mark = STATE_LOADING;
	entry->policy = session->policy->name;
	entry->version = session->policy->version;
	entry->file = options->path;
	entry->user = who_runs(state->pool);
	entry->table = session->table->name;
	entry->applied = time(NULL);
	entry->rules = rules_total(session->ruleset);
	entry->allows_expired_deny = options->allows_expired_deny;
	entry->has_log_group = options->nft.has_log_group;
	entry->log_group = options->nft.log_group;
	return entry;
}

/* The kernel has taken nothing: neither has the state. */
static bool forget_entry(struct session *session, struct state *state, uint64_t number)
{
	struct state_entry *entry = state_find(state, number);

	if (entry == &state->entries[state->entries_count - 1])
		state->entries_count--;
	(void)state_write(state, session->diags);
	return false;
}

/* --- the kernel ----------------------------------------------------------------------------------- */

/* What there is to load it, and to take it back. */
struct enforcing {
	struct session *session;
	const struct enforce_options *options;
	struct state *state;
	uint64_t number; /* of the entry */
	struct nft_socket *socket;
	struct nft_kept *before;
	struct nft_restore *restore;
};

static bool read_before(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	int error;

	enforcing->socket = nft_socket_new(session->pool);
	error = enforcing->socket == NULL ? errno
		: nft_kept_read(session->pool, enforcing->socket, session->table->name, &enforcing->before);
	if (error == 0) {
		enforcing->restore = nft_restore_new(session->pool, enforcing->before);
		error = enforcing->restore == NULL ? errno : 0;
	}
	if (error != 0)
		nft_report_error(session->diags, error, "read the kernel's rules");
	return error == 0;
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

	chain->name = pool_format(table, ENFORCE_MARK "%llu", (unsigned long long)entry->number);
	chain->comment = pool_strdup(table, nft_safe(words).bytes);
	*pool_append(table, table, chains) = chain;
}

static bool prepare_state(struct enforcing *enforcing, const struct bundle *bundle)
{
	struct session *session = enforcing->session;
	struct state *state = enforcing->state;
	struct state_entry *entry = add_entry(session, state, bundle);

	if (entry == NULL)
		return false;
	enforcing->number = entry->number;
	add_mark(enforcing, entry);
	return state_keep_before(state, session->diags, entry, enforcing->before->bytes,
				 enforcing->before->bytes_count) &&
	       state_write(state, session->diags);
}

static bool load(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	const struct nft_load_limits limits = { .expected = enforcing->before };

	return nft_load_within(pool_child(session->pool, "load"), session->diags, session->table, &limits, NULL);
}

/* What the kernel made of it: by this a later change is seen. */
static const char *hash_of_kernel(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	char *hash = pool_bytes(enforcing->state->pool, REREAD_HASH_LENGTH + 1);
	struct nft_kept *now;
	int error = nft_kept_read(session->pool, enforcing->socket, session->table->name, &now);

	if (error != 0)
		return NULL;
	nft_kept_hash(now, hash);
	talloc_free(now);
	return hash;
}

static bool finish_state(struct enforcing *enforcing)
{
	struct state_entry *entry = state_find(enforcing->state, enforcing->number);

	entry->kernel = hash_of_kernel(enforcing);
	entry->mark = STATE_CONFIRMED;
	entry->before = NULL;
	return state_write(enforcing->state, enforcing->session->diags);
}

/* After a failure behind the load. */
static bool take_back(struct enforcing *enforcing)
{
	struct session *session = enforcing->session;
	struct diags *own = diags_new(session->pool, session->sources);

	if (nft_restore_send(enforcing->restore, session->pool, own))
		return forget_entry(session, enforcing->state, enforcing->number);
	diags_take_errors(session->diags, own);
	return false;
}

bool enforce(struct session *session, const struct bundle *bundle, const struct enforce_options *options)
{
	struct enforcing enforcing = { .session = session, .options = options };

	if (!read_before(&enforcing))
		return false;
	enforcing.state = state_open(session->pool, session->diags, options->state);
	if (enforcing.state == NULL || !prepare_state(&enforcing, bundle))
		return false;
	if (!load(&enforcing))
		return forget_entry(session, enforcing.state, enforcing.number);
	if (!finish_state(&enforcing))
		return take_back(&enforcing);
	nft_note_other_chains(session->pool, session->diags, session->table);
	return true;
}
