/* What a boot falls back to. */
#ifndef FWC_CMD_RESCUE_H
#define FWC_CMD_RESCUE_H

#include "cmd/session.h"

/* The rescue batch of the session's ruleset as a file's text, compared with its rules as the table itself
 * is (unless the proof is skipped). NULL with the reason in the bag. */
const struct text *rescue_make(struct session *session);

#endif
