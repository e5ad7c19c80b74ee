#include "cmd/operation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"

enum { OPTION_ELEMENTS = OPTION_OWN + 10 };

static bool number_parse(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *number != 0;
}

/* The name of an option that the command does not take, or NULL. */
static const char *refused_option(unsigned takes, int option)
{
	switch (option) {
	case OPTION_CONFIRM:
		return (takes & OPERATION_CONFIRM) != 0 ? NULL : "--confirm";
	case OPTION_FORCE:
		return (takes & OPERATION_FORCES) != 0 ? NULL : "--force";
	case OPTION_TABLE:
		return (takes & OPERATION_TABLE) != 0 ? NULL : "--table";
	case OPTION_ELEMENTS:
		return (takes & OPERATION_ELEMENTS) != 0 ? NULL : "--elements";
	}
	return NULL;
}

static int take_number(struct operation *operation, const char *command, int argc, char **argv, unsigned takes)
{
	if (optind == argc)
		return EXIT_DONE;
	if ((takes & OPERATION_NUMBER) == 0)
		return command_misused(command, "takes options alone");
	if (optind != argc - 1 || !number_parse(argv[optind], &operation->number))
		return command_misused(command, "a number of 'fwc history' is wanted");
	return EXIT_DONE;
}

int operation_begin(struct operation *operation, struct pool_trap *root, int argc, char **argv, unsigned takes)
{
	static const struct option long_options[] = {
		ENFORCE_LONG_OPTIONS,
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "table", required_argument, NULL, OPTION_TABLE },
		{ "elements", no_argument, NULL, OPTION_ELEMENTS },
		{ NULL, 0, NULL, 0 },
	};
	const char *command = strrchr(argv[0], ' ') + 1; /* main.c: "fwc COMMAND" */
	struct session_options options = session_options_default();
	int option, status = EXIT_DONE;

	*operation = (struct operation){ .enforced = { .root = root, .state = FOLDER_DEFAULT } };
	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1) {
		if (refused_option(takes, option) != NULL)
			status = command_misused(command, "has no option '%s'", refused_option(takes, option));
		else if (option == OPTION_ELEMENTS)
			operation->looks_at_elements = true;
		else if (enforce_is_option(option))
			status = enforce_option(&operation->enforced, command, option, optarg);
		else
			status = session_option(&options, command, option, optarg);
	}
	if (status == EXIT_DONE)
		status = take_number(operation, command, argc, argv, takes);
	if (status == EXIT_DONE)
		operation->session = session_new(root, &options);
	return status;
}

void operation_time(struct text *out, time_t when)
{
	struct tm parts;
	char words[32];

	if (gmtime_r(&when, &parts) != NULL && strftime(words, sizeof words, "%Y-%m-%d %H:%M:%SZ", &parts) != 0)
		text_add(out, words);
}

void operation_policy(struct text *out, const struct state_entry *entry)
{
	const char *name = entry->policy != NULL ? entry->policy : entry->file;

	visible_add(out, name, strlen(name));
	if (entry->version != NULL) {
		text_add_char(out, ' ');
		visible_add(out, entry->version, strlen(entry->version));
	}
}

static json_t *string_of(void *pool, const char *text)
{
	return text == NULL ? json_null() : json_text(pool, text);
}

json_t *operation_json(void *pool, const struct state_entry *entry)
{
	struct text *when = text_new(pool);
	json_t *object = json_object();

	operation_time(when, entry->applied);
	json_set(pool, object, "number", json_integer((json_int_t)entry->number));
	json_set(pool, object, "mark", json_text(pool, state_mark_word(entry->mark)));
	json_set(pool, object, "policy", string_of(pool, entry->policy));
	json_set(pool, object, "version", string_of(pool, entry->version));
	json_set(pool, object, "sha256", string_of(pool, entry->hash));
	json_set(pool, object, "file", string_of(pool, entry->file));
	json_set(pool, object, "user", string_of(pool, entry->user));
	json_set(pool, object, "table", string_of(pool, entry->table));
	json_set(pool, object, "rules", json_integer((json_int_t)entry->rules));
	json_set(pool, object, "applied", string_of(pool, when->bytes));
	return object;
}

bool operation_print_json(struct text *out, json_t *root)
{
	char *json = json_dumps(root, JSON_INDENT(2));

	json_decref(root);
	if (json == NULL)
		pool_fail(out->pool, 0);
	text_addf(out, "%s\n", json);
	free(json);
	return output_stdout(out);
}

struct session *operation_session(struct operation *operation, struct state *state, const struct state_entry *entry,
				  struct bundle **bundle)
{
	struct session_options options = operation->session->options;
	struct session *session;
	size_t length;
	const char *bytes = state_read_policy(state, operation->session->diags, entry, &length);

	*bundle = bytes == NULL ? NULL : bundle_parse(state->pool, bytes, length, &options.path);
	if (*bundle == NULL) {
		if (bytes != NULL)
			diag_add(operation->session->diags, CODE_STATE_DAMAGED, SPAN_NONE,
				 "the text of entry %llu has another form", (unsigned long long)entry->number);
		return NULL;
	}
	/* what has ended since then is left out, as it would be by the clock */
	options.allows_expired_deny = true;
	options.counts_all = entry->counts_all;
	options.nft.table = entry->table;
	options.nft.has_log_group = entry->has_log_group;
	options.nft.log_group = entry->log_group;
	options.nft.level = entry->level;
	options.profile = entry->profile;
	session = session_new(operation->enforced.root, &options);
	session->reader = bundle_reader(*bundle);
	return session;
}
