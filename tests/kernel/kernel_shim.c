/* Loaded before the program by tests/kernel/run.py (LD_PRELOAD): a kernel in a state that the machine is
 * not in.
 *
 * SHIM_SOCKET_ERRNO: the number with which every netlink socket of netfilter is refused.
 * SHIM_BUSY_TIMES: so many batches find that another program changed the rules since they were read:
 * nft really does, right before they are sent (in a process that was begun before the program gave up
 * starting any). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int changes;
static int other_end = -1; /* a byte asks the other process for a change, and a byte says that it is made */

static void change_on_request(int end)
{
	char byte;

	while (read(end, &byte, 1) == 1)
		if (system("LD_PRELOAD= nft 'add table ip noise; delete table ip noise'") != 0 ||
		    write(end, &byte, 1) != 1)
			_exit(1);
	_exit(0);
}

__attribute__((constructor)) static void begin(void)
{
	int ends[2];

	if (getenv("SHIM_BUSY_TIMES") == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	if (fork() == 0) {
		close(ends[0]);
		unsetenv("SHIM_BUSY_TIMES");
		change_on_request(ends[1]);
	}
	close(ends[1]);
	other_end = ends[0];
}

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
	const char *number = getenv("SHIM_SOCKET_ERRNO");
	if (number == NULL || domain != AF_NETLINK || protocol != NETLINK_NETFILTER)
		return real(domain, type, protocol);
	errno = atoi(number);
	return -1;
}

static int is_batch(const struct msghdr *message)
{
	if (message->msg_iovlen == 0 || message->msg_iov[0].iov_len < sizeof(struct nlmsghdr))
		return 0;
	const struct nlmsghdr *header = message->msg_iov[0].iov_base;
	return header->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) =
		(ssize_t (*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
	const char *times = getenv("SHIM_BUSY_TIMES");
	if (times != NULL && is_batch(message) && changes < atoi(times)) {
		char byte = 0;

		changes++;
		if (write(other_end, &byte, 1) != 1 || read(other_end, &byte, 1) != 1)
			abort();
	}
	return real(fd, message, flags);
}
