/* Two questions to the kernel. */
#include "operate/place.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pool.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LENGTH 36 /* RFC 4122 */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* asm-generic/socket.h */
#endif

const char *place_of(void *pool, int socket)
{
	char boot[BOOT_ID_LENGTH + 1] = "";
	uint64_t cookie = 0;
	socklen_t length = sizeof cookie;
	int file = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read(file, boot, BOOT_ID_LENGTH);
	if (file >= 0)
		close(file);
	if (got != BOOT_ID_LENGTH || strspn(boot, "0123456789abcdef-") != BOOT_ID_LENGTH ||
	    getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0)
		return NULL;
	return pool_format(pool, "%s %" PRIx64, boot, cookie);
}
