/* What the commands that speak of the state share: their options, and how an entry is told. */
#ifndef FWC_CMD_OPERATION_H
#define FWC_CMD_OPERATION_H

#include <jansson.h>

#include "cmd/enforce.h"
#include "operate/state.h"

/* What a command takes besides --state and --json. */
enum { OPERATION_CONFIRM = 1, OPERATION_FORCES = 2, OPERATION_TABLE = 4, OPERATION_NUMBER = 8,
       OPERATION_ELEMENTS = 16 };

struct operation {
	struct session *session;
	struct enforce_options enforced;
	uint64_t number; /* 0: not given */
	bool looks_at_elements;
};

/* Reads the command line; EXIT_DONE or EXIT_USAGE. */
int operation_begin(struct operation *operation, struct pool_trap *root, int argc, char **argv, unsigned takes);

/* A session that reads what was kept of an entry, under the options of that time. NULL after an error in the
 * operation's bag. */
struct session *operation_session(struct operation *operation, struct state *state, const struct state_entry *entry,
				  struct bundle **bundle);

/* "2026-11-21 11:20:03Z" */
void operation_time(struct text *out, time_t when);
/* What a policy calls itself, else its file, and its version. */
void operation_policy(struct text *out, const struct state_entry *entry);
/* A new object. */
json_t *operation_json(void *pool, const struct state_entry *entry);
/* To stdout; the root goes. false after a message on stderr. */
bool operation_print_json(struct text *out, json_t *root);

#endif
