/* The list of what may enter at one place: an interface of a device, a tunnel's clear text, or
 * nowhere in particular (a list without a device).
 *
 * IOS judges packets inbound before it routes and translates them: one list speaks of the router's
 * own packets (hook input) and of forwarded ones. Destinations are known by address alone. */
#ifndef FWC_TARGET_CISCO_TERMS_INBOUND_H
#define FWC_TARGET_CISCO_TERMS_INBOUND_H

#include "target/cisco/cisco.h"

/* Where the list stands. */
struct ios_vantage {
	const struct ruleset *ruleset;
	const struct device *device;     /* NULL: a list without a device */
	const char *interface;           /* by which packets come in; NULL: not known */
	struct address_set own;          /* addresses that reach the router itself; empty: not known */
	struct address_set far;          /* clear text of a tunnel: sources looked at; empty: every one */
	bool is_outside;                 /* packets carry addresses from before translation */
	struct address_set translated;   /* what translated packets carry as their source, seen from here */
	enum replies replies;
	enum family family;
	const struct cisco_settings *settings;
};

/* lower/list.c: appends what the policy lets enter, in the policy's order, and the final denial. */
bool inbound_lower(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		   struct ios_config *config, struct ios_list *list);

/* replies/replies.c: appends, before those, the answers to what others may start towards this place
 * (struct device: replies), and says exactly which packets that lets in beyond the policy. Makes the
 * outbound list of REPLIES_REFLEXIVE too, where one is needed; else *outbound stays NULL. */
bool inbound_replies(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     struct ios_config *config, struct ios_list *list, struct ios_list **outbound);

#endif
