/* The resolved policy as text: one line a thing, in the policy's order. */
#include <time.h>

#include "resolve/print_devices.h"
#include "resolve/print_sets.h"
#include "resolve/resolve.h"

static const char *const verdict_names[] = {
	[VERDICT_ALLOW] = "allow", [VERDICT_DENY] = "deny", [VERDICT_REJECT] = "reject",
};

/* --- places ------------------------------------------------------------------------------------- */

static void print_list(struct text *out, const struct place_list *list, unsigned depth);

/* A named place as its name and what it stands for. Groups nest at most as deep as they may be
 * defined (PLACE_DEPTH). */
static void print_place(struct text *out, const struct place *place, unsigned depth)
{
	switch (place->kind) {
	case PLACE_ANY:
	case PLACE_SELF:
		text_add(out, place->name);
		return;
	case PLACE_ZONE:
		text_addf(out, "zone %s", place->name);
		return;
	case PLACE_ADDRESSES:
		text_add(out, "(");
		address_set_print(out, place->addresses);
		text_add(out, ")");
		return;
	case PLACE_GROUP:
		text_addf(out, "%s[", place->name);
		print_list(out, place->group, depth + 1);
		text_add(out, "]");
		return;
	}
}

static void print_list(struct text *out, const struct place_list *list, unsigned depth)
{
	for (size_t i = 0; i < list->items_count; i++) {
		text_add(out, i == 0 ? "" : ", ");
		print_place(out, &list->items[i], depth);
	}
	for (size_t i = 0; i < list->excepts_count; i++) {
		text_add(out, i == 0 ? " except " : ", ");
		print_place(out, &list->excepts[i], depth);
	}
}

static void print_scope(struct text *out, const char *side, const struct place_scope *scope)
{
	text_addf(out, " %s ", side);
	if (scope == NULL)
		text_add(out, "any");
	for (const char *separator = ""; scope != NULL; scope = scope->outer, separator = " & ") {
		text_add(out, separator);
		print_list(out, scope->list, 0);
	}
}

static void print_zones(struct text *out, const struct policy *policy)
{
	for (size_t i = 0; i < policy->zones_count; i++) {
		const struct zone *zone = policy->zones[i];
		text_addf(out, "zone %s\n  input  ", zone->name);
		place_boxes_print(out, &zone->input);
		text_add(out, "\n  routed ");
		place_boxes_print(out, &zone->routed);
		text_add_char(out, '\n');
	}
}

/* --- rules ----------------------------------------------------------------------------------------- */

static void print_day(struct text *out, time_t seconds)
{
	struct tm day;
	char written[sizeof "YYYY-MM-DD"];
	gmtime_r(&seconds, &day);
	if (strftime(written, sizeof written, "%Y-%m-%d", &day) != 0)
		text_add(out, written);
}

static void print_minutes(struct text *out, const struct interval_set *minutes)
{
	for (size_t i = 0; i < minutes->items_count; i++)
		text_addf(out, "%s%u-%u", i == 0 ? "" : ",", (unsigned)minutes->items[i].low,
			  (unsigned)minutes->items[i].high);
}

static void print_limit(struct text *out, const struct limit *limit)
{
	text_addf(out, " limit %llu/%us burst %u%s", (unsigned long long)limit->rate, limit->unit_s,
		  limit->burst, limit->is_per_source ? " per source" : "");
}

static void print_families(struct text *out, uint8_t families)
{
	if (families != FAMILIES_BOTH)
		text_add(out, families == FAMILIES_IPV4 ? " ipv4" : " ipv6");
}

static void print_options(struct text *out, const struct policy_options *options)
{
	if (options->has_log)
		text_add(out, " log");
	if (options->log_prefix != NULL)
		text_addf(out, " \"%s\"", options->log_prefix);
	if (options->has_count)
		text_add(out, " count");
	if (options->limit != NULL)
		print_limit(out, options->limit);
	if (options->until != 0) {
		text_add(out, " before ");
		print_day(out, options->until);
	}
	if (options->during != NULL) {
		text_addf(out, " during %s = minutes ", options->during->name);
		print_minutes(out, &options->during->minutes);
	}
	print_families(out, options->families);
	text_add(out, options->is_stateless ? " stateless" : "");
	text_add(out, options->is_rescue ? " rescue" : "");
	if (options->id != NULL)
		text_addf(out, " id %s", options->id);
}

