/* Loaded before the program by tests/operate (LD_PRELOAD): somebody who changes the kernel's rules right before
 * the first batch is sent, by `nft CHANGE_SHIM_NFT`; with CHANGE_SHIM_NO_FORK a machine without processes, with
 * CHANGE_SHIM_SHORT a socket that takes no batch of more bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_BEGIN 16 /* NFNL_MSG_BATCH_BEGIN */

pid_t fork(void)
{
	pid_t (*real)(void) = dlsym(RTLD_NEXT, "fork");

	if (getenv("CHANGE_SHIM_NO_FORK") == NULL)
		return real();
	errno = EAGAIN;
	return -1;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	static int is_done;
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	const struct nlmsghdr *header = message->msg_iovlen == 0 ? NULL : message->msg_iov[0].iov_base;
	const char *change = getenv("CHANGE_SHIM_NFT");
	const char *most = getenv("CHANGE_SHIM_SHORT");
	char command[256];
	size_t length = 0;

	for (size_t index = 0; index < message->msg_iovlen; index++)
		length += message->msg_iov[index].iov_len;
	if (most != NULL && length > (size_t)atol(most)) {
		errno = EMSGSIZE;
		return -1;
	}
	if (!is_done && change != NULL && header != NULL && header->nlmsg_type == BATCH_BEGIN) {
		is_done = 1;
		snprintf(command, sizeof command, "LD_PRELOAD= nft '%s'", change);
		if (system(command) != 0)
			abort();
	}
	return real(fd, message, flags);
}
