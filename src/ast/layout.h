/* Lines of a canonical text: indentation, pieces, and breaks where a line gets long.
 *
 * A line is made of pieces, put a blank apart. A piece that would pass column 100 goes on a
 * line of its own, one step further in. Where a line breaks depends on the pieces
 * alone, so that text printed from the same tree is the same text. */
#ifndef FWC_AST_LAYOUT_H
#define FWC_AST_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct layout {
	struct text *out;
	struct text *piece; /* the piece that is being written */
	unsigned indent;    /* steps of four blanks */
	size_t column;
	bool is_line_open;
};

struct layout layout_new(struct text *out);
/* Begins a piece; the first one begins a line. */
void layout_piece(struct layout *layout, const char *string);
/* Goes on with the piece. */
void layout_add(struct layout *layout, const char *string);
/* Ends the line with the string, glued to the last piece. */
void layout_end(struct layout *layout, const char *string);
/* A line as it is. */
void layout_line(struct layout *layout, const char *bytes, size_t length);
/* More at the end of the line that was ended last. */
void layout_trail(struct layout *layout, const char *bytes, size_t length);
void layout_blank(struct layout *layout);

#endif
