/* The port database: names, aliases and tags to exact tuples.
 *
 * Built from definitions of the language: the built-in profiles first (parsed from texts that
 * are linked into the binary), then the policy's own. Services, aliases and tags share one
 * case-insensitive namespace. */
#ifndef FWC_SERVICES_DATABASE_H
#define FWC_SERVICES_DATABASE_H

#include <stdbool.h>

#include "base/names.h"
#include "diag/diag.h"
#include "net/tuple.h"
#include "parse/parse.h"

enum service_status { SERVICE_CURRENT, SERVICE_UNOFFICIAL, SERVICE_HISTORIC, SERVICE_INSECURE };

struct service {
	const char *name;        /* as defined */
	const char *description; /* or "" */
	struct span span;        /* of the name in its definition */
	bool is_builtin;
	bool is_tag;             /* a tag: the union of the services that carry it */
	enum service_status status;
	const char **aliases;
	size_t aliases_count, aliases_capacity;
	const char **tags;
	size_t tags_count, tags_capacity;
	const char **sources;
	size_t sources_count, sources_capacity;
	const char *helper;      /* conntrack helper of its own tuples, or NULL */
	/* services named in its definition, in order (roles, nested services; tags: members) */
	const struct service **parts;
	size_t parts_count, parts_capacity;
	struct tuple_set own;    /* its own literals (and those of parts, after except): all tuples, normalised */
	/* tuples by helper, disjoint; the union of uses is `own` */
	struct service_helper_use { const char *helper; struct tuple_set tuples; } *uses;
	size_t uses_count, uses_capacity;
	bool is_used;
};

struct service_database {
	struct names *by_name;   /* folded: name, alias or tag -> struct service */
	struct service **items;  /* in order of definition, tags last */
	size_t items_count, items_capacity;
};

/* The built-in database plus the definitions of the program (NULL: built-in only). Mistakes go
 * into the bag. Cycles, clashes, empty services, closed tags are reported here. To keep small
 * compilations fast, resolves lazily: only what is asked for is turned into tuples. */
struct service_database *service_database_new(void *pool, struct diags *diags,
					      const struct program *program);
/* The service of this name, alias or tag, with its tuples resolved; NULL if unknown (the
 * caller reports). NULL too when its definition has a mistake that was reported (*is_known). */
const struct service *service_find(struct service_database *database, const char *name, size_t length,
				   bool *is_known);
/* Resolves everything, reporting mistakes of the whole database. */
void service_database_resolve_all(struct service_database *database);
/* The nearest name, for suggestions; or NULL. */
const char *service_nearest(const struct service_database *database, const char *name, size_t length);

/* One literal to tuples: "8443", "tcp+udp". false: reported. */
struct ast_service;
bool service_literal_resolve(void *pool, struct diags *diags, const struct ast_service *literal,
			     struct tuple_set *tuples);

#endif
