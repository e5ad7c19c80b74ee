/* What was applied here, of a policy that is looked at again. */
#ifndef FWC_CMD_APPLIED_H
#define FWC_CMD_APPLIED_H

#include "cmd/session.h"
#include "operate/bundle.h"

/* Where the state's current entry was made of this same text and table, and nobody asked for another: its
 * level, profile and counters become the session's, so that what is said of the table is true of the running one.
 * To be called after session_expand; bundle: what that has read. A state that cannot be read says nothing. */
void applied_take(struct session *session, const struct bundle *bundle, const char *state);

/* A note in the bag where the table's current entry was applied with options that shape its rules and that are not
 * given now: its counters would go, or its logs go elsewhere, and nobody has asked for that. */
void applied_note_omitted(struct session *session, const char *state);

#endif
