/* The shapes of properties in device and tunnel blocks.
 *
 * Their grammar is generic (a key, words, perhaps a block); which keys there are and
 * which words each takes stands in the sorted tables of shape.c. A new property of a
 * device is a row there. */
#ifndef FWC_AST_SHAPE_H
#define FWC_AST_SHAPE_H

#include "ast/ast.h"
#include "diag/diag.h"

enum shape_block { SHAPE_DEVICE, SHAPE_INTERFACE, SHAPE_TUNNEL, SHAPE_IKE, SHAPE_ESP };

/* Reports unknown keys (with the nearest), words of the wrong shape, keys said twice. */
void shape_check(struct diags *diags, enum shape_block block, const struct ast_property *properties);

#endif
