/* The state's folder. */
#include "operate/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700
#define WRITABLE_BY_OTHERS 022
#define LOCK_PAUSE_MS 20
#define PIECE_BYTES ((size_t)256 << 10) /* written at once */

/* --- the folder ------------------------------------------------------------------------------------- */

static int folder_close(struct folder *folder)
{
	for (size_t i = 0; i < folder->files_count; i++)
		close(folder->files[i].fd);
	close(folder->fd);
	return 0;
}

static void report(struct diags *diags, const char *path, const char *action, int error)
{
	struct diagnostic *diagnostic = diag_add(diags, CODE_STATE_FAILED, SPAN_NONE,
						 "cannot %s the folder of the state '%s': %s", action, path,
						 strerror(error));
	if (error == EACCES || error == EPERM)
		diag_note(diags, diagnostic, SPAN_NONE, "run it as the user who applies policies, root as a rule");
	else if (error == ENOENT)
		diag_note(diags, diagnostic, SPAN_NONE, "fwc makes its last part alone: 'mkdir -p' the rest");
}

/* The folder's own name has to last, too. */
static int sync_parent(void *pool, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *parent = slash == NULL ? "." : slash == path ? "/"
		: pool_strndup(pool, path, (size_t)(slash - path));
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static bool make(void *pool, struct diags *diags, const char *path)
{
	if (mkdir(path, FOLDER_MODE) != 0) {
		if (errno == EEXIST)
			return true;
		report(diags, path, "make", errno);
		return false;
	}
	int error = sync_parent(pool, path);
	if (error != 0)
		report(diags, path, "make", error);
	return error == 0;
}

static bool is_safe(struct diags *diags, const char *path, int fd)
{
	struct stat facts;
	if (fstat(fd, &facts) != 0) {
		report(diags, path, "look at", errno);
		return false;
	}
	bool is_ours = facts.st_uid == geteuid();
	if (is_ours && (facts.st_mode & WRITABLE_BY_OTHERS) == 0)
		return true;
	struct diagnostic *error = diag_add(diags, CODE_STATE_FOLDER, SPAN_NONE,
					    is_ours ? "others may write to the folder of the state '%s' (mode %03o)"
						    : "the folder of the state '%s' belongs to somebody else",
					    path, facts.st_mode & 0777u);
	diag_note(diags, error, SPAN_NONE, "'%s' has to belong to user %u, with mode 0700: chown, chmod", path,
		  (unsigned)geteuid());
	return false;
}

static bool is_link(const char *path)
{
	int error = errno;
	struct stat facts;
	bool is_one = lstat(path, &facts) == 0 && S_ISLNK(facts.st_mode);
	errno = error;
	return is_one;
}

/* Who may change the link may choose the folder. */
static void report_link(struct diags *diags, const char *path)
{
	struct diagnostic *error = diag_add(diags, CODE_STATE_FAILED, SPAN_NONE,
					    "the folder of the state '%s' is a symbolic link", path);
	diag_note(diags, error, SPAN_NONE, "say the folder itself ('--state DIR'), or mount it there");
}

struct folder *folder_open(void *pool, struct diags *diags, const char *path, bool makes)
{
	if (makes && !make(pool, diags, path))
		return NULL;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (is_link(path)) {
			report_link(diags, path);
			return NULL;
		}
		if (errno != ENOENT || makes)
			report(diags, path, "open", errno);
		return NULL;
	}
	if (!is_safe(diags, path, fd)) {
		close(fd);
		return NULL;
	}
	struct folder *folder = pool_new(pool, struct folder);
	*folder = (struct folder){ .fd = fd, .path = pool_strdup(pool, path) };
	talloc_set_destructor(folder, folder_close);
	return folder;
}

/* --- writing ---------------------------------------------------------------------------------------- */

static int name_new(struct folder_file *file)
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return errno;
	(void)snprintf(file->new_name, sizeof file->new_name, FOLDER_NEW "%016llx", (unsigned long long)random);
	return 0;
}

