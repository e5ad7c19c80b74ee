/* Loaded before the program by tests/operate (LD_PRELOAD): a machine that dies or refuses at the Nth of
 * the system calls that change files or the kernel. STATE_SHIM_KILL=N kills the process before the Nth,
 * STATE_SHIM_STOP=N stops it there (SIGSTOP), STATE_SHIM_FAIL=N lets it fail with errno STATE_SHIM_ERRNO;
 * STATE_SHIM_COUNT=FILE gets how many there were. Calls count from the one that opens STATE_SHIM_FOLDER, in the
 * first process alone: the one that waits for a confirmation lives. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls;
static int is_counting;
static pid_t first;

__attribute__((constructor)) static void begin(void)
{
	first = getpid();
}

static int number_of(const char *name)
{
	const char *text = getenv(name);
	return text != NULL ? atoi(text) : 0;
}

static void look_at(const char *path)
{
	const char *folder = getenv("STATE_SHIM_FOLDER");
	if (folder != NULL && strcmp(folder, path) == 0)
		is_counting = 1;
}

/* Whether the call is to fail. */
static int comes(void)
{
	if (!is_counting || getpid() != first)
		return 0;
	calls++;
	if (calls == number_of("STATE_SHIM_KILL"))
		kill(getpid(), SIGKILL);
	if (calls == number_of("STATE_SHIM_STOP"))
		(void)raise(SIGSTOP);
	if (calls != number_of("STATE_SHIM_FAIL"))
		return 0;
	errno = number_of("STATE_SHIM_ERRNO");
	return 1;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("STATE_SHIM_COUNT");
	FILE *file = path != NULL && is_counting && getpid() == first ? fopen(path, "w") : NULL;
	if (file == NULL)
		return;
	fprintf(file, "%d\n", calls);
	fclose(file);
}

#define REAL(result, name, ...) result (*real)(__VA_ARGS__) = dlsym(RTLD_NEXT, #name)

int mkdir(const char *path, mode_t mode)
{
	REAL(int, mkdir, const char *, mode_t);
	look_at(path);
	return comes() ? -1 : real(path, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	REAL(int, openat, int, const char *, int, ...);
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return comes() ? -1 : real(folder, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	REAL(ssize_t, write, int, const void *, size_t);
	/* half of it, then the end */
	if (is_counting && getpid() == first && calls + 1 == number_of("STATE_SHIM_KILL"))
		(void)!real(fd, bytes, length / 2);
	return comes() ? -1 : real(fd, bytes, length);
}

int fchmod(int fd, mode_t mode)
{
	REAL(int, fchmod, int, mode_t);
	return comes() ? -1 : real(fd, mode);
}

int fsync(int fd)
{
	REAL(int, fsync, int);
	return comes() ? -1 : real(fd);
}

int linkat(int old_folder, const char *old, int new_folder, const char *new, int flags)
{
	REAL(int, linkat, int, const char *, int, const char *, int);
	return comes() ? -1 : real(old_folder, old, new_folder, new, flags);
}

int renameat(int old_folder, const char *old, int new_folder, const char *new)
{
	REAL(int, renameat, int, const char *, int, const char *);
	return comes() ? -1 : real(old_folder, old, new_folder, new);
}

int unlinkat(int folder, const char *path, int flags)
{
	REAL(int, unlinkat, int, const char *, int);
	return comes() ? -1 : real(folder, path, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
	return comes() ? -1 : real(fd, message, flags);
}
