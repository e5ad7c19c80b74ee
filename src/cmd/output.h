/* Bringing products and diagnostics out. */
#ifndef FWC_CMD_OUTPUT_H
#define FWC_CMD_OUTPUT_H

#include <stdbool.h>

#include "base/sha256.h"
#include "base/text.h"
#include "diag/diag.h"

/* A product that goes out while it is printed. What prints it lets go of the text often (base/text.h): in the room
 * that it has from the beginning all pieces fit, so that memory does not run out once the first has gone. */
struct output_stream {
	void (*print)(struct text *out, const void *subject);
	const void *subject;
	struct text *text;
	bool is_hashed;                 /* to know the next, of all of it, once it went out: */
	char sha256[SHA256_DIGITS + 1];
};

struct output_stream *output_stream_new(void *pool, void (*print)(struct text *out, const void *subject),
					const void *subject);

/* Whole text to stdout, flushed. false after a message on stderr. */
bool output_stdout(const struct text *text);

struct output_item {
	const char *path;
	const struct text *text;
	struct output_stream *stream; /* in the text's place, or NULL */
	bool is_secret; /* a new file is for its owner alone */
};

/* To stdout, where it has no path. */
bool output_item_stdout(const struct output_item *item);

/* Whole text to the file, through a temporary file beside it that is synced and renamed: after a
 * failure the old file is whole. What is not a regular file (a device, a pipe), and an open descriptor by its
 * name (/dev/stdout, /dev/fd/3), is written in place.
 * false with OUTPUT_FAILED in the bag. */
bool output_file(struct diags *diags, const struct output_item *item);
/* Several regular files, none of which takes its place before all of them are written. false with OUTPUT_FAILED
 * in the bag. */
bool output_files(struct diags *diags, const struct output_item *items, size_t count);
/* The bag to stderr, sorted; as JSON if asked. Nothing for an empty bag, unless JSON. */
void output_diags(struct diags *diags, bool as_json);

/* What `check --format` can print, on stdout. */
struct report_format {
	const char *name;
	/* subject: what was checked */
	void (*print)(struct diags *diags, struct text *out, const char *subject);
};

const struct report_format *report_format_find(const char *name);
/* The bag, sorted, to stdout. false after a message on stderr. */
bool output_report(struct diags *diags, const struct report_format *format, const char *subject);

#endif
