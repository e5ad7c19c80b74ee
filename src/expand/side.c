/* The table of side.h, list by list, scope by scope. */
#include "expand/side.h"

#include "base/pool.h"

struct side_context side_context_new(void *pool)
{
	return (struct side_context){ pool, arena_new(pool), address_set_all(pool) };
}

static struct place_boxes boxes_none(void)
{
	return (struct place_boxes){ 0 };
}

static struct place_boxes boxes_one(struct side_context *context, struct interface_set interfaces,
				    struct address_set addresses)
{
	struct place_boxes boxes = { .boxes_count = 1, .boxes_capacity = 1 };

	boxes.boxes = arena_new_item(context->arena, struct place_box);
	boxes.boxes[0] = (struct place_box){ interfaces, addresses };
	return boxes;
}

static struct place_boxes boxes_all(struct side_context *context)
{
	return boxes_one(context, interface_set_all(), context->whole);
}

static struct place_boxes zone_boxes(const struct zone *zone, enum hook hook, enum side side)
{
	if (side == SIDE_FROM && hook == HOOK_INPUT)
		return zone->input;
	if ((side == SIDE_FROM && hook == HOOK_OUTPUT) || (side == SIDE_TO && hook == HOOK_INPUT))
		return boxes_none();
	return zone->routed;
}

static bool self_is_all(enum hook hook, enum side side)
{
	return side == SIDE_FROM ? hook == HOOK_OUTPUT : hook == HOOK_INPUT;
}

/* Which half of its side a place belongs to. */
static bool is_part(const struct place *place, enum side side)
{
	if (side == SIDE_TO)
		return place->kind != PLACE_ZONE;
	return place->kind == PLACE_ANY || place->kind == PLACE_SELF;
}

static struct side_value place_value(struct side_context *context, const struct place *place,
				     enum hook hook, enum side side)
{
	struct side_value value = { 0 };

	switch (place->kind) {
	case PLACE_GROUP:
		return side_evaluate_list(context, place->group, hook, side);
	case PLACE_ANY:
		value.all = boxes_all(context);
		break;
	case PLACE_SELF:
		value.all = self_is_all(hook, side) ? boxes_all(context) : boxes_none();
		break;
	case PLACE_ZONE:
		value.all = zone_boxes(place->zone, hook, side);
		break;
	case PLACE_ADDRESSES:
		if (!address_set_is_empty(place->addresses))
			value.all = boxes_one(context, interface_set_all(), *place->addresses);
		break;
	}
	if (is_part(place, side))
		value.part = value.all;
	return value;
}

/* A union that shares what it can. */
static struct place_boxes join(struct side_context *context, struct place_boxes a,
			       struct place_boxes b)
{
	if (a.boxes_count == 0)
		return b;
	if (b.boxes_count == 0 || a.boxes == b.boxes)
		return a;
	return place_boxes_union(context->pool, &a, &b);
}

static struct side_value items_value(struct side_context *context, const struct place *items,
				     size_t count, enum hook hook, enum side side)
{
	struct side_value sum = { 0 };

	for (size_t index = 0; index < count; index++) {
		struct side_value value = place_value(context, &items[index], hook, side);

		sum.all = join(context, sum.all, value.all);
		sum.part = join(context, sum.part, value.part);
	}
	return sum;
}

/* Lists of many plain addresses: one union of the sets, not one of boxes after the other. */
static bool is_plain(const struct place_list *list)
{
	if (list->items_count < 2 || list->excepts_count > 0)
		return false;
	for (size_t index = 0; index < list->items_count; index++)
		if (list->items[index].kind != PLACE_ADDRESSES)
			return false;
	return true;
}

static void add_intervals(void *pool, struct interval_set *sum, const struct interval_set *set)
{
	for (size_t index = 0; index < set->items_count; index++)
		interval_set_add(pool, sum, set->items[index].low, set->items[index].high);
}

static struct place_boxes plain_boxes(struct side_context *context, const struct place_list *list)
{
	struct address_set sum = { 0 };

	for (size_t index = 0; index < list->items_count; index++) {
		add_intervals(context->pool, &sum.v4, &list->items[index].addresses->v4);
		add_intervals(context->pool, &sum.v6, &list->items[index].addresses->v6);
	}
	address_set_normalise(&sum);
	return address_set_is_empty(&sum) ? boxes_none() :
	       boxes_one(context, interface_set_all(), sum);
}

struct side_value side_evaluate_list(struct side_context *context, const struct place_list *list,
				     enum hook hook, enum side side)
{
	struct side_value value, except;

	if (is_plain(list)) {
		value.all = plain_boxes(context, list);
		value.part = side == SIDE_TO ? value.all : boxes_none();
		return value;
	}
	value = items_value(context, list->items, list->items_count, hook, side);
	if (list->excepts_count == 0)
		return value;
	except = items_value(context, list->excepts, list->excepts_count, hook, side);
	value.all = place_boxes_subtract(context->pool, &value.all, &except.all);
	value.part = place_boxes_subtract(context->pool, &value.part, &except.all);
	return value;
}

struct side_value side_evaluate(struct side_context *context, const struct place_scope *scope,
				enum hook hook, enum side side)
{
	struct side_value value, outer;

	if (scope == NULL)
		return (struct side_value){ .all = boxes_all(context), .part = boxes_all(context) };
	value = side_evaluate_list(context, scope->list, hook, side);
	for (scope = scope->outer; scope != NULL; scope = scope->outer) {
		outer = side_evaluate_list(context, scope->list, hook, side);
		value.all = place_boxes_intersect(context->pool, &value.all, &outer.all);
		value.part = place_boxes_intersect(context->pool, &value.part, &outer.part);
	}
	return value;
}

static bool list_is_hook_free(const struct place *items, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (items[index].kind != PLACE_ADDRESSES && items[index].kind != PLACE_ANY)
			return false;
	return true;
}

bool side_is_hook_free(const struct place_scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		if (!list_is_hook_free(scope->list->items, scope->list->items_count) ||
		    !list_is_hook_free(scope->list->excepts, scope->list->excepts_count))
			return false;
	return true;
}

bool side_has_empty_file(const struct place_scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		for (size_t index = 0; index < scope->list->items_count; index++)
			if (scope->list->items[index].is_empty_file)
				return true;
	return false;
}
