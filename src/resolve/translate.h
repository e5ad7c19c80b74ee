/* Private to src/resolve: masquerade, snat and forward. */
#ifndef FWC_RESOLVE_TRANSLATE_H
#define FWC_RESOLVE_TRANSLATE_H

#include "resolve/context.h"

/* One statement of these kinds; a forward also gives a rule, at its place among the rules. */
void translation_resolve(struct resolver *resolver, const struct ast_statement *statement);

#endif
