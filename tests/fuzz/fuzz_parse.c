/* libFuzzer target: any bytes through the parser and both printers. What prints in canonical form
 * must parse again, and print to itself. */
#include <stdlib.h>
#include <string.h>

#include "ast/print.h"
#include "base/pool.h"
#include "parse/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct round {
	struct diags *diags;
	struct ast_file *file;
	struct text *canonical;
};

static struct round format_once(void *pool, const char *bytes, size_t length)
{
	struct sources *sources = sources_new(pool);
	struct round round = { .diags = diags_new(pool, sources) };

	round.file = parse_source(pool, round.diags,
				  sources_add(sources, "fuzz.fw", bytes, length, false));
	round.canonical = text_new(pool);
	if (!diags_has_errors(round.diags))
		ast_print_canonical(round.canonical, sources, round.file);
	return round;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_trap *root = pool_session_new();
	char *copy;
	struct round first, second;

	copy = pool_bytes(root, size + 1);
	memcpy(copy, data, size);
	first = format_once(root, copy, size);
	if (!diags_has_errors(first.diags)) {
		second = format_once(root, first.canonical->bytes, first.canonical->length);
		if (diags_has_errors(second.diags) ||
		    strcmp(first.canonical->bytes, second.canonical->bytes) != 0)
			abort();
	}
	talloc_free(root);
	return 0;
}
