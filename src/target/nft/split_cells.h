/* Cells: how one field cuts a first-match list.
 *
 * The end points of all conditions on the field cut it into elementary cells; within one cell every
 * unit that names values of the field either holds throughout or not at all. A cell's leaf is the
 * list of units that a packet in the cell must still be compared with, in order. Equal leaves are
 * one. Units that say nothing of the field, or that cannot be cut, make the rest: every packet that
 * no leaf decides is compared with it, so a leaf holds a unit of the rest only where it stands
 * before a unit of the leaf with another outcome. */
#ifndef FWC_TARGET_NFT_SPLIT_CELLS_H
#define FWC_TARGET_NFT_SPLIT_CELLS_H

#include "target/nft/lower_unit.h"

enum split_field {
	SPLIT_IN,
	SPLIT_OUT,
	SPLIT_SERVICE, /* protocol and port, units of narrow ranges: becomes an exact map */
	SPLIT_PORTS,   /* protocol and port, all ranges: becomes an interval map */
	SPLIT_SOURCE4,
	SPLIT_DESTINATION4,
	SPLIT_SOURCE6,
	SPLIT_DESTINATION6,
};
#define SPLIT_FIELDS 8

/* A closed interval of the field: addresses, (protocol << 16 | port), number of a name. */
struct cell {
	number128 low, high;
	uint32_t leaf;
};

struct leaf {
	size_t first; /* in cells->entries */
	size_t count;
};

struct cells {
	void *pool; /* a child of the lowering's scratch: free it with talloc_free */
	enum split_field field;
	size_t head; /* for the caller: units in front of the list that was cut */
	struct cell *cells;
	size_t cells_count, cells_capacity;
	struct leaf *leaves;
	size_t leaves_count, leaves_capacity;
	struct entry *entries;
	size_t entries_count, entries_capacity;
	struct entry *rest;
	size_t rest_count;
	const char **names; /* SPLIT_IN, SPLIT_OUT: sorted */
	size_t names_count;
};

/* Cuts the list by the field; NULL where no unit can be cut by it, or where the leaves would hold
 * more than `copies` units in all. */
struct cells *cells_new(struct lower *lower, enum split_field field, const struct entry *list,
			size_t count, size_t copies);
/* Can the field cut this entry? */
bool cells_cuts(const struct lower *lower, enum split_field field, struct entry entry);

#endif
