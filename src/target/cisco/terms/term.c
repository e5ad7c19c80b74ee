/* Rules of input and forward as one list.
 *
 * A packet to an address that reaches the router is judged by the rules of input, any other by those
 * of forward. Without a device it is not known which addresses these are: what zones name is taken for
 * forwarded, and elsewhere both hooks have to say the same. */
#include "target/cisco/terms/term.h"

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/terms/refuse.h"
#include "target/cisco/terms/nat.h"

struct collector {
	void *pool;
	struct arena *arena;
	struct diags *diags;
	const struct ios_vantage *vantage;
	const struct interval_set *own;  /* input: cut to these; NULL: not known */
	const struct interval_set *zoned; /* without a device: certainly forwarded */
	struct interned *cuts;           /* set -> its part, for each of the cuts below */
	struct ios_terms *terms;
	bool is_good;
};

const struct interval_set *ios_whole(enum family family)
{
	static struct interval v4 = { 0, UINT32_MAX };
	static struct interval v6 = { 0, ~(number128)0 };
	static const struct interval_set whole[] = { { &v4, 1, 1 }, { &v6, 1, 1 } };

	return &whole[family];
}

/* --- sets ------------------------------------------------------------------------------------- */

enum cut { CUT_OWN, CUT_NOT_OWN, CUT_NOT_ZONED, CUT_FAR };

struct cut_key {
	const struct interval *items;
	size_t count;
	enum cut cut;
	uint32_t padding;
};

static struct interval_set cut_apply(struct collector *collector, const struct interval_set *set, enum cut cut)
{
	void *pool = collector->pool;

	switch (cut) {
	case CUT_OWN:
		return interval_set_intersect(pool, set, collector->own);
	case CUT_NOT_OWN:
		return interval_set_subtract(pool, set, collector->own);
	case CUT_NOT_ZONED:
		return interval_set_subtract(pool, set, collector->zoned);
	case CUT_FAR:
		break;
	}
	return interval_set_intersect(pool, set, address_set_family(&collector->vantage->far,
								     collector->vantage->family));
}

/* What is taken away is often nothing, or all of it. NULL: it has to be worked out. */
static const struct interval_set *cut_plainly(const struct interval_set *set, const struct interval_set *without)
{
	static const struct interval_set nothing = { 0 };

	if (set->items_count == 0 || without->items_count == 0)
		return set;
	return without->items_count == 1 && without->items[0].low <= set->items[0].low &&
	       set->items[set->items_count - 1].high <= without->items[0].high ? &nothing : NULL;
}

/* Rules share their sets: each is cut once. */
static const struct interval_set *cut_set(struct collector *collector, const struct interval_set *set,
					  enum cut cut)
{
	struct cut_key key = { set->items, set->items_count, cut, 0 };
	const struct interval_set *plain = cut != CUT_NOT_OWN && cut != CUT_NOT_ZONED ? NULL :
		cut_plainly(set, cut == CUT_NOT_OWN ? collector->own : collector->zoned);
	void **slot;

	if (plain != NULL)
		return plain;
	slot = interned_slot(collector->cuts, &key, sizeof key);
	if (*slot == NULL) {
		struct interval_set part = cut_apply(collector, set, cut);

		*slot = arena_copy(collector->arena, &part, sizeof part);
	}
	return *slot;
}

static bool sets_equal(const struct interval_set *a, const struct interval_set *b)
{
	return (a->items == b->items && a->items_count == b->items_count) || interval_set_equals(a, b);
}

/* The addresses of all boxes that packets from this interface, or to anywhere, can have. */
static const struct interval_set *boxes_addresses(struct collector *collector, const struct place_boxes *boxes,
						  const char *interface)
{
	enum family family = collector->vantage->family;
	const struct interval_set *only = NULL;
	struct interval_set *sum = NULL;

	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];
		const struct interval_set *set = address_set_family(&box->addresses, family);

		if (set->items_count == 0 ||
		    (interface != NULL && !interface_set_contains(&box->interfaces, interface)))
			continue;
		if (only == NULL) {
			only = set;
			continue;
		}
		if (sum == NULL) {
			sum = arena_new_item(collector->arena, struct interval_set);
			*sum = *only;
		}
		*sum = interval_set_union(collector->pool, sum, set);
	}
	return sum != NULL ? sum : only;
}

static bool has_family(const struct tuple_set *services, enum family family)
{
	unsigned bit = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;

	for (size_t index = 0; index < services->tuples_count; index++)
		if ((services->tuples[index].families & bit) != 0)
			return true;
	return false;
}

/* --- one rule of the policy ------------------------------------------------------------------- */

/* NULL sets: the rule says nothing here. */
static struct ios_term term_of(struct collector *collector, const struct rule *rule)
{
	const struct ios_vantage *vantage = collector->vantage;
	struct ios_term term = {
		.rule = rule,
		.outcome = rule->outcome,
		.identity = rule->identity,
		.origin = rule->origin,
		.services = &rule->match.services,
		.is_pinned = rule->outcome->has_log || rule->outcome->has_count,
	};

