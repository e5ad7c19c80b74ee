/* What a ruleset says of one packet: first match, rule by rule.
 *
 * The plainest reading of the IR, with no structure at all: cleverer engines and targets are
 * checked against it, and findings show their witness packets with it. Linear in the rules. */
#ifndef FWC_RULES_EVALUATE_H
#define FWC_RULES_EVALUATE_H

#include "rules/ruleset.h"

/* The first packet of a connection, as rules see it: after destination translation, before source
 * translation. */
struct packet {
	enum hook hook;
	const char *in;        /* interface it came by; NULL: none (output) */
	const char *out;       /* interface it leaves by; NULL: none (input) */
	enum family family;
	number128 source, destination;
	uint8_t protocol;
	/* as in struct service_tuple: destination port and source port, or ICMP type and code */
	uint16_t first, second;
	unsigned minute;       /* of the week, UTC, Monday 00:00 = 0 */
	time_t time;           /* UTC seconds, for `until` */
	bool is_translated;    /* its destination was, from these: */
	number128 original_destination;
	uint16_t original_first;
};

struct decision {
	const struct rule *rule; /* NULL: the hook's default */
	size_t index;            /* of the rule in its hook; the count of rules for the default */
	const struct outcome *outcome;
};

/* Rules alone: what always passes (ruleset.h) and limits are not looked at. */
struct decision ruleset_evaluate(const struct ruleset *ruleset, const struct packet *packet);
bool match_holds(const struct match *match, const struct packet *packet);
/* The interface NULL is none: only sets that name what they do not hold have it. */
bool boxes_hold(const struct place_boxes *boxes, const char *interface, enum family family,
		number128 address);
bool tuples_hold(const struct tuple_set *tuples, enum family family, uint8_t protocol,
		 uint16_t first, uint16_t second);

#endif
