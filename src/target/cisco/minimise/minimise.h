/* Fewer entries of the same meaning: a first-match list made short.
 *
 * What stays for every packet, later fragments among them: its verdict, and which entry that logs or counts
 * takes it. Such entries stand as they are, and nothing moves past them. The work goes in rounds:
 *
 *   join    entries of one verdict that differ in one field, and nothing between them minds: ports into
 *           ranges and lists after `eq`, prefixes into shorter ones; where some of the prefixes are wanted and
 *           the others get what stands below, the shortest list for that field, denials among permits
 *   grow    a prefix or a range of ports over what is decided before, or gets the same verdict anyway
 *   drop    what entries before it decide already, or those behind it decide the same way
 *
 * and then, once, where entries may be added,
 *
 *   gaps    ports that no entry speaks of are denied ahead of all, so that ranges may reach over them
 *
 * Each step is taken where every packet that it could touch keeps what it gets, as far as it can be shown
 * with bounded work. Nothing is ever made longer. */
#ifndef FWC_TARGET_CISCO_MINIMISE_MINIMISE_H
#define FWC_TARGET_CISCO_MINIMISE_MINIMISE_H

#include "net/tuple.h"
#include "target/cisco/minimise/region.h"

enum minimise_aim {
	MINIMISE_NONE,
	MINIMISE_ENTRIES, /* fewest entries; of as many, fewest of the TCAM, then range registers */
	MINIMISE_TCAM,    /* fewest entries of the TCAM once ranges are prefixes, then registers, then entries */
};

bool minimise_aim_parse(const char *word, enum minimise_aim *aim);

/* Colours: what a packet gets. Entries that log or count have one of their own each. */
#define MINIMISE_DENY 0u
#define MINIMISE_PERMIT 1u
#define MINIMISE_COLOURS 2u

#define MINIMISE_PROTOCOL_ANY 256u
#define MINIMISE_REGIONS_MOST 256u

/* Sorted, disjoint, not adjacent. Made by minimise_ports: equal sets are one pointer. NULL: every port. */
struct minimise_ports {
	uint32_t count;
	struct port_range ranges[];
};

struct minimise_parts {
	uint32_t count;
	uint32_t numbers[]; /* ascending */
};

struct minimise_entry {
	number128 value[REGION_SIDES], wildcard[REGION_SIDES];
	const struct minimise_ports *first, *second; /* destination ports or type, source ports or code */
	/* what it holds, where the fields do not say it; NULL: they do */
	const struct region *regions;
	uint32_t regions_count;
	uint32_t colour;
	uint32_t condition; /* 0, or the number of what else has to be true: flags, times */
	uint16_t protocol;  /* 0..255, or MINIMISE_PROTOCOL_ANY */
	bool is_permit;     /* whatever its colour */
	bool is_later;      /* later fragments alone */
	bool is_kept;       /* stays as it is */
	bool is_barrier;    /* nothing moves past it */
	bool is_end;        /* what every list ends in: not an entry to count */
	bool is_line;       /* its ports are some that one entry can say, which may be joined */
	bool is_gone;
	uint32_t holder;    /* of one that is gone: the entry that holds it, or MINIMISE_TOGETHER */
	const struct minimise_parts *parts; /* numbers of the entries that it was made of; NULL: only its own */
};

#define MINIMISE_TOGETHER UINT32_MAX

/* One that was not there: behind those before this place, of these parts. */
struct minimise_added {
	struct minimise_entry entry;
	uint32_t before;
};

struct arena;
struct interned;

struct minimise_list {
	void *pool;
	struct arena *arena;
	struct interned *ports_by_ranges;
	unsigned bits;             /* of an address: 32 or 128 */
	enum minimise_aim aim;
	bool has_multi_eq;         /* up to ten ports after one eq */
	/* an entry that no whole packet needs goes, with the later fragments that it let pass for their lack of
	 * ports: for lists made of a policy, which judges whole packets */
	bool forgets_later;
	bool can_add;              /* what is added is written, too; it is sorted by its places */
	uint32_t default_colour;   /* of denials in the place of the list's own, too; 0: there is none */
	/* in the list's order; its number is an entry's place */
	struct minimise_entry *entries;
	size_t entries_count, entries_capacity;
	struct minimise_added *added;
	size_t added_count, added_capacity;
	bool is_over;              /* some of it was not looked at: the list is too large */
};

struct minimise_list *minimise_list_new(void *pool, unsigned bits, enum minimise_aim aim);
/* Ranges in any order. */
const struct minimise_ports *minimise_ports(struct minimise_list *list, const struct port_range *ranges,
					    size_t count);
/* Room for so many entries, so that a long list is not moved while it grows. */
void minimise_reserve(struct minimise_list *list, size_t count);
struct minimise_entry *minimise_append(struct minimise_list *list);
/* Changes the entries in their places: some are gone, others are of several. At least one that is not of the
 * list's end stays. */
void minimise(struct minimise_list *list);

/* The region of an entry with this number, from 0 on. false: it has no more. */
bool minimise_region(const struct minimise_entry *entry, size_t number, struct region *region);
/* All but one port, which is neither the first nor the last: what `neq` says. */
bool minimise_ports_are_neq(const struct minimise_ports *ports);
/* How many prefixes the ports take. */
size_t minimise_ports_prefixes(const struct minimise_ports *ports);

#endif
