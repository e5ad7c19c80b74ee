/* The headers of one IP packet: what rules look at.
 *
 * Source: RFC 791 (IPv4), RFC 8200 (IPv6 and its extension headers), RFC 9293, 768, 9260, 4340, 3828
 * (ports at bytes 0 to 3), RFC 792 and 4443 (type and code). */
#ifndef FWC_MONITOR_HEADER_H
#define FWC_MONITOR_HEADER_H

#include "net/address.h"

struct header {
	enum family family;
	number128 source, destination;
	uint8_t protocol;       /* behind IPv6's extension headers */
	bool has_parts;         /* the two numbers are known */
	uint16_t first, second; /* as in struct service_tuple: destination port and source port, type and code */
};

/* From the first byte of the IP header. false where the addresses are not there or it is no IP; a header
 * that ends early has no parts, nor has a later fragment. */
bool header_read(const uint8_t *bytes, size_t length, struct header *header);
/* "tcp 192.168.0.5:40000 -> 10.0.0.1:23", "icmp echo-request 10.0.0.1 -> 10.0.0.2", as `fwc explain`
 * takes it. */
void header_format(struct text *out, const struct header *header);

#endif
