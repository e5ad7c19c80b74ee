/* Private to src/resolve: addresses, prefixes and ranges as written to sets. */
#ifndef FWC_RESOLVE_LITERAL_H
#define FWC_RESOLVE_LITERAL_H

#include "resolve/context.h"

/* The addresses of a literal, at every interface; equal literals share one, which nobody changes. NULL:
 * reported at the word. */
struct place_box *literal_box(struct resolver *resolver, const struct ast_word *word);
/* One address. false: reported. */
bool literal_address(struct resolver *resolver, const struct ast_word *word,
		     struct address *address);
/* ADDRESS/LENGTH, with host bits or, if may_have_host_bits is not set, without. */
bool literal_prefix(struct resolver *resolver, const struct ast_word *word, bool may_have_host_bits,
		    struct prefix *prefix);

#endif
