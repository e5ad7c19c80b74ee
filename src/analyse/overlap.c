/* A tree of hulls: each box has a hull of plain numbers, each node of the tree one round those of its boxes.
 * A node halves its boxes in the dimension in which the fewest of them lie across the middle. */
#include "analyse/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

/* Intervals round the values of a box; of addresses the upper 64 bits of what can be IPv6. */
struct hull {
	uint64_t source_low, source_high, destination_low, destination_high;
	uint16_t first_low, first_high;
	uint8_t protocol_low, protocol_high;
};

#define LEAF_MOST 8

/* Boxes begin to end of the order; its halves, until few are left, are nodes 2n + 1 and 2n + 2. */
struct node {
	struct hull hull;
	size_t first, last; /* smallest and largest index of a box */
};

struct overlap_index {
	const struct packet_universe *universe;
	const struct packet_rule *rules;
	size_t count;
	struct hull *hulls;
	size_t *order; /* indices of boxes */
	struct node *nodes;
};

/* What of an address tells boxes apart in 64 bits; it must rise with the address. */
static uint64_t folded(number128 address)
{
	if (address >> 32 == 0)
		return (uint64_t)address;
	return ((uint64_t)(address >> 64) >> 1) + ((uint64_t)1 << 32);
}

static number128 low_of(const struct packet_box *box, enum packet_field field)
{
	return box->fields[field] != NULL ? box->fields[field]->items[0].low : 0;
}

static number128 high_of(const struct packet_box *box, enum packet_field field, number128 highest)
{
	const struct interval_set *set = box->fields[field];

	return set != NULL && set->items[set->items_count - 1].high < highest ?
		       set->items[set->items_count - 1].high : highest;
}

static struct hull hull_of(const struct packet_box *box)
{
	return (struct hull){
		.source_low = folded(low_of(box, FIELD_SOURCE)),
		.source_high = folded(high_of(box, FIELD_SOURCE, ~(number128)0)),
		.destination_low = folded(low_of(box, FIELD_DESTINATION)),
		.destination_high = folded(high_of(box, FIELD_DESTINATION, ~(number128)0)),
		.first_low = (uint16_t)low_of(box, FIELD_FIRST),
		.first_high = (uint16_t)high_of(box, FIELD_FIRST, UINT16_MAX),
		.protocol_low = (uint8_t)low_of(box, FIELD_PROTOCOL),
		.protocol_high = (uint8_t)high_of(box, FIELD_PROTOCOL, UINT8_MAX),
	};
}

static bool hulls_meet(const struct hull *a, const struct hull *b)
{
	return a->destination_low <= b->destination_high && b->destination_low <= a->destination_high &&
	       a->source_low <= b->source_high && b->source_low <= a->source_high &&
	       a->first_low <= b->first_high && b->first_low <= a->first_high &&
	       a->protocol_low <= b->protocol_high && b->protocol_low <= a->protocol_high;
}

/* --- building ---------------------------------------------------------------------------------------- */

enum dimension { BY_SOURCE, BY_DESTINATION, BY_PORT, DIMENSIONS };

static struct interval side_of(const struct hull *hull, enum dimension dimension)
{
	switch (dimension) {
	case BY_SOURCE:
		return (struct interval){ hull->source_low, hull->source_high };
	case BY_DESTINATION:
		return (struct interval){ hull->destination_low, hull->destination_high };
	case BY_PORT:
	case DIMENSIONS:
		break;
	}
	return (struct interval){ hull->first_low, hull->first_high };
}

/* Twice the middle. */
static number128 centre_of(const struct overlap_index *index, size_t at, enum dimension dimension)
{
	struct interval side = side_of(&index->hulls[index->order[at]], dimension);

	return side.low + side.high;
}

/* Hoare's selection: afterwards what stands before the middle is not above it, and the rest not below. */
static void halve(struct overlap_index *index, size_t begin, size_t end, enum dimension dimension)
{
	size_t middle = begin + (end - begin) / 2, low = begin, high = end - 1;

	while (low < high) {
		number128 pivot = centre_of(index, low + (high - low) / 2, dimension);
		size_t left = low, right = high;

		for (;;) {
			size_t kept;

			while (centre_of(index, left, dimension) < pivot)
				left++;
			while (centre_of(index, right, dimension) > pivot)
				right--;
			if (left >= right)
				break;
			kept = index->order[left];
			index->order[left++] = index->order[right];
			index->order[right--] = kept;
		}
		if (middle <= right)
			high = right;
		else
			low = right + 1;
	}
}

static size_t across_count(struct overlap_index *index, size_t begin, size_t end,
			   enum dimension dimension)
{
	size_t count = 0;
	number128 middle;

	halve(index, begin, end, dimension);
	middle = centre_of(index, begin + (end - begin) / 2, dimension);
	for (size_t at = begin; at < end; at++) {
		struct interval side = side_of(&index->hulls[index->order[at]], dimension);

		count += 2 * side.low <= middle && middle <= 2 * side.high;
	}
	return count;
}

