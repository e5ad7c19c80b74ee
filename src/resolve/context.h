/* Private to src/resolve: what its files share while a policy is made.
 *
 * Passes (resolve.c): names of places, zones, devices and schedules are collected first, then
 * definitions are resolved, then rules in their order. Every pass reports and goes on. */
#ifndef FWC_RESOLVE_CONTEXT_H
#define FWC_RESOLVE_CONTEXT_H

#include "base/arena.h"
#include "base/interned.h"
#include "base/names.h"
#include "resolve/policy.h"
#include "resolve/resolve.h"

/* How deep groups may hold groups. */
#define PLACE_DEPTH 64
/* Nearest names are looked for so often: each costs a walk over all names. */
#define SUGGESTIONS_MOST 200

struct resolver {
	void *pool;
	struct arena *arena;
	struct diags *diags;
	const struct program *program;
	const struct resolve_settings *settings;
	struct service_database *services;
	struct policy *policy;

	struct interned *address_literals[2]; /* a family: of struct place_box, by the interval */
	struct names *lists;               /* path -> struct list_file */
	const struct address_set *internet; /* NULL until the zones were read */

	struct names *schedules; /* -> struct schedule */
	struct names *devices;   /* -> struct device */
	const struct device *device; /* the one that the policy is seen from, or NULL */
	struct names *ids;       /* -> struct ast_word, the first */
	struct names *helpers;   /* of allow rules: name -> itself */
	const struct ast_word *policy_name; /* of the `policy` statement, or NULL */
	time_t today;            /* first second of the day, UTC */
	unsigned suggestions_made;
};

/* Notes the nearest name of the table, if there is one. */
void note_nearest(struct resolver *resolver, struct diagnostic *diagnostic,
		  const struct names *names, const struct ast_word *word);
/* A decimal number without leading zero, at most limit; false: not that. */
bool number_resolve(const struct ast_word *word, uint64_t limit, uint64_t *number);

#endif
