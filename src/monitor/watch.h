/* Waiting until there is something to read or somebody wants an end. */
#ifndef FWC_MONITOR_WATCH_H
#define FWC_MONITOR_WATCH_H

/* SIGINT, SIGTERM and SIGHUP are held back and seen by watch_wait from here on, until the pool goes; so a
 * command that watches ends where it chooses. */
struct watch;

/* NULL: errno says why. */
struct watch *watch_new(void *pool);

enum watch_event {
	WATCH_READY,   /* fd can be read, or has ended */
	WATCH_STOP,    /* a signal asks for the end */
	WATCH_TIMEOUT,
};

/* fd -1: for time and signals alone. timeout_ms -1: for ever. */
enum watch_event watch_wait(struct watch *watch, int fd, int timeout_ms);

#endif
