/* Options of an access list without a device: `compile` and `explain` take the same. */
#ifndef FWC_CMD_LIST_OPTIONS_H
#define FWC_CMD_LIST_OPTIONS_H

#include "cmd/session.h"

/* getopt_long values, past those that commands number themselves. */
enum { OPTION_LIST_NAME = OPTION_OWN + 64, OPTION_LIST_NUMBER, OPTION_LIST_IPV6, OPTION_LIST_REPLIES,
       OPTION_LIST_MULTI_PORT_EQ };

#define LIST_LONG_OPTIONS                                                  \
	{ "name", required_argument, NULL, OPTION_LIST_NAME },             \
	{ "number", required_argument, NULL, OPTION_LIST_NUMBER },         \
	{ "ipv6", no_argument, NULL, OPTION_LIST_IPV6 },                   \
	{ "replies", required_argument, NULL, OPTION_LIST_REPLIES },       \
	{ "multi-port-eq", no_argument, NULL, OPTION_LIST_MULTI_PORT_EQ }

bool list_option_is(int option);
/* "--name": how the user writes it. */
const char *list_option_word(int option);
/* EXIT_DONE, or EXIT_USAGE after a message. */
int list_option(struct cisco_settings *settings, const char *command, int option, const char *argument);
/* What was asked for has to fit together. The same. */
int list_options_fit(const struct cisco_settings *settings, const char *command);

#endif
