/* fwc explain FW0301: the page of a code. fwc explain FILE PACKET: what a policy does with packets. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "analyse/explain.h"
#include "analyse/near.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/question.h"
#include "cmd/session.h"
#include "diag/visible.h"
#include "target/nft/follow.h"

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

	if (info == NULL)
		return command_misused("explain", "no code '%s'", word);
	text_addf(out, "FW%04u (%s): %s\n\n%s\n", (unsigned)info->code,
		  severity_words[info->severity], info->title, info->page);
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}

/* --- packets ----------------------------------------------------------------------------------------- */

static const char *const verdict_words[] = { "allow", "deny", "reject" };
static const char *const hook_words[] = { "input", "forward", "output" };

/* What is said of one packet that one rule decides. */
struct telling {
	struct text *out;
	struct session *session;
	const struct ruleset *ruleset;
	const struct meaning *meaning;
	const struct nft_table *table; /* of this host; NULL: the packets are a router's */
};

/* The statement, to the end of its first line. */
static void add_statement(struct telling *telling, struct span span)
{
	visible_add_first_line(telling->out, telling->session->sources, span);
}

static void add_place(struct telling *telling, struct span span)
{
	text_add(telling->out, span_place(telling->out->pool, telling->session->sources, span));
}

static void add_decision(struct telling *telling, enum hook hook, uint32_t number)
{
	const struct outcome *outcome = meaning_outcome(telling->meaning, hook, number);
	struct span origin = meaning_origin(telling->meaning, hook, number);

	text_addf(telling->out, "%s: %s%s, ", hook_words[hook], verdict_words[outcome->verdict],
		  outcome->limit != NULL ? " up to a limit" : "");
	if (origin.source == SPAN_NONE.source) {
		text_add(telling->out, "by default: no rule matches, and the policy names no default\n");
		return;
	}
	text_add(telling->out, "by ");
	add_place(telling, origin);
	text_add(telling->out, "\n    ");
	add_statement(telling, origin);
	text_add_char(telling->out, '\n');
}

static void add_packet(struct telling *telling, const char *words, const struct packet *packet)
{
	text_addf(telling->out, "  %s ", words);
	packet_format(telling->out, packet);
	text_add_char(telling->out, '\n');
}

static void add_translation(struct telling *telling, const struct packet *packet)
{
	const struct rule_translation *translation =
		explain_source_translation(telling->ruleset, packet);

	if (translation == NULL)
		return;
	text_add(telling->out, "  leaves with ");
	if (translation->kind == TRANSLATION_MASQUERADE)
		text_add(telling->out, "the address of the interface");
	else
		address_format(telling->out, &translation->source->as[packet->family]);
	text_add(telling->out, translation->kind == TRANSLATION_MASQUERADE ? " (masquerade, " : " (snat, ");
	add_place(telling, translation->origin);
	text_add(telling->out, ")\n");
}

static void add_tunnel(struct telling *telling, const struct packet *packet)
{
	bool is_back;
	const struct tunnel *tunnel = explain_tunnel(telling->ruleset->policy, packet, &is_back);

	if (tunnel == NULL)
		return;
	text_addf(telling->out, "  tunnel '%s' carries it (", tunnel->name);
	add_place(telling, tunnel->span);
	text_add(telling->out, ")\n");
}

#define NEAR_MOST 3

static void add_near(struct telling *telling, const struct packet *packet, uint32_t number)
{
	struct near_rule near[NEAR_MOST];
	enum hook hook = packet->hook;
	size_t before = meaning_index(telling->meaning, hook, number);
	size_t count = near_rules(telling->ruleset, packet, before,
				  meaning_outcome(telling->meaning, hook, number)->verdict, near, NEAR_MOST);

	for (size_t index = 0; index < count; index++) {
		text_add(telling->out, "  close: ");
		add_place(telling, near[index].rule->origin);
		text_add(telling->out, ": ");
		near_format(telling->out, &near[index], packet);
		text_add_char(telling->out, '\n');
	}
}

/* What decides in the kernel's listing, where the walk agrees with the policy. */
static void add_table(struct telling *telling, const struct packet *packet, uint32_t number)
{
	const struct outcome *outcome = meaning_outcome(telling->meaning, packet->hook, number);
	struct nft_path path;

	if (telling->table == NULL)
		return;
	path = nft_follow(telling->session->pool, telling->table, packet);
	if (!path.is_decided || path.is_accepted != (outcome->verdict == VERDICT_ALLOW) ||
	    path.is_rejected != (outcome->verdict == VERDICT_REJECT))
		return;
	text_addf(telling->out, "  in table inet %s: ", telling->table->name);
	nft_path_format(telling->out, &path);
	text_add_char(telling->out, '\n');
}

