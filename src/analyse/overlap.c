/* Most pairs of rules are told apart by their addresses alone: each box has a hull of plain numbers, and
 * hulls stand side by side in memory. */
#include "analyse/overlap.h"

#include <string.h>

#include "base/pool.h"

/* Intervals round the values of a box; of addresses the upper 64 bits of what can be IPv6. */
struct hull {
	uint64_t source_low, source_high, destination_low, destination_high;
	uint16_t first_low, first_high;
	uint8_t protocol_low, protocol_high;
};

struct overlap_index {
	const struct packet_universe *universe;
	const struct packet_rule *rules;
	struct hull *hulls;
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

struct overlap_index *overlap_index_new(void *pool, const struct packet_universe *universe,
					const struct packet_rule *rules, size_t count)
{
	struct overlap_index *index = pool_new(pool, struct overlap_index);

	index->universe = universe;
	index->rules = rules;
	index->hulls = pool_array(index, struct hull, count);
	for (size_t box = 0; box < count; box++)
		index->hulls[box] = hull_of(&rules[box].box);
	return index;
}

void overlap_find(void *pool, const struct overlap_index *index, const struct packet_box *box,
		  size_t begin, size_t end, struct overlap_list *list)
{
	struct hull hull = hull_of(box);

	for (size_t at = begin; at < end; at++)
		if (hulls_meet(&hull, &index->hulls[at]) &&
		    packet_boxes_overlap(box, &index->rules[at].box))
			*pool_append(pool, list, items) = at;
}

/* Those of the list but for some in its middle. */
static enum cover_answer covers_without(void *pool, const struct overlap_index *index,
					const struct packet_rule *boxes, size_t count,
					const struct overlap_list *list, size_t begin, size_t end,
					size_t budget)
{
	const struct packet_box **kept =
		pool_array(pool, const struct packet_box *, list->items_count);
	enum cover_answer answer = COVER_YES;
	size_t kept_count = 0;

	for (size_t at = 0; at < list->items_count; at++)
		if (at < begin || at >= end)
			kept[kept_count++] = &index->rules[list->items[at]].box;
	for (size_t box = 0; box < count && answer == COVER_YES; box++)
		answer = cover_find(pool, index->universe, &boxes[box].box, kept, kept_count, budget,
				    NULL);
	talloc_free(kept);
	return answer;
}

enum cover_answer overlap_covers(void *pool, const struct overlap_index *index,
				 const struct packet_rule *boxes, size_t count,
				 const struct overlap_list *list, size_t budget)
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
		     size_t count, struct overlap_list *list, size_t budget)
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
