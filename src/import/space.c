/* The leaves are 0 and 1; a set of values that reaches a field's highest is drawn out to the end of all
 * numbers, so that equal sets are equal diagrams. */
#include "import/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define BUDGET 4000000u

static const number128 highest[IMPORT_FIELDS] = {
	[IMPORT_STATE] = IMPORT_INVALID,
	[IMPORT_IN] = UINT16_MAX,
	[IMPORT_OUT] = UINT16_MAX,
	[IMPORT_ROUTE] = IMPORT_ELSEWHERE,
	[IMPORT_PROTOCOL] = UINT8_MAX,
	[IMPORT_FIRST] = UINT16_MAX,
	[IMPORT_SECOND] = UINT16_MAX,
	[IMPORT_HOP_LIMIT] = UINT8_MAX,
};

struct import_space *import_space_new(void *pool, enum family family)
{
	struct import_space *space = pool_new(pool, struct import_space);

	*space = (struct import_space){
		.pool = space,
		.family = family,
		.diagrams = diagrams_new(space, BUDGET),
		.interface_numbers = names_new(space, false),
	};
	import_interface(space, "lo");
	return space;
}

bool import_space_is_over(const struct import_space *space)
{
	return diagrams_are_over(space->diagrams);
}

/* --- sets ------------------------------------------------------------------------------------ */

import_set import_all(void)
{
	return diagram_leaf(1);
}

import_set import_none(void)
{
	return diagram_leaf(0);
}

bool import_is_none(import_set set)
{
	return set == diagram_leaf(0);
}

static uint32_t union_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a | b;
}

static uint32_t intersect_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & b;
}

static uint32_t subtract_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & ~b;
}

static bool union_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == import_none() || b == import_all() || a == b)
		*result = b;
	else if (b == import_none() || a == import_all())
		*result = a;
	else
		return false;
	return true;
}

static bool intersect_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == import_all() || b == import_none() || a == b)
		*result = b;
	else if (b == import_all() || a == import_none())
		*result = a;
	else
		return false;
	return true;
}

static bool subtract_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == import_none() || b == import_all() || a == b)
		*result = import_none();
	else if (b == import_none())
		*result = a;
	else
		return false;
	return true;
}

static uint32_t number_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a != 0 ? b : 0;
}

static uint32_t first_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a != 0 ? a : b;
}

static uint32_t where_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a == b;
}

static bool never_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context, (void)a, (void)b, (void)result;
	return false;
}

static bool first_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == import_none())
		*result = b;
	else if (diagram_is_leaf(a) || b == import_none() || a == b)
		*result = a;
	else
		return false;
	return true;
}

static const struct diagram_operation
	number_them = { .number = 3, .leaves = number_leaves, .early = never_early },
	first_of = { .number = 4, .leaves = first_leaves, .early = first_early },
	where = { .number = 5, .leaves = where_leaves, .early = never_early },
	unite = { .number = 0, .leaves = union_leaves, .early = union_early },
	intersect = { .number = 1, .leaves = intersect_leaves, .early = intersect_early },
	subtract = { .number = 2, .leaves = subtract_leaves, .early = subtract_early };

static import_set apply(struct import_space *space, const struct diagram_operation *operation, import_set a,
			import_set b)
{
	if (a == DIAGRAM_OVER || b == DIAGRAM_OVER)
		return DIAGRAM_OVER;
	return diagram_apply(space->diagrams, operation, a, b);
}

import_set import_union(struct import_space *space, import_set a, import_set b)
{
	return apply(space, &unite, a, b);
}

import_set import_intersect(struct import_space *space, import_set a, import_set b)
{
	return apply(space, &intersect, a, b);
}

import_set import_subtract(struct import_space *space, import_set a, import_set b)
{
	return apply(space, &subtract, a, b);
}

/* As deep as the logarithm of the count. */
diagram import_first_match(struct import_space *space, const struct import_given *list, size_t count)
{
	diagram first, second;

	if (count == 0)
		return import_none();
	if (count == 1)
		return apply(space, &number_them, list->set, diagram_leaf(list->number));
	first = import_first_match(space, list, count / 2);
	second = import_first_match(space, list + count / 2, count - count / 2);
	return apply(space, &first_of, first, second);
}

import_set import_where(struct import_space *space, diagram map, uint32_t number)
{
	return apply(space, &where, map, diagram_leaf(number));
}

/* --- one field ------------------------------------------------------------------------------- */

number128 import_highest(const struct import_space *space, uint32_t field)
{
	if (field == IMPORT_SOURCE || field == IMPORT_DESTINATION)
		return family_highest(space->family);
	return field < IMPORT_FIELDS ? highest[field] : 1;
}

import_set import_values(struct import_space *space, uint32_t field, const struct interval_set *values)
{
	const number128 top = import_highest(space, field);
	struct interval_set open = { 0 };

	if (values->items_count == 0)
		return import_none();
	for (size_t index = 0; index < values->items_count; index++)
		interval_set_add(space->pool, &open, values->items[index].low,
				 values->items[index].high >= top ? DIAGRAM_HIGHEST :
				 values->items[index].high);
	if (open.items[0].low == 0 && open.items[0].high == DIAGRAM_HIGHEST)
		return import_all();
	return diagram_choose(space->diagrams, field, &open, import_all(), import_none());
}

