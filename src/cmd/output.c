/* Products go out whole or not at all. */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "diag/print.h"

#define STREAM_ROOM ((size_t)1 << 18)

struct output_stream *output_stream_new(void *pool, void (*print)(struct text *out, const void *subject),
					const void *subject)
{
	struct output_stream *stream = pool_new(pool, struct output_stream);

	*stream = (struct output_stream){ .print = print, .subject = subject, .text = text_new(pool) };
	text_reserve(stream->text, STREAM_ROOM);
	return stream;
}

struct stream_file {
	int file, error;
	struct sha256 *hash; /* or NULL */
};

static void take_piece(void *context, const char *bytes, size_t length)
{
	struct stream_file *out = context;

	if (out->hash != NULL)
		sha256_add(out->hash, bytes, length);
	if (out->error == 0)
		out->error = file_write(out->file, bytes, length);
}

static int stream_write(struct output_stream *stream, int file)
{
	struct sha256 hash;
	struct stream_file out = { .file = file, .hash = stream->is_hashed ? &hash : NULL };

	sha256_begin(&hash);
	stream->text->sink = (struct text_sink){ take_piece, &out };
	stream->print(stream->text, stream->subject);
	text_let_all_go(stream->text);
	sha256_end_digits(&hash, stream->sha256);
	return out.error;
}

static int write_item(const struct output_item *item, int file)
{
	return item->stream != NULL ? stream_write(item->stream, file) :
	       file_write(file, item->text->bytes, item->text->length);
}

bool output_item_stdout(const struct output_item *item)
{
	int error = write_item(item, STDOUT_FILENO);

	if (error != 0 && error != EPIPE) /* who closed the pipe, as head does, has what he wants */
		fprintf(stderr, "fwc: error: cannot write to the standard output: %s\n",
			strerror(error));
	return error == 0;
}

bool output_stdout(const struct text *text)
{
	return output_item_stdout(&(struct output_item){ .text = text });
}

/* The number behind the name of an open descriptor; -1: it is none. What stands behind such a name may have no
 * other, and what is written there already stays. */
static int descriptor_of(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t index = 0; index < sizeof folders / sizeof folders[0]; index++) {
		size_t length = strlen(folders[index]);
		const char *digits = path + length;

		if (strncmp(path, folders[index], length) == 0 && digits[0] != '\0' && strlen(digits) < 8 &&
		    digits[strspn(digits, "0123456789")] == '\0')
			return atoi(digits);
	}
	return -1;
}

static bool is_special_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static int write_in_place(const char *path, const struct output_item *item)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int error;

	if (file < 0)
		return errno;
	error = write_item(item, file);
	if (close(file) != 0 && error == 0)
		error = errno;
	return error;
}

/* A new file gets the permissions that the umask leaves, a replaced one keeps its own. */
static void set_mode(int file, const char *path, bool is_secret)
{
	struct stat status;
	mode_t mask = umask(0);

	umask(mask);
	if (stat(path, &status) == 0)
		(void)fchmod(file, status.st_mode & 07777);
	else
		(void)fchmod(file, (is_secret ? 0600 : 0666) & ~mask);
}

/* An interrupt waits until no half of a file lies about. */
static void hold_interrupts(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &held, before);
}

/* Writes what is to take the place of path into a file beside it. */
static int write_beside(void *pool, const char *path, const struct output_item *item, char **temporary)
{
	int file, error;

	*temporary = pool_format(pool, "%s.XXXXXX", path);
	file = mkostemp(*temporary, O_CLOEXEC);
	if (file < 0) {
		*temporary = NULL;
		return errno;
	}
	set_mode(file, path, item->is_secret);
	error = write_item(item, file);
	if (error == 0 && fsync(file) != 0)
		error = errno;
	if (close(file) != 0 && error == 0)
		error = errno;
	return error;
}

