/* See revision.h. git is run without a shell, once a file; `--batch` names the object on its standard
 * input, so that no path is ever taken for an option. */
#include "cmd/revision.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "parse/path.h"

extern char **environ;

struct run {
	pid_t process;
	int input, output; /* our ends; -1: closed */
};

static void close_end(int *end)
{
	if (*end >= 0)
		(void)close(*end);
	*end = -1;
}

static bool add_streams(posix_spawn_file_actions_t *actions, int input, int output)
{
	return posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO) == 0 &&
	       posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO) == 0 &&
	       posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0;
}

/* git with both streams in our hands and its talk thrown away. */
static bool run_git(struct run *run, char *const *arguments)
{
	int to[2], from[2];
	posix_spawn_file_actions_t actions;
	bool is_running;

	if (pipe2(to, O_CLOEXEC) != 0)
		return false;
	if (pipe2(from, O_CLOEXEC) != 0) {
		(void)close(to[0]);
		(void)close(to[1]);
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	is_running = add_streams(&actions, to[0], from[1]) &&
		     posix_spawnp(&run->process, "git", &actions, NULL, arguments, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	(void)close(to[0]);
	(void)close(from[1]);
	run->input = to[1];
	run->output = from[0];
	if (!is_running) {
		close_end(&run->input);
		close_end(&run->output);
	}
	return is_running;
}

/* git's exit status; -1 where it did not end by itself. */
static int run_end(struct run *run)
{
	int status;

	close_end(&run->input);
	close_end(&run->output);
	while (waitpid(run->process, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What git prints, if it ends well; else NULL. */
static char *git_answer(void *pool, char *const *arguments)
{
	struct run run;
	size_t length, capacity = 0;
	char *answer = NULL;
	ssize_t got = 1;

	if (!run_git(&run, arguments))
		return NULL;
	close_end(&run.input);
	for (length = 0; got > 0; length += got > 0 ? (size_t)got : 0) {
		answer = pool_grow(pool, answer, &capacity, length + 4096, 1);
		do {
			got = read(run.output, answer + length, capacity - length - 1);
		} while (got < 0 && errno == EINTR);
	}
	answer[length] = '\0';
	return run_end(&run) == 0 ? answer : NULL;
}

bool revision_exists(void *pool, const char *revision)
{
	char *name = pool_format(pool, "%s^{tree}", revision);
	char *arguments[] = { "git", "rev-parse", "--verify", "--quiet", "--end-of-options", name, NULL };

	return git_answer(pool, arguments) != NULL;
}

static bool is_blob(void *pool, const char *revision, const char *path, const char *hex)
{
	char *name = pool_format(pool, "%s:%s", revision, path);
	char *arguments[] = { "git", "rev-parse", "--verify", "--quiet", "--end-of-options", name, NULL };
	const char *answer = git_answer(pool, arguments);
	size_t length = strlen(hex);

	return answer != NULL && length > 0 && strncmp(answer, hex, length) == 0;
}

#define COMMITS_MOST "--max-count=2000"

const char *revision_of_blob(void *pool, const char *path, const char *hex)
{
	char *arguments[] = { "git", "rev-list", "--all", COMMITS_MOST, "--", (char *)path, NULL };
	char *commits, *commit;

	if (strspn(hex, "0") == strlen(hex))
		return NULL;
	if (is_blob(pool, "", path, hex))
		return "";
	if (is_blob(pool, "HEAD", path, hex))
		return "HEAD";
	commits = git_answer(pool, arguments);
	for (commit = commits != NULL ? strtok(commits, "\n") : NULL; commit != NULL;
	     commit = strtok(NULL, "\n"))
		if (is_blob(pool, commit, path, hex))
			return commit;
	return NULL;
}

/* --- one file ------------------------------------------------------------------------------------- */

static int write_name(int file, const char *revision, const char *path)
{
	bool is_nested = strncmp(path, "../", 3) == 0;
	char *line = NULL;
	int length = asprintf(&line, "%s:%s%s\n", revision, is_nested ? "" : "./", path);
	int error = 0;

	if (length < 0)
		return ENOMEM;
	if (write(file, line, (size_t)length) != length)
		error = EIO;
	free(line);
	return error;
}

static int read_rest(void *pool, int file, char **bytes, size_t *length)
{
	size_t capacity = 0;

	*bytes = NULL;
	*length = 0;
	for (;;) {
		ssize_t got;

		*bytes = pool_grow(pool, *bytes, &capacity, *length + (64 << 10), 1);
		got = read(file, *bytes + *length, capacity - *length - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		*length += (size_t)got;
		if (*length > PARSE_FILE_LIMIT)
			return EFBIG;
	}
	(*bytes)[*length] = '\0';
	return 0;
}

/* "OBJECT blob SIZE\n", the bytes, "\n"; or "NAME missing\n" and its like. */
static int blob_of(char *answer, size_t length, const char **bytes, size_t *size)
{
	char *end = memchr(answer, '\n', length);
	char *type, *digits, *rest;

	if (end == NULL)
		return EIO;
	*end = '\0';
	type = strchr(answer, ' ');
	if (type == NULL || strncmp(type, " tree ", 6) == 0)
		return type == NULL ? EIO : EISDIR;
	if (strncmp(type, " blob ", 6) != 0)
		return ENOENT;
	digits = type + 6;
	*size = strtoul(digits, &rest, 10);
	if (rest == digits || *rest != '\0' || (size_t)(end + 1 - answer) + *size + 1 != length)
		return EIO;
	*bytes = end + 1;
	end[1 + *size] = '\0';
	return 0;
}

static int read_answer(struct run *run, void *pool, const char *revision, const char *path,
		       const char **bytes, size_t *length)
{
	char *answer;
	size_t answer_length;
	int error = write_name(run->input, revision, path);

	close_end(&run->input);
	if (error == 0)
		error = read_rest(pool, run->output, &answer, &answer_length);
	return error != 0 ? error : blob_of(answer, answer_length, bytes, length);
}

static int read_revision(void *context, void *pool, const char *path, const char **bytes,
			 size_t *length)
{
	static char *const arguments[] = { "git", "cat-file", "--batch", "--follow-symlinks", NULL };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	struct run run;
	int error;

	if (path[0] == '/' || strchr(path, '\n') != NULL)
		return ENOENT; /* no revision holds it */
	if (!run_git(&run, arguments))
		return EIO;
	/* a git that died leaves a pipe without a reader */
	(void)sigaction(SIGPIPE, &ignore, &before);
	error = read_answer(&run, pool, context, path, bytes, length);
	(void)sigaction(SIGPIPE, &before, NULL);
	return run_end(&run) == 0 || error != 0 ? error : EIO;
}

static const char *identify_revision(void *context, void *pool, const char *path)
{
	(void)context;
	return path_normalise(pool, path);
}

struct file_reader revision_reader(const char *revision)
{
	return (struct file_reader){
		.read = read_revision,
		.identify = identify_revision,
		.context = (void *)revision,
	};
}

bool revision_split(void *pool, const char *argument, const char **revision, const char **path)
{
	const char *colon = strchr(argument, ':');

	if (colon == NULL || colon == argument || colon[1] == '\0' || argument[0] == '-' ||
	    access(argument, F_OK) == 0)
		return false;
	*revision = pool_strndup(pool, argument, (size_t)(colon - argument));
	*path = path_normalise(pool, colon + 1);
	return true;
}
