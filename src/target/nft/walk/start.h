/* How the ways of a rule begin: what it asks before its first lookup or verdict. That is the same in all pieces
 * of the space, so it is worked out once, and a rule of which no way begins in a piece costs next to nothing. */
#ifndef FWC_TARGET_NFT_WALK_START_H
#define FWC_TARGET_NFT_WALK_START_H

#include "target/nft/walk/path.h"

struct walk_start {
	bool is_made;
	size_t expressions_done;
	struct walk_begun *ways;
	size_t ways_count;
};

/* Keeps ways as they are, in the whole space and without predicates. has_registers: somebody will ask them. */
void walk_start_keep(struct walk *walk, struct walk_start *start, const struct walk_paths *paths,
		     bool has_registers);
/* Has one of the ways a packet of the walk's piece and families? */
bool walk_start_meets(const struct walk *walk, const struct walk_start *start);
/* Those ways that have. */
void walk_start_resume(struct walk *walk, const struct walk_start *start, struct walk_paths *paths);
/* Widens the piece so that it holds all packets of all ways; it begins as walk_start_nothing. */
void walk_start_widen(const struct walk *walk, const struct walk_start *start, struct walk_piece *piece);
extern const struct walk_piece walk_start_nothing;

#endif
