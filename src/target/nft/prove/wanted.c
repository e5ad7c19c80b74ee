#include "target/nft/prove/wanted.h"

#include <linux/netfilter.h>
#include <string.h>

#include "analyse/diagram_all.h"
#include "base/pool.h"
#include "net/protocol.h"

#define TRUE_LEAF diagram_leaf(1)
#define FALSE_LEAF diagram_leaf(0)
#define NANOSECONDS ((number128)1000000000)
#define MINUTE_SECONDS 60
#define FAMILIES 2
#define ICMP_HIGHEST UINT8_MAX

/* Numbers of operations beside those of the walk. */
enum { WANTED_FIRST = 8, WANTED_GUARD, WANTED_AND, WANTED_OR, WANTED_NOT };

static bool rejects(const struct ruleset *ruleset)
{
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			if (ruleset->rules[hook][i]->outcome->verdict == VERDICT_REJECT)
				return true;
		if (ruleset->defaults[hook]->verdict == VERDICT_REJECT)
			return true;
	}
	return false;
}

struct wanted *wanted_new(void *pool, struct walk_space *space, const struct ruleset *ruleset)
{
	struct wanted *wanted = pool_new(pool, struct wanted);
	wanted->pool = wanted;
	wanted->scratch = pool_child(wanted, "wanted");
	wanted->ruleset = ruleset;
	wanted->space = space;
	wanted->arena = arena_new(wanted);
	wanted->interned = interned_new(wanted, wanted->arena);
	wanted->predicates = interned_new(wanted, wanted->arena);
	wanted->services = interned_new(wanted, wanted->arena);
	wanted->rejects = rejects(ruleset);
	wanted_leaf(wanted, (struct wanted_leaf){ .kind = WANTED_NOTHING });
	return wanted;
}

diagram wanted_leaf(struct wanted *wanted, struct wanted_leaf leaf)
{
	struct {
		struct wanted_leaf leaf;
		uint32_t number;
	} entry;
	memset(&entry, 0, sizeof entry); /* padding too */
	entry.leaf.kind = leaf.kind;
	entry.leaf.family = leaf.family;
	entry.leaf.is_reset = leaf.is_reset;
	entry.leaf.identity = leaf.identity;
	entry.leaf.outcome = leaf.outcome;
	entry.leaf.translation = leaf.translation;
	void **slot = interned_slot(wanted->interned, &entry.leaf, sizeof entry.leaf);
	if (*slot == NULL) {
		entry.number = (uint32_t)wanted->leaves_count;
		const char *kept = arena_copy(wanted->arena, &entry, sizeof entry);
		*pool_append(wanted->pool, wanted, leaves) = (const struct wanted_leaf *)kept;
		*slot = (void *)(uintptr_t)kept;
	}
	memcpy(&entry, *slot, sizeof entry);
	return diagram_leaf(entry.number);
}

const struct wanted_leaf *wanted_leaf_at(const struct wanted *wanted, diagram leaf)
{
	return wanted->leaves[diagram_number(leaf)];
}

/* --- operations ------------------------------------------------------------------------------------- */

static uint32_t first_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a != 0 ? a : b;
}

static bool first_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	*result = a == FALSE_LEAF ? b : a;
	return diagram_is_leaf(a) || b == FALSE_LEAF;
}

diagram wanted_first(struct wanted *wanted, diagram first, diagram then)
{
	static const struct diagram_operation operation = { WANTED_FIRST, NULL, first_leaves, first_early };
	return diagram_apply(wanted->space->diagrams, &operation, first, then);
}

static bool is_wanted(void *context, diagram leaf)
{
	(void)context;
	return leaf != FALSE_LEAF;
}

diagram wanted_first_of(struct wanted *wanted, const diagram *items, size_t count)
{
	static const struct diagram_operation operation = { WANTED_FIRST, NULL, first_leaves, first_early };
	static const struct diagram_joining joining = { &operation, is_wanted };
	return diagram_all(wanted->scratch, wanted->space->diagrams, &joining, items, count);
}

static uint32_t guard_leaves(void *context, uint32_t predicate, uint32_t inside)
{
	(void)context;
	return predicate != 0 ? inside : 0;
}

