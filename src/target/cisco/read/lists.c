/* Drafts of lists. Entries stand in the order of the text until their numbers are needed. */
#include "target/cisco/read/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/read/entry.h"

struct acl_draft {
	struct acl_list *list;
	struct acl_list_head head;
	bool is_removed;
	bool is_sorted;        /* the entries, by number */
	uint32_t highest;      /* number given so far */
	void *seen_pool;       /* until the text ends */
	struct interned *seen; /* what an entry says, without its number -> the entry */
	struct text *key;
	struct acl_remark *remarks, **last_remark; /* for the next entry */
};

/* --- opening and removing ------------------------------------------------------------------- */

static const char *draft_key(struct acl_reader *reader, enum family family, const char *name)
{
	return pool_format(reader->pool, "%c%s", family == FAMILY_IPV4 ? '4' : '6', name);
}

static struct acl_draft *draft_new(struct acl_reader *reader, const struct acl_list_head *head)
{
	struct acl_draft *draft = pool_new(reader->pool, struct acl_draft);

	draft->list = pool_new(reader->pool, struct acl_list);
	*draft->list = (struct acl_list){
		.name = head->name,
		.family = head->family,
		.kind = head->kind,
		.span = acl_reader_line_span(reader),
	};
	draft->head = *head;
	draft->is_sorted = true;
	draft->seen_pool = pool_child(reader->pool, "seen");
	draft->seen = interned_new(draft->seen_pool, arena_new(draft->seen_pool));
	draft->key = text_new(reader->pool);
	draft->last_remark = &draft->remarks;
	*pool_append(reader->pool, reader, drafts) = draft;
	return draft;
}

static struct acl_entry *entry_append(struct acl_reader *reader, struct acl_draft *draft,
				      struct acl_entry *entry);

/* The line as an entry of which only the place is known. */
static void entry_unread(struct acl_reader *reader, struct acl_draft *draft, uint32_t sequence)
{
	struct acl_entry *entry = acl_entry_new(reader->arena, draft->list->family);

	entry->kind = ACL_ENTRY_UNREAD;
	entry->span = acl_reader_line_span(reader);
	entry->sequence = sequence;
	entry->has_written_sequence = sequence != 0;
	entry_append(reader, draft, entry);
}

void acl_lists_open(struct acl_reader *reader, const struct acl_list_head *head)
{
	const char *key = draft_key(reader, head->family, head->name);
	struct acl_draft *draft = names_find(reader->drafts_by_name, key, strlen(key));

	if (draft == NULL) {
		draft = draft_new(reader, head);
		names_set(reader->drafts_by_name, key, strlen(key), draft);
	} else if (draft->list->kind != head->kind) {
		acl_line_fail(&reader->line, "a list of this name is there already, of another kind");
		acl_reader_unread(reader, "the head of list '%s'", head->name);
		entry_unread(reader, draft, 0);
	}
	draft->head.is_shown = head->is_shown;
	draft->head.is_foreign = draft->head.is_foreign || head->is_foreign;
	draft->list->is_foreign = draft->head.is_foreign;
	reader->draft = draft;
	reader->mode = ACL_MODE_LIST;
}

void acl_lists_remove(struct acl_reader *reader, enum family family, const char *name)
{
	const char *key = draft_key(reader, family, name);
	struct acl_draft *draft = names_find(reader->drafts_by_name, key, strlen(key));

	if (draft == NULL)
		return;
	draft->is_removed = true;
	names_set(reader->drafts_by_name, key, strlen(key), NULL);
}

/* --- entries ----------------------------------------------------------------------------------- */

/* Everything that an entry says but its number and its counter. */
static void key_add_string(struct text *key, const char *string)
{
	text_add_bytes(key, string == NULL ? "" : string, string == NULL ? 1 : strlen(string) + 1);
}

static void key_add_place(struct text *key, enum family family, const struct acl_place *place)
{
	const number128 whole[] = { place->value, place->wildcard };
	const uint32_t low[] = { (uint32_t)place->value, (uint32_t)place->wildcard };

	if (family == FAMILY_IPV4)
		text_add_bytes(key, (const char *)low, sizeof low);
	else
		text_add_bytes(key, (const char *)whole, sizeof whole);
	key_add_string(key, place->group);
}

static void key_add_ports(struct text *key, const struct acl_ports *ports)
{
	const uint16_t head[] = { (uint16_t)ports->operator, ports->count };

	text_add_bytes(key, (const char *)head, sizeof head);
	if (ports->count > 0)
		text_add_bytes(key, (const char *)ports->numbers, ports->count * sizeof ports->numbers[0]);
}

