/* Proof of an import: the policy that was made, against the tables that were read.
 *
 * What the base chains of all tables do, one behind the other (target/nft/walk.h), is what prove.h compares the
 * policy with. */
#ifndef FWC_IMPORT_NFT_PROVE_H
#define FWC_IMPORT_NFT_PROVE_H

#include "import/nft.h"
#include "target/nft/prove.h"

/* hooks, rules, translations, intervals; where, packet, wanted, found, origin; reason: as prove.h has them. */
struct proof import_nft_prove(void *pool, const struct ruleset *ruleset, const struct import_nft_source *source,
			      const struct import_nft_tables *tables);

#endif
