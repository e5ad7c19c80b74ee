/* The analysis's parts, each with what the outputs make of its example. */
#include "cmd/answer.h"

#include "base/pool.h"
#include "diag/visible.h"
#include "net/week.h"

/* --- working it out ---------------------------------------------------------------------------------- */

/* One view while it is asked. */
struct asking {
	struct session *session;
	const struct session_view *view;
	const struct meaning *meaning;
	const struct nft_table *table;   /* of this host; NULL: there is none */
	struct cisco_follower *follower; /* of a router; NULL: there is none */
	struct answer *answer;
};

/* It answers for this host, not for a router. */
static bool is_for_host(const struct session *session)
{
	return session->policy->devices_count == 0 && !session->options.is_for_router;
}

/* What `compile` would give for this host; NULL where it gives nothing, or where the table is another one. */
static const struct nft_table *table_of(struct session *session, const struct session_view *view)
{
	struct diags *own = diags_new(session->pool, session->sources);

	if (!is_for_host(session) || session->is_foreign)
		return NULL;
	const struct ruleset *optimised = session_optimise(session, view->ruleset);

	return optimised == NULL ? NULL : nft_lower(pool_child(session->pool, "nft"), own, optimised,
						    &session->options.nft);
}

/* The same for a router. Keys are no part of it. */
static struct cisco_follower *follower_of(struct session *session, const struct session_view *view)
{
	struct diags *own = diags_new(session->pool, session->sources);
	void *pool = pool_child(session->pool, "cisco");
	struct cisco_settings settings = session->options.cisco;
	struct text *text = text_new(pool);
	const struct ios_config *config;
	uint32_t source;

	if (view->device == NULL && !session->options.is_for_router)
		return NULL;
	settings.redacts = true;
	config = view->device == NULL ? cisco_lower(pool, own, view->ruleset, &settings) :
		 cisco_lower_device(pool, own, view->ruleset, view->device, &settings);
	if (config == NULL || diags_has_errors(own))
		return NULL;
	cisco_text(text, config, &settings);
	source = sources_add(session->sources, "<output>", text->bytes, text->length, false);
	return cisco_follower_new(pool, view->ruleset, &session->options.cisco, session->sources, source);
}

/* What decides in the kernel's listing, where the walk agrees with the policy. */
static void follow_table(const struct asking *asking, const struct packet *packet, uint8_t hop_limit,
			 enum verdict verdict, struct answer_outputs *outputs)
{
	struct nft_path path;

	if (asking->table == NULL)
		return;
	path = nft_follow(asking->session->pool, asking->table, packet, hop_limit);
	if (!path.is_decided || path.is_accepted != (verdict == VERDICT_ALLOW) ||
	    path.is_rejected != (verdict == VERDICT_REJECT))
		return;
	outputs->has_table_path = true;
	outputs->table_path = path;
}

static void follow_lists(const struct asking *asking, const struct packet *packet,
			 const struct rule_translation *leaves, struct answer_outputs *outputs)
{
	if (asking->follower == NULL)
		return;
	outputs->lists_path = cisco_follow(asking->follower, packet, leaves);
	outputs->has_lists_path = outputs->lists_path.steps_count > 0 && !outputs->lists_path.is_unread;
}

static bool is_timed(const struct ruleset *ruleset, enum hook hook)
{
	for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
		if (ruleset->rules[hook][index]->match.minutes != NULL)
			return true;
	return false;
}

/* number: that of the statement which decides (meaning.h). */
static void add_decision(struct asking *asking, struct answer_decision decision, uint32_t number)
{
	const struct ruleset *ruleset = asking->view->ruleset;
	const struct rule *rule = meaning_rule(asking->meaning, decision.hook, number);
	bool is_back;

	decision.outcome = meaning_outcome(asking->meaning, decision.hook, number);
	decision.origin = meaning_origin(asking->meaning, decision.hook, number);
	decision.identity = rule != NULL ? rule->identity : ruleset->default_identities[decision.hook];
	if (decision.outcome->verdict == VERDICT_ALLOW) {
		decision.tunnel = explain_tunnel(ruleset->policy, &decision.packet, &is_back);
		if (decision.tunnel == NULL)
			decision.leaves = explain_source_translation(ruleset, &decision.packet);
	}
	decision.near_count = near_rules(ruleset, &decision.packet,
					 meaning_index(asking->meaning, decision.hook, number),
					 decision.outcome->verdict, decision.near, ANSWER_NEAR_MOST);
	decision.is_timed = is_timed(ruleset, decision.hook);
	follow_table(asking, &decision.packet, NFT_FOLLOW_HOP_LIMIT, decision.outcome->verdict, &decision.outputs);
	follow_lists(asking, &decision.packet, decision.leaves, &decision.outputs);
	*pool_append(asking->session->pool, asking->answer, decisions) = decision;
}

