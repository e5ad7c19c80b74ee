/* All that a table does otherwise than the policy: the proof's comparison, told in full.
 *
 * Where rules judge, the pairs of what is wanted and what is found become sets of packets of the engine
 * (analyse/packetset.h), one change a pair, statement of the policy and kind of connection. What such
 * sets cannot say (marks, hop limits, what an expression without a model sees) is named beside them. A
 * condition that nobody can tell counts both ways: what depends on it alone is unsure. Elsewhere
 * (translations, tracking) one packet a place shows the difference. */
#ifndef FWC_TARGET_NFT_PROVE_DIFFER_H
#define FWC_TARGET_NFT_PROVE_DIFFER_H

#include "analyse/meaning.h"
#include "target/nft/prove/fit.h"
#include "target/nft/prove/packet.h"

enum table_change_kind {
	TABLE_ALLOWED,  /* the table allows, the policy does not */
	TABLE_DENIED,
	TABLE_ANSWERED, /* denied by both, answered in another way */
	TABLE_LIMITED,  /* by another limit */
	TABLE_LOGGED,   /* another log line, counter or helper */
	TABLE_OTHER,    /* queued, sent elsewhere: neither allowed nor denied */
};

#define TABLE_NO_STATEMENT UINT32_MAX

struct table_change {
	enum table_change_kind kind;
	enum hook hook;
	unsigned states;      /* of connections: bits of enum walk_state */
	uint32_t statement;   /* of the policy (meaning); TABLE_NO_STATEMENT: no rule decides there */
	packet_set packets;   /* possible ones of the hook; not empty */
	packet_set region;    /* the same, whatever is possible */
	const char *wanted, *found; /* in words; found with the chain and rule */
	bool is_unsure;       /* whether there is a difference depends on what nobody knows */
	const char *depends;  /* "hop limit, meta mark": on what else it depends, or NULL */
};

struct differ {
	void *pool;
	struct packet_universe *universe;
	struct packet_space *space;
	struct meaning meaning;
	struct table_change *changes; /* by hook, then kind */
	size_t changes_count, changes_capacity;
	struct proof *others; /* where, packet, wanted, found, origin */
	size_t others_count, others_capacity;
	bool is_over; /* past the budget: the changes are not known */
	/* private: places where rules judge */
	struct differ_place *places;
	size_t places_count, places_capacity;
};

struct proof_subject {
	const struct ruleset *ruleset;
	const struct nft_read *read;
	const struct read_table *table;
	const struct proof_limits *limits;
};

/* The proof; where it DIFFERS, differ holds everything that does. It may be NULL, else all zero. What it
 * points to is in a child of the pool. */
struct proof nft_differ(void *pool, const struct proof_subject *subject, struct differ *differ);

/* For the proof: a new try; a place that differs, just told in prover->proof; behind the last place. */
void differ_begin(struct differ *differ, void *pool);
void differ_place(struct prover *prover, const struct prove_place *place, diagram wanted, diagram found);
void differ_finish(struct prover *prover);

#endif
