/* The rest of a cut: the units that the field does not cut, and which of them a leaf must hold.
 *
 * A packet that no unit of a leaf decides is compared with the whole rest afterwards. So a unit of the
 * rest matters in a leaf only where a later unit of the leaf could take a packet from it and decide
 * otherwise: the two conflict. That is a matter of the two units alone, and is found out once for each.
 *
 * A unit that conflicts with many would need a copy of each in its leaves, and a long list copies as
 * the square of its length. Where there are more than a few, a checkpoint stands for all units of the
 * rest in front of one position, in their order: a leaf goes through it as through a unit that may
 * return, and holds only the conflicts behind it. Checkpoints are few, and all leaves share them. */
#ifndef FWC_TARGET_NFT_SPLIT_REST_H
#define FWC_TARGET_NFT_SPLIT_REST_H

#include "target/nft/split/cells.h"

struct rest;

/* Positions in the list, all of the rest, in front of the unit that they conflict with. */
struct conflicts {
	const uint32_t *positions;
	size_t count;
	size_t checkpoint; /* its number, from 1, if one stands for those in front of its end; 0: none */
};

/* positions: of the rest in the request's list, in order; they and the list are borrowed. */
struct rest *rest_new(void *pool, struct lower *lower, const struct cut_request *request,
		      const uint32_t *positions, size_t count);
/* Have all units of the list one outcome? Then nothing conflicts. */
bool rest_is_uniform(const struct rest *rest);
/* What must stand before the unit at this position. false: too much would have to be compared. */
bool rest_conflicts(struct rest *rest, uint32_t position, struct conflicts *conflicts);
/* The position behind the last unit that the checkpoint stands for. */
uint32_t rest_checkpoint_end(const struct rest *rest, size_t checkpoint);
/* The unit that goes through the checkpoint; made on first use. */
struct entry rest_checkpoint(struct rest *rest, size_t checkpoint);
/* The checkpoints in use, for the one who writes the cells. */
void rest_keep(const struct rest *rest, struct cells *cells);

#endif
