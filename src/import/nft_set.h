/* Conditions of a walk of nf_tables (target/nft/walk/walk.h) as sets of packets of this room.
 *
 * Fields that rules of the language do not ask for become unknowns of the space: one for each set of values
 * that is asked for, the same wherever it is asked again. */
#ifndef FWC_IMPORT_NFT_SET_H
#define FWC_IMPORT_NFT_SET_H

#include "import/space.h"
#include "target/nft/walk/space.h"

/* Where chains hang. */
enum nft_place { NFT_PREROUTING, NFT_INPUT, NFT_FORWARD, NFT_OUTPUT, NFT_POSTROUTING };
#define NFT_PLACES 5

struct nft_sets {
	void *pool;
	struct import_space *space;
	const struct walk_space *from;
	bool translates_destinations; /* else no packet has a destination that was translated */
	struct names *unknowns;       /* import_set by what is asked */
	/* private: of the conversion at hand */
	enum nft_place place;
	struct span span;
	diagram end;
	struct interned *known;
};

struct nft_sets *nft_sets_new(void *pool, struct import_space *space, const struct walk_space *from,
			      bool translates_destinations);
/* The packets at the place that come to this end of a function: a leaf, or a node of limits. span: of the
 * rule, for unknowns. Names of interfaces must have been told before (nft_sets_learn). */
import_set nft_set_of_end(struct nft_sets *sets, diagram function, diagram end, enum nft_place place,
			  struct span span);

/* All ends of a function, each once. */
struct nft_ends {
	diagram *items;
	size_t items_count, items_capacity;
};

struct nft_ends nft_ends_of(void *pool, const struct walk_space *from, diagram function);
/* Names of interfaces that the function asks for. */
void nft_sets_learn(struct names *interfaces, const struct walk_space *from, diagram function);

#endif
