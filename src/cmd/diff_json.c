#include "cmd/diff_json.h"

#include <string.h>

#include "base/pool.h"
#include "diag/json.h"
#include "diag/visible.h"

static json_t *empty_sides(void *pool)
{
	json_t *object = json_object();

	json_set(pool, object, "before", json_array());
	json_set(pool, object, "now", json_array());
	return object;
}

static int release(struct diff_json *json)
{
	json_decref(json->root);
	return 0;
}

struct diff_json *diff_json_new(void *pool, struct sources *sources)
{
	struct diff_json *json = pool_new(pool, struct diff_json);

	*json = (struct diff_json){ .pool = pool, .sources = sources, .root = json_object() };
	talloc_set_destructor(json, release);
	json_set(pool, json->root, "changes", json_array());
	json_set(pool, json->root, "added", json_array());
	json_set(pool, json->root, "removed", json_array());
	json_set(pool, json->root, "settings", json_array());
	json_set(pool, json->root, "rewritten", empty_sides(pool));
	return json;
}

void diff_json_text(struct diff_json *json, json_t *object, const char *key, const char *text)
{
	json_set(json->pool, object, key, text == NULL ? json_null() : json_text(json->pool, text));
}

void diff_json_line(struct diff_json *json, json_t *object, const char *key, const char *line, size_t length)
{
	size_t blanks = strspn(line, " ");

	if (blanks < length)
		json_add(json->pool, json_object_get(object, key),
			 json_text(json->pool, pool_strndup(json->pool, line + blanks, length - blanks)));
}

static void add_lines(struct diff_json *json, json_t *object, const char *key, const char *text)
{
	json_set(json->pool, object, key, json_array());
	while (text != NULL && *text != '\0') {
		size_t length = strcspn(text, "\n");

		diff_json_line(json, object, key, text, length);
		text += length;
		text += *text == '\n';
	}
}

json_t *diff_json_change(struct diff_json *json, const char *kind, const char *device, const char *region)
{
	json_t *change = json_object();

	json_add(json->pool, json_object_get(json->root, "changes"), change);
	diff_json_text(json, change, "kind", kind);
	diff_json_text(json, change, "device", device);
	json_set(json->pool, change, "hooks", json_array());
	add_lines(json, change, "region", region);
	return change;
}

void diff_json_hook(struct diff_json *json, json_t *change, const char *hook)
{
	diff_json_line(json, change, "hooks", hook, strlen(hook));
}

void diff_json_side(struct diff_json *json, json_t *change, const char *key, const struct diff_side *side)
{
	bool is_written = side->origin.source != SPAN_NONE.source;
	struct text *statement = text_new(json->pool);
	json_t *object;

	if (side->verdict == NULL && !is_written) {
		json_set(json->pool, change, key, json_null());
		return;
	}
	object = json_object();
	json_set(json->pool, change, key, object);
	if (is_written)
		visible_add_first_line(statement, json->sources, side->origin);
	diff_json_text(json, object, "verdict", side->verdict);
	diff_json_text(json, object, "place",
		       is_written ? span_place(json->pool, json->sources, side->origin) : NULL);
	diff_json_text(json, object, "statement", is_written ? statement->bytes : NULL);
}

static json_t *named(struct diff_json *json, const char *kind, const char *name)
{
	json_t *object = json_object();

	diff_json_text(json, object, "kind", kind);
	diff_json_text(json, object, "name", name);
	return object;
}

void diff_json_lone(struct diff_json *json, const char *kind, const char *name, bool is_new)
{
	json_add(json->pool, json_object_get(json->root, is_new ? "added" : "removed"), named(json, kind, name));
}

json_t *diff_json_settings(struct diff_json *json, const char *kind, const char *name)
{
	json_t *object = named(json, kind, name);

	json_add(json->pool, json_object_get(json->root, "settings"), object);
	json_set(json->pool, object, "before", json_array());
	json_set(json->pool, object, "now", json_array());
	return object;
}

void diff_json_rewritten(struct diff_json *json, const char *key, struct span span)
{
	json_add(json->pool, json_object_get(json_object_get(json->root, "rewritten"), key),
		 json_text(json->pool, span_place(json->pool, json->sources, span)));
}

json_t *diff_json_take(struct diff_json *json)
{
	json_t *root = json->root;

	json->root = NULL;
	return root;
}