static void print_services(struct text *out, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->services_count; i++) {
		text_add(out, i == 0 ? "" : "; ");
		if (rule->services[i].helper != NULL)
			text_addf(out, "helper %s: ", rule->services[i].helper);
		tuple_set_print(out, &rule->services[i].tuples);
	}
}

static void print_rules(struct text *out, const struct policy *policy)
{
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct policy_rule *rule = policy->rules[i];
		text_addf(out, "rule %u %s %s ", rule->number,
			  span_place(out->pool, policy->sources, rule->span),
			  verdict_names[rule->verdict]);
		print_services(out, rule);
		print_scope(out, "from", rule->from);
		print_scope(out, "to", rule->to);
		print_options(out, rule->options);
		if (rule->translation != NULL)
			text_addf(out, " translation %zu", rule->translation->number);
		text_add(out, rule->is_expired ? " expired\n" : "\n");
	}
}

static void print_defaults(struct text *out, const struct policy *policy)
{
	static const char *const hooks[HOOK_COUNT] = {
		[HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
	};
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		const struct policy_default *value = &policy->defaults[hook];
		text_addf(out, "default %s %s", hooks[hook], verdict_names[value->verdict]);
		print_options(out, &value->options);
		text_add(out, value->is_written ? "\n" : " (not written)\n");
	}
}

/* --- translations ------------------------------------------------------------------------------------ */

static void print_addresses(struct text *out, const char *label, const bool *has,
			    const struct address *addresses)
{
	for (unsigned family = 0; family < 2; family++)
		if (has[family]) {
			text_addf(out, " %s ", label);
			address_format(out, &addresses[family]);
		}
}

static void print_translation(struct text *out, const struct translation *translation)
{
	static const char *const kinds[] = {
		[TRANSLATION_MASQUERADE] = "masquerade",
		[TRANSLATION_SNAT] = "snat",
		[TRANSLATION_FORWARD] = "forward",
	};
	text_addf(out, "translation %zu %s ", translation->number, kinds[translation->kind]);
	tuple_set_print(out, &translation->services);
	print_scope(out, "from", translation->from);
	if (translation->kind != TRANSLATION_FORWARD)
		print_scope(out, "to", translation->to);
	if (translation->has_at) {
		text_add(out, " at ");
		address_set_print(out, &translation->at);
	}
	print_addresses(out, "as", translation->has_as, translation->as);
	print_addresses(out, "to", translation->has_host, translation->host);
	if (translation->port != 0)
		text_addf(out, " port %u", (unsigned)translation->port);
	print_options(out, &translation->options);
	text_add_char(out, '\n');
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static void print_assertions(struct text *out, const struct policy *policy)
{
	for (size_t i = 0; i < policy->assertions_count; i++) {
		const struct assertion *assertion = &policy->assertions[i];
		text_addf(out, "assert %s ",
			  assertion->kind == ASSERTION_VERDICT ? verdict_names[assertion->verdict]
			  : assertion->kind == ASSERTION_ONLY  ? "only"
							       : "unchanged");
		tuple_set_print(out, &assertion->services);
		print_scope(out, "from", assertion->from);
		print_scope(out, "to", assertion->to);
		print_families(out, assertion->families);
		text_add_char(out, '\n');
	}
}

void policy_print(struct text *out, const struct policy *policy)
{
	if (policy->name != NULL)
		text_addf(out, "policy %s version %s\n", policy->name,
			  policy->version == NULL ? "-" : policy->version);
	print_zones(out, policy);
	for (size_t i = 0; i < policy->devices_count; i++)
		print_device(out, policy->devices[i]);
	for (size_t i = 0; i < policy->tunnels_count; i++)
		print_tunnel(out, policy->tunnels[i]);
	print_rules(out, policy);
	print_defaults(out, policy);
	for (size_t i = 0; i < policy->translations_count; i++)
		print_translation(out, policy->translations[i]);
	print_assertions(out, policy);
}
