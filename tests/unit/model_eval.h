/* What a table does to a packet, worked out by walking the model as the kernel walks its rules.
 *
 * Shares no code with the lowering: it is what the lowering is checked against. */
#ifndef FWC_TESTS_MODEL_EVAL_H
#define FWC_TESTS_MODEL_EVAL_H

#include "target/nft/model/model.h"

struct model_packet {
	unsigned hook;         /* NF_INET_* */
	const char *in, *out;  /* NULL: none */
	enum family family;
	number128 source, destination;
	uint8_t protocol;
	uint16_t source_port, destination_port; /* any bytes where the protocol has no ports */
	uint8_t type, code;    /* ICMP, ICMPv6 */
	uint8_t tcp_flags;
	uint8_t hop_limit;
	uint32_t state;        /* NFT_STATE_* */
	uint32_t status;       /* IPS_* */
	number128 original_destination;
	uint16_t original_port;
	const char *helper;    /* of the connection that expected this one, or NULL */
	uint32_t route;        /* RTN_* of the destination */
	unsigned day;          /* Sunday 0 */
	uint32_t second;       /* of the day */
	uint64_t time;         /* seconds of the epoch */
	bool is_over_limit;    /* every limit is used up */
};

enum model_fate { MODEL_ACCEPT, MODEL_DROP, MODEL_REJECT_RESET, MODEL_REJECT_ADMIN };

#define MODEL_COUNTERS_MAX 4

struct model_result {
	enum model_fate fate;
	bool is_decided;      /* by a rule, not by the end of the base chain */
	const char *counters[MODEL_COUNTERS_MAX];
	size_t counters_count;
	const char *log_prefix;
	const char *helper;   /* object */
	bool is_untracked;
	bool is_masqueraded, has_new_source, has_new_destination;
	struct address new_source, new_destination;
	uint16_t new_port;
	const char *comment;  /* of the rule or element that decided */
	size_t steps;         /* rules looked at */
	const char *problem;  /* what the kernel would not take; NULL: none */
};

/* The base chain of this type ("filter", "nat") and priority on the packet's hook; accepted and not
 * decided where there is none. */
struct model_result model_eval(const struct nft_table *table, const char *type, int32_t priority,
			       const struct model_packet *packet);

/* What the kernel would refuse or load slowly, or what the writers cannot say; NULL: nothing. The
 * text is a literal or in the pool. */
const char *model_check(void *pool, const struct nft_table *table);

#endif
