/* Private to src/services: definitions while they are collected and resolved.
 *
 * A name leads to a definition; `definition_current` follows overrides. A definition is read
 * (its tree is there, its words are taken over) and then resolved (its tuples are there). */
#ifndef FWC_SERVICES_DEFINITION_H
#define FWC_SERVICES_DEFINITION_H

#include "base/arena.h"
#include "base/interned.h"
#include "services/builtin.h"
#include "services/database.h"

enum definition_state {
	DEFINITION_READ,
	DEFINITION_RESOLVING,
	DEFINITION_RESOLVED,
	DEFINITION_BROKEN, /* a mistake in it, or below it, was reported */
};

struct definition {
	struct service service; /* first: the public part */
	enum definition_state state;
	const struct ast_service_def *ast; /* NULL: a tag */
	struct definition *replaced_by;    /* its override, or NULL */
	struct definition *replaces;       /* an override: what stood there before, or NULL */
	/* tags */
	const struct builtin_tag *builtin_tag; /* or NULL */
	struct definition **members;           /* the program's own members */
	size_t members_count, members_capacity;
};

struct service_store {
	void *pool;
	struct diags *diags;
	bool has_syntax_errors;   /* of the program, before anything was resolved */
	struct arena *arena;
	/* by the index of builtin_data; NULL until asked for */
	struct definition **builtins;
	struct definition **builtin_tags;
	uint32_t *file_sources;   /* number of each profile among the sources, plus 1; 0: not yet */
	uint32_t slice_source;    /* where single definitions are parsed; plus 1 */
	/* of the program, in order */
	struct definition **own;
	size_t own_count, own_capacity;
	struct definition **own_tags;
	size_t own_tags_count, own_tags_capacity;
	struct interned *lists;   /* of struct service_list, by their words */
	struct text *list_key;
	struct tuple_set literal; /* of the one that is being added to a list; used again and again */
	struct names *suggestions; /* every name there is; made on first use */
	unsigned suggestions_made;
};

/* The definition that a name, alias or tag leads to, read, with overrides followed; or NULL. */
struct definition *definition_find(struct service_database *database, const char *name,
				   size_t length);
struct definition *definition_current(struct definition *definition);
struct definition *definition_builtin(struct service_database *database, uint32_t index);
struct definition *definition_builtin_tag(struct service_database *database, uint32_t index);
bool definition_has_tag(const struct definition *definition, const char *tag);
/* Takes over what stands in the tree: name, description, words. */
struct definition *definition_new(void *pool, const struct ast_service_def *ast);

/* Resolves the tuples; false: broken, reported. */
bool definition_resolve(struct service_database *database, struct definition *definition);

#endif
