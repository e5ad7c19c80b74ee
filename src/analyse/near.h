/* Rules that came close: those that one condition alone keeps from a packet. */
#ifndef FWC_ANALYSE_NEAR_H
#define FWC_ANALYSE_NEAR_H

#include "rules/evaluate.h"

enum near_condition {
	NEAR_PROTOCOL,    /* none of its services has the protocol */
	NEAR_PORT,        /* the protocol is right; ports, or ICMP type and code, are not */
	NEAR_IN,          /* the source is right, the interface by which it comes is not */
	NEAR_SOURCE,
	NEAR_OUT,         /* the destination is right, the interface by which it leaves is not */
	NEAR_DESTINATION,
	NEAR_TRANSLATED,  /* only packets that a `forward` translated */
	NEAR_TIME,        /* outside its schedule */
	NEAR_ENDED,       /* `until` is past */
};

struct near_rule {
	const struct rule *rule;
	enum near_condition condition;
};

/* The rules of the packet's hook, before `before` (a decision's index), that fail by one condition; at
 * most `most`: those of another verdict than `verdict` first, later ones in the policy before earlier
 * ones; given in the policy's order. Of several rules of one statement one. */
size_t near_rules(const struct ruleset *ruleset, const struct packet *packet, size_t before,
		  enum verdict verdict, struct near_rule *near, size_t most);

/* "the port is not that of 88/tcp": in the user's words, for a message. */
void near_format(struct text *out, const struct near_rule *near, const struct packet *packet);
/* "port": one word, for programs. */
const char *near_condition_word(enum near_condition condition);

#endif
