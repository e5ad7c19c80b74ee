/* Lines of a canonical text: see layout.h. */
#include "ast/layout.h"

#define STEP 4
#define WIDTH 100

struct layout layout_new(struct text *out)
{
	return (struct layout){ .out = out, .piece = text_new(out->pool) };
}

static void indent(struct layout *layout, unsigned steps)
{
	for (unsigned i = 0; i < steps * STEP; i++)
		text_add_char(layout->out, ' ');
	layout->column = (size_t)steps * STEP;
}

static void flush(struct layout *layout)
{
	struct text *piece = layout->piece;
	if (piece->length == 0)
		return;
	if (!layout->is_line_open) {
		indent(layout, layout->indent);
		layout->is_line_open = true;
	} else if (layout->column + 1 + piece->length > WIDTH) {
		text_add_char(layout->out, '\n');
		indent(layout, layout->indent + 1);
	} else {
		text_add_char(layout->out, ' ');
		layout->column++;
	}
	text_add_bytes(layout->out, piece->bytes, piece->length);
	layout->column += piece->length;
	piece->length = 0;
}

void layout_piece(struct layout *layout, const char *string)
{
	flush(layout);
	text_add(layout->piece, string);
}

void layout_add(struct layout *layout, const char *string)
{
	text_add(layout->piece, string);
}

void layout_end(struct layout *layout, const char *string)
{
	text_add(layout->piece, string);
	flush(layout);
	text_add_char(layout->out, '\n');
	layout->is_line_open = false;
}

void layout_line(struct layout *layout, const char *bytes, size_t length)
{
	indent(layout, layout->indent);
	text_add_bytes(layout->out, bytes, length);
	text_add_char(layout->out, '\n');
}

void layout_trail(struct layout *layout, const char *bytes, size_t length)
{
	struct text *out = layout->out;
	if (out->length > 0 && out->bytes[out->length - 1] == '\n')
		out->length--;
	text_add_char(out, ' ');
	text_add_bytes(out, bytes, length);
	text_add_char(out, '\n');
}

void layout_blank(struct layout *layout)
{
	text_add_char(layout->out, '\n');
}
