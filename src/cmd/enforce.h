/* Putting a session's table in force: what `apply` and `rollback` share. */
#ifndef FWC_CMD_ENFORCE_H
#define FWC_CMD_ENFORCE_H

#include "cmd/enforce_options.h"
#include "cmd/guard.h"
#include "cmd/proof.h"
#include "operate/bundle.h"

/* What the name of the chain begins with that says what was applied; the entry's number follows. */
#define ENFORCE_MARK "applied_"

struct enforce_proof {
	struct proof proof;
	char sha256[REREAD_HASH_LENGTH + 1];
	bool is_proved; /* compared with the policy, and equal */
};

/* Makes the session's table and proves it. false with the reason in the bag. */
bool enforce_prepare(struct session *session, struct enforce_proof *proof);
/* Loads the session's table, and writes it into the state before and after. bundle: what the session
 * was read from, which is used up. false with the reason in the session's bag; then nothing has changed in the
 * kernel. */
bool enforce(struct session *session, struct bundle *bundle, const struct enforce_options *options,
	     struct guard *guard);
/* After enforce and session_finish: says what is in force, and waits for its confirmation, if it needs one. Gives
 * the exit status. */
int enforce_finish(const struct session *session, const struct enforce_options *options,
		   const struct guard *guard, const struct enforce_proof *proof);

size_t rules_total(const struct ruleset *ruleset);

#endif
