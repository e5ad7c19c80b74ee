/* The bag as one JSON object. */
#include "diag/print.h"

#include "diag/json.h"

static void set_position(struct diags *diags, json_t *object, struct span span)
{
	bool has_place = span.source < diags->sources->items_count;
	struct position begin = { 0 }, end = { 0 };
	json_t *file = NULL;
	if (has_place) {
		const struct source *source = diags->sources->items[span.source];
		begin = sources_position(diags->sources, span.source, span.begin);
		end = sources_position(diags->sources, span.source, span.end);
		file = json_text(diags->pool, source_display_name(diags->pool, source));
	}
	json_set(diags->pool, object, "file", has_place ? file : json_null());
	json_set(diags->pool, object, "line", has_place ? json_integer(begin.line) : json_null());
	json_set(diags->pool, object, "column", has_place ? json_integer(begin.column) : json_null());
	json_set(diags->pool, object, "end_line", has_place ? json_integer(end.line) : json_null());
	json_set(diags->pool, object, "end_column", has_place ? json_integer(end.column) : json_null());
}

static json_t *json_notes(struct diags *diags, const struct diagnostic *diagnostic)
{
	json_t *notes = json_array();
	for (const struct diagnostic_note *note = diagnostic->notes; note; note = note->next) {
		json_t *object = json_object();
		set_position(diags, object, note->span);
		json_set(diags->pool, object, "message", json_text(diags->pool, note->message));
		json_add(diags->pool, notes, object);
	}
	return notes;
}

static json_t *json_diagnostic(struct diags *diags, const struct diagnostic *diagnostic)
{
	json_t *object = json_object();
	json_set(diags->pool, object, "code", json_sprintf("FW%04u", (unsigned)diagnostic->code));
	json_set(diags->pool, object, "severity", json_string(severity_word(diagnostic->severity)));
	set_position(diags, object, diagnostic->span);
	json_set(diags->pool, object, "message", json_text(diags->pool, diagnostic->message));
	json_set(diags->pool, object, "notes", json_notes(diags, diagnostic));
	return object;
}

void diags_print_json(struct diags *diags, struct text *out)
{
	struct diag_totals totals = diag_totals_of(diags);
	json_t *root = json_object(), *list = json_array();
	for (size_t i = 0; i < diags->items_count; i++) {
		if (diags->items[i]->is_expected)
			continue;
		json_add(diags->pool, list, json_diagnostic(diags, diags->items[i]));
	}
	json_set(diags->pool, root, "diagnostics", list);
	json_set(diags->pool, root, "errors", json_integer((json_int_t)totals.errors));
	json_set(diags->pool, root, "warnings", json_integer((json_int_t)totals.warnings));
	json_finish(diags->pool, out, root);
}
