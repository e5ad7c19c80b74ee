/* What a structure makes the table longer, and what that is taken to cost: the default is for people to read, too.
 *
 * A lookup may be as long as the list, and lead to a chain a unit, for these stand in its place. What is more is
 * the structure's own: blocks that a unit is cut into, and units that stand in several leaves. Its price is
 * reckoned by the list's lines: the fewer these are, the fewer packets get to the list. In leaves it is the higher
 * the more often their lines stand in the table already. */
#ifndef FWC_TARGET_NFT_SPLIT_SIZE_H
#define FWC_TARGET_NFT_SPLIT_SIZE_H

#include "target/nft/split/form.h"
#include "target/nft/split/list.h"

/* Cells of one list, in this form. */
struct size_cells {
	struct cells *const *items;
	size_t items_count;
	enum cells_form form;
};

/* The price of the list as these cells, in nanoseconds; 0 where the level does not weigh size. */
unsigned size_price(const struct lower *lower, struct size_cells cells, struct list list);
/* The same of maps with so many elements, which leave this rest of the list. */
unsigned size_price_of_maps(const struct lower *lower, size_t elements, struct list list, struct list rest);
/* How many lines there are for each line of the policy in leaves of these cells, where there are `growth` in the
 * list; in hundredths. */
uint64_t size_growth(uint64_t growth, struct size_cells cells, struct list list);

#endif
