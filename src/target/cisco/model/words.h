/* Words of IOS for numbers; NULL: there is none, the number is written. */
#ifndef FWC_TARGET_CISCO_MODEL_WORDS_H
#define FWC_TARGET_CISCO_MODEL_WORDS_H

#include "target/cisco/model/model.h"

const char *ios_port_word(uint16_t protocol, uint16_t port);
/* code IOS_ICMP_ANY: of every code */
const char *ios_icmp_word(enum family family, uint16_t type, uint16_t code);
/* IPv6 lists know fewer. */
const char *ios_protocol_word(enum family family, uint16_t protocol);

#endif
