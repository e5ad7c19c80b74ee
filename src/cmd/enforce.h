/* Putting a session's table in force: what `apply` and `rollback` share. */
#ifndef FWC_CMD_ENFORCE_H
#define FWC_CMD_ENFORCE_H

#include "cmd/guard.h"
#include "cmd/proof.h"
#include "cmd/session.h"
#include "operate/bundle.h"
#include "operate/remote.h"

/* What the name of the chain begins with that says what was applied; the entry's number follows. */
#define ENFORCE_MARK "applied_"

struct enforce_options {
	struct pool_trap *root; /* the session's */
	const char *state;     /* the folder */
	bool has_confirm;      /* --confirm was given */
	unsigned confirm_s;    /* 0: in force at once */
	bool is_forced;        /* --force: even if it locks out */
	bool drops_denied;     /* --drop-denied: whoever confirms it ends what it denies (dropping.h) */
};

enum { OPTION_CONFIRM = OPTION_OWN + 100, OPTION_FORCE };

#define ENFORCE_LONG_OPTIONS                                                                      \
	{ "state", required_argument, NULL, OPTION_STATE },                                       \
	{ "confirm", required_argument, NULL, OPTION_CONFIRM },                                   \
	{ "force", no_argument, NULL, OPTION_FORCE }

struct enforce_proof {
	struct proof proof;
	char sha256[REREAD_HASH_LENGTH + 1];
	bool is_proved; /* compared with the policy, and equal */
};

bool enforce_is_option(int option);
/* EXIT_DONE, or EXIT_USAGE after a message. */
int enforce_option(struct enforce_options *options, const char *command, int option, const char *argument);

/* Makes the session's table and proves it. false with the reason in the bag. */
bool enforce_prepare(struct session *session, struct enforce_proof *proof);
/* Whether the session's ruleset may be put in force by who asks for it: who comes from outside has to
 * confirm, and must not lock himself out. false with the reason in the bag. */
bool enforce_is_safe(struct session *session, const struct enforce_options *options, const struct remote *remote);

/* Loads the session's table, and writes it into the state before and after. bundle: what the session
 * was read from. false with the reason in the session's bag; then nothing has changed in the kernel. */
bool enforce(struct session *session, const struct bundle *bundle, const struct enforce_options *options,
	     struct guard *guard);
/* After enforce and session_finish: says what is in force, and waits for its confirmation, if it needs one. Gives
 * the exit status. */
int enforce_finish(const struct session *session, const struct enforce_options *options,
		   const struct guard *guard, const struct enforce_proof *proof);

size_t rules_total(const struct ruleset *ruleset);

#endif
