/* A way through a rule: what holds of every packet that has come so far, and its registers.
 *
 * What a load gives depends on the packet's family and protocol, so a way forks where both kinds are
 * still possible; the ways of one rule share no packet. Conditions on one field are kept as sets;
 * everything else is a predicate: a diagram whose leaves are 0 and 1. */
#ifndef FWC_TARGET_NFT_WALK_PATH_H
#define FWC_TARGET_NFT_WALK_PATH_H

#include "target/nft/walk/walk.h"
#include "target/nft/walk/leaf.h"
#include "target/nft/walk/value.h"

#define WALK_PREDICATE_FALSE diagram_leaf(0)
#define WALK_PREDICATE_TRUE diagram_leaf(1)
#define WALK_LITERALS_MAX 24
#define WALK_PARTS_MAX 16 /* two names of interfaces, and eight words of addresses */

struct walk_protocols {
	uint64_t bits[4];
};

struct walk_literal {
	uint32_t rank;
	number128 highest;
	struct interval_set values;
};

/* An equation by which a variable was compared: one of several that may make up a prefix together. */
struct walk_part {
	struct walk_equation equation;
	bool is_told; /* the literals say it; else it is an unknown of its own in the way's meaning */
};

struct walk_path {
	uint8_t families; /* FAMILIES_* */
	struct walk_protocols protocols;
	struct walk_literal literals[WALK_LITERALS_MAX];
	size_t literals_count;
	struct walk_part parts[WALK_PARTS_MAX];
	size_t parts_count;
	diagram others; /* predicate */
	/* done since the last condition: they go with whatever comes next */
	const struct walk_effects *effects;
	bool is_dead;   /* its meaning is taken, or no packet is left */
	struct walk_registers registers;
};

/* The ways through one rule so far, and what they have come to. */
struct walk_paths {
	struct walk_path *items;
	size_t items_count, items_capacity;
	diagram *meanings; /* one after the other: the rule */
	size_t meanings_count, meanings_capacity;
};

#define WALK_PATHS_MAX 256

/* The numbers of operations on diagrams. */
enum { WALK_SEQUENCE, WALK_GUARD, WALK_AND, WALK_OR, WALK_MINUS, WALK_TURN };

struct walk_chain {
	const struct read_chain *chain;
	unsigned state; /* 0: not begun, 1: open, 2: done */
	diagram meaning;
	struct walk_piece rows;    /* in which it is right, where the space is cut */
	uint8_t families;          /* for which it is right */
	bool is_shared;            /* several kinds of packets have come to it in one piece */
	uint8_t comers;            /* of which packets come to it, once that is known (comers.h) */
	struct walk_start *starts; /* of its rules, where the space is cut; or NULL */
	struct walk_piece reach;   /* outside no rule begins */
	/* the lookup that met it last, and its groups there (lookup.c): of a jump, of a goto */
	size_t lookup, groups[2];
};

/* What a verdict map does with packets of a piece of the space. */
struct walk_decided {
	uint32_t piece; /* 0: none yet */
	struct walk_piece rows; /* in which it is right */
	diagram meaning;
};

struct walk {
	void *pool;
	void *scratch; /* sets of values; freed with the walk */
	struct walk_space *space;
	struct walk_variables *variables;
	struct walk_leaves *leaves;
	const struct read_table *table;
	uint8_t families; /* of the packets that come to where the walk is */
	struct names *chains; /* struct walk_chain by name */
	struct interned *by_verdict; /* the same, by the address of a verdict */
	bool knows_comers;
	size_t lookups_count;
	struct walk_chain **made; /* those to be worked out again in the next piece of the space */
	size_t made_count, made_capacity;
	struct arena *arena;
	struct interned *indices; /* index.h */
	struct walk_index *newest_index;
	struct interned *decided; /* struct walk_decided: large verdict maps that were looked up */
	struct interned *protocols_asked; /* struct walk_protocols: by elements of a set (lookup.c) */
	uint32_t piece; /* the space's, counted from 1 */
	size_t rules_done;
	unsigned depth;
	bool may_return; /* packets of the chain at hand, before its end */
	const char *problem;
	bool tells_places, stops_at_chains;
	const char *prefix; /* of what is called by its place */
	const struct walk_interface *interfaces;
	size_t interfaces_count;
	/* where the walk is, for names of what cannot be told */
	const struct read_chain *chain;
	size_t rule, expression;
};

