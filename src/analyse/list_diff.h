/* Where two first-match lists decide otherwise, by pairs of numbers: exact, and without a map of the lists.
 *
 * Boxes that stand in both lists in one order, with outcomes that are the same, are paired first. A packet
 * that no other box of either list decides meets the same box first in both: only what the other boxes
 * decide is looked at, each against the few boxes that it overlaps. Any pairing is right; one with more
 * pairs is faster. */
#ifndef FWC_ANALYSE_LIST_DIFF_H
#define FWC_ANALYSE_LIST_DIFF_H

#include "analyse/list_align.h"
#include "analyse/list_compare.h"

struct list_difference {
	uint32_t before, after; /* numbers of the boxes that decide */
	packet_set packets;     /* possible ones of the hook; not empty */
	packet_set region;      /* what both decide, whatever is possible and in whatever hook */
	bool is_within;         /* the region is only what both match: there are packets in it, of which
				   `packets` has some, that both decide; others other rules may */
};

struct list_differences {
	struct list_difference *items; /* in no order that means anything, but the same each time */
	size_t items_count, items_capacity;
	struct list_undecided {
		bool is_after;
		uint32_t number; /* of one rule of whose packets some may be decided otherwise */
	} *undecided;
	size_t undecided_count, undecided_capacity;
};

struct list_diff_question {
	struct packet_space *space;
	enum hook hook;
	packet_set possible;             /* of the hook */
	struct packet_list before, after; /* each box names one family, and no hook */
	void *context;
	/* What a number does: those with equal keys do the same. NULL: like no other. */
	const char *(*key)(void *context, bool is_after, uint32_t number);
	/* Pairs that are to be found; none of equal keys. */
	bool (*is_asked)(void *context, uint32_t before, uint32_t after);
	size_t *work; /* left, for this and other questions: comparisons of boxes */
	size_t region_most; /* intervals that one region may need to be cut out; 0: 3,000 */
};

/* Never NULL. Past the work, or where the space has no room, rules are undecided. */
struct list_differences *list_diff_find(void *pool, struct list_pairing *pairing,
					const struct list_diff_question *question);

#endif
