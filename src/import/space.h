/* Packets as foreign filters see them, and sets of packets.
 *
 * Sets are diagrams with the leaves 0 and 1 (analyse/diagram.h). Numbers: addresses in host order, of one
 * family a space; interfaces by their order of appearance, "lo" first, and every number that was not
 * given out is an interface that nobody named. What no rule of this language can ask becomes a field of
 * its own, which is unlike every other: it may hold or not. */
#ifndef FWC_IMPORT_SPACE_H
#define FWC_IMPORT_SPACE_H

#include "analyse/diagram.h"
#include "base/names.h"
#include "diag/source.h"
#include "net/address.h"

enum import_field {
	IMPORT_STATE,       /* enum import_state */
	IMPORT_IN,
	IMPORT_OUT,
	IMPORT_ROUTE,       /* enum import_route */
	IMPORT_PROTOCOL,
	IMPORT_FIRST,       /* destination port, or type of ICMP */
	IMPORT_DESTINATION,
	IMPORT_SOURCE,
	IMPORT_SECOND,      /* source port, or code of ICMP */
	IMPORT_HOP_LIMIT,   /* of IPv6 */
	IMPORT_FIELDS,      /* unknown ones follow */
};

enum import_state { IMPORT_NEW, IMPORT_ESTABLISHED, IMPORT_RELATED, IMPORT_UNTRACKED, IMPORT_INVALID };

/* Where a destination leads that is neither multicast nor 255.255.255.255. */
enum import_route { IMPORT_LOCAL, IMPORT_BROADCAST, IMPORT_ELSEWHERE };

#define IMPORT_LOOPBACK 0u

typedef diagram import_set;

struct import_space {
	void *pool;
	enum family family;
	struct diagrams *diagrams;
	struct names *interface_numbers;
	struct import_unknown {
		struct span span;
		const char *what; /* "meta mark", or NULL */
	} *unknowns; /* what stands there: by their order */
	size_t unknowns_count, unknowns_capacity;
};

struct import_space *import_space_new(void *pool, enum family family);
/* Past the budget nothing that was computed may be believed. */
bool import_space_is_over(const struct import_space *space);

import_set import_all(void);
import_set import_none(void);
bool import_is_none(import_set set);
import_set import_union(struct import_space *space, import_set a, import_set b);
import_set import_intersect(struct import_space *space, import_set a, import_set b);
import_set import_subtract(struct import_space *space, import_set a, import_set b);

/* A first-match list: what each packet of a set is given, where no earlier set held it. Built by halves, so
 * that it costs little more than what comes out. */
struct import_given {
	import_set set;
	uint32_t number; /* from 1 on */
};

diagram import_first_match(struct import_space *space, const struct import_given *list, size_t count);
/* The packets that were given the number; 0: none. */
import_set import_where(struct import_space *space, diagram map, uint32_t number);

/* The highest value of a field. */
number128 import_highest(const struct import_space *space, uint32_t field);
/* Packets with one of these values; sets are normalised. */
import_set import_values(struct import_space *space, uint32_t field, const struct interval_set *values);
import_set import_range(struct import_space *space, uint32_t field, number128 low, number128 high);
import_set import_value(struct import_space *space, uint32_t field, number128 value);
/* A field of its own, for what stands there: 1 where it holds. what: for messages, or NULL. */
import_set import_unknown(struct import_space *space, struct span span, const char *what);
/* What stands behind the first such field of a set over them. */
const struct import_unknown *import_unknown_of(const struct import_space *space, import_set unknowns);
/* The packets of one state, and that state forgotten. */
import_set import_of_state(struct import_space *space, import_set set, enum import_state state);

/* The number of an interface, new or known; its name (NULL: one that nobody named). */
uint32_t import_interface(struct import_space *space, const char *name);
const char *import_interface_name(const struct import_space *space, number128 number);

/* One set of values a field; NULL: every value. */
struct import_box {
	const struct interval_set *fields[IMPORT_FIELDS];
	bool has_unknown; /* a field of its own decides, too */
	import_set unknowns; /* the set over those fields */
};

struct import_boxes {
	struct import_box *items;
	size_t items_count, items_capacity;
};

/* Appends the set as disjoint boxes, in a fixed order. false: more than `most`. */
bool import_boxes_of(struct import_space *space, import_set set, size_t most, struct import_boxes *boxes);
import_set import_set_of_box(struct import_space *space, const struct import_box *box);

#endif
