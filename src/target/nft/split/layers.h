/* Layers: a first-match list as maps of whole boxes (destination, source, ports), level by level.
 *
 * A unit's level is above that of every earlier unit that it shares a packet with and that decides
 * otherwise. Within one map no two boxes share a packet, so that the order of its elements means nothing, and
 * the kernel, which looks at corners only, has nothing to refuse. A level is a map a family and protocol, the
 * protocol compared before it: a field less to look up, and fewer elements. Units whose services are no ports
 * stand in maps of addresses alone. What is left is compared behind all maps.
 *
 * The kernel finds a box in time that grows with the prefixes of all ranges together: short lists only, and
 * for those it is one lookup, where a tree over one field leads to leaves that ask for the others. */
#ifndef FWC_TARGET_NFT_SPLIT_LAYERS_H
#define FWC_TARGET_NFT_SPLIT_LAYERS_H

#include "target/nft/emit/unit.h"

struct layers {
	void *pool; /* a child of the lowering's scratch: free it with talloc_free */
	struct layer *items;
	size_t items_count, items_capacity; /* in the order of the lookups */
	struct entry *taken; /* units that stand in the maps; their places and ports are answered there */
	size_t taken_count;
	struct entry *rest;
	size_t rest_count;
	size_t elements;
	unsigned price; /* of their size (size.h) */
	unsigned cost; /* nanoseconds of the lookups and of what is asked behind them, without the rest */
};

/* What a list costs that costs so much as plain rules, in nanoseconds. */
typedef unsigned (*rest_coster)(uint64_t linear);

/* Of a list in a chain of this level; NULL where it has too little to put into maps, or too much, or where maps
 * are too few for it. */
struct layers *layers_new(struct lower *lower, const struct entry *list, size_t count, unsigned level,
			  rest_coster rest);
/* layers may be NULL. */
void layers_drop(struct layers *layers);
/* Adds the lookups. goals: where each taken unit goes. */
void layers_write(struct lower *lower, struct draft *draft, const struct layers *layers, const struct goal *goals);
/* What is reported; NULL where nothing is. */
const char *layers_words(const struct lower *lower, const struct layers *layers);

/* A list of more is none for layers. */
#define LAYERS_LIST_MOST 768

#endif
