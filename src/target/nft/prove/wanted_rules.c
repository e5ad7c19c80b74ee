/* What the rules of a hook want. Most have only addresses, protocols and ports, and a plain verdict: those that
 * stand together are boxes, put into one diagram at once (walk/boxes.h). The same rules stand in several hooks of a
 * policy that names no zones: they are looked at once. */
#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/walk/boxes.h"
#include "target/nft/prove/wanted.h"

#define BOXES_A_RULE 256 /* a rule of more is put together by its parts */

/* --- one rule --------------------------------------------------------------------------------------- */

/* Does anything but the verdict show whose rule it was? */
static bool is_plain(const struct outcome *outcome)
{
	return !outcome->has_log && !outcome->has_count && outcome->limit == NULL && outcome->helper == NULL;
}

static diagram outcome_leaf(struct wanted *wanted, struct wanted_leaf leaf)
{
	static const struct outcome plain[] = {
		[VERDICT_ALLOW] = { .verdict = VERDICT_ALLOW },
		[VERDICT_DENY] = { .verdict = VERDICT_DENY },
		[VERDICT_REJECT] = { .verdict = VERDICT_REJECT },
	};
	leaf.kind = WANTED_RULE;
	if (is_plain(leaf.outcome)) {
		leaf.outcome = &plain[leaf.outcome->verdict];
		leaf.identity = NULL;
	}
	return wanted_leaf(wanted, leaf);
}

/* A refusal of tcp is a reset; a limit per source has a set a family. */
static diagram outcome_meaning(struct wanted *wanted, const struct outcome *outcome,
			       const struct identity *identity)
{
	struct wanted_leaf leaf = { .outcome = outcome, .identity = identity };
	if (outcome->verdict == VERDICT_REJECT) {
		leaf.is_reset = true;
		diagram tcp = wanted_range(wanted, WALK_PROTOCOL, PROTOCOL_TCP, PROTOCOL_TCP);
		diagram reset = wanted_guard(wanted, tcp, outcome_leaf(wanted, leaf));
		leaf.is_reset = false;
		return wanted_first(wanted, reset, outcome_leaf(wanted, leaf));
	}
	if (outcome->limit == NULL || !outcome->limit->is_per_source)
		return outcome_leaf(wanted, leaf);
	leaf.family = FAMILY_IPV4;
	diagram ipv4 = wanted_guard(wanted, wanted_families(wanted, FAMILIES_IPV4), outcome_leaf(wanted, leaf));
	leaf.family = FAMILY_IPV6;
	return wanted_first(wanted, ipv4, outcome_leaf(wanted, leaf));
}

static diagram rule_meaning(struct wanted *wanted, const struct rule *rule)
{
	const struct match *match = &rule->match;
	/* what many rules have alike, and what few have */
	diagram served = wanted_guard(wanted, wanted_services(wanted, &match->services),
				      outcome_meaning(wanted, rule->outcome, rule->identity));
	diagram holds = wanted_boxes(wanted, &match->from, WALK_SOURCE, WALK_IN);
	holds = wanted_and(wanted, holds, wanted_boxes(wanted, &match->to, WALK_DESTINATION, WALK_OUT));
	holds = wanted_and(wanted, holds, wanted_families(wanted, match->families));
	holds = wanted_and(wanted, holds, wanted_conditions(wanted, match));
	return wanted_guard(wanted, holds, served);
}

/* --- boxes ------------------------------------------------------------------------------------------ */

enum box_field { BOX_FAMILY, BOX_PROTOCOL, BOX_DESTINATION, BOX_FIRST, BOX_SOURCE, BOX_FIELDS };

static const enum walk_field box_fields[BOX_FIELDS] = {
	[BOX_FAMILY] = WALK_FAMILY, [BOX_PROTOCOL] = WALK_PROTOCOL, [BOX_DESTINATION] = WALK_DESTINATION,
	[BOX_FIRST] = WALK_FIRST, [BOX_SOURCE] = WALK_SOURCE,
};

/* Rules that follow each other. */
struct run {
	struct wanted *wanted;
	struct walk_boxes boxes;
	size_t places[BOX_FIELDS]; /* of the fields in a box */
	const struct rule **rules;
	size_t rules_count, rules_capacity;
};

