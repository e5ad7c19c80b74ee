#include "target/cisco/edit/list.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "base/sha256.h"
#include "target/cisco/read/format.h"

#define CELLS_MAX (16u << 20) /* of the table of common subsequences: 64 MB */
#define SEQUENCE_MAX 2147483647u
#define SEQUENCE_STEP 10u

static const char *entry_text(void *pool, const struct acl_list *list, const struct acl_entry *entry)
{
	struct text *out = text_new(pool);

	acl_entry_format(out, list, entry);
	return out->bytes;
}

bool edit_is_same(void *pool, const struct acl_list *a, const struct acl_list *b)
{
	if (a->entries_count != b->entries_count)
		return false;
	for (size_t index = 0; index < a->entries_count; index++)
		if (strcmp(entry_text(pool, a, a->entries[index]), entry_text(pool, b, b->entries[index])) != 0)
			return false;
	return true;
}

const char *edit_hash(void *pool, const struct acl_list *list)
{
	struct text *all = text_new(pool);
	char digits[SHA256_DIGITS + 1];

	for (size_t index = 0; index < list->entries_count; index++) {
		acl_entry_format(all, list, list->entries[index]);
		text_add_char(all, '\n');
	}
	sha256_digits_of(all->bytes, all->length, digits);
	return pool_strndup(pool, digits, EDIT_HASH_DIGITS);
}

const char *edit_swap_base(void *pool, const char *name)
{
	return pool_format(pool, "%s%s-", name[0] >= '0' && name[0] <= '9' ? "FWC-" : "", name);
}

static void add_head(struct text *out, const struct acl_list *list, const char *name)
{
	struct acl_list named = *list;

	named.name = name;
	acl_list_format_head(out, &named);
	text_add_char(out, '\n');
}

void edit_write_list(struct text *out, const struct acl_list *list, const char *name)
{
	add_head(out, list, name);
	for (size_t index = 0; index < list->entries_count; index++) {
		struct acl_entry entry = *list->entries[index];

		for (const struct acl_remark *remark = entry.remarks; remark != NULL; remark = remark->next)
			text_addf(out, " remark %s\n", remark->text);
		entry.sequence = (uint32_t)(index + 1) * SEQUENCE_STEP;
		text_add_char(out, ' ');
		acl_entry_format_numbered(out, list, &entry);
		text_add_char(out, '\n');
	}
}

/* --- the merged row ------------------------------------------------------------------------------- */

enum item_kind { ITEM_COMMON, ITEM_OLD, ITEM_NEW };

struct item {
	enum item_kind kind;
	size_t word;                   /* number of its text without what it logs */
	const struct acl_entry *entry;
	uint32_t sequence;             /* on the router */
	bool is_moved;                 /* new, and there as an old one, which may log in another way */
	struct acl_entry halves[2];    /* that stand for it, with their numbers */
};

struct edit {
	void *pool;
	const struct acl_list *old, *wanted;
	struct interned *texts, *words; /* whole ones; without what they log */
	size_t texts_count, words_count;
	struct item *items;
	size_t items_count, items_capacity;
	uint32_t step; /* the router's entries are renumbered first; 0: they are not */
};

static size_t number_of(struct interned *known, const char *text, size_t *count)
{
	void **slot = interned_slot(known, text, strlen(text));

	if (*slot == NULL)
		*slot = (void *)(uintptr_t)++*count;
	return (uintptr_t)*slot;
}

/* What is documented of duplicates leaves open whether an entry that logs in another way is one: it is taken
 * for one. */
static const char *silent_text(struct edit *edit, const struct acl_list *list, const struct acl_entry *entry)
{
	struct acl_entry silent = *entry;

	silent.log = ACL_LOG_NONE;
	silent.cookie = NULL;
	return entry_text(edit->pool, list, &silent);
}

static size_t word_of(struct edit *edit, const struct acl_list *list, const struct acl_entry *entry)
{
	return number_of(edit->words, silent_text(edit, list, entry), &edit->words_count);
}

static size_t *texts_of(struct edit *edit, const struct acl_list *list)
{
	size_t *texts = pool_array(edit->pool, size_t, list->entries_count + 1);

	for (size_t index = 0; index < list->entries_count; index++)
		texts[index] = number_of(edit->texts, entry_text(edit->pool, list, list->entries[index]),
					 &edit->texts_count);
	return texts;
}

static void add_item(struct edit *edit, enum item_kind kind, const struct acl_entry *entry)
{
	*pool_append(edit->pool, edit, items) = (struct item){
		.kind = kind,
		.word = word_of(edit, kind == ITEM_NEW ? edit->wanted : edit->old, entry),
		.entry = entry,
		.sequence = kind == ITEM_NEW ? 0 : entry->sequence,
	};
}

