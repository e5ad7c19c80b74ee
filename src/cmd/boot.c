/* fwc boot: the last batch that was made for it, with nothing parsed and no name looked up. It fails
 * closed: what cannot be used gives way to less. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "rules/rescue.h"
#include "target/nft/batch_file.h"

#define DEFAULT_FILE "/var/lib/fwc/boot.batch"

static const char *loaded_of(const struct nft_batch_file *file, const char *path, void *pool)
{
	return pool_format(pool, "'%s' into table inet %s", path, file->table);
}

/* Nobody but root and the caller may have written it. NULL, or the reason why not. */
static const char *check_owner(void *pool, const struct stat *facts)
{
	if (!S_ISREG(facts->st_mode))
		return "it is no regular file";
	if (facts->st_uid != 0 && facts->st_uid != geteuid())
		return pool_format(pool, "it belongs to user %u, not to root", (unsigned)facts->st_uid);
	if ((facts->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write it";
	if (facts->st_size > INT32_MAX)
		return "it is too large";
	return NULL;
}

/* The bytes of the file; NULL with *reason. */
static char *read_whole(void *pool, int file, size_t *length, const char **reason)
{
	struct stat facts;
	char *bytes;

	if (fstat(file, &facts) != 0) {
		*reason = strerror(errno);
		return NULL;
	}
	*reason = check_owner(pool, &facts);
	if (*reason != NULL)
		return NULL;
	bytes = pool_bytes(pool, (size_t)facts.st_size + 1);
	for (*length = 0; *length < (size_t)facts.st_size;) {
		ssize_t got = read(file, bytes + *length, (size_t)facts.st_size - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			*reason = strerror(errno);
		if (got <= 0)
			break;
		*length += (size_t)got;
	}
	return *reason == NULL ? bytes : NULL;
}

/* NULL if it can be loaded. */
static const char *read_batch(void *pool, const char *path, struct nft_batch_file *batch)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *reason = NULL;
	char *bytes;
	size_t length = 0;

	if (file < 0)
		return errno == ELOOP ? "it is a symbolic link" : strerror(errno);
	bytes = read_whole(pool, file, &length, &reason);
	close(file);
	return bytes == NULL ? reason : nft_batch_file_read(pool, bytes, length, batch);
}

/* The kernel's refusal of a batch is no end: there is another. */
static bool try_file(struct session *session, const char *path)
{
	void *pool = pool_child(session->pool, "boot");
	struct nft_batch_file batch;
	const char *reason = read_batch(pool, path, &batch);
	struct diags *trial = diags_new(pool, session->sources);

	if (reason == NULL && nft_batch_file_load(pool, trial, &batch, loaded_of(&batch, path, pool)))
		return true;
	if (reason == NULL)
		reason = trial->items_count > 0 ? trial->items[0]->message : "the kernel gave no reason";
	diag_add(session->diags, CODE_BOOT_FALLBACK, SPAN_NONE, "'%s' cannot be used: %s", path, reason);
	return false;
}

static bool load_bare(struct session *session)
{
	const struct nft_settings settings = { .table = session->options.nft.table };
	void *pool = pool_child(session->pool, "built in");
	struct nft_table *table = nft_lower(pool, session->diags, ruleset_bare(pool), &settings);

	return table != NULL && nft_load(pool, session->diags, table);
}

static int boot(struct session *session, const char *path)
{
	const char *rescue = pool_format(session->pool, "%s.rescue", path);
	int status = EXIT_WORLD;

	if (try_file(session, path))
		status = EXIT_DONE;
	else if (try_file(session, rescue))
		status = EXIT_RESCUE;
	else if (load_bare(session))
		status = EXIT_BARE;
	(void)session_finish(session);
	if (status == EXIT_DONE)
		fprintf(stderr, "fwc: booted: the batch of the policy\n");
	else if (status == EXIT_RESCUE)
		fprintf(stderr, "fwc: booted: the rescue batch\n");
	else if (status == EXIT_BARE)
		fprintf(stderr, "fwc: booted: loopback, replies and neighbour discovery alone\n");
	return status;
}

int command_boot(struct pool_trap *root, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "table", required_argument, NULL, OPTION_TABLE },
		{ NULL, 0, NULL, 0 },
	};
	struct session_options options = session_options_default();
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = session_option(&options, "boot", option, optarg);
	if (status != EXIT_DONE)
		return status;
	if (optind + 1 < argc)
		return command_misused("boot", "one batch at a time");
	return boot(session_new(root, &options), optind < argc ? argv[optind] : DEFAULT_FILE);
}
