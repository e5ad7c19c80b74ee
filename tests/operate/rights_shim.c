/* Loaded before the program by tests/operate (LD_PRELOAD): when it opens its first netlink socket, what a
 * command that works with the kernel never needs is tried, and how each ended is written, a line "NAME ERRNO"
 * each, to the file that RIGHTS_SHIM names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int (*real_socket)(int, int, int);

static void try_socket(FILE *out, const char *name, int family)
{
	int fd = real_socket(family, SOCK_RAW, 0);

	fprintf(out, "%s %d\n", name, fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
}

static void tell(FILE *out, const char *name, long result)
{
	fprintf(out, "%s %d\n", name, result < 0 ? errno : 0);
}

static void try_all(FILE *out)
{
	char *const arguments[] = { "/nowhere", NULL };

	try_socket(out, "inet", AF_INET);
	try_socket(out, "inet6", AF_INET6);
	try_socket(out, "packet", AF_PACKET);
	tell(out, "execve", execve(arguments[0], arguments, arguments + 1));
	tell(out, "execveat", syscall(SYS_execveat, -1, arguments[0], arguments, arguments + 1, 0));
	tell(out, "unshare", unshare(CLONE_NEWNET));
	tell(out, "setns", setns(-1, 0));
	tell(out, "mount", mount("none", "/nowhere", "tmpfs", 0, NULL));
	tell(out, "bpf", syscall(SYS_bpf, 0, NULL, 0));
	tell(out, "ptrace", ptrace(PTRACE_ATTACH, -1, NULL, NULL));
	tell(out, "module", syscall(SYS_init_module, NULL, 0, ""));
	tell(out, "keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

int socket(int family, int type, int protocol)
{
	const char *path = getenv("RIGHTS_SHIM");
	FILE *out;

	real_socket = dlsym(RTLD_NEXT, "socket");
	if (family == AF_NETLINK && path != NULL && (out = fopen(path, "w")) != NULL) {
		try_all(out);
		fclose(out);
		unsetenv("RIGHTS_SHIM");
	}
	return real_socket(family, type, protocol);
}
