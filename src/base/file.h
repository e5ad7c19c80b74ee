/* Whole reads and writes of descriptors: system calls that are interrupted or do a part go on. Each returns 0 or
 * an errno. */
#ifndef FWC_BASE_FILE_H
#define FWC_BASE_FILE_H

#include <stddef.h>

int file_write(int fd, const char *bytes, size_t length);
/* At most `size` bytes from where the descriptor stands; *length: how many there were. */
int file_read(int fd, char *bytes, size_t size, size_t *length);
/* All to the end, in the pool and with a zero behind them. expected: the length if it is known, else what to begin
 * with; EFBIG above limit. *bytes and *length are set on success alone. */
int file_read_end(void *pool, int fd, size_t expected, size_t limit, char **bytes, size_t *length);

#endif
