/* Proof of an import: the policy that was made, against the tables that were read.
 *
 * What the base chains of all tables do, one behind the other (target/nft/walk/walk.h), is what
 * target/nft/prove/prove.h compares the policy with. */
#ifndef FWC_IMPORT_NFT_PROVE_H
#define FWC_IMPORT_NFT_PROVE_H

#include "import/nft.h"
#include "target/nft/prove/prove.h"

/* hooks, rules, translations, intervals; where, packet, wanted, found, origin; reason: as struct proof has them. */
struct proof import_nft_prove(void *pool, const struct ruleset *ruleset, const struct import_nft_source *source,
			      const struct import_nft_tables *tables);

#endif