static bool guard_early(void *context, diagram predicate, diagram inside, diagram *result)
{
	(void)context;
	*result = predicate == FALSE_LEAF ? FALSE_LEAF : inside;
	return diagram_is_leaf(predicate) || inside == FALSE_LEAF;
}

diagram wanted_guard(struct wanted *wanted, diagram predicate, diagram inside)
{
	static const struct diagram_operation operation = { WANTED_GUARD, NULL, guard_leaves, guard_early };
	return diagram_apply(wanted->space->diagrams, &operation, predicate, inside);
}

static uint32_t and_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & b;
}

static bool and_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	*result = a == TRUE_LEAF || b == FALSE_LEAF ? b : a;
	return a == b || diagram_is_leaf(a) || diagram_is_leaf(b);
}

diagram wanted_and(struct wanted *wanted, diagram a, diagram b)
{
	static const struct diagram_operation operation = { WANTED_AND, NULL, and_leaves, and_early };
	return diagram_apply(wanted->space->diagrams, &operation, a, b);
}

static uint32_t or_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a | b;
}

static bool or_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	*result = a == FALSE_LEAF || b == TRUE_LEAF ? b : a;
	return a == b || diagram_is_leaf(a) || diagram_is_leaf(b);
}

diagram wanted_or(struct wanted *wanted, diagram a, diagram b)
{
	static const struct diagram_operation operation = { WANTED_OR, NULL, or_leaves, or_early };
	return diagram_apply(wanted->space->diagrams, &operation, a, b);
}

static uint32_t not_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a ^ b;
}

static bool not_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	(void)a;
	(void)b;
	(void)result;
	return false;
}

diagram wanted_not(struct wanted *wanted, diagram predicate)
{
	static const struct diagram_operation operation = { WANTED_NOT, NULL, not_leaves, not_early };
	return diagram_apply(wanted->space->diagrams, &operation, predicate, TRUE_LEAF);
}

/* --- predicates ------------------------------------------------------------------------------------- */

static diagram choose(struct wanted *wanted, enum walk_field field, const struct interval_set *values,
		      number128 highest, diagram inside)
{
	return walk_choose(wanted->space, walk_rank(wanted->space, field), values, highest, inside, FALSE_LEAF);
}

static diagram choose_range(struct wanted *wanted, enum walk_field field, number128 low, number128 high,
			    number128 highest, diagram inside)
{
	struct interval item = { low, high };
	const struct interval_set values = { &item, 1, 1 };
	return choose(wanted, field, &values, highest, inside);
}

diagram wanted_range(struct wanted *wanted, enum walk_field field, number128 low, number128 high)
{
	return choose_range(wanted, field, low, high, walk_highest(field), TRUE_LEAF);
}

static diagram of_family(struct wanted *wanted, enum family family, diagram inside)
{
	return choose_range(wanted, WALK_FAMILY, family, family, walk_highest(WALK_FAMILY), inside);
}

diagram wanted_families(struct wanted *wanted, unsigned families)
{
	if (families == FAMILIES_BOTH)
		return TRUE_LEAF;
	if (families == FAMILIES_NONE)
		return FALSE_LEAF;
	return of_family(wanted, families == FAMILIES_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6, TRUE_LEAF);
}

static diagram family_addresses(struct wanted *wanted, const struct address_set *addresses, enum family family,
				enum walk_field field)
{
	return choose(wanted, field, address_set_family(addresses, family), family_highest(family), TRUE_LEAF);
}

diagram wanted_addresses(struct wanted *wanted, const struct address_set *addresses, enum walk_field field)
{
	return wanted_or(wanted,
			 of_family(wanted, FAMILY_IPV4, family_addresses(wanted, addresses, FAMILY_IPV4, field)),
			 of_family(wanted, FAMILY_IPV6, family_addresses(wanted, addresses, FAMILY_IPV6, field)));
}

