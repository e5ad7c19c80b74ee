/* Remarks speak of the entries behind them, up to the next ones: a block. They stand again wherever an entry is of
 * another block than the one before it, and go with the last entry of theirs. */
#include "target/cisco/minimise/remarks.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "target/cisco/read/format.h"

#define TYPED "access-list"

/* The words of the entry as they were written, from its verdict on; NULL: it has none. */
static const char *own_words(const struct remarks_writer *writer, const struct acl_entry *entry, size_t *length)
{
	static const char *const verdicts[] = { "permit", "deny", "evaluate" };
	const char *text = writer->sources->items[entry->span.source]->bytes + entry->span.begin;
	size_t all = entry->span.end - entry->span.begin;

	*length = 0;
	for (size_t at = 0; at < all; at++) {
		if (at > 0 && text[at - 1] != ' ')
			continue;
		for (size_t index = 0; index < sizeof verdicts / sizeof verdicts[0]; index++) {
			size_t size = strlen(verdicts[index]);

			if (all - at <= size || strncasecmp(text + at, verdicts[index], size) != 0)
				continue;
			*length = all - at;
			while (*length > 0 && isspace((unsigned char)text[at + *length - 1]))
				--*length;
			return text + at;
		}
	}
	return NULL;
}

/* What `show` prints has counters and commas; a number behind an entry was read as one before it. */
static bool is_typable(const char *words, size_t length)
{
	return words != NULL && memchr(words, '(', length) == NULL && memchr(words, ',', length) == NULL &&
	       memmem(words, length, " sequence ", strlen(" sequence ")) == NULL &&
	       memmem(words, length, "wildcard bits", strlen("wildcard bits")) == NULL;
}

static void begin_line(struct remarks_writer *writer)
{
	if (writer->is_typed)
		text_addf(writer->out, TYPED " %s ", writer->list->name);
	else
		text_add_char(writer->out, ' ');
}

static void write_entry(struct remarks_writer *writer, const struct acl_entry *read, const struct acl_entry *entry)
{
	const struct acl_entry *said = entry != NULL ? entry : read;
	size_t length;
	const char *words = own_words(writer, read, &length);

	if (read->kind == ACL_ENTRY_UNREAD) {
		text_add(writer->out, writer->is_typed ? "" : " ");
		text_add_bytes(writer->out, writer->sources->items[read->span.source]->bytes + read->span.begin,
			       read->span.end - read->span.begin);
		text_add_char(writer->out, '\n');
		return;
	}
	begin_line(writer);
	if (read->has_written_sequence && !writer->is_typed)
		text_addf(writer->out, "%s%u ", writer->list->family == FAMILY_IPV6 ? "sequence " : "",
			  read->sequence);
	if (entry == NULL && is_typable(words, length))
		text_add_bytes(writer->out, words, length);
	else
		acl_entry_format(writer->out, writer->list, said);
	text_add_char(writer->out, '\n');
}

static void write_remarks(struct remarks_writer *writer, const struct acl_remark *remark)
{
	for (; remark != NULL; remark = remark->next) {
		begin_line(writer);
		text_addf(writer->out, "remark %s\n", remark->text);
	}
}

/* Whether what was written last was of the block, too. */
static bool was_of(const struct remarks_writer *writer, uint32_t block)
{
	if (writer->last_number == SIZE_MAX)
		return false;
	if (writer->last == NULL)
		return writer->blocks[writer->last_number] == block;
	for (uint32_t at = 0; at < writer->last->count; at++)
		if (writer->blocks[writer->last->numbers[at]] == block)
			return true;
	return false;
}

static void write_block(struct remarks_writer *writer, size_t number, uint32_t *done)
{
	uint32_t block = writer->blocks[number];

	if (block == 0 || block == *done || was_of(writer, block))
		return;
	*done = block;
	write_remarks(writer, writer->list->entries[block - 1]->remarks);
}

void remarks_begin(struct remarks_writer *writer)
{
	const struct acl_list *list = writer->list;
	uint32_t block = 0;

	writer->last_number = SIZE_MAX;
	writer->blocks = pool_array(writer->pool, uint32_t, list->entries_count);
	for (size_t number = 0; number < list->entries_count; number++) {
		if (list->entries[number]->remarks != NULL)
			block = (uint32_t)number + 1;
		writer->blocks[number] = block;
	}
	if (list->entries_count > 0 && list->family == FAMILY_IPV4) {
		const struct span *span = &list->entries[0]->span;
		const char *text = writer->sources->items[span->source]->bytes + span->begin;

		writer->is_typed = span->end - span->begin > strlen(TYPED) &&
				   strncasecmp(text, TYPED, strlen(TYPED)) == 0;
	}
	if (writer->is_typed)
		return;
	acl_list_format_head(writer->out, list);
	text_add_char(writer->out, '\n');
}

void remarks_write(struct remarks_writer *writer, size_t number, const struct minimise_parts *parts,
		   const struct acl_entry *entry)
{
	uint32_t done = 0;

	if (parts == NULL)
		write_block(writer, number, &done);
	for (uint32_t at = 0; parts != NULL && at < parts->count; at++)
		write_block(writer, parts->numbers[at], &done);
	write_entry(writer, writer->list->entries[number], entry);
	writer->last = parts;
	writer->last_number = number;
}

void remarks_end(struct remarks_writer *writer)
{
	write_remarks(writer, writer->list->remarks);
}
