/* Sets of addresses, places and tuples as text, for --show=policy and other listings. */
#ifndef FWC_RESOLVE_PRINT_SETS_H
#define FWC_RESOLVE_PRINT_SETS_H

#include "resolve/resolve.h"

/* "(eth0 x 10.0.0.0/8) + (* x any)": for other rooms' listings, too. */
void place_boxes_print(struct text *out, const struct place_boxes *boxes);
void address_set_print(struct text *out, const struct address_set *set);
void tuple_set_print(struct text *out, const struct tuple_set *set);

#endif
