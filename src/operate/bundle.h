/* A policy with every file that it was made of, as one text: what was applied can be made again,
 * whatever became of the files.
 *
 * A file keeps its own name and bounds, for what a file says may hold for that file alone (`extend
 * tag`), and a list is no policy. The form:
 *     fwc policy 1
 *     main LENGTH                 (the name that was given to the command, in bytes)
 *     NAME
 *     file NAME-LENGTH LENGTH     (once a file, in the order of their first reading)
 *     NAME
 *     BYTES                       (and a line end)
 *     name NAME-LENGTH LENGTH     (a file's one name, where it has another)
 *     gone NAME-LENGTH ERRNO      (what could not be read)  */
#ifndef FWC_OPERATE_BUNDLE_H
#define FWC_OPERATE_BUNDLE_H

#include "base/text.h"
#include "parse/parse.h"

struct bundle;

/* Empty, to be filled by reading. */
struct bundle *bundle_new(void *pool);
/* A reader that reads by `inner`, which outlives it, and keeps what it reads. */
struct file_reader bundle_recorder(struct bundle *bundle, const struct file_reader *inner);
/* A reader that knows nothing but what was kept: other files are not there (ENOENT). */
struct file_reader bundle_reader(struct bundle *bundle);

void bundle_print(const struct bundle *bundle, const char *main_path, struct text *out);
/* Frees the files that were read to it and that the sources have forgotten: it is not printed again. */
void bundle_drop_forgotten(struct bundle *bundle, const struct sources *sources);
/* NULL where the text has another form. The bytes are not copied. */
struct bundle *bundle_parse(void *pool, const char *bytes, size_t length, const char **main_path);

#endif