static struct run run_of(struct wanted *wanted)
{
	const struct walk_space *space = wanted->space;
	struct run run = {
		.wanted = wanted, .boxes = { .pool = wanted->scratch, .fields_count = BOX_FIELDS },
	};
	for (size_t i = 0; i < BOX_FIELDS; i++) {
		for (size_t k = 0; k < BOX_FIELDS; k++)
			run.places[i] += walk_rank(space, box_fields[k]) < walk_rank(space, box_fields[i]);
		run.boxes.ranks[run.places[i]] = walk_rank(space, box_fields[i]);
	}
	return run;
}

/* false: no packet of the piece. */
static bool add_row(const struct run *run, struct walk_box *box, enum box_field field, struct interval values,
		    number128 highest)
{
	struct interval *row = &box->rows[run->places[field]];
	*row = values;
	return walk_box_row(run->wanted->space, run->boxes.ranks[run->places[field]], row, highest);
}

static number128 first_highest(const struct service_tuple *tuple)
{
	bool is_icmp = tuple->protocol == PROTOCOL_ICMP || tuple->protocol == PROTOCOL_ICMP6;
	return is_icmp ? UINT8_MAX : UINT16_MAX;
}

static bool add_service_rows(const struct run *run, struct walk_box *box, const struct service_tuple *tuple)
{
	const struct interval whole = { 0, DIAGRAM_HIGHEST }, protocol = { tuple->protocol, tuple->protocol },
			      first = { tuple->first.low, tuple->first.high };
	if (tuple->protocol == PROTOCOL_ANY)
		return add_row(run, box, BOX_PROTOCOL, whole, DIAGRAM_HIGHEST) &&
		       add_row(run, box, BOX_FIRST, whole, DIAGRAM_HIGHEST);
	return add_row(run, box, BOX_PROTOCOL, protocol, walk_highest(WALK_PROTOCOL)) &&
	       add_row(run, box, BOX_FIRST, first, first_highest(tuple));
}

static void add_services(struct run *run, struct walk_box *box, const struct rule *rule, enum family family)
{
	const struct tuple_set *services = &rule->match.services;
	unsigned bit = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	for (size_t i = 0; i < services->tuples_count; i++)
		if ((services->tuples[i].families & bit) != 0 && add_service_rows(run, box, &services->tuples[i]))
			*pool_append(run->boxes.pool, &run->boxes, items) = *box;
}

static void add_addresses(struct run *run, struct walk_box *box, const struct rule *rule, enum family family)
{
	const struct match *match = &rule->match;
	const struct interval_set *to = address_set_family(&match->to.boxes[0].addresses, family);
	const struct interval_set *from = address_set_family(&match->from.boxes[0].addresses, family);
	for (size_t i = 0; i < to->items_count; i++)
		for (size_t k = 0; k < from->items_count; k++)
			if (add_row(run, box, BOX_DESTINATION, to->items[i], family_highest(family)) &&
			    add_row(run, box, BOX_SOURCE, from->items[k], family_highest(family)))
				add_services(run, box, rule, family);
}

static size_t boxes_most(const struct match *match)
{
	size_t count = 0;
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		count += address_set_family(&match->to.boxes[0].addresses, family)->items_count *
			 address_set_family(&match->from.boxes[0].addresses, family)->items_count;
	return count * match->services.tuples_count;
}

static bool has_source_ports(const struct tuple_set *services)
{
	for (size_t i = 0; i < services->tuples_count; i++) {
		const struct service_tuple *tuple = &services->tuples[i];
		if (tuple->protocol != PROTOCOL_ANY &&
		    (tuple->second.low != 0 || tuple->second.high < first_highest(tuple)))
			return true;
	}
	return false;
}

static bool is_anywhere(const struct place_boxes *places)
{
	return places->boxes_count == 1 && interface_set_is_all(&places->boxes[0].interfaces);
}

/* Is it a few boxes of these fields? */
static bool is_simple(const struct rule *rule)
{
	const struct match *match = &rule->match;
	return match->minutes == NULL && match->until <= 0 && !match->is_translated && is_anywhere(&match->from) &&
	       is_anywhere(&match->to) && !has_source_ports(&match->services) && boxes_most(match) <= BOXES_A_RULE;
}