static void add_always(struct asking *asking, const struct explain_always *found)
{
	struct answer_always always = { .found = found };

	follow_table(asking, &found->packet, found->kind == EXPLAIN_DISCOVERY ? UINT8_MAX : NFT_FOLLOW_HOP_LIMIT,
		     VERDICT_ALLOW, &always.outputs);
	follow_lists(asking, &found->packet, NULL, &always.outputs);
	*pool_append(asking->session->pool, asking->answer, always) = always;
}

/* The place shows the question as a rule has it. */
static void report_none(struct session *session, const struct session_view *view, const struct question *question)
{
	struct diagnostic *error = diag_add(session->diags, CODE_PACKET_NONE, view->policy->question->span,
					    "there is no such packet: '%s'", question->words);

	if (question->in != NULL || question->out != NULL)
		diag_note(session->diags, error, SPAN_NONE, "with these interfaces: a zone's packets come in and "
			  "leave by its own, what goes to the firewall leaves by none, and what it sends comes in "
			  "by none");
	else
		diag_note(session->diags, error, SPAN_NONE, "both ends and the service are of one family, and a "
			  "zone never contains the firewall");
}

void answer_view(struct answers *answers, const struct session_view *view)
{
	struct session *session = answers->session;
	const struct explain_question asked = {
		.packets = view->policy->question,
		.in = answers->question->in,
		.out = answers->question->out,
		.has_loopback = is_for_host(session),
		.is_untracked = answers->question->state == QUESTION_UNTRACKED,
	};
	const struct explanation *explanation = explain_packets(session->pool, view->ruleset, &asked);
	struct answer answer = { .device = view->device, .table = table_of(session, view) };
	struct asking asking = { session, view, &explanation->meaning, answer.table,
				 follower_of(session, view), &answer };

	answer.is_compiled = asking.table != NULL || asking.follower != NULL;
	for (size_t index = 0; index < explanation->forwards_count; index++) {
		const struct explain_forward *forward = &explanation->forwards[index];

		add_decision(&asking, (struct answer_decision){
			.hook = forward->hook,
			.packet = forward->packet,
			.is_every = forward->is_every,
			.is_way_known = forward->is_way_known,
			.forward = forward->translation,
		}, forward->number);
	}
	for (size_t index = 0; index < explanation->always_count; index++)
		add_always(&asking, &explanation->always[index]);
	for (size_t index = 0; index < explanation->parts_count; index++) {
		const struct explain_part *part = &explanation->parts[index];

		add_decision(&asking, (struct answer_decision){
			.hook = part->hook,
			.packet = part->packet,
			.is_every = part->is_every,
			.is_hop_limit_other = part->is_hop_limit_other,
		}, part->number);
	}
	if (explanation->is_over)
		diag_add(session->diags, CODE_ANALYSIS_BUDGET, SPAN_NONE,
			 "the policy is too large to say which rules decide these packets");
	else if (answer.decisions_count == 0 && answer.always_count == 0)
		report_none(session, view, answers->question);
	*pool_append(session->pool, answers, items) = answer;
}

/* --- before the rules -------------------------------------------------------------------------------- */

/* Packets that no rule is asked about (language reference, "State"). */
const struct answer_before *answer_before_rules(const struct question *question)
{
	static const struct answer_before established = {
		VERDICT_ALLOW, "packets of connections that were let in are not asked again",
	}, related = {
		VERDICT_ALLOW, "errors and helpers' connections that belong to a connection that was let in; a "
			       "helper's only where a rule names that helper's service",
	}, invalid = {
		VERDICT_DENY, "what belongs to no connection and begins none is dropped and counted before any "
			      "rule",
	};

	switch (question->state) {
	case QUESTION_NEW:
	case QUESTION_UNTRACKED:
		break;
	case QUESTION_ESTABLISHED:
		return &established;
	case QUESTION_RELATED:
		return &related;
	case QUESTION_INVALID:
		return &invalid;
	}
	return NULL;
}

