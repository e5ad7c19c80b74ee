/* Shared decision diagrams over numbered fields: functions from packets to numbers.
 *
 * A node asks for one field and has a child for each of a row of closed intervals that cover all
 * values; a leaf is a number that means something to the caller alone. Nodes are hash-consed: two
 * functions are equal where their numbers are. Fields are asked in ascending order; callers number
 * them as they like and may add fields at any time. Fields that nothing asks cost nothing.
 *
 * Nothing here knows what a field is. A budget bounds the memory: past it every operation gives
 * DIAGRAM_OVER at once, which callers must ask for before they believe a result.
 *
 * Time: an operation visits each pair of nodes once; recursion is as deep as there are fields. */
#ifndef FWC_ANALYSE_DIAGRAM_H
#define FWC_ANALYSE_DIAGRAM_H

#include "net/interval.h"

/* A node, or a leaf. */
typedef uint32_t diagram;

#define DIAGRAM_LEAF_BIT 0x80000000u
#define DIAGRAM_LEAVES_MAX 0x7ffffffeu
/* The budget is used up. */
#define DIAGRAM_OVER UINT32_MAX

static inline diagram diagram_leaf(uint32_t number)
{
	return DIAGRAM_LEAF_BIT | number;
}

static inline bool diagram_is_leaf(diagram at)
{
	return (at & DIAGRAM_LEAF_BIT) != 0;
}

static inline uint32_t diagram_number(diagram leaf)
{
	return leaf & ~DIAGRAM_LEAF_BIT;
}

struct diagrams;

/* edges_max: intervals in all nodes together, 20 bytes each and as much again for the tables; at most
 * 8,000,000 (a chunk of memory holds no more). Results of operations are forgotten where they fill their
 * table; six times, then the budget is used up. */
struct diagrams *diagrams_new(void *pool, size_t edges_max);
bool diagrams_are_over(const struct diagrams *diagrams);
/* Intervals made so far, of nodes that were released too: the work it was. */
size_t diagrams_edges(const struct diagrams *diagrams);

/* What there is now. */
struct diagrams_mark {
	size_t nodes_count, highs_count;
};

struct diagrams_mark diagrams_mark(const struct diagrams *diagrams);
/* Gives back all nodes that were made since the mark, and forgets every result: what was made before stays
 * what it is, numbers of later nodes mean nothing any more. The budget is what it was then, and not used up. */
void diagrams_release(struct diagrams *diagrams, struct diagrams_mark mark);

/* The field that a node asks. */
uint32_t diagram_field(const struct diagrams *diagrams, diagram node);

struct diagram_edges {
	const number128 *highs; /* ascending; the last is the highest there is */
	const diagram *children;
	size_t count;
};

/* Valid until the next operation. */
struct diagram_edges diagram_edges(const struct diagrams *diagrams, diagram node);

/* Where the field has one of these values, inside; else outside. Both ask only later fields. */
diagram diagram_choose(struct diagrams *diagrams, uint32_t field, const struct interval_set *values,
		       diagram inside, diagram outside);

/* What an operation does with two leaves; early: with two diagrams of which one may be a leaf, false
 * where it cannot tell without looking further. */
struct diagram_operation {
	uint32_t number; /* of its cache: 0 to DIAGRAM_OPERATIONS - 1, or a new one */
	void *context;
	uint32_t (*leaves)(void *context, uint32_t a, uint32_t b);
	bool (*early)(void *context, diagram a, diagram b, diagram *result);
	/* A leaf of a (of b) that decides whatever the other is, and the result: so that wide nodes are
	 * walked only where it matters. The results are what `early` gives. */
	bool has_absorbing_a, has_absorbing_b;
	diagram absorbing_a, absorbed_a, absorbing_b, absorbed_b;
};

#define DIAGRAM_OPERATIONS 16

/* Pieces of one field, one after the other, to the node that has them: the first begins at 0, the last ends
 * with DIAGRAM_HIGHEST. `base` is what the row began with. A row may be begun within another one, and is ended
 * before that goes on. */
size_t diagram_row_begin(const struct diagrams *diagrams);
/* Neighbours that are equal become one piece. */
void diagram_row_add(struct diagrams *diagrams, size_t base, number128 high, diagram child);
diagram diagram_row_end(struct diagrams *diagrams, size_t base, uint32_t field);
/* Ends it without a node. */
void diagram_row_drop(struct diagrams *diagrams, size_t base);

/* A number for an operation whose results depend on its context: never given before. */
uint32_t diagrams_operation(struct diagrams *diagrams);

diagram diagram_apply(struct diagrams *diagrams, const struct diagram_operation *operation, diagram a,
		      diagram b);

/* Where a field has one of these values. */
struct diagram_part {
	uint32_t field;
	number128 low, high;
};

/* Two functions side by side. */
struct diagram_difference {
	void *context;
	/* Only where all of these fields have one of their values, whatever they are elsewhere. */
	const struct diagram_part *parts;
	size_t parts_count;
	/* Are these two leaves as good as equal? One may still be a node of a field from
	 * `from_field` on. */
	bool (*is_equal)(void *context, diagram a, diagram b);
	uint32_t from_field;
	/* The value of a field that shows a difference best, where it shows one; or NULL. */
	number128 (*prefer)(void *context, uint32_t field);
};

/* A literal of the way to a difference: the field has one of these values. */
struct diagram_step {
	uint32_t field;
	number128 low, high;
};

struct diagram_way {
	struct diagram_step *steps;
	size_t steps_count, steps_capacity;
	diagram a, b; /* what stands at its end */
};

/* Whether the two differ for no packet. Else the way to the first difference. false with no steps and
 * a DIAGRAM_OVER: the budget. */
bool diagram_equals(void *pool, struct diagrams *diagrams, const struct diagram_difference *difference,
		    diagram a, diagram b, struct diagram_way *way);

/* Intervals of values of one field are numbered from 0 to this. */
#define DIAGRAM_HIGHEST (~(number128)0)

#endif
