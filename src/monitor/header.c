/* IP headers: see header.h. */
#include "monitor/header.h"

#include "net/protocol.h"

#define IPV4_LEAST 20
#define IPV6_LEAST 40
#define EXTENSIONS_MOST 8

/* --- reading ------------------------------------------------------------------------------------------ */

static number128 number_at(const uint8_t *bytes, size_t length)
{
	number128 value = 0;

	for (size_t index = 0; index < length; index++)
		value = value << 8 | bytes[index];
	return value;
}

static uint16_t short_at(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

/* The first bytes of what IP carries. */
static void read_parts(const uint8_t *bytes, size_t length, struct header *header)
{
	if (protocol_has_ports(header->protocol) && length >= 4) {
		header->second = short_at(bytes);
		header->first = short_at(bytes + 2);
		header->has_parts = true;
	} else if (is_icmp(header->protocol) && length >= 2) {
		header->first = bytes[0];
		header->second = bytes[1];
		header->has_parts = true;
	}
}

static bool read_ipv4(const uint8_t *bytes, size_t length, struct header *header)
{
	size_t own = (size_t)(bytes[0] & 0xf) * 4;

	if (length < IPV4_LEAST || own < IPV4_LEAST)
		return false;
	*header = (struct header){
		.family = FAMILY_IPV4,
		.source = number_at(bytes + 12, 4),
		.destination = number_at(bytes + 16, 4),
		.protocol = bytes[9],
	};
	if ((short_at(bytes + 6) & 0x1fff) == 0 && length > own)
		read_parts(bytes + own, length - own, header);
	return true;
}

enum { IPV6_HOP_BY_HOP = 0, IPV6_ROUTING = 43, IPV6_FRAGMENT = 44, IPV6_AUTHENTICATION = 51, IPV6_OPTIONS = 60 };

/* Length of an extension header; 0: it is none. */
static size_t extension_length(uint8_t protocol, const uint8_t *bytes)
{
	switch (protocol) {
	case IPV6_HOP_BY_HOP:
	case IPV6_ROUTING:
	case IPV6_OPTIONS:
		return ((size_t)bytes[1] + 1) * 8;
	case IPV6_FRAGMENT:
		return 8;
	case IPV6_AUTHENTICATION:
		return ((size_t)bytes[1] + 2) * 4;
	default:
		return 0;
	}
}

static bool read_ipv6(const uint8_t *bytes, size_t length, struct header *header)
{
	size_t at = IPV6_LEAST;

	if (length < IPV6_LEAST)
		return false;
	*header = (struct header){
		.family = FAMILY_IPV6,
		.source = number_at(bytes + 8, 16),
		.destination = number_at(bytes + 24, 16),
		.protocol = bytes[6],
	};
	for (unsigned count = 0; count < EXTENSIONS_MOST && length >= at + 8; count++) {
		size_t own = extension_length(header->protocol, bytes + at);

		/* what authentication covers is what rules see as protocol 51 */
		if (own == 0 || header->protocol == IPV6_AUTHENTICATION)
			break;
		if (header->protocol == IPV6_FRAGMENT && (short_at(bytes + at + 2) & 0xfff8) != 0) {
			header->protocol = bytes[at];
			return true;
		}
		header->protocol = bytes[at];
		at += own;
	}
	if (length > at)
		read_parts(bytes + at, length - at, header);
	return true;
}

bool header_read(const uint8_t *bytes, size_t length, struct header *header)
{
	if (length == 0)
		return false;
	switch (bytes[0] >> 4) {
	case 4:
		return read_ipv4(bytes, length, header);
	case 6:
		return read_ipv6(bytes, length, header);
	default:
		return false;
	}
}

/* --- printing ------------------------------------------------------------------------------------------ */

static void add_end(struct text *out, const struct header *header, number128 value, uint16_t port)
{
	bool has_port = header->has_parts && protocol_has_ports(header->protocol);
	bool is_bracketed = has_port && header->family == FAMILY_IPV6;

	text_add(out, is_bracketed ? "[" : "");
	address_format(out, &(struct address){ header->family, value });
	text_add(out, is_bracketed ? "]" : "");
	if (has_port)
		text_addf(out, ":%u", port);
}

static void add_protocol(struct text *out, const struct header *header)
{
	const char *name = protocol_name(header->protocol), *type;

	if (name != NULL)
		text_add(out, name);
	else
		text_addf(out, "protocol %u", header->protocol);
	if (!is_icmp(header->protocol) || !header->has_parts)
		return;
	type = icmp_type_name(header->protocol, (uint8_t)header->first);
	if (type != NULL)
		text_addf(out, " %s", type);
	else
		text_addf(out, " type %u", header->first);
	if (header->second != 0)
		text_addf(out, " code %u", header->second);
}

void header_format(struct text *out, const struct header *header)
{
	add_protocol(out, header);
	text_add_char(out, ' ');
	add_end(out, header, header->source, header->second);
	text_add(out, " -> ");
	add_end(out, header, header->destination, header->first);
}
