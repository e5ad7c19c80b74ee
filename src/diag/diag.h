/* The diagnostic bag: errors, warnings and notes of one session, in order.
 *
 * Rooms add; only commands print (text or JSON, see print.h). A diagnostic is a
 * stable code (codes.def), a primary span, a message (lower case, the user's
 * words in quotes 'so'), and notes, each with an optional span of its own.
 * World errors (files, kernel) go in the same bag with SPAN_NONE or the span
 * that asked for them, errno text in the message. */
#ifndef FWC_DIAG_DIAG_H
#define FWC_DIAG_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "diag/source.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

/* FW0101 … : row X(number, severity, short_name, title, page) of codes.def.
 * Numbers: 01xx lexical and syntax, 02xx files, 03xx names and services, 04xx places,
 * families, zones, 05xx rules and options, 06xx translations, 07xx devices and
 * tunnels, 08xx assertions and expectations, 09xx targets, 10xx kernel and
 * loading, 11xx analysis, 12xx command line and world, 13xx foreign configurations,
 * 14xx operation. */
enum code {
#define X(number, severity, name, title, page) CODE_##name = number,
#include "diag/codes.def"
#undef X
};

struct code_info {
	enum code code;
	enum severity severity;
	const char *name;  /* "UNKNOWN_SERVICE" */
	const char *title; /* one line */
	const char *page;  /* what it means, an example, the way out */
};

/* The row of a code; NULL if there is none. Rows are sorted by number. */
const struct code_info *code_find(unsigned number);
size_t code_count(void);
const struct code_info *code_at(size_t index);

struct diagnostic_note {
	struct span span; /* SPAN_NONE: a note without a place */
	const char *message;
	struct diagnostic_note *next;
};

struct diagnostic {
	enum code code;
	enum severity severity;
	struct span span;
	const char *message;
	struct diagnostic_note *notes;
	struct diagnostic_note *last_note;
	bool is_expected; /* an `expect` acknowledged it: not printed */
};

struct diags {
	void *pool;
	struct sources *sources;
	struct diagnostic **items;
	size_t items_count, items_capacity;
	size_t error_count; /* of severity error */
	size_t warning_count;
	bool is_full; /* more than DIAG_LIMIT: later ones are counted, not kept */
	struct diagnostic *unkept; /* the one place of all of those; NULL before the first */
	bool lacks_names; /* a file that may define names was not read: no name is told as unknown */
};

#define DIAG_LIMIT 1000

struct diags *diags_new(void *pool, struct sources *sources);
/* Adds with the code's own severity. The result is valid until the next add; add notes
 * to it at once. Never NULL. */
struct diagnostic *diag_add(struct diags *diags, enum code code, struct span span,
			    const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_note(struct diags *diags, struct diagnostic *diagnostic, struct span span,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Marks a diagnostic as acknowledged by an `expect` and takes it off the counts. */
void diag_expect(struct diags *diags, struct diagnostic *diagnostic);
/* What the last line of a report counts: what no `expect` acknowledged; unseen: past DIAG_LIMIT. */
struct diag_totals {
	size_t errors, warnings, unseen;
};

struct diag_totals diag_totals_of(const struct diags *diags);
const char *severity_word(enum severity severity); /* "error" */
bool diags_has_errors(const struct diags *diags);
/* Empties the bag. */
void diags_drop(struct diags *diags);
/* Adds the errors of another bag over the same sources, which lives as long. */
void diags_take_errors(struct diags *diags, const struct diags *other);
/* The same with all that is in it. */
void diags_take(struct diags *diags, const struct diags *other);
/* Takes away what was added from index `since` on and stood there before with the same code, place and
 * message: a pass that ran once more, for another device. */
void diags_fold(struct diags *diags, size_t since);
/* Takes the notes from index `since` on away: what they tell of was not made. */
void diags_drop_notes(struct diags *diags, size_t since);
/* Sorts by source, offset, code, order of adding: printing order never depends on the
 * order in which rooms found things. */
void diags_sort(struct diags *diags);

#endif
