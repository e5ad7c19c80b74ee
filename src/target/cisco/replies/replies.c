/* flows (flows.c) -> answers -> terms (terms.c); what these let in beyond the policy
 * (excess.c); reflexive lists (reflexive.c). */
#include "target/cisco/replies/replies.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/terms/inbound.h"
#include "target/cisco/replies/excess.h"
#include "target/cisco/replies/reflexive.h"

static bool is_told(const struct diags *diags, enum code code, const char *message)
{
	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->code == code && strcmp(diags->items[index]->message, message) == 0)
			return true;
	return false;
}

/* The first flow that a rule or a written default asks answers for. */
static const struct reply_flow *first_written(const struct reply_flows *flows)
{
	for (size_t index = 0; index < flows->flows_count; index++)
		if (flows->flows[index].origin.source != UINT32_MAX)
			return &flows->flows[index];
	return NULL;
}

/* Nobody said what to do about answers. */
static bool check_said(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		       const struct reply_flows *flows)
{
	const struct reply_flow *flow = first_written(flows);
	const char *message;
	struct diagnostic *error;

	if (vantage->replies != REPLIES_UNSAID || vantage->device == NULL || flow == NULL)
		return true;
	message = pool_format(pool, "device '%s' has to let in answers to this, and does not say how",
			      vantage->device->name);
	if (is_told(diags, CODE_CISCO_REPLIES_UNSAID, message))
		return false;
	error = diag_add(diags, CODE_CISCO_REPLIES_UNSAID, flow->origin, "%s", message);
	diag_note(diags, error, vantage->device->span,
		  "say 'replies established;' here: whatever looks like an answer, told exactly; 'replies "
		  "reflexive;': answers to what was seen leaving; or 'replies none;'");
	return false;
}

/* Whether a rule says what the router itself asks over udp. */
static bool names_udp(const struct ruleset *ruleset)
{
	for (size_t index = 0; index < ruleset->rules_count[HOOK_OUTPUT]; index++) {
		const struct rule *rule = ruleset->rules[HOOK_OUTPUT][index];
		const struct tuple_set *services = &rule->match.services;

		for (size_t at = 0; rule->outcome->verdict == VERDICT_ALLOW && at < services->tuples_count; at++)
			if (services->tuples[at].protocol == PROTOCOL_UDP)
				return true;
	}
	return false;
}

/* A policy that has no default for the router's own packets: what no rule names may leave, too. */
static void note_router(void *pool, struct diags *diags, const struct ios_vantage *vantage,
			const struct reply_flows *flows)
{
	const char *message;
	struct diagnostic *note;
	bool is_named;

	if (!flows->has_unwritten_output)
		return;
	is_named = names_udp(vantage->ruleset);
	message = pool_format(pool, "answers over udp to device '%s' itself are %s", vantage->device->name,
			      is_named ? "let in of what rules name alone" : "not let in");
	if (is_told(diags, CODE_CISCO_REPLIES_ROUTER, message))
		return;
	note = diag_add(diags, CODE_CISCO_REPLIES_ROUTER, vantage->device->span, "%s", message);
	diag_note(diags, note, SPAN_NONE, is_named ?
		  "it may ask for anything else, too: 'default output deny;' says that it does not, 'default "
		  "output allow;' lets the answers in" :
		  "name what it asks for: 'allow dns, ntp from self;', or write 'default output allow;'");
}

static bool is_wanted(const struct ios_vantage *vantage)
{
	return vantage->replies == REPLIES_ESTABLISHED || vantage->replies == REPLIES_REFLEXIVE;
}

/* Reflexive lists remember forwarded connections, but no errors and nothing of the router's own. */
static void keep_static(const struct ios_vantage *vantage, const struct reply_flow *flow, void *pool,
			struct answers *answers)
{
	if (vantage->replies == REPLIES_ESTABLISHED || flow->hook == HOOK_OUTPUT)
		answers_of_flow(pool, vantage->family, flow, answers);
}

bool replies_prepend(void *pool, struct diags *diags, const struct ios_vantage *vantage, struct ios_terms *terms)
{
	struct ios_terms policy = *terms;
	struct reply_flows flows = { 0 };
	struct answers answers = { 0 };

	if (!is_wanted(vantage))
		return true;
	if (!reply_flows_collect(pool, diags, vantage, &flows))
		return false;
	for (size_t index = 0; index < flows.flows_count; index++)
		keep_static(vantage, &flows.flows[index], pool, &answers);
	answers_of_errors(pool, vantage->family, &flows, &answers);
	answers_join(pool, &answers);
	*terms = (struct ios_terms){ .rules_count = policy.rules_count };
	answers_to_terms(pool, vantage, &answers, &policy, terms);
	for (size_t index = 0; index < policy.terms_count; index++)
		*pool_append(pool, terms, terms) = policy.terms[index];
	return true;
}

bool inbound_replies(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     struct ios_config *config, struct ios_list *list, struct ios_list **outbound)
{
	struct reply_flows flows = { 0 };

	if (vantage->replies == REPLIES_NONE || (vantage->replies == REPLIES_UNSAID && vantage->device == NULL))
		return true;
	if (!reply_flows_collect(pool, diags, vantage, &flows) || !check_said(pool, diags, vantage, &flows))
		return false;
	if (!is_wanted(vantage))
		return true;
	note_router(pool, diags, vantage, &flows);
	if (vantage->replies == REPLIES_REFLEXIVE &&
	    !replies_reflect(pool, diags, vantage, &flows, config, list, outbound))
		return false;
	return replies_tell_excess(pool, diags, vantage, &flows, list);
}
