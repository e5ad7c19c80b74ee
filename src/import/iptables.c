/* One family after the other; then what both say in the same words stands once. */
#include "import/iptables.h"

#include <string.h>

#include "base/pool.h"
#include "import/policy.h"
#include "import/rows.h"

struct importing {
	void *pool;
	struct diags *diags;
	const struct import_iptables_settings *settings;
	const struct spelling *spelling;
	struct import_losses losses;
	struct import_policy policy;
	struct import_iptables_files *files;
};

static const char *const chain_names[IMPORT_HOOKS] = { "INPUT", "FORWARD", "OUTPUT" };

/* --- which family ---------------------------------------------------------------------------------- */

/* What ip6tables alone knows and nobody calls a chain by (ip6tables-extensions). */
static bool is_of_ip6tables(const char *word)
{
	static const char *const words[] = {
		"--hl-eq", "--hl-gt", "--hl-lt", "--icmpv6-type", "icmp6", "icmpv6", "ipv6-icmp", "ipv6header",
	};

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strcmp(words[index], word) == 0)
			return true;
	return strncmp(word, "icmp6-", strlen("icmp6-")) == 0;
}

static bool is_ipv6_word(const struct save_word *word)
{
	size_t length = strcspn(word->text, "/,-");
	struct address address;

	return !word->is_quoted && (is_of_ip6tables(word->text) ||
				    (address_parse(word->text, length, &address) && address.family == FAMILY_IPV6));
}

static bool chain_has_ipv6(const struct save_chain *chain)
{
	for (size_t rule = 0; rule < chain->rules_count; rule++)
		for (size_t word = 0; word < chain->rules[rule].words_count; word++)
			if (is_ipv6_word(&chain->rules[rule].words[word]))
				return true;
	return false;
}

/* Whether a comment of the text says so: what stands in rules is the administrator's. */
static bool is_said(const struct source *source, const char *words)
{
	for (const char *line = source->bytes, *end; *line != '\0'; line = end + strspn(end, "\r\n")) {
		end = line + strcspn(line, "\r\n");
		if (line[0] == '#' && memmem(line, (size_t)(end - line), words, strlen(words)) != NULL)
			return true;
	}
	return false;
}

static enum family family_of(const struct source *source, const struct save_file *file)
{
	if (is_said(source, "ip6tables-save"))
		return FAMILY_IPV6;
	if (is_said(source, "iptables-save"))
		return FAMILY_IPV4;
	for (size_t index = 0; index < names_count(file->tables); index++) {
		const struct save_table *table = names_value(file->tables, index);

		for (size_t chain = 0; chain < names_count(table->chains); chain++)
			if (chain_has_ipv6(names_value(table->chains, chain)))
				return FAMILY_IPV6;
	}
	return FAMILY_IPV4;
}

/* --- other tables ---------------------------------------------------------------------------------- */

static void refuse_chain(struct importing *run, const struct save_table *table, const struct save_chain *chain)
{
	if (chain->policy == SAVE_POLICY_DROP)
		diag_add(run->diags, CODE_IPTABLES_UNSAYABLE, chain->span, "no rule can say what this says: "
			 "it drops packets in table '%s'", table->name);
	for (size_t index = 0; index < chain->rules_count; index++)
		diag_add(run->diags, CODE_IPTABLES_UNSAYABLE, chain->rules[index].span, "no rule can say what "
			 "this says: it stands in table '%s'", table->name);
}

static void refuse_others(struct importing *run, const struct save_file *file)
{
	for (size_t index = 0; index < names_count(file->tables); index++) {
		const struct save_table *table = names_value(file->tables, index);

		if (strcmp(table->name, "filter") == 0 || strcmp(table->name, "nat") == 0)
			continue;
		for (size_t chain = 0; chain < names_count(table->chains); chain++)
			refuse_chain(run, table, names_value(table->chains, chain));
	}
}

/* Sources of packets to the firewall itself are never translated here. */
static void import_nat(struct importing *run, const struct import_rows_settings *settings,
		       const struct save_table *table)
{
	const struct save_chain *input = save_chain_find(table, "INPUT");

	if (input != NULL)
		refuse_chain(run, table, input);
	import_translations_of(settings, table, &run->policy.translations);
}

