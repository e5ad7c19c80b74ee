/* The chain of the `to` side asks for the out interface and the destination, then does what the rule
 * does; it returns where neither box holds, so the unit that goes there is not final. Family and
 * services are asked on the way to it. Rules of the same `to` side and the same end share one. */
#include "target/nft/lower/sides.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/split/split.h"

/* As long as the product is that small a multiple of the sum, pairs are cheaper for a packet. */
#define PAIRS_PER_BOX 4

struct side_chain {
	const struct place_box *boxes;
	size_t boxes_count;
	struct nft_verdict verdict;
	uint32_t outcome;
	struct goal goal;
};

struct wanted_side {
	const struct lower *lower;
	const struct place_boxes *to;
	const struct tail *tail;
};

static bool is_large(const struct unit_match *match)
{
	size_t from = match->from->boxes_count, to = match->to->boxes_count;
	return from * to > PAIRS_PER_BOX * (from + to);
}

static bool verdict_is_same(const struct nft_verdict *a, const struct nft_verdict *b)
{
	if (a->kind != b->kind || (a->chain == NULL) != (b->chain == NULL))
		return false;
	return a->chain == NULL || strcmp(a->chain, b->chain) == 0;
}

static bool side_equals(const void *wanted, uint32_t number)
{
	const struct wanted_side *want = wanted;
	const struct side_chain *chain = &want->lower->side_chains[number];
	return chain->outcome == want->tail->outcome && chain->boxes == want->to->boxes &&
	       chain->boxes_count == want->to->boxes_count &&
	       verdict_is_same(&chain->verdict, &want->tail->final.items[0].verdict);
}

/* A maker whose context is the tail. */
static const struct tail *given_tail(struct lower *lower, const void *context, unsigned families)
{
	(void)lower;
	(void)families;
	return context;
}

static struct tuple_set *any_service(struct lower *lower)
{
	struct tuple_set *services = pool_new(lower->scratch, struct tuple_set);
	tuple_set_add(lower->scratch, services, (struct service_tuple){
		PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX },
	});
	return services;
}

static struct place_boxes *everywhere(struct lower *lower)
{
	struct place_boxes *boxes = pool_new(lower->scratch, struct place_boxes);
	*boxes = place_boxes_all(lower->scratch);
	return boxes;
}

static struct goal write_side(struct lower *lower, const struct unit_match *match, tail_maker tail,
			      const void *context)
{
	struct unit_match side = *match;
	struct entries list = { 0 };
	side.from = everywhere(lower);
	side.services = any_service(lower);
	units_add(lower, &list, &side, tail, context);
	return split_chain(lower, &list, "to");
}

/* The chain of the side that ends in this tail; one for all matches that want it. Of each rule's
 * families and comment it knows nothing, so that they can. */
static struct goal shared_side(struct lower *lower, const struct unit_match *match,
			       const struct tail *tail)
{
	const struct nft_verdict *verdict = &tail->final.items[0].verdict;
	struct wanted_side wanted = { lower, match->to, tail };
	uint64_t hash = memo_mix((uintptr_t)match->to->boxes, tail->outcome);
	uint32_t number = memo_find(&lower->side_memo, hash, side_equals, &wanted);
	if (number != MEMO_NONE)
		return lower->side_chains[number].goal;
	struct unit_match side = *match;
	side.families = FAMILIES_BOTH;
	struct goal end = { *verdict, tail->final.height };
	struct goal goal = write_side(lower, &side, given_tail,
				      tail_of_verdict(lower, end, tail->outcome, SPAN_NONE));
	memo_add(lower->scratch, &lower->side_memo, hash, (uint32_t)lower->side_chains_count);
	*pool_append(lower->scratch, lower, side_chains) = (struct side_chain){
		match->to->boxes, match->to->boxes_count, *verdict, tail->outcome, goal,
	};
	return goal;
}

/* What a packet that the `from` side, family and services matched is asked next. */
static const struct tail *side_tail(struct lower *lower, const struct unit_match *match,
				    tail_maker tail, const void *context)
{
	const struct tail *both = tail(lower, context, FAMILIES_BOTH);
	if (both == NULL)
		return tail_of_chain(lower, write_side(lower, match, tail, context),
				     outcome_distinct(lower), match->origin);
	bool is_shared = both->guards_count == 0 && both->is_verdict && !both->may_return;
	struct goal goal = is_shared ? shared_side(lower, match, both)
				     : write_side(lower, match, given_tail, both);
	return tail_of_chain(lower, goal, both->outcome, match->origin);
}

void sides_add(struct lower *lower, struct entries *list, const struct unit_match *match,
	       tail_maker tail, const void *context)
{
	if (!is_large(match)) {
		units_add(lower, list, match, tail, context);
		return;
	}
	size_t errors = lower->diags->error_count;
	const struct tail *end = side_tail(lower, match, tail, context);
	struct unit_match side = *match;
	side.to = everywhere(lower);
	if (lower->diags->error_count == errors) /* a name that is too long is reported once */
		units_add(lower, list, &side, given_tail, end);
}
