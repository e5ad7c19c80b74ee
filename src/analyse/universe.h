/* What is compared must count alike: interface names and ends of rules as numbers.
 *
 * Made of every ruleset that one comparison speaks of, then read-only. */
#ifndef FWC_ANALYSE_UNIVERSE_H
#define FWC_ANALYSE_UNIVERSE_H

#include "rules/evaluate.h"

struct packet_universe {
	void *pool;
	/* interface 0: none (NULL in struct packet); 1 to n: these, sorted; n + 1: any other */
	const char **interfaces;
	size_t interfaces_count, interfaces_capacity;
	/* era i: from ends[i-1] until before ends[i]; sorted, unique; none: one era */
	time_t *ends;
	size_t ends_count, ends_capacity;
};

struct packet_universe *packet_universe_new(void *pool);
/* The names and ends of all rules and translations. */
void packet_universe_add(struct packet_universe *universe, const struct ruleset *ruleset);
/* Interfaces that only zones name: whoever asks about places of the policy needs them, for the complement of
 * an interface that is not known would be taken for nothing. */
void packet_universe_add_zones(struct packet_universe *universe, const struct policy *policy);
void packet_universe_add_interface(struct packet_universe *universe, const char *name);
/* The first second in which something else may hold. */
void packet_universe_add_end(struct packet_universe *universe, time_t end);
/* To be called once, after all were added. */
void packet_universe_finish(struct packet_universe *universe);

/* The interfaces of a set as numbers; none (0) where it is a complement, as in rules/evaluate.h. */
struct interval_set packet_universe_interfaces(const struct packet_universe *universe, void *pool,
					       const struct interface_set *set);
/* Eras in which a rule with this `until` still matches. until is not 0. */
struct interval_set packet_universe_eras(const struct packet_universe *universe, void *pool,
					 time_t until);
/* The number of an interface, NULL too; the era of a second. */
size_t packet_universe_interface_number(const struct packet_universe *universe, const char *name);
size_t packet_universe_era(const struct packet_universe *universe, time_t time);
/* A name for the number: NULL for none; for "any other" a name that is not taken. */
const char *packet_universe_interface(const struct packet_universe *universe, size_t number);
/* A second in the era. */
time_t packet_universe_time(const struct packet_universe *universe, size_t era);

#endif
