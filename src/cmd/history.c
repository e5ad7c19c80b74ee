/* fwc history: what was applied here. */
#include "cmd/command.h"
#include "cmd/operation.h"
#include "cmd/output.h"

static void add_line(struct text *out, const struct state_entry *entry)
{
	text_addf(out, "%4llu  ", (unsigned long long)entry->number);
	operation_time(out, entry->applied);
	text_addf(out, "  %-9s  %.12s  ", state_mark_word(entry->mark), entry->hash);
	operation_policy(out, entry);
	text_addf(out, "  (%llu rules, table %s, by %s)\n", (unsigned long long)entry->rules, entry->table,
		  entry->user);
}

static bool print_json(struct text *out, const struct state *state)
{
	json_t *entries = json_array();

	for (size_t index = state->entries_count; index-- > 0;)
		json_array_append_new(entries, operation_json(state->pool, &state->entries[index]));
	return operation_print_json(out, entries);
}

static bool print_text(struct text *out, const struct state *state)
{
	for (size_t index = state->entries_count; index-- > 0;)
		add_line(out, &state->entries[index]);
	if (state->entries_count == 0)
		text_add(out, "nothing was applied yet\n");
	return output_stdout(out);
}

int command_history(struct pool_trap *root, int argc, char **argv)
{
	struct operation operation;
	int status = operation_begin(&operation, root, argc, argv, 0);
	struct state *state;
	struct text *out;
	bool is_printed;

	if (status != EXIT_DONE)
		return status;
	state = state_read(operation.session->pool, operation.session->diags, operation.enforced.state);
	status = session_finish(operation.session);
	if (state == NULL || status != EXIT_DONE)
		return status;
	out = text_new(operation.session->pool);
	is_printed = operation.session->options.has_json ? print_json(out, state) : print_text(out, state);
	return is_printed ? EXIT_DONE : EXIT_WORLD;
}
