/* fwc verify: does the kernel's table do what the policy says? */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/proof.h"
#include "target/nft/read_kernel.h"
#include "target/nft/refusal.h"

/* A table that is not there does nothing: that is a difference like any other. */
static const struct read_table *table_in(void *pool, const struct nft_read *read, const char *name)
{
	const struct read_table *table = nft_read_table(read, NFPROTO_INET, name);
	struct read_table *none;

	if (table != NULL)
		return table;
	none = pool_new(pool, struct read_table);
	none->family = NFPROTO_INET;
	none->name = name;
	none->chain_names = none->set_names = none->object_names = names_new(none, false);
	return none;
}

static bool verify(struct session *session, struct proof *proof)
{
	const struct proof_limits limits = proof_limits_of(session);
	const char *name = session->options.nft.table;
	void *pool = pool_child(session->pool, "verify");
	struct nft_read *read;
	int error = nft_read_kernel(pool, NFPROTO_INET, name, &read);

	if (error == ENOENT)
		read = nft_read_new(pool);
	else if (error != 0) {
		nft_report_error(session->diags, error, "read the kernel's rules");
		return false;
	}
	*proof = nft_prove(pool, session->ruleset, read, table_in(pool, read, name), &limits);
	return proof_report(session, proof,
			    pool_format(pool, error == ENOENT ? "the kernel has no table inet '%s', and so it"
							      : "the kernel's table inet '%s'", name));
}

int command_verify(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	int status = session_plain_options(&options, "verify", argc, argv);
	bool is_equal = false;
	struct session *session;
	struct proof proof;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	if (session_expand(session) && session_is_for_host(session) && !session_is_refused(session))
		is_equal = verify(session, &proof);
	status = session_finish(session);
	if (status == EXIT_DONE && !is_equal)
		return EXIT_POLICY; /* undecided is not equal */
	if (status == EXIT_DONE && !options.has_json)
		fprintf(stderr, "verified: the kernel's table inet %s equals the policy, %zu hooks, %zu rules\n",
			options.nft.table, proof.hooks, proof.rules);
	return status;
}