import_set import_range(struct import_space *space, uint32_t field, number128 low, number128 high)
{
	const struct interval_set set = { .items = &(struct interval){ low, high }, .items_count = 1 };

	return import_values(space, field, &set);
}

import_set import_value(struct import_space *space, uint32_t field, number128 value)
{
	return import_range(space, field, value, value);
}

import_set import_unknown(struct import_space *space, struct span span, const char *what)
{
	*pool_append(space->pool, space, unknowns) = (struct import_unknown){ span, what };
	return import_value(space, IMPORT_FIELDS + (uint32_t)space->unknowns_count - 1, 1);
}

const struct import_unknown *import_unknown_of(const struct import_space *space, import_set unknowns)
{
	return &space->unknowns[diagram_field(space->diagrams, unknowns) - IMPORT_FIELDS];
}

import_set import_of_state(struct import_space *space, import_set set, enum import_state state)
{
	struct diagram_edges edges;

	if (diagram_is_leaf(set) || diagram_field(space->diagrams, set) != IMPORT_STATE)
		return set;
	edges = diagram_edges(space->diagrams, set);
	for (size_t index = 0; index < edges.count; index++)
		if (edges.highs[index] >= state)
			return edges.children[index];
	return import_none();
}

/* --- interfaces ------------------------------------------------------------------------------ */

uint32_t import_interface(struct import_space *space, const char *name)
{
	size_t length = strlen(name);
	uintptr_t known = (uintptr_t)names_find(space->interface_numbers, name, length);

	if (known == 0) {
		known = names_count(space->interface_numbers) + 1;
		names_set(space->interface_numbers, name, length, (void *)known);
	}
	return (uint32_t)known - 1;
}

const char *import_interface_name(const struct import_space *space, number128 number)
{
	if (number >= names_count(space->interface_numbers))
		return NULL;
	return names_key(space->interface_numbers, (size_t)number);
}

/* --- boxes ----------------------------------------------------------------------------------- */

struct enumeration {
	struct import_space *space;
	struct import_boxes *boxes;
	size_t most;
};

/* An edge; the first one to its child is what all of them are in the order of. */
struct edge {
	diagram child;
	size_t index, first;
	number128 low, high;
};

static int compare_children(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	if (a->child != b->child)
		return a->child < b->child ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_firsts(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* The edges of a node up to the highest value, those to one child side by side; *count of them. */
static struct edge *edges_of(struct import_space *space, import_set set, number128 top, size_t *count)
{
	const struct diagram_edges edges = diagram_edges(space->diagrams, set);
	struct edge *items = pool_array(space->pool, struct edge, edges.count);
	number128 low = 0;

	*count = 0;
	for (size_t index = 0; index < edges.count && low <= top; index++) {
		const number128 high = edges.highs[index] > top ? top : edges.highs[index];

		if (!import_is_none(edges.children[index]))
			items[(*count)++] = (struct edge){ edges.children[index], index, index, low, high };
		low = high + 1;
		if (high == DIAGRAM_HIGHEST)
			break;
	}
	qsort(items, *count, sizeof *items, compare_children);
	for (size_t index = 1; index < *count; index++)
		if (items[index].child == items[index - 1].child)
			items[index].first = items[index - 1].first;
	qsort(items, *count, sizeof *items, compare_firsts);
	return items;
}

/* As deep as there are fields. */
static bool enumerate(struct enumeration *run, import_set set, struct import_box box)
{
	struct import_space *space = run->space;
	struct edge *edges;
	size_t count;
	uint32_t field;
	bool is_whole = true;

	if (import_is_none(set))
		return true;
	if (diagram_is_leaf(set) || diagram_field(space->diagrams, set) >= IMPORT_FIELDS) {
		if (run->boxes->items_count == run->most)
			return false;
		box.has_unknown = !diagram_is_leaf(set);
		box.unknowns = set;
		*pool_append(space->pool, run->boxes, items) = box;
		return true;
	}
	field = diagram_field(space->diagrams, set);
	edges = edges_of(space, set, import_highest(space, field), &count);
	for (size_t begin = 0, end; begin < count && is_whole; begin = end) {
		struct interval_set *values = pool_new(space->pool, struct interval_set);

		for (end = begin; end < count && edges[end].child == edges[begin].child; end++)
			interval_set_add(space->pool, values, edges[end].low, edges[end].high);
		interval_set_normalise(values);
		box.fields[field] = values;
		is_whole = enumerate(run, edges[begin].child, box);
	}
	talloc_free(edges);
	return is_whole;
}

bool import_boxes_of(struct import_space *space, import_set set, size_t most, struct import_boxes *boxes)
{
	struct enumeration run = { .space = space, .boxes = boxes, .most = boxes->items_count + most };

	if (set == DIAGRAM_OVER)
		return false;
	return enumerate(&run, set, (struct import_box){ 0 });
}

import_set import_set_of_box(struct import_space *space, const struct import_box *box)
{
	import_set set = box->has_unknown ? box->unknowns : import_all();

	for (uint32_t field = IMPORT_FIELDS; field-- > 0;)
		if (box->fields[field] != NULL)
			set = import_intersect(space, import_values(space, field, box->fields[field]), set);
	return set;
}
