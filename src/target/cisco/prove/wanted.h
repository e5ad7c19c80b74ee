/* What the policy lets enter at one place, for the proof: a function on packets as they arrive there, from
 * the language reference and not from the writer. */
#ifndef FWC_TARGET_CISCO_PROVE_WANTED_H
#define FWC_TARGET_CISCO_PROVE_WANTED_H

#include "analyse/meaning.h"

struct wanted_place {
	const struct ruleset *ruleset;
	const struct device *device;  /* NULL: nowhere in particular */
	const char *interface;        /* by which packets come in; NULL without a device */
	const struct address_set *far; /* sources that rules speak of, or NULL: all */
	enum family family;
};

/* Numbers of the map: what decides. */
enum wanted_number {
	WANTED_ALWAYS,         /* neighbour discovery and its like */
	WANTED_DEFAULT_INPUT,
	WANTED_DEFAULT_FORWARD,
	WANTED_RULES,          /* and from here on rule after rule of the policy */
};

packet_map wanted_map(void *pool, struct packet_space *space, const struct wanted_place *place);
/* What may enter. Made without the map, which has a leaf a rule: this has the very nodes of a list that does the
 * same, in the same space. */
packet_set wanted_set(void *pool, struct packet_space *space, const struct wanted_place *place);
/* Whether the packets of a number may enter, and the statement (SPAN_NONE: a default nobody wrote, or what
 * always passes). */
bool wanted_permits(const struct wanted_place *place, uint32_t number);
struct span wanted_origin(const struct wanted_place *place, uint32_t number);

#endif
