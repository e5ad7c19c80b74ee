/* Each finding: what, where, who is to blame with their places, a packet, the way out. */
#include "analyse/findings.h"

#include <string.h>

#include "analyse/translations.h"
#include "base/pool.h"
#include "net/protocol.h"

struct reporter {
	void *pool;
	struct diags *diags;
	const struct ruleset *ruleset;
	const struct policy *policy;
	const struct anomalies *anomalies; /* NULL: rules were not compared */
};

static const char *const hook_words[] = { "input", "forward", "output" };

static const char *packet_text(struct reporter *reporter, const struct packet *packet)
{
	struct text *text = text_new(reporter->pool);

	packet_format(text, packet);
	return text->bytes;
}

/* --- anomalies --------------------------------------------------------------------------------------- */

static const char *verdict_verb(enum verdict verdict)
{
	static const char *const verbs[] = { "allows", "denies", "rejects" };

	return verbs[verdict];
}

#define BLAME_SHOWN 8

static void note_blame(struct reporter *reporter, struct diagnostic *finding,
		       const struct anomaly *anomaly, const char *words)
{
	for (size_t index = 0; index < anomaly->blame_count && index < BLAME_SHOWN; index++)
		diag_note(reporter->diags, finding, anomaly->blame[index]->span, "this rule %s %s",
			  verdict_verb(anomaly->blame[index]->verdict), words);
	if (anomaly->blame_count > BLAME_SHOWN)
		diag_note(reporter->diags, finding, SPAN_NONE, "and %zu more rules",
			  anomaly->blame_count - BLAME_SHOWN);
}

static void note_packet(struct reporter *reporter, struct diagnostic *finding,
			const struct anomaly *anomaly)
{
	diag_note(reporter->diags, finding, SPAN_NONE, "for example (%s): %s",
		  hook_words[anomaly->hook], packet_text(reporter, &anomaly->witness));
}

static const char *difference(const struct anomaly *anomaly)
{
	if (anomaly->lost != NULL)
		return anomaly->lost;
	return anomaly->is_mixed ? "with another verdict for some" : "with another verdict";
}

static void report_shadowed(struct reporter *reporter, const struct anomaly *anomaly)
{
	bool is_one = anomaly->blame_count == 1;
	struct diagnostic *finding = diag_add(
		reporter->diags, CODE_SHADOWED, anomaly->rule->span,
		"this rule never matches: %s before it %s all of its packets, %s",
		is_one ? "one rule" : "rules", is_one ? "takes" : "together take", difference(anomaly));

	note_blame(reporter, finding, anomaly, is_one ? "all of them" : "some of them");
	note_packet(reporter, finding, anomaly);
	diag_note(reporter->diags, finding, SPAN_NONE,
		  "put it before them if it is meant as an exception, or remove it");
}

static void report_redundant(struct reporter *reporter, const struct anomaly *anomaly)
{
	bool is_one = anomaly->blame_count == 1;
	struct diagnostic *finding = diag_add(
		reporter->diags, CODE_REDUNDANT, anomaly->rule->span,
		"this rule never matches: %s before it %s the same",
		is_one ? "one rule" : "rules", is_one ? "does" : "together do");

	note_blame(reporter, finding, anomaly, is_one ? "all of its packets" : "some of its packets");
	note_packet(reporter, finding, anomaly);
	diag_note(reporter->diags, finding, SPAN_NONE, "remove it");
}

static void report_partly(struct reporter *reporter, const struct anomaly *anomaly)
{
	struct diagnostic *finding = diag_add(
		reporter->diags, CODE_PARTLY_SHADOWED, anomaly->rule->span,
		"in the hook %s this rule never matches: rules before it take all of its packets there",
		hook_words[anomaly->hook]);

	note_blame(reporter, finding, anomaly, "some of them");
	note_packet(reporter, finding, anomaly);
	diag_note(reporter->diags, finding, SPAN_NONE,
		  "say with 'from' and 'to' which packets are meant, or put it before them");
}

