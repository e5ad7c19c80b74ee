/* fwc service import FILE: services(5), which Unix and Windows share, as definitions.
 *
 *     name  port/protocol  [alias …]  [# comment]
 *
 * Lines of one name become one definition. What the database holds already, with the same ports,
 * is not defined again; what differs from it is told in a comment, and redefined only when asked
 * for: a name that a policy uses never changes its ports unseen. */
#include "cmd/service.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "net/protocol.h"
#include "services/database.h"

struct import_entry {
	const char *name;
	const char *comment; /* of the first line that has one, or "" */
	struct tuple_set tuples;
	const char **aliases;
	size_t aliases_count, aliases_capacity;
	unsigned line; /* the first */
};

struct import {
	struct session *session;
	const struct service_query *query;
	uint32_t source;
	struct names *by_name; /* folded, of struct import_entry */
	struct names *taken;   /* names and aliases that were written already */
	struct text *out;
};

/* --- reading ------------------------------------------------------------------------------ */

struct cursor {
	const char *at, *end;
};

/* The next word before '#'; *length 0 at the end of the line. */
static const char *next_word(struct cursor *cursor, size_t *length)
{
	const char *begin;

	while (cursor->at < cursor->end && isspace((unsigned char)*cursor->at))
		cursor->at++;
	begin = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != '#' &&
	       !isspace((unsigned char)*cursor->at))
		cursor->at++;
	*length = (size_t)(cursor->at - begin);
	return begin;
}

/* Lines of protocols that do not run over IP (ddp), or have no ports, are well formed, and left out. */
enum line_kind { LINE_MALFORMED, LINE_FOREIGN, LINE_SERVICE };

static enum line_kind port_protocol(const char *word, size_t length, struct service_tuple *tuple)
{
	unsigned long port = 0;
	size_t digits = 0;
	uint8_t protocol;

	while (digits < length && digits < 6 && isdigit((unsigned char)word[digits]))
		port = port * 10 + (unsigned long)(word[digits++] - '0');
	if (digits == 0 || digits > 5 || digits + 1 >= length || word[digits] != '/' || port > 65535)
		return LINE_MALFORMED;
	if (!protocol_find(word + digits + 1, length - digits - 1, &protocol) ||
	    !protocol_has_ports(protocol))
		return LINE_FOREIGN;
	*tuple = (struct service_tuple){
		.protocol = protocol,
		.families = FAMILIES_BOTH,
		.first = { (uint16_t)port, (uint16_t)port },
		.second = { 0, UINT16_MAX },
	};
	return LINE_SERVICE;
}

static struct import_entry *entry_for(struct import *import, const char *name, size_t length,
				      unsigned line)
{
	void *pool = import->session->pool;
	struct import_entry *entry = names_find(import->by_name, name, length);

	if (entry == NULL) {
		entry = pool_new(pool, struct import_entry);
		entry->name = pool_strndup(pool, name, length);
		entry->comment = "";
		entry->line = line;
		names_set(import->by_name, name, length, entry);
	}
	return entry;
}

static const char *trimmed(void *pool, const char *begin, const char *end)
{
	while (begin < end && isspace((unsigned char)*begin))
		begin++;
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	return pool_strndup(pool, begin, (size_t)(end - begin));
}

static struct span line_span(const struct import *import, const char *begin, const char *end)
{
	const char *bytes = import->session->sources->items[import->source]->bytes;

	return (struct span){ import->source, (uint32_t)(begin - bytes), (uint32_t)(end - bytes) };
}

static void add_left_out(struct text *out, const char *words, size_t length, unsigned line)
{
	text_addf(out, "# line %u is left out, its protocol has no ports over IP: ", line);
	for (size_t index = 0; index < length; index++)
		text_add_char(out, isprint((unsigned char)words[index]) ? words[index] : ' ');
	text_add_char(out, '\n');
}

static void read_line(struct import *import, const char *begin, const char *end, unsigned line)
{
	void *pool = import->session->pool;
	struct cursor cursor = { begin, end };
	struct service_tuple tuple;
	struct import_entry *entry;
	size_t name_length, length;
	const char *name = next_word(&cursor, &name_length), *word;

	if (name_length == 0)
		return;
	word = next_word(&cursor, &length);
	switch (port_protocol(word, length, &tuple)) {
	case LINE_SERVICE:
		break;
	case LINE_FOREIGN:
		add_left_out(import->out, name, (size_t)(word + length - name), line);
		return;
	case LINE_MALFORMED:
		diag_add(import->session->diags, CODE_LIST_ENTRY, line_span(import, begin, end),
			 "expected NAME PORT/PROTOCOL, as in /etc/services");
		return;
	}
	entry = entry_for(import, name, name_length, line);
	tuple_set_add(pool, &entry->tuples, tuple);
	while (word = next_word(&cursor, &length), length > 0)
		*pool_append(pool, entry, aliases) = pool_strndup(pool, word, length);
	if (cursor.at < end && *cursor.at == '#' && entry->comment[0] == '\0')
		entry->comment = trimmed(pool, cursor.at + 1, end);
}

static void read_all(struct import *import, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	unsigned line = 1;

	for (const char *begin = bytes; begin < end; line++) {
		const char *stop = memchr(begin, '\n', (size_t)(end - begin));

		if (stop == NULL)
			stop = end;
		read_line(import, begin, stop, line);
		begin = stop < end ? stop + 1 : end;
	}
}

/* --- writing ------------------------------------------------------------------------------- */

