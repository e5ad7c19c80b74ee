/* Private to src/resolve: rules, blocks and defaults in their order. */
#ifndef FWC_RESOLVE_RULES_H
#define FWC_RESOLVE_RULES_H

#include "resolve/context.h"

/* The places of the blocks round a statement; NULL: none said. */
struct block_scope {
	const struct place_scope *from, *to;
};

/* One side of a rule within a block; list may be NULL: not written. */
const struct place_scope *scope_new(struct resolver *resolver, const struct place_list *list,
				    const struct place_scope *outer);
/* Both sides. false: a list has a mistake, reported. */
bool sides_resolve(struct resolver *resolver, const struct ast_places *from,
		   const struct ast_places *to, const struct block_scope *block,
		   struct block_scope *sides);
/* Services of a rule, with their words. false: reported. */
bool rule_services(struct resolver *resolver, const struct ast_services *ast,
		   struct policy_rule *rule);
enum verdict rule_verdict(enum ast_verdict verdict);
/* Appends a rule and gives it its number; counts its helpers. */
void rule_append(struct resolver *resolver, struct policy_rule *rule);

void rule_resolve(struct resolver *resolver, const struct ast_statement *statement,
		  const struct block_scope *block);
void default_resolve(struct resolver *resolver, const struct ast_statement *statement);
/* The defaults of hooks that no statement names; the list of helpers. */
void rules_finish(struct resolver *resolver);

#endif
