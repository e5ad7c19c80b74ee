/* First-match lists of five-tuple rules, of the three kinds that ClassBench (Taylor and Turner, 2005)
 * found in real filters: access lists (acl), firewalls (fw) and IP chains (ipc). The shares of prefix
 * lengths, ports and protocols are rough: lists of like shape, not copies of its seeds. */
#ifndef FWC_TESTS_CLASSBENCH_H
#define FWC_TESTS_CLASSBENCH_H

#include "analyse/packetset.h"

enum classbench_kind { CLASSBENCH_ACL, CLASSBENCH_FW, CLASSBENCH_IPC };
#define CLASSBENCH_KINDS 3

struct classbench_wish {
	enum classbench_kind kind;
	enum family family;
	size_t count;
	uint64_t seed;
	unsigned holes_percent; /* of addresses: "this network, except a part of it" */
};

struct classbench {
	struct packet_rule *rules; /* all of hook forward; number: the index */
	uint32_t *outcomes;        /* of a number: 0 deny, 1 allow */
	size_t count;
};

const char *classbench_name(enum classbench_kind kind);
struct classbench classbench_list(void *pool, const struct classbench_wish *wish);

#endif
