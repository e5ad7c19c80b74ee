/* Narrowing: of a unit with many addresses, the few that a leaf's packets can have.
 *
 * A leaf that asks for addresses again, since its cell is larger than what a unit names, would ask for all that
 * the unit names, elsewhere too: a rule for each host of a group, or a set. */
#ifndef FWC_TARGET_NFT_SPLIT_NARROW_H
#define FWC_TARGET_NFT_SPLIT_NARROW_H

#include "target/nft/emit/unit.h"

/* The entry for packets with an address of the interval on this side (NEED_SOURCE, NEED_DESTINATION): of the
 * same unit, or of one that names fewer addresses, made once. Units may move. */
struct entry entry_narrowed(struct lower *lower, struct entry entry, uint32_t side, struct interval interval);
/* The same for packets of these ports (protocol << 16 | port). */
struct entry entry_narrowed_to_ports(struct lower *lower, struct entry entry, number128 low, number128 high);
/* The same for packets of some of its services: tuples of its group, in their order. */
struct entry entry_narrowed_to_tuples(struct lower *lower, struct entry entry, const struct service_tuple *tuples,
				      size_t count);

#endif