static bool is_plain_name(const char *name)
{
	static const char *const reserved[] = { "from", "to", "except", "any", "self", "internet" };
	bool has_letter = false;

	for (size_t index = 0; index < sizeof reserved / sizeof reserved[0]; index++)
		if (strcmp(name, reserved[index]) == 0)
			return false;
	for (const char *byte = name; *byte != '\0'; byte++) {
		if (!isalnum((unsigned char)*byte) && *byte != '_' &&
		    (byte == name || strchr(".+-", *byte) == NULL))
			return false;
		has_letter = has_letter || isalpha((unsigned char)*byte);
	}
	return has_letter;
}

/* Names and strings of foreign files: no quotes, no control characters reach the policy. */
static void add_quoted(struct text *out, const char *text)
{
	text_add_char(out, '"');
	for (const unsigned char *byte = (const unsigned char *)text; *byte != '\0'; byte++)
		text_add_char(out, *byte == '"' ? '\'' : *byte < ' ' || *byte == 0x7F ? ' ' :
			      (char)*byte);
	text_add_char(out, '"');
}

static void add_name(struct text *out, const char *name)
{
	if (is_plain_name(name))
		text_add(out, name);
	else
		add_quoted(out, name);
}

static const struct service *known_service(struct import *import, const char *name)
{
	bool is_known;

	return service_find(import->session->database, name, strlen(name), &is_known);
}

static bool is_taken(struct import *import, const char *name)
{
	return names_find(import->taken, name, strlen(name)) != NULL ||
	       names_find(import->by_name, name, strlen(name)) != NULL ||
	       known_service(import, name) != NULL;
}

static void add_aliases(struct import *import, const struct import_entry *entry)
{
	for (size_t index = 0; index < entry->aliases_count; index++) {
		const char *alias = entry->aliases[index];

		if (is_taken(import, alias))
			continue;
		names_set(import->taken, alias, strlen(alias), import);
		text_add(import->out, "    alias ");
		add_name(import->out, alias);
		text_add(import->out, ";\n");
	}
}

static void write_definition(struct import *import, const struct import_entry *entry,
			     const struct tuple_set *tuples, bool is_override)
{
	struct text *out = import->out;
	const char *file = import->session->sources->items[import->source]->name;

	text_add(out, is_override ? "override service " : "service ");
	add_name(out, entry->name);
	if (entry->comment[0] != '\0') {
		text_add_char(out, ' ');
		add_quoted(out, entry->comment);
	}
	text_add(out, " {\n");
	for (size_t index = 0; index < tuples->tuples_count; index++) {
		text_add(out, "    ");
		tuple_format(out, &tuples->tuples[index]);
		text_add(out, ";\n");
	}
	add_aliases(import, entry);
	text_add(out, "    source ");
	add_quoted(out, pool_format(out->pool, "%s:%u", file, entry->line));
	text_add(out, ";\n}\n");
}

static void add_comment_tuples(struct text *out, const struct tuple_set *set)
{
	for (size_t index = 0; index < set->tuples_count; index++) {
		text_add(out, index > 0 ? ", " : "");
		tuple_format(out, &set->tuples[index]);
	}
}

/* Names of tags and second names cannot be redefined. */
static void write_taken(struct text *out, const struct import_entry *entry,
			const struct service *known)
{
	text_add(out, "# the name is taken, by ");
	text_add(out, known->is_tag ? "a tag: " : "another name of ");
	if (!known->is_tag)
		text_addf(out, "%s: ", known->name);
	add_name(out, entry->name);
	text_add_char(out, '\n');
}

static void write_entry(struct import *import, const struct import_entry *entry)
{
	struct tuple_set tuples = tuple_set_normalise(import->session->pool, &entry->tuples);
	const struct service *known = known_service(import, entry->name);

	if (known != NULL && tuple_set_equals(&known->own, &tuples)) {
		text_add(import->out, "# built in already, with the same ports: ");
		add_name(import->out, entry->name);
		text_add_char(import->out, '\n');
		return;
	}
	if (known != NULL && (known->is_tag || strcasecmp(known->name, entry->name) != 0)) {
		write_taken(import->out, entry, known);
		return;
	}
	if (known == NULL || import->query->overrides) {
		write_definition(import, entry, &tuples, known != NULL);
		return;
	}
	text_add(import->out, "# built in with other ports: ");
	add_name(import->out, entry->name);
	text_add(import->out, " is ");
	add_comment_tuples(import->out, &known->own);
	text_add(import->out, " there, ");
	add_comment_tuples(import->out, &tuples);
	text_add(import->out, " here; --override redefines it\n");
}

int service_import(struct session *session, const struct service_query *query)
{
	struct import import = { .session = session, .query = query };
	const char *bytes;
	size_t length;
	int status, error = session->reader.read(session->reader.context, session->pool,
						 query->argument, &bytes, &length);

	if (error != 0) {
		diag_add(session->diags, CODE_FILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s",
			 query->argument, strerror(error));
		return session_finish(session);
	}
	import.source = sources_add(session->sources, query->argument, bytes, length, false);
	import.by_name = names_new(session->pool, true);
	import.taken = names_new(session->pool, true);
	import.out = text_new(session->pool);
	read_all(&import, bytes, length);
	for (size_t index = 0; index < names_count(import.by_name); index++)
		write_entry(&import, names_value(import.by_name, index));
	status = session_finish(session);
	if (status == EXIT_DONE && !output_stdout(import.out))
		return EXIT_WORLD;
	return status;
}
