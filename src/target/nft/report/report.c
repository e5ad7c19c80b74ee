#include "target/nft/report/report.h"

#include <stdlib.h>

#include "base/pool.h"
#include "diag/json.h"

#define RULES_FOLLOWED 64 /* of each hook */

static const char *const hook_words[] = {
	[HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
};

struct nft_report *nft_report_new(void *pool)
{
	struct nft_report *report = pool_new(pool, struct nft_report);
	report->pool = pool_child(report, "report");
	return report;
}

/* --- for people --------------------------------------------------------------------------- */

static void add_candidate(struct text *out, const struct nft_candidate *candidate)
{
	text_addf(out, "  %s %5u ns  %s", candidate->is_chosen ? "*" : " ", candidate->cost, candidate->words);
	if (candidate->price != 0)
		text_addf(out, ", and %u for its size", candidate->price);
	text_add(out, "\n");
}

/* The chosen one first, then the others by what they cost with their price. */
static int compare_candidates(const void *left, const void *right)
{
	const struct nft_candidate *a = left, *b = right;
	if (a->is_chosen != b->is_chosen)
		return a->is_chosen ? -1 : 1;
	uint64_t left_cost = (uint64_t)a->cost + a->price, right_cost = (uint64_t)b->cost + b->price;
	if (left_cost != right_cost)
		return left_cost < right_cost ? -1 : 1;
	return 0;
}

static void sort_candidates(struct nft_choice *choice)
{
	/* in their own order where costs are equal: an insertion keeps it, and they are few */
	for (size_t i = 1; i < choice->candidates_count; i++) {
		struct nft_candidate moved = choice->candidates[i];
		size_t at = i;
		for (; at > 0 && compare_candidates(&choice->candidates[at - 1], &moved) > 0; at--)
			choice->candidates[at] = choice->candidates[at - 1];
		choice->candidates[at] = moved;
	}
}

static void add_expectation(struct text *out, const struct nft_expectation *expectation)
{
	if (expectation->hits + expectation->misses == 0)
		return;
	text_addf(out, "%s, %s:", hook_words[expectation->hook],
		  expectation->family == FAMILY_IPV4 ? "IPv4" : "IPv6");
	if (expectation->hits != 0)
		text_addf(out, " %u ns a packet that a rule decides", expectation->hit_ns);
	if (expectation->misses != 0)
		text_addf(out, "%s %u ns a packet that the default decides", expectation->hits == 0 ? "" : ",",
			  expectation->miss_ns);
	text_add(out, "\n");
}

static size_t count_rules(const struct nft_table *table)
{
	size_t rules = 0;
	for (size_t i = 0; i < table->chains_count; i++)
		rules += table->chains[i]->rules_count;
	return rules;
}

static size_t count_elements(const struct nft_table *table)
{
	size_t elements = 0;
	for (size_t i = 0; i < table->sets_count; i++) {
		const struct nft_set *set = table->sets[i];
		elements += set->intervals != NULL ? set->intervals->items_count : set->elements_count;
	}
	return elements;
}

void nft_report_text(struct text *out, const struct nft_report *report, const struct nft_table *table,
		     const struct ruleset *ruleset)
{
	struct nft_expectation expectations[HOOK_COUNT * 2];
	text_addf(out, "table inet %s: %zu chains, %zu rules, %zu sets and maps, %zu elements\n", table->name,
		  table->chains_count, count_rules(table), table->sets_count, count_elements(table));
	nft_expect(report->pool, table, ruleset, RULES_FOLLOWED, expectations);
	for (size_t i = 0; i < HOOK_COUNT * 2; i++)
		add_expectation(out, &expectations[i]);
	for (size_t i = 0; i < report->choices_count; i++) {
		struct nft_choice *choice = &report->choices[i];
		text_addf(out, "%s, %zu line%s:\n", choice->list, choice->lines, choice->lines == 1 ? "" : "s");
		sort_candidates(choice);
		for (size_t k = 0; k < choice->candidates_count; k++)
			add_candidate(out, &choice->candidates[k]);
	}
}

/* --- as JSON ------------------------------------------------------------------------------ */

static json_t *number(size_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *mean(size_t packets, unsigned nanoseconds)
{
	return packets == 0 ? json_null() : number(nanoseconds);
}

static json_t *json_of_expectation(void *pool, const struct nft_expectation *expectation)
{
	json_t *object = json_object();
	json_set(pool, object, "hook", json_text(pool, hook_words[expectation->hook]));
	json_set(pool, object, "family", json_text(pool, expectation->family == FAMILY_IPV4 ? "ipv4" : "ipv6"));
	json_set(pool, object, "hit-ns", mean(expectation->hits, expectation->hit_ns));
	json_set(pool, object, "miss-ns", mean(expectation->misses, expectation->miss_ns));
	return object;
}

static json_t *json_of_candidate(void *pool, const struct nft_candidate *candidate)
{
	json_t *object = json_object();
	json_set(pool, object, "structure", json_text(pool, candidate->words));
	json_set(pool, object, "ns", number(candidate->cost));
	json_set(pool, object, "size-ns", number(candidate->price));
	json_set(pool, object, "is-chosen", json_boolean(candidate->is_chosen));
	return object;
}

static json_t *json_of_choice(void *pool, struct nft_choice *choice)
{
	json_t *object = json_object(), *candidates = json_array();
	sort_candidates(choice);
	for (size_t i = 0; i < choice->candidates_count; i++)
		json_add(pool, candidates, json_of_candidate(pool, &choice->candidates[i]));
	json_set(pool, object, "list", json_text(pool, choice->list));
	json_set(pool, object, "lines", number(choice->lines));
	json_set(pool, object, "candidates", candidates);
	return object;
}

void nft_report_json(struct text *out, const struct nft_report *report, const struct nft_table *table,
		     const struct ruleset *ruleset)
{
	void *pool = out->pool;
	struct nft_expectation expectations[HOOK_COUNT * 2];
	json_t *root = json_object(), *expected = json_array(), *choices = json_array();
	nft_expect(report->pool, table, ruleset, RULES_FOLLOWED, expectations);
	for (size_t i = 0; i < HOOK_COUNT * 2; i++)
		json_add(pool, expected, json_of_expectation(pool, &expectations[i]));
	for (size_t i = 0; i < report->choices_count; i++)
		json_add(pool, choices, json_of_choice(pool, &report->choices[i]));
	json_set(pool, root, "table", json_text(pool, table->name));
	json_set(pool, root, "chains", number(table->chains_count));
	json_set(pool, root, "rules", number(count_rules(table)));
	json_set(pool, root, "sets", number(table->sets_count));
	json_set(pool, root, "elements", number(count_elements(table)));
	json_set(pool, root, "expected", expected);
	json_set(pool, root, "choices", choices);
	json_finish(pool, out, root);
}
