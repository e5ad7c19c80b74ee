/* The cost model of nftables: what a packet pays for each part of a ruleset, in nanoseconds. */
#ifndef FWC_OPTIMISE_COSTS_H
#define FWC_OPTIMISE_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
#define COST(name, nanoseconds, what) COST_##name = nanoseconds,
#define LOOKUP(name, at_10, at_1000, at_100000, what)
#include "optimise/costs.def"
#undef COST
#undef LOOKUP
};

enum cost_lookup {
#define COST(name, nanoseconds, what)
#define LOOKUP(name, at_10, at_1000, at_100000, what) LOOKUP_##name,
#include "optimise/costs.def"
#undef COST
#undef LOOKUP
};

/* A rule whose comparison of an address fails. */
static inline unsigned cost_compare(bool is_ipv6)
{
	return is_ipv6 ? COST_COMPARE6 : COST_COMPARE;
}

/* The same by its place in the header, where all packets are known to be of its family. */
static inline unsigned cost_compare_place(bool is_ipv6)
{
	return is_ipv6 ? COST_PLACE6 : COST_PLACE;
}

/* A lookup in a set of so many elements, that random packets find: between the measured sizes, in
 * proportion to the logarithm. */
unsigned cost_lookup(enum cost_lookup lookup, size_t elements);
/* A lookup of so many fields (at most three) in ranges of addresses and ports: the kernel reads a bit of each
 * prefix of each range for every byte of its field (nft_set_pipapo.c). range_bytes: prefixes times bytes. */
unsigned cost_ranges(bool is_ipv6, unsigned fields, uint64_t range_bytes);

#endif
