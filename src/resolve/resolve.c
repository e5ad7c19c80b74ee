/* The passes, one call a line; see context.h. */
#include "resolve/resolve.h"

#include <string.h>

#include "base/pool.h"
#include "resolve/assertions.h"
#include "resolve/carve.h"
#include "resolve/context.h"
#include "resolve/devices.h"
#include "resolve/expectations.h"
#include "resolve/places.h"
#include "resolve/rules.h"
#include "resolve/schedule.h"
#include "resolve/translate.h"
#include "resolve/tunnels.h"
#include "resolve/zones.h"
#include "services/walk.h"

#define SECONDS_A_DAY 86400

static void resolve_statement(struct resolver *resolver, const struct ast_statement *statement,
			      const struct block_scope *block);

/* --- expectations ------------------------------------------------------------------------------ */

static void report_finding(struct resolver *resolver, const struct ast_word *word)
{
	struct diagnostic *error = diag_add(resolver->diags, CODE_EXPECT_UNKNOWN, word->span,
					    "there is no finding '%s'", word->text);
	struct names *names = names_new(resolver->pool, false);
	for (size_t i = 0; i < finding_count(); i++) {
		const char *name = finding_at(i)->name;
		names_set(names, name, strlen(name), names);
	}
	note_nearest(resolver, error, names, word);
}

/* Expectations speak of the next statement that is not one. */
static void expect_resolve(struct resolver *resolver, const struct ast_statement *statement)
{
	const struct ast_expect *ast = &statement->expect;
	const struct ast_statement *next = statement->next;
	while (next != NULL && next->kind == AST_EXPECT)
		next = next->next;
	if (ast->finding->is_reported)
		return;
	if (finding_find(ast->finding->text) == NULL) {
		report_finding(resolver, ast->finding);
		return;
	}
	if (next == NULL) {
		diag_add(resolver->diags, CODE_EXPECT_NOTHING, statement->span,
			 "no statement follows that could give this warning");
		return;
	}
	*pool_append(resolver->pool, resolver->policy, expectations) = (struct expectation){
		.finding = ast->finding->text,
		.span = statement->span,
		.statement = next->span,
		.because = ast->because == NULL ? NULL : ast->because->text,
	};
}

/* --- statements in order --------------------------------------------------------------------------- */

/* Blocks nest as deep as the parser allows (PARSE_DEPTH). */
static void resolve_block(struct resolver *resolver, const struct ast_block *ast,
			  const struct block_scope *outer)
{
	struct block_scope block;
	sides_resolve(resolver, ast->from, ast->to, outer, &block);
	for (const struct ast_statement *statement = ast->body; statement != NULL;
	     statement = statement->next)
		resolve_statement(resolver, statement, &block);
}

static void resolve_policy_name(struct resolver *resolver, const struct ast_policy *ast,
				const struct ast_word **first)
{
	struct policy *policy = resolver->policy;
	if (*first != NULL) {
		struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_POLICY,
						    ast->name->span, "the policy is named twice");
		diag_note(resolver->diags, error, (*first)->span, "here for the first time");
		return;
	}
	*first = ast->name;
	policy->name = ast->name->text;
	policy->version = ast->version == NULL ? NULL : ast->version->text;
	if (ast->name->length == 0 && !ast->name->is_reported)
		diag_add(resolver->diags, CODE_BAD_STRING, ast->name->span,
			 "the policy's name is empty");
}

static void resolve_statement(struct resolver *resolver, const struct ast_statement *statement,
			      const struct block_scope *block)
{
	switch (statement->kind) {
	case AST_RULE:
		rule_resolve(resolver, statement, block);
		break;
	case AST_BLOCK:
		resolve_block(resolver, &statement->block, block);
		break;
	case AST_DEFAULT:
		default_resolve(resolver, statement);
		break;
	case AST_MASQUERADE:
	case AST_SNAT:
	case AST_FORWARD:
		translation_resolve(resolver, statement);
		break;
	case AST_ASSERT:
		assertion_resolve(resolver, statement, block);
		break;
	case AST_EXPECT:
		expect_resolve(resolver, statement);
		break;
	case AST_POLICY:
		resolve_policy_name(resolver, &statement->policy, &resolver->policy_name);
		break;
	case AST_INCLUDE:    /* walked */
	case AST_SERVICE:    /* the database has them */
	case AST_EXTEND_TAG:
	case AST_HOST:       /* collected before */
	case AST_NETWORK:
	case AST_GROUP:
	case AST_ZONE:
	case AST_SCHEDULE:
	case AST_TIMEZONE:
	case AST_DEVICE:
	case AST_TUNNEL:
		break;
	}
}

