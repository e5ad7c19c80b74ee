/* Literals of services, such as 8443/tcp, to tuples.
 *
 * Decisions that the language leaves open:
 *   - a single destination port 0 is an error (nothing listens there; 0-1023 is a range);
 *   - a protocol without ports may stand by name behind `any`: any/gre is 47/ip;
 *   - the protocol's name ignores case, as in /etc/services. */
#ifndef FWC_SERVICES_LITERAL_H
#define FWC_SERVICES_LITERAL_H

#include <stdbool.h>

#include "ast/ast.h"
#include "diag/diag.h"
#include "net/tuple.h"

/* Adds the tuples of one literal, or of `any`, to the set. false: reported, at the literal. */
bool service_literal_resolve(void *pool, struct diags *diags, const struct ast_service *literal,
			     struct tuple_set *tuples);
/* One port 0..65535, or a range LOW-HIGH of them. false: reported at the word. */
bool port_range_resolve(struct diags *diags, const struct ast_word *word, struct port_range *range);

#endif
