/* The sorted array is read as a balanced tree: the middle item is the root, each half a subtree.
 * Every item knows the highest end in its subtree, so that a search leaves out what ends before. */
#include "target/nft/split/index.h"

#include <stdlib.h>

#include "base/pool.h"

void index_add(void *pool, struct split_index *index, struct interval interval, uint32_t value)
{
	*pool_append(pool, index, items) = (struct index_item){
		interval.low, interval.high, interval.high, value,
	};
}

static int compare_items(const void *left, const void *right)
{
	const struct index_item *a = left, *b = right;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

/* Depth: the logarithm of the number of items. */
static number128 set_highest(struct split_index *index, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2;
	struct index_item *item = &index->items[middle];
	item->highest = item->high;
	if (from < middle) {
		number128 highest = set_highest(index, from, middle);
		item->highest = highest > item->highest ? highest : item->highest;
	}
	if (middle + 1 < to) {
		number128 highest = set_highest(index, middle + 1, to);
		item->highest = highest > item->highest ? highest : item->highest;
	}
	return item->highest;
}

void index_close(struct split_index *index)
{
	if (index->items_count == 0)
		return;
	qsort(index->items, index->items_count, sizeof *index->items, compare_items);
	set_highest(index, 0, index->items_count);
}

struct search {
	void *pool;
	const struct index_item *items;
	struct interval interval;
	struct index_hits *hits;
};

static void find_below(const struct search *search, size_t from, size_t to)
{
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct index_item *item = &search->items[middle];
		if (item->highest < search->interval.low)
			return;
		if (from < middle)
			find_below(search, from, middle);
		if (item->low > search->interval.high)
			return;
		if (item->high >= search->interval.low)
			*pool_append(search->pool, search->hits, values) = item->value;
		from = middle + 1;
	}
}

void index_find(void *pool, const struct split_index *index, struct interval interval,
		struct index_hits *hits)
{
	const struct search search = { pool, index->items, interval, hits };
	find_below(&search, 0, index->items_count);
}
