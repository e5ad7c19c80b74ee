/* Which entries of a list meet a region: three trees of prefixes, over sources, destinations, and services
 * (protocol and destination port); the one that gives the fewest candidates is asked.
 *
 * An entry has its place in a tree under the smallest prefix around all of it. The lists that hold are
 * exact, in order; what was changed since they were made is told with meeting_change. */
#ifndef FWC_TARGET_CISCO_MINIMISE_MEETING_H
#define FWC_TARGET_CISCO_MINIMISE_MEETING_H

#include "target/cisco/minimise/minimise.h"

struct meeting;

/* Of the entries that are not gone. */
struct meeting *meeting_new(void *pool, const struct minimise_list *list);
/* The entry is another one now. */
void meeting_change(struct meeting *meeting, uint32_t entry);
/* How many entries were changed since. */
size_t meeting_changes(const struct meeting *meeting);
/* Places in the list of entries that meet the region, in order; at most `most`, else `most` + 1 comes back.
 * like: an entry whose region this may be, which is found faster; or UINT32_MAX.
 * *steps is counted down by what was looked at; at 0 `most` + 1 comes back, too. */
size_t meeting_find(struct meeting *meeting, const struct region *region, uint32_t like, uint32_t *places,
		    size_t most, size_t *steps);

#endif
