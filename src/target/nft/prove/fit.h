/* Whether what a table does with a packet is what the policy wants of it. */
#ifndef FWC_TARGET_NFT_PROVE_FIT_H
#define FWC_TARGET_NFT_PROVE_FIT_H

#include "target/nft/prove/prove.h"
#include "target/nft/walk/walk.h"
#include "target/nft/prove/wanted.h"

struct differ;

struct prover {
	void *pool;
	const struct ruleset *ruleset;
	const struct read_table *table;
	const struct proof_limits *limits;
	struct walk_space *space;
	struct walk_leaves *leaves;
	struct walk *walk;
	struct wanted *wanted;
	struct differ *differ; /* or NULL: the first difference is enough */
	struct names *owners; /* what a rule has of its own: both ways */
	struct proof *proof;
};

/* wanted: a leaf of `wanted`; found: one of the walk, or a node of limits. For diagram_equals. Remembers
 * whose counter and limit is whose: with one prover, ask for every pair. */
bool prove_fits(void *prover, diagram wanted, diagram found);

/* Whether both allow, both drop or both reject, whatever the answer. wanted: one of a rule. */
bool prove_verdict_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf);

/* Whether the rule's limit is that of the table, whatever is noted of its packets. */
bool prove_limit_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram found);

#endif
