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

#include "base/file.h"
#include "base/pool.h"
#include "parse/path.h"

#define FIRST_READ ((size_t)64 << 10)

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
	char *answer;
	size_t length;

	if (!run_git(&run, arguments))
		return NULL;
	close_end(&run.input);
	if (file_read_end(pool, run.output, FIRST_READ, PARSE_FILE_LIMIT, &answer, &length) != 0)
		answer = NULL;
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

static bool has_hex(const struct revision_side *side)
{
	return strspn(side->hex, "0") < strlen(side->hex);
}

static bool side_is(void *pool, const struct revision_side *side, const char *revision)
{
	return has_hex(side) && is_blob(pool, revision, side->path, side->hex);
}

/* --- history --------------------------------------------------------------------------------------- */

#define COMMITS_MOST "--max-count=2000"
#define MARK '>' /* before a commit and its parents */

/* A commit that changed a blob into another. */
struct transition {
	const char *commit;
	char *parents; /* separated by blanks */
	const char *old, *new;
};

/* Of a line ":MODE MODE OLD NEW STATUS\tPATH", which is cut. */
static bool transition_read(struct transition *transition, char *line)
{
	char *words[4], *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(line + 1, " ", &rest); word != NULL && count < 4;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	transition->old = count == 4 ? words[2] : NULL;
	transition->new = count == 4 ? words[3] : NULL;
	return count == 4 && transition->commit != NULL;
}

/* The parent of the commit that has the side's blob. */
static const char *parent_with(void *pool, const struct transition *transition, const struct revision_side *side)
{
	char *parents = pool_strdup(pool, transition->parents), *rest = NULL;

	for (char *parent = strtok_r(parents, " ", &rest); parent != NULL; parent = strtok_r(NULL, " ", &rest))
		if (side_is(pool, side, parent))
			return parent;
	return NULL;
}

/* before: the side that the commit's parent has. */
static bool is_change(const struct transition *transition, const struct revision_side *before,
		      const struct revision_side *after)
{
	return strcmp(transition->old, before->hex) == 0 && strcmp(transition->new, after->hex) == 0;
}

/* Takes each side that is not known yet from a commit that has it, newest first. */
static void take_sides(void *pool, const struct transition *transition, struct revision_side *side)
{
	if (side->revision != NULL || !has_hex(side))
		return;
	if (strcmp(transition->new, side->hex) == 0)
		side->revision = transition->commit;
	else if (strcmp(transition->old, side->hex) == 0)
		side->revision = parent_with(pool, transition, side);
}

static bool take_pair(void *pool, const struct transition *transition, struct revision_side *before,
		      struct revision_side *after)
{
	const char *parent = is_change(transition, before, after) ? parent_with(pool, transition, before) : NULL;

	if (parent == NULL)
		return false;
	before->revision = parent;
	after->revision = transition->commit;
	return true;
}

/* A line of the history. Whether both sides are known for sure. */
static bool take_line(void *pool, char *line, struct transition *transition, struct revision_side *old,
		      struct revision_side *new)
{
	if (line[0] == MARK) {
		transition->commit = line + 1;
		transition->parents = line + strcspn(line, " ");
		if (*transition->parents != '\0')
			*transition->parents++ = '\0';
		return false;
	}
	if (line[0] != ':' || !transition_read(transition, line))
		return false;
	if (take_pair(pool, transition, old, new) || take_pair(pool, transition, new, old))
		return true;
	take_sides(pool, transition, old);
	take_sides(pool, transition, new);
	return false;
}

static void search_history(void *pool, struct revision_side *old, struct revision_side *new)
{
	char *arguments[] = { "git", "--literal-pathspecs", "log", "--all", "--raw", "-m", "--no-abbrev", "-M",
			      "--format=>%H %P", COMMITS_MOST, "--",
			      (char *)(uintptr_t)old->path, (char *)(uintptr_t)new->path, NULL };
	struct transition transition = { 0 };
	char *history = git_answer(pool, arguments), *rest = NULL;
	char *line = history != NULL ? strtok_r(history, "\n", &rest) : NULL;

	while (line != NULL && !take_line(pool, line, &transition, old, new))
		line = strtok_r(NULL, "\n", &rest);
}

void revisions_find(void *pool, struct revision_side *old, struct revision_side *new)
{
	bool is_old_head = side_is(pool, old, "HEAD"), is_new_head = side_is(pool, new, "HEAD");

	old->revision = new->revision = NULL;
	if (is_old_head && !is_new_head && side_is(pool, new, "")) {
		old->revision = "HEAD";
		new->revision = "";
		return;
	}
	if (!has_hex(new) && side_is(pool, old, "")) {
		old->revision = "";
		return;
	}
	search_history(pool, old, new);
	if (old->revision == NULL && side_is(pool, old, ""))
		old->revision = "";
	if (new->revision == NULL && side_is(pool, new, ""))
		new->revision = "";
}

/* --- one file ------------------------------------------------------------------------------------- */

static bool has_lines(const char *path)
{
	return strchr(path, '\n') != NULL;
}

/* The end: a line's, or for a path of several a zero byte. */
static int write_name(int file, const char *revision, const char *path)
{
	bool is_nested = strncmp(path, "../", 3) == 0;
	char *line = NULL;
	int length = asprintf(&line, "%s:%s%s%c", revision, is_nested ? "" : "./", path,
			      has_lines(path) ? '\0' : '\n');
	int error;

	if (length < 0)
		return ENOMEM;
	error = file_write(file, line, (size_t)length);
	free(line);
	return error;
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
		error = file_read_end(pool, run->output, FIRST_READ, PARSE_FILE_LIMIT, &answer, &answer_length);
	return error != 0 ? error : blob_of(answer, answer_length, bytes, length);
}

static int read_revision(void *context, void *pool, const char *path, const char **bytes,
			 size_t *length)
{
	/* -z is git's since 2.38 */
	char *const arguments[] = { "git", "cat-file", "--batch", "--follow-symlinks",
				    has_lines(path) ? "-z" : NULL, NULL };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;
	struct run run;
	int error;

	if (path[0] == '/')
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

bool revision_lacks(void *pool, const char *revision, const char *path)
{
	const char *bytes;
	size_t length;

	return read_revision((void *)(uintptr_t)revision, pool, path, &bytes, &length) == ENOENT;
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
