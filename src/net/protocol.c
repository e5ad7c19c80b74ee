/* IP protocols and ICMP types by name. The tables are small and sorted: a name is found
 * by halving, the name of a number by looking at all of them. */
#include "net/protocol.h"

#include <string.h>

struct protocol_row {
	const char *name;
	uint8_t number;
	bool is_usual; /* the name to print */
};

static const struct protocol_row protocols[] = {
#define X(name, number, is_usual) { name, number, is_usual },
#include "net/protocols.def"
#undef X
};

struct icmp_row {
	struct icmp_name icmp;
	bool is_usual; /* the name to print for this type */
};

#define X(name, type, code, is_usual) { { name, type, code }, is_usual },
static const struct icmp_row icmp_rows[] = {
#include "net/icmp_types.def"
};
static const struct icmp_row icmp6_rows[] = {
#include "net/icmp6_types.def"
};
#undef X

#define ROWS(table) (sizeof(table) / sizeof *(table))

/* Compares bytes, ignoring the key's case, with a name in lower case. */
static int compare_name(const char *key, size_t length, const char *name)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char left = (unsigned char)key[i], right = (unsigned char)name[i];
		if (left >= 'A' && left <= 'Z')
			left = (unsigned char)(left + ('a' - 'A'));
		if (left != right || right == '\0')
			return right == '\0' ? 1 : (int)left - (int)right;
	}
	return name[length] == '\0' ? 0 : -1;
}

bool protocol_has_ports(unsigned protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
	       protocol == PROTOCOL_DCCP || protocol == PROTOCOL_UDPLITE;
}

bool protocol_find(const char *name, size_t length, uint8_t *protocol)
{
	size_t low = 0, high = ROWS(protocols);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_name(name, length, protocols[middle].name);
		if (order == 0) {
			*protocol = protocols[middle].number;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

const char *protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ROWS(protocols); i++)
		if (protocols[i].is_usual && protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}

static bool is_icmp6(unsigned protocol)
{
	return protocol == 6 || protocol == PROTOCOL_ICMP6;
}

static const struct icmp_row *icmp_row_at(unsigned protocol, size_t index)
{
	return is_icmp6(protocol) ? &icmp6_rows[index] : &icmp_rows[index];
}

size_t icmp_name_count(unsigned protocol)
{
	return is_icmp6(protocol) ? ROWS(icmp6_rows) : ROWS(icmp_rows);
}

const struct icmp_name *icmp_name_at(unsigned protocol, size_t index)
{
	return &icmp_row_at(protocol, index)->icmp;
}

const struct icmp_name *icmp_find(unsigned protocol, const char *name, size_t length)
{
	size_t low = 0, high = icmp_name_count(protocol);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct icmp_name *found = icmp_name_at(protocol, middle);
		int order = compare_name(name, length, found->name);
		if (order == 0)
			return found;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *icmp_type_name(unsigned protocol, uint8_t type)
{
	for (size_t i = 0; i < icmp_name_count(protocol); i++) {
		const struct icmp_row *row = icmp_row_at(protocol, i);
		if (row->is_usual && row->icmp.type == type)
			return row->icmp.name;
	}
	return NULL;
}
