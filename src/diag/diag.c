/* The diagnostic bag.
 *
 * Past DIAG_LIMIT a diagnostic is counted but not kept: it gets the slot behind the last
 * kept one, which has no text and takes no notes, so that a hopeless file costs no memory.
 * The same slot takes what is not told at all. */
#include "diag/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

static const struct code_info codes[] = {
#define X(number, severity, name, title, page)                                                    \
	{ CODE_##name, SEVERITY_##severity, #name, title, page },
#include "diag/codes.def"
#undef X
};

size_t code_count(void)
{
	return sizeof codes / sizeof *codes;
}

const struct code_info *code_at(size_t index)
{
	return &codes[index];
}

const struct code_info *code_find(unsigned number)
{
	size_t low = 0, high = code_count();
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((unsigned)codes[middle].code == number)
			return &codes[middle];
		if ((unsigned)codes[middle].code < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct diags *diags_new(void *pool, struct sources *sources)
{
	struct diags *diags = pool_new(pool, struct diags);
	diags->pool = diags;
	diags->sources = sources;
	return diags;
}

static void count(struct diags *diags, enum severity severity, bool is_taken_off)
{
	size_t *counter = severity == SEVERITY_ERROR	 ? &diags->error_count
			  : severity == SEVERITY_WARNING ? &diags->warning_count
							 : NULL;
	if (counter != NULL)
		*counter += is_taken_off ? (size_t)-1 : 1;
}

/* Bytes of a message, and of what is kept of a longer one. */
enum { MESSAGE_MAX = 600, MESSAGE_HEAD = 240, MESSAGE_TAIL = 240 };

static struct diagnostic *unkept(struct diags *diags)
{
	if (diags->unkept == NULL)
		diags->unkept = pool_new(diags->pool, struct diagnostic);
	return diags->unkept;
}

/* A new kept diagnostic, or the slot for all that are not kept. */
static struct diagnostic *slot(struct diags *diags)
{
	struct diagnostic *added;

	diags->is_full = diags->items_count == DIAG_LIMIT;
	if (diags->is_full)
		return unkept(diags);
	added = pool_new(diags->pool, struct diagnostic);
	*pool_append(diags->pool, diags, items) = added;
	return added;
}

/* A mistake takes the place of the last that is none: behind a thousand warnings it would not be told. */
static struct diagnostic *slot_of_error(struct diags *diags)
{
	size_t at = diags->items_count;
	struct diagnostic *added;

	while (at > 0 && diags->items[at - 1]->severity == SEVERITY_ERROR)
		at--;
	if (!diags->is_full || at == 0)
		return NULL;
	added = pool_new(diags->pool, struct diagnostic);
	memmove(diags->items + at - 1, diags->items + at, (diags->items_count - at) * sizeof *diags->items);
	diags->items[diags->items_count - 1] = added;
	return added;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The user's words can be a megabyte long: what stands between the ends is left out. */
static void shorten(char *message, size_t length)
{
	static const char dots[] = "…";
	size_t head = MESSAGE_HEAD, tail = length - MESSAGE_TAIL;

	while (is_continuation(message[head]))
		head--;
	while (is_continuation(message[tail]))
		tail++;
	memcpy(message + head, dots, sizeof dots - 1);
	memmove(message + head + sizeof dots - 1, message + tail, length - tail + 1);
}

static const char *message_of(struct diags *diags, const char *format, va_list arguments)
{
	char *message = talloc_vasprintf(diags->pool, format, arguments);

	if (message == NULL)
		pool_fail(diags->pool, 0);
	if (strlen(message) > MESSAGE_MAX)
		shorten(message, strlen(message));
	return message;
}

/* Sorted. */
static bool is_of_unknown_name(enum code code)
{
	static const enum code codes_of_names[] = {
		CODE_UNKNOWN_SERVICE, CODE_UNKNOWN_TAG,	   CODE_OVERRIDE_NOTHING, CODE_UNKNOWN_PLACE,
		CODE_UNKNOWN_SCHEDULE, CODE_UNKNOWN_DEVICE, CODE_UNKNOWN_ZONE,
	};

	for (size_t i = 0; i < sizeof codes_of_names / sizeof *codes_of_names; i++)
		if (codes_of_names[i] == code)
			return true;
	return false;
}

struct diagnostic *diag_add(struct diags *diags, enum code code, struct span span,
			    const char *format, ...)
{
	if (diags->lacks_names && is_of_unknown_name(code))
		return unkept(diags);
	const struct code_info *info = code_find((unsigned)code);
	struct diagnostic *added = slot(diags), *kept = NULL;

	if (info->severity == SEVERITY_ERROR)
		kept = slot_of_error(diags);
	if (kept != NULL)
		added = kept;
	added->code = code;
	added->severity = info->severity;
	added->span = span;
	added->message = "";
	added->is_expected = false;
	count(diags, added->severity, false);
	if (diags->is_full && kept == NULL)
		return added;
	va_list arguments;
	va_start(arguments, format);
	added->message = message_of(diags, format, arguments);
	va_end(arguments);
	return added;
}

void diag_note(struct diags *diags, struct diagnostic *diagnostic, struct span span,
	       const char *format, ...)
{
	if (diagnostic == diags->unkept)
		return;
	struct diagnostic_note *note = pool_new(diags->pool, struct diagnostic_note);
	va_list arguments;
	va_start(arguments, format);
	note->message = message_of(diags, format, arguments);
	va_end(arguments);
	note->span = span;
	if (diagnostic->last_note == NULL)
		diagnostic->notes = note;
	else
		diagnostic->last_note->next = note;
	diagnostic->last_note = note;
}

void diag_expect(struct diags *diags, struct diagnostic *diagnostic)
{
	if (diagnostic->is_expected)
		return;
	diagnostic->is_expected = true;
	count(diags, diagnostic->severity, true);
}

bool diags_has_errors(const struct diags *diags)
{
	return diags->error_count != 0;
}

/* A diagnostic and its place in the order of adding, which settles ties. */
struct ranked {
	struct diagnostic *diagnostic;
	size_t rank;
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	const struct diagnostic *first = a->diagnostic, *second = b->diagnostic;
	int order = COMPARE(first->span.source, second->span.source);
	if (order == 0)
		order = COMPARE(first->span.begin, second->span.begin);
	if (order == 0)
		order = COMPARE(first->code, second->code);
	return order != 0 ? order : COMPARE(a->rank, b->rank);
}

static bool notes_are_same(const struct diagnostic *a, const struct diagnostic *b)
{
	const struct diagnostic_note *first = a->notes, *second = b->notes;

	while (first != NULL && second != NULL && strcmp(first->message, second->message) == 0) {
		first = first->next;
		second = second->next;
	}
	return first == NULL && second == NULL;
}

/* Mistakes are told once, whatever example stands below; what a note says may stand there alone. */
static bool is_told(const struct diags *diags, size_t since, const struct diagnostic *diagnostic)
{
	for (size_t i = 0; i < since; i++) {
		const struct diagnostic *before = diags->items[i];
		if (before->code == diagnostic->code &&
		    before->span.source == diagnostic->span.source &&
		    before->span.begin == diagnostic->span.begin &&
		    before->span.end == diagnostic->span.end &&
		    strcmp(before->message, diagnostic->message) == 0 &&
		    (diagnostic->severity != SEVERITY_NOTE || notes_are_same(before, diagnostic)))
			return true;
	}
	return false;
}

void diags_fold(struct diags *diags, size_t since)
{
	size_t kept = since;
	for (size_t i = since; i < diags->items_count; i++) {
		struct diagnostic *diagnostic = diags->items[i];
		if (!is_told(diags, since, diagnostic))
			diags->items[kept++] = diagnostic;
		else
			diag_expect(diags, diagnostic); /* off the counts */
	}
	diags->items_count = kept;
}

void diags_drop(struct diags *diags)
{
	diags->items_count = diags->error_count = diags->warning_count = 0;
	diags->is_full = false;
}

void diags_take_errors(struct diags *diags, const struct diags *other)
{
	for (size_t i = 0; i < other->items_count; i++)
		if (other->items[i]->severity == SEVERITY_ERROR) {
			*pool_append(diags->pool, diags, items) = other->items[i];
			diags->error_count++;
		}
}

void diags_take(struct diags *diags, const struct diags *other)
{
	for (size_t i = 0; i < other->items_count; i++)
		*pool_append(diags->pool, diags, items) = other->items[i];
	diags->error_count += other->error_count;
	diags->warning_count += other->warning_count;
}

void diags_drop_notes(struct diags *diags, size_t since)
{
	size_t kept = since;
	for (size_t i = since; i < diags->items_count; i++)
		if (diags->items[i]->severity != SEVERITY_NOTE)
			diags->items[kept++] = diags->items[i];
	diags->items_count = kept;
}

void diags_sort(struct diags *diags)
{
	if (diags->items_count < 2)
		return;
	struct ranked *ranked = pool_array(diags->pool, struct ranked, diags->items_count);
	for (size_t i = 0; i < diags->items_count; i++)
		ranked[i] = (struct ranked){ diags->items[i], i };
	qsort(ranked, diags->items_count, sizeof *ranked, compare_ranked);
	for (size_t i = 0; i < diags->items_count; i++)
		diags->items[i] = ranked[i].diagnostic;
	talloc_free(ranked);
}

struct diag_totals diag_totals_of(const struct diags *diags)
{
	struct diag_totals kept = { 0 };

	for (size_t i = 0; i < diags->items_count; i++) {
		const struct diagnostic *item = diags->items[i];
		kept.errors += !item->is_expected && item->severity == SEVERITY_ERROR;
		kept.warnings += !item->is_expected && item->severity == SEVERITY_WARNING;
	}
	if (!diags->is_full)
		return kept;
	struct diag_totals all = { .errors = diags->error_count, .warnings = diags->warning_count };
	all.unseen = all.errors + all.warnings - kept.errors - kept.warnings;
	return all;
}

const char *severity_word(enum severity severity)
{
	static const char *const words[] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_NOTE] = "note",
	};

	return words[severity];
}
