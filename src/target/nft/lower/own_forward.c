#include "target/nft/lower/own_forward.h"

#include "base/pool.h"

static bool is_own(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD && translation->applies_to_local;
}

static bool comes_from(const struct place_boxes *boxes, const struct place_boxes *from, enum family family)
{
	for (size_t i = 0; i < boxes->boxes_count; i++)
		for (size_t k = 0; k < from->boxes_count; k++)
			if (interval_set_overlaps(address_set_family(&boxes->boxes[i].addresses, family),
						  address_set_family(&from->boxes[k].addresses, family)))
				return true;
	return false;
}

/* Whether some box has the host; by_interface: one that asks for the interface. */
static bool holds_host(const struct place_boxes *to, const struct address *host, bool by_interface)
{
	for (size_t i = 0; i < to->boxes_count; i++)
		if (!(by_interface && interface_set_is_all(&to->boxes[i].interfaces)) &&
		    interval_set_contains(address_set_family(&to->boxes[i].addresses, host->family), host->value))
			return true;
	return false;
}

static bool judges(const struct rule *rule, const struct rule_translation *translation,
		   const struct tuple_set *services, bool by_interface)
{
	unsigned families = rule->match.families & translation->families;
	if (!tuple_set_overlaps(&rule->match.services, services))
		return false;
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		if ((families & (1u << family)) != 0 &&
		    comes_from(&rule->match.from, &translation->from, family) &&
		    holds_host(&rule->match.to, &translation->source->host[family], by_interface))
			return true;
	return false;
}

static bool is_plain_allow(const struct outcome *outcome)
{
	return outcome->verdict == VERDICT_ALLOW && !outcome->has_log && !outcome->has_count &&
	       outcome->limit == NULL && outcome->helper == NULL;
}

/* Whether the rule admits what the translation makes of the rule's services, so that no later rule sees it: another
 * `forward` to the same host may have taken a part. */
static bool admits(const struct rule *rule, const struct rule_translation *translation)
{
	const struct match *match = &rule->match;
	if (rule->identity->rule == NULL || rule->identity->rule->translation != translation->source)
		return false;
	return !match->has_original_to ||
	       (translation->source->has_at &&
		address_set_includes(&match->original->to, &translation->source->at));
}

static void report(struct lower *lower, const struct rule_translation *translation, const struct rule *rule)
{
	struct diagnostic *diagnostic =
		diag_add(lower->diags, CODE_NAT_OWN, translation->origin,
			 "this translates packets of the firewall itself, and an earlier rule asks by which "
			 "interface they leave, which the kernel does not know yet");
	diag_note(lower->diags, diagnostic, rule->origin, "the rule is here");
	diag_note(lower->diags, diagnostic, SPAN_NONE,
		  "write 'except self' behind its 'from', or the zones that it is for");
}

/* A rule that allows them, whatever it asks, does what the forward does, unless another stands between. */
static void check(struct lower *lower, const struct ruleset *ruleset, const struct rule_translation *translation)
{
	struct tuple_set services = tuple_set_to_port(lower->scratch, &translation->services,
							translation->source->port);
	const struct rule *asking = NULL;
	for (size_t i = 0; i < ruleset->rules_count[HOOK_OUTPUT] && services.tuples_count > 0; i++) {
		const struct rule *rule = ruleset->rules[HOOK_OUTPUT][i];
		bool is_plain = is_plain_allow(rule->outcome);
		if (admits(rule, translation) && (is_plain || asking == NULL)) {
			services = tuple_set_subtract(lower->scratch, &services, &rule->match.services);
			continue;
		}
		if (asking == NULL && judges(rule, translation, &services, true))
			asking = rule;
		if (asking != NULL && !is_plain && judges(rule, translation, &services, false)) {
			report(lower, translation, asking);
			return;
		}
	}
	if (asking != NULL && services.tuples_count > 0 && !is_plain_allow(ruleset->defaults[HOOK_OUTPUT]))
		report(lower, translation, asking);
}

void own_forwards_check(struct lower *lower)
{
	const struct ruleset *ruleset = lower->ruleset->written == NULL ? lower->ruleset : lower->ruleset->written;
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (is_own(ruleset->translations[i]))
			check(lower, ruleset, ruleset->translations[i]);
}
