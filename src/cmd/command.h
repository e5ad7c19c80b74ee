/* The subcommands' common ground: one file a command, one row a command.
 *
 * Only files of this folder print or decide about exit statuses. stdout carries the product,
 * stderr the talk; when a command fails nothing has been written to stdout. */
#ifndef FWC_CMD_COMMAND_H
#define FWC_CMD_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "cmd/rights.h"

/* Exit statuses, the same for every command. */
enum {
	EXIT_DONE = 0,
	EXIT_POLICY = 1, /* mistakes in the policy; `fmt --check`: not in canonical form */
	EXIT_USAGE = 2,
	EXIT_WORLD = 3,  /* files, kernel, memory */
	EXIT_REFUSED = 5, /* it could be done, but should not: lockout, a foreign change, too late */
	EXIT_CHANGES = 10, /* `plan --exit-code`: there is something to do */
	EXIT_RESCUE = 10, /* `boot`: the rescue batch was loaded */
	EXIT_BARE = 11,   /* `boot`: the built-in rules were loaded */
};

struct pool_trap;

struct command {
	const char *name;
	const char *summary;
	const char *usage; /* what `fwc help NAME` and a usage error print */
	/* argv[0] is the command's name. Gives the exit status. */
	int (*run)(struct pool_trap *root, int argc, char **argv);
	enum rights rights;
	bool reads_revisions; /* git is started for them: they end that themselves, by rights_want_no_program */
};

/* Rows in the order of the help page. */
const struct command *command_find(const char *name);
const struct command *command_at(size_t index); /* NULL past the end */

/* one line a command, a file each */
int command_compile(struct pool_trap *root, int argc, char **argv);
int command_apply(struct pool_trap *root, int argc, char **argv);
int command_plan(struct pool_trap *root, int argc, char **argv);
int command_confirm(struct pool_trap *root, int argc, char **argv);
int command_rollback(struct pool_trap *root, int argc, char **argv);
int command_status(struct pool_trap *root, int argc, char **argv);
int command_history(struct pool_trap *root, int argc, char **argv);
int command_verify(struct pool_trap *root, int argc, char **argv);
int command_boot(struct pool_trap *root, int argc, char **argv);
int command_stop(struct pool_trap *root, int argc, char **argv);
int command_log(struct pool_trap *root, int argc, char **argv);
int command_trace(struct pool_trap *root, int argc, char **argv);
int command_hits(struct pool_trap *root, int argc, char **argv);
int command_check(struct pool_trap *root, int argc, char **argv);
int command_diff(struct pool_trap *root, int argc, char **argv);
int command_fmt(struct pool_trap *root, int argc, char **argv);
int command_import(struct pool_trap *root, int argc, char **argv);
int command_minimise(struct pool_trap *root, int argc, char **argv);
int command_service(struct pool_trap *root, int argc, char **argv);
int command_explain(struct pool_trap *root, int argc, char **argv);
int command_help(struct pool_trap *root, int argc, char **argv);
int command_version(struct pool_trap *root, int argc, char **argv);

/* "fwc NAME: message" and the usage on stderr; gives EXIT_USAGE. Without a format the usage alone: command_option
 * has said what is wrong. */
int command_misused(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "fwc: no command 'WORD'", with the nearest that there is; gives EXIT_USAGE. */
int command_unknown(const char *word);
/* A line on stderr, with what a terminal would obey made visible. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* getopt_long, whose complaints are said so; argv[0] is the command's. */
int command_option(int argc, char **argv, const char *letters, const struct option *options);

#endif
