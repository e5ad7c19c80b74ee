/* A ruleset as a map: which statement decides each first packet of a connection.
 *
 * One map holds all hooks. Its numbers are those of the policy's rules (struct policy_rule), and one for
 * the default of whatever hook; so hooks that say the same share all of their diagram. What always passes
 * before any rule (rules/ruleset.h) and limits are not looked at: a limited rule decides what it matches. */
#ifndef FWC_ANALYSE_MEANING_H
#define FWC_ANALYSE_MEANING_H

#include "analyse/packetset.h"

struct packet_rules {
	struct packet_rule *items;
	size_t items_count, items_capacity;
};

/* Appends the boxes of a match, each with this number. A match is a product of unions: there
 * are as many as it has services (ports of one protocol together) times places, a family each. */
void match_boxes(void *pool, const struct packet_universe *universe, const struct match *match,
		 uint32_t number, struct packet_rules *boxes);
/* Of many matches: what they share of their services is taken apart once. The matches must live as long. */
struct match_boxing;
struct match_boxing *match_boxing_new(void *pool, const struct packet_universe *universe);
void match_boxing_add(struct match_boxing *boxing, const struct match *match, uint32_t number,
		      struct packet_rules *boxes);
/* The same, in one hook. */
void match_boxes_in(void *pool, const struct packet_universe *universe, enum hook hook,
		    const struct match *match, uint32_t number, struct packet_rules *boxes);

struct meaning {
	const struct ruleset *ruleset;
	uint32_t statements;           /* rules of the policy; the number of the default */
	uint32_t numbers_count;
	const uint32_t *first[HOOK_COUNT]; /* of a statement: its first rule in the hook; UINT32_MAX: none */
};

/* The numbering alone. */
struct meaning meaning_of(void *pool, const struct ruleset *ruleset);
/* All boxes of a hook, in order, with the numbers of statements. They do not say the hook. */
void meaning_boxes(const struct meaning *meaning, void *pool, const struct packet_universe *universe,
		   enum hook hook, struct packet_rules *boxes);
/* The map; PACKET_MAP_OVER past the budget. */
packet_map meaning_map(const struct meaning *meaning, void *pool, struct packet_space *space);

/* What a number stands for in a hook. */
const struct rule *meaning_rule(const struct meaning *meaning, enum hook hook,
				uint32_t number); /* NULL: the default */
const struct outcome *meaning_outcome(const struct meaning *meaning, enum hook hook, uint32_t number);
/* The index of its first rule in the hook; of the default the count of rules. */
size_t meaning_index(const struct meaning *meaning, enum hook hook, uint32_t number);
/* The statement: of a default that nobody wrote SPAN_NONE. */
struct span meaning_origin(const struct meaning *meaning, enum hook hook, uint32_t number);

/* The sides of an assertion or of any other match that is not a rule's: everything that a rule of these
 * services and places would match, in all hooks. */
void scope_boxes(void *pool, const struct packet_universe *universe, const struct tuple_set *services,
		 const struct place_scope *from, const struct place_scope *to, unsigned families,
		 struct packet_rules *boxes);

/* The same of what leaves the firewall for itself, which no rule matches: output, from where that can come, to
 * where input can go. */
void scope_boxes_to_itself(void *pool, const struct packet_universe *universe, const struct tuple_set *services,
			   const struct place_scope *from, const struct place_scope *to, unsigned families,
			   struct packet_rules *boxes);

/* A point as the evaluator takes it. */
struct packet packet_of_point(const struct packet_universe *universe, const struct packet_point *point);
struct packet_point point_of_packet(const struct packet_universe *universe, const struct packet *packet);
/* "tcp 192.168.0.5:40000 -> 192.168.0.10:88 in eth1 out eth0", as `fwc explain` takes it. */
void packet_format(struct text *out, const struct packet *packet);

#endif
