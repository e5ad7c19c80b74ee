/* Source texts, lines and columns.
 *
 * The list of line starts is made when a position in the source is first asked for:
 * most sources of a run never appear in a message. */
#include "diag/source.h"

#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct sources *sources_new(void *pool)
{
	struct sources *sources = pool_new(pool, struct sources);
	sources->pool = sources;
	return sources;
}

uint32_t sources_add(struct sources *sources, const char *name, const char *bytes, size_t length,
		     bool is_builtin)
{
	struct source *source = pool_new(sources->pool, struct source);
	source->name = pool_strdup(sources->pool, name);
	source->bytes = bytes;
	source->length = length;
	source->is_builtin = is_builtin;
	*pool_append(sources->pool, sources, items) = source;
	return (uint32_t)(sources->items_count - 1);
}

void sources_forget(struct sources *sources, uint32_t source)
{
	sources->items[source]->bytes = "";
	sources->items[source]->length = 0;
}

static uint32_t count_lines(const struct source *source)
{
	uint32_t lines = 1;
	const char *end = source->bytes + source->length;
	for (const char *at = source->bytes; at < end; lines++) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			break;
		at++;
	}
	return lines;
}

/* A byte-order mark is in front of the first line, not in it. */
static uint32_t first_line_start(const struct source *source)
{
	size_t mark = sizeof byte_order_mark - 1;
	bool is_marked = source->length >= mark &&
			 memcmp(source->bytes, byte_order_mark, mark) == 0;
	return is_marked ? (uint32_t)mark : 0;
}

static void find_lines(struct sources *sources, struct source *source)
{
	if (source->line_starts != NULL)
		return;
	uint32_t lines = count_lines(source);
	uint32_t *starts = pool_array(sources->pool, uint32_t, lines);
	starts[0] = first_line_start(source);
	for (uint32_t line = 1, from = 0; line < lines; line++) {
		const char *end = memchr(source->bytes + from, '\n', source->length - from);
		from = (uint32_t)(end - source->bytes) + 1;
		starts[line] = from;
	}
	source->line_starts = starts;
	source->line_count = lines;
}

/* The index of the last line that starts at or before the offset. */
static uint32_t line_at(const struct source *source, uint32_t offset)
{
	uint32_t low = 0, high = source->line_count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (source->line_starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct position sources_position(struct sources *sources, uint32_t number, uint32_t offset)
{
	struct source *source = sources->items[number];
	find_lines(sources, source);
	if (offset > source->length)
		offset = (uint32_t)source->length;
	uint32_t line = line_at(source, offset);
	uint32_t column = 1;
	for (uint32_t at = source->line_starts[line]; at < offset; at++)
		if (((unsigned char)source->bytes[at] & 0xc0) != 0x80) /* starts a character */
			column++;
	return (struct position){ .line = line + 1, .column = column };
}

const char *sources_line(struct sources *sources, uint32_t number, uint32_t line, size_t *length)
{
	struct source *source = sources->items[number];
	find_lines(sources, source);
	if (line == 0 || line > source->line_count) {
		*length = 0;
		return "";
	}
	uint32_t begin = source->line_starts[line - 1];
	size_t end = line < source->line_count ? source->line_starts[line] - 1 : source->length;
	if (end > begin && source->bytes[end - 1] == '\r')
		end--;
	*length = end - begin;
	return source->bytes + begin;
}

const char *source_display_name(void *pool, const struct source *source)
{
	if (!source->is_builtin || source->name[0] == '<')
		return source->name;
	return pool_format(pool, "<built-in>/%s", source->name);
}

const char *span_place(void *pool, struct sources *sources, struct span span)
{
	if (span.source == UINT32_MAX)
		return "";
	struct position position = sources_position(sources, span.source, span.begin);
	struct text *place = text_new(pool);

	span_add_name(place, sources, span.source);
	text_addf(place, ":%u", (unsigned)position.line);
	return place->bytes;
}

void span_add_name(struct text *out, const struct sources *sources, uint32_t source)
{
	const char *name = source_display_name(out->pool, sources->items[source]);

	visible_add(out, name, strlen(name));
}