/* A set that does not name what it holds has packets without an interface too. */
static struct interval_set interface_values(struct wanted *wanted, const struct interface_set *set)
{
	struct interval whole = { 0, DIAGRAM_HIGHEST };
	const struct interval_set all = { &whole, 1, 1 };
	struct interval_set named = { 0 };
	for (size_t i = 0; i < set->names_count; i++) {
		number128 number = walk_number_of_name(set->names[i]);
		interval_set_add(wanted->scratch, &named, number, number);
	}
	interval_set_normalise(&named);
	return set->is_complement ? interval_set_subtract(wanted->scratch, &all, &named) : named;
}

/* What was made of something, in a piece of the space; by `piece` 0 for all of them. */
struct made {
	diagram diagram;
	uint32_t piece;
};

static struct made *made_of(struct wanted *wanted, struct interned *table, const void *key, size_t length)
{
	void **slot = interned_slot(table, key, length);
	if (*slot == NULL) {
		struct made *made = arena_new_item(wanted->arena, struct made);
		made->diagram = DIAGRAM_OVER;
		*slot = made;
	}
	return *slot;
}

static bool is_made(const struct wanted *wanted, const struct made *made)
{
	return made->diagram != DIAGRAM_OVER && (made->piece == 0 || made->piece == wanted->piece);
}

/* The address of a variable part of memory as the key of what was made of it. */
static struct made *made_before(struct wanted *wanted, const void *of, unsigned what)
{
	struct {
		uintptr_t address;
		uintptr_t what;
	} key = { (uintptr_t)of, what };
	return made_of(wanted, wanted->predicates, &key, sizeof key);
}

diagram wanted_boxes(struct wanted *wanted, const struct place_boxes *boxes, enum walk_field side,
		     enum walk_field interface)
{
	struct made *known = made_before(wanted, boxes->boxes, side);
	if (boxes->boxes_count != 0 && is_made(wanted, known))
		return known->diagram;
	diagram any = FALSE_LEAF;
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		struct interval_set names = interface_values(wanted, &box->interfaces);
		diagram here = choose(wanted, interface, &names, DIAGRAM_HIGHEST, TRUE_LEAF);
		here = wanted_and(wanted, here, wanted_addresses(wanted, &box->addresses, side));
		any = wanted_or(wanted, any, here);
	}
	if (boxes->boxes_count != 0)
		*known = (struct made){ any, wanted->piece };
	return any;
}

