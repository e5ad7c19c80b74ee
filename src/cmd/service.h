/* What the verbs of `fwc service` are asked, and the one that has a file of its own. */
#ifndef FWC_CMD_SERVICE_H
#define FWC_CMD_SERVICE_H

#include <stdbool.h>

struct session;

struct service_query {
	const char *argument;
	const char *tag, *status; /* list: or NULL */
	const char *policy;       /* a policy whose definitions count too, or NULL */
	bool has_json;
	bool overrides;           /* import: redefine what differs */
};

/* import FILE: the lines of services(5) as definitions of the language. */
int service_import(struct session *session, const struct service_query *query);

#endif