static void key_make(struct acl_draft *draft, const struct acl_entry *entry)
{
	struct text *key = draft->key;
	const uint16_t head[] = {
		(uint16_t)entry->kind, (uint16_t)entry->action, entry->protocol, entry->icmp_type,
		entry->icmp_code, entry->flags.mask, entry->flags.value, entry->flags.is_all,
		entry->is_established, entry->is_fragments, (uint16_t)entry->log,
	};

	key->length = 0;
	text_add_bytes(key, (const char *)head, sizeof head);
	key_add_place(key, draft->list->family, &entry->source);
	key_add_place(key, draft->list->family, &entry->destination);
	key_add_ports(key, &entry->source_ports);
	key_add_ports(key, &entry->destination_ports);
	key_add_string(key, entry->services);
	key_add_string(key, entry->condition_words);
	key_add_string(key, entry->time_range);
	key_add_string(key, entry->cookie);
	key_add_string(key, entry->reflect);
	key_add_string(key, entry->evaluate);
}

static struct acl_entry *entry_append(struct acl_reader *reader, struct acl_draft *draft,
				      struct acl_entry *entry)
{
	struct acl_list *list = draft->list;

	if (!entry->has_written_sequence)
		entry->sequence = draft->highest > UINT32_MAX - 10 ? UINT32_MAX : draft->highest + 10;
	if (entry->sequence <= draft->highest)
		draft->is_sorted = false;
	else
		draft->highest = entry->sequence;
	entry->remarks = draft->remarks;
	draft->remarks = NULL;
	draft->last_remark = &draft->remarks;
	*pool_append(reader->pool, list, entries) = entry;
	return entry;
}

static void entry_add(struct acl_reader *reader, struct acl_draft *draft, struct acl_entry *entry)
{
	struct acl_entry **slot;
	struct diagnostic *diagnostic;

	key_make(draft, entry);
	slot = (struct acl_entry **)interned_slot(draft->seen, draft->key->bytes, draft->key->length);
	if (*slot == NULL) {
		*slot = entry_append(reader, draft, entry);
		return;
	}
	diagnostic = diag_add(reader->diags, CODE_FOREIGN_DUPLICATE, entry->span,
			      "list '%s' holds this entry already; a router ignores it",
			      draft->list->name);
	diag_note(reader->diags, diagnostic, (*slot)->span, "it stands here");
}

static void remark_add(struct acl_reader *reader, struct acl_draft *draft)
{
	const struct acl_word text = acl_line_rest(&reader->line);
	struct acl_remark *remark = arena_new_item(reader->arena, struct acl_remark);

	*remark = (struct acl_remark){
		.text = acl_word_copy(reader->arena, text),
		.span = acl_reader_line_span(reader),
	};
	*draft->last_remark = remark;
	draft->last_remark = &remark->next;
}

/* "10 remark TEXT", "sequence 10 remark TEXT": the number is that of the entry below. */
static bool remark_skip(struct acl_line *line)
{
	size_t begin = line->next;
	uint32_t number;

	(void)acl_line_skip(line, "sequence");
	if (acl_number_parse(acl_line_peek(line), UINT32_MAX, &number))
		line->next++;
	if (acl_line_skip(line, "remark"))
		return true;
	line->next = begin;
	return false;
}

static struct acl_dialect dialect_of(const struct acl_draft *draft)
{
	return (struct acl_dialect){
		.family = draft->list->family,
		.kind = draft->list->kind == ACL_STANDARD ? ACL_STANDARD : ACL_EXTENDED,
		.is_shown = draft->head.is_shown,
	};
}

static void entry_line(struct acl_reader *reader, struct acl_draft *draft)
{
	const struct acl_dialect dialect = dialect_of(draft);
	struct acl_entry *entry = acl_entry_new(reader->arena, draft->list->family);

	if (draft->head.is_foreign)
		acl_line_fail(&reader->line, "the list is another platform's");
	else if (acl_entry_read(&reader->line, reader->arena, &dialect, entry)) {
		entry->span = acl_reader_line_span(reader);
		entry_add(reader, draft, entry);
		return;
	}
	acl_reader_unread(reader, "an entry of list '%s'", draft->list->name);
	entry_unread(reader, draft, entry->has_written_sequence ? entry->sequence : 0);
}

/* --- taking away ---------------------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
	const struct acl_entry *left = *(struct acl_entry *const *)a, *right = *(struct acl_entry *const *)b;

	if (left->sequence != right->sequence)
		return left->sequence < right->sequence ? -1 : 1;
	/* as they were read: spans of one source grow */
	if (left->span.source != right->span.source)
		return left->span.source < right->span.source ? -1 : 1;
	return left->span.begin < right->span.begin ? -1 : left->span.begin > right->span.begin;
}

static void draft_sort(struct acl_draft *draft)
{
	struct acl_list *list = draft->list;

	if (!draft->is_sorted && list->entries_count > 1)
		qsort(list->entries, list->entries_count, sizeof list->entries[0], compare_entries);
	draft->is_sorted = true;
}

static void entry_remove(struct acl_draft *draft, size_t index)
{
	struct acl_list *list = draft->list;
	struct acl_entry *entry = list->entries[index];

	key_make(draft, entry);
	if (entry->kind != ACL_ENTRY_UNREAD)
		*interned_slot(draft->seen, draft->key->bytes, draft->key->length) = NULL;
	memmove(list->entries + index, list->entries + index + 1,
		(list->entries_count - index - 1) * sizeof list->entries[0]);
	list->entries_count--;
	draft->highest = list->entries_count > 0 ? list->entries[list->entries_count - 1]->sequence : 0;
}

