#include "optimise/level.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

static const enum optimise_level levels[] = { OPTIMISE_LINES, OPTIMISE_READABLE, OPTIMISE_FASTEST };

#define LEVELS (sizeof levels / sizeof levels[0])

bool optimise_level_parse(const char *word, enum optimise_level *level)
{
	return strlen(word) == 1 && optimise_level_of(word[0] - '0', level);
}

bool optimise_level_of(int number, enum optimise_level *level)
{
	if (number < 0 || number >= (int)LEVELS)
		return false;
	*level = levels[number];
	return true;
}

unsigned optimise_level_number(enum optimise_level level)
{
	for (unsigned number = 0; number < LEVELS; number++)
		if (levels[number] == level)
			return number;
	return 0;
}

/* 100,000 networks by three or four services each are some 400,000 flows. By pairs they are compiled with a quarter
 * less memory in as much time, but take a third more to prove, and their packets pay half as much again. */
#define FLOWS_MOST (1u << 20)
/* First lines ahead of a structure: the fastest table serves the lines behind them, too, which pay for all of
 * these. */
#define AHEAD_SHARE 5
#define FAST_AHEAD 8
/* A map is looked into by its lines while somebody may scroll through it. */
#define LINES_SAID (1u << 12)
/* Addresses are better read by their names in a handful of rules, and where their places save less than one check
 * of the family. */
#define PLACES_LEAST 80
#define PLACES_GAIN 7

/* Loading 500 and 1,000 sets takes the kernel some 0.03 and 0.1 s; long policies may have more (lower.c). */
static const struct optimise_limits limits[] = {
	[OPTIMISE_READABLE] = { true, 55, 3, 60, 500, 0, FLOWS_MOST, AHEAD_SHARE, PLACES_LEAST, PLACES_GAIN,
				true, LINES_SAID },
	[OPTIMISE_LINES] = { false, 0, 0, 0, 500, 0, 0, 0, UINT_MAX, 0, false, LINES_SAID },
	[OPTIMISE_FASTEST] = { true, 45, 1, 0, 1000, 0, FLOWS_MOST, FAST_AHEAD, 0, 1, false, 0 },
};

const struct optimise_limits *optimise_limits_of(enum optimise_level level)
{
	return &limits[level];
}

static const struct optimise_limits variants[] = {
	{ true, 45, 1, 0, 1000, 0, FLOWS_MOST, FAST_AHEAD, 0, 1, false, 0 },
	{ true, 55, 3, 60, 1000, 0, FLOWS_MOST, FAST_AHEAD, 0, 1, false, 0 },
	{ true, 45, 1, 0, 1000, OPTIMISE_NOT_FAMILIES, FLOWS_MOST, FAST_AHEAD, 0, 1, false, 0 },
	{ true, 45, 1, 0, 1000, OPTIMISE_NOT_FAMILIES | OPTIMISE_NOT_PORTS, FLOWS_MOST, FAST_AHEAD, 0, 1, false,
	  0 },
	{ true, 45, 1, 0, 1000, OPTIMISE_NOT_FAMILIES | OPTIMISE_NOT_ADDRESSES, FLOWS_MOST, FAST_AHEAD, 0, 1, false,
	  0 },
};

const struct optimise_limits *optimise_variant(size_t number)
{
	return number < sizeof variants / sizeof variants[0] ? &variants[number] : NULL;
}
