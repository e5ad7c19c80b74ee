/* What stands in the fourth layer. */
#include "target/cisco/read/ports.h"

#include <string.h>

#include "target/cisco/read/words.h"

/* As many as any IOS takes after one `eq`. */
enum { PORTS_LIMIT = 10 };

bool acl_protocol_take(struct acl_line *line, enum family family, uint16_t *protocol)
{
	struct acl_word word = acl_line_peek(line);
	const struct acl_named *named = acl_word_find(
		family == FAMILY_IPV4 ? ACL_WORD_PROTOCOL : ACL_WORD_PROTOCOL6, word.at, word.length);
	uint32_t number;

	if (named == NULL && (!acl_number_parse(word, UINT8_MAX, &number) || number == 0))
		return false;
	*protocol = named != NULL ? named->number : (uint16_t)number;
	line->next++;
	return true;
}

bool acl_protocol_takes_ports(unsigned protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP;
}

/* Without a complaint: what follows a list of ports may be anything. */
static bool port_find(struct acl_word word, unsigned protocol, uint16_t *port)
{
	const struct acl_named *named = NULL;
	uint32_t number;

	if (acl_number_parse(word, UINT16_MAX, &number)) {
		*port = (uint16_t)number;
		return true;
	}
	if (protocol == PROTOCOL_TCP)
		named = acl_word_find(ACL_WORD_TCP, word.at, word.length);
	else if (protocol == PROTOCOL_UDP)
		named = acl_word_find(ACL_WORD_UDP, word.at, word.length);
	if (named != NULL)
		*port = named->number;
	return named != NULL;
}

bool acl_port_take(struct acl_line *line, unsigned protocol, uint16_t *port)
{
	if (!port_find(acl_line_peek(line), protocol, port))
		return acl_line_fail(line, "expected a port, a number or a word that IOS has for it");
	line->next++;
	return true;
}

static bool operator_take(struct acl_line *line, enum acl_operator *operator)
{
	static const char *const words[] = {
		[ACL_PORTS_EQ] = "eq",
		[ACL_PORTS_NEQ] = "neq",
		[ACL_PORTS_GT] = "gt",
		[ACL_PORTS_LT] = "lt",
		[ACL_PORTS_RANGE] = "range",
	};

	for (int index = ACL_PORTS_EQ; index <= ACL_PORTS_RANGE; index++)
		if (acl_line_skip(line, words[index])) {
			*operator = (enum acl_operator)index;
			return true;
		}
	return false;
}

bool acl_ports_take(struct acl_line *line, struct arena *arena, unsigned protocol,
		    struct acl_ports *ports)
{
	uint16_t numbers[PORTS_LIMIT];
	size_t wanted, count = 0;
	bool is_list;

	if (!operator_take(line, &ports->operator))
		return true;
	is_list = ports->operator == ACL_PORTS_EQ || ports->operator == ACL_PORTS_NEQ;
	wanted = is_list ? PORTS_LIMIT : ports->operator == ACL_PORTS_RANGE ? 2 : 1;
	do {
		if (!acl_port_take(line, protocol, &numbers[count++]))
			return false;
	} while (count < wanted && (!is_list || port_find(acl_line_peek(line), protocol,
							   &numbers[count])));
	if (ports->operator == ACL_PORTS_RANGE && numbers[0] > numbers[1])
		return acl_line_fail(line, "a range that runs backwards comes before this");
	ports->count = (uint16_t)count;
	ports->numbers = arena_copy(arena, numbers, count * sizeof numbers[0]);
	return true;
}

void acl_icmp_take(struct acl_line *line, enum family family, uint16_t *type, uint16_t *code)
{
	struct acl_word word = acl_line_peek(line);
	const struct acl_named *named = acl_word_find(
		family == FAMILY_IPV4 ? ACL_WORD_ICMP : ACL_WORD_ICMP6, word.at, word.length);
	uint32_t number;

	*type = *code = ACL_ICMP_ANY;
	if (named != NULL) {
		*type = named->number;
		*code = named->code < 0 ? ACL_ICMP_ANY : (uint16_t)named->code;
		line->next++;
		return;
	}
	if (!acl_number_parse(word, UINT8_MAX, &number))
		return;
	*type = (uint16_t)number;
	line->next++;
	if (acl_number_parse(acl_line_peek(line), UINT8_MAX, &number)) {
		*code = (uint16_t)number;
		line->next++;
	}
}
