#include "optimise/level.h"

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
