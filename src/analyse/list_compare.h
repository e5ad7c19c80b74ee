/* Do two first-match lists give every packet the same number? Exact for lists of any size that time
 * allows: where one diagram of the whole would be past its budget, the destinations are cut in two, and
 * each half, to which fewer rules speak, is asked on its own. */
#ifndef FWC_ANALYSE_LIST_COMPARE_H
#define FWC_ANALYSE_LIST_COMPARE_H

#include "analyse/packetset.h"

struct packet_list {
	const struct packet_rule *rules;
	size_t count;
	uint32_t otherwise;
};

enum list_answer {
	LISTS_EQUAL,
	LISTS_DIFFER,  /* the witness is a packet that can be, to which they give different numbers */
	LISTS_UNKNOWN, /* past the budget */
};

/* budget: packet_space_new, for each piece; 0: 4,000,000. */
enum list_answer packet_lists_compare(void *pool, const struct packet_universe *universe,
				      const struct packet_list *a, const struct packet_list *b,
				      size_t budget, struct packet_point *witness);

#endif