static void report_removable(struct reporter *reporter, const struct anomaly *anomaly)
{
	struct diagnostic *finding = diag_add(reporter->diags, CODE_REMOVABLE, anomaly->rule->span,
					      "nothing changes without this rule");

	note_blame(reporter, finding, anomaly, "the same packets");
	note_packet(reporter, finding, anomaly);
	diag_note(reporter->diags, finding, SPAN_NONE,
		  "remove it, or 'expect removable' if it is kept on purpose");
}

static void report_as_default(struct reporter *reporter, const struct anomaly *anomaly)
{
	diag_add(reporter->diags, CODE_AS_DEFAULT, anomaly->rule->span,
		 "this rule says what the default says");
}

static void report_conflicting(struct reporter *reporter, const struct anomaly *anomaly)
{
	struct diagnostic *finding = diag_add(
		reporter->diags, CODE_CONFLICTING, anomaly->rule->span,
		"this rule and an earlier one want different things of some packets");

	diag_note(reporter->diags, finding, anomaly->blame[0]->span, "this one stands first, and %s them",
		  verdict_verb(anomaly->blame[0]->verdict));
	note_packet(reporter, finding, anomaly);
}

static void report_anomaly(struct reporter *reporter, const struct anomaly *anomaly, bool has_notes)
{
	switch (anomaly->kind) {
	case ANOMALY_SHADOWED:
		report_shadowed(reporter, anomaly);
		break;
	case ANOMALY_REDUNDANT:
		report_redundant(reporter, anomaly);
		break;
	case ANOMALY_PARTLY_SHADOWED:
		report_partly(reporter, anomaly);
		break;
	case ANOMALY_REMOVABLE:
		report_removable(reporter, anomaly);
		break;
	case ANOMALY_AS_DEFAULT:
		if (has_notes)
			report_as_default(reporter, anomaly);
		break;
	case ANOMALY_CONFLICTING:
		report_conflicting(reporter, anomaly);
		break;
	}
}

static bool add_anomalies(struct reporter *reporter, const struct findings_settings *settings)
{
	size_t rules = reporter->policy->rules_count;
	struct anomalies *anomalies;

	if (settings->rules_most != 0 && rules > settings->rules_most) {
		diag_add(reporter->diags, CODE_ANALYSIS_LEFT_OUT, SPAN_NONE,
			 "the policy is large, and its rules were not compared with each other: 'fwc "
			 "check' does it");
		return false;
	}
	anomalies = anomalies_find(reporter->pool, reporter->ruleset, &settings->anomalies);
	reporter->anomalies = anomalies;
	/* before the others, of which only so many are kept */
	if (anomalies->undecided_count > 0)
		diag_add(reporter->diags, CODE_ANALYSIS_UNDECIDED, SPAN_NONE,
			 "of %zu rules it could not be decided whether they could go or never match: "
			 "neither boxes cut by boxes nor decision diagrams told within their budgets",
			 anomalies->undecided_count);
	for (size_t index = 0; index < anomalies->items_count; index++)
		report_anomaly(reporter, &anomalies->items[index], settings->has_notes);
	return true;
}

/* --- translations ------------------------------------------------------------------------------------- */

static void note_translations(struct reporter *reporter, struct diagnostic *finding,
			      const struct translation_finding *found)
{
	size_t count = found->blame_count;

	for (size_t index = 0; index < count && index < BLAME_SHOWN; index++)
		diag_note(reporter->diags, finding, found->blame[index]->span, "this one takes %s of them",
			  count == 1 ? "all" : "some");
	if (count > BLAME_SHOWN)
		diag_note(reporter->diags, finding, SPAN_NONE, "and %zu more", count - BLAME_SHOWN);
	diag_note(reporter->diags, finding, SPAN_NONE, "for example, before translation: %s",
		  packet_text(reporter, &found->witness));
}

