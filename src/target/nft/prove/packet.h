/* A difference in words: the packet, and what each side says of it. */
#ifndef FWC_TARGET_NFT_PROVE_PACKET_H
#define FWC_TARGET_NFT_PROVE_PACKET_H

#include "rules/evaluate.h"
#include "target/nft/prove/prove.h"
#include "target/nft/walk/leaf.h"
#include "target/nft/prove/wanted.h"

/* A place where packets are looked at. */
struct prove_place {
	const char *name;
	unsigned hook;    /* NF_INET_* */
	bool is_judging;  /* rules decide here */
	const char *type; /* of base chains */
	int32_t low, high; /* their priorities */
};

struct prove_difference {
	const struct ruleset *ruleset;
	const struct walk_space *space;
	const struct walk_leaves *leaves;
	const struct prove_place *place;
	const struct diagram_way *way;
	const struct wanted_leaf *wanted;
};

/* The value of a field that people know from packets. */
number128 prove_packet_ordinary(enum walk_field field);
/* What each side does, in words. found: way->b, space and leaves are looked at. */
const char *prove_wanted_text(void *pool, const struct wanted_leaf *wanted);
const char *prove_found_text(void *pool, const struct prove_difference *difference);
/* Fills packet, wanted, found, witness and origin. */
void prove_packet_tell(void *pool, struct proof *proof, const struct prove_difference *difference);

#endif
