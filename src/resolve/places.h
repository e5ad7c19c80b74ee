/* Private to src/resolve: hosts, networks, groups, zones and tunnels by name, and lists of them.
 *
 * Decisions that the language leaves open:
 *   - `host` takes single addresses and names of hosts; `network` whatever stands for addresses
 *     alone; `group` any place;
 *   - a group of addresses alone is one set, shared by all who name it; a group that holds a zone,
 *     `self` or `any` stays a list (PLACE_GROUP);
 *   - a list `file … or empty`, also inside a named place, never stands behind `except`: when the list
 *     became empty, the rule would be wider. */
#ifndef FWC_RESOLVE_PLACES_H
#define FWC_RESOLVE_PLACES_H

#include "resolve/context.h"

enum definition_kind {
	PLACE_DEFINITION_HOST,
	PLACE_DEFINITION_NETWORK,
	PLACE_DEFINITION_GROUP,
	PLACE_DEFINITION_ZONE,
	PLACE_DEFINITION_TUNNEL,
};

enum place_state { PLACE_STATE_NEW, PLACE_STATE_RESOLVING, PLACE_STATE_RESOLVED, PLACE_STATE_BROKEN };

struct place_definition {
	enum definition_kind kind;
	enum place_state state;
	const char *name;
	struct span span;
	const struct ast_places *ast; /* host, network, group */
	const struct ast_zone *ast_zone;
	const struct ast_tunnel *ast_tunnel;
	struct zone *zone;     /* made with the name; filled by zones.c */
	struct tunnel *tunnel; /* likewise, by tunnels.c */
	/* what it stands for; addresses alone, or a list (group) */
	const struct address_set *addresses;
	const struct place_list *list;
	bool may_be_empty;  /* a `file … or empty` is in it */
	bool is_empty_file; /* and at present nothing else */
	bool is_used;
};

/* Names of all definitions of the program; duplicates are reported. */
void places_collect(struct resolver *resolver);
/* Resolves every definition, used or not. */
void places_resolve_all(struct resolver *resolver);
/* The definition of this name, or NULL; nothing is reported. */
struct place_definition *place_find(const struct resolver *resolver, const struct ast_word *name);
/* Resolves; false: broken, reported. use: the word that names it. */
bool place_definition_resolve(struct resolver *resolver, struct place_definition *definition,
			      struct span use);

/* The list of a rule. NULL: reported. */
const struct place_list *place_list_resolve(struct resolver *resolver, const struct ast_places *ast);
/* A list of addresses alone, such as what tunnels carry. NULL: reported. */
const struct address_set *place_addresses_resolve(struct resolver *resolver,
						  const struct ast_places *ast);
/* A `network` line of a zone, with what it says of `internet` apart: (others and, if it is named,
 * internet) without excepts. */
struct network_line {
	struct address_set others, excepts;
	bool has_internet;
	bool may_be_empty;
	struct span span;
};
/* false: reported. */
bool network_line_resolve(struct resolver *resolver, const struct ast_places *ast,
			  struct network_line *line);
/* The addresses of one name or literal of a translation; NULL: reported with the code. */
const struct address_set *place_word_addresses(struct resolver *resolver,
					       const struct ast_word *word, enum code code);
/* A list of one place that stands for these addresses. */
const struct place_list *place_list_of(struct resolver *resolver, const struct ast_word *word,
				       const struct address_set *addresses);

#endif
