#include "analyse/natural.h"

#include "net/protocol.h"

/* Of each field those that are tried, in order. */
static const struct {
	enum packet_field field;
	uint16_t value;
} natural[] = {
	{ FIELD_HOOK, HOOK_FORWARD }, { FIELD_FAMILY, FAMILY_IPV4 },
	{ FIELD_PROTOCOL, PROTOCOL_TCP }, { FIELD_PROTOCOL, PROTOCOL_UDP },
	{ FIELD_PROTOCOL, PROTOCOL_ICMP }, { FIELD_PROTOCOL, PROTOCOL_ICMP6 },
	{ FIELD_FIRST, 443 }, { FIELD_FIRST, 80 }, { FIELD_FIRST, 22 }, { FIELD_FIRST, 53 },
	{ FIELD_SECOND, 40000 }, { FIELD_SECOND, 0 }, { FIELD_IN, 1 }, { FIELD_OUT, 1 },
	{ FIELD_MINUTE, 720 }, { FIELD_FLAGS, 2 },
};

/* Documentation addresses (RFC 5737, RFC 3849) stand for the internet. */
static number128 natural_address(const struct packet_point *point, enum packet_field field)
{
	unsigned last = field == FIELD_SOURCE ? 7 : 10;

	if (point->fields[FIELD_FAMILY] == FAMILY_IPV4)
		return ((number128)198 << 24 | 51 << 16 | 100 << 8) + last;
	return ((number128)0x20010db8 << 96) + last;
}

bool natural_value(enum packet_field field, const struct packet_point *point, size_t rank,
		   number128 *value)
{
	if (field == FIELD_SOURCE || field == FIELD_DESTINATION ||
	    (field == FIELD_ORIGINAL && point->fields[FIELD_TRANSLATED] != 0)) {
		*value = natural_address(point, field);
		return rank == 0;
	}
	if (field == FIELD_ORIGINAL_FIRST && point->fields[FIELD_TRANSLATED] != 0) {
		*value = point->fields[FIELD_FIRST]; /* mostly it stays what it was */
		return rank == 0;
	}
	for (size_t index = 0; index < sizeof natural / sizeof natural[0]; index++) {
		if (natural[index].field != field || rank-- > 0)
			continue;
		*value = natural[index].value;
		return true;
	}
	return false;
}
