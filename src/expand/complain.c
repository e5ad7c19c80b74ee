/* The reasons, from the most special to the most general. */
#include "expand/complain.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "expand/product.h"

static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

static const char *family_words(unsigned families)
{
	static const char *const words[] = { "no address", "only IPv4", "only IPv6", "both families" };

	return words[families & FAMILIES_BOTH];
}

static unsigned families_in(struct side_context *context, const struct place_scope *scope,
			    enum hook hook, enum side side)
{
	struct side_value value = side_evaluate(context, scope, hook, side);

	return boxes_families(&value.all);
}

static unsigned families_anywhere(struct side_context *context, const struct place_scope *scope,
				  enum side side)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < HOOK_COUNT; index++)
		families |= families_in(context, scope, hooks[index], side);
	return families;
}

static unsigned rule_service_families(const struct policy_rule *rule)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < rule->services_count; index++)
		families |= tuples_families(&rule->services[index].tuples);
	return families;
}

/* --- services --------------------------------------------------------------------------------- */

static bool has_protocol(const struct service_word *word, const char *protocol)
{
	const char *slash = strrchr(word->word, '/');

	return slash != NULL && strcasecmp(slash + 1, protocol) == 0;
}

static unsigned word_families(const struct service_word *word)
{
	if (word->service != NULL)
		return tuples_families(&word->service->own);
	if (has_protocol(word, "icmp"))
		return FAMILIES_IPV4;
	return has_protocol(word, "icmp6") ? FAMILIES_IPV6 : FAMILIES_BOTH;
}

static bool shares_tuple(const struct service_word *word, const struct service_tuple *tuple)
{
	if (word->service == NULL) /* a literal's own tuple is not kept: by its family */
		return tuple->protocol == PROTOCOL_ANY ||
		       (tuple->families & ~word_families(word)) == 0;
	for (size_t index = 0; index < word->service->own.tuples_count; index++)
		if (tuple_overlaps(&word->service->own.tuples[index], tuple))
			return true;
	return false;
}

/* Whether `except` left something of the word. */
static bool is_left(const struct policy_rule *rule, const struct service_word *word)
{
	for (size_t use = 0; use < rule->services_count; use++) {
		const struct tuple_set *tuples = &rule->services[use].tuples;

		for (size_t index = 0; index < tuples->tuples_count; index++)
			if (shares_tuple(word, &tuples->tuples[index]))
				return true;
	}
	return false;
}

void complain_words(struct diags *diags, const struct policy_rule *rule, unsigned families)
{
	for (size_t index = 0; index < rule->words_count; index++) {
		const struct service_word *word = &rule->words[index];
		unsigned has = word_families(word);

		if (has == FAMILIES_NONE || (has & families) != 0 || !is_left(rule, word))
			continue;
		diag_add(diags, CODE_SERVICE_FAMILY, rule->words_spans[index],
			 "'%s' has %s, and the rule's other parts have %s", word->word,
			 family_words(has), family_words(families));
	}
}

/* Every word by itself where that says it all; else the rule, whose `except` took the rest. */
static void complain_services(struct diags *diags, const struct policy_rule *rule,
			      unsigned families)
{
	size_t errors = diags->error_count;

	complain_words(diags, rule, families);
	if (diags->error_count == errors)
		diag_add(diags, CODE_SERVICE_FAMILY, rule->span,
			 "the services have %s, and the rule's other parts have %s",
			 family_words(rule_service_families(rule)), family_words(families));
}

/* --- families --------------------------------------------------------------------------------- */

static void report_places(struct diags *diags, const struct policy_rule *rule, unsigned from,
			  unsigned to)
{
	struct diagnostic *error =
		diag_add(diags, CODE_FAMILY_MISMATCH, rule->span,
			 "the rule matches nothing: its parts have no address family in common");

	if (rule->from != NULL)
		diag_note(diags, error, rule->from->list->span, "the source has %s",
			  family_words(from));
	if (rule->to != NULL)
		diag_note(diags, error, rule->to->list->span, "the destination has %s",
			  family_words(to));
	if (rule->options->families != FAMILIES_BOTH)
		diag_note(diags, error, SPAN_NONE, "the rule asks for %s",
			  family_words(rule->options->families));
}

/* Whether families alone leave the rule without packets; says so. */
static bool complain_families(struct diags *diags, const struct policy_rule *rule, unsigned from,
			      unsigned to)
{
	unsigned places = from & to & rule->options->families;

	if (from == FAMILIES_NONE || to == FAMILIES_NONE)
		return false;
	if (places == FAMILIES_NONE)
		report_places(diags, rule, from, to);
	else if ((places & rule_service_families(rule)) == 0)
		complain_services(diags, rule, places);
	else
		return false;
	return true;
}

