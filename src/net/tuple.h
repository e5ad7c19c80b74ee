/* Service tuples: exact products (protocol, destination ports or ICMP type, source
 * ports or ICMP code), and normalised unions of them. A service is such a union. */
#ifndef FWC_NET_TUPLE_H
#define FWC_NET_TUPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define PROTOCOL_ANY 256u

struct port_range {
	uint16_t low, high; /* host order, closed; whole: 0..65535 (ICMP: 0..255) */
};

/* For protocols with ports: first = destination ports, second = source ports.
 * For ICMP and ICMPv6 written as icmp/icmp6: first = types, second = codes.
 * For any other protocol (written N/ip or by name) and PROTOCOL_ANY: both whole (0..65535).
 * For protocols 1 and 58 whole is 0..255 in both, however written.
 * families: ICMP is IPv4, ICMP6 is IPv6; everything else both. 1/ip and 58/ip mean
 * any type and code, in both families. */
struct service_tuple {
	uint16_t protocol; /* 0..255, or PROTOCOL_ANY: every protocol */
	uint8_t families;  /* FAMILIES_* */
	struct port_range first, second;
};

struct tuple_set {
	struct service_tuple *tuples;
	size_t tuples_count, tuples_capacity;
};

void tuple_set_add(void *pool, struct tuple_set *set, struct service_tuple tuple);
/* Every packet of both families. */
struct tuple_set tuple_set_any(void *pool);
/* Sorted by (protocol, families, first, second), disjoint, joined where the union of two
 * is again a tuple; same set, same bytes. A tuple of PROTOCOL_ANY absorbs all others. */
struct tuple_set tuple_set_normalise(void *pool, const struct tuple_set *set);
/* Exact. Any minus 80/tcp is: each other protocol, and the rest of tcp. */
struct tuple_set tuple_set_subtract(void *pool, const struct tuple_set *a,
				    const struct tuple_set *b);
struct tuple_set tuple_set_intersect(void *pool, const struct tuple_set *a,
				     const struct tuple_set *b);
/* The same to another destination port: what a translation makes of it. port 0: unchanged. Normalised. */
struct tuple_set tuple_set_to_port(void *pool, const struct tuple_set *set, uint16_t port);
bool tuple_set_equals(const struct tuple_set *a, const struct tuple_set *b); /* normalised ones */
bool tuple_overlaps(const struct service_tuple *a, const struct service_tuple *b);
/* Does any of the ones share a packet with any of the others? Pair by pair. */
bool tuple_set_overlaps(const struct tuple_set *a, const struct tuple_set *b);
bool tuples_overlap(const struct service_tuple *a, size_t a_count, const struct service_tuple *b, size_t b_count);
bool tuple_includes(const struct service_tuple *outer, const struct service_tuple *inner);
/* "88/tcp", "27000-27050/udp", "67/udp sport 68", "any/tcp", "47/ip", "any",
 * "8/icmp", "3:4/icmp", "any/icmp": as the language writes it */
void tuple_format(struct text *out, const struct service_tuple *tuple);

#endif
