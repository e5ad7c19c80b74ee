/* Cells as nft: a few rules, one verdict map, or a tree of comparisons. */
#ifndef FWC_TARGET_NFT_SPLIT_FORM_H
#define FWC_TARGET_NFT_SPLIT_FORM_H

#include "optimise/costs.h"
#include "target/nft/split/cells.h"

enum cells_form {
	CELLS_NONE,  /* cannot be written here */
	CELLS_RULES, /* one a cell */
	CELLS_MAP,
	CELLS_HASH,  /* a map of leading bits: for cells with a grain */
	CELLS_TREE,  /* rules "below the middle" that halve the cells: needs no set */
};

/* More cells of ports do not become rules. */
#define CELLS_PORT_RULES_MAX 3

/* The form for cells in a chain of this level; `linear` is what the list costs as plain rules. Sets
 * are few: the more there are, the longer a list must be to get one. */
enum cells_form cells_form(const struct lower *lower, const struct cells *cells, unsigned level,
			   unsigned linear);
/* Whether a list that costs so much as plain rules is worth another set. */
bool cells_may_have_set(const struct lower *lower, unsigned linear);
/* The most cells of the field that can become rules or a tree in a chain of this level. */
size_t cells_most(enum split_field field, unsigned level);
/* The elements of the map that the cells become, and how the kernel finds one. */
size_t cells_elements(const struct cells *cells);
enum cost_lookup cells_lookup(const struct cells *cells);
/* The lookup of the leading bits of addresses of so many bits; other_length: of a pair's second, else 0. */
enum cost_lookup hash_lookup(unsigned width, unsigned length, unsigned other_length);
/* What finding the cell costs a packet, in nanoseconds. */
unsigned cells_lookup_cost(const struct cells *cells, enum cells_form form);
/* Levels of chains that the form itself takes. */
unsigned cells_levels(const struct cells *cells, enum cells_form form);

/* Adds the lookup. goals: where each leaf goes; kind: NFT_GOTO where nothing follows in the chain. */
void cells_write(struct lower *lower, struct draft *draft, const struct cells *cells,
		 const struct goal *goals, enum cells_form form, enum nft_verdict_kind kind);

/* Chains above a leaf; leaves and outcomes need up to 9 more (NFT_LEVELS_MAX). */
#define SPLIT_LEVELS_MAX 6

#endif
