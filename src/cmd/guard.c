/* The process of the way back. */
#include "cmd/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/translated.h"
#include "target/nft/load/kernel.h"

#define GUARD_LOCK "guard"
#define STATE_WAIT_MS 2000 /* for whoever holds the state: longer than a confirmation takes */
#define GONE_WAIT_MS 8000  /* longer than it waits for the state twice, and loads */
#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 1000
#define LOOK_MS 500 /* at the state, where the system does not tell of changes */
#define LOOK_LOADED_MS 250 /* at the kernel's generation, until the caller says what it has done */
#define PRIORITY (-10)

/* What goes over the channel, a byte each. TELL_ARM is answered by itself, or by TELL_REVERTED. */
enum { TELL_ARM = 'a', TELL_CANCEL = 'c', TELL_CONFIRMED = 'C', TELL_REVERTED = 'R' };

/* --- the process: leaving the caller ------------------------------------------------------------------ */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* Each is a help, none a need: where it is not allowed, the process does without. */
static void outlive(void)
{
	char pid[16];

	(void)snprintf(pid, sizeof pid, "%d", (int)getpid());
	write_file("/proc/self/oom_score_adj", "-1000");
	/* the end of a login session empties its group: systemd's KillUserProcesses, a service's KillMode */
	if (access("/run/systemd/system", F_OK) == 0) {
		write_file("/sys/fs/cgroup/cgroup.procs", pid);
		write_file("/sys/fs/cgroup/systemd/cgroup.procs", pid);
	}
	(void)setpriority(PRIO_PROCESS, 0, PRIORITY);
	(void)prctl(PR_SET_NAME, "fwc-guard");
}

/* Everything but these goes: a pipe of the caller's would never end. */
static void close_others(const int *kept, size_t count)
{
	unsigned next = STDERR_FILENO + 1;

	for (;;) {
		unsigned nearest = ~0u;

		for (size_t index = 0; index < count; index++)
			if (kept[index] >= 0 && (unsigned)kept[index] >= next && (unsigned)kept[index] < nearest)
				nearest = (unsigned)kept[index];
		if (nearest == ~0u)
			break;
		if (nearest > next)
			(void)close_range(next, nearest - 1, 0);
		next = nearest + 1;
	}
	(void)close_range(next, ~0u, 0);
}

static void leave_terminal(void)
{
	int nothing = open("/dev/null", O_RDWR);

	for (int fd = STDIN_FILENO; nothing >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(nothing, fd);
	if (nothing > STDERR_FILENO)
		close(nothing);
	(void)!chdir("/");
}

/* --- the process: waiting ----------------------------------------------------------------------------- */

struct watch {
	const struct guard_task *task;
	int channel, timer, changes, lock;
	struct nft_socket *socket; /* the caller's are not used here; NULL: it cannot look */
	uint32_t generation;       /* in which it has looked last */
	bool is_armed;             /* by the caller, which then has let the state go */
	bool is_seen;              /* in the kernel: the time runs */
};

/* What the state says of the entry; the state may be unreadable, or gone. */
static enum state_mark mark_now(struct watch *watch)
{
	struct state *state = watch->task->state;
	struct diags *diags = diags_new(state->pool, sources_new(state->pool));
	struct state_entry *entry = state_refresh(state, diags) ? state_find(state, watch->task->number) : NULL;

	return entry == NULL ? STATE_WAITING : entry->mark;
}

static bool is_decided(struct watch *watch)
{
	enum state_mark mark = mark_now(watch);

	return mark == STATE_CONFIRMED || mark == STATE_REVERTED;
}

static void tell(const struct watch *watch, char what)
{
	if (watch->channel >= 0)
		(void)send(watch->channel, &what, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void start_timer(const struct watch *watch)
{
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)watch->task->seconds } };

	(void)timerfd_settime(watch->timer, 0, &when, NULL);
}

