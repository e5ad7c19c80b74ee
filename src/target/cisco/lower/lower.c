/* A list without a device: names, families, and what only such a list has to tell. */
#include "target/cisco/cisco.h"

#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/terms/inbound.h"
#include "target/cisco/terms/refuse.h"

#define NAME_DEFAULT "FWC"

/* --- families --------------------------------------------------------------------------------- */

/* A rule that speaks of IPv6 alone: its places or services name it, or its option. */
static bool is_of_ipv6(const struct rule *rule)
{
	return rule->match.families == FAMILIES_IPV6;
}

/* Whole sets name nothing; anything else of IPv6 was written. */
static bool boxes_name_ipv6(const struct place_boxes *boxes)
{
	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (boxes->boxes[index].addresses.v6.items_count > 0 &&
		    !address_set_is_whole(&boxes->boxes[index].addresses, FAMILY_IPV6))
			return true;
	return false;
}

static bool services_name_ipv6(const struct tuple_set *services)
{
	for (size_t index = 0; index < services->tuples_count; index++)
		if (services->tuples[index].families == FAMILIES_IPV6)
			return true;
	return false;
}

static const struct rule *ipv6_find(const struct ruleset *ruleset)
{
	for (size_t index = 0; index < ruleset->rules_count[HOOK_FORWARD]; index++) {
		const struct rule *rule = ruleset->rules[HOOK_FORWARD][index];

		if (is_of_ipv6(rule) || ((rule->match.families & FAMILIES_IPV6) != 0 &&
					 (boxes_name_ipv6(&rule->match.from) || boxes_name_ipv6(&rule->match.to) ||
					  services_name_ipv6(&rule->match.services))))
			return rule;
	}
	return NULL;
}

static bool has_ipv4(const struct ruleset *ruleset)
{
	for (size_t index = 0; index < ruleset->rules_count[HOOK_FORWARD]; index++)
		if ((ruleset->rules[HOOK_FORWARD][index]->match.families & FAMILIES_IPV4) != 0)
			return true;
	return ruleset->rules_count[HOOK_FORWARD] == 0;
}

/* --- what such a list cannot know ------------------------------------------------------------- */

static void note_zones(struct diags *diags, const struct policy *policy)
{
	for (size_t index = 0; index < policy->zones_count; index++) {
		const struct zone *zone = policy->zones[index];

		if (zone->is_used && zone->has_networks)
			diag_add(diags, CODE_CISCO_ZONE, zone->span,
				 "the list knows zone '%s' by its addresses alone, the router's own among them",
				 zone->name);
	}
}

static bool is_output_only(const struct ruleset *ruleset, const struct policy_rule *rule,
			   size_t *input, size_t *forward)
{
	while (*input < ruleset->rules_count[HOOK_INPUT] &&
	       ruleset->rules[HOOK_INPUT][*input]->identity->rule->number < rule->number)
		++*input;
	while (*forward < ruleset->rules_count[HOOK_FORWARD] &&
	       ruleset->rules[HOOK_FORWARD][*forward]->identity->rule->number < rule->number)
		++*forward;
	return !(*input < ruleset->rules_count[HOOK_INPUT] &&
		 ruleset->rules[HOOK_INPUT][*input]->identity->rule == rule) &&
	       !(*forward < ruleset->rules_count[HOOK_FORWARD] &&
		 ruleset->rules[HOOK_FORWARD][*forward]->identity->rule == rule);
}

/* Rules for what the router sends itself are no part of what may enter: told, and an error where
 * nothing else is there. */
static bool check_output(struct diags *diags, const struct ruleset *ruleset)
{
	const struct policy *policy = ruleset->policy;
	bool is_empty = ruleset->rules_count[HOOK_INPUT] + ruleset->rules_count[HOOK_FORWARD] == 0;
	size_t input = 0, forward = 0;

	if (is_empty && ruleset->rules_count[HOOK_OUTPUT] > 0) {
		diag_add(diags, CODE_CISCO_OUTPUT_ONLY, ruleset->rules[HOOK_OUTPUT][0]->origin,
			 "every rule of this policy speaks of what the router itself sends, and a list of what "
			 "may enter would hold none");
		return false;
	}
	for (size_t index = 0; index < policy->rules_count; index++)
		if (!policy->rules[index]->is_expired &&
		    is_output_only(ruleset, policy->rules[index], &input, &forward))
			diag_add(diags, CODE_CISCO_OUTPUT, policy->rules[index]->span,
				 "this speaks of what the router itself sends, and stands in no list of what "
				 "may enter");
	return true;
}

static void warn_translations(struct diags *diags, const struct ruleset *ruleset)
{
	for (size_t index = 0; index < ruleset->policy->translations_count; index++) {
		const struct translation *source = ruleset->policy->translations[index];

		if (source->kind != TRANSLATION_FORWARD)
			diag_add(diags, CODE_CISCO_TRANSLATION_LOST, source->span,
				 "a list without a device translates nothing");
	}
}

/* --- lists ------------------------------------------------------------------------------------ */

static bool add_list(void *pool, struct diags *diags, const struct ruleset *ruleset,
		     const struct cisco_settings *settings, struct ios_config *config, enum family family)
{
	const char *name = settings->name != NULL ? settings->name : NAME_DEFAULT;
	struct ios_vantage vantage = {
		.ruleset = ruleset,
		.replies = settings->replies,
		.family = family,
		.settings = settings,
	};
	struct ios_list *list = pool_new(pool, struct ios_list), *outbound = NULL;

	list->family = family;
	list->origin = SPAN_NONE;
	list->is_numbered = settings->number != 0;
	list->name = settings->number != 0 ? pool_format(pool, "%u", settings->number) :
		     family == FAMILY_IPV6 ? pool_format(pool, "%s-IPV6", name) : name;
	*pool_append(pool, config, lists) = list;
	return inbound_replies(pool, diags, &vantage, config, list, &outbound) &&
	       inbound_lower(pool, diags, &vantage, config, list);
}

static void refuse_number(struct diags *diags, const struct rule *named)
{
	struct diagnostic *error = diag_add(diags, CODE_CISCO_NUMBER, named != NULL ? named->origin : SPAN_NONE,
					    "%s an IPv6 list, and these have names, not numbers",
					    named != NULL ? "this needs" : "'--ipv6' asks for");

	diag_note(diags, error, SPAN_NONE, named != NULL ?
		  "say 'ipv4' in the rule, or '--name' in the place of '--number'" :
		  "say '--name' in the place of '--number', or do without '--ipv6'");
}

struct ios_config *cisco_lower(void *pool, struct diags *diags, const struct ruleset *ruleset,
			       const struct cisco_settings *settings)
{
	struct ios_config *config = pool_new(pool, struct ios_config);
	const struct rule *named = ipv6_find(ruleset);
	bool wants_ipv6 = settings->has_ipv6 || named != NULL;
	bool is_good = check_output(diags, ruleset);

	if (!is_good)
		return NULL;
	if (wants_ipv6 && settings->number != 0) {
		refuse_number(diags, named);
		return NULL;
	}
	note_zones(diags, ruleset->policy);
	warn_translations(diags, ruleset);
	if (has_ipv4(ruleset))
		is_good = add_list(pool, diags, ruleset, settings, config, FAMILY_IPV4);
	if (wants_ipv6)
		is_good = add_list(pool, diags, ruleset, settings, config, FAMILY_IPV6) && is_good;
	if (!is_good || diags_has_errors(diags))
		return NULL;
	return config;
}
