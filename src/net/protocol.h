/* IP protocols and ICMP types by name (IANA protocol-numbers, icmp-parameters,
 * icmpv6-parameters). Tables sorted by name; names ignore case. */
#ifndef FWC_NET_PROTOCOL_H
#define FWC_NET_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ESP = 50,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_SCTP = 132,
	PROTOCOL_DCCP = 33,
	PROTOCOL_UDPLITE = 136,
};

/* tcp, udp, sctp, dccp, udplite: protocols with ports at bytes 0-3 */
bool protocol_has_ports(unsigned protocol);
/* "tcp" -> 6; false if unknown */
bool protocol_find(const char *name, size_t length, uint8_t *protocol);
/* "tcp", or NULL */
const char *protocol_name(uint8_t protocol);

struct icmp_name {
	const char *name; /* "echo-request", nft's spelling where nft has one */
	uint8_t type;
	int16_t code; /* -1: any code */
};
/* family 4: ICMP, 6: ICMPv6 (protocol numbers 1 and 58 are accepted too) */
const struct icmp_name *icmp_find(unsigned protocol, const char *name, size_t length);
/* the name of (type, any code), or NULL */
const char *icmp_type_name(unsigned protocol, uint8_t type);
/* for suggestions */
size_t icmp_name_count(unsigned protocol);
const struct icmp_name *icmp_name_at(unsigned protocol, size_t index);

#endif
