/* A hook's list as rows of a policy: each a sentence of the language in a block of interfaces.
 *
 * Rows stand in the order of the list; LOG goes to the rules that decide what it logged. What cannot be
 * said is an error at the line, unless it makes no difference: later entries do the same to all its
 * packets. A condition is never left out. */
#ifndef FWC_IMPORT_ROWS_H
#define FWC_IMPORT_ROWS_H

#include "import/first.h"
#include "import/words.h"

struct import_row {
	const char *from, *to; /* names of zones, "any except …", or NULL: of the block */
	const char *verdict;   /* "allow" */
	const char *services, *source, *destination; /* " from 10.0.0.0/8"; "": none */
	const char *options;   /* " log", … */
	bool has_limit;        /* which families do not share, but for: */
	const void *limit;     /* what is one limit of both families, or NULL */
	bool names_family;     /* the sentence is of one family without `ipv4` */
	const char *left_out;  /* a line that became a comment; then the rest is NULL */
};

struct import_rows {
	struct import_row *items;
	size_t items_count, items_capacity;
	enum import_action rest; /* what happens to packets that no row matches */
};

/* Mistakes are in the bag. */
struct import_rows import_rows_of(const struct import_rows_settings *settings, enum import_hook hook,
				  const struct import_list *list);

#endif