static void report_translation(struct reporter *reporter, const struct translation_finding *found)
{
	static const struct {
		enum code code;
		const char *words, *way_out;
	} rows[] = {
		[TRANSLATION_SHADOWED] = {
			CODE_SHADOWED, "this translation never happens: those before it take all of its packets, "
				       "and do something else with them",
			"put it before them if it is meant as an exception, or remove it",
		},
		[TRANSLATION_REDUNDANT] = {
			CODE_REDUNDANT, "this translation never happens: those before it do the same", "remove it",
		},
		[TRANSLATION_PARTLY] = {
			CODE_PARTLY_SHADOWED,
			"this translation never happens to packets from elsewhere: those before it take all of "
			"them, and leave it what the firewall itself sends",
			"say 'from self' if that is what is meant, or remove it",
		},
		[TRANSLATION_REMOVABLE] = {
			CODE_REMOVABLE, "nothing changes without this translation: later ones do the same",
			"remove it, or 'expect removable' if it is kept on purpose",
		},
	};
	struct diagnostic *finding = diag_add(reporter->diags, rows[found->kind].code, found->translation->span,
					      "%s", rows[found->kind].words);

	note_translations(reporter, finding, found);
	diag_note(reporter->diags, finding, SPAN_NONE, "%s", rows[found->kind].way_out);
}

/* The rule that a `forward` makes never matches either, and that was told. */
static bool is_rule_told(const struct reporter *reporter, const struct translation *translation)
{
	const struct anomalies *anomalies = reporter->anomalies;

	for (size_t index = 0; index < anomalies->items_count; index++)
		if (anomalies->items[index].rule->translation == translation &&
		    (anomalies->items[index].kind == ANOMALY_SHADOWED ||
		     anomalies->items[index].kind == ANOMALY_REDUNDANT))
			return true;
	return false;
}

static void add_translations(struct reporter *reporter)
{
	const struct translation_findings *found = translations_find(reporter->pool, reporter->ruleset);

	for (size_t index = 0; index < found->items_count; index++)
		if (!is_rule_told(reporter, found->items[index].translation))
			report_translation(reporter, &found->items[index]);
	if (found->undecided_count > 0)
		diag_add(reporter->diags, CODE_ANALYSIS_UNDECIDED, SPAN_NONE,
			 "of %zu translations it could not be decided whether they ever happen",
			 found->undecided_count);
}

/* --- the outside ------------------------------------------------------------------------------------- */

/* An address that stands for the internet (RFC 5737, RFC 3849). */
static number128 outside_address(enum family family)
{
	return family == FAMILY_IPV4 ? (number128)198 << 24 | 51 << 16 | 100 << 8 | 7 :
				       ((number128)0x20010db8 << 96) + 7;
}

static bool is_outside(const struct zone *zone)
{
	for (enum family family = FAMILY_IPV4; zone->has_networks && family <= FAMILY_IPV6; family++)
		if (interval_set_contains(address_set_family(&zone->networks, family),
					  outside_address(family)))
			return true;
	return false;
}

static const struct zone *outside_zone(const struct policy *policy)
{
	for (size_t index = 0; index < policy->zones_count; index++)
		if (is_outside(policy->zones[index]))
			return policy->zones[index];
	return NULL;
}

/* Whether the rule takes packets of the outside zone from the internet, on input or forwarded. */
static bool is_from_outside(const struct rule *rule, enum hook hook, const struct zone *zone)
{
	const struct place_boxes *zone_boxes = hook == HOOK_INPUT ? &zone->input : &zone->routed;

	for (size_t box = 0; box < zone_boxes->boxes_count; box++) {
		const struct interface_set *interfaces = &zone_boxes->boxes[box].interfaces;
		const char *name = interfaces->names_count > 0 && !interfaces->is_complement ?
				   interfaces->names[0] : "fwc-any";

		for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
			if (boxes_hold(&rule->match.from, name, family, outside_address(family)))
				return true;
	}
	return false;
}

static void report_insecure(struct reporter *reporter, const struct policy_rule *rule,
			    const struct zone *zone)
{
	for (size_t index = 0; index < rule->words_count; index++) {
		const struct service_word *word = &rule->words[index];
		bool is_insecure = word->service != NULL && word->service->status == SERVICE_INSECURE;
		struct diagnostic *finding;

		if (!is_insecure &&
		    (word->service == NULL || word->service->status != SERVICE_HISTORIC))
			continue;
		finding = diag_add(reporter->diags, CODE_INSECURE_OUTSIDE, rule->words_spans[index],
				   "'%s' is %s, and this rule allows it from outside (zone '%s')",
				   word->word, is_insecure ? "insecure" : "historic", zone->name);
		diag_note(reporter->diags, finding, SPAN_NONE,
			  "name the hosts that need it, or use what has replaced it");
	}
}

