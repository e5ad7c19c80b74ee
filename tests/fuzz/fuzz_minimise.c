/* libFuzzer target: any bytes as a router's lists, made short. What comes out is never unproven; of lists that
 * are understood whole it reads back without a mistake, has no more entries than before, and can be made short
 * again. */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/read.h"
#include "target/cisco/minimise/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool says(const struct diags *diags, enum code code)
{
	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->code == code)
			return true;
	return false;
}

/* SIZE_MAX: some of them were not understood, and come out as they are, whatever that is below another head. */
static size_t entries_count(const struct acl_config *config)
{
	size_t count = 0;

	for (size_t index = 0; index < config->lists_count; index++) {
		if (config->lists[index]->unread_count > 0)
			return SIZE_MAX;
		count += config->lists[index]->entries_count;
	}
	return count;
}

/* NULL: it is refused. *before: its entries. */
static struct text *made_short(void *pool, const char *bytes, size_t size, enum minimise_aim aim, size_t *before)
{
	struct sources *sources = sources_new(pool);
	struct diags *diags = diags_new(pool, sources);
	struct minimise_request request = { .aim = aim };
	struct text *out = text_new(pool);
	bool is_short;

	request.source = sources_add(sources, "fuzz.ios", bytes, size, false);
	request.config = acl_read(pool, diags, request.source);
	*before = entries_count(request.config);
	if (diags_has_errors(diags))
		return NULL;
	is_short = minimise_config(out, text_new(pool), diags, &request);
	if (says(diags, CODE_MINIMISE_UNPROVEN))
		abort();
	return is_short ? out : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_trap *root = pool_session_new();
	enum minimise_aim aim = size % 2 == 0 ? MINIMISE_ENTRIES : MINIMISE_TCAM;
	char *copy = pool_bytes(root, size + 1);
	size_t before, after;
	struct text *once;

	if (size > 0)
		memcpy(copy, data, size);
	once = made_short(root, copy, size, aim, &before);
	if (once != NULL && once->length > 0 && before != SIZE_MAX) {
		if (made_short(root, once->bytes, once->length, aim, &after) == NULL)
			abort();
		if (aim == MINIMISE_ENTRIES && after > before)
			abort();
	}
	talloc_free(root);
	return 0;
}
