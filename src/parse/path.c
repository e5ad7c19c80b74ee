/* Paths as text: see path.h. */
#include "parse/path.h"

#include <stdbool.h>
#include <string.h>

#include "base/pool.h"

const char *path_join(void *pool, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	if (name[0] == '/' || slash == NULL)
		return pool_strdup(pool, name);
	return pool_format(pool, "%.*s%s", (int)(slash + 1 - from), from, name);
}

static bool is_up(const char *begin, const char *end)
{
	return end - begin == 2 && begin[0] == '.' && begin[1] == '.';
}

/* Where the last part of bytes [start, end) begins. */
static char *last_part(char *start, char *end)
{
	while (end > start && end[-1] != '/')
		end--;
	return end;
}

static char *part_add(char *start, char *out, const char *part, size_t length)
{
	if (out > start)
		*out++ = '/';
	memcpy(out, part, length);
	return out + length;
}

const char *path_normalise(void *pool, const char *path)
{
	char *result = pool_bytes(pool, strlen(path) + 2);
	char *start = result;
	if (path[0] == '/')
		*start++ = '/';
	char *out = start;
	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		char *last = last_part(start, out);
		if (length == 2 && is_up(path, path + 2) && out > start && !is_up(last, out))
			out = last > start ? last - 1 : start;
		else if (length == 2 && is_up(path, path + 2) && result != start)
			out = start; /* above the root is the root */
		else if (length > 0 && !(length == 1 && path[0] == '.'))
			out = part_add(start, out, path, length);
		path += length + strspn(path + length, "/");
	}
	*out = '\0';
	return result;
}
