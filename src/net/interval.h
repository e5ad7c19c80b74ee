/* Sets of numbers as sorted, disjoint, non-adjacent closed intervals.
 *
 * One implementation serves ports, protocols, ICMP types, minutes of the week and
 * addresses: the number type holds an IPv6 address. Values are in host order as
 * numbers (10.0.0.1 is 0x0a000001; ::1 is 1). Sets are immutable once shared;
 * operations allocate their result in the pool given and never change operands.
 * A set built by interval_set_add must be normalised before any other use. */
#ifndef FWC_NET_INTERVAL_H
#define FWC_NET_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 number128;

struct interval {
	number128 low, high; /* both included, low <= high */
};

struct interval_set {
	struct interval *items;
	size_t items_count, items_capacity;
};

void interval_set_add(void *pool, struct interval_set *set, number128 low, number128 high);
/* Sorts, merges overlapping and adjacent intervals, in place. */
void interval_set_normalise(struct interval_set *set);
bool interval_set_is_empty(const struct interval_set *set);
/* The first interval that does not end before the value; items_count if none. */
size_t interval_set_find(const struct interval_set *set, number128 value);
bool interval_set_contains(const struct interval_set *set, number128 value);
bool interval_set_equals(const struct interval_set *a, const struct interval_set *b);
bool interval_set_includes(const struct interval_set *outer, const struct interval_set *inner);
bool interval_set_overlaps(const struct interval_set *a, const struct interval_set *b);
struct interval_set interval_set_union(void *pool, const struct interval_set *a,
				       const struct interval_set *b);
struct interval_set interval_set_intersect(void *pool, const struct interval_set *a,
					   const struct interval_set *b);
struct interval_set interval_set_subtract(void *pool, const struct interval_set *a,
					  const struct interval_set *b);
/* A stable 64-bit hash of the content (same on every machine). */
uint64_t interval_set_hash(const struct interval_set *set);

#endif
