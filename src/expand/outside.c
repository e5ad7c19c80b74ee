/* A place is compared with the block as a reader would do it: addresses with the addresses that the
 * block speaks of, zones with its routed traffic, `self` and `any` with the hooks they are in. */
#include "expand/outside.h"

#include "base/interned.h"
#include "base/pool.h"
#include "base/text.h"

#define LISTED 3 /* words of a list that a message shows */

enum reach { INSIDE, PARTLY, OUTSIDE };

struct outside {
	struct side_context *context;
	struct diags *diags;
	struct interned *reported; /* place lists, by address */
	struct {
		const struct place_scope *block; /* the last one whose addresses were asked for */
		struct address_set addresses;
		const struct place_scope *rule;    /* the last rule's scope */
		const struct place_scope *checked; /* the last block that was checked itself */
	} sides[SIDE_COUNT];
};

/* A list in a block, on one side. */
struct question {
	struct outside *outside;
	const struct place_list *list;
	const struct place_scope *block;
	enum side side;
};

static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

struct outside *outside_new(struct side_context *context, struct diags *diags)
{
	struct outside *outside = arena_new_item(context->arena, struct outside);

	outside->context = context;
	outside->diags = diags;
	outside->reported = interned_new(context->pool, context->arena);
	return outside;
}

static bool is_first_report(struct outside *outside, const struct place_list *list)
{
	void **slot = interned_slot(outside->reported, &list, sizeof list);
	bool is_first = *slot == NULL;

	*slot = outside;
	return is_first;
}

/* --- sets ------------------------------------------------------------------------------------- */

static void add_addresses(void *pool, struct address_set *sum, const struct place_boxes *boxes)
{
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct address_set *more = &boxes->boxes[index].addresses;

		if (!address_set_includes(sum, more))
			*sum = address_set_is_empty(sum) ? *more : address_set_union(pool, sum, more);
	}
}

/* The addresses that the block speaks of in any hook. */
static const struct address_set *block_addresses(const struct question *question)
{
	struct outside *outside = question->outside;
	struct side_context *context = outside->context;
	struct address_set *addresses = &outside->sides[question->side].addresses;

	if (outside->sides[question->side].block == question->block)
		return addresses;
	outside->sides[question->side].block = question->block;
	*addresses = (struct address_set){ 0 };
	for (size_t index = 0; index < HOOK_COUNT; index++) {
		struct side_value value = side_evaluate_block(context, question->block, hooks[index],
							      question->side);

		add_addresses(context->pool, addresses, &value.all);
	}
	return addresses;
}

static enum reach reach_of_addresses(const struct question *question,
					   const struct address_set *addresses)
{
	const struct address_set *block = block_addresses(question);

	if (address_set_includes(block, addresses))
		return INSIDE;
	return address_set_overlaps(block, addresses) ? PARTLY : OUTSIDE;
}

static enum reach reach_of_boxes(const struct question *question,
				       const struct place_boxes *boxes, enum hook hook)
{
	struct side_context *context = question->outside->context;
	struct place_boxes block = side_evaluate_block(context, question->block, hook,
						       question->side).all;
	struct place_boxes rest;

	if (block.boxes == context->everything.boxes || block.boxes == boxes->boxes)
		return INSIDE;
	rest = place_boxes_subtract(context->pool, boxes, &block);
	if (rest.boxes_count == 0)
		return INSIDE;
	return place_boxes_equals(&rest, boxes) ? OUTSIDE : PARTLY;
}

static enum reach join(enum reach a, enum reach b)
{
	return a == b ? a : PARTLY;
}

static enum reach reach_of_any(const struct question *question)
{
	struct place_boxes *everything = &question->outside->context->everything;
	enum reach reach = reach_of_boxes(question, everything, hooks[0]);

	for (size_t index = 1; index < HOOK_COUNT; index++)
		reach = join(reach, reach_of_boxes(question, everything, hooks[index]));
	return reach;
}

/* --- places ----------------------------------------------------------------------------------- */

static enum reach reach_of_place(const struct question *question, const struct place *place);

/* A list with `except` is not the sum of its places: its addresses are what it says. */
static enum reach reach_of_rest(const struct question *question,
				      const struct place_list *list)
{
	struct side_context *context = question->outside->context;
	struct address_set addresses = { 0 };

	for (size_t index = 0; index < HOOK_COUNT; index++) {
		struct side_value value = side_evaluate_list(context, list, hooks[index],
							     question->side);

		add_addresses(context->pool, &addresses, &value.all);
	}
	return reach_of_addresses(question, &addresses);
}

static enum reach reach_of_list(const struct question *question,
				      const struct place_list *list)
{
	enum reach reach;

	if (list->excepts_count > 0)
		return reach_of_rest(question, list);
	reach = reach_of_place(question, &list->items[0]);
	for (size_t index = 1; index < list->items_count; index++)
		reach = join(reach, reach_of_place(question, &list->items[index]));
	return reach;
}

static enum reach reach_of_place(const struct question *question, const struct place *place)
{
	switch (place->kind) {
	case PLACE_ANY:
		return reach_of_any(question);
	case PLACE_SELF:
		return reach_of_boxes(question, &question->outside->context->everything,
					 question->side == SIDE_FROM ? HOOK_OUTPUT : HOOK_INPUT);
	case PLACE_ZONE:
		return reach_of_boxes(question, &place->zone->routed, HOOK_FORWARD);
	case PLACE_ADDRESSES:
		return reach_of_addresses(question, place->addresses);
	case PLACE_GROUP:
		return reach_of_list(question, place->group);
	}
	return INSIDE;
}

