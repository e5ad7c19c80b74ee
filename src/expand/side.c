/* The table of side.h, list by list, scope by scope. */
#include "expand/side.h"

#include "base/pool.h"

static struct place_boxes boxes_none(void)
{
	return (struct place_boxes){ 0 };
}

static struct place_boxes boxes_one(struct arena *arena, struct interface_set interfaces,
				    struct address_set addresses)
{
	struct place_boxes boxes = { .boxes_count = 1, .boxes_capacity = 1 };

	boxes.boxes = arena_new_item(arena, struct place_box);
	boxes.boxes[0] = (struct place_box){ interfaces, addresses };
	return boxes;
}

struct side_context side_context_new(void *pool)
{
	struct arena *arena = arena_new(pool);

	return (struct side_context){
		.pool = pool,
		.arena = arena,
		.everything = boxes_one(arena, interface_set_all(), address_set_all(pool)),
		.lists = interned_new(pool, arena),
	};
}

/* --- places ----------------------------------------------------------------------------------- */

static struct place_boxes zone_boxes(const struct zone *zone, enum hook hook, enum side side)
{
	if (side == SIDE_FROM && hook == HOOK_INPUT)
		return zone->input;
	if ((side == SIDE_FROM && hook == HOOK_OUTPUT) || (side == SIDE_TO && hook == HOOK_INPUT))
		return boxes_none();
	return side == SIDE_TO ? zone->routed_to : zone->routed;
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
		value.all = context->everything;
		break;
	case PLACE_SELF:
		value.all = self_is_all(hook, side) ? context->everything : boxes_none();
		break;
	case PLACE_ZONE:
		value.all = zone_boxes(place->zone, hook, side);
		break;
	case PLACE_ADDRESSES:
		if (place->box != NULL)
			value.all = (struct place_boxes){ place->box, 1, 1 };
		else if (!address_set_is_empty(place->addresses))
			value.all = boxes_one(context->arena, interface_set_all(), *place->addresses);
		break;
	}
	if (is_part(place, side))
		value.part = value.all;
	return value;
}

/* --- lists ------------------------------------------------------------------------------------ */

/* The parts of a union under construction. */
struct parts {
	struct place_boxes *items;
	size_t items_count, items_capacity;
};

static void add_part(struct side_context *context, struct parts *parts, struct place_boxes part)
{
	if (part.boxes_count > 0)
		*pool_append(context->pool, parts, items) = part;
}

/* Shares what it can; the parts are used up. */
static struct place_boxes join(struct side_context *context, struct parts *parts)
{
	struct place_boxes sum;
	size_t kept = 0;

	for (size_t index = 0; index < parts->items_count; index++)
		if (kept == 0 || parts->items[kept - 1].boxes != parts->items[index].boxes)
			parts->items[kept++] = parts->items[index];
	sum = place_boxes_union_all(context->pool, parts->items, kept);
	talloc_free(parts->items);
	return sum;
}

static struct side_value items_value(struct side_context *context, const struct place *items,
				     size_t count, enum hook hook, enum side side)
{
	struct parts all = { 0 }, part = { 0 };

	for (size_t index = 0; index < count; index++) {
		struct side_value value = place_value(context, &items[index], hook, side);

		add_part(context, &all, value.all);
		add_part(context, &part, value.part);
	}
	return (struct side_value){ .all = join(context, &all), .part = join(context, &part) };
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
	       boxes_one(context->arena, interface_set_all(), sum);
}

