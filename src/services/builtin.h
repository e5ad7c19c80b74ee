/* The built-in database as it is linked into the binary.
 *
 * The texts of profiles/ stand whole in the binary, with an index made by embed.c at build time:
 * every name, alias and tag, sorted, with the definition that it leads to. A compilation parses
 * only the definitions that it asks for: reading all of them would take longer than an ordinary
 * policy. Everything here is static and never changes. */
#ifndef FWC_SERVICES_BUILTIN_H
#define FWC_SERVICES_BUILTIN_H

#include <stddef.h>
#include <stdint.h>

struct builtin_file {
	const char *name;  /* "web.fw" */
	const char *bytes; /* NUL-terminated */
	uint32_t length;
};

/* One `service` statement: bytes [begin, end) of its file. */
struct builtin_definition {
	uint32_t file;
	uint32_t begin, end;
};

/* A tag and the definitions that carry it, in the order of files and lines. */
struct builtin_tag {
	const char *name; /* as first written */
	const uint32_t *members;
	uint32_t members_count;
};

enum builtin_kind { BUILTIN_NAME, BUILTIN_ALIAS, BUILTIN_TAG };

struct builtin_key {
	const char *folded; /* in lower case */
	enum builtin_kind kind;
	uint32_t index; /* of the definition, or of the tag */
};

struct builtin_data {
	const struct builtin_file *files;
	size_t files_count;
	const struct builtin_definition *definitions;
	size_t definitions_count;
	const struct builtin_tag *tags;
	size_t tags_count;
	const struct builtin_key *keys; /* sorted by their bytes, unique */
	size_t keys_count;
};

extern const struct builtin_data builtin_data; /* generated */

/* The key in any case, or NULL. */
const struct builtin_key *builtin_find(const char *name, size_t length);

#endif
