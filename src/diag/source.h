/* Source texts and spans.
 *
 * A source is one file as it was read. A span is bytes [begin, end) of one
 * source; source numbers count from 0. Lines and columns count from 1, columns
 * in characters (UTF-8 code points); they are worked out only when printed. */
#ifndef FWC_DIAG_SOURCE_H
#define FWC_DIAG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	uint32_t source;
	uint32_t begin;
	uint32_t end;
};

#define SPAN_NONE ((struct span){ .source = UINT32_MAX })

struct source {
	const char *name;  /* as the user wrote it: "policy.fw", "<stdin>", "profiles/web.fw" */
	const char *bytes; /* NUL-terminated; length excludes it */
	size_t length;
	bool is_builtin;   /* part of the built-in database */
	uint32_t *line_starts; /* made on first use by sources_position */
	uint32_t line_count;
};

struct sources {
	void *pool;
	struct source **items;
	size_t items_count, items_capacity;
};

struct position {
	uint32_t line, column;
};

struct sources *sources_new(void *pool);
/* Adds a text that lives at least as long as the sources; gives its number.
 * Sources are limited to 4 GiB - 2 each; the reader checks that before. */
uint32_t sources_add(struct sources *sources, const char *name, const char *bytes, size_t length,
		     bool is_builtin);
/* Of a text to which no span points, or will: its bytes may go. */
void sources_forget(struct sources *sources, uint32_t source);
struct position sources_position(struct sources *sources, uint32_t source, uint32_t offset);
/* The line with this number (without its end); *length out. */
const char *sources_line(struct sources *sources, uint32_t source, uint32_t line, size_t *length);
/* The name in messages: built-in sources as "<built-in>/NAME". */
const char *source_display_name(void *pool, const struct source *source);
/* "policy.fw:12" in the pool given; "<built-in>" parts included; "" for SPAN_NONE. */
const char *span_place(void *pool, struct sources *sources, struct span span);
/* The name that it begins with. */
struct text;
void span_add_name(struct text *out, const struct sources *sources, uint32_t source);
/* from the begin of a to the end of b (same source) */
static inline struct span span_join(struct span a, struct span b)
{
	if (a.source == UINT32_MAX)
		return b;
	if (b.source == a.source && b.end > a.end)
		a.end = b.end;
	return a;
}

#endif