/* Has the table changed since it was read? In doubt, yes: then what comes back is what is there. */
static bool is_touched(const struct watch *watch)
{
	const struct nft_kept *before = watch->task->restore->kept;
	char old[REREAD_HASH_LENGTH + 1], new[REREAD_HASH_LENGTH + 1];
	struct nft_kept *now;
	uint32_t generation;

	if (watch->socket == NULL || nft_generation(watch->socket, &generation) != 0)
		return true;
	if (generation == before->generation)
		return false;
	if (nft_kept_glance(watch->task->state->pool, watch->socket, before->table, NFT_KEPT_GLANCED, &now) != 0 ||
	    now->has_table != before->has_table || !nft_kept_is_whole(now))
		return true;
	nft_kept_hash(before, old);
	nft_kept_hash(now, new);
	return strcmp(old, new) != 0;
}

bool guard_has_mark(const struct nft_kernel *kernel, const char *mark)
{
	size_t length = strlen(mark);

	for (size_t index = 0; index < kernel->chains_count; index++)
		if (strncmp(kernel->chains[index].name, mark, length) == 0 &&
		    (kernel->chains[index].name[length] == '\0' || kernel->chains[index].name[length] == '.'))
			return true;
	return false;
}

/* Whether a caller that says nothing has loaded it. */
static void look_at_kernel(struct watch *watch)
{
	void *pool = pool_child(watch->task->state->pool, "look");
	struct nft_kernel *kernel;
	uint32_t generation;

	if (watch->socket != NULL && nft_generation(watch->socket, &generation) == 0 &&
	    generation != watch->generation &&
	    nft_kernel_read(pool, watch->socket, watch->task->restore->kept->table, &kernel) == 0) {
		watch->generation = generation;
		watch->is_seen = guard_has_mark(kernel, watch->task->mark);
		if (watch->is_seen)
			start_timer(watch);
	}
	talloc_free(pool);
}

enum heard { HEARD_NOTHING, HEARD_ARM, HEARD_END, HEARD_CANCEL };

/* The caller's word. HEARD_END: there will be none any more. */
static enum heard hear(struct watch *watch)
{
	char what = 0;
	ssize_t length = watch->channel < 0 ? -1 : recv(watch->channel, &what, 1, MSG_DONTWAIT);

	if (watch->channel < 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)))
		return HEARD_NOTHING;
	if (length == 1 && what == TELL_ARM) {
		watch->is_armed = true;
		start_timer(watch);
		tell(watch, TELL_ARM);
		return HEARD_ARM;
	}
	close(watch->channel);
	watch->channel = -1;
	return length == 1 && what == TELL_CANCEL ? HEARD_CANCEL : HEARD_END;
}

static void forget_changes(int changes)
{
	char bytes[4096];

	while (changes >= 0 && read(changes, bytes, sizeof bytes) > 0)
		continue;
}

static int patience_ms(const struct watch *watch)
{
	if (!watch->is_armed && !watch->is_seen)
		return LOOK_LOADED_MS;
	return watch->changes < 0 ? LOOK_MS : -1;
}

enum ending { ENDING_TIME, ENDING_DECIDED, ENDING_CANCELLED, ENDING_NOTHING_LOADED };

/* Killed before it said what it has done. */
static enum ending end_without_caller(const struct watch *watch)
{
	return is_touched(watch) ? ENDING_TIME : ENDING_NOTHING_LOADED;
}

static enum ending wait_for_end(struct watch *watch)
{
	for (;;) {
		struct pollfd polled[] = {
			{ .fd = watch->timer, .events = POLLIN },
			{ .fd = watch->channel, .events = POLLIN },
			{ .fd = watch->changes, .events = POLLIN },
		};
		enum heard heard;

		(void)poll(polled, 3, patience_ms(watch));
		heard = hear(watch);
		if (heard == HEARD_CANCEL)
			return ENDING_CANCELLED;
		if (heard == HEARD_END && !watch->is_armed)
			return end_without_caller(watch);
		forget_changes(watch->changes);
		if (watch->is_armed && is_decided(watch))
			return ENDING_DECIDED;
		if (polled[0].revents != 0 && heard != HEARD_ARM)
			return ENDING_TIME;
		if (!watch->is_armed && !watch->is_seen)
			look_at_kernel(watch);
	}
}

