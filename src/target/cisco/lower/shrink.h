/* Fewer entries of the same meaning.
 *
 * Needs: a list whose entries from `begin` on hold every packet. Keeps: the verdict of every packet,
 * and each entry of a rule that logs or counts. What an entry before it holds whole, or several do
 * together, is left out, and the rule is told of it; neighbours of one verdict that differ in one field
 * are joined. */
#ifndef FWC_TARGET_CISCO_LOWER_SHRINK_H
#define FWC_TARGET_CISCO_LOWER_SHRINK_H

#include "target/cisco/model/model.h"

void shrink_list(void *pool, struct diags *diags, struct ios_list *list, size_t begin);

#endif