/* --- rules that are wider than they look -------------------------------------------------------------- */

/* So many ports at once are seldom meant. */
#define MANY_PORTS 1024u

static bool has_any_service(const struct tuple_set *services)
{
	return services->tuples_count > 0 && services->tuples[0].protocol == PROTOCOL_ANY;
}

static unsigned width_of(struct port_range range)
{
	return (unsigned)range.high - range.low + 1;
}

/* Whole protocols but for TCP and UDP are no ports. */
static bool has_many_ports(const struct tuple_set *services)
{
	for (size_t index = 0; index < services->tuples_count; index++) {
		const struct service_tuple *tuple = &services->tuples[index];

		if ((tuple->protocol == PROTOCOL_TCP || tuple->protocol == PROTOCOL_UDP) &&
		    width_of(tuple->first) > MANY_PORTS && width_of(tuple->second) > MANY_PORTS)
			return true;
	}
	return false;
}

struct lint {
	const char *name;
	bool (*is_found)(const struct tuple_set *services);
	const char *message;
	const char *way_out;
};

/* Of rules that allow from outside. */
static const struct lint lints[] = {
	{ "any-service", has_any_service, "this rule allows every service from outside",
	  "name the services that are meant" },
	{ "many-ports", has_many_ports, "this rule allows more than a thousand ports from outside",
	  "name the service; where a protocol picks its ports, its helper opens them one by one" },
};

static void report_lints(struct reporter *reporter, const struct rule *rule)
{
	for (size_t index = 0; index < sizeof lints / sizeof lints[0]; index++) {
		struct diagnostic *finding;

		if (!lints[index].is_found(&rule->match.services))
			continue;
		finding = diag_add(reporter->diags, CODE_WIDE, rule->origin, "%s", lints[index].message);
		diag_note(reporter->diags, finding, SPAN_NONE, "%s", lints[index].way_out);
		return;
	}
}

/* Statements that were told: each has a rule in several hooks. */
static bool *told_new(struct reporter *reporter)
{
	return pool_array(reporter->pool, bool, reporter->policy->rules_count + 1);
}

static bool *told_of(bool *told, const struct rule *rule)
{
	return &told[rule->identity->rule->number];
}

static void add_outside(struct reporter *reporter)
{
	const struct zone *zone = outside_zone(reporter->policy);
	static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD };

	bool *told = told_new(reporter);

	for (size_t at = 0; zone != NULL && at < 2; at++) {
		for (size_t index = 0; index < reporter->ruleset->rules_count[hooks[at]]; index++) {
			const struct rule *rule = reporter->ruleset->rules[hooks[at]][index];

			if (rule->outcome->verdict != VERDICT_ALLOW || *told_of(told, rule) ||
			    rule->match.is_translated || !is_from_outside(rule, hooks[at], zone))
				continue;
			*told_of(told, rule) = true;
			report_insecure(reporter, rule->identity->rule, zone);
			report_lints(reporter, rule);
		}
	}
}

/* --- packets of no zone ------------------------------------------------------------------------------- */

static struct place_boxes zones_boxes(struct reporter *reporter, enum hook hook)
{
	struct place_boxes sum = { 0 };

	for (size_t index = 0; index < reporter->policy->zones_count; index++) {
		const struct zone *zone = reporter->policy->zones[index];

		sum = place_boxes_union(reporter->pool, &sum,
					hook == HOOK_INPUT ? &zone->input : &zone->routed);
	}
	return sum;
}

static const char *example_source(struct reporter *reporter, const struct place_boxes *boxes)
{
	struct text *text = text_new(reporter->pool);

	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];
		enum family family = box->addresses.v4.items_count > 0 ? FAMILY_IPV4 : FAMILY_IPV6;
		const struct interval_set *set = address_set_family(&box->addresses, family);
		struct address address = { family, set->items[0].low };

		if (box->interfaces.is_complement || box->interfaces.names_count == 0)
			continue; /* an interface that no zone names */
		address_format(text, &address);
		text_addf(text, " on %s", box->interfaces.names[0]);
		return text->bytes;
	}
	return NULL;
}