/* The empty way: every packet of the families that come here. */
void walk_path_begin(const struct walk *walk, struct walk_path *path);

/* Conditions: false where no packet is left. */
bool walk_path_values(struct walk *walk, struct walk_path *path, uint16_t variable,
		      const struct interval_set *values);
bool walk_path_field(struct walk *walk, struct walk_path *path, enum walk_field field, number128 low,
		     number128 high);
bool walk_path_equation(struct walk *walk, struct walk_path *path, const struct walk_equation *equation);
/* Are there parts that the literals do not say? */
bool walk_path_has_untold(const struct walk_path *path);
/* Does it want bytes behind the end of a name? The kernel fills names up with zeros: none has any. */
bool walk_equation_is_no_name(const struct walk_equation *equation);
bool walk_path_predicate(struct walk *walk, struct walk_path *path, diagram predicate);
/* Packets of the walk's piece that are on the way, as far as rows can tell: these and others. */
struct walk_piece walk_path_rows(const struct walk *walk, const struct walk_path *path);
/* The row narrowed to the values' first and last; highest: what reaches it has no end (walk_choose). */
void walk_row_meet(struct interval *row, const struct interval_set *values, number128 highest);
/* A condition that nothing is known of: this rank is 1. */
bool walk_path_flag(struct walk *walk, struct walk_path *path, uint32_t rank);
/* The same with a name of its own, after the place where the walk is. */
bool walk_path_unclear(struct walk *walk, struct walk_path *path, const char *what);
bool walk_path_families(struct walk_path *path, uint8_t families);
bool walk_path_protocols(struct walk_path *path, const struct walk_protocols *protocols);

/* The way's conditions as a predicate, and as a function: inside this diagram, elsewhere FALL. */
diagram walk_path_meaning(struct walk *walk, const struct walk_path *path);
diagram walk_path_guard(struct walk *walk, const struct walk_path *path, diagram inside);

struct walk_protocols walk_protocols_all(void);
struct walk_protocols walk_protocols_of(const uint8_t *numbers, size_t count);
/* The lowest and the highest; of none the low is above the high. */
struct interval walk_protocols_ends(const struct walk_protocols *set);
struct walk_protocols walk_protocols_without(const struct walk_protocols *a, const struct walk_protocols *b);

/* The chain that a verdict goes to, which may not be there; of one name there is one. */
struct walk_chain *walk_chain_of(struct walk *walk, const struct read_data *verdict);
struct walk_chain *walk_chain_called(struct walk *walk, const char *name);
/* Outside of which no rule of the chain begins, for packets of the walk's families, where the space is cut; NULL:
 * the verdict goes to no chain of rules. */
const struct walk_piece *walk_chain_reach(struct walk *walk, const struct read_data *verdict);

/* Is the walk at the last rule of its chain? */
bool walk_is_last_rule(const struct walk *walk);

/* Operations. */
diagram walk_sequence(struct walk *walk, diagram first, diagram then);
/* All of them, one after the other. */
diagram walk_sequence_of(struct walk *walk, const diagram *items, size_t count);
diagram walk_guard(struct walk *walk, diagram predicate, diagram inside);
diagram walk_and(struct walk *walk, diagram a, diagram b);
diagram walk_or(struct walk *walk, diagram a, diagram b);
diagram walk_or_of(struct walk *walk, const diagram *items, size_t count);
diagram walk_minus(struct walk *walk, diagram a, diagram b);
/* Leaves with the first verdict get the second. */
diagram walk_turn(struct walk *walk, diagram meaning, enum walk_verdict from, enum walk_verdict to);

/* "chain input, rule 3" */
const char *walk_place(const struct walk *walk);
/* With the place, where the walk tells it. */
const struct walk_effects *walk_effects_here(struct walk *walk, const struct walk_effects *effects);

#endif
