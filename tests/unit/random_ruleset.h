/* Random rulesets and packets, made so that they meet: few interfaces, nested prefixes, ports and
 * times at the ends of ranges. Randomness comes from unit_random. */
#ifndef FWC_TESTS_RANDOM_RULESET_H
#define FWC_TESTS_RANDOM_RULESET_H

#include "model_eval.h"
#include "rules/ruleset.h"

struct ruleset_kind {
	unsigned rules_most;      /* in a hook */
	bool has_options;         /* log, count, limit, helper, hours, last day */
	bool has_interfaces;
	bool has_many_zones;      /* places of one box an interface */
	bool has_addresses;
	bool has_ipv6;
	bool has_pairs;           /* both sides are one of a few networks, services few ports mostly */
	bool has_ranges;          /* both sides are ranges of all sizes that no prefix names, or anything */
	bool is_allow_mostly;
	bool has_rich_services;   /* ranges, ICMP, source ports, whole protocols */
	unsigned addresses;       /* size of the address pool, 0: the small nested one */
};

struct ruleset *random_ruleset(void *pool, const struct ruleset_kind *kind);
/* A packet that is likely to meet the ruleset's rules on the hook. */
struct model_packet random_packet(const struct ruleset *ruleset, enum hook hook);

/* The parts of a rule. */
struct place_boxes random_place(void *pool, const struct ruleset_kind *kind, bool has_interfaces);
struct tuple_set random_services(void *pool, const struct ruleset_kind *kind);
bool services_match(const struct tuple_set *services, const struct model_packet *packet);
/* interface NULL: none */
bool place_matches(const struct place_boxes *boxes, const char *interface, enum family family,
		   number128 address);

/* First match, rule by rule, as the language says it. */
struct expected {
	enum model_fate fate;
	const struct rule *rule; /* NULL: the default, or what always passes */
	const struct outcome *outcome;  /* NULL: what always passes */
	const struct identity *identity;
	bool is_invalid;
};
struct expected ruleset_expect(const struct ruleset *ruleset, const struct model_packet *packet,
			       enum hook hook);

#endif
