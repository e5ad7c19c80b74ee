/* Chains and maps of generated names, each written once: what has the same rules or the same elements does the same
 * for whoever goes there, from any hook. A packet returns to behind the jump that it came by, and meets what it
 * would meet in a copy. Comments and places in the policy count, so that nothing is told of a wrong line.
 *
 * What counts, logs, limits, translates or marks is not looked at: it has a chain for each rule, of the rule's
 * name. Where nothing but lines are written (level 0), nothing is shared. */
#ifndef FWC_TARGET_NFT_EMIT_ONCE_H
#define FWC_TARGET_NFT_EMIT_ONCE_H

#include "target/nft/emit/build.h"

/* Ends the draft as a chain named by lower_name, or as the one that has the same rules already. */
struct goal chain_once(struct lower *lower, struct draft *draft, const char *kind, enum nft_verdict_kind verdict);
/* The same of a map, the last set that was added, complete but for its name. */
const struct nft_set *map_once(struct lower *lower, struct nft_set *map, const char *kind);
/* Names what several lists share by none of them; to be called when the table is complete. */
void once_name(struct lower *lower);

#endif
