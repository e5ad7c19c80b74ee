/* fwc explain FW0301: the page of a code. fwc explain FILE PACKET: what a policy does with packets. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "cmd/applied.h"
#include "cmd/answer.h"
#include "cmd/command.h"
#include "cmd/foreign.h"
#include "cmd/list_options.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "operate/folder.h"

static const char *const severity_words[] = { "error", "warning", "note" };

/* "FW0301", "fw301" to 301; 0 if it is no code. */
static unsigned code_number(const char *word)
{
	size_t digits;

	if (strncasecmp(word, "FW", 2) != 0)
		return 0;
	digits = strspn(word + 2, "0123456789");
	if (digits == 0 || digits > 4 || word[2 + digits] != '\0')
		return 0;
	return (unsigned)strtoul(word + 2, NULL, 10);
}

static int explain_code(struct pool_trap *root, const char *word)
{
	const struct code_info *info = code_find(code_number(word));
	struct text *out = text_new(root);

	if (info == NULL && strncasecmp(word, "FW", 2) != 0)
		return command_misused("explain", "'%s' is no code, and behind a policy a packet is missing", word);
	if (info == NULL)
		return command_misused("explain", "no code '%s'", word);
	text_addf(out, "FW%04u (%s): %s\n\n%s\n", (unsigned)info->code,
		  severity_words[info->severity], info->title, info->page);
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}

/* --- packets ----------------------------------------------------------------------------------------- */

enum { OPTION_TARGET = OPTION_OWN, OPTION_FORMAT, OPTION_MINIMISE };

struct explain_options {
	struct session_options session;
	const char *target;      /* "nft", "cisco-ios"; NULL: what the policy is for */
	const char *list_option; /* the last one that a list without a device alone takes; or NULL */
	bool has_minimise;       /* of routers alone */
	bool is_json;
	const char *state;       /* the folder that says what was applied */
	struct bundle *bundle;   /* what the policy was read from */
};

static int explain_packet(struct session *session, const char *words, const struct explain_options *options)
{
	struct question *question = question_parse(session->pool, session->diags, words);
	struct answers answers = { .session = session, .question = question };
	struct text *out = text_new(session->pool);
	int status;

	if (question == NULL)
		return session_finish(session);
	session->question = question->file;
	if (!session_expand(session))
		return session_finish(session);
	applied_take(session, options->bundle, options->state);
	if (answer_before_rules(question) == NULL)
		for (size_t index = 0; index < session->views_count; index++)
			answer_view(&answers, &session->views[index]);
	if (options->is_json)
		answers_json(out, &answers);
	else
		answers_text(out, &answers);
	status = session_finish(session);
	if (status == EXIT_DONE && !output_stdout(out))
		return EXIT_WORLD;
	return status;
}

static int target_option(struct explain_options *options, const char *word)
{
	if (strcmp(word, "nft") != 0 && strcmp(word, "cisco-ios") != 0 && strcmp(word, "cisco") != 0)
		return command_misused("explain", "no target '%s'", word);
	options->target = word;
	options->session.is_for_router = strcmp(word, "nft") != 0;
	return EXIT_DONE;
}

static int format_option(struct explain_options *options, const char *word)
{
	options->is_json = strcmp(word, "json") == 0;
	if (!options->is_json && strcmp(word, "text") != 0)
		return command_misused("explain", "'%s' is none of text, json", word);
	return EXIT_DONE;
}

/* As for `compile`: lists that are made as short as possible keep no denials of their own. */
static int minimise_option(struct explain_options *options, const char *word)
{
	options->has_minimise = true;
	options->session.cisco.keeps_denials = false;
	if (!minimise_aim_parse(word, &options->session.cisco.aim))
		return command_misused("explain", "'%s' is none of entries, tcam, none", word);
	return EXIT_DONE;
}

static int explain_option(struct explain_options *options, int option)
{
	if (option == OPTION_TARGET)
		return target_option(options, optarg);
	if (option == OPTION_FORMAT)
		return format_option(options, optarg);
	if (option == OPTION_MINIMISE)
		return minimise_option(options, optarg);
	if (option == OPTION_STATE) {
		options->state = optarg;
		return EXIT_DONE;
	}
	if (!list_option_is(option))
		return session_option(&options->session, "explain", option, optarg);
	options->list_option = list_option_word(option);
	return list_option(&options->session.cisco, "explain", option, optarg);
}

static int explain_parse(struct explain_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "target", required_argument, NULL, OPTION_TARGET },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "state", required_argument, NULL, OPTION_STATE },
		{ "minimise", required_argument, NULL, OPTION_MINIMISE },
		LIST_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = command_option(argc, argv, "", long_options)) != -1)
		status = explain_option(options, option);
	if (status == EXIT_DONE)
		status = session_profile_fits(&options->session, "explain");
	if (status == EXIT_DONE)
		status = list_options_fit(&options->session.cisco, "explain");
	if (status == EXIT_DONE && options->list_option != NULL && !options->session.is_for_router)
		return command_misused("explain", "'%s' is for target cisco-ios", options->list_option);
	return status;
}

/* The target has to be one that the policy can have. */
static bool is_target_right(struct session *session, const struct explain_options *options)
{
	bool has_devices = session_parse(session) && session_has_devices(session);

	if (options->has_minimise && !options->session.is_for_router && !has_devices) {
		(void)command_misused("explain", "'--minimise' is for target cisco-ios");
		return false;
	}
	if (!has_devices)
		return true;
	if (options->list_option != NULL) {
		(void)command_misused("explain", "'%s' is for a list without a device", options->list_option);
		return false;
	}
	if (options->target != NULL && !options->session.is_for_router) {
		(void)command_misused("explain", "the policy's devices are not this host, whose rules the nft "
				      "target gives");
		return false;
	}
	return true;
}

int command_explain(struct pool_trap *root, int argc, char **argv)
{
	struct explain_options options = { .session = session_options_default(), .state = FOLDER_DEFAULT };
	const struct file_reader disk = file_reader_disk();
	int status = explain_parse(&options, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	if (optind == argc - 1)
		return explain_code(root, argv[optind]);
	if (optind != argc - 2)
		return command_misused("explain", "a code, or a policy and a packet");
	options.session.path = argv[optind];
	options.session.foreign = &foreign_policies;
	session = session_new(root, &options.session);
	options.bundle = bundle_new(session->pool);
	session->reader = bundle_recorder(options.bundle, &disk);
	if (!is_target_right(session, &options))
		return EXIT_USAGE;
	return explain_packet(session, argv[optind + 1], &options);
}