/* The first entry with at least this number. */
static size_t entry_index(const struct acl_list *list, uint32_t sequence)
{
	size_t low = 0, high = list->entries_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->entries[middle]->sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool remove_number(struct acl_reader *reader, struct acl_draft *draft, uint32_t sequence)
{
	struct acl_list *list = draft->list;
	size_t index;

	draft_sort(draft);
	index = entry_index(list, sequence);
	if (index == list->entries_count || list->entries[index]->sequence != sequence)
		return acl_line_fail(&reader->line, "the list has no entry %u", sequence);
	entry_remove(draft, index);
	return true;
}

static bool remove_entry(struct acl_reader *reader, struct acl_draft *draft)
{
	const struct acl_dialect dialect = dialect_of(draft);
	struct acl_entry *entry = acl_entry_new(reader->arena, draft->list->family), *found;
	struct acl_list *list = draft->list;
	size_t index;

	if (!acl_entry_read(&reader->line, reader->arena, &dialect, entry))
		return false;
	key_make(draft, entry);
	found = *interned_slot(draft->seen, draft->key->bytes, draft->key->length);
	if (found == NULL)
		return acl_line_fail(&reader->line, "the list has no such entry");
	draft_sort(draft);
	index = entry_index(list, found->sequence);
	while (list->entries[index] != found)
		index++;
	entry_remove(draft, index);
	return true;
}

/* What a `no` that is not understood takes away is unknown, and so is the list. */
static void no_line(struct acl_reader *reader, struct acl_draft *draft)
{
	struct acl_line *line = &reader->line;
	uint32_t sequence;
	bool is_read;

	if (remark_skip(line))
		return;
	if (draft->list->family == FAMILY_IPV6)
		(void)acl_line_skip(line, "sequence");
	if (line->next + 1 == line->words_count &&
	    acl_number_parse(acl_line_peek(line), UINT32_MAX, &sequence))
		is_read = remove_number(reader, draft, sequence);
	else
		is_read = remove_entry(reader, draft);
	if (is_read)
		return;
	acl_reader_unread(reader, "a 'no' of list '%s'", draft->list->name);
	entry_unread(reader, draft, 0);
}

void acl_lists_line(struct acl_reader *reader)
{
	struct acl_draft *draft = reader->draft;

	if (acl_line_skip(&reader->line, "no"))
		no_line(reader, draft);
	else if (remark_skip(&reader->line))
		remark_add(reader, draft);
	else
		entry_line(reader, draft);
}

void acl_lists_unread(struct acl_reader *reader)
{
	entry_unread(reader, reader->draft, 0);
}

bool acl_lists_resequence(struct acl_reader *reader, const char *name, uint32_t start, uint32_t step)
{
	const char *key = draft_key(reader, FAMILY_IPV4, name);
	struct acl_draft *draft = names_find(reader->drafts_by_name, key, strlen(key));
	struct acl_list *list;
	uint64_t sequence = start;

	if (draft == NULL)
		return acl_line_fail(&reader->line, "there is no list '%s'", name);
	list = draft->list;
	draft_sort(draft);
	for (size_t index = 0; index < list->entries_count; index++, sequence += step) {
		if (sequence > INT32_MAX)
			return acl_line_fail(&reader->line, "the numbers would grow too large");
		list->entries[index]->sequence = draft->highest = (uint32_t)sequence;
	}
	return true;
}

/* --- the end ------------------------------------------------------------------------------------------ */

/* Of entries with one number the first is the router's; which one holds is unknown. */
static void draft_judge(struct acl_reader *reader, struct acl_draft *draft)
{
	struct acl_list *list = draft->list;
	struct diagnostic *diagnostic;

	for (size_t index = 0; index < list->entries_count; index++) {
		struct acl_entry *entry = list->entries[index];
		const struct acl_entry *before = index > 0 ? list->entries[index - 1] : NULL;

		if (before != NULL && before->sequence == entry->sequence) {
			diagnostic = diag_add(reader->diags, CODE_FOREIGN_LINE, entry->span,
					      "an entry of list '%s' is not understood: its number %u "
					      "is another entry's", list->name, entry->sequence);
			diag_note(reader->diags, diagnostic, before->span, "the other stands here");
			reader->config->unread_count++;
			entry->kind = ACL_ENTRY_UNREAD;
		}
		list->unread_count += entry->kind == ACL_ENTRY_UNREAD;
	}
}

void acl_lists_finish(struct acl_reader *reader)
{
	for (size_t index = 0; index < reader->drafts_count; index++) {
		struct acl_draft *draft = reader->drafts[index];

		if (draft->is_removed)
			continue;
		draft_sort(draft);
		draft_judge(reader, draft);
		draft->list->remarks = draft->remarks;
		talloc_free(draft->seen_pool);
		*pool_append(reader->pool, reader->config, lists) = draft->list;
	}
}
