/* Would a ruleset let this session's client in again, as a new connection? */
#ifndef FWC_OPERATE_LOCKOUT_H
#define FWC_OPERATE_LOCKOUT_H

#include "operate/remote.h"
#include "rules/evaluate.h"

struct lockout {
	bool is_out;
	const char *interface;               /* by which the client was taken to come; NULL: from this machine */
	const struct rule_translation *translation; /* a `forward` that sends it elsewhere, or NULL */
	struct decision decision;            /* else; rule NULL: the default */
	bool is_answer;                      /* it is let in without tracking: this is about its answers */
	struct packet packet;
};

/* now: of rules with hours and dates. The client comes by the interface that the routes to it name; where
 * none is known, it has to be let in by each of the machine's. */
struct lockout lockout_find(void *pool, const struct ruleset *ruleset, const struct remote *remote, time_t now);

#endif
