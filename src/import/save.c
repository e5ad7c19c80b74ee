/* Line by line: no state but the table at hand. */
#include "import/save.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "base/text.h"

struct save_reader {
	void *pool;
	struct diags *diags;
	struct save_file *file;
	struct save_table *table;
	struct span line;
};

static void complain(struct save_reader *reader, struct span span, const char *what)
{
	diag_add(reader->diags, CODE_IPTABLES_LINE, span, "%s", what);
}

/* --- words ----------------------------------------------------------------------------------- */

static struct save_word quoted_word(struct save_reader *reader, const char *bytes, size_t *at, size_t end)
{
	struct text *text = text_new(reader->pool);
	size_t begin = *at;

	for ((*at)++; *at < end && bytes[*at] != '"'; (*at)++) {
		if (bytes[*at] == '\\' && *at + 1 < end)
			(*at)++;
		text_add_char(text, bytes[*at]);
	}
	if (*at == end)
		complain(reader, (struct span){ reader->line.source, (uint32_t)begin, (uint32_t)end },
			 "a quoted word has no end");
	else if (++*at < end && bytes[*at] != ' ' && bytes[*at] != '\t')
		complain(reader, (struct span){ reader->line.source, (uint32_t)begin, (uint32_t)*at + 1 },
			 "a quoted word goes on behind its end");
	return (struct save_word){ text->bytes,
		{ reader->line.source, (uint32_t)begin, (uint32_t)*at }, true };
}

static struct save_word plain_word(struct save_reader *reader, const char *bytes, size_t *at, size_t end)
{
	size_t begin = *at;

	while (*at < end && bytes[*at] != ' ' && bytes[*at] != '\t')
		(*at)++;
	if (memchr(bytes + begin, '"', *at - begin) != NULL)
		complain(reader, (struct span){ reader->line.source, (uint32_t)begin, (uint32_t)*at },
			 "a quote stands inside a word");
	return (struct save_word){ pool_strndup(reader->pool, bytes + begin, *at - begin),
		{ reader->line.source, (uint32_t)begin, (uint32_t)*at }, false };
}

static void split(struct save_reader *reader, const char *bytes, struct save_rule *rule)
{
	size_t at = reader->line.begin, end = reader->line.end;

	for (;;) {
		while (at < end && (bytes[at] == ' ' || bytes[at] == '\t'))
			at++;
		if (at == end)
			return;
		*pool_append(reader->pool, rule, words) = bytes[at] == '"' ?
			quoted_word(reader, bytes, &at, end) : plain_word(reader, bytes, &at, end);
	}
}

/* --- lines ----------------------------------------------------------------------------------- */

static void begin_table(struct save_reader *reader, const char *name)
{
	struct save_table *table = pool_new(reader->pool, struct save_table);

	if (reader->table != NULL)
		complain(reader, reader->line, "a table begins before the one above it ends in COMMIT");
	*table = (struct save_table){ .name = name, .span = reader->line,
		.chains = names_new(reader->pool, false) };
	if (names_set(reader->file->tables, name, strlen(name), table) != NULL)
		complain(reader, reader->line, "a table stands in the text twice");
	reader->table = table;
}

static void begin_chain(struct save_reader *reader, const struct save_rule *words)
{
	struct save_chain *chain = pool_new(reader->pool, struct save_chain);
	const char *name = words->words[0].text + 1;
	const char *policy = words->words_count > 1 ? words->words[1].text : "";

	*chain = (struct save_chain){ .name = name, .span = reader->line };
	if (strcmp(policy, "ACCEPT") == 0)
		chain->policy = SAVE_POLICY_ACCEPT;
	else if (strcmp(policy, "DROP") == 0)
		chain->policy = SAVE_POLICY_DROP;
	else if (strcmp(policy, "-") != 0)
		complain(reader, reader->line,
			 "a chain's policy is ACCEPT or DROP, or '-' for a chain of one's own");
	if (names_set(reader->table->chains, name, strlen(name), chain) != NULL)
		complain(reader, reader->line, "a chain stands in its table twice");
}