/* --- the process: the way back ------------------------------------------------------------------------ */

static void pause_ms(unsigned ms)
{
	const struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&time, NULL);
}

/* Never gives up: whoever else changes the rules, and whatever is short. */
static void bring_back(struct nft_restore *restore)
{
	unsigned wait_ms = RETRY_FIRST_MS;

	for (;;) {
		void *pool = pool_child(restore, "bring back");
		struct diags *diags = diags_new(pool, sources_new(pool));
		bool is_back = translated_restore(restore, pool, diags);

		talloc_free(pool);
		if (is_back)
			return;
		pause_ms(wait_ms);
		wait_ms = wait_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : wait_ms * 2;
	}
}

static void write_mark(struct watch *watch)
{
	struct state *state = watch->task->state;
	struct diags *diags = diags_new(state->pool, sources_new(state->pool));
	struct state_entry *entry;

	if (!state_refresh(state, diags) || (entry = state_find(state, watch->task->number)) == NULL)
		return;
	entry->mark = STATE_REVERTED;
	entry->before = NULL;
	(void)state_write(state, diags);
}

static bool is_last(const struct state *state, const struct state_entry *entry)
{
	return entry != NULL && entry == &state->entries[state->entries_count - 1];
}

/* What never was in the kernel goes out of the state, with its files. */
static void forget_entry(const struct watch *watch)
{
	struct state *state = watch->task->state;
	struct diags *diags = diags_new(state->pool, sources_new(state->pool));
	const struct state_entry *entry;

	if (state_lock(state, STATE_WAIT_MS) != 0)
		return;
	if (state_refresh(state, diags)) {
		entry = state_find(state, watch->task->number);
		if (is_last(state, entry) && entry->mark == STATE_LOADING) {
			state->entries_count--;
			(void)state_write(state, diags);
		}
		state_tidy(state);
	}
	state_unlock(state);
}

/* Who confirms holds the state's lock while he writes; if it is never let go, the way back counts more. A caller
 * that stands still keeps it: there is nobody to wait for. */
static bool end(struct watch *watch)
{
	bool has_lock = state_lock(watch->task->state, watch->is_armed ? STATE_WAIT_MS : 0) == 0;
	bool is_reverted = !is_decided(watch);

	if (is_reverted) {
		bring_back(watch->task->restore);
		if (!has_lock)
			has_lock = state_lock(watch->task->state, watch->is_armed ? STATE_WAIT_MS : 0) == 0;
		write_mark(watch);
	}
	if (has_lock)
		state_unlock(watch->task->state);
	return is_reverted;
}

static void run(struct watch *watch)
{
	struct pool_trap *root = watch->task->root;
	enum ending ending;

	/* out of memory: what was built before is still there, and it begins anew */
	if (setjmp(root->jump) != 0) {
		pause_ms(RETRY_MOST_MS);
		ending = ENDING_TIME;
	} else {
		ending = wait_for_end(watch);
	}
	switch (ending) {
	case ENDING_TIME:
		tell(watch, end(watch) ? TELL_REVERTED : TELL_CONFIRMED);
		break;
	case ENDING_DECIDED:
		tell(watch, mark_now(watch) == STATE_REVERTED ? TELL_REVERTED : TELL_CONFIRMED);
		break;
	case ENDING_NOTHING_LOADED:
		forget_entry(watch);
		break;
	case ENDING_CANCELLED:
		break;
	}
}

