/* The folder in which the state lives: for its owner alone, each file whole at every moment.
 *
 * A file is written beside its place without a name (O_TMPFILE), synced, named by random letters,
 * renamed over the old one, and the folder synced: a power cut or a kill at any moment leaves the old
 * file or the new one. What a killed writer left behind is taken away by folder_tidy.
 *
 * Each sync waits for a commit of the file system's log, some milliseconds on a disk. So files that belong
 * together are prepared first, synced together, and get their places in the order in which they were
 * prepared; a log keeps that order (ext4, xfs, btrfs, f2fs), and the folder is synced once. */
#ifndef FWC_OPERATE_FOLDER_H
#define FWC_OPERATE_FOLDER_H

#include <stdint.h>

#include "diag/diag.h"

#define FOLDER_DEFAULT "/var/lib/fwc"
/* What the name of a file that is being written begins with. */
#define FOLDER_NEW ".new-"

/* A file that has its bytes and not yet its place. */
struct folder_file {
	int fd;
	const char *name;
	char new_name[sizeof FOLDER_NEW + 16]; /* with 16 hexadecimal digits; "": it has none yet */
};

struct folder {
	int fd;           /* closed with the pool */
	const char *path; /* for messages */
	struct folder_file *files; /* prepared */
	size_t files_count, files_capacity;
};

/* Opens the folder; makes it (mode 0700) where it is not there and makes is true. NULL with
 * STATE_FOLDER or STATE_FAILED in the bag: it is somebody else's, others may write to it, it is no
 * folder, it cannot be made. Not there and not made: NULL without a word. */
struct folder *folder_open(void *pool, struct diags *diags, const char *path, bool makes);

/* Writes a file that folder_put will put in its place. 0 or an errno. */
int folder_prepare(struct folder *folder, const char *name, const char *bytes, size_t length);
/* The same piece by piece, for what need not stand in memory as a whole: what fails is said at the end. */
struct folder_writer;
struct folder_writer *folder_writer_new(struct folder *folder);
void folder_writer_add(struct folder_writer *writer, const char *bytes, size_t length);
/* head: what the file begins with in place of as many bytes that were added. 0 or an errno; the writer is gone. */
int folder_writer_end(struct folder_writer *writer, const char *name, const char *head, size_t head_length);
/* Syncs all that were prepared, then puts them in their places, in their order. 0 or an errno: then the file
 * that is refused and those behind it are forgotten. Lasts once the folder is synced. */
int folder_put(struct folder *folder);
/* Without what was prepared. */
void folder_forget(struct folder *folder);
/* The same in a child that has closed it: it stays its parent's. */
void folder_leave(struct folder *folder);
/* What was put and renamed lasts. 0 or an errno. */
int folder_sync(const struct folder *folder);
/* All three for one file (and what was prepared before it). 0 or an errno. After an error the old file, if
 * there was one, is as it was. */
int folder_write(struct folder *folder, const char *name, const char *bytes, size_t length);
/* 0 or an errno; EPERM: a file of somebody else, or one that others may write to. */
int folder_read(const struct folder *folder, void *pool, const char *name, char **bytes, size_t *length);
/* Gives a file another name, over what has it. 0 or an errno. Lasts once the folder is synced. */
int folder_rename(const struct folder *folder, const char *from, const char *to);
bool folder_has(const struct folder *folder, const char *name);

/* Takes away what keeps() does not know, as far as it can be. */
typedef bool (*folder_keeper)(const char *name, const void *data);
void folder_tidy(const struct folder *folder, folder_keeper keeps, const void *data);

/* A lock that goes with its process, too. -1 with an errno: EWOULDBLOCK after wait_ms. */
int folder_lock(const struct folder *folder, const char *name, unsigned wait_ms);
void folder_unlock(int lock);

#endif
