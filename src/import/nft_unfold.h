/* Chains of nf_tables as lists of entries, as unfold.h has them.
 *
 * A rule of nf_tables is a function from packets to ends; each end becomes an entry with the packets that come
 * to it, said in the words of iptables that the rest of this room understands ("LOG", "DNAT --to-destination
 * 10.0.0.1:80"). */
#ifndef FWC_IMPORT_NFT_UNFOLD_H
#define FWC_IMPORT_NFT_UNFOLD_H

#include "import/nft.h"
#include "import/nft_set.h"
#include "import/unfold.h"

struct nft_rule {
	const struct read_rule *read;
	struct save_rule saved; /* its place */
	diagram function;
	struct nft_ends ends;
	const import_set *known[2][NFT_PLACES]; /* of each end; NULL: not yet worked out */
};

struct nft_chain {
	const struct read_table *table;
	const struct read_chain *read;
	struct span span;
	struct nft_rule *rules;
	struct names *siblings; /* struct nft_chain of the table */
};

struct nft_unfolder {
	void *pool;
	struct diags *diags;
	const struct walk_space *from;
	const struct walk_leaves *leaves;
	struct nft_sets *sets;
};

/* What the chain does at the place: false after an error in the bag. */
bool nft_unfold(const struct nft_unfolder *unfolder, const struct nft_chain *chain, enum nft_place place,
		struct import_list *list);
/* Lists of base chains of one hook, one behind the other: what one accepts goes on to the next. */
bool nft_unfold_in_row(const struct nft_unfolder *unfolder, const struct import_list *lists, size_t count,
		       struct import_list *list);

#endif
