/* A row of things in a sentence: "a, b, c and 12 more". */
#ifndef FWC_BASE_ROW_H
#define FWC_BASE_ROW_H

#include <stdbool.h>

#include "base/text.h"

struct row {
	struct text *out;
	size_t most; /* are written, the others counted */
	size_t shown, left_out;
};

/* Whether the next thing is to be written; its comma is there. */
bool row_next(struct row *row);
void row_end(const struct row *row);

#endif