static bool is_icmp(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

/* Ports, or type and code; whole ranges are no condition. */
static diagram tuple_numbers(struct wanted *wanted, const struct service_tuple *tuple, enum walk_field first)
{
	number128 highest = is_icmp(tuple->protocol) ? ICMP_HIGHEST : UINT16_MAX;
	diagram made = choose_range(wanted, WALK_SECOND, tuple->second.low, tuple->second.high, highest, TRUE_LEAF);
	return wanted_and(wanted, made, choose_range(wanted, first, tuple->first.low, tuple->first.high, highest,
						     TRUE_LEAF));
}

static diagram tuple_predicate(struct wanted *wanted, const struct service_tuple *tuple, enum walk_field first)
{
	diagram made = wanted_families(wanted, tuple->families);
	if (tuple->protocol == PROTOCOL_ANY)
		return made;
	made = wanted_and(wanted, made, wanted_range(wanted, WALK_PROTOCOL, tuple->protocol, tuple->protocol));
	return wanted_and(wanted, made, tuple_numbers(wanted, tuple, first));
}

static diagram services_on(struct wanted *wanted, const struct tuple_set *services, enum walk_field first)
{
	diagram *parts = pool_array(wanted->scratch, diagram, services->tuples_count);
	size_t count = services->tuples_count;
	for (size_t i = 0; i < count; i++)
		parts[i] = tuple_predicate(wanted, &services->tuples[i], first);
	diagram made = wanted_first_of(wanted, parts, count); /* of predicates: any of them */
	talloc_free(parts);
	return made;
}

#define TUPLE_NUMBERS 6

/* By what the tuples are: many rules have equal services. */
static struct made *services_before(struct wanted *wanted, const struct tuple_set *services)
{
	uint16_t *key = pool_array(wanted->scratch, uint16_t, services->tuples_count * TUPLE_NUMBERS);
	for (size_t i = 0; i < services->tuples_count; i++) {
		const struct service_tuple *tuple = &services->tuples[i];
		const uint16_t numbers[TUPLE_NUMBERS] = { tuple->protocol, tuple->families, tuple->first.low,
							  tuple->first.high, tuple->second.low,
							  tuple->second.high };
		memcpy(key + i * TUPLE_NUMBERS, numbers, sizeof numbers);
	}
	struct made *made = made_of(wanted, wanted->services, key,
				    services->tuples_count * TUPLE_NUMBERS * sizeof *key);
	talloc_free(key);
	return made;
}

diagram wanted_services(struct wanted *wanted, const struct tuple_set *services)
{
	if (services->tuples_count == 0)
		return FALSE_LEAF;
	struct made *known = made_before(wanted, services->tuples, WALK_FIRST);
	if (is_made(wanted, known))
		return known->diagram;
	struct made *equal = services_before(wanted, services);
	if (!is_made(wanted, equal))
		*equal = (struct made){ services_on(wanted, services, WALK_FIRST), wanted->piece };
	*known = *equal;
	return known->diagram;
}

void wanted_forget(struct wanted *wanted)
{
	talloc_free(wanted->scratch);
	wanted->scratch = pool_child(wanted, "wanted");
	wanted->piece++;
}

static diagram week_predicate(struct wanted *wanted, const struct interval_set *minutes)
{
	struct interval_set seconds = { 0 };
	for (size_t i = 0; i < minutes->items_count; i++)
		interval_set_add(wanted->scratch, &seconds, minutes->items[i].low * MINUTE_SECONDS,
				 minutes->items[i].high * MINUTE_SECONDS + MINUTE_SECONDS - 1);
	interval_set_normalise(&seconds);
	return choose(wanted, WALK_WEEK, &seconds, walk_highest(WALK_WEEK), TRUE_LEAF);
}

diagram wanted_translated(struct wanted *wanted)
{
	return wanted_and(wanted, wanted_range(wanted, WALK_STATE, WALK_NEW, WALK_RELATED),
			  wanted_range(wanted, WALK_TRANSLATED, 1, 1));
}

static diagram translated_predicate(struct wanted *wanted, const struct match *match)
{
	diagram made = wanted_translated(wanted);
	if (match->has_original_to)
		made = wanted_and(wanted, made,
				  wanted_addresses(wanted, &match->original->to, WALK_ORIGINAL_DESTINATION));
	if (match->original->services.tuples_count != 0)
		made = wanted_and(wanted, made,
				  services_on(wanted, &match->original->services, WALK_ORIGINAL_PORT));
	return made;
}

diagram wanted_conditions(struct wanted *wanted, const struct match *match)
{
	diagram made = TRUE_LEAF;
	if (match->minutes != NULL)
		made = wanted_and(wanted, made, week_predicate(wanted, match->minutes));
	if (match->until > 0)
		made = wanted_and(wanted, made,
				  wanted_range(wanted, WALK_TIME, 0, (number128)match->until * NANOSECONDS - 1));
	if (match->is_translated)
		made = wanted_and(wanted, made, translated_predicate(wanted, match));
	return made;
}

/* --- hooks ------------------------------------------------------------------------------------------ */

diagram wanted_frame(struct wanted *wanted, unsigned hook)
{
	bool has_in = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN || hook == NF_INET_FORWARD;
	bool has_out = hook == NF_INET_FORWARD || hook == NF_INET_LOCAL_OUT || hook == NF_INET_POST_ROUTING;
	diagram none_in = wanted_range(wanted, WALK_IN, 0, 0), none_out = wanted_range(wanted, WALK_OUT, 0, 0);
	diagram possible = has_out ? wanted_not(wanted, none_out) : none_out;
	if (hook != NF_INET_POST_ROUTING) /* there both kinds come by */
		possible = wanted_and(wanted, possible, has_in ? wanted_not(wanted, none_in) : none_in);
	return wanted_guard(wanted, wanted_not(wanted, possible),
			    wanted_leaf(wanted, (struct wanted_leaf){ .kind = WANTED_IMPOSSIBLE }));
}
