/* The ruleset in words, for people who look at what a policy became. */
#include "rules/ruleset.h"

#include <time.h>

#include "base/pool.h"

static const char *const hook_words[] = { "input", "forward", "output" };
static const char *const verdict_words[] = { "allow", "deny", "reject" };

/* Sets past this many parts are counted, not listed. */
#define LISTED 12

static void add_tuples(struct text *out, const struct tuple_set *set)
{
	for (size_t index = 0; index < set->tuples_count; index++) {
		if (index > 0)
			text_add(out, ", ");
		tuple_format(out, &set->tuples[index]);
	}
}

static void add_interfaces(struct text *out, const struct interface_set *set)
{
	if (interface_set_is_all(set))
		return;
	text_add(out, set->is_complement ? " not on " : " on ");
	for (size_t index = 0; index < set->names_count; index++)
		text_addf(out, "%s%s", index > 0 ? "+" : "", set->names[index]);
}

static void add_intervals(struct text *out, enum family family, const struct interval_set *set,
			  bool *is_first)
{
	if (set->items_count > LISTED) {
		text_addf(out, "%s%zu IPv%c ranges", *is_first ? "" : ", ", set->items_count,
			  family == FAMILY_IPV4 ? '4' : '6');
		*is_first = false;
		return;
	}
	for (size_t index = 0; index < set->items_count; index++) {
		text_add(out, *is_first ? "" : ", ");
		address_interval_format(out, family, &set->items[index]);
		*is_first = false;
	}
}

static void add_addresses(struct text *out, const struct address_set *set)
{
	bool is_first = true;

	if (address_set_is_all(set)) {
		text_add(out, "any");
		return;
	}
	add_intervals(out, FAMILY_IPV4, &set->v4, &is_first);
	add_intervals(out, FAMILY_IPV6, &set->v6, &is_first);
}

static void add_boxes(struct text *out, const char *word, const struct place_boxes *boxes)
{
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		text_addf(out, "\n        %s ", index == 0 ? word : "or");
		add_addresses(out, &boxes->boxes[index].addresses);
		add_interfaces(out, &boxes->boxes[index].interfaces);
	}
}

static void add_outcome(struct text *out, const struct outcome *outcome)
{
	if (outcome->has_log)
		text_add(out, " log");
	if (outcome->log_prefix != NULL)
		text_addf(out, " \"%s\"", outcome->log_prefix);
	if (outcome->has_count)
		text_add(out, " count");
	if (outcome->limit != NULL)
		text_addf(out, " limit %llu/%us burst %u%s",
			  (unsigned long long)outcome->limit->rate, outcome->limit->unit_s,
			  outcome->limit->burst, outcome->limit->is_per_source ? " per source" : "");
	if (outcome->helper != NULL)
		text_addf(out, " helper %s", outcome->helper);
}

/* The end is the minute after the last one, as schedules are written. */
static void add_minute(struct text *out, unsigned minute)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", "end" };

	text_addf(out, "%s %02u:%02u", days[minute / (24 * 60)], minute / 60 % 24, minute % 60);
}

static void add_minutes(struct text *out, const struct interval_set *minutes)
{
	text_add(out, " during ");
	for (size_t index = 0; index < minutes->items_count; index++) {
		text_add(out, index > 0 ? ", " : "");
		add_minute(out, (unsigned)minutes->items[index].low);
		text_add(out, " - ");
		add_minute(out, (unsigned)minutes->items[index].high + 1);
	}
}

static void add_until(struct text *out, time_t until)
{
	struct tm utc;

	if (gmtime_r(&until, &utc) != NULL)
		text_addf(out, " before %04d-%02d-%02d %02d:%02d UTC", utc.tm_year + 1900,
			  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min);
}

static void add_translated(struct text *out, const struct match *match)
{
	text_add(out, " translated");
	if (match->has_original_to) {
		struct address_set from = match->original->to;

		if ((match->families & FAMILIES_IPV4) == 0)
			from.v4 = (struct interval_set){ 0 };
		if ((match->families & FAMILIES_IPV6) == 0)
			from.v6 = (struct interval_set){ 0 };
		text_add(out, " from ");
		add_addresses(out, &from);
	}
	if (match->original->services.tuples_count > 0) {
		text_add(out, " sent as ");
		add_tuples(out, &match->original->services);
	}
}

