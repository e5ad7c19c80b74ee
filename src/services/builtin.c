/* Finding a name among the built-in ones. */
#include "services/builtin.h"

static unsigned char folded(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : (unsigned char)byte;
}

/* A name of any case against a key in lower case, in the order of bytes. */
static int compare(const char *name, size_t length, const char *key)
{
	for (size_t i = 0; i < length; i++) {
		if (key[i] == '\0')
			return 1; /* the key is shorter; a name may hold a NUL itself, which is told elsewhere */
		int order = folded(name[i]) - (unsigned char)key[i];
		if (order != 0)
			return order;
	}
	return key[length] == '\0' ? 0 : -1;
}

const struct builtin_key *builtin_find(const char *name, size_t length)
{
	size_t low = 0, high = builtin_data.keys_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, length, builtin_data.keys[middle].folded);
		if (order == 0)
			return &builtin_data.keys[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