/* Without a name where the file system can do that. */
static int open_new(const struct folder *folder, struct folder_file *file)
{
	file->new_name[0] = '\0';
	file->fd = openat(folder->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (file->fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return file->fd >= 0 ? 0 : errno;
	int error = name_new(file);
	if (error != 0)
		return error;
	file->fd = openat(folder->fd, file->new_name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
			  FILE_MODE);
	return file->fd >= 0 ? 0 : errno;
}

static void drop_file(const struct folder *folder, struct folder_file *file)
{
	if (file->new_name[0] != '\0')
		(void)unlinkat(folder->fd, file->new_name, 0);
	close(file->fd);
}

/* The disk begins at once: what the syncs of several files wait for is then one commit of the file system's log. */
static int end_file(struct folder *folder, struct folder_file *file, const char *name)
{
	(void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (fchmod(file->fd, FILE_MODE) != 0)
		return errno;
	file->name = pool_strdup(folder, name);
	*pool_append(folder, folder, files) = *file;
	return 0;
}

int folder_prepare(struct folder *folder, const char *name, const char *bytes, size_t length)
{
	struct folder_file file;
	int error = open_new(folder, &file);
	if (error != 0)
		return error;
	error = file_write(file.fd, bytes, length);
	if (error == 0)
		error = end_file(folder, &file, name);
	if (error != 0)
		drop_file(folder, &file);
	return error;
}

struct folder_writer {
	struct folder *folder;
	struct folder_file file;
	int error; /* the first */
	char *piece;
	size_t piece_bytes;
};

struct folder_writer *folder_writer_new(struct folder *folder)
{
	struct folder_writer *writer = pool_new(folder, struct folder_writer);
	writer->folder = folder;
	writer->piece = pool_bytes(writer, PIECE_BYTES);
	writer->error = open_new(folder, &writer->file);
	return writer;
}

static void write_piece(struct folder_writer *writer)
{
	if (writer->error == 0)
		writer->error = file_write(writer->file.fd, writer->piece, writer->piece_bytes);
	writer->piece_bytes = 0;
}

void folder_writer_add(struct folder_writer *writer, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t room = PIECE_BYTES - writer->piece_bytes, taken = length < room ? length : room;
		memcpy(writer->piece + writer->piece_bytes, bytes, taken);
		writer->piece_bytes += taken;
		bytes += taken;
		length -= taken;
		if (writer->piece_bytes == PIECE_BYTES)
			write_piece(writer);
	}
}

int folder_writer_end(struct folder_writer *writer, const char *name, const char *head, size_t head_length)
{
	bool is_open = writer->file.fd >= 0;
	write_piece(writer);
	int error = writer->error;
	if (error == 0 && lseek(writer->file.fd, 0, SEEK_SET) != 0)
		error = errno;
	if (error == 0)
		error = file_write(writer->file.fd, head, head_length);
	if (error == 0)
		error = end_file(writer->folder, &writer->file, name);
	if (error != 0 && is_open)
		drop_file(writer->folder, &writer->file);
	talloc_free(writer);
	return error;
}

static int give_name(const struct folder *folder, struct folder_file *file)
{
	char link[64];
	if (file->new_name[0] != '\0')
		return 0;
	int error = name_new(file);
	if (error != 0)
		return error;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
	if (linkat(AT_FDCWD, link, folder->fd, file->new_name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	error = errno;
	file->new_name[0] = '\0';
	return error;
}

static int put_in_place(const struct folder *folder, struct folder_file *file)
{
	int error = give_name(folder, file);
	if (error == 0 && renameat(folder->fd, file->new_name, folder->fd, file->name) != 0)
		error = errno;
	if (error == 0)
		file->new_name[0] = '\0';
	return error;
}

void folder_forget(struct folder *folder)
{
	for (size_t i = 0; i < folder->files_count; i++)
		drop_file(folder, &folder->files[i]);
	folder->files_count = 0;
}

void folder_leave(struct folder *folder)
{
	folder->files_count = 0;
}

int folder_put(struct folder *folder)
{
	int error = 0;
	for (size_t i = 0; i < folder->files_count && error == 0; i++)
		if (fsync(folder->files[i].fd) != 0)
			error = errno;
	for (size_t i = 0; i < folder->files_count && error == 0; i++)
		error = put_in_place(folder, &folder->files[i]);
	folder_forget(folder);
	return error;
}

int folder_sync(const struct folder *folder)
{
	return fsync(folder->fd) == 0 ? 0 : errno;
}

int folder_write(struct folder *folder, const char *name, const char *bytes, size_t length)
{
	int error = folder_prepare(folder, name, bytes, length);
	if (error == 0)
		error = folder_put(folder);
	return error != 0 ? error : folder_sync(folder);
}

/* --- reading ---------------------------------------------------------------------------------------- */

int folder_read(const struct folder *folder, void *pool, const char *name, char **bytes, size_t *length)
{
	struct stat facts;
	int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = fstat(fd, &facts) == 0 ? 0 : errno;
	if (error == 0 && (!S_ISREG(facts.st_mode) || facts.st_uid != geteuid() ||
			   (facts.st_mode & WRITABLE_BY_OTHERS) != 0))
		error = EPERM;
	if (error == 0) {
		*bytes = pool_bytes(pool, (size_t)facts.st_size + 1);
		error = file_read(fd, *bytes, (size_t)facts.st_size, length);
	}
	close(fd);
	return error;
}

int folder_rename(const struct folder *folder, const char *from, const char *to)
{
	return renameat(folder->fd, from, folder->fd, to) == 0 ? 0 : errno;
}

bool folder_has(const struct folder *folder, const char *name)
{
	struct stat facts;
	return fstatat(folder->fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

void folder_tidy(const struct folder *folder, folder_keeper keeps, const void *data)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	if (listing == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (const struct dirent *item; (item = readdir(listing)) != NULL;)
		if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
		    !keeps(item->d_name, data))
			(void)unlinkat(folder->fd, item->d_name, 0);
	closedir(listing);
}

/* --- the lock --------------------------------------------------------------------------------------- */

int folder_lock(const struct folder *folder, const char *name, unsigned wait_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
	int fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -1;
	for (unsigned waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_PAUSE_MS) {
		int error = errno;
		if (error != EINTR && (error != EWOULDBLOCK || waited_ms >= wait_ms)) {
			close(fd);
			errno = error;
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
	return fd;
}

void folder_unlock(int lock)
{
	(void)flock(lock, LOCK_UN);
	close(lock);
}
