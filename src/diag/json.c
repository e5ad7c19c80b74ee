/* JSON of jansson, with the pool's answer to a lack of memory. */
#include "diag/json.h"

#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"

void json_set(void *pool, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		pool_fail(pool, 0);
}

void json_add(void *pool, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		pool_fail(pool, 0);
}

json_t *json_text(void *pool, const char *string)
{
	struct text *valid = text_new(pool);
	json_t *json;

	visible_add_utf8(valid, string, strlen(string));
	json = json_stringn(valid->bytes, valid->length);
	talloc_free(valid);
	return json;
}

static int add_chunk(const char *bytes, size_t length, void *out)
{
	text_add_bytes(out, bytes, length);
	return 0;
}

void json_finish(void *pool, struct text *out, json_t *root)
{
	if (json_dump_callback(root, add_chunk, out, JSON_COMPACT) != 0)
		pool_fail(pool, 0);
	text_add_char(out, '\n');
	json_decref(root);
}
