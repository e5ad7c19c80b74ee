/* Loaded before the program by tests/kernel/run.py (LD_PRELOAD): a kernel in a state that the machine is
 * not in.
 *
 * SHIM_SOCKET_ERRNO: the number with which every netlink socket of netfilter is refused.
 * SHIM_BUSY_TIMES: so many batches find that another program changed the rules since they were read:
 * nft really does, right before they are sent. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

static int changes;

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
		changes++;
		if (system("LD_PRELOAD= nft 'add table ip noise; delete table ip noise'") != 0)
			abort();
	}
	return real(fd, message, flags);
}
