/* Ending the connections that a policy denies (--drop-denied), once it is sure that it stays.
 *
 * That it is to be done stands in the state, with the entry, until it is done: whoever confirms does it, and
 * where he is killed, or fails, `fwc status` says so and `fwc confirm` does it again. */
#ifndef FWC_CMD_DROPPING_H
#define FWC_CMD_DROPPING_H

#include "cmd/session.h"
#include "operate/state.h"

/* For an entry that is confirmed, under the state's lock; ruleset: what it was made of. Says what was done on
 * stderr. false with the reason in the session's bag. */
bool drop_denied(struct session *session, struct state *state, uint64_t number, const struct ruleset *ruleset);

#endif
