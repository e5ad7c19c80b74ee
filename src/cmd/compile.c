/* fwc compile: a policy to a target's text, or to what a stage gave. */
#include "ast/print.h"
#include "cmd/command.h"
#include "cmd/list_options.h"
#include "cmd/output.h"
#include "cmd/proof.h"
#include "cmd/rescue.h"
#include "cmd/session.h"
#include "cmd/write.h"
#include "target/cisco/edit/edit.h"
#include "target/cisco/lower/report.h"
#include "target/cisco/model/safe.h"
#include "target/nft/load/batch_file.h"
#include "target/nft/report/report.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_TARGET = OPTION_OWN, OPTION_SHOW, OPTION_PORT_WORDS, OPTION_REPORT, OPTION_REDACT, OPTION_MODE,
       OPTION_FROM, OPTION_MINIMISE };

/* A stage: how far the passes run, and what prints its result. */
struct stage {
	const char *name;
	bool (*run)(struct session *session);
	void (*print)(struct text *out, const struct session *session);
	bool is_proved; /* it is a table, or lists: compared with the policy before it is given out */
	bool is_streamed; /* its text may be large, and printing it again gives the same */
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

static void print_batch(struct text *out, const struct session *session)
{
	nft_batch_file_write(out, session->table);
}

static void print_ios(struct text *out, const struct session *session)
{
	for (size_t index = 0; index < session->views_count; index++) {
		text_add(out, index == 0 ? "" : "\n");
		text_move(out, session->views[index].text);
	}
	if (session->options.skips_proof)
		text_add(out, "! Not proved to equal the policy: made with --no-proof.\n");
}

static void print_report(struct text *out, const struct session *session)
{
	for (size_t index = 0; index < session->views_count; index++)
		cisco_report(out, session->views[index].ios);
}

static void print_nft_report(struct text *out, const struct session *session)
{
	(session->options.has_json ? nft_report_json : nft_report_text)(out, session->options.nft.report,
									session->table, session->ruleset);
}

/* What `--target` can name; options and stages of the other targets do not fit. */
struct target {
	const char *name;
	const struct stage *stage;
	bool is_router;
};

static const struct stage stages[] = {
	{ "ast", session_parse, print_ast, false, false },
	{ "policy", session_resolve, print_policy, false, false },
	{ "rules", session_expand, print_rules, false, false },
	{ "nft", session_lower, print_nft, true, true },
	{ "bytecode", session_lower, print_bytecode, true, false },
};

static const struct stage nft_stage = { "nft", session_lower, print_nft, true, true };
static const struct stage ios_stage = { "cisco-ios", session_write_cisco, print_ios, true, false };
static const struct stage batch_stage = { "nft-batch", session_lower, print_batch, true, false };
static const struct stage report_stage = { "report", session_lower_cisco, print_report, false, false };
static const struct stage nft_report_stage = { "report", session_lower, print_nft_report, false, false };

static const struct target targets[] = {
	{ "cisco", &ios_stage, true },
	{ "cisco-ios", &ios_stage, true },
	{ "nft", &nft_stage, false },
	{ "nft-batch", &batch_stage, false },
};

static const struct stage *stage_find(const char *name)
{
	for (size_t index = 0; index < sizeof stages / sizeof stages[0]; index++)
		if (strcmp(stages[index].name, name) == 0)
			return &stages[index];
	return NULL;
}

static const struct target *target_find(const char *name)
{
	for (size_t index = 0; index < sizeof targets / sizeof targets[0]; index++)
		if (strcmp(targets[index].name, name) == 0)
			return &targets[index];
	return NULL;
}

struct compile_options {
	struct session_options session;
	const struct stage *stage; /* NULL: the target's text */
	const struct target *target; /* NULL: what the policy's devices are, nft without */
	bool has_report;
	const char *list_option;   /* the last one that a list without a device alone takes; or NULL */
	const char *router_option; /* the last one that only routers take; or NULL */
	const char *host_option;   /* the last one that only nft takes; or NULL */
	const char *output;        /* NULL: standard output */
	enum cisco_mode mode;      /* of a router's lists */
	const char *from;          /* its running configuration, or NULL */
};

static bool mode_parse(const char *text, enum cisco_mode *mode)
{
	static const char *const words[] = { [CISCO_FULL] = "full", [CISCO_SWAP] = "swap", [CISCO_EDIT] = "edit" };

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strcmp(words[index], text) == 0) {
			*mode = (enum cisco_mode)index;
			return true;
		}
	return false;
}

