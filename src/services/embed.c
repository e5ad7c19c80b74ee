/* Build tool: the profiles as C arrays with an index (see builtin.h).
 *
 *     embed OUTPUT.c FILE.fw…
 *
 * It reads just enough of the language to find where a definition begins and ends, and which
 * names, aliases and tags it brings; the unit tests parse every definition and compare. Names
 * that clash end the build, with the place. Memory is never freed: the program ends soon. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/builtin.h"

struct tag {
	const char *name;
	uint32_t *members;
	size_t members_count;
};

struct key {
	char *folded;
	enum builtin_kind kind;
	uint32_t index;
	uint32_t file, offset;
};

static struct index {
	struct builtin_file *files;
	size_t files_count;
	struct builtin_definition *definitions;
	size_t definitions_count;
	struct tag *tags;
	size_t tags_count;
	struct key *keys;
	size_t keys_count;
} database;

/* The text being read. */
struct reader {
	const char *bytes;
	uint32_t length, at;
	uint32_t file;
};

struct token {
	char kind; /* 'w' word, 's' string, 0 end of file, else the character itself */
	const char *begin;
	size_t length;
	uint32_t offset;
};

static _Noreturn void fail(const struct reader *reader, uint32_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static _Noreturn void fail(const struct reader *reader, uint32_t offset, const char *format, ...)
{
	unsigned line = 1;
	for (uint32_t i = 0; i < offset; i++)
		line += reader->bytes[i] == '\n';
	fprintf(stderr, "%s:%u: ", database.files[reader->file].name, line);
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void *grown(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0) /* room is made at powers of two */
		return array;
	void *more = realloc(array, (count == 0 ? 1 : count * 2) * size);
	if (more == NULL)
		abort();
	return more;
}

/* --- tokens -------------------------------------------------------------------------------- */

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->length) {
		if (reader->bytes[reader->at] == '#')
			while (reader->at < reader->length && reader->bytes[reader->at] != '\n')
				reader->at++;
		else if (isspace((unsigned char)reader->bytes[reader->at]))
			reader->at++;
		else
			return;
	}
}

static bool ends_word(char byte)
{
	return isspace((unsigned char)byte) || strchr("#;,{}=\"", byte) != NULL;
}

static struct token next_token(struct reader *reader)
{
	skip_blanks(reader);
	struct token token = { .begin = reader->bytes + reader->at, .offset = reader->at };
	if (reader->at == reader->length)
		return token;
	if (*token.begin == '"') {
		const char *end = strpbrk(token.begin + 1, "\"\n");
		if (end == NULL || *end != '"')
			fail(reader, token.offset, "a string has no end");
		token.kind = 's';
		token.begin++;
		token.length = (size_t)(end - token.begin);
		reader->at += (uint32_t)token.length + 2;
		return token;
	}
	if (ends_word(*token.begin)) {
		token.kind = *token.begin;
		reader->at++;
		return token;
	}
	token.kind = 'w';
	while (reader->at < reader->length && !ends_word(reader->bytes[reader->at]))
		reader->at++;
	token.length = (size_t)(reader->bytes + reader->at - token.begin);
	return token;
}

static bool is_word(const struct token *token, const char *word)
{
	return token->kind == 'w' && token->length == strlen(word) &&
	       memcmp(token->begin, word, token->length) == 0;
}

/* --- the index ----------------------------------------------------------------------------- */

static char *folded_copy(const struct token *token)
{
	char *copy = strndup(token->begin, token->length);
	if (copy == NULL)
		abort();
	for (char *byte = copy; *byte != '\0'; byte++)
		*byte = (char)(*byte >= 'A' && *byte <= 'Z' ? *byte - 'A' + 'a' : *byte);
	return copy;
}

static void add_key(const struct reader *reader, const struct token *token, enum builtin_kind kind,
		    size_t index)
{
	database.keys = grown(database.keys, database.keys_count, sizeof *database.keys);
	database.keys[database.keys_count++] = (struct key){
		folded_copy(token), kind, (uint32_t)index, reader->file, token->offset,
	};
}

