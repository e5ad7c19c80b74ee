/* Private to src/resolve: assertions. */
#ifndef FWC_RESOLVE_ASSERTIONS_H
#define FWC_RESOLVE_ASSERTIONS_H

#include "resolve/rules.h"

void assertion_resolve(struct resolver *resolver, const struct ast_statement *statement,
		       const struct block_scope *block);

#endif