static _Noreturn void live(const struct guard_task *task, int channel)
{
	struct state *state = task->state;
	struct watch watch = { .task = task, .channel = channel };
	int kept[] = { channel, task->restore->socket->fd, state->folder->fd };
	char path[64];

	close_others(kept, sizeof kept / sizeof kept[0]);
	state_leave(state);
	leave_terminal();
	outlive();
	watch.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	watch.changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", state->folder->fd);
	if (watch.changes >= 0 && inotify_add_watch(watch.changes, path, IN_MOVED_TO) < 0) {
		close(watch.changes);
		watch.changes = -1;
	}
	watch.lock = folder_lock(state->folder, GUARD_LOCK, STATE_WAIT_MS);
	watch.socket = nft_socket_new(state->pool);
	watch.generation = task->restore->kept->generation;
	tell(&watch, watch.timer < 0 ? 'x' : TELL_ARM);
	if (watch.timer < 0)
		_exit(1);
	run(&watch);
	_exit(0);
}

/* --- the caller --------------------------------------------------------------------------------------- */

/* In the first child: the second is nobody's. */
static _Noreturn void detach(const struct guard_task *task, int channel)
{
	sigset_t all;
	pid_t second;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	second = fork();
	if (second == 0)
		live(task, channel);
	_exit(second < 0 ? 1 : 0);
}

int guard_start(struct guard *guard, const struct guard_task *task)
{
	int channels[2], status = 0;
	char ready = 0;
	pid_t first;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) != 0)
		return errno;
	first = fork();
	if (first == 0)
		detach(task, channels[1]);
	close(channels[1]);
	*guard = (struct guard){ .channel = channels[0] };
	if (first < 0 || (waitpid(first, &status, 0) == first && status != 0) ||
	    recv(guard->channel, &ready, 1, 0) != 1 || ready != TELL_ARM) {
		close(guard->channel);
		return first < 0 ? errno : EAGAIN;
	}
	return 0;
}

static void say(const struct guard *guard, char what)
{
	(void)send(guard->channel, &what, 1, MSG_NOSIGNAL);
}

/* 0: there will be none any more. Where the process went without hearing the last word of this one, that error
 * comes before what it has said itself (ECONNRESET, once). */
static char wait_for_word(const struct guard *guard)
{
	char what = 0;
	ssize_t length;

	do
		length = recv(guard->channel, &what, 1, 0);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	return length == 1 ? what : '\0';
}

enum guard_arming guard_arm(struct guard *guard)
{
	char what;

	say(guard, TELL_ARM);
	what = wait_for_word(guard);
	guard->is_reverted = what == TELL_REVERTED;
	if (what == TELL_ARM)
		return GUARD_ARMED;
	return what == TELL_REVERTED ? GUARD_TOO_LATE : GUARD_DEAD;
}

void guard_cancel(const struct guard *guard)
{
	say(guard, TELL_CANCEL);
	close(guard->channel);
}

bool guard_has_reverted(const struct guard *guard)
{
	char what;

	return recv(guard->channel, &what, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && what == TELL_REVERTED;
}

enum guard_end guard_wait(const struct guard *guard)
{
	char what = guard->is_reverted ? TELL_REVERTED : wait_for_word(guard);

	if (what == '\0')
		return GUARD_GONE;
	return what == TELL_CONFIRMED ? GUARD_CONFIRMED : GUARD_REVERTED;
}

bool guard_is_there(const struct folder *folder)
{
	int lock;

	if (!folder_has(folder, GUARD_LOCK))
		return false;
	lock = folder_lock(folder, GUARD_LOCK, 0);
	if (lock >= 0)
		folder_unlock(lock);
	return lock < 0;
}

void guard_wait_gone(const struct folder *folder)
{
	int lock = folder_has(folder, GUARD_LOCK) ? folder_lock(folder, GUARD_LOCK, GONE_WAIT_MS) : -1;

	if (lock >= 0)
		folder_unlock(lock);
}
