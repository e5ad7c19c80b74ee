/* Loaded before the program by tests/operate (LD_PRELOAD): somebody who changes the kernel's rules right before
 * the first batch is sent, by `nft CHANGE_SHIM_NFT` (in a process that was begun before the program gave up
 * starting any); with CHANGE_SHIM_NO_FORK a machine without processes, with
 * CHANGE_SHIM_SHORT a socket that takes no batch of more bytes, with CHANGE_SHIM_STOP=N a process that
 * stops before its Nth batch, with CHANGE_SHIM_PORT a kernel that makes another port of this one, in the first
 * batch that has it, with CHANGE_SHIM_FLOWS=N a kernel that refuses to end so many connections. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_BEGIN 16 /* NFNL_MSG_BATCH_BEGIN */
#define FLOW_DELETE 0x0102 /* NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE */

static int batches, refused;
static int other_end = -1; /* a byte wakes the other process, whose end says that it has changed the rules */

/* The other process: waits, changes, ends. */
static void wait_and_change(int end, const char *change)
{
	char command[256];
	char byte;

	if (read(end, &byte, 1) != 1)
		_exit(0);
	snprintf(command, sizeof command, "LD_PRELOAD= nft '%s'", change);
	_exit(system(command) == 0 && write(end, &byte, 1) == 1 ? 0 : 1);
}

__attribute__((constructor)) static void begin(void)
{
	const char *change = getenv("CHANGE_SHIM_NFT");
	pid_t (*real)(void) = dlsym(RTLD_NEXT, "fork");
	int ends[2];

	if (change == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	if (real() == 0) {
		close(ends[0]);
		unsetenv("CHANGE_SHIM_NFT");
		wait_and_change(ends[1], change);
	}
	close(ends[1]);
	other_end = ends[0];
}

static void change_now(void)
{
	char byte = 0;

	if (write(other_end, &byte, 1) != 1 || read(other_end, &byte, 1) != 1)
		abort();
	close(other_end);
	other_end = -1;
}

pid_t fork(void)
{
	pid_t (*real)(void) = dlsym(RTLD_NEXT, "fork");

	if (getenv("CHANGE_SHIM_NO_FORK") == NULL)
		return real();
	errno = EAGAIN;
	return -1;
}

/* Both bytes of the port, wherever they stand. */
static void change_port(const struct msghdr *message)
{
	const char *port = getenv("CHANGE_SHIM_PORT");
	int is_changed = 0;

	for (size_t piece = 1; port != NULL && piece + 1 < message->msg_iovlen; piece++) {
		unsigned char *bytes = message->msg_iov[piece].iov_base;

		for (size_t at = 0; at + 1 < message->msg_iov[piece].iov_len; at++)
			if (bytes[at] << 8 == (atoi(port) & 0xff00) && bytes[at + 1] == (atoi(port) & 0xff)) {
				bytes[at + 1] ^= 1;
				is_changed = 1;
			}
	}
	if (is_changed)
		unsetenv("CHANGE_SHIM_PORT");
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	const struct nlmsghdr *header = message->msg_iovlen == 0 ? NULL : message->msg_iov[0].iov_base;
	const char *most = getenv("CHANGE_SHIM_SHORT"), *stop = getenv("CHANGE_SHIM_STOP");
	size_t length = 0;

	for (size_t index = 0; index < message->msg_iovlen; index++)
		length += message->msg_iov[index].iov_len;
	if (most != NULL && length > (size_t)atol(most)) {
		errno = EMSGSIZE;
		return -1;
	}
	if (stop != NULL && header != NULL && header->nlmsg_type == BATCH_BEGIN && ++batches == atoi(stop))
		(void)raise(SIGSTOP);
	if (other_end >= 0 && header != NULL && header->nlmsg_type == BATCH_BEGIN)
		change_now();
	if (header != NULL && header->nlmsg_type == BATCH_BEGIN)
		change_port(message);
	return real(fd, message, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address, socklen_t size)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		dlsym(RTLD_NEXT, "sendto");
	const struct nlmsghdr *header = bytes;

	const char *flows = getenv("CHANGE_SHIM_FLOWS");

	if (flows != NULL && length >= sizeof *header && header->nlmsg_type == FLOW_DELETE &&
	    refused++ < atoi(flows)) {
		errno = EPERM;
		return -1;
	}
	return real(fd, bytes, length, flags, address, size);
}
