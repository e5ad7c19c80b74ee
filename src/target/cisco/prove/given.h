/* A list that was read, for the proof: rules of packets with 1 for what is permitted. */
#ifndef FWC_TARGET_CISCO_PROVE_GIVEN_H
#define FWC_TARGET_CISCO_PROVE_GIVEN_H

#include "analyse/meaning.h"
#include "target/cisco/read/sets.h"

struct given_list {
	struct packet_rules rules; /* first match; the last holds every packet of the family */
	/* of each rule: its entry; NULL: the list's end */
	const struct acl_entry **entries;
	size_t entries_count, entries_capacity;
};

struct given_context {
	void *pool;
	struct diags *diags; /* of the reader: private to the proof */
	const struct acl_config *config;
	const struct packet_universe *universe;
	int32_t timezone_s;  /* of the router's clock */
	bool is_without_later; /* only of packets that are whole or first fragments; that field is in no rule */
};

/* The ends of the time ranges, for a universe that is not finished: where lists are compared of which no policy
 * tells them. */
void given_ends_add(const struct acl_config *config, int32_t timezone_s, struct packet_universe *universe);
/* list NULL: one that is missing, which permits everything. false: with an error in the bag. */
bool given_list_make(const struct given_context *context, enum family family, const struct acl_list *list,
		     struct given_list *given);

#endif
