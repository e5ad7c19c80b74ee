#include "acl_text.h"

#include <string.h>

#include "target/cisco/read/format.h"
#include "target/cisco/read/read.h"
#include "unit.h"

struct acl_text acl_text_read_bytes(const char *bytes, size_t length)
{
	struct sources *sources = sources_new(unit_pool());
	struct acl_text read = { .diags = diags_new(unit_pool(), sources) };

	read.config = acl_read(unit_pool(), read.diags,
			       sources_add(sources, "router.ios", bytes, length, false));
	return read;
}

struct acl_text acl_text_read(const char *text)
{
	return acl_text_read_bytes(text, strlen(text));
}

static void add_entry(struct text *out, const struct acl_list *list, const struct acl_entry *entry)
{
	for (const struct acl_remark *remark = entry->remarks; remark != NULL; remark = remark->next)
		text_addf(out, "remark %s\n", remark->text);
	if (entry->kind == ACL_ENTRY_UNREAD)
		text_addf(out, "%u unread", entry->sequence);
	else
		acl_entry_format_numbered(out, list, entry);
	text_add_char(out, '\n');
}

const char *acl_text_list(const struct acl_text *read, const char *name)
{
	struct text *out = text_new(unit_pool());

	for (size_t index = 0; index < read->config->lists_count; index++) {
		const struct acl_list *list = read->config->lists[index];

		if (name != NULL && strcmp(list->name, name) != 0)
			continue;
		for (size_t at = 0; at < list->entries_count; at++)
			add_entry(out, list, list->entries[at]);
		for (const struct acl_remark *remark = list->remarks; remark != NULL; remark = remark->next)
			text_addf(out, "remark %s\n", remark->text);
	}
	return out->bytes;
}

const char *acl_text_codes(const struct acl_text *read)
{
	struct text *out = text_new(unit_pool());

	for (size_t index = 0; index < read->diags->items_count; index++)
		text_addf(out, "%s%04u", index > 0 ? " " : "", (unsigned)read->diags->items[index]->code);
	return out->bytes;
}

const char *acl_text_message(const struct acl_text *read, size_t index)
{
	ck_assert_uint_lt(index, read->diags->items_count);
	return read->diags->items[index]->message;
}
