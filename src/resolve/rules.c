/* Rules and defaults. */
#include "resolve/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "resolve/options.h"
#include "resolve/places.h"
#include "services/trap.h"

/* --- places ----------------------------------------------------------------------------------- */

const struct place_scope *scope_new(struct resolver *resolver, const struct place_list *list,
				    const struct place_scope *outer)
{
	if (list == NULL)
		return outer;
	struct place_scope *scope = arena_new_item(resolver->arena, struct place_scope);
	*scope = (struct place_scope){ list, outer };
	return scope;
}

bool sides_resolve(struct resolver *resolver, const struct ast_places *from,
		   const struct ast_places *to, const struct block_scope *block,
		   struct block_scope *sides)
{
	const struct place_list *from_list = NULL, *to_list = NULL;
	if (from != NULL)
		from_list = place_list_resolve(resolver, from);
	if (to != NULL)
		to_list = place_list_resolve(resolver, to);
	sides->from = scope_new(resolver, from_list, block->from);
	sides->to = scope_new(resolver, to_list, block->to);
	return (from == NULL || from_list != NULL) && (to == NULL || to_list != NULL);
}

/* --- services ----------------------------------------------------------------------------------- */

static void add_words(struct resolver *resolver, const struct ast_services *ast,
		      const struct service_list *list, struct policy_rule *rule)
{
	struct span *spans = arena_array(resolver->arena, struct span, list->words_count);
	rule->words = list->words;
	rule->words_spans = spans;
	for (const struct ast_service *item = ast->items; item != NULL; item = item->next) {
		const struct service *service = list->words[rule->words_count].service;
		spans[rule->words_count++] = item->span;
		if (service != NULL)
			trap_warn(resolver->diags, service, item->span);
	}
}

bool rule_services(struct resolver *resolver, const struct ast_services *ast,
		   struct policy_rule *rule)
{
	const struct service_list *list = service_list_resolve(resolver->services, ast);
	if (list == NULL)
		return false;
	rule->services = list->uses.uses;
	rule->services_count = (uint32_t)list->uses.uses_count;
	add_words(resolver, ast, list, rule);
	return true;
}

/* --- rules -------------------------------------------------------------------------------------------- */

static void count_helpers(struct resolver *resolver, const struct policy_rule *rule)
{
	if (rule->verdict != VERDICT_ALLOW || rule->is_expired)
		return;
	for (size_t i = 0; i < rule->services_count; i++) {
		const char *helper = rule->services[i].helper;
		if (helper != NULL)
			names_set(resolver->helpers, helper, strlen(helper),
				  (void *)(uintptr_t)helper);
	}
}

void rule_append(struct resolver *resolver, struct policy_rule *rule)
{
	rule->number = (uint32_t)resolver->policy->rules_count;
	*pool_append(resolver->pool, resolver->policy, rules) = rule;
	count_helpers(resolver, rule);
}

enum verdict rule_verdict(enum ast_verdict verdict)
{
	switch (verdict) {
	case AST_ALLOW:
		return VERDICT_ALLOW;
	case AST_DENY:
		return VERDICT_DENY;
	case AST_REJECT:
		return VERDICT_REJECT;
	}
	abort();
}

static enum option_owner owner_of(enum ast_verdict verdict)
{
	return verdict == AST_ALLOW  ? OWNER_ALLOW
	       : verdict == AST_DENY ? OWNER_DENY
				     : OWNER_REJECT;
}

/* A helper follows tracked connections. */
static bool helper_is_tracked(struct resolver *resolver, const struct policy_rule *rule)
{
	for (size_t i = 0; rule->options->is_stateless && i < rule->services_count; i++) {
		if (rule->services[i].helper == NULL)
			continue;
		diag_add(resolver->diags, CODE_HELPER_STATELESS, rule->options->stateless_span,
			 "a service with the helper '%s' cannot be stateless",
			 rule->services[i].helper);
		return false;
	}
	return true;
}

