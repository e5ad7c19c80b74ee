/* Which boxes of a list overlap a box, and which few of them cover it. */
#ifndef FWC_ANALYSE_OVERLAP_H
#define FWC_ANALYSE_OVERLAP_H

#include "analyse/cover.h"

struct overlap_index;

/* The rules must live as long as the index. */
struct overlap_index *overlap_index_new(void *pool, const struct packet_universe *universe,
					const struct packet_rule *rules, size_t count);

/* Indices of boxes, ascending. */
struct overlap_list {
	size_t *items;
	size_t items_count, items_capacity;
};

/* Appends those from `begin` until before `end` that overlap the box; a search among n costs about as many
 * steps as there are answers, and some for the depth of a tree. */
void overlap_find(void *pool, const struct overlap_index *index, const struct packet_box *box,
		  size_t begin, size_t end, struct overlap_list *list);
/* The first box before `end` that includes this one; SIZE_MAX: none alone does. */
size_t overlap_includer(const struct overlap_index *index, const struct packet_box *box, size_t end);
/* Those that overlap any of several boxes, each once; the list is empty before. */
void overlap_find_any(void *pool, const struct overlap_index *index, const struct packet_rule *boxes,
		      size_t count, size_t begin, size_t end, struct overlap_list *list);

/* What a search may cost: steps of cover.h for each box, and comparisons for all together. */
struct overlap_budget {
	size_t steps;
	size_t *work;
};

/* Are the boxes all covered by those of the list? */
enum cover_answer overlap_covers(void *pool, const struct overlap_index *index,
				 const struct packet_rule *boxes, size_t count,
				 const struct overlap_list *list, struct overlap_budget budget);

/* Leaves out of a list that covers the boxes what they do not need: rules as a whole, those next to each
 * other with one number. Afterwards none can be left out. false: within the budget that could not be
 * found, and the list, though shorter perhaps, may hold more than it needs. */
bool overlap_shorten(void *pool, const struct overlap_index *index, const struct packet_rule *boxes,
		     size_t count, struct overlap_list *list, struct overlap_budget budget);

#endif