static void split(struct overlap_index *index, size_t begin, size_t end)
{
	enum dimension best = BY_SOURCE;
	size_t least = SIZE_MAX;

	for (enum dimension dimension = BY_SOURCE; dimension < DIMENSIONS; dimension++) {
		size_t count = across_count(index, begin, end, dimension);

		if (count < least) {
			least = count;
			best = dimension;
		}
	}
	halve(index, begin, end, best);
}

#define WIDEN(hull, other, side) \
	do { \
		if ((other)->side##_low < (hull)->side##_low) \
			(hull)->side##_low = (other)->side##_low; \
		if ((other)->side##_high > (hull)->side##_high) \
			(hull)->side##_high = (other)->side##_high; \
	} while (0)

static struct node node_round(const struct overlap_index *index, size_t begin, size_t end)
{
	struct node node = { index->hulls[index->order[begin]], index->order[begin], index->order[begin] };

	for (size_t at = begin + 1; at < end; at++) {
		const struct hull *hull = &index->hulls[index->order[at]];

		WIDEN(&node.hull, hull, source);
		WIDEN(&node.hull, hull, destination);
		WIDEN(&node.hull, hull, first);
		WIDEN(&node.hull, hull, protocol);
		if (index->order[at] < node.first)
			node.first = index->order[at];
		if (index->order[at] > node.last)
			node.last = index->order[at];
	}
	return node;
}

/* As deep as the count has bits. */
static void build(struct overlap_index *index, size_t node, size_t begin, size_t end)
{
	index->nodes[node] = node_round(index, begin, end);
	if (end - begin <= LEAF_MOST)
		return;
	split(index, begin, end);
	build(index, 2 * node + 1, begin, begin + (end - begin) / 2);
	build(index, 2 * node + 2, begin + (end - begin) / 2, end);
}

struct overlap_index *overlap_index_new(void *pool, const struct packet_universe *universe,
					const struct packet_rule *rules, size_t count)
{
	struct overlap_index *index = pool_new(pool, struct overlap_index);
	size_t nodes_count = 1;

	/* leaves of so many boxes at most are all on one level, or on two */
	while (nodes_count * LEAF_MOST < 2 * count)
		nodes_count *= 2;
	index->universe = universe;
	index->rules = rules;
	index->count = count;
	index->hulls = pool_array(index, struct hull, count + 1);
	index->order = pool_array(index, size_t, count + 1);
	index->nodes = pool_array(index, struct node, 2 * nodes_count);
	for (size_t box = 0; box < count; box++) {
		index->hulls[box] = hull_of(&rules[box].box);
		index->order[box] = box;
	}
	if (count > 0)
		build(index, 0, 0, count);
	return index;
}

/* --- asking ------------------------------------------------------------------------------------------ */

struct asking {
	void *pool;
	const struct overlap_index *index;
	const struct packet_box *box;
	struct hull hull;
	size_t begin, end; /* of the boxes asked for */
	struct overlap_list *list;
};

static void ask_leaf(const struct asking *asking, size_t begin, size_t end)
{
	const struct overlap_index *index = asking->index;

	for (size_t at = begin; at < end; at++) {
		size_t box = index->order[at];

		if (box >= asking->begin && box < asking->end &&
		    hulls_meet(&asking->hull, &index->hulls[box]) &&
		    packet_boxes_overlap(asking->box, &index->rules[box].box))
			*pool_append(asking->pool, asking->list, items) = box;
	}
}

static void ask(const struct asking *asking, size_t node, size_t begin, size_t end)
{
	const struct node *here = &asking->index->nodes[node];

	if (here->last < asking->begin || here->first >= asking->end ||
	    !hulls_meet(&asking->hull, &here->hull))
		return;
	if (end - begin <= LEAF_MOST) {
		ask_leaf(asking, begin, end);
		return;
	}
	ask(asking, 2 * node + 1, begin, begin + (end - begin) / 2);
	ask(asking, 2 * node + 2, begin + (end - begin) / 2, end);
}

static bool hull_includes(const struct hull *outer, const struct hull *inner)
{
	return outer->destination_low <= inner->destination_low &&
	       outer->destination_high >= inner->destination_high &&
	       outer->source_low <= inner->source_low && outer->source_high >= inner->source_high &&
	       outer->first_low <= inner->first_low && outer->first_high >= inner->first_high &&
	       outer->protocol_low <= inner->protocol_low && outer->protocol_high >= inner->protocol_high;
}

/* Boxes from asking->end on, which falls with each that is found, are not asked. */
static void ask_includer(struct asking *asking, size_t node, size_t begin, size_t end)
{
	const struct overlap_index *index = asking->index;
	const struct node *here = &index->nodes[node];

	if (here->first >= asking->end || !hull_includes(&here->hull, &asking->hull))
		return;
	if (end - begin > LEAF_MOST) {
		ask_includer(asking, 2 * node + 1, begin, begin + (end - begin) / 2);
		ask_includer(asking, 2 * node + 2, begin + (end - begin) / 2, end);
		return;
	}
	for (size_t at = begin; at < end; at++) {
		size_t box = index->order[at];

		if (box < asking->end && hull_includes(&index->hulls[box], &asking->hull) &&
		    packet_box_includes(&index->rules[box].box, asking->box))
			asking->end = box;
	}
}

size_t overlap_includer(const struct overlap_index *index, const struct packet_box *box, size_t end)
{
	struct asking asking = { .index = index, .box = box, .hull = hull_of(box), .end = end };

	if (index->count > 0)
		ask_includer(&asking, 0, 0, index->count);
	return asking.end < end ? asking.end : SIZE_MAX;
}

static int compare_sizes(const void *a, const void *b)
{
	size_t first = *(const size_t *)a, second = *(const size_t *)b;

	return (first > second) - (first < second);
}

void overlap_find(void *pool, const struct overlap_index *index, const struct packet_box *box,
		  size_t begin, size_t end, struct overlap_list *list)
{
	const struct asking asking = { .pool = pool, .index = index, .box = box, .hull = hull_of(box),
				       .begin = begin, .end = end, .list = list };
	size_t before = list->items_count;

	if (begin >= end)
		return;
	ask(&asking, 0, 0, index->count);
	if (list->items_count > before)
		qsort(list->items + before, list->items_count - before, sizeof *list->items,
		      compare_sizes);
}

void overlap_find_any(void *pool, const struct overlap_index *index, const struct packet_rule *boxes,
		      size_t count, size_t begin, size_t end, struct overlap_list *list)
{
	size_t kept = 0;

	for (size_t box = 0; box < count; box++)
		overlap_find(pool, index, &boxes[box].box, begin, end, list);
	if (count < 2 || list->items_count == 0)
		return;
	qsort(list->items, list->items_count, sizeof *list->items, compare_sizes);
	for (size_t at = 0; at < list->items_count; at++)
		if (kept == 0 || list->items[kept - 1] != list->items[at])
			list->items[kept++] = list->items[at];
	list->items_count = kept;
}

/* Those of the list but for some in its middle. */
static enum cover_answer covers_without(void *pool, const struct overlap_index *index,
					const struct packet_rule *boxes, size_t count,
					const struct overlap_list *list, size_t begin, size_t end,
					struct overlap_budget budget)
{
	const struct packet_box **kept =
		pool_array(pool, const struct packet_box *, list->items_count);
	enum cover_answer answer = COVER_YES;
	size_t kept_count = 0;

	for (size_t at = 0; at < list->items_count; at++)
		if (at < begin || at >= end)
			kept[kept_count++] = &index->rules[list->items[at]].box;
	for (size_t box = 0; box < count && answer == COVER_YES; box++)
		answer = cover_find_within(pool, index->universe, &boxes[box].box, kept, kept_count,
					   budget.steps, budget.work, NULL);
	talloc_free(kept);
	return answer;
}

enum cover_answer overlap_covers(void *pool, const struct overlap_index *index,
				 const struct packet_rule *boxes, size_t count,
				 const struct overlap_list *list, struct overlap_budget budget)
{
	return covers_without(pool, index, boxes, count, list, list->items_count, list->items_count,
			      budget);
}

static void leave_out(struct overlap_list *list, size_t begin, size_t end)
{
	memmove(&list->items[begin], &list->items[end],
		(list->items_count - end) * sizeof *list->items);
	list->items_count -= end - begin;
}

/* One rule that includes all boxes is the shortest list there is. */
static bool shorten_to_one(const struct overlap_index *index, const struct packet_rule *boxes,
			   size_t count, struct overlap_list *list)
{
	for (size_t at = 0; at < list->items_count; at++) {
		size_t box = 0;

		while (box < count && packet_box_includes(&index->rules[list->items[at]].box,
							  &boxes[box].box))
			box++;
		if (box < count)
			continue;
		list->items[0] = list->items[at];
		list->items_count = 1;
		return true;
	}
	return false;
}

/* Where the rule that begins at `at` ends, and at least `least` further on. */
static size_t rule_end(const struct overlap_index *index, const struct overlap_list *list, size_t at,
		       size_t least)
{
	size_t end = at + least < list->items_count ? at + least : list->items_count;

	while (end < list->items_count && index->rules[list->items[end]].number ==
						  index->rules[list->items[end - 1]].number)
		end++;
	return end;
}

/* Larger parts are tried before smaller ones: of a long list mostly few are needed. */
bool overlap_shorten(void *pool, const struct overlap_index *index, const struct packet_rule *boxes,
		     size_t count, struct overlap_list *list, struct overlap_budget budget)
{
	bool is_least = true;

	if (shorten_to_one(index, boxes, count, list))
		return true;
	for (size_t part = (list->items_count + 1) / 2; part > 0; part /= 2) {
		size_t at = 0;

		is_least = true;
		while (at < list->items_count) {
			size_t end = rule_end(index, list, at, part);
			enum cover_answer answer =
				covers_without(pool, index, boxes, count, list, at, end, budget);

			if (answer == COVER_YES)
				leave_out(list, at, end);
			else
				at = end;
			is_least = is_least && answer != COVER_UNKNOWN;
		}
	}
	return is_least;
}
