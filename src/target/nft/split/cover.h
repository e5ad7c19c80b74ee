/* Does an earlier unit decide about every packet of a later one? Then the later one is not written. Nor is the
 * earlier one where the later one would decide as it does, and no unit between them otherwise.
 *
 * In a policy that is rare. In a leaf it is not: once addresses are answered, rules that ask for the same
 * service stand behind each other. */
#ifndef FWC_TARGET_NFT_SPLIT_COVER_H
#define FWC_TARGET_NFT_SPLIT_COVER_H

#include "target/nft/split/cells.h"

/* Is the second decided by the first where both are in a list? `false` may be wrong, `true` is certain. */
bool entry_covers(const struct lower *lower, struct entry first, struct entry second);
/* Takes out of the leaves what is covered or repeated there, of those that are long each service that is covered;
 * of very long ones nothing. */
void leaves_trim(struct lower *lower, struct cells *cells);
/* The same of another list: how many are left of it. */
size_t entries_trim(struct lower *lower, struct entry *entries, size_t count);
/* Is every packet of the inner one's services of the outer one's? Families aside. `false` may be wrong, where
 * several services of the outer one hold one of the inner one together. */
bool service_group_includes(const struct service_group *outer, const struct service_group *inner);

#endif