const char *answer_always_word(enum explain_always_kind kind)
{
	static const char *const words[EXPLAIN_ALWAYS_KINDS] = {
		[EXPLAIN_DISCOVERY] = "neighbour discovery",
		[EXPLAIN_LISTENERS] = "multicast listeners",
		[EXPLAIN_LOOPBACK] = "loopback",
	};

	return words[kind];
}

/* --- text -------------------------------------------------------------------------------------------- */

static const char *const verdict_words[] = { "allow", "deny", "reject" };
static const char *const hook_words[] = { "input", "forward", "output" };

/* The statement, to the end of its first line. */
static void add_statement(struct text *out, struct session *session, struct span span)
{
	visible_add_first_line(out, session->sources, span);
}

static void add_place(struct text *out, struct session *session, struct span span)
{
	text_add(out, span_place(out->pool, session->sources, span));
}

static void add_verdict(struct text *out, struct session *session, const struct answer_decision *decision)
{
	text_addf(out, "%s: %s%s, ", hook_words[decision->hook], verdict_words[decision->outcome->verdict],
		  decision->outcome->limit != NULL ? " up to a limit" : "");
	if (decision->origin.source == SPAN_NONE.source) {
		text_add(out, "by default: no rule matches, and the policy names no default\n");
		return;
	}
	text_add(out, "by ");
	add_place(out, session, decision->origin);
	text_add(out, "\n    ");
	add_statement(out, session, decision->origin);
	text_add_char(out, '\n');
}

static const char *packet_words(const struct answer_decision *decision)
{
	if (decision->is_hop_limit_other)
		return "with another hop limit, such as";
	return decision->is_every ? "such as" : "some, such as";
}

static void add_packet(struct text *out, const char *words, const struct answer_decision *decision)
{
	text_addf(out, "  %s ", words);
	packet_format(out, &decision->packet);
	if (decision->is_timed) {
		text_add(out, " on ");
		week_format(out, decision->packet.minute * 60);
		text_add(out, " UTC");
	}
	text_add_char(out, '\n');
}

static void add_leaves(struct text *out, struct session *session, const struct answer_decision *decision)
{
	const struct rule_translation *leaves = decision->leaves;
	bool is_masquerade;

	if (leaves == NULL)
		return;
	is_masquerade = leaves->kind == TRANSLATION_MASQUERADE;
	text_add(out, "  leaves with ");
	if (is_masquerade)
		text_add(out, "the address of the interface");
	else
		address_format(out, &leaves->source->as[decision->packet.family]);
	text_add(out, is_masquerade ? " (masquerade, " : " (snat, ");
	add_place(out, session, leaves->origin);
	text_add(out, ")\n");
}

static void add_tunnel(struct text *out, struct session *session, const struct answer_decision *decision)
{
	if (decision->tunnel == NULL)
		return;
	text_addf(out, "  tunnel '%s' carries it (", decision->tunnel->name);
	add_place(out, session, decision->tunnel->span);
	text_add(out, ")\n");
}

static void add_outputs(struct text *out, const struct answer *answer, const struct answer_outputs *outputs,
			enum verdict verdict)
{
	const struct cisco_path *lists = &outputs->lists_path;

	if (outputs->has_table_path) {
		text_addf(out, "  in table inet %s: ", answer->table->name);
		nft_path_format(out, &outputs->table_path);
		text_add_char(out, '\n');
	}
	if (!outputs->has_lists_path)
		return;
	for (size_t index = 0; index < lists->steps_count; index++) {
		text_add(out, "  ");
		cisco_step_format(out, &lists->steps[index]);
		text_add_char(out, '\n');
	}
	if (lists->is_permitted && verdict != VERDICT_ALLOW)
		text_add(out, "  the lists let it pass: more than the policy allows, as 'fwc compile' tells\n");
}

