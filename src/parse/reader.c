/* Files from the disk, whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "parse/parse.h"

#define FIRST_READ ((size_t)64 << 10)

static int read_open(void *pool, int file, const char **bytes, size_t *length)
{
	struct stat facts;
	if (fstat(file, &facts) != 0)
		return errno;
	if (S_ISDIR(facts.st_mode))
		return EISDIR;
	if (S_ISREG(facts.st_mode) && facts.st_size > (off_t)PARSE_FILE_LIMIT)
		return EFBIG;
	size_t expected = S_ISREG(facts.st_mode) ? (size_t)facts.st_size : FIRST_READ;
	char *read_bytes;
	int error = file_read_end(pool, file, expected, PARSE_FILE_LIMIT, &read_bytes, length);
	if (error == 0)
		*bytes = read_bytes;
	return error;
}

static int read_disk(void *context, void *pool, const char *path, const char **bytes,
		     size_t *length)
{
	(void)context;
	if (path[0] == '-' && path[1] == '\0')
		return read_open(pool, STDIN_FILENO, bytes, length);
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file < 0)
		return errno;
	int error = read_open(pool, file, bytes, length);
	(void)close(file);
	return error;
}

static const char *identify_disk(void *context, void *pool, const char *path)
{
	(void)context;
	char *real = realpath(path, NULL);
	if (real == NULL)
		return NULL;
	const char *copy = pool_strdup(pool, real);
	free(real);
	return copy;
}

struct file_reader file_reader_disk(void)
{
	return (struct file_reader){ .read = read_disk, .identify = identify_disk };
}
