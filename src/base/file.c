#include "base/file.h"

#include <errno.h>
#include <talloc.h>
#include <unistd.h>

#include "base/pool.h"

int file_write(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int file_read(int fd, char *bytes, size_t size, size_t *length)
{
	*length = 0;
	while (*length < size) {
		ssize_t got = read(fd, bytes + *length, size - *length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		*length += (size_t)got;
	}
	return 0;
}

/* A read that comes back short has met the end; there is room for one byte more than is expected. */
int file_read_end(void *pool, int fd, size_t expected, size_t limit, char **bytes, size_t *length)
{
	size_t capacity = expected + 2, used = 0, asked, got;
	char *read_bytes = pool_bytes(pool, capacity);
	int error;

	do {
		read_bytes = pool_grow(pool, read_bytes, &capacity, used + 2, 1);
		asked = capacity - used - 1;
		error = file_read(fd, read_bytes + used, asked, &got);
		used += got;
		if (error == 0 && used > limit)
			error = EFBIG;
	} while (error == 0 && got == asked);
	if (error != 0) {
		talloc_free(read_bytes); /* may be large, and serves nobody */
		return error;
	}
	read_bytes[used] = '\0';
	*bytes = read_bytes;
	*length = used;
	return 0;
}
