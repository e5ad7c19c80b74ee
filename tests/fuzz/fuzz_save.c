/* libFuzzer target: any bytes as iptables-save: read, unfolded, compared, written. */
#include <string.h>

#include "base/pool.h"
#include "diag/print.h"
#include "import/iptables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import_once(void *root, const uint8_t *data, size_t size, bool is_lenient)
{
	struct sources *sources = sources_new(root);
	struct diags *diags = diags_new(root, sources);
	struct service_database *database = service_database_new(root, diags, NULL); /* nothing resolved */
	const struct import_iptables_settings settings = { is_lenient, is_lenient };
	char *copy = pool_bytes(root, size + 1);
	uint32_t source;
	struct import_iptables_files files;
	bool is_usable;

	if (size > 0)
		memcpy(copy, data, size);
	source = sources_add(sources, "fuzz.v4", copy, size, false);
	import_iptables(text_new(root), diags, &source, 1, database, &settings, &files, &is_usable);
	diags_sort(diags);
	diags_print_text(diags, text_new(root), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_trap *root = pool_session_new();

	import_once(root, data, size, false);
	import_once(root, data, size, true);
	talloc_free(root);
	return 0;
}
