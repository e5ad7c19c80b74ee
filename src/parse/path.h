/* Paths of policies as text: no file system is asked. */
#ifndef FWC_PARSE_PATH_H
#define FWC_PARSE_PATH_H

/* The path of `name` as a file in the folder of `from` names it. */
const char *path_join(void *pool, const char *from, const char *name);
/* "a/./b/../c" -> "a/c"; leading ".." stay. */
const char *path_normalise(void *pool, const char *path);

#endif
