/* The process that brings the earlier ruleset back unless the new one is confirmed.
 *
 * It is nobody's child, has a session and no terminal of its own, blocks every signal that can be
 * blocked, holds what it needs in memory (the table in the kernel's own messages, ready to be sent, an
 * open socket, the open folder of the state), and leaves a login session's control group, which a
 * service manager empties at the end of the session. Nothing but SIGKILL or the end of the machine ends
 * it before its time; for that the table stands in the state, too (`fwc rollback`).
 *
 * It learns of a confirmation from the state alone: whoever holds the state's lock and changes the
 * entry's mark decides. */
#ifndef FWC_CMD_GUARD_H
#define FWC_CMD_GUARD_H

#include "base/pool.h"
#include "operate/state.h"
#include "target/nft/restore.h"

struct guard {
	int channel; /* to the process */
};

struct guard_task {
	struct pool_trap *root;      /* the session's */
	struct state *state;         /* with its lock, which the process lets go */
	uint64_t number;             /* of the entry that waits */
	unsigned seconds;            /* from guard_arm */
	struct nft_restore *restore;
};

/* Starts the process, before anything is loaded. 0 or an errno. From here on the end of the calling process
 * brings the earlier ruleset back at once, until guard_arm or guard_cancel. */
int guard_start(struct guard *guard, const struct guard_task *task);
/* It is loaded: the time runs. */
void guard_arm(const struct guard *guard);
/* Nothing was loaded: the process goes. */
void guard_cancel(const struct guard *guard);

enum guard_end { GUARD_CONFIRMED, GUARD_REVERTED, GUARD_GONE /* it was killed */ };
/* Waits for the end. */
enum guard_end guard_wait(const struct guard *guard);

/* Is there such a process for this folder? */
bool guard_is_there(const struct folder *folder);

#endif
