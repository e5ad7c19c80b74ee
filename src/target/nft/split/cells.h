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

#include "target/nft/emit/unit.h"

enum split_field {
	SPLIT_IN,
	SPLIT_OUT,
	SPLIT_SERVICE, /* protocol and port, units of narrow ranges: becomes an exact map */
	SPLIT_PORTS,   /* protocol and port, all ranges: becomes an interval map */
	SPLIT_SOURCE4,
	SPLIT_DESTINATION4,
	SPLIT_SOURCE6,
	SPLIT_DESTINATION6,
	SPLIT_PAIR4, /* leading bits of source and destination together */
	SPLIT_PAIR6,
	SPLIT_FLOW4, /* the same, with protocol and port: made of pairs (flow.h) */
	SPLIT_FLOW6,
};
#define SPLIT_FIELDS 12

/* A closed interval of the field: addresses, (protocol << 16 | port), number of a name. */
struct cell {
	number128 low, high;
	number128 other; /* SPLIT_PAIR*, SPLIT_FLOW*: the first address of the destination's block */
	uint32_t service_low, service_high; /* SPLIT_FLOW*: protocol << 16 | port */
	uint32_t leaf;
};

/* SPLIT_FLOW*: several to a pair of blocks, and the same in many pairs, so that a cell is put together of what it
 * shares with others (cells_at). */
struct flow {
	uint32_t blocks, services;
};

struct flow_blocks {
	number128 low, other;
};

struct flow_services {
	uint32_t low, high; /* protocol << 16 | port */
	uint32_t leaf;
};

/* Small: talloc gives no array of as many entries as 32 bits count. */
struct leaf {
	uint32_t first; /* in cells->entries */
	uint32_t count;
};

/* A unit that stands for the first units of the rest (rest.h), or for a part of it (screen.h): its
 * tail wants their chain. */
struct cells_checkpoint {
	uint32_t unit;
	size_t first, count;
};

/* What is asked behind a unit's match, the unit's own end the last: entries of cells->screen_entries
 * (screen.h). Until the cells are written, an entry of a leaf has the screen's number, from 1, in `done`. */
struct cells_screen {
	uint32_t unit;
	size_t first, count;
	unsigned cost; /* nanoseconds */
};
#define CELLS_SCREEN_SHIFT 8

struct cells {
	void *pool; /* a child of the lowering's scratch: free it with talloc_free */
	enum split_field field;
	unsigned length; /* of the grain; 0: none */
	unsigned other_length; /* SPLIT_PAIR*, SPLIT_FLOW*: of the destination's grain; 0: none */
	bool is_of_family; /* only packets of the addresses' family come here, and they may be looked up by place */
	bool has_all; /* leaves hold all that their packets may meet: the rest is for packets that find none */
	size_t head; /* for the caller: units in front of the list that was cut */
	struct cell *cells; /* cells_at gives each, those of flows too */
	size_t cells_count, cells_capacity;
	struct flow *flows; /* SPLIT_FLOW*: in place of cells */
	struct flow_blocks *flow_blocks;
	struct flow_services *flow_services;
	size_t flow_services_count, flow_services_capacity;
	struct leaf *leaves;
	size_t leaves_count, leaves_capacity;
	struct entry *entries;
	size_t entries_count, entries_capacity;
	struct entry *rest;
	size_t rest_count;
	struct cells_checkpoint *checkpoints; /* that leaves go through */
	size_t checkpoints_count, checkpoints_capacity;
	struct cells_screen *screens;
	size_t screens_count;
	uint32_t screened_units; /* the first of those that are made of them when the cells are written */
	struct entry *screen_entries;
	const char **names; /* SPLIT_IN, SPLIT_OUT: sorted */
	size_t names_count;
};

static inline struct cell cells_at(const struct cells *cells, size_t number)
{
	if (cells->flows == NULL)
		return cells->cells[number];
	const struct flow *flow = &cells->flows[number];
	const struct flow_blocks *blocks = &cells->flow_blocks[flow->blocks];
	const struct flow_services *services = &cells->flow_services[flow->services];
	return (struct cell){
		.low = blocks->low, .high = blocks->low, .other = blocks->other,
		.service_low = services->low, .service_high = services->high, .leaf = services->leaf,
	};
}

/* How addresses are cut where only their leading bits are looked up: cells are whole blocks of
 * addresses. What a unit names is taken apart into prefixes; each stands in the blocks of one
 * length, its home: shorter ones in several, longer ones in part of one, whose leaf asks for the
 * address again. A unit with a prefix that has no home belongs to the rest. Lookups go from the
 * longest length to the shortest: a leaf holds what stands at its own length and at shorter ones. */
#define GRAIN_NONE 255

struct grain {
	unsigned length;    /* of these cells: their blocks have so many leading bits */
	uint8_t homes[129]; /* by a prefix's length: the length of its blocks, or GRAIN_NONE */
	/* not 0: what a unit names is not taken apart; it stands in all blocks that it touches, in so many at most
	 * (of pairs: in so many pairs), else it belongs to the rest; homes do not count */
	size_t blocks_most;
};

/* What is cut. */
struct cut_request {
	enum split_field field;
	const struct grain *grain; /* NULL: at the end points themselves */
	const struct grain *other; /* SPLIT_PAIR*: of the destination */
	const struct entry *list;
	size_t count;
	size_t copies; /* that the leaves may hold in all */
	const number128 *points; /* points.h; NULL: at all end points */
	size_t points_count;
	bool has_checkpoints; /* chains of two more levels may be made */
	bool has_screens; /* what conflicts with a unit is asked behind it (screen.h): */
	size_t screened_least; /* where so many units are not cut */
	bool has_all; /* SPLIT_PAIR*: leaves hold all of the rest that touches their blocks (touching.h) */
};

/* A unit stands in no more pairs of blocks. */
#define PAIRS_A_UNIT 256

/* Cuts the list by the field; NULL where no unit can be cut by it, or where the leaves would hold
 * too many units. */
struct cells *cells_new(struct lower *lower, const struct cut_request *request);
/* Can the field cut this entry? */
bool cells_cuts(const struct lower *lower, enum split_field field, struct entry entry);
/* Is the field one of addresses, or of pairs of them? */
bool cells_are_of_addresses(enum split_field field);
bool cells_are_pairs(enum split_field field);
/* Leading bits of the field's addresses, all of them: 32 or 128. */
unsigned cells_width(enum split_field field);
/* Of an address: the family, of FAMILIES_*. */
unsigned cells_family(enum split_field field);
/* What the field answers, of NEED_*. */
uint32_t cells_need(enum split_field field);
/* What the unit asks of the field, one of addresses. */
const struct interval_set *cells_intervals(const struct unit *unit, enum split_field field);
/* The same of one of interfaces. */
const struct interface_set *cells_names(const struct unit *unit, enum split_field field);

#endif
