/* Diagnostics of the lists. */
#include "target/cisco/terms/refuse.h"

#include <assert.h>

#include "base/pool.h"

const char *list_words(void *pool, const struct device *device, const struct ios_list *list)
{
	return device == NULL ? pool_format(pool, "list '%s'", list->name) :
				pool_format(pool, "list '%s' of device '%s'", list->name, device->name);
}

bool refuse_is_told(const struct diags *diags, enum code code, struct span span)
{
	for (size_t index = 0; index < diags->items_count; index++) {
		const struct diagnostic *item = diags->items[index];

		if (item->code == code && item->span.source == span.source && item->span.begin == span.begin)
			return true;
	}
	return false;
}

static bool degrades(const struct ios_vantage *vantage)
{
	return vantage->device != NULL && vantage->device->degrades_limit;
}

static bool refuse_limit(struct diags *diags, const struct ios_vantage *vantage, const struct rule *rule)
{
	struct span span = rule->identity->rule->options->limit_span;
	struct diagnostic *item;

	if (degrades(vantage)) {
		if (!refuse_is_told(diags, CODE_CISCO_LIMIT_LOST, span))
			diag_add(diags, CODE_CISCO_LIMIT_LOST, span,
				 "device '%s' lets pass what exceeds this limit: its lists count nothing",
				 vantage->device->name);
		return true;
	}
	if (!refuse_is_told(diags, CODE_CISCO_LIMIT, span)) {
		item = diag_add(diags, CODE_CISCO_LIMIT, span, "an access list cannot limit");
		diag_note(diags, item, SPAN_NONE, vantage->device != NULL ?
			  "'degrade limit;' in the device accepts that it allows without the limit" :
			  "write the rule without the limit");
	}
	return false;
}

static bool refuse_helper(struct diags *diags, const struct rule *rule)
{
	struct diagnostic *item;

	if (!refuse_is_told(diags, CODE_CISCO_HELPER, rule->origin)) {
		item = diag_add(diags, CODE_CISCO_HELPER, rule->origin,
				"an access list cannot follow the connections that '%s' opens",
				rule->outcome->helper);
		diag_note(diags, item, SPAN_NONE,
			  "write the ports: of the service's first connection, and those that it opens, "
			  "such as 21/tcp and 49152-65535/tcp");
	}
	return false;
}

static bool refuse_translation(struct diags *diags, const struct rule *rule)
{
	struct diagnostic *item;

	if (!refuse_is_told(diags, CODE_CISCO_TRANSLATION, rule->origin)) {
		item = diag_add(diags, CODE_CISCO_TRANSLATION, rule->origin,
				"a list without a device does not know where packets are translated");
		diag_note(diags, item, SPAN_NONE, "define the router: device NAME { target cisco-ios; … }");
	}
	return false;
}

/* Lines are one array, which can be 256 MB (base/pool.c). */
#define ENTRIES_MOST 2000000
static_assert(ENTRIES_MOST < ((size_t)1 << 28) / sizeof(struct ios_line), "there is room for as many");

bool refuse_length(struct diags *diags, const struct device *device, const struct ios_list *list,
		   const struct plan_size *size)
{
	struct diagnostic *item;

	if (size->entries <= ENTRIES_MOST)
		return true;
	item = diag_add(diags, CODE_TARGET_LIMIT, size->longest->origin,
			"%s would have %zu entries, of which %zu are of this statement; at most %d are made",
			list_words(diags->pool, device, list), size->entries, size->of_longest, ENTRIES_MOST);
	diag_note(diags, item, SPAN_NONE, "it is each of its sources with each of its destinations and services, "
		  "and a range of addresses is as many networks as it takes: name prefixes in the place of ranges");
	return false;
}

bool refuse_rule(struct diags *diags, const struct ios_vantage *vantage, const struct rule *rule)
{
	bool is_good = true;

	if (rule->outcome->limit != NULL)
		is_good = refuse_limit(diags, vantage, rule);
	if (rule->outcome->helper != NULL)
		is_good = refuse_helper(diags, rule) && is_good;
	if (rule->match.is_translated && vantage->device == NULL)
		is_good = refuse_translation(diags, rule) && is_good;
	return is_good;
}

