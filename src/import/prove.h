/* Proof of an import: the policy that was made, against what was read.
 *
 * On each hook two functions on packets are compared: what the policy's rules say (target/nft/prove/wanted.h) and
 * what was read does, which a walk of its own tells as a diagram of walk leaves (target/nft/walk/leaf.h).
 * Nothing of what made the policy takes part. Looked at is what an import promises: first packets of
 * connections, on the way that the kernel shows them to the hook; verdict, limit, log line, translation. What
 * always passes, answers, counters and how a denial is answered are not. */
#ifndef FWC_IMPORT_PROVE_H
#define FWC_IMPORT_PROVE_H

#include "target/nft/prove/fit.h"
#include "target/nft/prove/packet.h"

/* What was read, and what of it the policy is known to lack. */
struct import_subject {
	void *context;
	/* The prover has a new space and new leaves: what was known of others is to be forgotten. */
	void (*begin)(void *context, struct prover *prover);
	/* Each packet's leaf at the place, decided. DIAGRAM_OVER: the budget. */
	diagram (*found_at)(void *context, const struct prove_place *place);
	/* Why it makes no sense, or NULL; asked after found_at. */
	const char *(*problem)(const void *context);
	bool translates_destinations; /* some rule does */
	bool lacks_foreign_icmp;      /* some was let through, and is not in the policy */
	bool has_other_logs;          /* log lines differ, of which a warning tells */
};

/* hooks, rules, translations, intervals; where, packet, wanted, found, origin; reason: as prove.h has them. */
struct proof import_prove(void *pool, const struct ruleset *ruleset, const struct import_subject *subject);

#endif