void complain_empty(struct side_context *context, struct diags *diags,
		    const struct policy_rule *rule)
{
	struct diagnostic *error;

	if (complain_families(diags, rule, families_anywhere(context, rule->from, SIDE_FROM),
			      families_anywhere(context, rule->to, SIDE_TO)))
		return;
	error = diag_add(diags, CODE_RULE_EMPTY, rule->span,
			 "the rule matches nothing: no packet comes from there and goes there");
	diag_note(diags, error, SPAN_NONE,
		  "a zone never contains the firewall; a packet to or from it has no zone on that side");
}

/* --- link-local sources ----------------------------------------------------------------------- */

/* Destinations on a link itself: fe80::/10 (RFC 4291), multicast, limited broadcast. */
static struct address_set link_destinations(void *pool)
{
	static const struct prefix prefixes[] = {
		{ FAMILY_IPV4, (number128)224 << 24, 4 },
		{ FAMILY_IPV4, (number128)UINT32_MAX, 32 },
		{ FAMILY_IPV6, (number128)0xfe80 << 112, 10 },
		{ FAMILY_IPV6, (number128)0xff << 120, 8 },
	};
	struct address_set set = { 0 };

	for (size_t index = 0; index < sizeof prefixes / sizeof prefixes[0]; index++)
		address_set_add_prefix(pool, &set, &prefixes[index]);
	address_set_normalise(&set);
	return set;
}

static bool reaches_links(struct side_context *context, const struct place_boxes *boxes)
{
	struct address_set links = link_destinations(context->pool);

	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (address_set_overlaps(&boxes->boxes[index].addresses, &links))
			return true;
	return false;
}

/* Whether the link-local sources of a zone are meant, or may be. */
static bool may_mean_links(struct side_context *context, const struct place_scope *to)
{
	struct side_value value;

	if (to == NULL)
		return true;
	value = side_evaluate(context, to, HOOK_INPUT, SIDE_TO);
	if (value.all.boxes_count == 0)
		return false;
	return !side_is_hook_free(to) /* `to self` */ || reaches_links(context, &value.all);
}

bool complain_link_local(struct side_context *context, struct diags *diags,
			 const struct policy_rule *rule, struct rule *const *parts, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (parts[index]->hooks != 1u << HOOK_INPUT)
			return false;
	if (may_mean_links(context, rule->to))
		return false;
	return complain_families(diags, rule, families_in(context, rule->from, HOOK_FORWARD, SIDE_FROM),
				 families_in(context, rule->to, HOOK_FORWARD, SIDE_TO));
}

/* --- places of lists -------------------------------------------------------------------------- */

/* Without the link-local sources of zones. */
static unsigned place_families(const struct place *place)
{
	unsigned families = FAMILIES_NONE;

	switch (place->kind) {
	case PLACE_ANY:
	case PLACE_SELF:
		return FAMILIES_BOTH;
	case PLACE_ZONE:
		return boxes_families(&place->zone->routed);
	case PLACE_ADDRESSES:
		return address_set_families(place->addresses);
	case PLACE_GROUP:
		for (size_t index = 0; families != FAMILIES_BOTH && index < place->group->items_count; index++)
			families |= place_families(&place->group->items[index]);
		return families;
	}
	return families;
}

static void complain_list(struct side_context *context, struct diags *diags, const struct named_places *places,
			  enum side side, unsigned families)
{
	const struct place_scope *scope = side == SIDE_FROM ? places->from : places->to;

	if (scope == NULL || scope->list->span.begin < places->span.begin)
		return; /* a block's: for several rules, which need not all take each place */
	for (size_t index = 0; index < scope->list->items_count; index++) {
		const struct place *place = &scope->list->items[index];
		unsigned has = place_families(place);

		if (has == FAMILIES_NONE || (has & families) != 0)
			continue;
		if (side == SIDE_FROM && place->kind != PLACE_ADDRESSES && may_mean_links(context, places->to))
			continue;
		diag_add(diags, CODE_PLACE_FAMILY, place->span,
			 "'%s' has %s, and the other parts have %s: it never matches", place->name,
			 family_words(has), family_words(families));
	}
}

void complain_places(struct side_context *context, struct diags *diags, struct named_places places,
		     unsigned families)
{
	if (families == FAMILIES_BOTH)
		return;
	complain_list(context, diags, &places, SIDE_FROM, families);
	complain_list(context, diags, &places, SIDE_TO, families);
}
