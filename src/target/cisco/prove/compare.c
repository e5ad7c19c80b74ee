/* Each side becomes a map from packets to what decides them; where the verdicts differ, the pairs of
 * numbers that occur are the changes. */
#include "target/cisco/prove/compare.h"

#include <string.h>

#include "base/pool.h"

/* One side, worked out. */
struct decider {
	const struct acl_side *side;
	struct given_list given; /* of a list */
	packet_map map;          /* to numbers of decisions */
	packet_set permitted;
	size_t numbers_count;
};

struct pair {
	uint32_t before, after;
};

struct comparing {
	void *pool;
	struct diags *diags;
	enum family family;
	int32_t timezone_s; /* of the routers' clocks: the policy's; of two lists it does not matter */
	struct acl_comparison *comparison;
	struct decider before, after;
	struct pair *pairs; /* by their number, from 1; 0: no change */
	size_t pairs_count, pairs_capacity;
};

static struct acl_decision decision_of(const struct decider *decider, uint32_t number)
{
	const struct acl_side *side = decider->side;

	if (side->policy != NULL)
		return (struct acl_decision){ wanted_permits(side->policy, number),
					      wanted_origin(side->policy, number) };
	return (struct acl_decision){
		.is_permitted = decider->given.rules.items[number].number == 1,
		.span = decider->given.entries[number] != NULL ? decider->given.entries[number]->span : SPAN_NONE,
	};
}

static uint32_t permits(void *context, uint32_t number)
{
	return decision_of(context, number).is_permitted;
}

/* Numbers are those of boxes: the last holds every packet. */
static bool decide_list(struct comparing *comparing, struct decider *decider)
{
	const struct given_context context = {
		.pool = comparing->pool,
		.diags = comparing->diags,
		.config = decider->side->config,
		.universe = comparing->comparison->universe,
		.timezone_s = comparing->timezone_s,
	};
	struct packet_rule *rules;
	size_t count;

	if (!given_list_make(&context, comparing->family, decider->side->list, &decider->given))
		return false;
	count = decider->given.rules.items_count;
	rules = pool_array(comparing->pool, struct packet_rule, count);
	for (size_t index = 0; index < count; index++) {
		rules[index] = decider->given.rules.items[index];
		rules[index].number = (uint32_t)index;
	}
	decider->map = packet_map_first_match(comparing->comparison->space, rules, count,
					      (uint32_t)(count - 1));
	return true;
}

static bool decide(struct comparing *comparing, struct decider *decider, const struct acl_side *side)
{
	decider->side = side;
	if (side->policy != NULL)
		decider->map = wanted_map(comparing->pool, comparing->comparison->space, side->policy);
	else if (!decide_list(comparing, decider))
		return false;
	decider->permitted =
		packet_map_renumber(comparing->comparison->space, decider->map, permits, decider);
	return true;
}

static uint32_t pair_number(void *context, uint32_t before, uint32_t after)
{
	struct comparing *comparing = context;
	size_t index = 0;

	if (decision_of(&comparing->before, before).is_permitted ==
	    decision_of(&comparing->after, after).is_permitted)
		return 0;
	while (index < comparing->pairs_count &&
	       (comparing->pairs[index].before != before || comparing->pairs[index].after != after))
		index++;
	if (index == comparing->pairs_count)
		*pool_append(comparing->pool, comparing, pairs) = (struct pair){ before, after };
	return (uint32_t)index + 1;
}

static packet_set scope_of(struct comparing *comparing)
{
	static const enum packet_field asked[] = { FIELD_HOOK, FIELD_FAMILY, FIELD_PROTOCOL, FIELD_SOURCE,
						   FIELD_DESTINATION, FIELD_FIRST, FIELD_SECOND, FIELD_FLAGS };
	struct packet_space *space = comparing->comparison->space;
	bool is_asked[PACKET_FIELDS] = { 0 };
	packet_set scope;

	for (size_t index = 0; index < sizeof asked / sizeof asked[0]; index++)
		is_asked[asked[index]] = true;
	scope = packet_set_possible_of(space, is_asked);
	scope = packet_set_intersect(space, scope, packet_set_value(space, FIELD_HOOK, HOOK_FORWARD));
	scope = packet_set_intersect(space, scope, packet_set_value(space, FIELD_FAMILY, comparing->family));
	return packet_set_intersect(space, scope, packet_set_value(space, FIELD_FRAGMENT, 0));
}

static bool is_one_entry(const struct acl_decision *a, const struct acl_decision *b)
{
	return a->span.source == b->span.source && a->span.begin == b->span.begin &&
	       a->is_permitted == b->is_permitted;
}