static struct tag *tag_of(const struct reader *reader, const struct token *token)
{
	for (size_t i = 0; i < database.tags_count; i++)
		if (strlen(database.tags[i].name) == token->length &&
		    strncasecmp(database.tags[i].name, token->begin, token->length) == 0)
			return &database.tags[i];
	add_key(reader, token, BUILTIN_TAG, database.tags_count);
	database.tags = grown(database.tags, database.tags_count, sizeof *database.tags);
	struct tag *tag = &database.tags[database.tags_count++];
	*tag = (struct tag){ .name = strndup(token->begin, token->length) };
	return tag;
}

static void add_member(struct tag *tag, size_t definition)
{
	if (tag->members_count != 0 && tag->members[tag->members_count - 1] == definition)
		return;
	tag->members = grown(tag->members, tag->members_count, sizeof *tag->members);
	tag->members[tag->members_count++] = (uint32_t)definition;
}

/* --- statements ------------------------------------------------------------------------------ */

/* The words of `alias` and `tag` lines, up to the ';' or '}'. */
static struct token read_words(struct reader *reader, enum builtin_kind kind)
{
	struct token token = next_token(reader);
	for (; token.kind != 0 && token.kind != ';' && token.kind != '}'; token = next_token(reader)) {
		if (token.kind == ',')
			continue;
		if (kind == BUILTIN_TAG)
			add_member(tag_of(reader, &token), database.definitions_count);
		else
			add_key(reader, &token, kind, database.definitions_count);
	}
	return token;
}

static struct token skip_line(struct reader *reader, struct token token)
{
	while (token.kind != 0 && token.kind != ';' && token.kind != '}')
		token = next_token(reader);
	return token;
}

static void read_block(struct reader *reader)
{
	struct token token = next_token(reader);
	while (token.kind != '}') {
		if (token.kind == 0)
			fail(reader, token.offset, "a '}' is missing");
		if (is_word(&token, "alias"))
			token = read_words(reader, BUILTIN_ALIAS);
		else if (is_word(&token, "tag"))
			token = read_words(reader, BUILTIN_TAG);
		else
			token = skip_line(reader, token);
		if (token.kind == ';')
			token = next_token(reader);
	}
}

static void read_service(struct reader *reader, uint32_t begin)
{
	struct token name = next_token(reader);
	if (name.kind != 'w' && name.kind != 's')
		fail(reader, name.offset, "a service has no name");
	add_key(reader, &name, BUILTIN_NAME, database.definitions_count);
	struct token token = next_token(reader);
	if (token.kind == 's') /* the description */
		token = next_token(reader);
	if (token.kind == '{')
		read_block(reader);
	else if (token.kind == '=')
		skip_line(reader, token);
	else
		fail(reader, token.offset, "'=' or '{' is missing");
	database.definitions =
		grown(database.definitions, database.definitions_count, sizeof *database.definitions);
	database.definitions[database.definitions_count++] =
		(struct builtin_definition){ reader->file, begin, reader->at };
}

static void read_file(uint32_t file)
{
	struct reader reader = { database.files[file].bytes, database.files[file].length, 0, file };
	for (;;) {
		struct token token = next_token(&reader);
		if (token.kind == 0)
			return;
		if (token.kind == ';')
			continue;
		if (!is_word(&token, "service"))
			fail(&reader, token.offset, "a profile holds definitions of services only");
		read_service(&reader, token.offset);
	}
}

static void load(const char *path)
{
	FILE *stream = fopen(path, "rb");
	char *bytes = NULL;
	size_t length = 0;
	if (stream == NULL || getdelim(&bytes, &(size_t){ 0 }, '\0', stream) < 0) {
		fprintf(stderr, "%s: %s\n", path, errno == 0 ? "empty" : strerror(errno));
		exit(1);
	}
	length = strlen(bytes);
	if (!feof(stream) || length > UINT32_MAX / 2) {
		fprintf(stderr, "%s: not a text\n", path);
		exit(1);
	}
	fclose(stream);
	const char *slash = strrchr(path, '/');
	database.files = grown(database.files, database.files_count, sizeof *database.files);
	database.files[database.files_count++] = (struct builtin_file){
		slash == NULL ? path : slash + 1, bytes, (uint32_t)length,
	};
	read_file((uint32_t)database.files_count - 1);
}

