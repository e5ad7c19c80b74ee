/* Proof of the output: what was made, read back and worked out, against what the policy wants.
 *
 * Every base chain of the table is looked at, on every hook: input, forward and output against the
 * rules and what always passes (verdict, kind of reject, limit, log line, counter, helper); the nat
 * chains against the translations; what comes before connection tracking against `stateless`; all
 * others must do nothing. Two functions on packets are compared, so no packet is left out. */
#ifndef FWC_TARGET_NFT_PROVE_PROVE_H
#define FWC_TARGET_NFT_PROVE_PROVE_H

#include "rules/evaluate.h"
#include "target/nft/read/read.h"

enum proof_result {
	PROOF_EQUAL,
	PROOF_DIFFERS,
	PROOF_UNDECIDED, /* the budget of memory is used up */
	PROOF_UNREADABLE, /* the table says what makes no sense */
};

/* A packet on which the two differ, as far as the difference depends on it. */
struct proof_packet {
	/* where it is looked at: base chains of this type on the hook (NF_INET_*), by priority */
	const char *type;
	unsigned hook;
	int32_t low, high;
	struct packet packet; /* packet.hook: where rules judge */
	uint32_t state;       /* NF_CT_STATE_*_BIT */
	uint8_t tcp_flags, hop_limit;
	const char *helper;   /* or NULL */
	uint32_t route;       /* RTN_* */
	uint32_t second;      /* of the week, UTC, Monday 00:00 = 0 */
	bool has_unknowns;    /* it depends on more than this */
};

struct proof {
	enum proof_result result;
	size_t hooks;        /* base chains' hooks that were compared */
	size_t rules;        /* of the policy, each hook's counted */
	size_t translations;
	size_t intervals;    /* in all diagrams: the work it was */
	/* DIFFERS: for messages */
	const char *where;   /* "hook input" */
	const char *packet;  /* "tcp 10.0.0.1 port 1024 -> …" */
	const char *wanted, *found;
	struct proof_packet witness;
	const char *shared;  /* "counter 'c'": it should serve this rule alone; NULL: that is not it */
	struct span origin;  /* of the rule that decides in the policy, or SPAN_NONE */
	/* UNDECIDED, UNREADABLE */
	const char *reason;
};

struct proof_limits {
	size_t intervals_max; /* 0: what is enough for some ten thousand rules */
	/* Unless 0: a policy of more weight is proved in pieces of no more, whether that pays or not. An interval
	 * of addresses or ports weighs 1, a rule 16 more. SIZE_MAX: as a whole. */
	size_t piece_weight;
	bool has_log_group;   /* log lines go to this NFLOG group, not to the kernel's log */
	uint16_t log_group;
};

struct proof nft_prove(void *pool, const struct ruleset *ruleset, const struct nft_read *read,
		       const struct read_table *table, const struct proof_limits *limits);
/* Where the first log line of the table goes; no change where it has none. */
void proof_find_log_group(const struct read_table *table, struct proof_limits *limits);

#endif
