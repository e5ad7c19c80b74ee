/* fwc compile: a policy to a target's text, or to what a stage gave. */
#include "ast/print.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/proof.h"
#include "cmd/session.h"

#include <string.h>
#include <sys/stat.h>

enum { OPTION_TARGET = OPTION_OWN, OPTION_SHOW };

/* A stage: how far the passes run, and what prints its result. */
struct stage {
	const char *name;
	bool (*run)(struct session *session);
	void (*print)(struct text *out, const struct session *session);
	bool is_proved; /* it is a table: compared with the policy before it is given out */
};

static void print_ast(struct text *out, const struct session *session)
{
	ast_print_tree(out, session->sources, session->program->main_file);
}

static void print_policy(struct text *out, const struct session *session)
{
	policy_print(out, session->policy);
}

static void print_rules(struct text *out, const struct session *session)
{
	for (size_t index = 0; index < session->views_count; index++) {
		if (session->views_count > 1)
			text_addf(out, "%s# device %s\n", index == 0 ? "" : "\n",
				  session->views[index].device->name);
		ruleset_print(out, session->views[index].ruleset);
	}
}

static void print_nft(struct text *out, const struct session *session)
{
	nft_text(out, session->table);
	if (session->options.skips_proof)
		text_add(out, "# Not proved to equal the policy: made with --no-proof.\n");
}

static void print_bytecode(struct text *out, const struct session *session)
{
	nft_bytecode(out, session->table);
}

static const struct stage stages[] = {
	{ "ast", session_parse, print_ast },
	{ "policy", session_resolve, print_policy },
	{ "rules", session_expand, print_rules },
	{ "nft", session_lower, print_nft, true },
	{ "bytecode", session_lower, print_bytecode, true },
};

static const struct stage *stage_find(const char *name)
{
	for (size_t index = 0; index < sizeof stages / sizeof stages[0]; index++)
		if (strcmp(stages[index].name, name) == 0)
			return &stages[index];
	return NULL;
}

struct compile_options {
	struct session_options session;
	const struct stage *stage;
	const char *output; /* NULL: standard output */
};

static int compile_option(struct compile_options *options, int option)
{
	switch (option) {
	case OPTION_TARGET:
		if (strcmp(optarg, "nft") != 0)
			return command_misused("compile", "no target '%s'", optarg);
		return EXIT_DONE;
	case OPTION_SHOW:
		options->stage = stage_find(optarg);
		if (options->stage == NULL)
			return command_misused("compile", "no stage '%s'", optarg);
		return EXIT_DONE;
	case 'o':
		options->output = strcmp(optarg, "-") == 0 ? NULL : optarg;
		return EXIT_DONE;
	}
	return session_option(&options->session, "compile", option, optarg);
}

static int compile_parse(struct compile_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "target", required_argument, NULL, OPTION_TARGET },
		{ "show", required_argument, NULL, OPTION_SHOW },
		{ "output", required_argument, NULL, 'o' },
		{ "no-proof", no_argument, NULL, OPTION_NO_PROOF },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = getopt_long(argc, argv, "o:", long_options, NULL)) != -1)
		status = compile_option(options, option);
	return status != EXIT_DONE ? status : session_path(&options->session, "compile", argc, argv);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* The product never takes the place of what it was made from. */
static bool is_input(const struct session *session, const char *path)
{
	for (size_t index = 0; index < session->sources->items_count; index++)
		if (!session->sources->items[index]->is_builtin &&
		    is_same_file(session->sources->items[index]->name, path))
			return true;
	return is_same_file(session->options.path, path);
}

static void write_output(struct session *session, const struct text *out, const char *path)
{
	if (is_input(session, path))
		diag_add(session->diags, CODE_OUTPUT_FAILED, SPAN_NONE,
			 "'%s' belongs to the policy: the output would take its place", path);
	else
		(void)output_file(session->diags, out, path);
}

int command_compile(struct pool_trap *root, int argc, char **argv)
{
	struct compile_options options = {
		.session = session_options_default(),
		.stage = stage_find("nft"),
	};
	int status = compile_parse(&options, argc, argv);
	struct session *session;
	struct proof proof;
	char sha256[REREAD_HASH_LENGTH + 1];
	bool is_proved;
	struct text *out;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options.session);
	if (!options.stage->run(session) || session_is_refused(session))
		return session_finish(session);
	is_proved = options.stage->is_proved && !options.session.skips_proof &&
		    proof_make(session, &proof, sha256);
	if (diags_has_errors(session->diags) || session_is_refused(session))
		return session_finish(session);
	out = text_new(session->pool);
	options.stage->print(out, session);
	if (options.output != NULL)
		write_output(session, out, options.output);
	status = session_finish(session);
	if (status == EXIT_DONE && is_proved) {
		proof_hash(out, sha256);
		proof_tell(session, &proof, sha256);
	}
	if (status == EXIT_DONE && options.output == NULL && !output_stdout(out))
		return EXIT_WORLD;
	return status;
}
