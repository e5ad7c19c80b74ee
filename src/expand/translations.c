/* Translations see packets at other places than rules do: destinations before they are routed,
 * sources after. One statement makes one translation for packets that come in at an interface
 * (routed) and one for the firewall's own (local), or one for both where they are the same. */
#include "expand/translations.h"

#include "base/pool.h"
#include "expand/complain.h"
#include "expand/product.h"

struct halves {
	struct place_boxes routed_from, local_from;
	struct place_boxes routed_to, local_to;
};

static struct halves translation_halves(struct side_context *context,
					const struct translation *source)
{
	struct halves halves = {
		.routed_from = side_evaluate(context, source->from, HOOK_FORWARD, SIDE_FROM).all,
		.local_from = side_evaluate(context, source->from, HOOK_OUTPUT, SIDE_FROM).all,
		.routed_to = side_evaluate(context, source->to, HOOK_FORWARD, SIDE_TO).all,
		.local_to = side_evaluate(context, source->to, HOOK_OUTPUT, SIDE_TO).all,
	};
	struct place_boxes input;

	if (source->kind != TRANSLATION_FORWARD)
		return halves;
	/* before the routing decision, packets to the firewall and through it look alike */
	input = side_evaluate(context, source->from, HOOK_INPUT, SIDE_FROM).all;
	if (!place_boxes_equals(&input, &halves.routed_from))
		halves.routed_from = place_boxes_union(context->pool, &halves.routed_from, &input);
	return halves;
}

/* The families that the statement itself has, places aside. */
static unsigned translation_families(const struct translation *source)
{
	unsigned families = source->options.families;

	switch (source->kind) {
	case TRANSLATION_MASQUERADE:
		return families == FAMILIES_BOTH ? FAMILIES_IPV4 : families;
	case TRANSLATION_SNAT:
		return families & ((source->has_as[FAMILY_IPV4] ? FAMILIES_IPV4 : 0u) |
				   (source->has_as[FAMILY_IPV6] ? FAMILIES_IPV6 : 0u));
	case TRANSLATION_FORWARD:
		break;
	}
	families &= (source->has_host[FAMILY_IPV4] ? FAMILIES_IPV4 : 0u) |
		    (source->has_host[FAMILY_IPV6] ? FAMILIES_IPV6 : 0u);
	if (source->has_at)
		families &= address_set_families(&source->at);
	return families & tuples_families(&source->services);
}

/* One half; NULL if nothing is in it. */
static struct rule_translation *add_half(struct side_context *context, struct ruleset *ruleset,
					 const struct translation *source,
					 const struct place_boxes *from,
					 const struct place_boxes *to)
{
	unsigned families = translation_families(source) & boxes_families(from) &
			    boxes_families(to);
	struct rule_translation *half;

	if (families == FAMILIES_NONE)
		return NULL;
	half = arena_new_item(context->arena, struct rule_translation);
	*half = (struct rule_translation){
		.kind = source->kind,
		.source = source,
		.origin = source->span,
		.families = (uint8_t)families,
		.services = source->kind == TRANSLATION_FORWARD ? source->services :
			    tuple_set_any(context->pool),
		.from = boxes_in_families(context, from, families),
		.to = boxes_in_families(context, to, families),
	};
	*pool_append(ruleset, ruleset, translations) = half;
	return half;
}

static void report_empty(struct diags *diags, const struct translation *source,
			 const struct halves *halves)
{
	bool has_places = (halves->routed_from.boxes_count > 0 && halves->routed_to.boxes_count > 0) ||
			  (halves->local_from.boxes_count > 0 && halves->local_to.boxes_count > 0);

	if (side_has_empty_file(source->from) || side_has_empty_file(source->to))
		return;
	if (has_places)
		diag_add(diags, CODE_NAT_FAMILY, source->span,
			 "this translates nothing: its places and addresses have no address "
			 "family in common");
	else
		diag_add(diags, CODE_NAT_EMPTY, source->span,
			 "this translates nothing: no packet comes from there and goes there");
}

static void expand_translation(struct side_context *context, struct diags *diags,
			       struct identity_maker *maker, struct ruleset *ruleset,
			       const struct translation *source)
{
	struct halves halves = translation_halves(context, source);
	bool is_same = place_boxes_equals(&halves.routed_from, &halves.local_from) &&
		       place_boxes_equals(&halves.routed_to, &halves.local_to);
	struct rule_translation *parts[2];
	size_t count = 0;
	struct rule_translation *routed = add_half(context, ruleset, source, &halves.routed_from,
						   &halves.routed_to);
	struct rule_translation *local = is_same ? routed :
		add_half(context, ruleset, source, &halves.local_from, &halves.local_to);
	const struct identity *identity;
	unsigned families = FAMILIES_NONE;

	if (routed == NULL && local == NULL) {
		report_empty(diags, source, &halves);
		return;
	}
	if (routed != NULL) {
		routed->applies_to_routed = true;
		parts[count++] = routed;
	}
	if (local != NULL) {
		local->applies_to_local = true;
		if (local != routed)
			parts[count++] = local;
	}
	identity = identity_make_translation(maker, source, parts, count);
	for (size_t index = 0; index < count; index++) {
		parts[index]->identity = identity;
		families |= parts[index]->families;
	}
	if (source->kind != TRANSLATION_FORWARD) /* whose rule tells it */
		complain_places(context, diags, (struct named_places){ source->span, source->from, source->to },
				families);
}

void expand_translations(struct side_context *context, struct diags *diags,
			 struct identity_maker *maker, struct ruleset *ruleset)
{
	const struct policy *policy = ruleset->policy;

	for (size_t index = 0; index < policy->translations_count; index++)
		expand_translation(context, diags, maker, ruleset, policy->translations[index]);
}
