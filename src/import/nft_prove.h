/* Proof of an import: the policy that was made, against the tables that were read.
 *
 * On each hook two functions on packets are compared: what the policy's rules say (target/nft/wanted.h) and
 * what the base chains of all tables do, one behind the other (target/nft/walk.h). Nothing of what made the
 * policy takes part. Looked at is what an import promises: first packets of connections, on the way that the
 * kernel shows them to the hook; verdict, limit, log line, translation. What always passes, answers, counters
 * and how a denial is answered are not. */
#ifndef FWC_IMPORT_NFT_PROVE_H
#define FWC_IMPORT_NFT_PROVE_H

#include "import/nft.h"
#include "target/nft/prove.h"

/* hooks, rules, translations, intervals; where, packet, wanted, found, origin; reason: as prove.h has them. */
struct proof import_nft_prove(void *pool, const struct ruleset *ruleset, const struct import_nft_source *source,
			      const struct import_nft_tables *tables);

#endif
