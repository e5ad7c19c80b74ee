/* fwc verify: does the kernel's table do what the policy says? Or a router's text? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/proof.h"
#include "rules/count.h"
#include "target/nft/load/batch_file.h"
#include "target/nft/load/kept_ask.h"
#include "target/nft/load/refusal.h"

/* 0 or an errno. Of large sets the kernel is asked for each element that the policy gives them; where it has
 * others, for a list of all. */
static int read_kernel(struct session *session, void *pool, struct nft_kept **kept)
{
	const char *name = session->options.nft.table;
	struct nft_socket *socket = nft_socket_new(pool);
	int error = socket == NULL ? errno : nft_kept_glance(pool, socket, name, NFT_KEPT_GLANCED, kept);
	struct text *file;

	if (error != 0 || nft_kept_is_whole(*kept))
		return error;
	file = text_new(pool);
	nft_batch_file_write(file, session->table);
	if (nft_kept_ask(*kept, socket, file->bytes + NFT_BATCH_FILE_HEAD, file->length - NFT_BATCH_FILE_HEAD))
		return 0;
	return nft_kept_read(pool, socket, name, kept);
}

/* --- a table that other options made ------------------------------------------------------------------ */

static bool equals(struct session *session, const struct nft_read *read, const struct read_table *table,
		     const struct proof_limits *limits)
{
	void *pool = pool_child(session->pool, "other options");
	struct proof proof = nft_prove(pool, session->ruleset, read, table, limits);

	talloc_free(pool);
	return proof.result == PROOF_EQUAL;
}

/* "with '--log-group 5'"; NULL: it is as was said. */
static const char *group_missing(struct session *session, const struct proof_limits *said,
				 const struct proof_limits *found)
{
	if (!found->has_log_group)
		return said->has_log_group ? "without '--log-group'" : NULL;
	if (said->has_log_group && said->log_group == found->log_group)
		return NULL;
	return pool_format(session->pool, "with '--log-group %u'", (unsigned)found->log_group);
}

/* "with '--count'", "without '--log-group'": what has to be said for the table to be that of the policy; NULL where
 * nothing helps. The ruleset counts otherwise from here on. */
static const char *options_missing(struct session *session, const struct nft_read *read,
				   const struct read_table *table)
{
	const struct proof_limits said = proof_limits_of(session);
	struct proof_limits found = said;
	void *pool = pool_child(session->pool, "counting");
	const char *group, *word = session->options.counts_all ? "without" : "with";

	proof_find_log_group(table, &found);
	group = group_missing(session, &said, &found);
	if (group != NULL && equals(session, read, table, &found))
		return group;
	if (session->options.counts_all)
		ruleset_count_said(pool, session->ruleset);
	else
		ruleset_count_all(pool, session->ruleset);
	if (!equals(session, read, table, &found))
		return NULL;
	if (group == NULL)
		return pool_format(session->pool, "%s '--count'", word);
	return pool_format(session->pool, "%s and %s '--count'", group, word);
}

static bool verify(struct session *session, struct proof *proof)
{
	const struct proof_limits limits = proof_limits_of(session);
	const char *name = session->options.nft.table, *missing = NULL;
	void *pool = pool_child(session->pool, "verify");
	const struct read_table *table;
	const struct nft_read *read;
	struct nft_kept *kept;
	int error = read_kernel(session, pool, &kept);

	if (error != 0) {
		nft_report_error(session->diags, error, "read the kernel's rules");
		return false;
	}
	read = kept->has_table ? nft_kept_reading(pool, kept) : nft_read_new(pool);
	table = proof_table(pool, read, name);
	*proof = nft_prove(pool, session->ruleset, read, table, &limits);
	if (proof->result == PROOF_DIFFERS && kept->has_table)
		missing = options_missing(session, read, table);
	return proof_report(session, proof,
			    pool_format(pool, !kept->has_table ? "the kernel has no table inet '%s', and so it"
							       : "the kernel's table inet '%s'", name), missing);
}

/* --- a router's text -------------------------------------------------------------------------------- */

enum { OPTION_AGAINST = OPTION_OWN };

/* FILE, or FILE#LIST for a policy without devices. */
static bool read_text(struct session *session, const char *file, uint32_t *source)
{
	const char *bytes;
	size_t length;
	int error = session->reader.read(session->reader.context, session->pool, file, &bytes, &length);

	if (error != 0) {
		diag_add(session->diags, CODE_FILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s", file,
			 strerror(error));
		return false;
	}
	*source = sources_add(session->sources, file, bytes, length, false);
	return true;
}

static bool verify_text(struct session *session, const char *file, struct cisco_proof *proof)
{
	uint32_t source;

	if (session->views_count != 1) {
		diag_add(session->diags, CODE_EDIT_UNKNOWN, SPAN_NONE,
			 "the policy has %zu devices, and a text is one router's: say '--device NAME'",
			 session->views_count);
		return false;
	}
	return read_text(session, file, &source) && proof_make_against(session, source, proof);
}

static int verify_against(struct session *session, const char *against)
{
	const char *list = strrchr(against, '#');
	const char *file = list == NULL ? against :
			   pool_format(session->pool, "%.*s", (int)(list - against), against);
	struct cisco_proof proof;
	bool is_equal = false;
	int status;

	if (list != NULL)
		session->options.cisco.name = list + 1;
	session->options.is_for_router = true;
	session->options.cisco.redacts = true; /* lists and translations are compared, no keys */
	if (session_lower_cisco(session) && !session_is_refused(session)) {
		diags_drop(session->diags); /* what the compiler tells of lists is not what is asked */
		is_equal = verify_text(session, file, &proof);
	}
	status = session_finish(session);
	if (status == EXIT_DONE && !is_equal)
		return EXIT_POLICY;
	if (status == EXIT_DONE && !session->options.has_json)
		command_say("verified: the lists of %s equal the policy, %zu lists, %zu entries", against,
			    proof.lists, proof.entries);
	return status;
}

/* --- the command ------------------------------------------------------------------------------------ */

static int verify_parse(struct session_options *options, const char **against, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "against", required_argument, NULL, OPTION_AGAINST },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1) {
		if (option == OPTION_AGAINST)
			*against = optarg;
		else
			status = session_option(options, "verify", option, optarg);
	}
	if (status == EXIT_DONE && options->device != NULL && *against == NULL)
		return command_misused("verify", "'--device' is for '--against'");
	return status != EXIT_DONE ? status : session_path(options, "verify", argc, argv);
}

int command_verify(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	const char *against = NULL;
	int status = verify_parse(&options, &against, argc, argv);
	bool is_equal = false;
	struct session *session;
	struct proof proof;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &options);
	if (against != NULL)
		return verify_against(session, against);
	if (session_lower(session) && !session_is_refused(session)) {
		rights_want_no_program();
		is_equal = verify(session, &proof);
	}
	status = session_finish(session);
	if (status == EXIT_DONE && !is_equal)
		return EXIT_POLICY; /* undecided is not equal */
	if (status == EXIT_DONE && !options.has_json)
		fprintf(stderr, "verified: the kernel's table inet %s equals the policy, %zu hooks, %zu rules\n",
			options.nft.table, proof.hooks, proof.rules);
	return status;
}
