/* Products: services x from x to in one hook, cut down to the families in which all three have
 * something. */
#ifndef FWC_EXPAND_PRODUCT_H
#define FWC_EXPAND_PRODUCT_H

#include "expand/side.h"
#include "rules/ruleset.h"

/* FAMILIES_* that some box has an address of. */
unsigned boxes_families(const struct place_boxes *boxes);
/* The boxes' part in these families; the same memory where that is all of them. */
struct place_boxes boxes_in_families(struct side_context *context, const struct place_boxes *boxes,
				     unsigned families);
unsigned tuples_families(const struct tuple_set *tuples);
struct tuple_set tuples_in_families(void *pool, const struct tuple_set *tuples, unsigned families);

#endif
