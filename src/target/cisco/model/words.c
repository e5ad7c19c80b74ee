/* The tables are small: they are walked. */
#include "target/cisco/model/words.h"

#include "net/protocol.h"

struct port_word {
	uint16_t protocol, port;
	const char *word;
};

struct icmp_word {
	enum family family;
	uint16_t type, code;
	const char *word;
};

struct protocol_word {
	uint16_t protocol;
	const char *word;
};

#define EVERY_CODE(code) ((code) < 0 ? IOS_ICMP_ANY : (uint16_t)(code))
#define TCP(port, word)
#define UDP(port, word)
#define PROTOCOL(number, word)
#define ICMP(type, code, word)
#define ICMP6(type, code, word)

#undef TCP
#undef UDP
#define TCP(port, word) { PROTOCOL_TCP, port, word },
#define UDP(port, word) { PROTOCOL_UDP, port, word },
static const struct port_word port_words[] = {
#include "target/cisco/model/words.def"
};
#undef TCP
#undef UDP
#define TCP(port, word)
#define UDP(port, word)

#undef ICMP
#undef ICMP6
#define ICMP(type, code, word) { FAMILY_IPV4, type, EVERY_CODE(code), word },
#define ICMP6(type, code, word) { FAMILY_IPV6, type, EVERY_CODE(code), word },
static const struct icmp_word icmp_words[] = {
#include "target/cisco/model/words.def"
};
#undef ICMP
#undef ICMP6
#define ICMP(type, code, word)
#define ICMP6(type, code, word)

#undef PROTOCOL
#define PROTOCOL(number, word) { number, word },
static const struct protocol_word protocol_words[] = {
#include "target/cisco/model/words.def"
};

const char *ios_port_word(uint16_t protocol, uint16_t port)
{
	for (size_t index = 0; index < sizeof port_words / sizeof port_words[0]; index++)
		if (port_words[index].protocol == protocol && port_words[index].port == port)
			return port_words[index].word;
	return NULL;
}

const char *ios_icmp_word(enum family family, uint16_t type, uint16_t code)
{
	for (size_t index = 0; index < sizeof icmp_words / sizeof icmp_words[0]; index++)
		if (icmp_words[index].family == family && icmp_words[index].type == type &&
		    icmp_words[index].code == code)
			return icmp_words[index].word;
	return NULL;
}

/* permit (IPv6): ahp, esp, icmp, ipv6, pcp, sctp, tcp, udp, or a number. */
static bool is_of_both(uint16_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
	       protocol == 50 || protocol == 51 || protocol == 108;
}

const char *ios_protocol_word(enum family family, uint16_t protocol)
{
	if (protocol == IOS_PROTOCOL_IP)
		return family == FAMILY_IPV4 ? "ip" : "ipv6";
	if (family == FAMILY_IPV6 && protocol == PROTOCOL_ICMP6)
		return "icmp";
	if (family == FAMILY_IPV6 && !is_of_both(protocol))
		return NULL;
	for (size_t index = 0; index < sizeof protocol_words / sizeof protocol_words[0]; index++)
		if (protocol_words[index].protocol == protocol)
			return protocol_words[index].word;
	return NULL;
}