static void add_consequences(struct telling *telling, const struct packet *packet, uint32_t number)
{
	if (meaning_outcome(telling->meaning, packet->hook, number)->verdict == VERDICT_ALLOW) {
		add_translation(telling, packet);
		add_tunnel(telling, packet);
	}
	add_table(telling, packet, number);
	add_near(telling, packet, number);
}

static void add_part(struct telling *telling, const struct explain_part *part)
{
	add_decision(telling, part->hook, part->number);
	add_packet(telling, part->is_every ? "such as" : "some, such as", &part->packet);
	add_consequences(telling, &part->packet, part->number);
}

static void add_forward(struct telling *telling, const struct explain_forward *forward)
{
	text_add(telling->out, "forward: ");
	add_place(telling, forward->translation->origin);
	text_add(telling->out, " translates the destination\n    ");
	add_statement(telling, forward->translation->origin);
	text_add_char(telling->out, '\n');
	add_packet(telling, "it becomes", &forward->packet);
	text_add(telling->out, "  ");
	add_decision(telling, HOOK_FORWARD, forward->number);
	add_consequences(telling, &forward->packet, forward->number);
}

/* Packets that no rule is asked about (language reference, "State"). */
static bool add_state(struct text *out, enum question_state state)
{
	switch (state) {
	case QUESTION_NEW:
	case QUESTION_UNTRACKED:
		return false;
	case QUESTION_ESTABLISHED:
		text_add(out, "passes: packets of connections that were let in are not asked again\n");
		return true;
	case QUESTION_RELATED:
		text_add(out, "passes: errors and helpers' connections that belong to a connection that "
			 "was let in; a helper's only where a rule names that helper's service\n");
		return true;
	case QUESTION_INVALID:
		text_add(out, "deny: what belongs to no connection and begins none is dropped and "
			 "counted before any rule\n");
		return true;
	}
	return false;
}

/* What `compile` would give for this host; NULL where it gives nothing. */
static const struct nft_table *table_of(struct session *session, const struct session_view *view)
{
	struct diags *own = diags_new(session->pool, session->sources);

	if (view->device != NULL || session->policy->devices_count > 0)
		return NULL;
	return nft_lower(pool_child(session->pool, "nft"), own, view->ruleset, &session->options.nft);
}

static void tell_view(struct session *session, const struct session_view *view,
		      const struct question *question, struct text *out)
{
	const struct explain_question asked = {
		.packets = view->policy->question,
		.in = question->in,
		.out = question->out,
	};
	struct explanation *explanation = explain_packets(session->pool, view->ruleset, &asked);
	struct telling telling = { out, session, view->ruleset, &explanation->meaning, table_of(session, view) };

	if (view->device != NULL)
		text_addf(out, "device %s\n", view->device->name);
	for (size_t index = 0; index < explanation->forwards_count; index++)
		add_forward(&telling, &explanation->forwards[index]);
	for (size_t index = 0; index < explanation->parts_count; index++)
		add_part(&telling, &explanation->parts[index]);
	if (explanation->is_over)
		diag_add(session->diags, CODE_ANALYSIS_BUDGET, SPAN_NONE,
			 "the policy is too large to say which rules decide these packets");
	else if (explanation->parts_count == 0 && explanation->forwards_count == 0)
		diag_add(session->diags, CODE_PACKET_NONE, view->policy->question->span,
			 "there is no such packet");
}

static int explain_packet(struct session *session, const char *words)
{
	struct question *question = question_parse(session->pool, session->diags, words);
	struct text *out = text_new(session->pool);
	int status;

	if (question == NULL)
		return session_finish(session);
	session->question = question->file;
	if (!session_expand(session))
		return session_finish(session);
	if (!add_state(out, question->state))
		for (size_t index = 0; index < session->views_count; index++)
			tell_view(session, &session->views[index], question, out);
	status = session_finish(session);
	if (status == EXIT_DONE && !output_stdout(out))
		return EXIT_WORLD;
	return status;
}

static int explain_parse(struct session_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		status = session_option(options, "explain", option, optarg);
	return status;
}

int command_explain(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	int status = explain_parse(&options, argc, argv);

	if (status != EXIT_DONE)
		return status;
	if (optind == argc - 1)
		return explain_code(root, argv[optind]);
	if (optind != argc - 2)
		return command_misused("explain", "a code, or a policy and a packet");
	options.path = argv[optind];
	return explain_packet(session_new(root, &options), argv[optind + 1]);
}
