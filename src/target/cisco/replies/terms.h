/* Answers as terms of a list: flows turned round, joined to few.
 *
 * TCP answers have ACK or RST (`established`), an ICMP request has its answer (RFC 792, RFC 950,
 * RFC 4443), every flow has the errors that speak of it; protocols without state come as they went.
 * Terms permit only, so that nothing behind them is stopped; but where all protocols have answers, the
 * policy's own terms decide TCP and ICMP there first, cut to the addresses of these answers, and `ip`
 * follows, in the place of 254 protocols one by one (terms/complement.h). */
#ifndef FWC_TARGET_CISCO_REPLIES_TERMS_H
#define FWC_TARGET_CISCO_REPLIES_TERMS_H

#include "target/cisco/replies/flows.h"
#include "target/cisco/terms/term.h"

/* One product of packets that answer, in their own direction. */
struct answer {
	bool is_established;
	struct interval_set from, to;
	struct tuple_set services; /* PROTOCOL_ANY never; is_rest then stands for the others */
	bool is_rest;              /* every protocol but TCP and ICMP */
	struct span origin;        /* of the first rule that asks for it */
};

struct answers {
	struct answer *items;
	size_t items_count, items_capacity;
};

/* What one flow asks for, but errors. */
void answers_of_flow(void *pool, enum family family, const struct reply_flow *flow, struct answers *answers);
/* The errors that the flows may meet; nothing without flows. */
void answers_of_errors(void *pool, enum family family, const struct reply_flows *flows,
		       struct answers *answers);
/* The same packets in few products. */
void answers_join(void *pool, struct answers *answers);
/* To stand before the policy's own terms, which are looked at for what they admit. */
void answers_to_terms(void *pool, const struct ios_vantage *vantage, const struct answers *answers,
		      const struct ios_terms *policy, struct ios_terms *terms);
/* The protocols of is_rest, one by one. */
struct tuple_set answers_rest(void *pool, enum family family);

#endif
