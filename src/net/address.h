/* IPv4 and IPv6 addresses, prefixes, ranges and sets of them.
 * Text forms after RFC 4291, RFC 5952 (output), RFC 4632. Numbers in host order. */
#ifndef FWC_NET_ADDRESS_H
#define FWC_NET_ADDRESS_H

#include <stdbool.h>

#include "base/text.h"
#include "net/interval.h"

enum family { FAMILY_IPV4, FAMILY_IPV6 };
/* bit masks of families */
enum { FAMILIES_NONE = 0, FAMILIES_IPV4 = 1, FAMILIES_IPV6 = 2, FAMILIES_BOTH = 3 };

/* 32 or 128 */
unsigned family_bits(enum family family);
number128 family_highest(enum family family);

struct address {
	enum family family;
	number128 value;
};

struct prefix {
	enum family family;
	number128 value; /* may have host bits where the caller allows them */
	unsigned length; /* 0..32, 0..128 */
};

/* Strict: dotted quad without leading zeros (010 is an error), RFC 4291 IPv6 without zone.
 * false on anything else. Text need not be NUL-terminated. */
bool address_parse(const char *text, size_t length, struct address *address);
bool prefix_parse(const char *text, size_t length, struct prefix *prefix);
bool prefix_has_host_bits(const struct prefix *prefix);
struct prefix prefix_network(const struct prefix *prefix);
struct interval prefix_interval(const struct prefix *prefix);
void address_format(struct text *out, const struct address *address);
void prefix_format(struct text *out, const struct prefix *prefix);
/* "10.0.0.0/24", "10.0.0.5", "10.0.0.5-10.0.0.9", as short as exact */
void address_interval_format(struct text *out, enum family family, const struct interval *interval);
/* So many bytes it writes at most. */
size_t address_interval_room(enum family family, const struct interval *interval);
/* The prefixes that make up the closed interval, in order, at most 2*bits-2. Gives the count;
 * prefixes has room for 254. */
size_t interval_to_prefixes(enum family family, const struct interval *interval,
			    struct prefix *prefixes);
bool interval_is_prefix(enum family family, const struct interval *interval, unsigned *length);

struct address_set {
	struct interval_set v4, v6;
};

const struct interval_set *address_set_family(const struct address_set *set, enum family family);
bool address_set_is_empty(const struct address_set *set);
/* mask of families that have an element */
unsigned address_set_families(const struct address_set *set);
bool address_set_is_all(const struct address_set *set);      /* both families whole */
bool address_set_is_whole(const struct address_set *set, enum family family);
bool address_set_equals(const struct address_set *a, const struct address_set *b);
bool address_set_overlaps(const struct address_set *a, const struct address_set *b);
bool address_set_includes(const struct address_set *outer, const struct address_set *inner);
struct address_set address_set_all(void *pool);
/* Without what no host has: the unspecified address, multicast groups, the broadcast address (RFC 1122, 3.2.1.3;
 * RFC 4291, 2.5.2 and 2.7). */
struct address_set address_set_hosts(void *pool);
struct address_set address_set_union(void *pool, const struct address_set *a,
				     const struct address_set *b);
struct address_set address_set_intersect(void *pool, const struct address_set *a,
					 const struct address_set *b);
struct address_set address_set_subtract(void *pool, const struct address_set *a,
					const struct address_set *b);
void address_set_add_prefix(void *pool, struct address_set *set, const struct prefix *prefix);
void address_set_add_range(void *pool, struct address_set *set, enum family family, number128 low,
			   number128 high);
void address_set_normalise(struct address_set *set);

#endif
