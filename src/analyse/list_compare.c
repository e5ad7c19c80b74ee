/* Slices of destinations stand on a stack; each is compared in a space of its own, which is freed. */
#include "analyse/list_compare.h"

#include <stdlib.h>

#include "analyse/cover.h"
#include "base/pool.h"

#define SLICES_MOST 256u
#define BUDGET_DEFAULT 4000000u

struct comparing {
	void *pool;
	const struct packet_universe *universe;
	const struct packet_list *a, *b;
	size_t budget;
	bool is_asked[PACKET_FIELDS];
	struct interval *slices; /* to be done */
	size_t slices_count, slices_capacity;
	struct packet_point *witness;
};

/* The rules that speak to the slice, their destinations cut to it. */
static struct packet_list cut_list(void *pool, const struct packet_list *list,
				   const struct interval_set *slice)
{
	struct packet_rule *rules = pool_array(pool, struct packet_rule, list->count + 1);
	size_t count = 0;

	for (size_t index = 0; index < list->count; index++) {
		const struct interval_set *old = list->rules[index].box.fields[FIELD_DESTINATION];
		struct interval_set *values;

		if (old != NULL && !interval_set_overlaps(old, slice))
			continue;
		rules[count] = list->rules[index];
		if (old != NULL && !interval_set_includes(slice, old)) {
			values = pool_new(pool, struct interval_set);
			*values = interval_set_intersect(pool, old, slice);
			rules[count].box.fields[FIELD_DESTINATION] = values;
		}
		count++;
	}
	return (struct packet_list){ rules, count, list->otherwise };
}

struct edges {
	number128 *items; /* where destinations begin or have ended, inside the slice */
	size_t items_count, items_capacity;
};

static void add_edges(void *pool, const struct packet_list *list, const struct interval *slice,
		      struct edges *edges)
{
	for (size_t index = 0; index < list->count; index++) {
		const struct interval_set *set = list->rules[index].box.fields[FIELD_DESTINATION];

		for (size_t at = 0; set != NULL && at < set->items_count; at++) {
			if (set->items[at].low > slice->low)
				*pool_append(pool, edges, items) = set->items[at].low;
			if (set->items[at].high < slice->high)
				*pool_append(pool, edges, items) = set->items[at].high + 1;
		}
	}
}

static int compare_edges(const void *a, const void *b)
{
	number128 first = *(const number128 *)a, second = *(const number128 *)b;

	return (first > second) - (first < second);
}

/* In the middle of what the rules tell apart. false: they tell nothing apart. */
static bool split(struct comparing *comparing, void *pool, const struct packet_list *a,
		  const struct packet_list *b, const struct interval *slice)
{
	struct edges edges = { 0 };
	number128 middle;

	add_edges(pool, a, slice, &edges);
	add_edges(pool, b, slice, &edges);
	if (edges.items_count == 0)
		return false;
	qsort(edges.items, edges.items_count, sizeof *edges.items, compare_edges);
	middle = edges.items[edges.items_count / 2];
	*pool_append(comparing->pool, comparing, slices) = (struct interval){ middle, slice->high };
	*pool_append(comparing->pool, comparing, slices) = (struct interval){ slice->low, middle - 1 };
	return true;
}

/* Where the lists differ inside the slice. */
static packet_set difference_of(struct packet_space *space, const bool *is_asked,
				const struct packet_list *a, const struct packet_list *b,
				const struct interval_set *slice)
{
	struct packet_box box = { .fields = { [FIELD_DESTINATION] = slice } };
	packet_map first = packet_map_first_match(space, a->rules, a->count, a->otherwise);
	packet_map second = first == PACKET_MAP_OVER ? PACKET_MAP_OVER :
			    packet_map_first_match(space, b->rules, b->count, b->otherwise);
	packet_set difference = packet_map_difference(space, first, second);

	difference = packet_set_intersect(space, difference, packet_set_box(space, &box));
	if (packet_set_is_empty(difference))
		return difference;
	return packet_set_intersect(space, difference, packet_set_possible_of(space, is_asked));
}