	if ((rule->match.families & (vantage->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6)) == 0 ||
	    !has_family(&rule->match.services, vantage->family))
		return term;
	term.from = boxes_addresses(collector, &rule->match.from, vantage->interface);
	if (term.from != NULL && !address_set_is_empty(&vantage->far))
		term.from = cut_set(collector, term.from, CUT_FAR);
	term.to = boxes_addresses(collector, &rule->match.to, NULL);
	return term;
}

static bool term_is_empty(const struct ios_term *term)
{
	return term->from == NULL || term->to == NULL || term->from->items_count == 0 ||
	       term->to->items_count == 0;
}

static void add_term(struct collector *collector, const struct ios_term *term)
{
	if (!term_is_empty(term))
		*pool_append(collector->pool, collector->terms, terms) = *term;
}

static bool differ_in_place_only(const struct ios_term *a, const struct ios_term *b)
{
	return sets_equal(a->from, b->from) &&
	       (a->services == b->services || tuple_set_equals(a->services, b->services)) &&
	       a->rule->match.is_translated == b->rule->match.is_translated;
}

/* The parts of one rule in both hooks. */
struct parts {
	struct rule *const *rules[2]; /* input, forward */
	size_t count[2];
};

static const struct interval_set *joined(struct collector *collector, const struct interval_set *a,
					 const struct interval_set *b)
{
	struct interval_set sum;

	if (sets_equal(a, b) || b->items_count == 0)
		return a;
	if (a->items_count == 0)
		return b;
	sum = interval_set_union(collector->pool, a, b);
	return arena_copy(collector->arena, &sum, sizeof sum);
}

/* With a device: where both hooks have the same sources and services, one term. */
static void add_known(struct collector *collector, const struct parts *parts)
{
	bool is_taken[64] = { 0 };

	for (size_t index = 0; index < parts->count[0]; index++) {
		struct ios_term input = term_of(collector, parts->rules[0][index]);

		if (term_is_empty(&input) || input.rule->match.is_translated)
			continue;
		const struct interval_set *all = input.to;

		input.to = cut_set(collector, input.to, CUT_OWN);
		for (size_t other = 0; other < parts->count[1] && other < 64; other++) {
			struct ios_term forward = term_of(collector, parts->rules[1][other]);

			if (is_taken[other] || term_is_empty(&forward) || !differ_in_place_only(&input, &forward))
				continue;
			is_taken[other] = true;
			input.to = sets_equal(all, forward.to) ? all :
				   joined(collector, cut_set(collector, forward.to, CUT_NOT_OWN), input.to);
			break;
		}
		add_term(collector, &input);
	}
	for (size_t index = 0; index < parts->count[1]; index++) {
		struct ios_term forward = term_of(collector, parts->rules[1][index]);

		if ((index < 64 && is_taken[index]) || term_is_empty(&forward) ||
		    forward.rule->match.is_translated)
			continue;
		forward.to = cut_set(collector, forward.to, CUT_NOT_OWN);
		add_term(collector, &forward);
	}
}

/* Whether the other hook has the same term outside of what zones name. */
static bool has_twin(struct collector *collector, const struct rule *rule, struct rule *const *others,
		     size_t count)
{
	struct ios_term term = term_of(collector, rule);

	if (term_is_empty(&term))
		return true;
	const struct interval_set *to = cut_set(collector, term.to, CUT_NOT_ZONED);

	for (size_t index = 0; to->items_count > 0 && index < count; index++) {
		struct ios_term other = term_of(collector, others[index]);

		if (!term_is_empty(&other) && differ_in_place_only(&term, &other) &&
		    sets_equal(to, cut_set(collector, other.to, CUT_NOT_ZONED)))
			return true;
	}
	return to->items_count == 0;
}

static bool hooks_agree(struct collector *collector, const struct parts *parts)
{
	for (unsigned hook = 0; hook < 2; hook++)
		for (size_t index = 0; index < parts->count[hook]; index++)
			if (!has_twin(collector, parts->rules[hook][index], parts->rules[1 - hook],
				      parts->count[1 - hook]))
				return false;
	return true;
}

static void add_unknown(struct collector *collector, const struct parts *parts)
{
	if (parts->count[1] == 0) {
		refuse_self(collector->diags, parts->rules[0][0]);
		collector->is_good = false;
		return;
	}
	if (!hooks_agree(collector, parts)) {
		refuse_difference(collector->diags, parts->rules[1][0]);
		collector->is_good = false;
		return;
	}
	for (size_t index = 0; index < parts->count[1]; index++) {
		struct ios_term forward = term_of(collector, parts->rules[1][index]);

		add_term(collector, &forward);
	}
}

static void add_parts(struct collector *collector, const struct parts *parts)
{
	for (unsigned hook = 0; hook < 2; hook++)
		for (size_t index = 0; index < parts->count[hook]; index++)
			if (!refuse_rule(collector->diags, collector->vantage, parts->rules[hook][index])) {
				collector->is_good = false;
				return;
			}
	collector->terms->rules_count++;
	if (collector->vantage->device != NULL)
		add_known(collector, parts);
	else
		add_unknown(collector, parts);
}

