/* One rule: its expressions from left to right, on all its ways. */
#ifndef FWC_TARGET_NFT_WALK_RULE_H
#define FWC_TARGET_NFT_WALK_RULE_H

#include "target/nft/walk/path.h"
#include "target/nft/walk/start.h"

/* A limit, as fields of limits know it (walk_unknown.about). */
struct walk_limit {
	uint64_t rate, unit_s;
	uint32_t burst, type, flags;
	bool is_object;         /* which several rules may ask */
	bool is_per_key;        /* one for each key of a set that packets fill */
	/* per key: the source address of this family, cut to so many bits; 0: another key */
	uint8_t key_family;     /* FAMILIES_* */
	unsigned key_bits;
	uint32_t size;          /* of the set */
	uint64_t timeout_ms;
	const char *name;
};

/* What the rule does with packets; FALL where it does not decide. start: of this rule, or NULL. */
diagram walk_rule(struct walk *walk, const struct read_rule *rule, const struct walk_start *start);
/* Works out how the rule's ways begin. */
void walk_rule_start(struct walk *walk, const struct read_rule *rule, struct walk_start *start);

#endif
