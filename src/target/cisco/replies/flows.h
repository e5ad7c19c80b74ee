/* What others may start towards a place: the connections whose answers come in there.
 *
 * Those that the policy lets be forwarded to what lies behind the interface, from whichever interface,
 * and those that the router itself starts. Exact: earlier denials are taken out, sources are as seen
 * from the place, after translation. Rules with a schedule or an end may start connections that outlive
 * them: their flows count always, their denials never. `stateless` asks for no answers.
 *
 * Networks are taken whole, the router's own address in them too: `permit udp any eq 53 192.168.0.0
 * 0.0.0.255` would else be fourteen entries. What that lets in is told like all else (excess.h). */
#ifndef FWC_TARGET_CISCO_REPLIES_FLOWS_H
#define FWC_TARGET_CISCO_REPLIES_FLOWS_H

#include "target/cisco/terms/inbound.h"

/* In the direction of the first packet. */
struct reply_flow {
	const struct rule *rule; /* NULL: a default */
	enum hook hook;          /* forward or output */
	struct span origin;      /* SPAN_NONE: a default that nobody wrote */
	struct interval_set source, destination;
	struct tuple_set services;
};

struct reply_flows {
	struct reply_flow *flows;
	size_t flows_count, flows_capacity;
	bool has_unwritten_output; /* the router may start anything, for nobody said otherwise */
};

/* false with an error in the bag: too many pieces. */
bool reply_flows_collect(void *pool, struct diags *diags, const struct ios_vantage *vantage,
			 struct reply_flows *flows);
/* Destinations that packets leave for by the interface. */
struct interval_set reply_flows_behind(void *pool, const struct ios_vantage *vantage);

#endif
