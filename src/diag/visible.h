/* Making text of unknown origin fit for a terminal or for JSON. */
#ifndef FWC_DIAG_VISIBLE_H
#define FWC_DIAG_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "diag/source.h"

/* One character as it will be shown. */
struct glyph {
	size_t bytes;      /* of the text that it stands for */
	size_t width;      /* columns on the screen, an escape's included */
	bool is_escaped;   /* shown as one \xNN a byte: controls, bidirectional marks, bad UTF-8 */
	bool is_malformed; /* bad UTF-8: one byte */
};

/* The character at the front of a text that is not empty. */
struct glyph glyph_at(const char *bytes, size_t length);
void glyph_add(struct text *out, const char *bytes, struct glyph glyph);
/* The whole text, escaped where a terminal could be misled. */
void visible_add(struct text *out, const char *bytes, size_t length);
/* What stands at the span, to the end of its first line: a statement for a line of output. */
void visible_add_first_line(struct text *out, const struct sources *sources, struct span span);
/* The whole text as valid UTF-8: only malformed bytes are escaped. */
void visible_add_utf8(struct text *out, const char *bytes, size_t length);

#endif
