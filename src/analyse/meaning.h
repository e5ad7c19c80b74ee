/* A ruleset as a map: which rule decides each first packet of a connection.
 *
 * One map holds all hooks. Its numbers are those of rules, hook after hook in their order, then one for
 * the default of each hook. What always passes before any rule (rules/ruleset.h) and limits are not
 * looked at: a limited rule decides what it matches. */
#ifndef FWC_ANALYSE_MEANING_H
#define FWC_ANALYSE_MEANING_H

#include "analyse/packetset.h"

struct packet_rules {
	struct packet_rule *items;
	size_t items_count, items_capacity;
};

/* Appends the boxes of a match in a hook, each with this number. A match is a product of unions: there
 * are as many as it has services (ports of one protocol together) times places, a family each. */
void match_boxes(void *pool, const struct packet_universe *universe, enum hook hook,
		 const struct match *match, uint32_t number, struct packet_rules *boxes);

struct meaning {
	const struct ruleset *ruleset;
	size_t first[HOOK_COUNT];  /* number of the hook's first rule */
	size_t rules_count;        /* of all hooks; the default of hook h has rules_count + h */
	size_t numbers_count;
};

/* The numbering alone. */
struct meaning meaning_of(const struct ruleset *ruleset);
/* All boxes of a hook, in order. */
void meaning_boxes(const struct meaning *meaning, void *pool, const struct packet_universe *universe,
		   enum hook hook, struct packet_rules *boxes);
/* The map; PACKET_MAP_OVER past the budget. */
packet_map meaning_map(const struct meaning *meaning, void *pool, struct packet_space *space);

/* What a number stands for. */
const struct rule *meaning_rule(const struct meaning *meaning, uint32_t number); /* NULL: a default */
enum hook meaning_hook(const struct meaning *meaning, uint32_t number);
const struct outcome *meaning_outcome(const struct meaning *meaning, uint32_t number);
uint32_t meaning_default(const struct meaning *meaning, enum hook hook);
/* The statement: of a default that nobody wrote SPAN_NONE. */
struct span meaning_origin(const struct meaning *meaning, uint32_t number);

/* The sides of an assertion or of any other match that is not a rule's: everything that a rule of these
 * services and places would match, in all hooks. */
void scope_boxes(void *pool, const struct packet_universe *universe, const struct tuple_set *services,
		 const struct place_scope *from, const struct place_scope *to, unsigned families,
		 struct packet_rules *boxes);

/* A point as the evaluator takes it. */
struct packet packet_of_point(const struct packet_universe *universe, const struct packet_point *point);
struct packet_point point_of_packet(const struct packet_universe *universe, const struct packet *packet);
/* "tcp 192.168.0.5:40000 -> 192.168.0.10:88 in eth1 out eth0", as `fwc explain` takes it. */
void packet_format(struct text *out, const struct packet *packet);

#endif
