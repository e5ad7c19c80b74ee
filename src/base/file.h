/* Whole reads and writes of descriptors: system calls that are interrupted or do a part go on. Each returns 0 or
 * an errno. */
#ifndef FWC_BASE_FILE_H
#define FWC_BASE_FILE_H

#include <stddef.h>

int file_write(int fd, const char *bytes, size_t length);
/* At most `size` bytes from where the descriptor stands; *length: how many there were. */
int file_read(int fd, char *bytes, size_t size, size_t *length);

#endif
