/* Printers for the bag.
 *
 * Whatever comes from the user's files goes through visible.h on its way out: a policy
 * cannot move the cursor of the one who reads the messages about it. */
#include "diag/print.h"

#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"

/* A shown line holds at most this many columns, of which these stand before the caret. */
#define LINE_WIDTH 160
#define WIDTH_BEFORE 60
#define TAB_WIDTH 4
static const char cut_mark[] = "...";
#define CUT_WIDTH (sizeof cut_mark - 1)

static const char *const severity_colors[] = {
	[SEVERITY_ERROR] = "\033[1;31m",
	[SEVERITY_WARNING] = "\033[1;35m",
	[SEVERITY_NOTE] = "\033[1;36m",
};

static const char bold[] = "\033[1m";
static const char plain[] = "\033[0m";

struct printer {
	struct sources *sources;
	struct text *out;
	bool use_color;
};

static bool span_has_place(const struct printer *printer, struct span span)
{
	return span.source < printer->sources->items_count;
}

static void add_color(const struct printer *printer, const char *color)
{
	if (printer->use_color)
		text_add(printer->out, color);
}

static void add_visible(const struct printer *printer, const char *string)
{
	visible_add(printer->out, string, strlen(string));
}

/* --- the source line ------------------------------------------------------------------ */

/* A line and the part of it that is marked and shown, in bytes from its start. */
struct excerpt {
	const char *bytes;
	size_t length;
	size_t mark_begin, mark_end;
	size_t shown_begin, shown_end;
};

/* Like glyph_at, but a tab is blanks of its own width. */
static struct glyph line_glyph(const struct excerpt *excerpt, size_t at)
{
	if (excerpt->bytes[at] == '\t')
		return (struct glyph){ .bytes = 1, .width = TAB_WIDTH };
	return glyph_at(excerpt->bytes + at, excerpt->length - at);
}

