/* What a ruleset does with packets that somebody asks about, and why. */
#ifndef FWC_ANALYSE_EXPLAIN_H
#define FWC_ANALYSE_EXPLAIN_H

#include "analyse/meaning.h"

struct explain_question {
	const struct assertion *packets; /* services and places: as rules see them, or before translation */
	/* interfaces, or NULL: whatever the places say. What is translated leaves by `out`, but for the firewall's
	 * own packets, of which it is the first way. */
	const char *in, *out;
	bool has_loopback;               /* of this host, not of a router */
	bool is_untracked;               /* nothing is translated */
};

/* Packets of one hook that one rule decides. */
struct explain_part {
	enum hook hook;
	uint32_t number;        /* meaning.h */
	struct packet packet;   /* one of them */
	bool is_every;          /* all packets asked about in this hook */
	bool is_hop_limit_other; /* neighbour discovery alone, which rules judge of another hop limit than 255 */
};

/* What passes before any rule (language reference, "State"). */
enum explain_always_kind { EXPLAIN_DISCOVERY, EXPLAIN_LISTENERS, EXPLAIN_LOOPBACK };
#define EXPLAIN_ALWAYS_KINDS 3

/* Packets of one hook that do. */
struct explain_always {
	enum hook hook;
	enum explain_always_kind kind; /* discovery: of hop limit 255 alone */
	struct packet packet;          /* one of them */
};

/* A `forward` that translates some of the packets asked about, and one statement that decides some of these then.
 * Of this host's packets from elsewhere both is told: what is forwarded, and what is input where the host is an
 * address of the firewall itself. */
struct explain_forward {
	const struct rule_translation *translation;
	enum hook hook;
	struct packet packet;   /* one of them, as it becomes */
	uint32_t number;        /* that decides it */
	bool is_every;          /* all that it makes in this hook */
	bool is_way_known;      /* by which interface they leave */
};

struct explanation {
	struct meaning meaning;
	struct explain_part *parts; /* hook by hook, in the order of the rules */
	size_t parts_count, parts_capacity;
	struct explain_always *always; /* hook by hook */
	size_t always_count, always_capacity;
	struct explain_forward *forwards; /* those of one translation stand together */
	size_t forwards_count, forwards_capacity;
	bool is_over;           /* past the engine's budget: nothing is known */
};

/* Never NULL; no parts: no such packet can be. */
struct explanation *explain_packets(void *pool, const struct ruleset *ruleset,
				    const struct explain_question *question);
/* The source translation of a packet that is forwarded or leaves the firewall itself; NULL: none. */
const struct rule_translation *explain_source_translation(const struct ruleset *ruleset,
							  const struct packet *packet);
/* The tunnel that carries it from the device, or to it (is_back); NULL: none. */
const struct tunnel *explain_tunnel(const struct policy *policy, const struct packet *packet,
				    bool *is_back);

#endif
