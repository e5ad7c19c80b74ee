/* Protocols, ports and ICMP types as entries and service groups write them. */
#ifndef FWC_TARGET_CISCO_READ_PORTS_H
#define FWC_TARGET_CISCO_READ_PORTS_H

#include "base/arena.h"
#include "target/cisco/read/acl.h"
#include "target/cisco/read/line.h"

/* A word of the protocol table of the family, or a number 1..255 (0 means `ip` on some trains and
 * hop-by-hop options on others: not understood). Takes nothing and complains of nothing when false. */
bool acl_protocol_take(struct acl_line *line, enum family family, uint16_t *protocol);
/* tcp, udp and sctp, whose entries may have ports. */
bool acl_protocol_takes_ports(unsigned protocol);
/* Takes `eq P…`, `neq P…`, `gt P`, `lt P` or `range A B`; nothing for any other word. Words for ports
 * are those of the protocol (tcp, udp); numbers go with every one. false after a complaint. */
bool acl_ports_take(struct acl_line *line, struct arena *arena, unsigned protocol,
		    struct acl_ports *ports);
/* The numbers of one port word or number at the front. false after a complaint. */
bool acl_port_take(struct acl_line *line, unsigned protocol, uint16_t *port);
/* Takes an ICMP word, or TYPE [CODE]; nothing for any other word. */
void acl_icmp_take(struct acl_line *line, enum family family, uint16_t *type, uint16_t *code);

#endif