static struct side_value list_value(struct side_context *context, const struct place_list *list,
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

/* What a place stands for: the address of a definition, or the kind, which is none. */
static uintptr_t place_key(const struct place *place)
{
	switch (place->kind) {
	case PLACE_ZONE:
		return (uintptr_t)place->zone;
	case PLACE_ADDRESSES:
		return (uintptr_t)place->addresses;
	case PLACE_GROUP:
		return (uintptr_t)place->group;
	case PLACE_ANY:
	case PLACE_SELF:
		break;
	}
	return place->kind + 1u;
}

static void add_key(struct side_context *context, uintptr_t part)
{
	*pool_append(context->pool, context, key) = part;
}

static void make_key(struct side_context *context, const struct place_list *list, enum hook hook,
		     enum side side)
{
	context->key_count = 0;
	add_key(context, (uintptr_t)hook << 1 | side);
	add_key(context, list->items_count);
	for (size_t index = 0; index < list->items_count; index++)
		add_key(context, place_key(&list->items[index]));
	for (size_t index = 0; index < list->excepts_count; index++)
		add_key(context, place_key(&list->excepts[index]));
}

/* Rules write the same lists again and again: what takes work is done once. */
struct side_value side_evaluate_list(struct side_context *context, const struct place_list *list,
				     enum hook hook, enum side side)
{
	struct side_value value;
	void **known;

	if (list->items_count == 1 && list->excepts_count == 0)
		return place_value(context, &list->items[0], hook, side);
	make_key(context, list, hook, side);
	known = interned_slot(context->lists, context->key,
			      context->key_count * sizeof *context->key);
	if (*known != NULL)
		return *(struct side_value *)*known;
	value = list_value(context, list, hook, side);
	make_key(context, list, hook, side); /* groups in the list made keys of their own */
	known = interned_slot(context->lists, context->key,
			      context->key_count * sizeof *context->key);
	*known = arena_copy(context->arena, &value, sizeof value);
	return value;
}

/* --- scopes ----------------------------------------------------------------------------------- */

static struct interval_set meet_family(void *pool, const struct interval_set *a,
				       const struct interval_set *b)
{
	if ((a->items == b->items && a->items_count == b->items_count) ||
	    interval_set_includes(a, b))
		return *b;
	return interval_set_includes(b, a) ? *a : interval_set_intersect(pool, a, b);
}

/* One box with one box needs no normalising, and most often no memory. */
static struct place_boxes meet_one(struct side_context *context, const struct place_box *a,
				   const struct place_box *b)
{
	struct interface_set interfaces =
		interface_set_intersect(context->pool, &a->interfaces, &b->interfaces);
	struct address_set addresses = {
		.v4 = meet_family(context->pool, &a->addresses.v4, &b->addresses.v4),
		.v6 = meet_family(context->pool, &a->addresses.v6, &b->addresses.v6),
	};

	if (interface_set_is_empty(&interfaces) || address_set_is_empty(&addresses))
		return boxes_none();
	return boxes_one(context->arena, interfaces, addresses);
}

static struct place_boxes meet(struct side_context *context, const struct place_boxes *a,
			       const struct place_boxes *b)
{
	if (a->boxes_count == 0 || b->boxes_count == 0)
		return boxes_none();
	if (a->boxes == context->everything.boxes)
		return *b;
	if (b->boxes == context->everything.boxes || a->boxes == b->boxes)
		return *a;
	if (a->boxes_count == 1 && b->boxes_count == 1)
		return meet_one(context, a->boxes, b->boxes);
	return place_boxes_intersect(context->pool, a, b);
}

/* Blocks nest to a limit, and so does this. */
static struct side_value scope_value(struct side_context *context, const struct place_scope *scope,
				     enum hook hook, enum side side)
{
	struct side_value own = side_evaluate_list(context, scope->list, hook, side);
	struct side_value outer;

	if (scope->outer == NULL)
		return own;
	outer = side_evaluate_block(context, scope->outer, hook, side);
	return (struct side_value){
		.all = meet(context, &own.all, &outer.all),
		.part = meet(context, &own.part, &outer.part),
	};
}

static struct side_value remember(struct side_context *context, struct side_memo *memo,
				  const struct place_scope *scope, enum hook hook, enum side side)
{
	if (memo->scope != scope)
		*memo = (struct side_memo){ scope, scope_value(context, scope, hook, side) };
	return memo->value;
}

struct side_value side_evaluate(struct side_context *context, const struct place_scope *scope,
				enum hook hook, enum side side)
{
	if (scope == NULL)
		return (struct side_value){ context->everything, context->everything };
	return remember(context, &context->rules[side][hook], scope, hook, side);
}

struct side_value side_evaluate_block(struct side_context *context,
				      const struct place_scope *scope, enum hook hook,
				      enum side side)
{
	return remember(context, &context->blocks[side][hook], scope, hook, side);
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

/* Groups are at most as deep as resolve lets them be. */
static bool list_has_empty_file(const struct place_list *list)
{
	for (size_t index = 0; index < list->items_count; index++) {
		const struct place *item = &list->items[index];

		if (item->is_empty_file ||
		    (item->kind == PLACE_GROUP && list_has_empty_file(item->group)))
			return true;
	}
	return false;
}

bool side_has_empty_file(const struct place_scope *scope)
{
	for (; scope != NULL; scope = scope->outer)
		if (list_has_empty_file(scope->list))
			return true;
	return false;
}
