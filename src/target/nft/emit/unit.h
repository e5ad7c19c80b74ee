/* Units: what the decision tree is made of.
 *
 * A unit is one box of a rule: (in interfaces) x (out interfaces) x (one family's sources) x (its
 * destinations) x (a group of services of one kind), and the rule's tail. The units of a list
 * stand in the order of its rules; first match in order decides. Units of one rule are disjoint. */
#ifndef FWC_TARGET_NFT_EMIT_UNIT_H
#define FWC_TARGET_NFT_EMIT_UNIT_H

#include "target/nft/emit/action.h"

/* What a unit asks of a packet; in an entry: what has been answered on the way. */
enum {
	NEED_FAMILY = 1,
	NEED_IN = 2,
	NEED_OUT = 4,
	NEED_SOURCE = 8,
	NEED_DESTINATION = 16,
	NEED_SERVICE = 32,
	NEED_ADDRESSES = NEED_SOURCE | NEED_DESTINATION,
	NEEDS_ALL = 63,
};

enum service_kind {
	SERVICE_NARROW,   /* ports, any source port, at most SERVICE_NARROW_MAX ports a range */
	SERVICE_WIDE,     /* ports, any source port, longer ranges */
	SERVICE_SOURCE,   /* ports and source ports */
	SERVICE_ICMP,     /* types and codes of ICMP */
	SERVICE_ICMP6,    /* types and codes of ICMPv6 */
	SERVICE_PROTOCOL, /* whole protocols */
	SERVICE_ANY,
};

#define SERVICE_NARROW_MAX 64

struct service_group {
	enum service_kind kind;
	uint8_t families;
	uint32_t number;
	const struct service_tuple *tuples; /* sorted by protocol and first port; not PROTOCOL, ANY */
	size_t tuples_count;
	struct interval_set protocols;      /* PROTOCOL */
	const struct nft_set *set;          /* of its (protocol . port), once one is made */
};

struct unit {
	const struct tail *tail;
	const struct interface_set *in, *out;
	const struct interval_set *source, *destination;
	uint32_t group;  /* number of the service group */
	uint8_t family;  /* FAMILIES_BOTH: no condition on addresses or family */
	uint8_t needs;
};

/* A unit in a list, with what is known of every packet that gets there. */
struct entry {
	uint32_t unit;
	uint32_t done;
};

struct entries {
	struct entry *items;
	size_t items_count, items_capacity;
};

/* A box to be turned into units. */
struct unit_match {
	unsigned families;
	const struct tuple_set *services;
	const struct place_boxes *from, *to;
	struct span origin;
};

/* Gives the tail for packets of these families (FAMILIES_BOTH where none is told apart). */
typedef const struct tail *(*tail_maker)(struct lower *lower, const void *context,
					 unsigned families);

/* The group of some of a group's tuples, in their order; they are copied. Groups may move. */
uint32_t group_of_some(struct lower *lower, uint32_t number, const struct service_tuple *tuples, size_t count);

/* Appends the units of the match to the list. */
void units_add(struct lower *lower, struct entries *list, const struct unit_match *match,
	       tail_maker tail, const void *context);

static inline uint32_t entry_needs(const struct lower *lower, struct entry entry)
{
	return lower->units[entry.unit].needs & ~entry.done;
}

/* Does it decide about every packet that gets to it? */
bool entry_is_final(const struct lower *lower, struct entry entry);
/* A list is of packets of one family where one of its entries has been told so: that one, or FAMILIES_BOTH. */
unsigned entries_family(const struct lower *lower, const struct entry *entries, size_t count);

#endif