/* Where at most `width` columns from the byte `from` end. */
static size_t after_width(const struct excerpt *excerpt, size_t from, size_t width)
{
	size_t at = from, used = 0;
	while (at < excerpt->length) {
		struct glyph glyph = line_glyph(excerpt, at);
		used += glyph.width;
		if (used > width)
			break;
		at += glyph.bytes;
	}
	return at;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Where at most `width` columns that end before the mark begin; a character is four bytes
 * at most, so that walking back looks at a bounded piece of the line only. */
static size_t before_width(const struct excerpt *excerpt, size_t width)
{
	size_t begin = excerpt->mark_begin, used = 0;
	while (begin > 0) {
		size_t at = begin - 1;
		while (at > 0 && begin - at < 4 && is_continuation(excerpt->bytes[at]))
			at--;
		struct glyph glyph = line_glyph(excerpt, at);
		if (at + glyph.bytes != begin) { /* not one character: the last byte by itself */
			at = begin - 1;
			glyph = line_glyph(excerpt, at);
		}
		used += glyph.width;
		if (used > width)
			break;
		begin = at;
	}
	return begin;
}

static void choose_shown(struct excerpt *excerpt)
{
	excerpt->shown_begin = 0;
	excerpt->shown_end = after_width(excerpt, 0, LINE_WIDTH);
	if (excerpt->shown_end == excerpt->length)
		return;
	excerpt->shown_begin = before_width(excerpt, WIDTH_BEFORE - CUT_WIDTH);
	excerpt->shown_end =
		after_width(excerpt, excerpt->mark_begin, LINE_WIDTH - WIDTH_BEFORE - CUT_WIDTH);
}

static struct excerpt excerpt_of(struct sources *sources, struct span span, uint32_t line)
{
	struct excerpt excerpt = { 0 };
	excerpt.bytes = sources_line(sources, span.source, line, &excerpt.length);
	/* before the line: in a byte-order mark; behind it: at a line end, or on a later line */
	size_t start = (size_t)(excerpt.bytes - sources->items[span.source]->bytes);
	size_t begin = span.begin > start ? span.begin - start : 0;
	size_t end = span.end > start ? span.end - start : 0;
	excerpt.mark_begin = begin < excerpt.length ? begin : excerpt.length;
	excerpt.mark_end = end < excerpt.length ? end : excerpt.length;
	choose_shown(&excerpt);
	return excerpt;
}

static size_t shown_width(const struct excerpt *excerpt, size_t from, size_t to)
{
	size_t width = 0;
	for (size_t at = from; at < to;) {
		struct glyph glyph = line_glyph(excerpt, at);
		width += glyph.width;
		at += glyph.bytes;
	}
	return width;
}

static void add_repeated(struct text *out, char byte, size_t times)
{
	for (size_t i = 0; i < times; i++)
		text_add_char(out, byte);
}

static void add_line_text(struct text *out, const struct excerpt *excerpt)
{
	if (excerpt->shown_begin > 0)
		text_add(out, cut_mark);
	for (size_t at = excerpt->shown_begin; at < excerpt->shown_end;) {
		struct glyph glyph = line_glyph(excerpt, at);
		if (excerpt->bytes[at] == '\t')
			add_repeated(out, ' ', TAB_WIDTH);
		else
			glyph_add(out, excerpt->bytes + at, glyph);
		at += glyph.bytes;
	}
	if (excerpt->shown_end < excerpt->length)
		text_add(out, cut_mark);
}

static void add_mark(const struct printer *printer, const struct excerpt *excerpt,
		     enum severity severity)
{
	size_t indent = excerpt->shown_begin > 0 ? CUT_WIDTH : 0;
	indent += shown_width(excerpt, excerpt->shown_begin, excerpt->mark_begin);
	size_t mark_end = excerpt->mark_end < excerpt->shown_end ? excerpt->mark_end
								  : excerpt->shown_end;
	size_t width = shown_width(excerpt, excerpt->mark_begin, mark_end);
	add_repeated(printer->out, ' ', indent + 1);
	add_color(printer, severity_colors[severity]);
	text_add_char(printer->out, '^');
	add_repeated(printer->out, '~', width > 1 ? width - 1 : 0);
	add_color(printer, plain);
}

/*   12 | allow kerbros;
 *      |       ^~~~~~~      */
static void add_excerpt(const struct printer *printer, struct span span, uint32_t line,
			enum severity severity)
{
	struct excerpt excerpt = excerpt_of(printer->sources, span, line);
	struct text *out = printer->out;
	size_t before = out->length;
	text_addf(out, "%4u", (unsigned)line);
	size_t gutter = out->length - before;
	text_add(out, excerpt.length == 0 ? " |" : " | ");
	add_line_text(out, &excerpt);
	text_add_char(out, '\n');
	add_repeated(out, ' ', gutter);
	text_add(out, " |");
	add_mark(printer, &excerpt, severity);
	text_add_char(out, '\n');
}

/* --- text ------------------------------------------------------------------------------- */

/* "file:line:col: "; gives the line. */
static uint32_t add_place(const struct printer *printer, struct span span)
{
	struct position position = sources_position(printer->sources, span.source, span.begin);
	const struct source *source = printer->sources->items[span.source];
	if (source->is_builtin && source->name[0] != '<')
		text_add(printer->out, "<built-in>/");
	add_visible(printer, source->name);
	text_addf(printer->out, ":%u:%u: ", (unsigned)position.line, (unsigned)position.column);
	return position.line;
}

static void print_note(const struct printer *printer, const struct diagnostic_note *note)
{
	uint32_t line = 0;
	if (span_has_place(printer, note->span))
		line = add_place(printer, note->span);
	else
		text_add(printer->out, "  ");
	add_color(printer, severity_colors[SEVERITY_NOTE]);
	text_add(printer->out, "note: ");
	add_color(printer, plain);
	add_visible(printer, note->message);
	text_add_char(printer->out, '\n');
	if (line != 0)
		add_excerpt(printer, note->span, line, SEVERITY_NOTE);
}

/* Of one diagnostic; JSON has them all. A note is no mistake: its details are few. */
static size_t notes_most(enum severity severity)
{
	return severity == SEVERITY_NOTE ? 8 : 24;
}

static void print_notes(const struct printer *printer, const struct diagnostic *diagnostic)
{
	size_t printed = 0, left_out = 0, most = notes_most(diagnostic->severity);

	for (const struct diagnostic_note *note = diagnostic->notes; note != NULL; note = note->next)
		if (printed++ < most)
			print_note(printer, note);
		else
			left_out++;
	if (left_out > 0)
		text_addf(printer->out, "  … and %zu more, all of them with --json\n", left_out);
}

static void print_diagnostic(const struct printer *printer, const struct diagnostic *diagnostic)
{
	uint32_t line = 0;
	add_color(printer, bold);
	if (span_has_place(printer, diagnostic->span))
		line = add_place(printer, diagnostic->span);
	add_color(printer, severity_colors[diagnostic->severity]);
	text_addf(printer->out, "%s: ", severity_word(diagnostic->severity));
	add_color(printer, plain);
	add_visible(printer, diagnostic->message);
	text_addf(printer->out, " [FW%04u]\n", (unsigned)diagnostic->code);
	if (line != 0)
		add_excerpt(printer, diagnostic->span, line, diagnostic->severity);
	print_notes(printer, diagnostic);
}

static void add_count(struct text *out, size_t count, const char *noun)
{
	text_add_unsigned(out, count);
	text_addf(out, " %s%s", noun, count == 1 ? "" : "s");
}

static void print_totals(struct text *out, struct diag_totals totals)
{
	if (totals.unseen != 0)
		text_addf(out, "%zu more messages are not shown\n", totals.unseen);
	if (totals.errors != 0)
		add_count(out, totals.errors, "error");
	if (totals.errors != 0 && totals.warnings != 0)
		text_add(out, ", ");
	if (totals.warnings != 0)
		add_count(out, totals.warnings, "warning");
	if (totals.errors != 0 || totals.warnings != 0)
		text_add_char(out, '\n');
}

/* Nobody reads more at once; JSON has them all. */
#define PRINTED_MAX 100

/* What makes the run fail, and what is said of the whole: that it is not proved. */
static bool is_pressing(const struct printer *printer, const struct diagnostic *diagnostic)
{
	return diagnostic->severity == SEVERITY_ERROR || !span_has_place(printer, diagnostic->span);
}

static bool is_shown(const struct printer *printer, const struct diagnostic *diagnostic, bool is_pressed)
{
	return !diagnostic->is_expected && is_pressing(printer, diagnostic) == is_pressed;
}

static size_t count_shown(const struct printer *printer, const struct diags *diags, bool is_pressed)
{
	size_t count = 0;

	for (size_t i = 0; i < diags->items_count; i++)
		count += is_shown(printer, diags->items[i], is_pressed);
	return count;
}

/* In their order; where there are too many, what is pressing is printed before all else. */
void diags_print_text(struct diags *diags, struct text *out, bool use_color)
{
	const struct printer printer = { diags->sources, out, use_color };
	size_t pressing = count_shown(&printer, diags, true), others = count_shown(&printer, diags, false);
	size_t pressing_left = pressing < PRINTED_MAX ? pressing : PRINTED_MAX;
	size_t others_left = others < PRINTED_MAX - pressing_left ? others : PRINTED_MAX - pressing_left;
	size_t left_out = pressing + others - pressing_left - others_left;

	for (size_t i = 0; i < diags->items_count; i++) {
		bool is_pressed = is_shown(&printer, diags->items[i], true);
		size_t *left = is_pressed ? &pressing_left : &others_left;

		if ((!is_pressed && !is_shown(&printer, diags->items[i], false)) || *left == 0)
			continue;
		print_diagnostic(&printer, diags->items[i]);
		--*left;
	}
	if (left_out > 0)
		text_addf(out, "… and %zu more\n", left_out);
	print_totals(out, diag_totals_of(diags));
}
