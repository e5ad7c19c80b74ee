/* Sets of packets, and functions from packets to numbers: the only door to the engine.
 *
 * A packet is a value for each field below. A box is a product of one set of values a field. A map
 * gives each packet a number (its meaning is the caller's); a set is a map to 0 and 1. Maps are shared
 * interval decision diagrams (diagram.h), canonical: two maps of one space are the same function if
 * and only if they are the same number.
 *
 * A space has a budget of memory. Past it every operation gives PACKET_MAP_OVER, and nothing that was
 * computed with such a value may be believed: ask packet_space_is_over. cover.h is the second engine,
 * which knows nothing of this one and goes on where the budget ends. */
#ifndef FWC_ANALYSE_PACKETSET_H
#define FWC_ANALYSE_PACKETSET_H

#include "analyse/diagram.h"
#include "analyse/universe.h"

enum packet_field {
	FIELD_HOOK,        /* enum hook */
	FIELD_FAMILY,      /* enum family */
	FIELD_PROTOCOL,    /* 0..255 */
	FIELD_SOURCE, FIELD_DESTINATION,
	FIELD_FIRST,       /* destination port, or ICMP type */
	FIELD_SECOND,      /* source port, or ICMP code */
	FIELD_IN, FIELD_OUT, /* see universe.h */
	FIELD_TRANSLATED,  /* 1: its destination was translated */
	FIELD_ORIGINAL,    /* destination before translation */
	FIELD_ORIGINAL_FIRST,
	FIELD_MINUTE,      /* of the week, 0..10079 */
	FIELD_ERA,         /* see universe.h */
	FIELD_FLAGS,       /* of TCP, as the byte of the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
	FIELD_FRAGMENT,    /* 0: whole or first, 1: later */
};
#define PACKET_FIELDS 16

/* The highest value of a field. */
number128 packet_field_highest(const struct packet_universe *universe, enum packet_field field);
const char *packet_field_name(enum packet_field field);

/* NULL: every value. Sets are normalised (net/interval.h). Never empty. */
struct packet_box {
	const struct interval_set *fields[PACKET_FIELDS];
};

/* One value a field. */
struct packet_point {
	number128 fields[PACKET_FIELDS];
};

bool packet_box_holds(const struct packet_box *box, const struct packet_point *point);

typedef diagram packet_map;
typedef diagram packet_set;
#define PACKET_MAP_OVER DIAGRAM_OVER
/* Numbers of maps: 0 to this. */
#define PACKET_NUMBER_MAX (DIAGRAM_LEAVES_MAX - 1)

/* In which order diagrams ask the fields; which is small depends on the list. The rest follows. */
enum packet_order {
	PACKET_ORDER_SAFE,   /* protocol, destination, source, then the ports: mostly the smallest */
	PACKET_ORDER_PORTS,  /* protocol, destination port, destination, source, source port */
	PACKET_ORDER_TARGET, /* protocol, destination, its port, source, its port */
};
#define PACKET_ORDERS 3

struct packet_space {
	void *pool;
	const struct packet_universe *universe;
	struct diagrams *diagrams;
	uint8_t level[PACKET_FIELDS];           /* of a field */
	enum packet_field field[PACKET_FIELDS]; /* of a level */
};

/* budget: intervals in all diagrams together, 20 to 40 bytes each; 0, and at most: 8,000,000. */
struct packet_space *packet_space_new(void *pool, const struct packet_universe *universe,
				      enum packet_order order, size_t budget);
bool packet_space_is_over(const struct packet_space *space);

packet_map packet_map_constant(uint32_t number);
/* inside for packets of the box, outside for all others. */
packet_map packet_map_box(struct packet_space *space, const struct packet_box *box, uint32_t inside,
			  uint32_t outside);

/* One rule of a first-match list. */
struct packet_rule {
	struct packet_box box;
	uint32_t number;
};

/* The number of the first rule whose box holds the packet, else otherwise. */
packet_map packet_map_first_match(struct packet_space *space, const struct packet_rule *rules,
				  size_t count, uint32_t otherwise);
/* Where the set holds, a; else b. */
packet_map packet_map_choose(struct packet_space *space, packet_set set, packet_map a, packet_map b);
/* Each number replaced. */
packet_map packet_map_renumber(struct packet_space *space, packet_map map,
			       uint32_t (*number)(void *context, uint32_t number), void *context);
/* The pairs of numbers that two maps give, each to a number of its own by `pair`, which must give the
 * same number for the same pair. */
packet_map packet_map_combine(struct packet_space *space, packet_map a, packet_map b,
			      uint32_t (*pair)(void *context, uint32_t a, uint32_t b), void *context);

packet_set packet_set_all(void);
packet_set packet_set_none(void);
packet_set packet_set_box(struct packet_space *space, const struct packet_box *box);
/* Packets with one value in a field. */
packet_set packet_set_value(struct packet_space *space, enum packet_field field, number128 value);
packet_set packet_set_union(struct packet_space *space, packet_set a, packet_set b);
packet_set packet_set_intersect(struct packet_space *space, packet_set a, packet_set b);
packet_set packet_set_subtract(struct packet_space *space, packet_set a, packet_set b);
/* Where two maps differ. */
packet_set packet_map_difference(struct packet_space *space, packet_map a, packet_map b);
/* Where the map gives the number. */
packet_set packet_map_where(struct packet_space *space, packet_map map, uint32_t number);
/* Packets that can be: addresses of their family, ports, types and codes where the protocol has some (0
 * else), TCP flags of TCP alone, and interfaces that a packet of the hook has. 1/ip over IPv6 and 58/ip
 * over IPv4 can be. Differences count within these. */
packet_set packet_set_possible(struct packet_space *space);
/* The same, where only these fields are asked (a bool each; the hook always should be): smaller, and for
 * every packet of it some values of the other fields make a packet that can be. */
packet_set packet_set_possible_of(struct packet_space *space, const bool *is_asked);

bool packet_set_is_empty(packet_set set);
bool packet_set_includes(struct packet_space *space, packet_set outer, packet_set inner);
/* A packet of the set, natural where there is a choice. false: the set is empty. */
bool packet_set_example(const struct packet_space *space, packet_set set, struct packet_point *point);
/* What a map gives for a packet. */
uint32_t packet_map_at(const struct packet_space *space, packet_map map,
		       const struct packet_point *point);
/* Marks in `seen` the numbers below `count` that the map gives anywhere. */
void packet_map_numbers(const struct packet_space *space, packet_map map, bool *seen, size_t count);

/* The set as disjoint boxes, at most `most`; their number. *is_whole: false where some were left out. */
size_t packet_set_boxes(void *pool, const struct packet_space *space, packet_set set,
			struct packet_box *boxes, size_t most, bool *is_whole);

#endif
