/* The bag as a SARIF 2.1.0 log (OASIS standard, sections 3.13 to 3.49): what code hosts show beside a
 * change. Findings that an `expect` acknowledges stand there as suppressed in the source. */
#include "diag/print.h"

#include <string.h>

#include "base/pool.h"
#include "diag/json.h"

static const char *level_of(enum severity severity)
{
	return severity == SEVERITY_NOTE ? "note" : severity_word(severity);
}

/* A file's name as a URI reference (RFC 3986; an absolute one after RFC 8089). */
static const char *uri_of(void *pool, const char *name)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct text *uri = text_new(pool);

	text_add(uri, *name == '/' ? "file://" : "");
	for (const char *at = name; *at != '\0'; at++) {
		if (strchr(kept, *at) != NULL)
			text_add_char(uri, *at);
		else
			text_addf(uri, "%%%02X", (unsigned char)*at);
	}
	return uri->bytes;
}

static json_t *text_object(struct diags *diags, const char *message)
{
	json_t *object = json_object();

	json_set(diags->pool, object, "text", json_text(diags->pool, message));
	return object;
}

/* The empty region of an empty span would mean the rest of the line: it is one column then. */
static json_t *region_of(struct diags *diags, struct span span)
{
	struct position begin = sources_position(diags->sources, span.source, span.begin);
	struct position end = sources_position(diags->sources, span.source, span.end);
	json_t *region = json_object();

	if (span.begin == span.end)
		end.column++;
	json_set(diags->pool, region, "startLine", json_integer(begin.line));
	json_set(diags->pool, region, "startColumn", json_integer(begin.column));
	json_set(diags->pool, region, "endLine", json_integer(end.line));
	json_set(diags->pool, region, "endColumn", json_integer(end.column));
	return region;
}

/* NULL message: none. */
static json_t *location_of(struct diags *diags, struct span span, const char *message)
{
	const struct source *source = diags->sources->items[span.source];
	json_t *location = json_object(), *physical = json_object(), *artifact = json_object();

	json_set(diags->pool, artifact, "uri",
		 json_text(diags->pool,
			   uri_of(diags->pool, source_display_name(diags->pool, source))));
	json_set(diags->pool, physical, "artifactLocation", artifact);
	json_set(diags->pool, physical, "region", region_of(diags, span));
	json_set(diags->pool, location, "physicalLocation", physical);
	if (message != NULL)
		json_set(diags->pool, location, "message", text_object(diags, message));
	return location;
}

static bool has_place(const struct diags *diags, struct span span)
{
	return span.source < diags->sources->items_count;
}

/* Notes without a place belong to the message, the others are related locations. */
static json_t *result_message(struct diags *diags, const struct diagnostic *diagnostic)
{
	struct text *message = text_new(diags->pool);

	text_add(message, diagnostic->message);
	for (const struct diagnostic_note *note = diagnostic->notes; note; note = note->next)
		if (!has_place(diags, note->span))
			text_addf(message, "\n%s", note->message);
	return text_object(diags, message->bytes);
}

static void set_related(struct diags *diags, json_t *result, const struct diagnostic *diagnostic)
{
	json_t *related = json_array();

	for (const struct diagnostic_note *note = diagnostic->notes; note; note = note->next)
		if (has_place(diags, note->span))
			json_add(diags->pool, related,
				 location_of(diags, note->span, note->message));
	json_set(diags->pool, result, "relatedLocations", related);
}

static void set_suppression(struct diags *diags, json_t *result)
{
	json_t *suppressions = json_array(), *suppression = json_object();

	json_set(diags->pool, suppression, "kind", json_string("inSource"));
	json_add(diags->pool, suppressions, suppression);
	json_set(diags->pool, result, "suppressions", suppressions);
}

static json_t *result_of(struct diags *diags, const struct diagnostic *diagnostic, size_t rule)
{
	json_t *result = json_object(), *locations = json_array();

	json_set(diags->pool, result, "ruleId", json_sprintf("FW%04u", (unsigned)diagnostic->code));
	json_set(diags->pool, result, "ruleIndex", json_integer((json_int_t)rule));
	json_set(diags->pool, result, "level", json_string(level_of(diagnostic->severity)));
	json_set(diags->pool, result, "message", result_message(diags, diagnostic));
	if (has_place(diags, diagnostic->span))
		json_add(diags->pool, locations, location_of(diags, diagnostic->span, NULL));
	json_set(diags->pool, result, "locations", locations);
	set_related(diags, result, diagnostic);
	if (diagnostic->is_expected)
		set_suppression(diags, result);
	return result;
}

static json_t *rule_of(struct diags *diags, const struct code_info *info)
{
	json_t *rule = json_object(), *configuration = json_object();

	json_set(diags->pool, rule, "id", json_sprintf("FW%04u", (unsigned)info->code));
	json_set(diags->pool, rule, "name", json_string(info->name));
	json_set(diags->pool, rule, "shortDescription", text_object(diags, info->title));
	json_set(diags->pool, rule, "help", text_object(diags, info->page));
	json_set(diags->pool, configuration, "level", json_string(level_of(info->severity)));
	json_set(diags->pool, rule, "defaultConfiguration", configuration);
	return rule;
}

/* The codes that this log speaks of, in the order of their numbers; their places by number. */
static json_t *rules_of(struct diags *diags, size_t *places)
{
	json_t *rules = json_array();

	for (size_t index = 0; index < code_count(); index++) {
		const struct code_info *info = code_at(index);
		bool is_used = false;

		for (size_t item = 0; item < diags->items_count && !is_used; item++)
			is_used = diags->items[item]->code == info->code;
		if (!is_used)
			continue;
		places[index] = json_array_size(rules);
		json_add(diags->pool, rules, rule_of(diags, info));
	}
	return rules;
}

static size_t code_index(enum code code)
{
	size_t index = 0;

	while (code_at(index)->code != code)
		index++;
	return index;
}

static json_t *tool_of(struct diags *diags, const char *version, size_t *places)
{
	json_t *tool = json_object(), *driver = json_object();

	json_set(diags->pool, driver, "name", json_string("fwc"));
	json_set(diags->pool, driver, "version", json_string(version));
	json_set(diags->pool, driver, "rules", rules_of(diags, places));
	json_set(diags->pool, tool, "driver", driver);
	return tool;
}

void diags_print_sarif(struct diags *diags, struct text *out, const char *version)
{
	size_t *places = pool_array(diags->pool, size_t, code_count());
	json_t *root = json_object(), *runs = json_array(), *run = json_object();
	json_t *results = json_array();

	json_set(diags->pool, run, "tool", tool_of(diags, version, places));
	json_set(diags->pool, run, "columnKind", json_string("unicodeCodePoints"));
	for (size_t index = 0; index < diags->items_count; index++)
		json_add(diags->pool, results,
			 result_of(diags, diags->items[index],
				   places[code_index(diags->items[index]->code)]));
	json_set(diags->pool, run, "results", results);
	json_add(diags->pool, runs, run);
	json_set(diags->pool, root, "$schema",
		 json_string("https://json.schemastore.org/sarif-2.1.0.json"));
	json_set(diags->pool, root, "version", json_string("2.1.0"));
	json_set(diags->pool, root, "runs", runs);
	json_finish(diags->pool, out, root);
}
