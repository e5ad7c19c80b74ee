/* The port database: names, aliases and tags to exact tuples.
 *
 * Built from definitions of the language: the built-in profiles first (their texts are linked
 * into the binary), then the policy's own. Services, aliases and tags share one
 * case-insensitive namespace.
 *
 * Decisions that the language leaves open:
 *   - `override` names a service by its own name, not by an alias or a tag, and replaces what
 *     stands before it. It keeps the aliases of what it replaces and adds its own; it keeps the
 *     tags, description and status unless it gives its own; it keeps no helper and no ports.
 *     The groups and tags that hold the old service hold the new one.
 *   - a tag belongs to the file that uses it first; another file needs `extend tag` to add to it,
 *     and so does every file for a built-in tag. Tags that an override keeps need no leave.
 *   - the helper of a service is for the ports written in it, not for those of services that it
 *     names. */
#ifndef FWC_SERVICES_DATABASE_H
#define FWC_SERVICES_DATABASE_H

#include <stdbool.h>

#include "base/names.h"
#include "diag/diag.h"
#include "net/tuple.h"
#include "parse/parse.h"
#include "services/literal.h"
#include "services/uses.h"

/* How deep services may be made of services. */
#define SERVICE_DEPTH 64

enum service_status { SERVICE_CURRENT, SERVICE_UNOFFICIAL, SERVICE_HISTORIC, SERVICE_INSECURE };

struct service {
	const char *name;        /* as defined */
	const char *description; /* or "" */
	struct span span;        /* of the name in its definition; tags: of their first use */
	bool is_builtin;
	bool is_tag;             /* a tag: the union of the services that carry it */
	enum service_status status;
	const char **aliases;
	size_t aliases_count, aliases_capacity;
	const char **tags;
	size_t tags_count, tags_capacity;
	const char **sources;
	size_t sources_count, sources_capacity;
	const char *helper;      /* conntrack helper of its own ports (the kernel's spelling), or NULL */
	/* services named in its definition, in order (roles, nested services; tags: members) */
	const struct service **parts;
	size_t parts_count, parts_capacity;
	struct tuple_set own;     /* all its tuples, after except, normalised */
	struct service_uses uses; /* the same by helper */
	bool is_used;             /* a rule or assertion names it, or a service that one names */
};

struct service_store;

struct service_database {
	struct names *by_name;   /* folded: names found or defined so far -> private */
	/* After service_database_resolve_all: in order of definition, built-in ones first (an
	 * override stands where the service stood that it replaces), tags last. Else empty. */
	struct service **items;
	size_t items_count, items_capacity;
	struct service_store *store; /* private */
};

/* The built-in database plus the definitions of the program (NULL: built-in only). Mistakes of the
 * program's definitions go into the bag: cycles, clashes, empty services, closed tags. Built-in
 * definitions are read and resolved only when somebody asks for them. */
struct service_database *service_database_new(void *pool, struct diags *diags,
					      const struct program *program);
/* The service of this name, alias or tag, with its tuples resolved; NULL if unknown (the
 * caller reports). NULL too when its definition has a mistake that was reported (*is_known). */
const struct service *service_find(struct service_database *database, const char *name, size_t length,
				   bool *is_known);
/* Resolves everything, reporting mistakes of the whole database. */
void service_database_resolve_all(struct service_database *database);
/* The services that the program itself defines, in its order, overrides among them. */
size_t service_own_count(const struct service_database *database);
const struct service *service_own(const struct service_database *database, size_t index);
/* The nearest name, for suggestions; or NULL. */
const char *service_nearest(const struct service_database *database, const char *name, size_t length);
/* Notes the nearest name, or how to find one, at a diagnostic about an unknown name. */
void service_suggest(struct service_database *database, struct diagnostic *diagnostic,
		     const struct ast_word *word);

/* One name or literal of a list, for messages and findings. */
struct service_word {
	const char *word;
	const struct service *service; /* NULL for literals and any */
};

/* The list of a rule or assertion. Equal lists share one; read-only. */
struct service_list {
	struct service_uses uses;   /* after except */
	struct service_word *words; /* one an item before except, in order */
	size_t words_count;
};

/* NULL: a mistake, reported at its word. Marks the services as used. */
const struct service_list *service_list_resolve(struct service_database *database,
						const struct ast_services *list);

#endif