static void add_families(struct text *out, unsigned families)
{
	if (families != FAMILIES_BOTH)
		text_addf(out, " ipv%c", families == FAMILIES_IPV4 ? '4' : '6');
}

static void add_conditions(struct text *out, const struct match *match)
{
	add_families(out, match->families);
	if (match->is_translated)
		add_translated(out, match);
	if (match->minutes != NULL)
		add_minutes(out, match->minutes);
	if (match->until != 0)
		add_until(out, match->until);
}

static void add_origin(struct text *out, struct sources *sources, struct span origin,
		       const struct identity *identity)
{
	text_addf(out, "  # %s, id %s", span_place(out->pool, sources, origin), identity_text(identity));
}

static void print_rule(struct text *out, struct sources *sources, const struct rule *rule)
{
	text_addf(out, "    %s ", verdict_words[rule->outcome->verdict]);
	add_tuples(out, &rule->match.services);
	add_conditions(out, &rule->match);
	add_outcome(out, rule->outcome);
	text_add(out, rule->is_stateless ? " stateless" : "");
	text_add(out, rule->is_rescue ? " rescue" : "");
	add_origin(out, sources, rule->origin, rule->identity);
	add_boxes(out, "from", &rule->match.from);
	add_boxes(out, "to", &rule->match.to);
	text_add_char(out, '\n');
}

static void add_new_addresses(struct text *out, const char *word, const bool has[2],
			      const struct address addresses[2])
{
	for (size_t family = 0; family < 2; family++) {
		if (!has[family])
			continue;
		text_addf(out, " %s ", word);
		address_format(out, &addresses[family]);
	}
}

static void add_new_place(struct text *out, const struct translation *source)
{
	switch (source->kind) {
	case TRANSLATION_MASQUERADE:
		return;
	case TRANSLATION_SNAT:
		add_new_addresses(out, "as", source->has_as, source->as);
		return;
	case TRANSLATION_FORWARD:
		if (source->has_at) {
			text_add(out, " at ");
			add_addresses(out, &source->at);
		}
		add_new_addresses(out, "to", source->has_host, source->host);
		if (source->port != 0)
			text_addf(out, " port %u", source->port);
		return;
	}
}

static void print_translation(struct text *out, struct sources *sources,
			      const struct rule_translation *translation)
{
	static const char *const words[] = { "masquerade", "snat", "forward" };

	text_addf(out, "    %s", words[translation->kind]);
	if (translation->kind == TRANSLATION_FORWARD) {
		text_add_char(out, ' ');
		add_tuples(out, &translation->services);
	}
	add_families(out, translation->families);
	add_new_place(out, translation->source);
	text_add(out, translation->applies_to_routed ? " routed" : "");
	text_add(out, translation->applies_to_local ? " local" : "");
	add_origin(out, sources, translation->origin, translation->identity);
	add_boxes(out, "from", &translation->from);
	if (translation->kind != TRANSLATION_FORWARD)
		add_boxes(out, "to", &translation->to);
	text_add_char(out, '\n');
}

void ruleset_print(struct text *out, const struct ruleset *ruleset)
{
	struct sources *sources = ruleset->policy->sources;

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		text_addf(out, "%s: %zu rules, default %s", hook_words[hook],
			  ruleset->rules_count[hook], verdict_words[ruleset->defaults[hook]->verdict]);
		add_outcome(out, ruleset->defaults[hook]);
		text_add_char(out, '\n');
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			print_rule(out, sources, ruleset->rules[hook][index]);
	}
	if (ruleset->translations_count > 0)
		text_addf(out, "translations: %zu\n", ruleset->translations_count);
	for (size_t index = 0; index < ruleset->translations_count; index++)
		print_translation(out, sources, ruleset->translations[index]);
}
