/* Which entries of which lists of a text decide one packet: for people who look at a router.
 *
 * The text is read by read/read.h and judged by the boxes of given.h; nothing comes from the writer. A
 * packet meets the list bound inbound where it enters, as it was before destination translation; then the list
 * bound outbound where it leaves, as it is after source translation. What a crypto map names is in clear on the
 * near side alone: the list of the map judges it on its way out of the tunnel, and no list of the interface
 * (Cisco, "Crypto Access Check on Clear-Text Packets"). What the router itself sends meets no list. */
#ifndef FWC_TARGET_CISCO_PROVE_FOLLOW_H
#define FWC_TARGET_CISCO_PROVE_FOLLOW_H

#include "rules/evaluate.h"
#include "target/cisco/cisco.h"

enum cisco_step_kind {
	CISCO_STEP_ALONE,       /* a list that is bound nowhere */
	CISCO_STEP_IN,
	CISCO_STEP_OUT,
	CISCO_STEP_FROM_TUNNEL, /* the clear text of what came through it */
	CISCO_STEP_TO_TUNNEL,   /* the list that says what goes through it */
};

struct cisco_step {
	enum cisco_step_kind kind;
	const char *interface; /* NULL for ALONE */
	const char *list;
	bool is_missing;       /* the text has no such list, which permits everything */
	bool is_permitted;
	uint32_t sequence;     /* of the entry, as the router numbers it */
	const char *entry;     /* "permit tcp any any eq 80"; NULL: none matches, the list's end decides */
};

struct cisco_path {
	struct cisco_step *steps;
	size_t steps_count, steps_capacity;
	bool is_unread;        /* a list was not understood, or looks at what one packet does not show */
	bool is_permitted;     /* by all steps */
};

struct cisco_follower;

/* The text of a whole device (the ruleset's policy knows which), or of lists without one. NULL: it makes no sense
 * to the reader. */
struct cisco_follower *cisco_follower_new(void *pool, const struct ruleset *ruleset,
					  const struct cisco_settings *settings, struct sources *sources,
					  uint32_t text);
/* leaves: the source translation of the packet, or NULL. */
struct cisco_path cisco_follow(struct cisco_follower *follower, const struct packet *packet,
			       const struct rule_translation *leaves);
/* "in on Serial0/0: list FWC-Serial0-0-IN, entry 70: deny ip any any" */
void cisco_step_format(struct text *out, const struct cisco_step *step);
const char *cisco_step_word(enum cisco_step_kind kind); /* "in", "out", …: one word, for programs */

#endif
