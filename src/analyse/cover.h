/* The second engine: is a box covered by other boxes? It cuts the box along each that it meets, depth
 * first, and knows nothing of diagrams: what both can answer, tests compare. It keeps nothing but the
 * way down, and needs time only, for which it has a budget of steps. */
#ifndef FWC_ANALYSE_COVER_H
#define FWC_ANALYSE_COVER_H

#include "analyse/packetset.h"

enum cover_answer {
	COVER_YES,
	COVER_NO,      /* the witness is in the box and in none of the others */
	COVER_UNKNOWN, /* the budget is used up */
};

/* budget: steps, a hundred comparisons of boxes each.
 * The box names one hook and one family. Only packets that can be count (packet_set_possible). boxes: any
 * order, NULL entries are skipped.
 * witness may be NULL. */
enum cover_answer cover_find(void *pool, const struct packet_universe *universe,
			     const struct packet_box *box, const struct packet_box *const *boxes,
			     size_t count, size_t budget, struct packet_point *witness);
/* The same, where many questions share a number of comparisons of boxes: *work are left, and are taken off;
 * without any more the answer is COVER_UNKNOWN. */
enum cover_answer cover_find_within(void *pool, const struct packet_universe *universe,
				    const struct packet_box *box, const struct packet_box *const *boxes,
				    size_t count, size_t budget, size_t *work, struct packet_point *witness);

bool packet_boxes_overlap(const struct packet_box *a, const struct packet_box *b);
/* Of two that overlap. Shares the sets of both. */
struct packet_box packet_box_intersect(void *pool, const struct packet_box *a,
				       const struct packet_box *b);
bool packet_box_includes(const struct packet_box *outer, const struct packet_box *inner);

#endif
