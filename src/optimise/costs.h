/* The cost model of nftables: what a packet pays for each part of a ruleset, in nanoseconds. */
#ifndef FWC_OPTIMISE_COSTS_H
#define FWC_OPTIMISE_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
#define COST(name, nanoseconds, plain, guarded, what) COST_##name = nanoseconds,
#define LOOKUP(name, at_10, at_1000, at_100000, what)
#include "optimise/costs.def"
#undef COST
#undef LOOKUP
};

enum cost_lookup {
#define COST(name, nanoseconds, plain, guarded, what)
#define LOOKUP(name, at_10, at_1000, at_100000, what) LOOKUP_##name,
#include "optimise/costs.def"
#undef COST
#undef LOOKUP
};

/* What the addresses of a rule are; COST_OF_ENDS: a range that is told by the bits that its ends share. */
enum cost_addresses { COST_OF_ADDRESS, COST_OF_PREFIX, COST_OF_ENDS, COST_OF_RANGE };

/* A rule whose comparison of an address fails. */
static inline unsigned cost_compare(bool is_ipv6, enum cost_addresses kind)
{
	unsigned cost = is_ipv6 ? COST_COMPARE6 : COST_COMPARE;
	return kind == COST_OF_RANGE ? cost + COST_RANGE : cost;
}

/* The same by its place in the header, where all packets are known to be of its family. */
static inline unsigned cost_compare_place(bool is_ipv6, enum cost_addresses kind)
{
	switch (kind) {
	case COST_OF_ADDRESS:
		return is_ipv6 ? COST_PLACE6 : COST_PLACE;
	case COST_OF_PREFIX:
		return COST_PLACE_PREFIX;
	case COST_OF_ENDS: /* ranges of one list share their first word, so that the second tells */
		return 2 * COST_PLACE_PREFIX;
	case COST_OF_RANGE:
		break;
	}
	return (is_ipv6 ? COST_PLACE6_WHOLE : COST_PLACE) + COST_RANGE;
}

/* A lookup in a set of so many elements, that random packets find: between the measured sizes, in
 * proportion to the logarithm. */
unsigned cost_lookup(enum cost_lookup lookup, size_t elements);
/* A lookup of so many fields (at most three) in ranges of addresses and ports: the kernel reads a bit of each
 * prefix of each range for every byte of its field (nft_set_pipapo.c). range_bytes: prefixes times bytes. */
unsigned cost_ranges(bool is_ipv6, unsigned fields, uint64_t range_bytes);

#endif
