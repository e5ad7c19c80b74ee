/* Who may put a table in force, and how it is asked for: the options that `apply` and `rollback` share. */
#ifndef FWC_CMD_ENFORCE_OPTIONS_H
#define FWC_CMD_ENFORCE_OPTIONS_H

#include "cmd/session.h"
#include "operate/remote.h"

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

bool enforce_is_option(int option);
/* EXIT_DONE, or EXIT_USAGE after a message. */
int enforce_option(struct enforce_options *options, const char *command, int option, const char *argument);

/* Whether the session's ruleset may be put in force by who asks for it: who comes from outside has to
 * confirm, and must not lock himself out. false with the reason in the bag. */
bool enforce_is_safe(struct session *session, const struct enforce_options *options, const struct remote *remote);

#endif
