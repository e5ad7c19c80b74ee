/* The meaning of a list that was read: boxes of packets, first match.
 *
 * Nothing here comes from the writer. What the boxes say (Cisco, "Access Control Lists and IP
 * Fragments"; IOS command references):
 *   - a list that is missing, or has no line, permits everything where it is bound; else it ends in
 *     a denial, and a list for IPv6 in permits of neighbour advertisements and solicitations before that;
 *   - a permit that looks at ports, types or flags lets later fragments of the same protocol and
 *     addresses through, too; such a denial does not stop them;
 *   - established is ACK or RST; a wildcard mask stands for one range or many.
 *
 * What one packet does not show (the time, earlier packets, fields that no box has) is an error at
 * the entry, or a partial box for callers that ask for such. Unread entries, and groups that are
 * missing, unread, empty or go round in circles, are errors always. */
#ifndef FWC_TARGET_CISCO_READ_SETS_H
#define FWC_TARGET_CISCO_READ_SETS_H

#include "analyse/packetset.h"
#include "diag/diag.h"
#include "target/cisco/read/acl.h"

/* A wildcard mask of more ranges is an error. */
#define ACL_WILDCARD_RANGES 4096

/* A set that is NULL holds every value; none is empty; all are normalised. */
struct acl_box {
	const struct interval_set *source, *destination;
	const struct interval_set *protocol;
	const struct interval_set *first;    /* destination ports, or ICMP types */
	const struct interval_set *second;   /* source ports, or ICMP codes */
	const struct interval_set *flags;    /* the byte of the TCP header, 0..255 */
	const struct interval_set *fragment; /* 0: whole or first, 1: later */
	enum acl_action action;
	bool is_partial;                     /* the entry matches some packets of the box, not all */
	const struct acl_entry *entry;       /* NULL: what every list ends in */
};

struct acl_sets {
	enum family family;
	const struct interval_set *family_set; /* it alone */
	/* in order; together they hold every packet of the family, unless one is partial at the end */
	struct acl_box *boxes;
	size_t boxes_count, boxes_capacity;
};

struct acl_sets_settings {
	enum family family;
	bool takes_partial;
	bool is_without_later; /* no boxes of later fragments, and the field is in none */
	/* gets each box, and none is kept; NULL: they are kept. Not all of them, where the result is NULL. */
	void (*take)(void *context, const struct acl_sets *sets, const struct acl_box *box);
	void *context;
};

/* list NULL: one that is missing. NULL after an error in the bag. */
const struct acl_sets *acl_sets_make(void *pool, struct diags *diags, const struct acl_config *config,
				     const struct acl_list *list,
				     const struct acl_sets_settings *settings);

/* The addresses of one place, groups too. false after an error in the bag, at the span. */
bool acl_place_addresses(void *pool, struct diags *diags, const struct acl_config *config,
			 enum family family, const struct acl_place *place, struct span span,
			 struct interval_set *addresses);

/* The box for the packet engine: of the family, hook and interfaces left open. */
struct packet_box acl_box_packets(const struct acl_sets *sets, const struct acl_box *box);

#endif
