/* Translations that never match, because those before them take all of their packets: exact, by shadow.h.
 *
 * Destinations and sources are two lists, each first match. A `forward` without `at` is for packets to an
 * address of the firewall, which the policy does not know; one with `at` for its addresses, the firewall's or
 * not. Packets to the firewall and others are therefore asked about apart: in the first all forwards stand, in
 * the second those with `at`.
 */
#ifndef FWC_ANALYSE_TRANSLATIONS_H
#define FWC_ANALYSE_TRANSLATIONS_H

#include "analyse/meaning.h"

enum translation_finding_kind {
	TRANSLATION_SHADOWED,  /* never matches; some of the blame does something else */
	TRANSLATION_REDUNDANT, /* never matches; all of the blame does the same */
	TRANSLATION_PARTLY,    /* matches packets of the firewall itself, and never others, which it is for, too */
	TRANSLATION_REMOVABLE, /* of sources: matches; later ones would do the same. No blame */
};

struct translation_finding {
	enum translation_finding_kind kind;
	const struct translation *translation;
	/* in the policy's order, each takes some of it */
	const struct translation **blame;
	size_t blame_count, blame_capacity;
	struct packet witness; /* one that it is about, before translation */
};

struct translation_findings {
	struct translation_finding *items;
	size_t items_count, items_capacity;
	size_t undecided_count;
};

/* What a destination translation is asked of, before routing: `at`, not where packets go in the end. */
struct match translation_match(void *pool, const struct rule_translation *translation);

/* What a `forward` makes of the packets of a box, of one family, as rules see them, in the box's hook, by whatever
 * interface they leave. Where a port stays what it was it is the same one, but for boxes of more than 256 ports. */
packet_set translation_made(void *pool, struct packet_space *space, const struct translation *forward,
			    struct packet_box box);
/* Packets, translated by nobody, that it leaves as they are: to its host already. */
packet_set translation_unchanged(void *pool, struct packet_space *space, const struct translation *forward);

/* The same of all that forwards of the ruleset can make. */
packet_set translations_made(void *pool, struct packet_space *space, const struct ruleset *ruleset);
/* Packets that rules never see so, for a `forward` with `at` translates them first. */
packet_set translations_taken(void *pool, struct packet_space *space, const struct ruleset *ruleset);

/* Of input, what rules never see so where it is sent to an address of the firewall itself, for a `forward` without
 * `at` translates it: all but multicast and broadcasts. */
packet_set translations_taken_at_firewall(void *pool, struct packet_space *space, const struct ruleset *ruleset);
/* Packets that are sent to an address that a host can have. */
packet_set packet_set_to_hosts(void *pool, struct packet_space *space);

/* In the policy's order. Never NULL. */
struct translation_findings *translations_find(void *pool, const struct ruleset *ruleset);

#endif
