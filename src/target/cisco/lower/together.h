/* Entries that several before them take together. */
#ifndef FWC_TARGET_CISCO_LOWER_TOGETHER_H
#define FWC_TARGET_CISCO_LOWER_TOGETHER_H

#include "target/cisco/model/model.h"

/* Of a line: what holds it. */
#define HELD_BY_NONE SIZE_MAX
#define HELD_TOGETHER (SIZE_MAX - 1)

/* Whether the line is of addresses, protocol and ports alone, no groups, fragments or reflection. */
bool line_is_plain(const struct ios_line *line);

/* holder: of each line, HELD_BY_NONE where it stays. Sets HELD_TOGETHER where no packet reaches the line,
 * later fragments looked at too: those that stay before it, from `begin` on, take all of them. Lines of
 * rules that log or count stay. Lists of more than a few thousand lines are left as they are, and
 * lines that meet too many others. */
void find_held_together(void *pool, const struct ios_list *list, size_t begin, size_t *holder);

#endif