/* --- words ------------------------------------------------------------------------------------ */

static void add_words(struct text *out, const struct place *items, size_t count)
{
	for (size_t index = 0; index < count && index < LISTED; index++)
		text_addf(out, "%s%s", index > 0 ? ", " : "", items[index].name);
	if (count > LISTED)
		text_add(out, ", ...");
}

static const char *list_words(void *pool, const struct place_list *list)
{
	struct text *out = text_new(pool);

	add_words(out, list->items, list->items_count);
	if (list->excepts_count > 0)
		text_add(out, " except ");
	add_words(out, list->excepts, list->excepts_count);
	return out->bytes;
}

static void warn(const struct question *question, struct span span, const char *words,
		 enum reach reach)
{
	struct diags *diags = question->outside->diags;
	const struct place_list *block = question->block->list;
	struct diagnostic *warning;

	if (reach == PARTLY)
		warning = diag_add(diags, CODE_BLOCK_OUTSIDE, span,
				   "'%s' lies partly outside the block's places: only what is inside "
				   "counts", words);
	else
		warning = diag_add(diags, CODE_BLOCK_OUTSIDE, span,
				   "'%s' lies outside the block's places: it does not count here",
				   words);
	diag_note(diags, warning, block->span, "the block's places: '%s'",
		  list_words(question->outside->context->pool, block));
}

/* --- lists ------------------------------------------------------------------------------------ */

static void check_list(const struct question *question)
{
	const struct place_list *list = question->list;
	enum reach reach = reach_of_list(question, list);

	if (reach == INSIDE || !is_first_report(question->outside, list))
		return;
	if (list->excepts_count > 0) {
		warn(question, list->span, list_words(question->outside->context->pool, list),
		     reach);
		return;
	}
	for (size_t index = 0; index < list->items_count; index++) {
		const struct place *item = &list->items[index];

		reach = reach_of_place(question, item);
		if (reach != INSIDE)
			warn(question, item->span, item->name, reach);
	}
}

/* The rule's own list first, then its blocks up to the first that was seen before. */
static void check_scope(struct outside *outside, const struct place_scope *scope, enum side side)
{
	bool is_own = true;

	if (scope == outside->sides[side].rule)
		return; /* rules of a block without places of their own */
	outside->sides[side].rule = scope;
	for (; scope != NULL && scope->outer != NULL; scope = scope->outer) {
		const struct question question = { outside, scope->list, scope->outer, side };

		if (scope == outside->sides[side].checked)
			return;
		if (!is_own)
			outside->sides[side].checked = scope;
		is_own = false;
		check_list(&question);
	}
}

void outside_check(struct outside *outside, const struct policy_rule *rule)
{
	check_scope(outside, rule->from, SIDE_FROM);
	check_scope(outside, rule->to, SIDE_TO);
}

/* --- nothing in common ------------------------------------------------------------------------ */

static bool list_is_empty(struct side_context *context, const struct place_list *list,
			  enum side side)
{
	for (size_t index = 0; index < HOOK_COUNT; index++)
		if (side_evaluate_list(context, list, hooks[index], side).all.boxes_count > 0)
			return false;
	return true;
}

static bool scope_is_empty(struct side_context *context, const struct place_scope *scope,
			   enum side side)
{
	for (size_t index = 0; index < HOOK_COUNT; index++)
		if (side_evaluate(context, scope, hooks[index], side).all.boxes_count > 0)
			return false;
	return true;
}

static bool are_disjoint(struct side_context *context, const struct place_list *a,
			 const struct place_list *b, enum side side)
{
	for (size_t index = 0; index < HOOK_COUNT; index++) {
		struct side_value left = side_evaluate_list(context, a, hooks[index], side);
		struct side_value right = side_evaluate_list(context, b, hooks[index], side);

		if (place_boxes_intersect(context->pool, &left.all, &right.all).boxes_count > 0)
			return false;
	}
	return true;
}

/* The block that the list has nothing in common with; the nearest one where it is only all of them
 * together that leave nothing. */
static const struct place_scope *disjoint_block(struct side_context *context,
						const struct place_scope *scope, enum side side)
{
	const struct place_scope *block = scope->outer;

	while (block != NULL && !are_disjoint(context, scope->list, block->list, side))
		block = block->outer;
	return block != NULL ? block : scope->outer;
}

static bool check_disjoint(struct outside *outside, const struct place_scope *scope, enum side side)
{
	struct side_context *context = outside->context;
	const struct place_scope *block;
	struct diagnostic *error;

	if (scope == NULL || scope->outer == NULL || !scope_is_empty(context, scope, side) ||
	    list_is_empty(context, scope->list, side))
		return false;
	if (!is_first_report(outside, scope->list))
		return true;
	block = disjoint_block(context, scope, side);
	error = diag_add(outside->diags, CODE_BLOCK_EMPTY, scope->list->span,
			 "'%s' has nothing in common with the block's '%s': no packet matches",
			 list_words(context->pool, scope->list),
			 list_words(context->pool, block->list));
	for (block = scope->outer; block != NULL; block = block->outer)
		diag_note(outside->diags, error, block->list->span, "the block's places");
	return true;
}

bool outside_check_disjoint(struct outside *outside, const struct policy_rule *rule)
{
	bool is_disjoint = check_disjoint(outside, rule->from, SIDE_FROM);

	return check_disjoint(outside, rule->to, SIDE_TO) || is_disjoint;
}
