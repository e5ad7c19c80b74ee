/* What `fwc hits` saw the last time: since when it looks at a counter, and when it last saw it change.
 *
 * The file `hits` in the state's folder, a line a counter, times in UTC seconds:
 *     fwc hits 1
 *     NAME PACKETS SINCE CHANGED LIFE   (CHANGED 0: never; LIFE "-": not known)
 *
 * NAME is the counter's, with TABLE/ before it where that is another than fwc. LIFE is another where the counter
 * was made anew meanwhile; files of before it was written do without. */
#ifndef FWC_OPERATE_HITS_H
#define FWC_OPERATE_HITS_H

#include <time.h>

#include "base/names.h"
#include "operate/folder.h"

struct hit {
	const char *name;
	const char *life; /* NULL: not known */
	uint64_t packets;
	time_t since, changed;
	bool is_seen; /* this time */
};

struct hits {
	void *pool;
	struct hit **items; /* in the order in which they were noted */
	size_t items_count, items_capacity;
	struct names *names; /* name to item */
};

struct hits *hits_new(void *pool);
/* Without the file, or with one that has another form: empty. 0 or an errno. */
int hits_read(struct hits *hits, const struct folder *folder);
/* What a counter says now. The result holds as long as the hits. A count that became smaller, or that has another
 * life (a word without blanks, or NULL), was begun anew (a boot, a flush): what it says is known since now, and
 * what it holds was counted since; but the same count, above 0, was brought back behind a trial. What it counted
 * between the last look and its end nobody knows. */
const struct hit *hits_note(struct hits *hits, const char *name, const char *life, uint64_t packets, time_t now);
/* Those that were noted, and others for 400 days after their last change. 0 or an errno. */
int hits_write(const struct hits *hits, struct folder *folder, time_t now);

#endif