/* What was asked for has to fit together. */
static int options_fit(struct compile_options *options)
{
	const struct target *target = options->target;
	const char *foreign = options->list_option != NULL ? options->list_option : options->router_option;

	if (!target->is_router && foreign != NULL)
		return command_misused("compile", "'%s' is for target cisco-ios", foreign);
	if (target->is_router && options->host_option != NULL)
		return command_misused("compile", "'%s' is for target nft", options->host_option);
	if (target->is_router && options->stage != NULL && options->stage->run == session_lower)
		return command_misused("compile", "target '%s' has no stage '%s'", target->name,
				       options->stage->name);
	if (options->has_report && options->stage != NULL)
		return command_misused("compile", "'--report' and '--show' are two things to print");
	if (options->session.device != NULL && options->list_option != NULL)
		return command_misused("compile", "'%s' is for a list without a device", options->list_option);
	if (list_options_fit(&options->session.cisco, "compile") != EXIT_DONE)
		return EXIT_USAGE;
	if (options->mode == CISCO_EDIT && options->from == NULL)
		return command_misused("compile", "'--mode edit' needs '--from' and the running configuration");
	if (options->mode == CISCO_FULL && options->from != NULL)
		return command_misused("compile", "'--from' is for '--mode swap' and '--mode edit'");
	if (options->mode != CISCO_FULL && (options->stage != NULL || options->has_report))
		return command_misused("compile", "'--mode' is for the lists themselves");
	if (target->stage == &batch_stage && options->stage == NULL &&
	    (options->output == NULL || write_is_folder(options->output)))
		return command_misused("compile", "target nft-batch gives two files, FILE and FILE.rescue: say "
				       "'-o FILE'");
	options->session.is_for_router = target->is_router;
	if (options->stage == NULL)
		options->stage = !options->has_report ? target->stage
				 : target->is_router ? &report_stage : &nft_report_stage;
	return EXIT_DONE;
}

static int compile_option(struct compile_options *options, int option)
{
	switch (option) {
	case OPTION_TARGET:
		options->target = target_find(optarg);
		if (options->target == NULL)
			return command_misused("compile", "no target '%s'", optarg);
		return EXIT_DONE;
	case OPTION_LIST_NAME:
	case OPTION_LIST_NUMBER:
	case OPTION_LIST_IPV6:
	case OPTION_LIST_REPLIES:
	case OPTION_LIST_MULTI_PORT_EQ:
		options->list_option = list_option_word(option);
		return list_option(&options->session.cisco, "compile", option, optarg);
	case OPTION_MINIMISE:
		options->router_option = "--minimise";
		options->session.cisco.keeps_denials = false;
		if (!minimise_aim_parse(optarg, &options->session.cisco.aim))
			return command_misused("compile", "'%s' is none of entries, tcam, none", optarg);
		return EXIT_DONE;
	case OPTION_PORT_WORDS:
		options->router_option = "--port-words";
		options->session.cisco.has_port_words = true;
		return EXIT_DONE;
	case OPTION_REDACT:
		options->router_option = "--redact";
		options->session.cisco.redacts = true;
		return EXIT_DONE;
	case OPTION_MODE:
		options->router_option = "--mode";
		if (!mode_parse(optarg, &options->mode))
			return command_misused("compile", "'%s' is none of full, swap, edit", optarg);
		return EXIT_DONE;
	case OPTION_FROM:
		options->router_option = "--from";
		options->from = optarg;
		return EXIT_DONE;
	case OPTION_REPORT:
		options->has_report = true;
		return EXIT_DONE;
	case OPTION_TABLE:
		options->host_option = "--table";
		break;
	case OPTION_LOG_GROUP:
		options->host_option = "--log-group";
		break;
	case OPTION_OPTIMISE:
		options->host_option = "--optimise";
		break;
	case OPTION_PROFILE:
		options->host_option = "--profile";
		break;
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
		LIST_LONG_OPTIONS,
		{ "port-words", no_argument, NULL, OPTION_PORT_WORDS },
		{ "report", no_argument, NULL, OPTION_REPORT },
		{ "redact", no_argument, NULL, OPTION_REDACT },
		{ "mode", required_argument, NULL, OPTION_MODE },
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "minimise", required_argument, NULL, OPTION_MINIMISE },
		{ "show", required_argument, NULL, OPTION_SHOW },
		{ "output", required_argument, NULL, 'o' },
		{ "no-proof", no_argument, NULL, OPTION_NO_PROOF },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = command_option(argc, argv, "o:", long_options)) != -1)
		status = compile_option(options, option);
	return status != EXIT_DONE ? status : session_path(&options->session, "compile", argc, argv);
}

/* What a policy is for, where nobody says it: its devices, or this host. */
static const struct target *target_of(struct session *session)
{
	(void)session_parse(session);
	return target_find(session_has_devices(session) ? "cisco-ios" : "nft");
}

/* The commands that change a live router; what they make of its lists is compared with the policy. */
static void print_change(struct text *out, struct session *session, const struct compile_options *options,
			 struct cisco_proof *proof, bool *is_proved)
{
	struct cisco_change change = { options->mode, UINT32_MAX };
	const char *bytes;
	size_t length;
	int error = 0;

