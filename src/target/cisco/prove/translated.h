/* Which sources a router translates, by the lists of `ip nat inside source`, against the policy.
 *
 * Asked of IPv4 packets that come in by an interface that is inside and leave by one that is outside, as the
 * text says: not of those to zones whose interfaces are not outside, nor to the router itself. What tunnels
 * carry comes first and is not translated. A masquerade's target is the address of an outside interface,
 * whichever. Route maps are not read: a text that has one is asked about what tunnels carry alone, and so is
 * one of a policy without source translations, whose router may have its own; beside lines that are not
 * understood nothing is missing. Whole addresses with a line of their own (`static`) come before lists. Only
 * packets count that the policy may let through, or that answer such: how the others would be translated, never
 * shows. */
#ifndef FWC_TARGET_CISCO_PROVE_TRANSLATED_H
#define FWC_TARGET_CISCO_PROVE_TRANSLATED_H

#include "target/cisco/prove/given.h"

struct translated_subject {
	void *pool;
	struct packet_space *space;
	const struct packet_universe *universe;
	struct diags *diags; /* of the reader */
	const struct acl_config *config;
	const struct ruleset *ruleset; /* of a policy with a device */
	packet_set carried;  /* by the device's tunnels */
	packet_set scope;    /* packets of IPv4 that can be */
};

struct translated_difference {
	bool is_unreadable;         /* an error is in the bag */
	const char *where;          /* NULL: there is none */
	const char *wanted, *found;
	struct packet_point point;
	bool has_point;
	struct span origin, entry;  /* the statement, the line of the text; or SPAN_NONE */
	struct span unasked;        /* a line that was not compared, or SPAN_NONE */
	size_t lists, entries;      /* that were read */
};

/* The first difference that is found. */
struct translated_difference translated_compare(const struct translated_subject *subject);

#endif
