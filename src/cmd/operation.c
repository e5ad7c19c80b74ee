#include "cmd/operation.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"

int operation_begin(struct operation *operation, struct pool_trap *root, int argc, char **argv)
{
	static const struct option long_options[] = {
		OPERATION_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	const char *command = strrchr(argv[0], ' ') + 1; /* main.c: "fwc COMMAND" */
	struct session_options options = session_options_default();
	int option, status = EXIT_DONE;

	*operation = (struct operation){ .state = FOLDER_DEFAULT };
	while (status == EXIT_DONE && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == OPTION_STATE)
			operation->state = optarg;
		else
			status = session_option(&options, command, option, optarg);
	}
	if (status == EXIT_DONE && optind != argc)
		status = command_misused(command, "takes no arguments");
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