static int compare_keys(const void *left, const void *right)
{
	return strcmp(((const struct key *)left)->folded, ((const struct key *)right)->folded);
}

static void check_keys(void)
{
	if (database.keys_count > 1)
		qsort(database.keys, database.keys_count, sizeof *database.keys, compare_keys);
	for (size_t i = 1; i < database.keys_count; i++) {
		const struct key *key = &database.keys[i], *other = key - 1;
		if (strcmp(key->folded, other->folded) != 0)
			continue;
		struct reader reader = { .bytes = database.files[key->file].bytes, .file = key->file };
		fail(&reader, key->offset, "the name '%s' stands in %s too", key->folded,
		     database.files[other->file].name);
	}
}

/* --- output ---------------------------------------------------------------------------------- */

static void write_string(FILE *out, const char *bytes, size_t length)
{
	fputc('"', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if (byte == '\n')
			fputs(i + 1 < length ? "\\n\"\n\"" : "\\n", out);
		else if (byte < ' ' || byte >= 0x7f || strchr("\"\\?", byte) != NULL)
			fprintf(out, "\\%03o", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

static void write_files(FILE *out)
{
	fputs("static const struct builtin_file files[] = {\n", out);
	for (size_t i = 0; i < database.files_count; i++) {
		fputs("{ ", out);
		write_string(out, database.files[i].name, strlen(database.files[i].name));
		fputs(",\n", out);
		write_string(out, database.files[i].bytes, database.files[i].length);
		fprintf(out, ", %u },\n", database.files[i].length);
	}
	fputs("{ 0 } };\nstatic const struct builtin_definition definitions[] = {\n", out);
	for (size_t i = 0; i < database.definitions_count; i++)
		fprintf(out, "{ %u, %u, %u },\n", database.definitions[i].file,
			database.definitions[i].begin, database.definitions[i].end);
	fputs("{ 0 } };\n", out);
}

static void write_tags(FILE *out)
{
	fputs("static const uint32_t members[] = {\n", out);
	for (size_t i = 0; i < database.tags_count; i++)
		for (size_t j = 0; j < database.tags[i].members_count; j++)
			fprintf(out, "%u,%c", database.tags[i].members[j], j % 16 == 15 ? '\n' : ' ');
	fputs("0 };\nstatic const struct builtin_tag tags[] = {\n", out);
	size_t first = 0;
	for (size_t i = 0; i < database.tags_count; i++) {
		const struct tag *tag = &database.tags[i];
		fputs("{ ", out);
		write_string(out, tag->name, strlen(tag->name));
		fprintf(out, ", members + %zu, %zu },\n", first, tag->members_count);
		first += tag->members_count;
	}
	fputs("{ \"\", members, 0 } };\n", out);
}

static void write_keys(FILE *out)
{
	static const char *const kinds[] = { "BUILTIN_NAME", "BUILTIN_ALIAS", "BUILTIN_TAG" };
	fputs("static const struct builtin_key keys[] = {\n", out);
	for (size_t i = 0; i < database.keys_count; i++) {
		const struct key *key = &database.keys[i];
		fputs("{ ", out);
		write_string(out, key->folded, strlen(key->folded));
		fprintf(out, ", %s, %u },\n", kinds[key->kind], key->index);
	}
	fputs("{ 0 } };\n", out);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (int i = 2; i < argc; i++)
		load(argv[i]);
	check_keys();
	FILE *out = fopen(argv[1], "w");
	if (out == NULL) {
		perror(argv[1]);
		return 1;
	}
	fputs("/* Made by embed.c from profiles/: do not edit. */\n"
	      "#include \"services/builtin.h\"\n\n",
	      out);
	write_files(out);
	write_tags(out);
	write_keys(out);
	fprintf(out, "const struct builtin_data builtin_data = { files, %zu, definitions, %zu, tags, %zu, "
		     "keys, %zu };\n",
		database.files_count, database.definitions_count, database.tags_count,
		database.keys_count);
	if (ferror(out) || fclose(out) != 0) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
