/* Destination translation of the firewall's own packets.
 *
 * The kernel translates them on output, after it has chosen their way, and sends them another way then; but the
 * rules of output, which come next, are asked with the interface of the first way (nf_hook_state keeps it):
 * loopback for a packet to the firewall's own address, wherever it goes in truth. */
#ifndef FWC_TARGET_NFT_LOWER_OWN_FORWARD_H
#define FWC_TARGET_NFT_LOWER_OWN_FORWARD_H

#include "target/nft/emit/build.h"

/* NAT_OWN for each translation whose packets a rule of output would judge by their out-interface. */
void own_forwards_check(struct lower *lower);

#endif