	if (session->views_count != 1) {
		diag_add(session->diags, CODE_EDIT_UNKNOWN, SPAN_NONE,
			 "the policy has %zu devices, and one router is changed at a time: say '--device NAME'",
			 session->views_count);
		return;
	}
	if (options->from != NULL)
		error = session->reader.read(session->reader.context, session->pool, options->from, &bytes,
					     &length);
	if (error != 0) {
		diag_add(session->diags, CODE_FILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s", options->from,
			 strerror(error));
		return;
	}
	if (options->from != NULL)
		change.router = sources_add(session->sources, options->from, bytes, length, false);
	if (!cisco_edit(out, session->diags, session->views[0].ios, &session->options.cisco, &change))
		return;
	if (session->options.skips_proof)
		text_add(out, "! Not proved to equal the policy: made with --no-proof.\n");
	else
		*is_proved = proof_make_change(session, change.router, out, proof);
}

static void write_product(struct session *session, const struct compile_options *options,
			  const struct output_item *product)
{
	const struct text *rescue;

	if (options->stage != &batch_stage) {
		write_file(session, *product);
		return;
	}
	rescue = rescue_make(session);
	if (rescue != NULL)
		write_batches(session, product->text, rescue, product->path);
}

/* What was proved, until it may be told. */
struct proved {
	bool is_table, is_list;
	struct proof table;
	struct cisco_proof lists;
};

static void prove(struct session *session, const struct compile_options *options, struct proved *proved)
{
	char sha256[REREAD_HASH_LENGTH + 1];

	if (!options->stage->is_proved || session->options.skips_proof)
		return;
	if (options->stage != &ios_stage)
		proved->is_table = proof_make(session, &proved->table, sha256);
	else if (options->mode == CISCO_FULL)
		proved->is_list = proof_make_lists(session, &proved->lists);
}

static void tell(const struct session *session, const struct proved *proved, const struct output_item *product)
{
	char sha256[SHA256_DIGITS + 1];

	if (!proved->is_table && !proved->is_list)
		return;
	if (product->stream != NULL)
		memcpy(sha256, product->stream->sha256, sizeof sha256);
	else
		sha256_digits_of(product->text->bytes, product->text->length, sha256);
	if (proved->is_table)
		proof_tell(session, &proved->table, sha256);
	if (proved->is_list)
		proof_tell_lists(session, &proved->lists, sha256);
}

struct printing {
	const struct stage *stage;
	const struct session *session;
};

static void print_stage(struct text *out, const void *subject)
{
	const struct printing *printing = subject;

	printing->stage->print(out, printing->session);
}

/* What the stage gives; of a change of a router's lists, whether they are what they should be, too. */
static void make_product(struct session *session, const struct compile_options *options, struct proved *proved,
			 struct output_item *product)
{
	struct text *out = text_new(session->pool);
	struct printing *printing;

	product->text = out;
	if (options->mode != CISCO_FULL) {
		print_change(out, session, options, &proved->lists, &proved->is_list);
	} else if (options->stage->is_streamed) {
		printing = pool_new(session->pool, struct printing);
		*printing = (struct printing){ options->stage, session };
		product->stream = output_stream_new(session->pool, print_stage, printing);
		product->stream->is_hashed = proved->is_table;
	} else {
		options->stage->print(out, session);
	}
}

/* Proved, printed and told, if nothing speaks against it: told last, for the hash is that of what went out. */
static int compile_print(struct session *session, const struct compile_options *options)
{
	struct proved proved = { 0 };
	struct output_item product = { .path = options->output };
	int status;

	prove(session, options, &proved);
	if (diags_has_errors(session->diags) || session_is_refused(session))
		return session_finish(session);
	make_product(session, options, &proved, &product);
	if (diags_has_errors(session->diags) || session_is_refused(session))
		return session_finish(session);
	if (options->output != NULL)
		write_product(session, options, &product);
	status = session_finish(session);
	if (status == EXIT_DONE && options->output == NULL && !output_item_stdout(&product))
		return EXIT_WORLD;
	if (status == EXIT_DONE)
		tell(session, &proved, &product);
	return status;
}

/* A file a device. */
static int compile_folder(struct session *session, const struct compile_options *options)
{
	struct proved proved = { 0 };
	struct text *out = text_new(session->pool);
	int status;

	prove(session, options, &proved);
	if (diags_has_errors(session->diags) || session_is_refused(session))
		return session_finish(session);
	write_folder(session, options->output);
	print_ios(out, session);
	status = session_finish(session);
	if (status == EXIT_DONE)
		tell(session, &proved, &(struct output_item){ .text = out });
	return status;
}

int command_compile(struct pool_trap *root, int argc, char **argv)
{
	struct compile_options options = {
		.session = session_options_default(),
	};
	int status = compile_parse(&options, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options.session);
	if (options.target == NULL)
		options.target = target_of(session);
	status = options_fit(&options);
	if (options.stage == &nft_report_stage)
		options.session.nft.report = nft_report_new(session->pool);
	if (status != EXIT_DONE)
		return status;
	session->options = options.session;
	session->drops_trees = true;
	session->drops_lists = options.mode == CISCO_FULL;
	if (!options.stage->run(session) || session_is_refused(session))
		return session_finish(session);
	if (options.output != NULL && options.stage == &ios_stage && options.mode == CISCO_FULL &&
	    write_is_folder(options.output))
		return compile_folder(session, &options);
	return compile_print(session, &options);
}