/* An entry may be several boxes: they are one change. */
static void add_change(struct comparing *comparing, const struct acl_change *change)
{
	struct acl_comparison *comparison = comparing->comparison;

	for (size_t index = 0; index < comparison->changes_count; index++) {
		struct acl_change *known = &comparison->changes[index];

		if (is_one_entry(&known->before, &change->before) && is_one_entry(&known->after, &change->after)) {
			known->packets = packet_set_union(comparison->space, known->packets, change->packets);
			known->region = packet_set_union(comparison->space, known->region, change->region);
			return;
		}
	}
	*pool_append(comparing->pool, comparison, changes) = *change;
}

static void add_changes(struct comparing *comparing, packet_map pairs, packet_set scope, packet_set region)
{
	struct packet_space *space = comparing->comparison->space;

	for (size_t index = 0; index < comparing->pairs_count; index++) {
		struct acl_change change = {
			.before = decision_of(&comparing->before, comparing->pairs[index].before),
			.after = decision_of(&comparing->after, comparing->pairs[index].after),
		};
		packet_set where = packet_map_where(space, pairs, (uint32_t)index + 1);

		change.packets = packet_set_intersect(space, scope, where);
		change.region = packet_set_intersect(space, region, where);

		change.is_permitted = change.after.is_permitted;
		if (!packet_set_is_empty(change.packets))
			add_change(comparing, &change);
	}
}

struct acl_comparison *acl_compare(void *pool, struct diags *diags, enum family family,
				   const struct acl_side *before, const struct acl_side *after)
{
	struct acl_comparison *comparison = pool_new(pool, struct acl_comparison);
	struct comparing comparing = { .pool = pool, .diags = diags, .family = family, .comparison = comparison };
	const struct acl_side *sides[] = { before, after };
	packet_set scope, region;
	packet_map pairs;

	comparison->universe = packet_universe_new(pool);
	for (unsigned index = 0; index < 2; index++) {
		if (sides[index]->policy == NULL)
			continue;
		comparing.timezone_s = sides[index]->policy->ruleset->policy->timezone_s;
		packet_universe_add(comparison->universe, sides[index]->policy->ruleset);
		if (sides[index]->policy->interface != NULL)
			packet_universe_add_interface(comparison->universe, sides[index]->policy->interface);
	}
	for (unsigned index = 0; index < 2; index++)
		if (sides[index]->config != NULL)
			given_ends_add(sides[index]->config, comparing.timezone_s, comparison->universe);
	packet_universe_finish(comparison->universe);
	comparison->space = packet_space_new(pool, comparison->universe, PACKET_ORDER_SAFE, 0);
	if (!decide(&comparing, &comparing.before, before) || !decide(&comparing, &comparing.after, after))
		return NULL;
	region = packet_set_intersect(comparison->space,
				      packet_set_value(comparison->space, FIELD_FAMILY, family),
				      packet_map_difference(comparison->space, comparing.before.permitted,
							    comparing.after.permitted));
	scope = packet_set_intersect(comparison->space, scope_of(&comparing), region);
	if (!packet_space_is_over(comparison->space) && !packet_set_is_empty(scope)) {
		packet_map nothing = packet_map_constant(0);

		pairs = packet_map_combine(
			comparison->space,
			packet_map_choose(comparison->space, region, comparing.before.map, nothing),
			packet_map_choose(comparison->space, region, comparing.after.map, nothing), pair_number,
			&comparing);
		add_changes(&comparing, pairs, scope, region);
	}
	comparison->is_over = packet_space_is_over(comparison->space);
	return comparison;
}

/* --- lines ------------------------------------------------------------------------------------------ */

static bool stands_alone(const struct acl_entry *entry)
{
	return entry->kind == ACL_ENTRY_MATCH && entry->services == NULL && entry->source.group == NULL &&
	       entry->destination.group == NULL && entry->time_range == NULL;
}

bool acl_lists_are_same(const struct sources *sources, const struct acl_list *a, const struct acl_list *b)
{
	if (a->entries_count != b->entries_count || a->kind != b->kind)
		return false;
	for (size_t index = 0; index < a->entries_count; index++) {
		const struct acl_entry *one = a->entries[index], *other = b->entries[index];
		size_t length = one->span.end - one->span.begin;

		if (!stands_alone(one) || !stands_alone(other) || other->span.end - other->span.begin != length ||
		    memcmp(sources->items[one->span.source]->bytes + one->span.begin,
			   sources->items[other->span.source]->bytes + other->span.begin, length) != 0)
			return false;
	}
	return true;
}
