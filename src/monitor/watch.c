/* Signals as something to wait for: see watch.h. */
#include "monitor/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/pool.h"

struct watch {
	int fd;
	sigset_t before;
};

static int watch_close(struct watch *watch)
{
	close(watch->fd);
	(void)sigprocmask(SIG_SETMASK, &watch->before, NULL);
	return 0;
}

struct watch *watch_new(void *pool)
{
	struct watch *watch = pool_new(pool, struct watch);
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, &watch->before) != 0)
		return NULL;
	watch->fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->fd < 0) {
		(void)sigprocmask(SIG_SETMASK, &watch->before, NULL);
		return NULL;
	}
	talloc_set_destructor(watch, watch_close);
	return watch;
}

enum watch_event watch_wait(struct watch *watch, int fd, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = watch->fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	int ready = poll(fds, sizeof fds / sizeof fds[0], timeout_ms);

	if (ready < 0)
		return errno == EINTR ? WATCH_TIMEOUT : WATCH_STOP;
	if ((fds[0].revents & POLLIN) != 0) {
		struct signalfd_siginfo taken; /* or it would come back when signals are let in again */

		while (read(watch->fd, &taken, sizeof taken) == (ssize_t)sizeof taken)
			;
		return WATCH_STOP;
	}
	return ready > 0 ? WATCH_READY : WATCH_TIMEOUT;
}
