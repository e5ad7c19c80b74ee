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

/* Whether a revision that exists has no file of that path, which is one from the working folder. */
bool revision_lacks(void *pool, const char *revision, const char *path);

/* One of two versions of a file that are compared. */
struct revision_side {
	const char *path;     /* from the top of the repository */
	const char *hex;      /* of the blob; zeros: of none */
	const char *revision; /* "" for the index; NULL: none has it, or it is of no blob */
};

/* Where both versions stand, so that what they include is read from there. git does not say which revisions it
 * compares: they are taken to be HEAD and the index, if those have the two blobs; else a commit that changed the
 * one into the other and its parent; else, each by itself, the index, HEAD, or the newest commit that has it. */
void revisions_find(void *pool, struct revision_side *old, struct revision_side *new);

/* Reads paths relative to the working folder through `git cat-file`; links are followed within the
 * revision. Gives ENOENT, EISDIR, EFBIG as the disk would, EIO where git fails. The revision lives as
 * long as the reader. */
struct file_reader revision_reader(const char *revision);

#endif