/* Rules that let the same forged source in are told together. */
struct no_zone {
	const char *example;
	struct diagnostic *finding;
	size_t others_count;
};

struct no_zones {
	struct no_zone *items;
	size_t items_count, items_capacity;
};

#define OTHERS_SHOWN 8

/* `expect` speaks of one statement: what it may acknowledge is told apart. */
static bool is_expected(const struct reporter *reporter, struct span span)
{
	for (size_t index = 0; index < reporter->policy->expectations_count; index++) {
		const struct expectation *expectation = &reporter->policy->expectations[index];

		if (strcmp(expectation->finding, "no-zone") == 0 &&
		    expectation->statement.source == span.source && expectation->statement.begin <= span.begin &&
		    span.end <= expectation->statement.end)
			return true;
	}
	return false;
}

/* true: told with another rule. */
static bool join_no_zone(struct reporter *reporter, struct no_zones *told, const struct rule *rule,
			 const char *example)
{
	for (size_t index = 0; index < told->items_count; index++) {
		if (strcmp(told->items[index].example, example) != 0)
			continue;
		if (told->items[index].others_count++ < OTHERS_SHOWN)
			diag_note(reporter->diags, told->items[index].finding, rule->origin, "so does this rule");
		return true;
	}
	return false;
}

/* Statements without `from` at their own place or round it. */
static void report_no_zone(struct reporter *reporter, struct no_zones *told, const struct rule *rule,
			   const struct place_boxes *strangers)
{
	bool is_apart = is_expected(reporter, rule->origin);
	struct place_boxes taken =
		place_boxes_intersect(reporter->pool, &rule->match.from, strangers);
	const char *example = example_source(reporter, &taken);
	struct diagnostic *finding;

	if (example == NULL || (!is_apart && join_no_zone(reporter, told, rule, example)))
		return;
	finding = diag_add(reporter->diags, CODE_NO_ZONE, rule->origin,
			   "this rule has no 'from', and allows packets that belong to no zone");
	diag_note(reporter->diags, finding, SPAN_NONE,
		  "for example a forged source: %s, an address that no zone has there", example);
	diag_note(reporter->diags, finding, SPAN_NONE,
		  "say 'from' with the zones that are meant");
	if (!is_apart)
		*pool_append(reporter->pool, told, items) = (struct no_zone){ example, finding, 0 };
}

static void add_no_zone(struct reporter *reporter)
{
	static const enum hook hooks[] = { HOOK_INPUT, HOOK_FORWARD };
	bool *told = told_new(reporter);
	struct no_zones together = { 0 };

	if (reporter->policy->zones_count == 0)
		return;
	for (size_t at = 0; at < 2; at++) {
		struct place_boxes everything = place_boxes_all(reporter->pool);
		struct place_boxes zones = zones_boxes(reporter, hooks[at]);
		struct place_boxes strangers =
			place_boxes_subtract(reporter->pool, &everything, &zones);

		for (size_t index = 0; index < reporter->ruleset->rules_count[hooks[at]]; index++) {
			const struct rule *rule = reporter->ruleset->rules[hooks[at]][index];

			if (rule->outcome->verdict == VERDICT_ALLOW && !rule->match.is_translated &&
			    rule->identity->rule->from == NULL && !*told_of(told, rule)) {
				report_no_zone(reporter, &together, rule, &strangers);
				*told_of(told, rule) = true;
			}
		}
	}
	for (size_t index = 0; index < together.items_count; index++)
		if (together.items[index].others_count > OTHERS_SHOWN)
			diag_note(reporter->diags, together.items[index].finding, SPAN_NONE, "and %zu more rules",
				  together.items[index].others_count - OTHERS_SHOWN);
}

bool findings_add(void *pool, struct diags *diags, const struct ruleset *ruleset,
		  const struct findings_settings *settings)
{
	struct reporter reporter = { pool_child(pool, "findings"), diags, ruleset, ruleset->policy, NULL };
	bool are_compared = add_anomalies(&reporter, settings);

	if (are_compared)
		add_translations(&reporter);
	add_outside(&reporter);
	add_no_zone(&reporter);
	talloc_free(reporter.pool);
	return are_compared;
}
