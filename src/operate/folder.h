/* The folder in which the state lives: for its owner alone, each file whole at every moment.
 *
 * A file is written beside its place without a name (O_TMPFILE), synced, named by random letters,
 * renamed over the old one, and the folder synced: a power cut or a kill at any moment leaves the old
 * file or the new one. What a killed writer left behind is taken away by folder_tidy. */
#ifndef FWC_OPERATE_FOLDER_H
#define FWC_OPERATE_FOLDER_H

#include <stdint.h>

#include "diag/diag.h"

#define FOLDER_DEFAULT "/var/lib/fwc"
/* What the name of a file that is being written begins with. */
#define FOLDER_NEW ".new-"

struct folder {
	int fd;           /* closed with the pool */
	const char *path; /* for messages */
};

/* Opens the folder; makes it (mode 0700) where it is not there and makes is true. NULL with
 * STATE_FOLDER or STATE_FAILED in the bag: it is somebody else's, others may write to it, it is no
 * folder, it cannot be made. Not there and not made: NULL without a word. */
struct folder *folder_open(void *pool, struct diags *diags, const char *path, bool makes);

/* 0 or an errno. After an error the old file, if there was one, is as it was. */
int folder_write(const struct folder *folder, const char *name, const char *bytes, size_t length);
/* 0 or an errno; EPERM: a file of somebody else, or one that others may write to. */
int folder_read(const struct folder *folder, void *pool, const char *name, char **bytes, size_t *length);
/* Gives a file another name, over what has it; synced. 0 or an errno. */
int folder_rename(const struct folder *folder, const char *from, const char *to);
bool folder_has(const struct folder *folder, const char *name);

/* Takes away what keeps() does not know, as far as it can be. */
typedef bool (*folder_keeper)(const char *name, const void *data);
void folder_tidy(const struct folder *folder, folder_keeper keeps, const void *data);

/* A lock that goes with its process, too. -1 with an errno: EWOULDBLOCK after wait_ms. */
int folder_lock(const struct folder *folder, const char *name, unsigned wait_ms);
void folder_unlock(int lock);

#endif