static bool rule_options(struct resolver *resolver, enum option_owner owner,
			 const struct ast_option *ast, struct policy_rule *rule)
{
	if (ast == NULL) {
		rule->options = &options_none;
		return true;
	}
	struct policy_options *options = arena_new_item(resolver->arena, struct policy_options);
	rule->options = options;
	return options_resolve(resolver, owner, ast, options);
}

void rule_resolve(struct resolver *resolver, const struct ast_statement *statement,
		  const struct block_scope *block)
{
	const struct ast_rule *ast = &statement->rule;
	struct policy_rule *rule = arena_new_item(resolver->arena, struct policy_rule);
	struct block_scope sides;
	rule->verdict = rule_verdict(ast->verdict);
	rule->span = statement->span;
	rule->verdict_span = ast->verdict_span;
	enum option_owner owner = owner_of(ast->verdict);
	bool is_good = rule_services(resolver, &ast->services, rule);
	is_good = sides_resolve(resolver, ast->from, ast->to, block, &sides) && is_good;
	is_good = rule_options(resolver, owner, ast->options, rule) && is_good;
	rule->from = sides.from;
	rule->to = sides.to;
	rule->is_expired = options_expired(resolver, owner, ast->options, rule->options);
	if (is_good && helper_is_tracked(resolver, rule))
		rule_append(resolver, rule);
}

/* --- defaults -------------------------------------------------------------------------------------------- */

static const char *const hook_names[HOOK_COUNT] = {
	[HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
};

static void report_default(struct resolver *resolver, struct span span, struct span first, const char *hooks)
{
	struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_DEFAULT, span,
					    "%s a default already", hooks);

	diag_note(resolver->diags, error, first, "here");
}

static void set_default(struct resolver *resolver, enum hook hook,
			const struct policy_default *value)
{
	struct policy_default *place = &resolver->policy->defaults[hook];

	if (place->is_written)
		report_default(resolver, value->span, place->span,
			       pool_format(resolver->pool, "hook '%s' has", hook_names[hook]));
	else
		*place = *value;
}

/* Of input and forward: one statement against another is one mistake. */
static void set_defaults(struct resolver *resolver, const struct policy_default *value)
{
	const struct policy_default *input = &resolver->policy->defaults[HOOK_INPUT];
	const struct policy_default *forward = &resolver->policy->defaults[HOOK_FORWARD];

	if (input->is_written && forward->is_written && input->span.source == forward->span.source &&
	    input->span.begin == forward->span.begin) {
		report_default(resolver, value->span, input->span, "hooks 'input' and 'forward' have");
		return;
	}
	set_default(resolver, HOOK_INPUT, value);
	set_default(resolver, HOOK_FORWARD, value);
}

void default_resolve(struct resolver *resolver, const struct ast_statement *statement)
{
	const struct ast_default *ast = &statement->default_verdict;
	struct policy_default value = {
		.verdict = rule_verdict(ast->verdict),
		.is_written = true,
		.span = statement->span,
	};
	options_resolve(resolver, OWNER_DEFAULT, ast->options, &value.options);
	if (ast->hook == NULL) {
		set_defaults(resolver, &value);
		return;
	}
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		if (strcmp(ast->hook->text, hook_names[hook]) == 0)
			set_default(resolver, (enum hook)hook, &value);
}

/* --- the end ------------------------------------------------------------------------------------------------ */

static int compare_helpers(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void rules_finish(struct resolver *resolver)
{
	struct policy *policy = resolver->policy;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		struct policy_default *value = &policy->defaults[hook];
		if (value->is_written)
			continue;
		value->verdict = hook == HOOK_OUTPUT ? VERDICT_ALLOW : VERDICT_DENY;
		value->span = SPAN_NONE;
		options_resolve(resolver, OWNER_DEFAULT, NULL, &value->options);
	}
	for (size_t i = 0; i < names_count(resolver->helpers); i++)
		*pool_append(resolver->pool, policy, helpers) = names_value(resolver->helpers, i);
	if (policy->helpers_count > 1)
		qsort(policy->helpers, policy->helpers_count, sizeof *policy->helpers,
		      compare_helpers);
}
