/* Boxes in a space: a row of values for each of some fields, and what holds in the box.
 *
 * Many of them at once become a diagram from below: no two diagrams need to be put together, which is what takes
 * most of the time where there are thousands of rules or elements of one shape. */
#ifndef FWC_TARGET_NFT_WALK_BOXES_H
#define FWC_TARGET_NFT_WALK_BOXES_H

#include "target/nft/walk/space.h"

#define WALK_BOX_FIELDS 8

struct walk_box {
	struct interval rows[WALK_BOX_FIELDS];
	diagram inside; /* asks only fields behind the last */
};

struct walk_boxes {
	void *pool;
	uint32_t ranks[WALK_BOX_FIELDS]; /* ascending */
	size_t fields_count;
	struct walk_box *items; /* of two that share a packet the first holds */
	size_t items_count, items_capacity;
};

/* Values of a field as a row of a box in the space; highest: what reaches it has no end (walk_choose). false: no
 * packet of the space's piece has one of them. */
bool walk_box_row(const struct walk_space *space, uint32_t rank, struct interval *values, number128 highest);
/* What holds in the boxes; outside of all of them `outside`, which asks only fields behind the last. false: they
 * cross each other too often, and must be put together one by one. */
bool walk_boxes_meaning(struct walk_space *space, const struct walk_boxes *boxes, diagram outside, diagram *made);
/* The same of one of them. */
diagram walk_box_meaning(struct walk_space *space, const struct walk_boxes *boxes, const struct walk_box *box,
			 diagram outside);

#endif
