/* The reasons, from the most special to the most general. */
#include "expand/complain.h"

#include <string.h>

#include "expand/product.h"

static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

/* The hooks' values of a side, families aside. */
static unsigned families_anywhere(struct side_context *context, const struct place_scope *scope,
				  enum side side)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < HOOK_COUNT; index++) {
		struct side_value value = side_evaluate(context, scope, hooks[index], side);

		families |= boxes_families(&value.all);
	}
	return families;
}

static const char *family_words(unsigned families)
{
	static const char *const words[] = { "no address", "only IPv4", "only IPv6", "both families" };

	return words[families & FAMILIES_BOTH];
}

static unsigned rule_service_families(const struct policy_rule *rule)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < rule->services_count; index++)
		families |= tuples_families(&rule->services[index].tuples);
	return families;
}

/* A side whose own list has packets, but none inside the block. */
static bool complain_block(struct side_context *context, struct diags *diags,
			   const struct policy_rule *rule, const struct place_scope *scope,
			   enum side side)
{
	struct diagnostic *diagnostic;
	struct place_scope own;

	if (scope == NULL || scope->outer == NULL ||
	    families_anywhere(context, scope, side) != FAMILIES_NONE)
		return false;
	own = (struct place_scope){ .list = scope->list };
	if (families_anywhere(context, &own, side) == FAMILIES_NONE)
		return false;
	diagnostic = diag_add(diags, CODE_BLOCK_EMPTY, scope->list->span,
			      "these places lie outside the block: the rule matches nothing");
	diag_note(diags, diagnostic, scope->outer->list->span, "the block's places");
	(void)rule;
	return true;
}

/* The source's families without what zones have on input alone. */
static unsigned source_families(struct side_context *context, const struct place_scope *scope)
{
	struct side_value forward = side_evaluate(context, scope, HOOK_FORWARD, SIDE_FROM);
	struct side_value output = side_evaluate(context, scope, HOOK_OUTPUT, SIDE_FROM);

	return boxes_families(&forward.all) | boxes_families(&output.all);
}

bool complain_families(struct side_context *context, struct diags *diags,
		       const struct policy_rule *rule)
{
	unsigned from = source_families(context, rule->from);
	unsigned to = families_anywhere(context, rule->to, SIDE_TO);
	unsigned services = rule_service_families(rule);
	struct diagnostic *diagnostic;

	if (from == 0 || to == 0 || services == 0 ||
	    (from & to & services & rule->options.families) != 0)
		return false;
	diagnostic = diag_add(diags, CODE_FAMILY_MISMATCH, rule->span,
			      "the rule matches nothing: its parts have no address family in common");
	if (rule->from != NULL)
		diag_note(diags, diagnostic, rule->from->list->span, "the source has %s",
			  family_words(from));
	if (rule->to != NULL)
		diag_note(diags, diagnostic, rule->to->list->span, "the destination has %s",
			  family_words(to));
	if (services != FAMILIES_BOTH)
		diag_note(diags, diagnostic, SPAN_NONE, "the services have %s", family_words(services));
	if (rule->options.families != FAMILIES_BOTH)
		diag_note(diags, diagnostic, SPAN_NONE, "the rule asks for %s",
			  family_words(rule->options.families));
	return true;
}

void complain_empty(struct side_context *context, struct diags *diags,
		    const struct policy_rule *rule)
{
	struct diagnostic *diagnostic;

	if (side_has_empty_file(rule->from) || side_has_empty_file(rule->to))
		return; /* `or empty` asked for it, and a note said so */
	if (complain_block(context, diags, rule, rule->from, SIDE_FROM) ||
	    complain_block(context, diags, rule, rule->to, SIDE_TO) ||
	    complain_families(context, diags, rule))
		return;
	diagnostic = diag_add(diags, CODE_RULE_EMPTY, rule->span,
			      "the rule matches nothing: no packet comes from there and goes there");
	diag_note(diags, diagnostic, SPAN_NONE,
		  "a zone never contains the firewall; a packet to or from it has no zone on that side");
}

/* --- words ---------------------------------------------------------------------------------- */

static bool ends_with(const char *word, const char *ending)
{
	size_t length = strlen(word), tail = strlen(ending);

	return length > tail && strcmp(word + length - tail, ending) == 0;
}

static unsigned word_families(const struct service_word *word)
{
	if (word->service != NULL)
		return tuples_families(&word->service->own);
	if (ends_with(word->word, "/icmp"))
		return FAMILIES_IPV4;
	return ends_with(word->word, "/icmp6") ? FAMILIES_IPV6 : FAMILIES_BOTH;
}

void complain_words(struct diags *diags, const struct policy_rule *rule, unsigned families)
{
	for (size_t index = 0; index < rule->words_count; index++) {
		const struct service_word *word = &rule->words[index];
		unsigned word_has = word_families(word);

		if (word_has == FAMILIES_NONE || (word_has & families) != 0)
			continue;
		diag_add(diags, CODE_SERVICE_FAMILY, word->span,
			 "'%s' has %s, and the rule's places have %s", word->word,
			 family_words(word_has), family_words(families));
	}
}

/* --- blocks --------------------------------------------------------------------------------- */

/* The addresses that a list speaks of anywhere, interfaces aside. */
static struct address_set list_addresses(struct side_context *context,
					 const struct place_list *list, enum side side)
{
	struct address_set sum = { 0 };

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		struct side_value value = side_evaluate_list(context, list, hooks[hook], side);

		for (size_t index = 0; index < value.all.boxes_count; index++)
			sum = address_set_union(context->pool, &sum,
						&value.all.boxes[index].addresses);
	}
	return sum;
}

static bool speaks_of_addresses(const struct place_list *list)
{
	for (size_t index = 0; index < list->items_count; index++)
		if (list->items[index].kind != PLACE_ADDRESSES)
			return false;
	return true;
}

static void complain_outside_side(struct side_context *context, struct diags *diags,
				  const struct place_scope *scope, enum side side)
{
	struct address_set own, outer;
	struct diagnostic *diagnostic;

	if (scope == NULL || scope->outer == NULL || !speaks_of_addresses(scope->list))
		return;
	own = list_addresses(context, scope->list, side);
	for (const struct place_scope *block = scope->outer; block != NULL; block = block->outer) {
		if (block->list == scope->list)
			continue;
		outer = list_addresses(context, block->list, side);
		if (address_set_includes(&outer, &own))
			continue;
		diagnostic = diag_add(diags, CODE_BLOCK_OUTSIDE, scope->list->span,
				      "some of these places lie outside the block, and do not count");
		diag_note(diags, diagnostic, block->list->span, "the block's places");
		return;
	}
}

void complain_outside(struct side_context *context, struct diags *diags,
		      const struct policy_rule *rule)
{
	complain_outside_side(context, diags, rule->from, SIDE_FROM);
	complain_outside_side(context, diags, rule->to, SIDE_TO);
}
