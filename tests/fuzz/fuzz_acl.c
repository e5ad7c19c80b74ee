/* libFuzzer target: any bytes as a router's text: read, printed, taken apart, imported. What was read
 * and printed has to read back as the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "diag/print.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/import.h"
#include "target/cisco/read/read.h"
#include "target/cisco/read/sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cookies that are words of options are not read back, and names are any bytes. */
static bool can_return(const struct acl_list *list, const struct acl_entry *entry)
{
	return entry->kind == ACL_ENTRY_MATCH && list->kind != ACL_REFLEXIVE && entry->cookie == NULL;
}

static void check_return(void *pool, const struct acl_list *list, const struct acl_entry *entry)
{
	struct sources *sources = sources_new(pool);
	struct diags *diags = diags_new(pool, sources);
	struct text *text = text_new(pool), *once = text_new(pool), *again = text_new(pool);
	const struct acl_config *config;

	acl_entry_format_numbered(once, list, entry);
	text_addf(text, "%s X\n %s\n", list->family == FAMILY_IPV6 ? "ipv6 access-list" :
		  list->kind == ACL_STANDARD ? "ip access-list standard" : "ip access-list extended",
		  once->bytes);
	config = acl_read(pool, diags, sources_add(sources, "again", text->bytes, text->length, false));
	if (config->lists_count != 1 || config->lists[0]->entries_count != 1)
		abort();
	acl_entry_format_numbered(again, config->lists[0], config->lists[0]->entries[0]);
	if (strcmp(once->bytes, again->bytes) != 0)
		abort();
}

static void check_list(void *pool, struct diags *diags, const struct acl_config *config,
		       const struct acl_list *list, const struct service_database *database)
{
	const struct acl_import_settings import = { .file = "fuzz.ios", .has_replies_by_state = true };
	const struct acl_sets_settings settings = { .family = list->family, .takes_partial = true };

	for (size_t index = 0; index < list->entries_count && index < 100; index++)
		if (can_return(list, list->entries[index]))
			check_return(pool, list, list->entries[index]);
	acl_sets_make(pool, diags, config, list, &settings);
	acl_import(text_new(pool), diags, config, list, database, &import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_trap *root = pool_session_new();
	struct sources *sources = sources_new(root);
	struct diags *diags = diags_new(root, sources);
	struct service_database *database = service_database_new(root, diags, NULL); /* nothing resolved */
	char *copy = pool_bytes(root, size + 1);
	const struct acl_config *config;

	if (size > 0)
		memcpy(copy, data, size);
	config = acl_read(root, diags, sources_add(sources, "fuzz.ios", copy, size, false));
	for (size_t index = 0; index < config->lists_count && index < 20; index++)
		check_list(root, diags, config, config->lists[index], database);
	diags_sort(diags);
	diags_print_text(diags, text_new(root), false);
	talloc_free(root);
	return 0;
}
