/* Binary search in one table of all words. */
#include "target/cisco/read/words.h"

#include <string.h>
#include <strings.h>

static const struct acl_named named[] = {
#define X(table, word, number, code) { ACL_WORD_##table, word, number, code },
#include "target/cisco/read/words.def"
#undef X
};

enum { NAMED_COUNT = sizeof named / sizeof named[0] };

/* As strcmp, of a word without its NUL, in lower case. */
static int compare(const char *word, size_t length, const char *row)
{
	size_t row_length = strlen(row);
	int order = strncasecmp(word, row, length < row_length ? length : row_length);

	return order != 0 ? order : length < row_length ? -1 : length > row_length;
}

const struct acl_named *acl_word_find(enum acl_table table, const char *word, size_t length)
{
	size_t low = 0, high = NAMED_COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = (int)table - (int)named[middle].table;

		if (order == 0)
			order = compare(word, length, named[middle].word);
		if (order == 0)
			return &named[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct acl_named *acl_word_of(enum acl_table table, unsigned number, int code)
{
	for (size_t index = 0; index < NAMED_COUNT; index++)
		if (named[index].table == table && named[index].number == number &&
		    named[index].code == code)
			return &named[index];
	return NULL;
}

const struct acl_named *acl_word_at(size_t index)
{
	return index < NAMED_COUNT ? &named[index] : NULL;
}
