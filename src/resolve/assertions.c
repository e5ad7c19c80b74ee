/* Assertions: of the shape of rules, kept apart from them. */
#include "resolve/assertions.h"

#include <stdlib.h>

#include "base/pool.h"
#include "resolve/options.h"

static enum assertion_kind kind_of(enum ast_assert_kind kind)
{
	switch (kind) {
	case AST_ASSERT_VERDICT:
		return ASSERTION_VERDICT;
	case AST_ASSERT_ONLY:
		return ASSERTION_ONLY;
	case AST_ASSERT_UNCHANGED:
		return ASSERTION_UNCHANGED;
	}
	abort();
}

/* `assert unchanged` has no list: it speaks of every service. */
static bool resolve_services(struct resolver *resolver, const struct ast_services *ast,
			     struct tuple_set *services)
{
	static const struct ast_service any = { .kind = AST_SERVICE_ANY };
	if (ast->items == NULL)
		return service_literal_resolve(resolver->pool, resolver->diags, &any, services);
	const struct service_list *list = service_list_resolve(resolver->services, ast);
	if (list == NULL)
		return false;
	*services = uses_union(resolver->pool, &list->uses);
	return true;
}

void assertion_resolve(struct resolver *resolver, const struct ast_statement *statement,
		       const struct block_scope *block)
{
	const struct ast_assert *ast = &statement->assertion;
	struct assertion assertion = {
		.kind = kind_of(ast->kind),
		.verdict = rule_verdict(ast->rule.verdict),
		.span = statement->span,
	};
	struct policy_options options = { 0 };
	struct block_scope sides;
	bool is_good = resolve_services(resolver, &ast->rule.services, &assertion.services);
	is_good = sides_resolve(resolver, ast->rule.from, ast->rule.to, block, &sides) && is_good;
	is_good = options_resolve(resolver, OWNER_ASSERTION, ast->rule.options, &options) && is_good;
	assertion.from = sides.from;
	assertion.to = sides.to;
	assertion.families = options.families;
	if (is_good)
		*pool_append(resolver->pool, resolver->policy, assertions) = assertion;
}