/* false: it is none of the run's. */
static bool run_add(struct run *run, const struct rule *rule)
{
	struct walk_box box = { .inside = DIAGRAM_OVER };
	if (!is_simple(rule))
		return false;
	box.inside = outcome_meaning(run->wanted, rule->outcome, rule->identity);
	if (!diagram_is_leaf(box.inside) || box.inside == DIAGRAM_OVER)
		return false;
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		unsigned bit = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
		const struct interval row = { family, family };
		if ((rule->match.families & bit) != 0 &&
		    add_row(run, &box, BOX_FAMILY, row, walk_highest(WALK_FAMILY)))
			add_addresses(run, &box, rule, family);
	}
	*pool_append(run->boxes.pool, run, rules) = rule;
	return true;
}

/* What the run's rules want; it is empty then. */
static diagram run_end(struct run *run)
{
	struct wanted *wanted = run->wanted;
	diagram made = diagram_leaf(0);
	if (run->rules_count == 1 || !walk_boxes_meaning(wanted->space, &run->boxes, diagram_leaf(0), &made)) {
		diagram *meanings = pool_array(wanted->scratch, diagram, run->rules_count);
		for (size_t i = 0; i < run->rules_count; i++)
			meanings[i] = rule_meaning(wanted, run->rules[i]);
		made = wanted_first_of(wanted, meanings, run->rules_count);
		talloc_free(meanings);
	}
	run->boxes.items_count = run->rules_count = 0;
	return made;
}

/* --- a hook ----------------------------------------------------------------------------------------- */

static diagram rules_of_hook(struct wanted *wanted, enum hook hook)
{
	struct rule *const *rules = wanted->ruleset->rules[hook];
	const uint32_t *met = wanted->rules[hook]; /* by the piece of the space */
	size_t count = met != NULL ? wanted->rules_count[hook] : wanted->ruleset->rules_count[hook], made = 0;
	diagram *meanings = pool_array(wanted->scratch, diagram, count + 1);
	struct run run = run_of(wanted);
	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = rules[met != NULL ? met[i] : i];
		if (run_add(&run, rule))
			continue;
		if (run.rules_count != 0)
			meanings[made++] = run_end(&run);
		meanings[made++] = rule_meaning(wanted, rule);
	}
	if (run.rules_count != 0)
		meanings[made++] = run_end(&run);
	diagram all = wanted_first_of(wanted, meanings, made);
	talloc_free(meanings);
	return all;
}

static bool places_are_one(const struct place_boxes *a, const struct place_boxes *b)
{
	return a->boxes == b->boxes && a->boxes_count == b->boxes_count;
}

static bool are_alike(const struct rule *a, const struct rule *b)
{
	const struct match *one = &a->match, *other = &b->match;
	return a->outcome == b->outcome && a->identity == b->identity && one->families == other->families &&
	       !one->is_translated && !other->is_translated && one->minutes == other->minutes &&
	       one->until == other->until && one->services.tuples == other->services.tuples &&
	       one->services.tuples_count == other->services.tuples_count &&
	       places_are_one(&one->from, &other->from) && places_are_one(&one->to, &other->to);
}

/* The first hook with the same rules. */
static enum hook hook_like(const struct ruleset *ruleset, enum hook hook)
{
	for (enum hook other = HOOK_INPUT; other < hook; other++) {
		size_t count = ruleset->rules_count[hook], i = 0;
		if (ruleset->rules_count[other] != count)
			continue;
		while (i < count && are_alike(ruleset->rules[hook][i], ruleset->rules[other][i]))
			i++;
		if (i == count)
			return other;
	}
	return hook;
}

static void find_likes(struct wanted *wanted)
{
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT && !wanted->has_likes; hook++)
		wanted->likes[hook] = hook_like(wanted->ruleset, hook);
	wanted->has_likes = true;
}

diagram wanted_rules(struct wanted *wanted, enum hook hook)
{
	find_likes(wanted);
	enum hook like = wanted->rules[wanted->likes[hook]] == wanted->rules[hook] ? wanted->likes[hook] : hook;
	struct wanted_made *known = &wanted->rules_made[like];
	if (!known->is_made || known->piece != wanted->piece)
		*known = (struct wanted_made){ true, wanted->piece, rules_of_hook(wanted, like) };
	return wanted_first(wanted, known->meaning,
			    outcome_meaning(wanted, wanted->ruleset->defaults[hook],
					    wanted->ruleset->default_identities[hook]));
}
