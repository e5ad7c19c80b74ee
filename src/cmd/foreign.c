/* The text is compiled in memory: a reader hands it out, whatever path is asked. */
#include "cmd/foreign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "cmd/nft_source.h"
#include "cmd/proof.h"
#include "cmd/rights.h"
#include "import/iptables_prove.h"
#include "import/nft_prove.h"
#include "services/database.h"
#include "target/nft/load/legacy.h"

void foreign_open_database(struct session *session)
{
	session->database = service_database_new(session->pool, session->diags, NULL);
	service_database_resolve_all(session->database);
}

/* --- proof -------------------------------------------------------------------------------------------- */

static int read_made(void *context, void *pool, const char *path, const char **bytes, size_t *length)
{
	const struct text *text = context;

	(void)pool, (void)path;
	*bytes = text->bytes;
	*length = text->length;
	return 0;
}

/* The text compiled, as whoever gets it would; NULL after errors in the bag. */
static const struct ruleset *compile_made(struct session *session, struct text *text)
{
	struct session *made = session_other(session, "-");

	made->options.path = "imported policy";
	made->options.device = NULL;
	made->options.is_for_router = false;
	made->reader = (struct file_reader){ .read = read_made, .context = text };
	if (session_expand(made))
		return made->ruleset;
	diags_take_errors(session->diags, made->diags);
	return NULL;
}

/* true: the text may be given out. name: of what was read; other_logs: log lines differ, as a warning tells. */
static bool tell_proof(struct session *session, const struct proof *proof, const char *name, bool other_logs,
		       bool tells_proof)
{
	if (!proof_report(session, proof, pool_format(session->pool, "the ruleset of '%s'", name), NULL))
		return proof->result == PROOF_UNDECIDED; /* as with what compile makes: a warning tells */
	if (tells_proof)
		fprintf(stderr, "proved: this policy equals the ruleset, %zu rules, %zu translations%s\n",
			proof->rules, proof->translations, other_logs ? ", but for log lines" : "");
	return true;
}

static bool prove_nft(struct session *session, struct text *text, const struct import_nft_source *source,
		      const struct import_nft_tables *tables, bool tells_proof)
{
	const struct ruleset *ruleset = compile_made(session, text);
	struct proof proof;

	if (ruleset == NULL)
		return false;
	proof = import_nft_prove(pool_child(session->pool, "proof"), ruleset, source, tables);
	return tell_proof(session, &proof, source->name, tables->has_other_logs, tells_proof);
}

static bool prove_iptables(struct session *session, struct text *text, const char *name,
			   const struct import_iptables_files *files, bool tells_proof)
{
	const struct ruleset *ruleset = compile_made(session, text);
	struct proof proof;

	if (ruleset == NULL)
		return false;
	proof = import_iptables_prove(pool_child(session->pool, "proof"), ruleset, session->sources, files);
	return tell_proof(session, &proof, name, files->has_other_logs, tells_proof);
}

bool foreign_iptables(struct session *session, const uint32_t *sources, size_t sources_count,
		      const struct import_iptables_settings *settings, struct text *out, bool tells_proof)
{
	const char *name = session->sources->items[sources[0]]->name;
	struct import_iptables_files files;
	bool is_usable;

	if (sources_count > 1)
		name = pool_format(session->pool, "%s' and '%s", name, session->sources->items[sources[1]]->name);
	foreign_open_database(session);
	import_iptables(out, session->diags, sources, sources_count, session->database, settings, &files,
			&is_usable);
	if (is_usable && !diags_has_errors(session->diags)) /* what was left out is known to differ */
		is_usable = prove_iptables(session, out, name, &files, tells_proof);
	return is_usable;
}

static void tell_legacy(struct session *session)
{
	const char *tables = nft_legacy_tables(session->pool);

	if (tables != NULL)
		diag_add(session->diags, CODE_NFT_LEGACY, SPAN_NONE,
			 "rules of %s are asked, too, and are not in this policy", tables);
}

bool foreign_nft(struct session *session, const struct source *script,
		 const struct import_nft_settings *settings, struct text *out, bool tells_proof)
{
	struct import_nft_source source;
	struct import_nft_tables tables;
	bool is_usable, is_read;

	is_read = script == NULL ? nft_source_kernel(session->pool, session->diags, &source) :
		  nft_source_script(session->pool, session->diags, script, &source);
	if (!is_read)
		return false;
	if (script == NULL)
		tell_legacy(session);
	if (!rights_keep(RIGHTS_BOTH)) {
		diag_add(session->diags, CODE_NFT_NAMESPACE, SPAN_NONE, "rights cannot be given up: %s",
			 strerror(errno));
		return false;
	}
	foreign_open_database(session);
	import_nft(out, session->diags, &source, session->database, settings, &tables, &is_usable);
	if (is_usable && !diags_has_errors(session->diags)) /* what was left out is known to differ */
		is_usable = prove_nft(session, out, &source, &tables, tells_proof);
	return is_usable;
}

/* --- in place of a policy ----------------------------------------------------------------------------- */

static bool make_nft(struct session *session, const struct source *script, uint32_t number, struct text *out)
{
	static const struct import_nft_settings settings = { 0 };

	(void)number;
	return foreign_nft(session, script, &settings, out, false);
}

static bool make_iptables(struct session *session, const struct source *script, uint32_t number, struct text *out)
{
	static const struct import_iptables_settings settings = { 0 };

	(void)script;
	return foreign_iptables(session, &number, 1, &settings, out, false);
}

static const struct foreign_kind {
	const char *prefix;
	bool (*make)(struct session *session, const struct source *script, uint32_t number, struct text *out);
} kinds[] = {
	{ "iptables:", make_iptables },
	{ "nft:", make_nft },
};

static const struct foreign_kind *kind_of(const char *path)
{
	for (size_t index = 0; index < sizeof kinds / sizeof kinds[0]; index++)
		if (strncmp(path, kinds[index].prefix, strlen(kinds[index].prefix)) == 0)
			return &kinds[index];
	return NULL;
}

static bool is_meant(const char *path)
{
	return kind_of(path) != NULL && access(path, F_OK) != 0;
}

static bool open_foreign(struct session *session)
{
	const char *path = session->options.path;
	const struct foreign_kind *kind = kind_of(path);
	const char *file = path + strlen(kind->prefix), *bytes;
	struct text *text = text_new(session->pool);
	const struct source *script = NULL;
	uint32_t number = 0;
	size_t length;

	if (kind->make != make_nft || strcmp(file, NFT_SOURCE_KERNEL) != 0) {
		const struct file_reader disk = file_reader_disk();
		const int error = disk.read(disk.context, session->pool, file, &bytes, &length);

		if (error != 0) {
			diag_add(session->diags, error == EFBIG ? CODE_FILE_TOO_LARGE : CODE_FILE_UNREADABLE,
				 SPAN_NONE, "cannot read '%s': %s", file, strerror(error));
			return false;
		}
		number = sources_add(session->sources, file, bytes, length, false);
		script = session->sources->items[number];
	}
	if (!kind->make(session, script, number, text) || diags_has_errors(session->diags))
		return false;
	session->reader = (struct file_reader){ .read = read_made, .context = text };
	session->is_foreign = true;
	return true;
}

const struct session_foreign foreign_policies = { is_meant, open_foreign };
