/* The process that brings the earlier ruleset back unless the new one is confirmed.
 *
 * It is nobody's child, has a session and no terminal of its own, blocks every signal that can be
 * blocked, holds what it needs in memory (the table in the kernel's own messages, ready to be sent, an
 * open socket, the open folder of the state), and leaves a login session's control group, which a
 * service manager empties at the end of the session. Nothing but SIGKILL or the end of the machine ends
 * it before its time; for that the table stands in the state, too (`fwc rollback`).
 *
 * It learns of a confirmation from the state alone: whoever holds the state's lock and changes the
 * entry's mark decides. The load is the caller's word, or what the kernel says: a caller that was stopped, or
 * killed, says nothing. */
#ifndef FWC_CMD_GUARD_H
#define FWC_CMD_GUARD_H

#include "base/pool.h"
#include "operate/state.h"
#include "target/nft/load/restore.h"

struct guard {
	int channel;      /* to the process */
	bool is_reverted; /* it has said so */
};

struct guard_task {
	struct pool_trap *root;      /* the session's */
	struct state *state;         /* with its lock, which the process lets go */
	uint64_t number;             /* of the entry that waits */
	const char *mark;            /* the chain that is in the kernel once it is loaded; ".sN" may follow */
	unsigned seconds;            /* from guard_arm */
	struct nft_restore *restore;
};

/* Starts the process, before anything is loaded. 0 or an errno. From here on the end of the calling process
 * brings the earlier ruleset back at once, if it has changed anything; else the process forgets the entry and
 * goes. Where the calling process stands still (it was stopped), the process looks itself whether the kernel
 * holds the entry, and then the time runs from there. All that, until guard_arm or guard_cancel. */
int guard_start(struct guard *guard, const struct guard_task *task);
/* It is loaded: the time runs from now. */
enum guard_arming {
	GUARD_ARMED,
	GUARD_TOO_LATE, /* the earlier ruleset is back, and guard_wait says so */
	GUARD_DEAD,     /* it was killed: nothing would bring the earlier ruleset back */
};
enum guard_arming guard_arm(struct guard *guard);
/* Nothing was loaded: the process goes. */
void guard_cancel(const struct guard *guard);
/* Before guard_arm: has it brought the earlier ruleset back, because that came too late? */
bool guard_has_reverted(const struct guard *guard);

enum guard_end { GUARD_CONFIRMED, GUARD_REVERTED, GUARD_GONE /* it was killed */ };
/* Waits for the end. */
enum guard_end guard_wait(const struct guard *guard);

/* Is there such a process for this folder? */
bool guard_is_there(const struct folder *folder);
/* Waits until there is none any more, some seconds at most: what it does when it finds its trial decided, or its
 * time over, it has done then. */
void guard_wait_gone(const struct folder *folder);
/* Does the kernel say that it holds this one? mark: the name of the chain that says so, which may have a suffix. */
bool guard_has_mark(const struct nft_kernel *kernel, const char *mark);

#endif
