#include "cmd/applied.h"

#include <string.h>

#include "operate/state.h"
#include "rules/count.h"

/* Read so that the bundle has it where the entry's has it: behind the policy. */
static void read_profile(struct session *session, const char *profile)
{
	const char *bytes;
	size_t length;

	if (profile != NULL)
		(void)session->reader.read(session->reader.context, session->pool, profile, &bytes, &length);
}

static bool is_of(struct session *session, const struct bundle *bundle, const struct state_entry *entry)
{
	char hash[STATE_HASH_LENGTH + 1];
	struct text *text;

	if (entry == NULL || strcmp(entry->table, session->options.nft.table) != 0)
		return false;
	read_profile(session, entry->profile);
	text = text_new(session->pool);
	bundle_print(bundle, session->options.path, text);
	state_hash(text->bytes, text->length, hash);
	return strcmp(hash, entry->hash) == 0;
}

static void count_all(struct session *session)
{
	if (session->options.counts_all)
		return;
	session->options.counts_all = true;
	for (size_t index = 0; index < session->views_count; index++)
		ruleset_count_all(pool_child(session->pool, "counting"), session->views[index].ruleset);
}

void applied_take(struct session *session, const struct bundle *bundle, const char *state)
{
	struct diags *own = diags_new(session->pool, session->sources);
	const struct state *read = NULL;
	const struct state_entry *entry;

	if (session->options.has_level || session->options.profile != NULL)
		return;
	read = state_read(session->pool, own, state);
	entry = read == NULL ? NULL : state_current(read);
	if (!is_of(session, bundle, entry))
		return;
	session->options.nft.level = entry->level;
	session->options.profile = entry->profile;
	if (entry->counts_all)
		count_all(session);
}

static void add_omitted(struct text *out, const struct session_options *options, const struct state_entry *entry)
{
	if (entry->counts_all && !options->counts_all)
		text_add(out, " --count");
	if (entry->has_log_group && !options->nft.has_log_group)
		text_addf(out, " --log-group %u", (unsigned)entry->log_group);
	if (entry->profile != NULL && options->profile == NULL)
		text_addf(out, " --profile %s", entry->profile);
	if (entry->level != options->nft.level && !options->has_level)
		text_addf(out, " --optimise %u", optimise_level_number(entry->level));
}

void applied_note_omitted(struct session *session, const char *state)
{
	struct diags *own = diags_new(session->pool, session->sources);
	const struct state *read = state_read(session->pool, own, state);
	const struct state_entry *entry = read == NULL ? NULL : state_current(read);
	struct text *omitted = text_new(session->pool);
	struct diagnostic *note;

	if (entry == NULL || strcmp(entry->table, session->options.nft.table) != 0)
		return;
	add_omitted(omitted, &session->options, entry);
	if (omitted->length == 0)
		return;
	note = diag_add(session->diags, CODE_OPTIONS_OMITTED, SPAN_NONE,
			"entry %llu, the last that was confirmed, was applied with '%s', and this is not",
			(unsigned long long)entry->number, omitted->bytes + 1);
	diag_note(session->diags, note, SPAN_NONE, "without it the rules are others: say it again to keep them");
}