/* A packet of the difference with values for the fields that no list asks, too. */
static bool find_witness(struct comparing *comparing, void *pool, const struct packet_space *space,
			 packet_set difference)
{
	struct packet_box box;
	bool is_whole;

	if (packet_set_boxes(pool, space, difference, &box, 1, &is_whole) == 0)
		return false;
	for (number128 hook = 0; hook < HOOK_COUNT; hook++)
		for (number128 family = 0; family <= FAMILY_IPV6; family++) {
			struct interval one_hook = { hook, hook }, one_family = { family, family };
			const struct interval_set hooks = { &one_hook, 1, 1 };
			const struct interval_set families = { &one_family, 1, 1 };
			struct packet_box named = { .fields = { [FIELD_HOOK] = &hooks,
								[FIELD_FAMILY] = &families } };

			if (!packet_boxes_overlap(&box, &named))
				continue;
			named = packet_box_intersect(pool, &box, &named);
			if (cover_find(pool, comparing->universe, &named, NULL, 0, 1,
				       comparing->witness) == COVER_NO)
				return true;
		}
	return false;
}

static enum list_answer compare_slice(struct comparing *comparing, void *pool,
				      const struct interval *slice)
{
	struct interval item = *slice;
	const struct interval_set set = { &item, 1, 1 };
	const struct packet_list a = cut_list(pool, comparing->a, &set);
	const struct packet_list b = cut_list(pool, comparing->b, &set);
	struct packet_space *space =
		packet_space_new(pool, comparing->universe, PACKET_ORDER_SAFE, comparing->budget);
	packet_set difference = difference_of(space, comparing->is_asked, &a, &b, &set);

	if (packet_set_is_empty(difference))
		return LISTS_EQUAL;
	if (difference != PACKET_MAP_OVER && find_witness(comparing, pool, space, difference))
		return LISTS_DIFFER;
	return split(comparing, pool, &a, &b, slice) ? LISTS_EQUAL : LISTS_UNKNOWN;
}

static void ask_fields(bool *is_asked, const struct packet_list *list)
{
	for (size_t index = 0; index < list->count; index++)
		for (size_t field = 0; field < PACKET_FIELDS; field++)
			if (list->rules[index].box.fields[field] != NULL)
				is_asked[field] = true;
}

enum list_answer packet_lists_compare(void *pool, const struct packet_universe *universe,
				      const struct packet_list *a, const struct packet_list *b,
				      size_t budget, struct packet_point *witness)
{
	struct comparing comparing = {
		.pool = pool_child(pool, "comparing lists"),
		.universe = universe,
		.a = a,
		.b = b,
		.budget = budget != 0 ? budget : BUDGET_DEFAULT,
		.witness = witness,
	};
	enum list_answer answer = LISTS_EQUAL;

	comparing.is_asked[FIELD_HOOK] = comparing.is_asked[FIELD_FAMILY] = true;
	comparing.is_asked[FIELD_PROTOCOL] = comparing.is_asked[FIELD_DESTINATION] = true;
	ask_fields(comparing.is_asked, a);
	ask_fields(comparing.is_asked, b);
	*pool_append(comparing.pool, &comparing, slices) =
		(struct interval){ 0, packet_field_highest(universe, FIELD_DESTINATION) };
	for (size_t done = 0; answer == LISTS_EQUAL && comparing.slices_count > 0; done++) {
		struct interval slice = comparing.slices[--comparing.slices_count];
		void *own = pool_child(comparing.pool, "slice");

		answer = done < SLICES_MOST ? compare_slice(&comparing, own, &slice) : LISTS_UNKNOWN;
		talloc_free(own);
	}
	talloc_free(comparing.pool);
	return answer;
}