/* --- one file -------------------------------------------------------------------------------------- */

static void import_filter(struct importing *run, const struct save_table *table,
			  const struct save_table *nat, enum family family)
{
	struct import_space *space = import_space_new(run->pool, family);
	struct import_list lists[IMPORT_HOOKS];
	const struct import_rows_settings settings = {
		.space = space,
		.diags = run->diags,
		.spelling = run->spelling,
		.ignores_always_passing = run->settings->ignores_always_passing,
		.skips_unknown = run->settings->skips_unknown,
		.losses = &run->losses,
		.interfaces = run->policy.interfaces,
		.limited = names_new(run->pool, false),
	};
	bool is_read = true, lets_invalid;

	for (unsigned hook = 0; hook < IMPORT_HOOKS; hook++)
		is_read = import_unfold(space, run->diags, table, chain_names[hook], &lists[hook]) && is_read;
	if (!is_read)
		return;
	if (nat != NULL)
		import_nat(run, &settings, nat);
	if (!run->settings->ignores_always_passing) {
		import_compare_passing(space, run->diags, lists, chain_names, &lets_invalid);
		run->policy.drops_invalid = run->policy.drops_invalid || lets_invalid;
	}
	for (enum import_hook hook = 0; hook < IMPORT_HOOKS && !import_space_is_over(space); hook++)
		run->policy.rows[family][hook] = import_rows_of(&settings, hook, &lists[hook]);
	if (import_space_is_over(space))
		diag_add(run->diags, CODE_IPTABLES_LARGE, table->span, "the rules need more memory than is given "
			 "to them%s", run->settings->ignores_always_passing ? "" :
			 "; with --always-passing they need less, since nothing is compared then");
}

static void import_source(struct importing *run, uint32_t source)
{
	const struct source *text = run->diags->sources->items[source];
	const struct save_file *file = save_read(run->pool, run->diags, source);
	const struct save_table *table;
	enum family family;

	if (file == NULL)
		return;
	family = family_of(text, file);
	table = save_table_find(file, "filter");
	if (run->policy.has_family[family]) {
		diag_add(run->diags, CODE_IPTABLES_FILES, SPAN_NONE, "'%s' is the second file of IPv%c",
			 text->name, family == FAMILY_IPV4 ? '4' : '6');
		return;
	}
	if (table == NULL) {
		diag_add(run->diags, CODE_IPTABLES_FILES, SPAN_NONE, "'%s' has no table 'filter'", text->name);
		return;
	}
	for (unsigned hook = 0; hook < IMPORT_HOOKS; hook++)
		if (save_chain_find(table, chain_names[hook]) == NULL) {
			diag_add(run->diags, CODE_IPTABLES_FILES, table->span, "table 'filter' has no chain '%s'",
				 chain_names[hook]);
			return;
		}
	run->policy.has_family[family] = true;
	run->policy.files[family] = text->name;
	run->files->items[family] = file;
	refuse_others(run, file);
	import_filter(run, table, save_table_find(file, "nat"), family);
}

/* --- both ------------------------------------------------------------------------------------------ */

void import_iptables(struct text *out, struct diags *diags, const uint32_t *sources, size_t sources_count,
		     const struct service_database *database,
		     const struct import_iptables_settings *settings, struct import_iptables_files *files,
		     bool *is_usable)
{
	struct importing run = {
		.pool = out->pool,
		.diags = diags,
		.settings = settings,
		.spelling = spelling_new(out->pool, database),
		.losses = { .log = SPAN_NONE, .answer = SPAN_NONE },
		.policy = { .interfaces = names_new(out->pool, false) },
		.files = files,
	};
	const size_t since = diags->items_count;

	*files = (struct import_iptables_files){ 0 };
	for (size_t index = 0; index < sources_count; index++)
		import_source(&run, sources[index]);
	import_tell_losses(diags, &run.losses);
	run.policy.lacks_foreign_icmp = run.losses.foreign_icmp > 0;
	files->lacks_foreign_icmp = run.losses.foreign_icmp > 0;
	files->has_other_logs = run.losses.logs > 0;
	files->translates_destinations = run.policy.translations.has_forward;
	*is_usable = import_are_all_skipped(diags, since) && !diags->is_full;
	if (*is_usable)
		import_policy_write(out, &run.policy);
}
