/* Flows: pairs of blocks (cells.h) and the services in them, looked up together.
 *
 * What is looked up by pairs alone asks most packets for their service in a leaf: a second lookup, or a few
 * rules, in a chain that only this leaf has and that is seldom in the cache. Here the leaves of pairs are cut by
 * service at once, and one exact map of (source . destination . protocol . port) gives what is behind both.
 *
 * Units of ranges too wide for a port each, of whole protocols, of ICMP or of any service stay in the pair: the
 * packets that no flow decides are looked up by pairs behind the flows, where anything is left of them. So each
 * packet is compared with the same units in the same order as by pairs and then by service. */
#ifndef FWC_TARGET_NFT_SPLIT_FLOW_H
#define FWC_TARGET_NFT_SPLIT_FLOW_H

#include "target/nft/split/cells.h"

/* The cells of pairs, which stay as they are, by flows: in out[0] the flows, with the rest and the head of
 * `pairs`, in out[1] the pairs with what is left in them. count: of units that were cut. Gives how many of the
 * two there are; 0: flows do not fit, or would be too many. */
size_t flows_of(struct lower *lower, const struct cells *pairs, size_t count, struct cells *out[2]);
/* Elements of a map of flows: one a port. */
size_t flows_elements(const struct cells *flows);

#endif