/* lengths[i][j]: of the longest common subsequence of old[i..] and new[j..]. */
static uint32_t *common_lengths(struct edit *edit, const size_t *old, const size_t *new)
{
	size_t rows = edit->old->entries_count, columns = edit->wanted->entries_count, width = columns + 1;
	uint32_t *lengths = pool_array(edit->pool, uint32_t, (rows + 1) * width);

	for (size_t row = rows; row-- > 0;)
		for (size_t column = columns; column-- > 0;) {
			uint32_t below = lengths[(row + 1) * width + column];
			uint32_t right = lengths[row * width + column + 1];

			lengths[row * width + column] =
				old[row] == new[column] ? lengths[(row + 1) * width + column + 1] + 1 :
				below > right ? below : right;
		}
	return lengths;
}

static bool merge(struct edit *edit)
{
	size_t rows = edit->old->entries_count, columns = edit->wanted->entries_count, width = columns + 1;
	const size_t *old = texts_of(edit, edit->old), *new = texts_of(edit, edit->wanted);
	const uint32_t *lengths;
	size_t row = 0, column = 0;

	if ((rows + 1) * width > CELLS_MAX)
		return false;
	lengths = common_lengths(edit, old, new);
	while (row < rows || column < columns)
		if (row < rows && column < columns && old[row] == new[column]) {
			add_item(edit, ITEM_COMMON, edit->old->entries[row]);
			row++;
			column++;
		} else if (column < columns &&
			   (row == rows ||
			    lengths[row * width + column + 1] >= lengths[(row + 1) * width + column])) {
			add_item(edit, ITEM_NEW, edit->wanted->entries[column]);
			column++;
		} else {
			add_item(edit, ITEM_OLD, edit->old->entries[row]);
			row++;
		}
	return true;
}

/* --- moves ------------------------------------------------------------------------------------------ */

/* The place in two halves, by its highest free bit. */
static bool split_place(const struct acl_place *place, struct acl_place halves[2])
{
	number128 bit = 1;

	if (place->group != NULL || place->wildcard == 0)
		return false;
	for (number128 rest = place->wildcard; rest > 1; rest >>= 1)
		bit <<= 1;
	for (unsigned half = 0; half < 2; half++) {
		halves[half] = *place;
		halves[half].wildcard &= ~bit;
	}
	halves[1].value |= bit;
	return true;
}

/* Whether both halves are new to the list, which then knows them. */
static bool are_new(struct edit *edit, const struct item *item)
{
	const char *texts[2] = { silent_text(edit, edit->wanted, &item->halves[0]),
				 silent_text(edit, edit->wanted, &item->halves[1]) };

	for (unsigned half = 0; half < 2; half++)
		if (*interned_slot(edit->words, texts[half], strlen(texts[half])) != NULL)
			return false;
	for (unsigned half = 0; half < 2; half++)
		*interned_slot(edit->words, texts[half], strlen(texts[half])) =
			(void *)(uintptr_t)++edit->words_count;
	return true;
}

static bool split_item(struct edit *edit, struct item *item)
{
	struct acl_place halves[2];

	if (item->entry->kind != ACL_ENTRY_MATCH)
		return false;
	for (unsigned side = 0; side < 2; side++) {
		const struct acl_place *place = side == 0 ? &item->entry->source : &item->entry->destination;

		if (!split_place(place, halves))
			continue;
		for (unsigned half = 0; half < 2; half++) {
			item->halves[half] = *item->entry;
			*(side == 0 ? &item->halves[half].source : &item->halves[half].destination) = halves[half];
		}
		if (are_new(edit, item))
			return true;
	}
	return false;
}

/* false with a reason: an entry can neither be inserted while the old one is there, nor stood for. */
static bool find_moves(struct edit *edit, const char **reason)
{
	bool *is_old = pool_array(edit->pool, bool, edit->words_count + 1);
	bool *is_common = pool_array(edit->pool, bool, edit->words_count + 1);

	for (size_t index = 0; index < edit->items_count; index++)
		if (edit->items[index].kind == ITEM_OLD)
			is_old[edit->items[index].word] = true;
		else if (edit->items[index].kind == ITEM_COMMON)
			is_common[edit->items[index].word] = true;
	for (size_t index = 0; index < edit->items_count; index++) {
		struct item *item = &edit->items[index];
		size_t word = item->word;

		*reason = "an entry is new that differs from one that stays by what it logs";
		if (item->kind == ITEM_NEW && is_common[word])
			return false;
		*reason = "an entry moves that has no two halves";
		item->is_moved = item->kind == ITEM_NEW && is_old[word];
		if (item->is_moved && !split_item(edit, item))
			return false;
	}
	return true;
}

/* --- numbers ------------------------------------------------------------------------------------------ */

static uint32_t width_of(const struct item *item)
{
	return item->kind != ITEM_NEW ? 0 : item->is_moved ? 3 : 1;
}

/* The numbers that a run of new entries from `begin` on needs; *end: behind it. */
static uint32_t run_width(const struct edit *edit, size_t begin, size_t *end)
{
	uint32_t width = 0;

	for (*end = begin; *end < edit->items_count && edit->items[*end].kind == ITEM_NEW; ++*end)
		width += width_of(&edit->items[*end]);
	return width;
}

static void number_item(struct item *item, uint32_t *sequence, uint32_t step)
{
	item->sequence = *sequence += step;
	if (!item->is_moved)
		return;
	for (unsigned half = 0; half < 2; half++)
		item->halves[half].sequence = *sequence += step;
}

