/* Where `fwc compile` puts what it made: never over what it was made from. */
#ifndef FWC_CMD_WRITE_H
#define FWC_CMD_WRITE_H

#include "cmd/output.h"
#include "cmd/session.h"

/* A folder that exists, or a name that ends with a slash. */
bool write_is_folder(const char *path);
/* One file, secret if what it is made of is. On failure OUTPUT_FAILED is in the bag. */
void write_file(struct session *session, struct output_item item);
/* A batch and the rescue batch that a boot falls back to, PATH.rescue: both or none. */
void write_batches(struct session *session, const struct text *batch, const struct text *rescue,
		   const char *path);
/* A file NAME.ios for each device that was lowered; all of them or none. */
void write_folder(struct session *session, const char *folder);

#endif