static void resolve_statements(struct resolver *resolver)
{
	const struct block_scope everywhere = { NULL, NULL };
	struct walk walk = walk_begin(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		resolve_statement(resolver, statement, &everywhere);
}

/* The packets that a command asks about: an assertion that nobody made. */
static void resolve_question(struct resolver *resolver)
{
	const struct block_scope everywhere = { NULL, NULL };
	const struct ast_file *question = resolver->settings->question;
	struct policy *policy = resolver->policy;
	size_t count = policy->assertions_count;

	if (question == NULL || question->statements == NULL)
		return;
	resolve_statement(resolver, question->statements, &everywhere);
	if (policy->assertions_count == count)
		return;
	struct assertion *asked = pool_new(resolver->pool, struct assertion);
	*asked = policy->assertions[count];
	policy->question = asked;
	policy->assertions_count = count;
}

/* An empty file would compile to the defaults; that is hardly what it was meant to say. */
static void check_not_empty(struct resolver *resolver)
{
	const struct ast_file *file = resolver->program->main_file;
	if (file->statements != NULL || diags_has_errors(resolver->diags))
		return;
	diag_add(resolver->diags, CODE_EMPTY_POLICY, (struct span){ file->source, 0, 0 },
		 "the policy holds no statement");
}

/* --- the passes ---------------------------------------------------------------------------------------- */

static struct policy *policy_new(void *pool, struct diags *diags, const struct program *program)
{
	struct policy *policy = pool_new(pool, struct policy);
	policy->diags = diags;
	policy->sources = diags->sources;
	policy->places = names_new(pool, false);
	policy->file = diags->sources->items[program->main_file->source]->name;
	return policy;
}

static struct resolver *resolver_new(void *pool, struct diags *diags, const struct program *program,
				     const struct resolve_settings *settings)
{
	struct resolver *resolver = pool_new(pool, struct resolver);
	resolver->pool = pool;
	resolver->arena = arena_new(pool);
	resolver->diags = diags;
	resolver->program = program;
	resolver->settings = settings;
	resolver->policy = policy_new(pool, diags, program);
	for (size_t i = 0; i < 2; i++)
		resolver->address_literals[i] = interned_new(pool, resolver->arena);
	resolver->lists = names_new(pool, false);
	resolver->schedules = names_new(pool, false);
	resolver->policy->schedules = resolver->schedules;
	resolver->devices = names_new(pool, false);
	resolver->ids = names_new(pool, false);
	resolver->helpers = names_new(pool, false);
	resolver->today = settings->today - settings->today % SECONDS_A_DAY;
	return resolver;
}

struct policy *resolve_policy(void *pool, struct diags *diags, const struct program *program,
			      const struct resolve_settings *settings)
{
	struct resolver *resolver = resolver_new(pool, diags, program, settings);
	struct policy *policy = resolver->policy;
	check_not_empty(resolver);
	resolver->services = service_database_new(pool, diags, program);
	policy->services = resolver->services;
	places_collect(resolver);
	devices_collect(resolver);
	zones_collect(resolver);
	devices_resolve(resolver);
	zones_read(resolver);
	devices_place_zones(resolver);
	places_resolve_all(resolver);
	tunnels_resolve(resolver);
	zones_carve(resolver);
	schedules_resolve(resolver);
	tunnels_add_rules(resolver);
	resolve_statements(resolver);
	resolve_question(resolver);
	rules_finish(resolver);
	expectations_apply(policy);
	for (size_t i = 0; i < 2; i++) {
		talloc_free(resolver->address_literals[i]); /* the table, not what it held */
		resolver->address_literals[i] = NULL;
	}
	return policy;
}