/* false: some run does not fit between its neighbours. */
static bool number_runs(struct edit *edit)
{
	uint32_t before = 0;

	for (size_t index = 0, end; index < edit->items_count; index = end) {
		uint32_t width = run_width(edit, index, &end), after, step;

		if (width == 0) {
			before = edit->items[index].sequence;
			end = index + 1;
			continue;
		}
		after = end < edit->items_count ? edit->items[end].sequence : SEQUENCE_MAX;
		step = after <= before ? 0 : (after - before) / (width + 1);
		if (step == 0)
			return false;
		if (step > SEQUENCE_STEP)
			step = SEQUENCE_STEP;
		for (size_t at = index; at < end; at++)
			number_item(&edit->items[at], &before, step);
	}
	return true;
}

/* Most releases keep the numbers of IPv4 entries out of the running configuration: what stands there without
 * one may have any. Of an IPv6 list a number is left out only where it is ten more than the one before. */
static bool has_known_numbers(const struct acl_list *list)
{
	for (size_t index = 0; list->family == FAMILY_IPV4 && index < list->entries_count; index++)
		if (!list->entries[index]->has_written_sequence)
			return false;
	return true;
}

/* New numbers for what is there, far enough from each other. */
static bool renumber(struct edit *edit)
{
	uint32_t widest = 0, sequence = 0;

	for (size_t index = 0, end; index < edit->items_count; index = end + 1) {
		uint32_t width = run_width(edit, index, &end);

		widest = width > widest ? width : widest;
	}
	edit->step = widest < SEQUENCE_STEP ? SEQUENCE_STEP : widest + 1;
	if ((uint64_t)edit->step * (edit->old->entries_count + widest + 2) > SEQUENCE_MAX)
		return false;
	for (size_t index = 0; index < edit->items_count; index++)
		if (edit->items[index].kind != ITEM_NEW)
			edit->items[index].sequence = sequence += edit->step;
	return number_runs(edit);
}

/* --- commands ------------------------------------------------------------------------------------------- */

static void add_entry(struct text *out, const struct edit *edit, const struct acl_entry *entry, uint32_t sequence)
{
	struct acl_entry numbered = *entry;

	numbered.sequence = sequence;
	text_add_char(out, ' ');
	acl_entry_format_numbered(out, edit->wanted, &numbered);
	text_add_char(out, '\n');
}

static void add_removal(struct text *out, const struct edit *edit, uint32_t sequence)
{
	text_addf(out, " no %s%u\n", edit->old->family == FAMILY_IPV6 ? "sequence " : "", sequence);
}

static void add_insertions(struct text *out, const struct edit *edit)
{
	for (size_t index = 0; index < edit->items_count; index++) {
		const struct item *item = &edit->items[index];

		if (item->kind != ITEM_NEW)
			continue;
		if (!item->is_moved)
			add_entry(out, edit, item->entry, item->sequence);
		for (unsigned half = 0; item->is_moved && half < 2; half++)
			add_entry(out, edit, &item->halves[half], item->halves[half].sequence);
	}
}

static void add_removals(struct text *out, const struct edit *edit)
{
	for (size_t index = edit->items_count; index-- > 0;)
		if (edit->items[index].kind == ITEM_OLD)
			add_removal(out, edit, edit->items[index].sequence);
}

/* What moved takes the place of its halves. */
static void end_moves(struct text *out, const struct edit *edit)
{
	for (size_t index = 0; index < edit->items_count; index++) {
		const struct item *item = &edit->items[index];

		if (!item->is_moved)
			continue;
		add_entry(out, edit, item->entry, item->sequence);
		add_removal(out, edit, item->halves[0].sequence);
		add_removal(out, edit, item->halves[1].sequence);
	}
}

static void write_edit(struct text *out, const struct edit *edit)
{
	const char *name = edit->old->name;

	if (edit->step != 0)
		text_addf(out, "ip access-list resequence %s %u %u\n", name, edit->step, edit->step);
	add_head(out, edit->old, name);
	add_insertions(out, edit);
	add_removals(out, edit);
	end_moves(out, edit);
	if (edit->step != 0)
		text_addf(out, "ip access-list resequence %s %u %u\n", name, SEQUENCE_STEP, SEQUENCE_STEP);
}

bool edit_list(void *pool, struct text *out, const struct acl_list *old, const struct acl_list *wanted,
	       const char **reason)
{
	struct edit edit = {
		.pool = pool,
		.old = old,
		.wanted = wanted,
		.texts = interned_new(pool, arena_new(pool)),
		.words = interned_new(pool, arena_new(pool)),
	};

	*reason = "it is empty on the router";
	if (old->entries_count == 0)
		return false;
	*reason = "it has too many entries to compare";
	if (!merge(&edit))
		return false;
	if (!find_moves(&edit, reason))
		return false;
	*reason = "there is no room between its numbers";
	if ((!has_known_numbers(old) || !number_runs(&edit)) &&
	    (old->family == FAMILY_IPV6 || !renumber(&edit)))
		return false;
	write_edit(out, &edit);
	return true;
}
