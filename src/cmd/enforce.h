/* Putting a session's table in force: what `apply` and `rollback` share. */
#ifndef FWC_CMD_ENFORCE_H
#define FWC_CMD_ENFORCE_H

#include "cmd/session.h"
#include "operate/bundle.h"

/* What the name of the chain begins with that says what was applied; the entry's number follows. */
#define ENFORCE_MARK "applied_"

struct enforce_options {
	const char *state;     /* the folder */
	bool has_confirm;      /* --confirm was given */
	unsigned confirm_s;    /* 0: in force at once */
};

enum { OPTION_CONFIRM = 512, OPTION_FORCE };

#define ENFORCE_LONG_OPTIONS                                                                      \
	{ "state", required_argument, NULL, OPTION_STATE },                                       \
	{ "confirm", required_argument, NULL, OPTION_CONFIRM }

bool enforce_is_option(int option);
/* EXIT_DONE, or EXIT_USAGE after a message. */
int enforce_option(struct enforce_options *options, const char *command, int option, const char *argument);

/* Loads the session's table, and writes it into the state before and after. bundle: what the session
 * was read from. false with the reason in the session's bag; then nothing has changed in the kernel. */
bool enforce(struct session *session, const struct bundle *bundle, const struct enforce_options *options);

size_t rules_total(const struct ruleset *ruleset);

#endif
