/* What the commands that speak of the state share: their options, and how an entry is told. */
#ifndef FWC_CMD_OPERATION_H
#define FWC_CMD_OPERATION_H

#include <jansson.h>

#include "cmd/session.h"
#include "operate/state.h"

struct operation {
	struct session *session;
	const char *state; /* the folder */
};

#define OPERATION_LONG_OPTIONS                                                                    \
	{ "state", required_argument, NULL, OPTION_STATE },                                       \
	{ "json", no_argument, NULL, OPTION_JSON }

/* Reads the options of a command that takes nothing else; EXIT_DONE or EXIT_USAGE. */
int operation_begin(struct operation *operation, struct pool_trap *root, int argc, char **argv);

/* "2026-11-21 11:20:03Z" */
void operation_time(struct text *out, time_t when);
/* What a policy calls itself, else its file, and its version. */
void operation_policy(struct text *out, const struct state_entry *entry);
/* A new object. */
json_t *operation_json(void *pool, const struct state_entry *entry);
/* To stdout; the root goes. false after a message on stderr. */
bool operation_print_json(struct text *out, json_t *root);

#endif