void refuse_self(struct diags *diags, const struct rule *rule)
{
	struct diagnostic *item;

	if (refuse_is_told(diags, CODE_CISCO_SELF, rule->origin))
		return;
	item = diag_add(diags, CODE_CISCO_SELF, rule->origin,
			"this speaks of packets to the router itself, whose addresses are not known");
	diag_note(diags, item, SPAN_NONE, "define the router: device NAME { target cisco-ios; … }");
}

void refuse_difference(struct diags *diags, const struct rule *rule)
{
	struct diagnostic *item;

	if (refuse_is_told(diags, CODE_CISCO_HOOKS_DIFFER, rule->origin))
		return;
	item = diag_add(diags, CODE_CISCO_HOOKS_DIFFER, rule->origin,
			"this tells packets to the router itself from others, and a list without a "
			"device cannot");
	diag_note(diags, item, SPAN_NONE, "define the router: device NAME { target cisco-ios; … }");
}

void refuse_defaults(struct diags *diags, const struct policy *policy)
{
	const struct policy_default *forward = &policy->defaults[HOOK_FORWARD];
	struct span span = forward->is_written ? forward->span : policy->defaults[HOOK_INPUT].span;
	struct diagnostic *item;

	if (refuse_is_told(diags, CODE_CISCO_HOOKS_DIFFER, span))
		return;
	item = diag_add(diags, CODE_CISCO_HOOKS_DIFFER, span,
			"the defaults of input and forward differ, and a list without a device cannot tell "
			"the two apart");
	diag_note(diags, item, SPAN_NONE, "define the router: device NAME { target cisco-ios; … }");
}

void refuse_ports(struct diags *diags, struct span origin, const struct service_tuple *tuple)
{
	struct diagnostic *item;
	struct text *words;

	if (refuse_is_told(diags, CODE_CISCO_PORTS, origin))
		return;
	words = text_new(diags->pool);
	tuple_format(words, tuple);
	item = diag_add(diags, CODE_CISCO_PORTS, origin,
			"IOS looks at the ports of tcp, udp and sctp alone, not at those of '%s'", words->bytes);
	diag_note(diags, item, SPAN_NONE, "'%u/ip' says the whole protocol", tuple->protocol);
}

/* --- covered rules ------------------------------------------------------------------------------ */

void cisco_forget_covered(struct diags *diags)
{
	static const enum code codes[] = { CODE_SHADOWED, CODE_REDUNDANT, CODE_REMOVABLE };
	size_t kept = 0;

	for (size_t index = 0; index < diags->items_count; index++) {
		struct diagnostic *item = diags->items[index];
		bool is_told = false;

		for (size_t code = 0; code < sizeof codes / sizeof codes[0]; code++)
			is_told = is_told || (item->code == CODE_CISCO_COVERED && item->span.source != UINT32_MAX &&
					      refuse_is_told(diags, codes[code], item->span));
		if (!is_told)
			diags->items[kept++] = item;
	}
	diags->items_count = kept;
}

/* --- answers ---------------------------------------------------------------------------------- */

void note_answers(struct diags *diags, const struct ios_vantage *vantage)
{
	bool is_silent = vantage->device != NULL && vantage->device->is_denied_silent;
	enum verdict other = is_silent ? VERDICT_REJECT : VERDICT_DENY;
	static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD };

	for (unsigned index = 0; index < 2; index++)
		for (size_t rule = 0; rule < vantage->ruleset->rules_count[hooks[index]]; rule++) {
			const struct rule *found = vantage->ruleset->rules[hooks[index]][rule];
			struct span span = found->identity->rule->verdict_span;

			if (found->outcome->verdict != other)
				continue;
			if (refuse_is_told(diags, CODE_CISCO_ANSWERS, span))
				return;
			diag_add(diags, CODE_CISCO_ANSWERS, span, is_silent ?
				 "the device answers nothing that it denies: 'denied silent'" :
				 "IOS answers what it denies with ICMP, unless its interface says "
				 "'no ip unreachables'");
			return;
		}
}
