/* The bag as JUnit's XML, the form that build servers show: one test case a finding, a failure where it
 * counts; one that passes where there is nothing to say. */
#include "diag/print.h"

#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"

/* Text of the user's as character data: markup escaped, characters that XML 1.0 has not shown as \xNN. */
static void add_xml(struct text *out, const char *string)
{
	struct text *visible = text_new(out->pool);

	for (const char *line = string; line != NULL;) {
		const char *end = strchr(line, '\n');

		visible_add(visible, line, end != NULL ? (size_t)(end - line) : strlen(line));
		if (end != NULL)
			text_add_char(visible, '\n');
		line = end != NULL ? end + 1 : NULL;
	}
	for (const char *at = visible->bytes; *at != '\0'; at++) {
		switch (*at) {
		case '&': text_add(out, "&amp;"); break;
		case '<': text_add(out, "&lt;"); break;
		case '>': text_add(out, "&gt;"); break;
		case '"': text_add(out, "&quot;"); break;
		case '\n': text_add(out, "&#10;"); break;
		default: text_add_char(out, *at);
		}
	}
}

static const char *place_of(struct diags *diags, struct span span)
{
	return span_place(diags->pool, diags->sources, span);
}

static void add_case_head(struct diags *diags, struct text *out, const struct diagnostic *diagnostic)
{
	const char *place = place_of(diags, diagnostic->span);

	text_add(out, "    <testcase classname=\"fwc\" name=\"");
	text_addf(out, "FW%04u%s", (unsigned)diagnostic->code, *place != '\0' ? " " : "");
	add_xml(out, place);
	text_add(out, "\">");
}

static void add_failure(struct diags *diags, struct text *out, const struct diagnostic *diagnostic)
{
	text_addf(out, "<failure type=\"%s\" message=\"", severity_word(diagnostic->severity));
	add_xml(out, diagnostic->message);
	text_add(out, "\">");
	for (const struct diagnostic_note *note = diagnostic->notes; note; note = note->next) {
		const char *place = place_of(diags, note->span);

		add_xml(out, place);
		text_add(out, *place != '\0' ? ": " : "");
		add_xml(out, note->message);
		text_add_char(out, '\n');
	}
	text_add(out, "</failure>");
}

static void add_case(struct diags *diags, struct text *out, const struct diagnostic *diagnostic)
{
	add_case_head(diags, out, diagnostic);
	if (diagnostic->is_expected) {
		text_add(out, "<skipped message=\"expected\"/>");
	} else if (diagnostic->severity != SEVERITY_NOTE) {
		add_failure(diags, out, diagnostic);
	} else {
		text_add(out, "<system-out>");
		add_xml(out, diagnostic->message);
		text_add(out, "</system-out>");
	}
	text_add(out, "</testcase>\n");
}

void diags_print_junit(struct diags *diags, struct text *out, const char *suite)
{
	size_t failures = 0, skipped = 0;

	for (size_t index = 0; index < diags->items_count; index++) {
		const struct diagnostic *item = diags->items[index];

		skipped += item->is_expected;
		failures += !item->is_expected && item->severity != SEVERITY_NOTE;
	}
	text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
	add_xml(out, suite);
	text_addf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
		  diags->items_count > 0 ? diags->items_count : 1, failures, skipped);
	if (diags->items_count == 0) {
		text_add(out, "    <testcase classname=\"fwc\" name=\"");
		add_xml(out, suite);
		text_add(out, "\"/>\n");
	}
	for (size_t index = 0; index < diags->items_count; index++)
		add_case(diags, out, diags->items[index]);
	text_add(out, "  </testsuite>\n</testsuites>\n");
}