static void add_passing(struct text *out, const struct answer *answer, const struct answer_always *always)
{
	const struct explain_always *found = always->found;

	static const char *const which[EXPLAIN_ALWAYS_KINDS] = {
		[EXPLAIN_DISCOVERY] = " with hop limit 255",
		[EXPLAIN_LISTENERS] = " of link-local addresses",
		[EXPLAIN_LOOPBACK] = "",
	};

	text_addf(out, "%s: passes before any rule: %s%s\n  such as ", hook_words[found->hook],
		  answer_always_word(found->kind), which[found->kind]);
	packet_format(out, &found->packet);
	text_add_char(out, '\n');
	add_outputs(out, answer, &always->outputs, VERDICT_ALLOW);
}

static void add_near(struct text *out, struct session *session, const struct answer_decision *decision)
{
	for (size_t index = 0; index < decision->near_count; index++) {
		text_add(out, "  close: ");
		add_place(out, session, decision->near[index].rule->origin);
		text_add(out, ": ");
		near_format(out, &decision->near[index], &decision->packet);
		text_add_char(out, '\n');
	}
}

static bool is_if_own(const struct answer *answer, const struct answer_decision *decision)
{
	return decision->forward != NULL && decision->hook == HOOK_INPUT && answer->device == NULL;
}

/* Where the host is an address of the firewall: as the decision before, of what is forwarded? */
static bool is_same_if_own(const struct answer *answer, size_t at)
{
	const struct answer_decision *decision = &answer->decisions[at], *before = decision - 1;

	return at > 0 && is_if_own(answer, decision) && before->forward == decision->forward &&
	       before->hook == HOOK_FORWARD && before->is_every && decision->is_every &&
	       before->identity == decision->identity;
}

static void add_where_own(struct text *out, const struct answer_decision *decision, const char *lead)
{
	const struct address host = { decision->packet.family, decision->packet.destination };

	text_add(out, lead);
	address_format(out, &host);
	text_add(out, " is an address of the firewall itself\n");
}

static void add_translation(struct text *out, struct session *session, const struct answer_decision *decision)
{
	bool is_for_own = !decision->forward->source->has_at;

	text_add(out, "forward: ");
	add_place(out, session, decision->forward->origin);
	text_add(out, is_for_own ? " translates the destination where it is an address of the firewall itself\n    "
				 : " translates the destination\n    ");
	add_statement(out, session, decision->forward->origin);
	text_add_char(out, '\n');
}

static const char *become_words(const struct answer_decision *decision)
{
	if (!decision->is_every)
		return "some become, such as";
	return decision->is_way_known ? "it becomes" : "it becomes, such as";
}

static void add_forward(struct text *out, const struct answers *answers, const struct answer *answer, size_t at)
{
	const struct answer_decision *decision = &answer->decisions[at];

	if (at == 0 || decision[-1].forward != decision->forward)
		add_translation(out, answers->session, decision);
	if (is_if_own(answer, decision))
		add_where_own(out, decision, "  where ");
	add_packet(out, become_words(decision), decision);
	text_add(out, "  ");
}

static void add_decision_text(struct text *out, const struct answers *answers, const struct answer *answer,
			      size_t at)
{
	const struct answer_decision *decision = &answer->decisions[at];

	if (is_same_if_own(answer, at)) {
		add_where_own(out, decision, "  the same on input, where ");
		return;
	}
	if (decision->forward != NULL)
		add_forward(out, answers, answer, at);
	add_verdict(out, answers->session, decision);
	if (decision->forward == NULL)
		add_packet(out, packet_words(decision), decision);
	add_leaves(out, answers->session, decision);
	add_tunnel(out, answers->session, decision);
	add_outputs(out, answer, &decision->outputs, decision->outcome->verdict);
	add_near(out, answers->session, decision);
}

void answers_text(struct text *out, const struct answers *answers)
{
	const struct answer_before *before = answer_before_rules(answers->question);

	if (before != NULL)
		text_addf(out, "%s: %s\n", before->verdict == VERDICT_ALLOW ? "passes" : "deny", before->why);
	for (size_t index = 0; index < answers->items_count; index++) {
		const struct answer *answer = &answers->items[index];

		if (answer->device != NULL)
			text_addf(out, "device %s\n", answer->device->name);
		for (size_t at = 0; at < answer->always_count; at++)
			add_passing(out, answer, &answer->always[at]);
		for (size_t at = 0; at < answer->decisions_count; at++)
			add_decision_text(out, answers, answer, at);
		if (!answer->is_compiled && !answers->session->is_foreign)
			text_add(out, "no output says more: 'fwc compile' tells why there is none\n");
	}
}
