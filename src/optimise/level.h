/* How far a ruleset is optimised: what `--optimise` says.
 *
 * All levels mean the same; they differ in what a packet pays, and in how well people can read the
 * result. The level goes with what was applied, so that it can be made again. */
#ifndef FWC_OPTIMISE_LEVEL_H
#define FWC_OPTIMISE_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

/* The first is the default. */
enum optimise_level {
	OPTIMISE_READABLE, /* 1: maps and leaf chains where a packet gains by them what their lines are worth */
	OPTIMISE_LINES,    /* 0: a line a rule, in the policy's order */
	OPTIMISE_FASTEST,  /* 2: whatever costs a packet least */
};

/* false: no level. */
bool optimise_level_parse(const char *word, enum optimise_level *level);
bool optimise_level_of(int number, enum optimise_level *level);
/* As it is written: 0, 1 or 2. */
unsigned optimise_level_number(enum optimise_level level);

/* What a hook's list is not cut by first; its leaves are. */
enum {
	OPTIMISE_NOT_FAMILIES = 1,
	OPTIMISE_NOT_PORTS = 2,
	OPTIMISE_NOT_ADDRESSES = 4,
};

/* How far the choice of structures goes. */
struct optimise_limits {
	bool has_structure;     /* anything but plain rules */
	unsigned list_least;    /* nanoseconds of plain rules that are worth a structure */
	unsigned list_per_set;  /* and for each set there is: loading is quadratic in their number */
	unsigned family_bias;   /* nanoseconds: two lists of a family each are harder to read than one of both */
	size_t sets_most;
	unsigned excluded;      /* OPTIMISE_NOT_* */
	size_t flows_most;      /* elements of a map of source, destination and service */
	unsigned ahead_share;   /* first lines stand ahead if others pay at most one in so many more; 0: none do */
	unsigned places_least;  /* nanoseconds of plain rules of one family that may compare places for addresses */
	unsigned places_gain;   /* where these save so many */
	bool weighs_size;       /* lines of the table that stand for none of the policy have a price (costs.def) */
	size_t lines_said_most; /* elements of a map that say the policy's line; where there are more, none does */
};

const struct optimise_limits *optimise_limits_of(enum optimise_level level);
/* The step-by-step choice does not see far: at the highest level several tables are made, each within one of
 * these, and the one through which packets get for least is kept. NULL: there is no such number. */
const struct optimise_limits *optimise_variant(size_t number);

#endif
