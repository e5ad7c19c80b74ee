#include "target/nft/lower/own_forward.h"

#include "base/pool.h"

static bool is_own(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD && translation->applies_to_local;
}

/* Packets of one family that no rule before has decided: what they ask for now, and where they were sent to. */
struct left_part {
	enum family family;
	struct tuple_set services;
	struct interval_set at;
};

struct left {
	struct left_part *parts;
	size_t parts_count, parts_capacity;
};

static struct tuple_set in_family(struct lower *lower, const struct tuple_set *services, enum family family)
{
	struct tuple_set any = tuple_set_any(lower->scratch);
	for (size_t i = 0; i < any.tuples_count; i++)
		any.tuples[i].families &= (uint8_t)(1u << family);
	return tuple_set_intersect(lower->scratch, services, &any);
}

static struct left left_all(struct lower *lower, const struct rule_translation *translation)
{
	const struct translation *source = translation->source;
	struct tuple_set services = tuple_set_to_port(lower->scratch, &translation->services, source->port);
	struct address_set all = address_set_all(lower->scratch);
	struct left left = { 0 };
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		if ((translation->families & (1u << family)) != 0)
			*pool_append(lower->scratch, &left, parts) = (struct left_part){
				family, in_family(lower, &services, family),
				*address_set_family(source->has_at ? &source->at : &all, family),
			};
	return left;
}

/* --- which rules judge them ------------------------------------------------------------------------------- */

static bool comes_from(const struct place_boxes *boxes, const struct place_boxes *from, enum family family)
{
	for (size_t i = 0; i < boxes->boxes_count; i++)
		for (size_t k = 0; k < from->boxes_count; k++)
			if (interval_set_overlaps(address_set_family(&boxes->boxes[i].addresses, family),
						  address_set_family(&from->boxes[k].addresses, family)))
				return true;
	return false;
}

enum asked { ASKED_ANYHOW, ASKED_BY_INTERFACE, ASKED_BY_ADDRESS };

/* Whether some box has the host, and asks for the interface, or does not. */
static bool holds_host(const struct place_boxes *to, const struct address *host, enum asked asked)
{
	for (size_t i = 0; i < to->boxes_count; i++) {
		bool is_open = interface_set_is_all(&to->boxes[i].interfaces);
		if ((asked == ASKED_ANYHOW || is_open == (asked == ASKED_BY_ADDRESS)) &&
		    interval_set_contains(address_set_family(&to->boxes[i].addresses, host->family), host->value))
			return true;
	}
	return false;
}

/* Where packets were sent to that the rule matches; NULL: anywhere. */
static const struct interval_set *sent_to(const struct rule *rule, enum family family)
{
	return rule->match.is_translated && rule->match.has_original_to
		       ? address_set_family(&rule->match.original->to, family) : NULL;
}

static bool judges_part(const struct rule *rule, const struct rule_translation *translation,
			const struct left_part *part, enum asked asked)
{
	const struct match *match = &rule->match;
	const struct interval_set *at = sent_to(rule, part->family);
	return (match->families & (1u << part->family)) != 0 &&
	       tuple_set_overlaps(&match->services, &part->services) &&
	       comes_from(&match->from, &translation->from, part->family) &&
	       (at == NULL || interval_set_overlaps(at, &part->at)) &&
	       holds_host(&match->to, &translation->source->host[part->family], asked);
}

static bool judges(const struct rule *rule, const struct rule_translation *translation, const struct left *left,
		   enum asked asked)
{
	for (size_t i = 0; i < left->parts_count; i++)
		if (judges_part(rule, translation, &left->parts[i], asked))
			return true;
	return false;
}

static bool is_plain_allow(const struct outcome *outcome)
{
	return outcome->verdict == VERDICT_ALLOW && !outcome->has_log && !outcome->has_count &&
	       outcome->limit == NULL && outcome->helper == NULL;
}

/* --- what a rule decides by itself --------------------------------------------------------------------------- */

/* Whether the rule matches whoever sends them. */
static bool covers_senders(struct lower *lower, const struct place_boxes *boxes, const struct place_boxes *from,
			   enum family family)
{
	struct interval_set rest = { 0 };
	for (size_t i = 0; i < from->boxes_count; i++)
		rest = interval_set_union(lower->scratch, &rest,
					  address_set_family(&from->boxes[i].addresses, family));
	for (size_t i = 0; i < boxes->boxes_count; i++)
		if (interface_set_is_all(&boxes->boxes[i].interfaces))
			rest = interval_set_subtract(lower->scratch, &rest,
						     address_set_family(&boxes->boxes[i].addresses, family));
	return interval_set_is_empty(&rest);
}

