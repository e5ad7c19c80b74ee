/* fwc boot: the last batch that was made for it, with nothing parsed and no name looked up. It fails
 * closed: what cannot be used gives way to less. */
#include <getopt.h>
#include <stdio.h>

#include "base/pool.h"
#include "cmd/booted.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/translated.h"

#define DEFAULT_FILE "/var/lib/fwc/boot.batch"

static const char *loaded_of(const struct nft_batch_file *file, const char *path, void *pool)
{
	return pool_format(pool, "'%s' into table inet %s", path, file->table);
}

/* The kernel's refusal of a batch is no end: there is another. */
static bool try_file(struct session *session, const char *path, enum booted_what what)
{
	void *pool = pool_child(session->pool, "boot");
	struct nft_batch_file batch;
	const char *reason = booted_read_file(pool, path, &batch);
	struct diags *trial = diags_new(pool, session->sources);

	if (reason == NULL)
		booted_add_mark(pool, &batch, what, path);
	if (reason == NULL && nft_batch_file_load(pool, trial, &batch, loaded_of(&batch, path, pool)))
		return true;
	if (reason == NULL)
		reason = trial->items_count > 0 ? trial->items[0]->message : "the kernel gave no reason";
	diag_add(session->diags, CODE_BOOT_FALLBACK, SPAN_NONE, "'%s' cannot be used: %s", path, reason);
	return false;
}

/* As a file would be: whatever others do to the kernel's rules meanwhile. */
static bool load_bare(struct session *session)
{
	void *pool = pool_child(session->pool, "built in");
	struct text *bytes = text_new(pool);
	const struct nft_table *table = booted_bare(session);
	struct nft_batch_file batch;

	if (table == NULL)
		return false;
	nft_batch_file_write(bytes, table);
	return nft_batch_file_read(pool, bytes->bytes, bytes->length, &batch) == NULL &&
	       nft_batch_file_load(pool, session->diags, &batch, "the built-in rules");
}

static int boot(struct session *session, const char *path)
{
	const char *rescue = pool_format(session->pool, "%s.rescue", path);
	struct nft_socket *netlink = nft_socket_new(session->pool);
	const char *table = session->options.nft.table;
	int status = EXIT_WORLD;

	if (netlink != NULL) /* it may be run by hand, on a machine that translates */
		translated_hold_any(session->pool, netlink, table);
	if (try_file(session, path, BOOTED_POLICY))
		status = EXIT_DONE;
	else if (try_file(session, rescue, BOOTED_RESCUE))
		status = EXIT_RESCUE;
	else if (load_bare(session))
		status = EXIT_BARE;
	if (netlink != NULL)
		translated_end(session->pool, session->diags, netlink, table, TRANSLATED_BY_UNKNOWN);
	(void)session_finish(session);
	if (status == EXIT_DONE)
		fprintf(stderr, "fwc: booted: the batch of the policy\n");
	else if (status == EXIT_RESCUE)
		fprintf(stderr, "fwc: booted: the rescue batch\n");
	else if (status == EXIT_BARE)
		fprintf(stderr, "fwc: booted: loopback, replies and neighbour discovery alone\n");
	else
		fprintf(stderr, "fwc: nothing was booted: the kernel's rules are what they were\n");
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
