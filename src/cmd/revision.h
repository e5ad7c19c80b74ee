/* Policies as they stand in a revision of a git repository, includes and lists with them. */
#ifndef FWC_CMD_REVISION_H
#define FWC_CMD_REVISION_H

#include <stdbool.h>

#include "parse/parse.h"

/* "REV:path", unless a file of that name exists: the revision, and the path, which then stands in the
 * same argument. false: a plain path. */
bool revision_split(void *pool, const char *argument, const char **revision, const char **path);

/* Whether git knows the revision, seen from the working folder. */
bool revision_exists(void *pool, const char *revision);

/* A revision in which the path, from the top of the repository, is this blob: "" for the index, HEAD, else
 * the newest of all commits. NULL: none, or the number is of no blob. */
const char *revision_of_blob(void *pool, const char *path, const char *hex);

/* Reads paths relative to the working folder through `git cat-file`; links are followed within the
 * revision. Gives ENOENT, EISDIR, EFBIG as the disk would, EIO where git fails. The revision lives as
 * long as the reader. */
struct file_reader revision_reader(const char *revision);

#endif
