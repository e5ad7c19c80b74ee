/* What both lists begin and end with is paired first. Of the rest the first box with an id is paired with the
 * first one of the other list, the second with the second, and so on; of these pairs the longest row that
 * ascends in both lists stays (the longest increasing subsequence, by patience). */
#include "analyse/list_align.h"

#include <string.h>

#include "base/interned.h"
#include "base/pool.h"

struct list_pairing {
	void *pool;
	struct interned *sets, *keys, *boxes;
	uint32_t sets_count, keys_count, ids_count;
	const struct interval_set *last_set[PACKET_FIELDS]; /* rules next to each other share sets */
	uint32_t last_number[PACKET_FIELDS];
};

struct list_pairing *list_pairing_new(void *pool)
{
	struct list_pairing *pairing = pool_new(pool, struct list_pairing);

	pairing->pool = pairing;
	pairing->sets = interned_new(pairing, arena_new(pairing));
	pairing->keys = interned_new(pairing, arena_new(pairing));
	pairing->boxes = interned_new(pairing, arena_new(pairing));
	return pairing;
}

/* --- ids --------------------------------------------------------------------------------------------- */

/* From 1. */
static uint32_t number_of(struct interned *table, uint32_t *count, const void *key, size_t length)
{
	void **slot = interned_slot(table, key, length);

	if (*slot == NULL)
		*slot = (void *)(uintptr_t)++*count;
	return (uint32_t)(uintptr_t)*slot;
}

static uint32_t set_number(struct list_pairing *pairing, size_t field, const struct interval_set *set)
{
	if (set == NULL)
		return 0;
	if (pairing->last_set[field] != set) {
		pairing->last_set[field] = set;
		pairing->last_number[field] = number_of(pairing->sets, &pairing->sets_count, set->items,
							set->items_count * sizeof *set->items);
	}
	return pairing->last_number[field];
}

uint32_t list_pairing_id(struct list_pairing *pairing, const struct packet_box *box, const char *key)
{
	uint32_t words[PACKET_FIELDS + 1];

	if (key == NULL)
		return ++pairing->ids_count;
	for (size_t field = 0; field < PACKET_FIELDS; field++)
		words[field] = set_number(pairing, field, box->fields[field]);
	words[PACKET_FIELDS] = number_of(pairing->keys, &pairing->keys_count, key, strlen(key));
	return number_of(pairing->boxes, &pairing->ids_count, words, sizeof words);
}

/* --- pairs ------------------------------------------------------------------------------------------- */

struct aligning {
	void *pool;
	const uint32_t *const *ids;
	size_t begin, ends[2]; /* of what differs */
	size_t *const *twins;
};

static void pair(struct aligning *aligning, size_t first, size_t second)
{
	aligning->twins[0][first] = second;
	aligning->twins[1][second] = first;
}

static void pair_ends(struct aligning *aligning)
{
	size_t *ends = aligning->ends;
	const uint32_t *first = aligning->ids[0], *second = aligning->ids[1];

	while (aligning->begin < ends[0] && aligning->begin < ends[1] &&
	       first[aligning->begin] == second[aligning->begin]) {
		pair(aligning, aligning->begin, aligning->begin);
		aligning->begin++;
	}
	while (ends[0] > aligning->begin && ends[1] > aligning->begin &&
	       first[ends[0] - 1] == second[ends[1] - 1]) {
		ends[0]--;
		ends[1]--;
		pair(aligning, ends[0], ends[1]);
	}
}

/* Of each box of the first list one of the second with its id, each once; SIZE_MAX: none. */
static size_t *find_partners(const struct aligning *aligning)
{
	struct interned *heads = interned_new(aligning->pool, arena_new(aligning->pool));
	size_t *next = pool_array(aligning->pool, size_t, aligning->ends[1] + 1);
	size_t *partners = pool_array(aligning->pool, size_t, aligning->ends[0] + 1);

	for (size_t at = aligning->ends[1]; at-- > aligning->begin;) {
		void **head = interned_slot(heads, &aligning->ids[1][at], sizeof *aligning->ids[1]);

		next[at] = (size_t)(uintptr_t)*head; /* a place and one, 0: no more */
		*head = (void *)(uintptr_t)(at + 1);
	}
	for (size_t at = aligning->begin; at < aligning->ends[0]; at++) {
		void **head = interned_slot(heads, &aligning->ids[0][at], sizeof *aligning->ids[0]);
		size_t place = (size_t)(uintptr_t)*head;

		partners[at] = SIZE_MAX;
		if (place == 0)
			continue;
		partners[at] = place - 1;
		*head = (void *)(uintptr_t)next[place - 1];
	}
	return partners;
}

/* How many of the rows so far end before this partner: rows are by length, their ends ascend. */
static size_t rows_before(const size_t *partners, const size_t *row_ends, size_t rows_count, size_t partner)
{
	size_t low = 0, high = rows_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (partners[row_ends[middle]] < partner)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void pair_longest_row(struct aligning *aligning, const size_t *partners)
{
	size_t *row_ends = pool_array(aligning->pool, size_t, aligning->ends[0] + 1);
	size_t *before = pool_array(aligning->pool, size_t, aligning->ends[0] + 1);
	size_t rows_count = 0, last = SIZE_MAX;

	for (size_t at = aligning->begin; at < aligning->ends[0]; at++) {
		size_t length;

		if (partners[at] == SIZE_MAX)
			continue;
		length = rows_before(partners, row_ends, rows_count, partners[at]);
		before[at] = length > 0 ? row_ends[length - 1] : SIZE_MAX;
		row_ends[length] = at;
		if (length == rows_count)
			rows_count++;
	}
	if (rows_count > 0)
		last = row_ends[rows_count - 1];
	for (; last != SIZE_MAX; last = before[last])
		pair(aligning, last, partners[last]);
}

void list_align(void *pool, const uint32_t *const ids[2], const size_t counts[2], size_t *const twins[2])
{
	struct aligning aligning = {
		.pool = pool_child(pool, "align"),
		.ids = ids,
		.ends = { counts[0], counts[1] },
		.twins = twins,
	};

	for (size_t side = 0; side < 2; side++)
		for (size_t at = 0; at < counts[side]; at++)
			twins[side][at] = LIST_NO_TWIN;
	pair_ends(&aligning);
	pair_longest_row(&aligning, find_partners(&aligning));
	talloc_free(aligning.pool);
}
