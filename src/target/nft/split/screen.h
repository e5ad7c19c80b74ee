/* Screens: what must be asked before a unit decides, asked behind its own match.
 *
 * A unit that is found by a lookup may have units of the rest in front of it that decide otherwise. In its leaf
 * they would have to stand before it, with all that they conflict with themselves, in every leaf of it, and every
 * packet of the leaf would pay for them. Behind its match only those count that share a packet with it, in one
 * chain for all its leaves: first what conflicts, in order, then the unit's own end. So its end is that chain.
 *
 * Where units in front are many, a checkpoint (struct cells_checkpoint) stands for the first of them. */
#ifndef FWC_TARGET_NFT_SPLIT_SCREEN_H
#define FWC_TARGET_NFT_SPLIT_SCREEN_H

#include "target/nft/split/cells.h"

struct screens;

/* positions: of the rest in the request's list, in order; they and the list are borrowed. */
struct screens *screens_new(void *pool, struct lower *lower, const struct cut_request *request,
			  const uint32_t *positions, size_t count);
/* The number of the screen of the unit at the position, from 1; 0: nothing conflicts with it. false: too much
 * does. */
bool screens_find(struct screens *screens, uint32_t position, uint32_t *screen);
/* Screens and checkpoints in use, for the one who writes the cells. */
void screens_keep(const struct screens *screens, struct cells *cells);

#endif
