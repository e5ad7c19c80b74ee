/* How a large policy is cut so that the proof goes piece by piece, each in little memory.
 *
 * The pieces are boxes of addresses, protocols and ports; together they are all packets. In each piece few rules
 * matter. That a rule is left out is right: what it asks of a field that is cut holds for no packet of the piece.
 * The space is halved again and again, always where it makes the diagrams of both halves smallest, until that
 * does not pay. */
#ifndef FWC_TARGET_NFT_PROVE_PIECES_H
#define FWC_TARGET_NFT_PROVE_PIECES_H

#include "rules/ruleset.h"
#include "target/nft/walk/space.h"

struct prove_sizes {
	/* what a piece costs whatever is in it, in edges of diagrams; and what all addresses together do, of which
	 * it has some */
	double fixed, table;
	size_t rules_whole; /* so few of a hook are not cut, unless their sets of addresses are large */
	/* unless 0: whether it pays or not, cut until no more is left, an interval counting 1, a rule 16 more */
	double weight_max;
};

struct prove_piece {
	struct walk_piece where;
	/* the rules of a hook that it can meet, ascending */
	const uint32_t *rules[HOOK_COUNT];
	size_t rules_count[HOOK_COUNT];
	double edges; /* about what it takes, in edges of diagrams */
};

struct prove_pieces {
	struct prove_piece *items;
	size_t items_count, items_capacity;
	double edges;     /* of all */
	bool is_too_much; /* they take more than `most`: not all of them are here */
};

/* One piece, or none: cuts are of no use, the policy is small or cannot be cut. */
struct prove_pieces prove_pieces_new(void *pool, const struct ruleset *ruleset, const struct prove_sizes *sizes,
				     double most);

#endif
