/* Loads: which variable an expression puts into a register.
 *
 * Sources: net/netfilter/nft_meta.c, nft_ct.c, nft_payload.c, nft_fib.c (what each key stores, and when
 * it breaks the rule instead); RFC 791, 8200, 9293, 768, 792, 4443 (headers). */
#ifndef FWC_TARGET_NFT_WALK_LOAD_H
#define FWC_TARGET_NFT_WALK_LOAD_H

#include "target/nft/walk/path.h"

/* Loads for the way number `at`, which may fork. What has no model becomes an unknown variable, or an
 * unknown condition beside it where the load can break the rule. */
void walk_load(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *expression);
/* Another way like this one. NULL: there are too many. */
struct walk_path *walk_fork(struct walk *walk, struct walk_paths *paths, size_t at);
/* The way ends with a verdict that cannot be told. */
void walk_unsure(struct walk *walk, struct walk_paths *paths, size_t at, const char *why);

#endif
