/* Sets of packets in the policy's own words: zones, hosts, networks and services by name where a set is
 * exactly one of them, else addresses and ports. */
#ifndef FWC_ANALYSE_DESCRIBE_H
#define FWC_ANALYSE_DESCRIBE_H

#include "analyse/packetset.h"

struct describer;

/* Names come from the policy; it must live as long. */
struct describer *describer_new(void *pool, const struct packet_universe *universe,
				const struct policy *policy);
/* Names of another policy, too, where the first has none: services, and places that only the other one
 * names. It must live as long. */
void describer_add(struct describer *describer, const struct policy *policy);
/* "22/tcp from lan to web1": the set as boxes, at most `most` lines, each behind `lead`; then "and more". The
 * set is not empty. */
void describe_set(struct describer *describer, struct text *out, const struct packet_space *space,
		  enum hook hook, packet_set set, size_t most, const char *lead);
/* The same, where only packets to addresses of the firewall itself are meant, whatever the hook. */
void describe_set_to_self(struct describer *describer, struct text *out, const struct packet_space *space,
			  enum hook hook, packet_set set, size_t most, const char *lead);

#endif
