/* What changed in meaning between two policies, as text and as JSON: for `diff` and `plan`. */
#ifndef FWC_CMD_DIFF_H
#define FWC_CMD_DIFF_H

#include "cmd/diff_json.h"
#include "cmd/session.h"

/* Both sessions stand over the same sources and have been expanded. Appends what changed; gives how many
 * changes there are. A mistake is in the new one's bag. */
size_t diff_tell(struct session *old, struct session *new, struct text *out, struct diff_json *json);

#endif