static int replace_file(void *pool, const char *path, const struct output_item *item)
{
	char *temporary;
	sigset_t before;
	int error;

	hold_interrupts(&before);
	error = write_beside(pool, path, item, &temporary);
	if (error == 0 && rename(temporary, path) != 0)
		error = errno;
	if (error != 0 && temporary != NULL)
		unlink(temporary);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* As many as the kernel follows (path_resolution(7)). */
#define LINKS_MOST 40

/* A link keeps pointing where it points: its target is replaced, or made where it is missing, as a shell's `>`
 * does. NULL with errno. */
static const char *target_of(void *pool, const char *path)
{
	for (unsigned links = 0; links < LINKS_MOST; links++) {
		char linked[PATH_MAX + 1]; /* what the kernel takes at most */
		ssize_t length = readlink(path, linked, PATH_MAX);
		const char *slash = strrchr(path, '/');

		if (length < 0)
			return errno == EINVAL || errno == ENOENT ? path : NULL;
		linked[length] = '\0';
		path = linked[0] == '/' || slash == NULL ? pool_strdup(pool, linked) :
		       pool_format(pool, "%.*s/%s", (int)(slash - path), path, linked);
	}
	errno = ELOOP;
	return NULL;
}

static int replace_target(void *pool, const char *path, const struct output_item *item)
{
	const char *target = target_of(pool, path);

	return target == NULL ? errno : replace_file(pool, target, item);
}

bool output_file(struct diags *diags, const struct output_item *item)
{
	const char *path = item->path;
	int descriptor = descriptor_of(path);
	int error = descriptor >= 0 ? write_item(item, descriptor) :
		    is_special_file(path) ? write_in_place(path, item) :
		    replace_target(diags->pool, path, item);

	if (error != 0)
		diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE, "cannot write '%s': %s", path,
			 strerror(error));
	return error == 0;
}

static bool report_files(struct diags *diags, const struct output_item *item, int error)
{
	diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE, "cannot write '%s': %s", item->path,
		 strerror(error));
	return false;
}

/* What is written in place cannot wait for the others. */
static bool may_replace(struct diags *diags, const struct output_item *item)
{
	if (descriptor_of(item->path) < 0 && !is_special_file(item->path))
		return true;
	diag_add(diags, CODE_OUTPUT_FAILED, SPAN_NONE,
		 "cannot write '%s': it is no regular file, and several files are made together or not at all",
		 item->path);
	return false;
}

static bool write_all_beside(struct diags *diags, const struct output_item *items, size_t count,
			     const char **targets, char **temporaries)
{
	for (size_t index = 0; index < count; index++)
		if (!may_replace(diags, &items[index]))
			return false;
	for (size_t index = 0; index < count; index++) {
		struct stat status;
		int error;

		targets[index] = target_of(diags->pool, items[index].path);
		error = targets[index] == NULL ? errno :
			stat(targets[index], &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR :
			write_beside(diags->pool, targets[index], &items[index], &temporaries[index]);
		if (error != 0)
			return report_files(diags, &items[index], error);
	}
	return true;
}

bool output_files(struct diags *diags, const struct output_item *items, size_t count)
{
	char **temporaries = pool_array(diags->pool, char *, count);
	const char **targets = pool_array(diags->pool, const char *, count);
	sigset_t before;
	bool is_good;

	hold_interrupts(&before);
	is_good = write_all_beside(diags, items, count, targets, temporaries);
	for (size_t index = 0; index < count && is_good; index++) {
		if (rename(temporaries[index], targets[index]) != 0)
			is_good = report_files(diags, &items[index], errno);
		else
			temporaries[index] = NULL;
	}
	for (size_t index = 0; index < count; index++)
		if (temporaries[index] != NULL)
			unlink(temporaries[index]);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return is_good;
}

void output_diags(struct diags *diags, bool as_json)
{
	struct text *out = text_new(diags->pool);

	diags_sort(diags);
	if (as_json)
		diags_print_json(diags, out);
	else if (diags->items_count > 0)
		diags_print_text(diags, out,
				 isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL);
	(void)file_write(STDERR_FILENO, out->bytes, out->length);
}

static void report_text(struct diags *diags, struct text *out, const char *subject)
{
	(void)subject;
	if (diags->items_count > 0)
		diags_print_text(diags, out, isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL);
}

static void report_json(struct diags *diags, struct text *out, const char *subject)
{
	(void)subject;
	diags_print_json(diags, out);
}

static void report_sarif(struct diags *diags, struct text *out, const char *subject)
{
	(void)subject;
	diags_print_sarif(diags, out, FWC_VERSION);
}

static const struct report_format formats[] = {
	{ "json", report_json },
	{ "junit", diags_print_junit },
	{ "sarif", report_sarif },
	{ "text", report_text },
};

const struct report_format *report_format_find(const char *name)
{
	for (size_t index = 0; index < sizeof formats / sizeof formats[0]; index++)
		if (strcmp(formats[index].name, name) == 0)
			return &formats[index];
	return NULL;
}

bool output_report(struct diags *diags, const struct report_format *format, const char *subject)
{
	struct text *out = text_new(diags->pool);

	diags_sort(diags);
	format->print(diags, out, subject);
	return output_stdout(out);
}
