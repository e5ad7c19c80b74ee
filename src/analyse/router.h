/* Which packets a device can see in which hook, by its own addresses and its routes.
 *
 * What is addressed to the router itself is input, all else is forwarded; what it sends has one of its addresses;
 * a packet leaves where the longest of the device's prefixes says (networks of interfaces, `route` statements).
 * Destinations that no prefix holds may leave anywhere, and of a family in which an interface has no address
 * nothing is said: it may get one that the policy does not know. */
#ifndef FWC_ANALYSE_ROUTER_H
#define FWC_ANALYSE_ROUTER_H

#include "analyse/packetset.h"

packet_set router_possible(void *pool, struct packet_space *space, const struct device *device);

#endif