/* Whether it matches those of these services whatever else they are, but for where they were sent to. */
static bool is_for_all(struct lower *lower, const struct rule *rule, const struct rule_translation *translation,
		       const struct tuple_set *services, enum family family)
{
	const struct match *match = &rule->match;
	struct tuple_set others = { 0 };
	if (translation->source->port != 0)
		services = &translation->services;
	if (match->is_translated && match->original->services.tuples_count > 0)
		others = tuple_set_subtract(lower->scratch, services, &match->original->services);
	return (match->families & (1u << family)) != 0 && match->minutes == NULL && match->until == 0 &&
	       others.tuples_count == 0 &&
	       holds_host(&match->to, &translation->source->host[family], ASKED_BY_ADDRESS) &&
	       covers_senders(lower, &match->from, &translation->from, family);
}

static void keep(struct lower *lower, struct left *left, enum family family, struct tuple_set services,
		 struct interval_set at)
{
	if (services.tuples_count > 0 && !interval_set_is_empty(&at))
		*pool_append(lower->scratch, left, parts) = (struct left_part){ family, services, at };
}

/* Without what the rule decides by addresses alone: several forwards to one host each admit a part. */
static struct left without(struct lower *lower, const struct left *left, const struct rule *rule,
			   const struct rule_translation *translation)
{
	struct left rest = { 0 };
	for (size_t i = 0; i < left->parts_count; i++) {
		const struct left_part *part = &left->parts[i];
		const struct interval_set *to = sent_to(rule, part->family);
		struct tuple_set shared =
			tuple_set_intersect(lower->scratch, &part->services, &rule->match.services);
		if (shared.tuples_count == 0 || !is_for_all(lower, rule, translation, &shared, part->family)) {
			keep(lower, &rest, part->family, part->services, part->at);
			continue;
		}
		keep(lower, &rest, part->family,
		     tuple_set_subtract(lower->scratch, &part->services, &rule->match.services), part->at);
		if (to != NULL)
			keep(lower, &rest, part->family, shared,
			     interval_set_subtract(lower->scratch, &part->at, to));
	}
	return rest;
}

/* --- telling ------------------------------------------------------------------------------------------------- */

/* Is it for packets of others, too? */
static bool is_for_others(const struct ruleset *ruleset, const struct rule_translation *translation)
{
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (ruleset->translations[i]->source == translation->source &&
		    ruleset->translations[i]->applies_to_routed)
			return true;
	return false;
}

static bool is_any(const struct place_scope *from)
{
	return from == NULL || (from->outer == NULL && from->list->items_count == 1 &&
				from->list->items[0].kind == PLACE_ANY && from->list->excepts_count == 0);
}

static const char *way_out(const struct ruleset *ruleset, const struct rule_translation *translation)
{
	if (!is_for_others(ruleset, translation))
		return "put it before that rule, or name addresses there in place of the zone";
	if (is_any(translation->source->from))
		return "write 'except self' behind its 'from', or the zones that it is for";
	return "where it is for packets of others alone, take 'self' out of its 'from' with 'except'; else put it "
	       "before that rule, or name addresses there in place of the zone";
}

static void report(struct lower *lower, const struct ruleset *ruleset, const struct rule_translation *translation,
		   const struct rule *rule)
{
	struct diagnostic *diagnostic =
		diag_add(lower->diags, CODE_NAT_OWN, translation->origin,
			 "this translates packets of the firewall itself, and an earlier rule asks by which "
			 "interface they leave, which the kernel does not know yet");
	diag_note(lower->diags, diagnostic, rule->origin, "the rule is here");
	diag_note(lower->diags, diagnostic, SPAN_NONE, "%s", way_out(ruleset, translation));
}

/* A rule that allows them, whatever it asks, does what the forward does, unless another stands between. */
static void check(struct lower *lower, const struct ruleset *ruleset, const struct rule_translation *translation)
{
	struct left left = left_all(lower, translation);
	const struct rule *asking = NULL;
	for (size_t i = 0; i < ruleset->rules_count[HOOK_OUTPUT] && left.parts_count > 0; i++) {
		const struct rule *rule = ruleset->rules[HOOK_OUTPUT][i];
		bool is_plain = is_plain_allow(rule->outcome);
		if (asking == NULL && judges(rule, translation, &left, ASKED_BY_INTERFACE))
			asking = rule;
		if (asking != NULL && !is_plain && judges(rule, translation, &left, ASKED_ANYHOW)) {
			report(lower, ruleset, translation, asking);
			return;
		}
		left = without(lower, &left, rule, translation);
	}
	if (asking != NULL && left.parts_count > 0 && !is_plain_allow(ruleset->defaults[HOOK_OUTPUT]))
		report(lower, ruleset, translation, asking);
}

void own_forwards_check(struct lower *lower)
{
	const struct ruleset *ruleset = lower->ruleset->written == NULL ? lower->ruleset : lower->ruleset->written;
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (is_own(ruleset->translations[i]))
			check(lower, ruleset, ruleset->translations[i]);
}