static bool is_append(const char *word)
{
	return strcmp(word, "-A") == 0 || strcmp(word, "--append") == 0;
}

static void add_rule(struct save_reader *reader, struct save_rule *rule)
{
	struct save_chain *chain;

	if (rule->words[0].text[0] == '[') {
		rule->words++;
		rule->words_count--;
	}
	if (rule->words_count < 2 || !is_append(rule->words[0].text)) {
		complain(reader, reader->line, "this is no line of iptables-save: it begins with '*', ':', '-A', "
			 "'COMMIT' or '#'");
		return;
	}
	chain = names_find(reader->table->chains, rule->words[1].text, strlen(rule->words[1].text));
	if (chain == NULL) {
		complain(reader, rule->words[1].span, "the table has no chain of this name");
		return;
	}
	rule->words += 2;
	rule->words_count -= 2;
	rule->words_capacity = 0;
	rule->span = reader->line;
	*pool_append(reader->pool, chain, rules) = *rule;
}

/* iptables-nft-save tells in comments what it does not show (iptables/nft.c, nft_check_xt_legacy;
 * iptables/xtables-save.c). */
static void read_comment(struct save_reader *reader, const char *bytes)
{
	static const char *const partial[] = { "is incompatible, use 'nft' tool", "tables present, use " };
	const struct span line = reader->line;
	const size_t length = line.end - line.begin;

	for (size_t index = 0; index < sizeof partial / sizeof partial[0]; index++)
		if (memmem(bytes + line.begin, length, partial[index], strlen(partial[index])) != NULL)
			diag_add(reader->diags, CODE_IPTABLES_PARTIAL, line,
				 "this text does not show every rule, as it says itself");
}

static void read_line(struct save_reader *reader, const char *bytes)
{
	struct save_rule rule = { 0 };

	if (reader->line.end > reader->line.begin && bytes[reader->line.begin] == '#') {
		read_comment(reader, bytes);
		return;
	}
	split(reader, bytes, &rule);
	if (rule.words_count == 0)
		return;
	if (rule.words[0].text[0] == '*' && !rule.words[0].is_quoted) {
		begin_table(reader, rule.words[0].text + 1);
		return;
	}
	if (reader->table == NULL) {
		complain(reader, reader->line, "this line stands in no table: tables begin with '*NAME'");
		return;
	}
	if (strcmp(rule.words[0].text, "COMMIT") == 0)
		reader->table = NULL;
	else if (rule.words[0].text[0] == ':')
		begin_chain(reader, &rule);
	else
		add_rule(reader, &rule);
}

struct save_file *save_read(void *pool, struct diags *diags, uint32_t source)
{
	const struct source *text = diags->sources->items[source];
	struct save_file *file = pool_new(pool, struct save_file);
	struct save_reader reader = { .pool = pool, .diags = diags, .file = file };
	size_t errors = diags->error_count;

	file->tables = names_new(pool, false);
	for (size_t at = 0; at < text->length;) {
		const char *end = memchr(text->bytes + at, '\n', text->length - at);
		size_t length = end == NULL ? text->length - at : (size_t)(end - text->bytes) - at;
		size_t shown = length > 0 && text->bytes[at + length - 1] == '\r' ? length - 1 : length;

		reader.line = (struct span){ source, (uint32_t)at, (uint32_t)(at + shown) };
		if (memchr(text->bytes + at, '\0', length) != NULL)
			complain(&reader, reader.line, "a line holds a NUL byte");
		else
			read_line(&reader, text->bytes);
		at += length + 1;
	}
	if (reader.table != NULL)
		diag_add(diags, CODE_IPTABLES_LINE, reader.table->span,
			 "table '%s' has no COMMIT: the text is cut short", reader.table->name);
	return diags->error_count == errors ? file : NULL;
}

const struct save_table *save_table_find(const struct save_file *file, const char *name)
{
	return names_find(file->tables, name, strlen(name));
}

const struct save_chain *save_chain_find(const struct save_table *table, const char *name)
{
	return names_find(table->chains, name, strlen(name));
}
