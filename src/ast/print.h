/* Trees to text: the canonical form (`fwc fmt`) and a dump for `--show=ast`. */
#ifndef FWC_AST_PRINT_H
#define FWC_AST_PRINT_H

#include "ast/ast.h"
#include "base/text.h"
#include "diag/source.h"

/* The file in canonical form with its comments; its own output prints to itself. */
void ast_print_canonical(struct text *out, struct sources *sources, const struct ast_file *file);
/* One node a line, indented, with line:column; without them where sources is NULL. */
void ast_print_tree(struct text *out, struct sources *sources, const struct ast_file *file);

#endif
