/* The space of packets that rules speak of: fields, what they are called, and in which order diagrams
 * ask them.
 *
 * Fields that the language knows stand in a table. What it does not know (marks, users, a limit's
 * state, an expression without a model) becomes a field of its own when it is met: it can have any
 * value, so that nothing is taken for granted, and two questions for one thing are about one thing.
 *
 * Numbers: addresses of both families in host order (the family is a field of its own, asked before);
 * names of interfaces and helpers as 16 bytes, the first one highest, padded with zeros: none is 0. */
#ifndef FWC_TARGET_NFT_WALK_SPACE_H
#define FWC_TARGET_NFT_WALK_SPACE_H

#include "analyse/diagram.h"
#include "base/names.h"
#include "net/address.h"

enum walk_field {
	WALK_STATE,       /* enum walk_state */
	WALK_FAMILY,      /* enum family */
	WALK_IN,
	WALK_OUT,
	WALK_PROTOCOL,
	WALK_FIRST,       /* destination port, or type of ICMP */
	WALK_DESTINATION,
	WALK_SOURCE,
	WALK_SECOND,      /* source port, or code of ICMP */
	WALK_TCP_FLAGS,
	WALK_HOP_LIMIT,
	WALK_TRANSLATED,  /* 1: its destination was (IPS_DST_NAT) */
	WALK_ORIGINAL_DESTINATION,
	WALK_ORIGINAL_PORT,
	WALK_HELPER,      /* of the connection that expected this one; 0: none */
	WALK_ROUTE,       /* RTN_* of the destination */
	WALK_WEEK,        /* seconds since Monday 00:00 UTC */
	WALK_TIME,        /* nanoseconds of the epoch */
	WALK_FIELDS,
};

/* The first three are of packets that have a connection. */
enum walk_state { WALK_NEW, WALK_ESTABLISHED, WALK_RELATED, WALK_UNTRACKED, WALK_INVALID, WALK_STATES };

#define WALK_WEEK_SECONDS 604800u
#define WALK_DAY_SECONDS 86400u

/* The fields along which the space can be cut, of both families and all protocols. */
enum walk_cut { WALK_CUT_DESTINATION, WALK_CUT_SOURCE, WALK_CUT_FIRST, WALK_CUT_PROTOCOL, WALK_CUTS };
extern const enum walk_field walk_cut_fields[WALK_CUTS];

/* A piece of the space: the packets with these values of those fields. Of a field that is not cut, and behind
 * the last cut of one, the end is DIAGRAM_HIGHEST: what holds of a field's highest value has no end. */
struct walk_piece {
	struct interval rows[WALK_CUTS];
};

/* All of it. */
extern const struct walk_piece walk_piece_whole;

/* Ways of ordering the fields: what is small in one may be large in the other. The first is for policies whose
 * rules name no interfaces, the second for those that do. */
enum { WALK_ORDER_PLAIN, WALK_ORDER_INTERFACES, WALK_ORDERS = 4 };

struct walk_unknown {
	const char *name;
	uint32_t bits; /* of its values */
	bool is_unclear; /* a condition without a model: 1 where it holds */
	const void *about; /* a limit: what it is (rule.h); else NULL */
};

struct walk_space {
	void *pool;
	struct diagrams *diagrams;
	unsigned order;
	/* Diagrams need to be right in this piece only: the others are looked at another time. */
	struct walk_piece piece;
	struct walk_piece taken; /* the same before it was narrowed */
	bool is_part; /* the space is cut */
	struct diagram_part parts[WALK_CUTS]; /* the rows of the piece that are not whole */
	size_t parts_count;
	uint64_t protocols[4]; /* the piece's, a bit each */
	size_t elements_min; /* where it is cut: sets of fewer elements are looked through each time */
	struct walk_unknown *unknowns;
	size_t unknowns_count, unknowns_capacity;
	struct walk_unknown *limits; /* asked behind all else */
	size_t limits_count, limits_capacity;
	struct names *by_name;
};

struct walk_space *walk_space_new(void *pool, size_t edges_max, unsigned order);

/* From here on diagrams are of this piece. */
void walk_space_take(struct walk_space *space, const struct walk_piece *piece);
/* For a while only these packets of the piece that was taken matter. */
void walk_space_narrow(struct walk_space *space, const struct walk_piece *piece);
bool walk_piece_includes(const struct walk_piece *outer, const struct walk_piece *inner);
/* Has a packet of the piece one of these values, not none, of a field whose highest is this? */
bool walk_space_meets(const struct walk_space *space, uint32_t rank, const struct interval_set *values,
		      number128 highest);

/* The number by which diagrams know a field. */
uint32_t walk_rank(const struct walk_space *space, enum walk_field field);
/* The other way: WALK_FIELDS where the number is an unknown's or a limit's. */
enum walk_field walk_field_of_rank(const struct walk_space *space, uint32_t rank);
const struct walk_unknown *walk_unknown_of_rank(const struct walk_space *space, uint32_t rank);
/* "source address": for messages. */
const char *walk_field_name(enum walk_field field);

/* The rank of the unknown of this name, new or known. */
uint32_t walk_unknown(struct walk_space *space, const char *name, uint32_t bits);
/* Nobody knows when it is 1, not even who sees the packet. */
void walk_unknown_is_unclear(struct walk_space *space, uint32_t rank);
/* The rank of a limit's field: 1 while there is room in it. */
uint32_t walk_limit(struct walk_space *space, const char *name, const void *about);
/* The first rank that is a limit's. */
uint32_t walk_first_limit(void);

/* Where the field has one of these values. highest: of the field; what reaches it has no end, so that
 * no value beyond it makes a difference. Where only a part of the field is looked at, what holds of its first
 * and last value holds of all values beyond. */
diagram walk_choose(struct walk_space *space, uint32_t rank, const struct interval_set *values,
		    number128 highest, diagram inside, diagram outside);
diagram walk_choose_one(struct walk_space *space, uint32_t rank, number128 value, number128 highest,
			diagram inside, diagram outside);
/* The highest value of a field, as far as it does not depend on the family or protocol. */
number128 walk_highest(enum walk_field field);

/* A name as a number, and back. */
number128 walk_number_of_name(const char *name);
const char *walk_name_of_number(void *pool, number128 number);

#endif