/* --- all rules -------------------------------------------------------------------------------- */

static size_t run_length(struct rule *const *rules, size_t count)
{
	size_t length = count > 0 ? 1 : 0;

	while (length < count && rules[length]->identity == rules[0]->identity)
		length++;
	return length;
}

static void collect_rules(struct collector *collector)
{
	const struct ruleset *ruleset = collector->vantage->ruleset;
	struct rule *const *input = ruleset->rules[HOOK_INPUT];
	struct rule *const *forward = ruleset->rules[HOOK_FORWARD];
	size_t input_left = ruleset->rules_count[HOOK_INPUT], forward_left = ruleset->rules_count[HOOK_FORWARD];

	while (input_left > 0 || forward_left > 0) {
		struct parts parts = { { input, forward }, { 0, 0 } };
		size_t input_number = input_left > 0 ? input[0]->identity->rule->number : SIZE_MAX;
		size_t forward_number = forward_left > 0 ? forward[0]->identity->rule->number : SIZE_MAX;

		if (input_number <= forward_number)
			parts.count[0] = run_length(input, input_left);
		if (forward_number <= input_number)
			parts.count[1] = run_length(forward, forward_left);
		add_parts(collector, &parts);
		/* a hook without rules has no array, and NULL takes no offset */
		if (parts.count[0] > 0)
			input += parts.count[0];
		if (parts.count[1] > 0)
			forward += parts.count[1];
		input_left -= parts.count[0];
		forward_left -= parts.count[1];
	}
}

static const struct tuple_set *every_service(void)
{
	static struct service_tuple any = { PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } };
	static const struct tuple_set every = { &any, 1, 1 };

	return &every;
}

static struct ios_term default_term(const struct collector *collector, enum hook hook)
{
	const struct ruleset *ruleset = collector->vantage->ruleset;
	const struct policy_default *source = &ruleset->policy->defaults[hook];

	return (struct ios_term){
		.outcome = ruleset->defaults[hook],
		.identity = ruleset->default_identities[hook],
		.origin = source->is_written ? source->span : SPAN_NONE,
		.from = ios_whole(collector->vantage->family),
		.to = ios_whole(collector->vantage->family),
		.services = every_service(),
		.is_pinned = ruleset->defaults[hook]->has_log || ruleset->defaults[hook]->has_count,
	};
}

static bool is_same_default(const struct outcome *a, const struct outcome *b)
{
	return (a->verdict == VERDICT_ALLOW) == (b->verdict == VERDICT_ALLOW) && a->has_log == b->has_log &&
	       a->has_count == b->has_count;
}

static void collect_defaults(struct collector *collector)
{
	struct ios_term input = default_term(collector, HOOK_INPUT);
	struct ios_term forward = default_term(collector, HOOK_FORWARD);
	const struct ruleset *ruleset = collector->vantage->ruleset;
	bool has_input = collector->own != NULL && collector->own->items_count > 0;
	const struct interval_set *elsewhere = collector->vantage->device != NULL ? NULL :
		cut_set(collector, ios_whole(collector->vantage->family), CUT_NOT_ZONED);

	if (is_same_default(input.outcome, forward.outcome)) {
		add_term(collector, &forward);
		return;
	}
	if (has_input) {
		input.to = collector->own;
		add_term(collector, &input);
	} else if (elsewhere != NULL && elsewhere->items_count > 0) {
		refuse_defaults(collector->diags, ruleset->policy);
		collector->is_good = false;
	}
	add_term(collector, &forward);
}

/* Without a device: the addresses that zones name. */
static const struct interval_set *zoned_addresses(struct collector *collector)
{
	const struct policy *policy = collector->vantage->ruleset->policy;
	struct interval_set *sum = arena_new_item(collector->arena, struct interval_set);

	for (size_t index = 0; index < policy->zones_count; index++) {
		const struct interval_set *set =
			policy->zones[index]->has_networks ?
			boxes_addresses(collector, &policy->zones[index]->routed_to, NULL) : NULL;

		if (set != NULL)
			*sum = interval_set_union(collector->pool, sum, set);
	}
	return sum;
}

bool terms_collect(void *pool, struct diags *diags, const struct ios_vantage *vantage, struct ios_terms *terms)
{
	struct arena *arena = arena_new(pool);
	struct collector collector = {
		.pool = pool,
		.arena = arena,
		.diags = diags,
		.vantage = vantage,
		.own = vantage->device == NULL ? NULL : address_set_family(&vantage->own, vantage->family),
		.cuts = interned_new(pool, arena),
		.terms = terms,
		.is_good = true,
	};

	if (vantage->device == NULL)
		collector.zoned = zoned_addresses(&collector);
	else if (vantage->is_outside)
		terms_translated(pool, vantage, terms);
	collect_rules(&collector);
	collect_defaults(&collector);
	return collector.is_good;
}
