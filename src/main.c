/* fwc: finds the command, gives it a session's memory, and turns its result into the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "diag/diag.h"

#define MAPPED_ALONE (8 << 20) /* larger ones are moved, not copied, where they grow */
#define KEPT_FREE (1 << 30)

/* What is freed is wanted again soon, and the kernel clears each page that it gives anew. */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_ALONE);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
	(void)mallopt(M_TOP_PAD, HEAP_STEP);
#endif
}

static int out_of_memory(size_t wanted)
{
	fprintf(stderr, "fwc: error: out of memory (%zu bytes more were wanted) [FW%04d]\n", wanted,
		CODE_OUT_OF_MEMORY);
	return EXIT_WORLD;
}

/* getopt's own messages begin with argv[0]. */
static int run_named(struct pool_trap *root, const struct command *command, int argc, char **argv)
{
	argv[0] = pool_format(root, "fwc %s", command->name);
	return command->run(root, argc, argv);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct pool_trap *root = pool_session_new();
	int status;

	if (root == NULL)
		return out_of_memory(sizeof *root);
	if (setjmp(root->jump) != 0)
		status = out_of_memory(root->wanted);
	else
		status = run_named(root, command, argc, argv);
	talloc_free(root);
	return status;
}

/* --help and --version as people try them first */
static const char *command_word(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return "help";
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return "version";
	return word;
}

/* Among a command's arguments, too: who asks wants nothing done. */
static bool asks_for_help(int argc, char **argv)
{
	for (int index = 2; index < argc && strcmp(argv[index], "--") != 0; index++)
		if (strcmp(argv[index], "--help") == 0 || strcmp(argv[index], "-h") == 0)
			return true;
	return false;
}

static bool works_with_kernel(const struct command *command)
{
	return command->rights == RIGHTS_KERNEL || command->rights == RIGHTS_APPLY || command->rights == RIGHTS_LOG;
}

static bool give_up_rights(const struct command *command)
{
	if (!rights_keep(command->rights))
		return false;
	if (!works_with_kernel(command))
		return true;
	return rights_confine() && (command->reads_revisions || rights_end_programs());
}

/* Who closed one of them would find a file of the state or a socket in its place, and messages in that. What stands
 * there instead can only be used the other way: a product that goes nowhere is a failed write. */
static void hold_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	const struct command *command;

	keep_freed_memory();
	hold_standard_files();
	/* a closed pipe, or a file that may not grow, is a failed write */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		fputs("fwc: a command is missing; 'fwc help' lists them\n", stderr);
		return EXIT_USAGE;
	}
	command = command_find(command_word(argv[1]));
	if (command == NULL)
		return command_unknown(argv[1]);
	if (asks_for_help(argc, argv)) {
		char *help[] = { argv[0], argv[1], NULL };

		return run(command_find("help"), 2, help);
	}
	if (!give_up_rights(command)) {
		fprintf(stderr, "fwc: error: cannot give up rights that are not needed: %s\n", strerror(errno));
		return EXIT_WORLD;
	}
	return run(command, argc - 1, argv + 1);
}
