/* How a large policy is cut so that the proof goes piece by piece, each in little memory.
 *
 * The pieces are the packets with one row of source (or destination) addresses each; together they are all
 * packets. In each piece few rules matter. That a rule is left out is right: its condition on the field that
 * is cut holds for no packet of the piece. */
#ifndef FWC_TARGET_NFT_PROVE_PIECES_H
#define FWC_TARGET_NFT_PROVE_PIECES_H

#include "rules/ruleset.h"
#include "target/nft/walk_space.h"

struct prove_pieces {
	struct walk_cuts cuts;
	/* the rules of a hook that each piece can meet, one piece behind the other, each ascending */
	uint32_t *rules[HOOK_COUNT];
	uint32_t *first[HOOK_COUNT]; /* of a piece; one more than pieces */
	size_t rules_count; /* in all pieces and hooks */
};

/* piece_weight: proof_limits. most: pieces that pay. NULL: in one piece, it is small or cuts do not help. */
struct prove_pieces *prove_pieces_new(void *pool, const struct ruleset *ruleset, size_t piece_weight, size_t most);

#endif
