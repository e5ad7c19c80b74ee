/* The proof of an import of iptables-save, tried by mutations: the policy of each file is changed in one small
 * thing after it was made. The proof must tell, by a packet with which the plain evaluator of rulesets agrees, or
 * that evaluator must find no packet at the corners of both that gets another outcome. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "import/iptables_prove.h"
#include "policy_text.h"
#include "rules/evaluate.h"
#include "unit.h"

#define MUTATIONS 200
#define SAMPLES 2000
#define FILES_LEAST 10

struct imported {
	const char *path;
	struct sources *sources;
	struct import_iptables_files files;
	struct ruleset *ruleset;
};

/* --- files -------------------------------------------------------------------------------------------- */

static bool import_text(struct imported *imported, const char *bytes, size_t length)
{
	const struct import_iptables_settings settings = { .ignores_always_passing = true };
	struct diags *diags;
	struct service_database *database;
	struct text *out = text_new(unit_pool());
	uint32_t source;
	bool is_usable;

	imported->sources = sources_new(unit_pool());
	diags = diags_new(unit_pool(), imported->sources);
	source = sources_add(imported->sources, imported->path, bytes, length, false);
	database = service_database_new(unit_pool(), diags, NULL);
	service_database_resolve_all(database);
	import_iptables(out, diags, &source, 1, database, &settings, &imported->files, &is_usable);
	if (!is_usable)
		return false;
	imported->ruleset = expand_policy(unit_pool(), diags, policy_of(&diags, out->bytes));
	return true;
}

static bool import_file(struct imported *imported, const char *path)
{
	const struct file_reader disk = file_reader_disk();
	const char *bytes;
	size_t length;

	imported->path = path;
	ck_assert_int_eq(disk.read(disk.context, unit_pool(), path, &bytes, &length), 0);
	return import_text(imported, bytes, length);
}

static struct proof prove(const struct imported *imported, const struct ruleset *ruleset, void *pool)
{
	return import_iptables_prove(pool, ruleset, imported->sources, &imported->files);
}

/* --- mutations ---------------------------------------------------------------------------------------- */

/* What is changed; all of a ruleset's rules may be replaced, none in place. */
struct mutant {
	void *pool;
	struct ruleset ruleset;
	enum hook hook;
	struct rule *rule; /* a copy of the one that is changed, or NULL: the hook has none */
	size_t at;
};

static struct interval_set *side_of(struct mutant *mutant)
{
	const bool is_source = unit_below(2) == 0;
	struct place_boxes *boxes = is_source ? &mutant->rule->match.from : &mutant->rule->match.to;
	struct place_box *copies = pool_array(mutant->pool, struct place_box, boxes->boxes_count + 1);
	struct interval_set *set;
	struct interval *items;

	if (boxes->boxes_count == 0)
		return NULL;
	memcpy(copies, boxes->boxes, boxes->boxes_count * sizeof *copies);
	boxes->boxes = copies;
	copies += unit_below((unsigned)boxes->boxes_count);
	set = unit_below(4) == 0 ? &copies->addresses.v6 : &copies->addresses.v4;
	if (set->items_count == 0)
		return NULL;
	items = pool_array(mutant->pool, struct interval, set->items_count);
	memcpy(items, set->items, set->items_count * sizeof *items);
	set->items = items;
	return set;
}

/* One bit of an end of an interval; what came before the other end is turned round. */
static bool change_address(struct mutant *mutant)
{
	struct interval_set *set = mutant->rule == NULL ? NULL : side_of(mutant);
	struct interval *item;
	number128 bit, swapped;

	if (set == NULL)
		return false;
	item = &set->items[unit_below((unsigned)set->items_count)];
	bit = (number128)1 << unit_below(item->high > UINT32_MAX ? 128 : 32);
	if (unit_below(2) == 0)
		item->low ^= bit;
	else
		item->high ^= bit;
	if (item->low > item->high) {
		swapped = item->low;
		item->low = item->high;
		item->high = swapped;
	}
	interval_set_normalise(set);
	return true;
}

static bool change_interface(struct mutant *mutant)
{
	struct place_boxes *boxes;
	struct place_box *copies;

	if (mutant->rule == NULL)
		return false;
	boxes = mutant->hook == HOOK_OUTPUT ? &mutant->rule->match.to : &mutant->rule->match.from;
	if (boxes->boxes_count == 0)
		return false;
	copies = pool_array(mutant->pool, struct place_box, boxes->boxes_count);
	memcpy(copies, boxes->boxes, boxes->boxes_count * sizeof *copies);
	boxes->boxes = copies;
	copies[unit_below((unsigned)boxes->boxes_count)].interfaces.is_complement ^= true;
	return true;
}

static bool change_service(struct mutant *mutant)
{
	struct tuple_set *set;
	struct service_tuple *copies, *tuple;
	struct port_range *range;

	if (mutant->rule == NULL || mutant->rule->match.services.tuples_count == 0)
		return false;
	set = &mutant->rule->match.services;
	copies = pool_array(mutant->pool, struct service_tuple, set->tuples_count);
	memcpy(copies, set->tuples, set->tuples_count * sizeof *copies);
	set->tuples = copies;
	tuple = &copies[unit_below((unsigned)set->tuples_count)];
	range = unit_below(4) == 0 ? &tuple->second : &tuple->first;
	if (tuple->protocol > UINT8_MAX || unit_below(5) == 0)
		tuple->protocol = tuple->protocol == 6 ? 17 : 6;
	else if (range->high < UINT8_MAX)
		range->high++;
	else if (range->low > 0)
		range->low--;
	else
		range->low = (uint16_t)(range->high / 2);
	return true;
}

static struct outcome *outcome_of(struct mutant *mutant)
{
	struct outcome *outcome = pool_new(mutant->pool, struct outcome);

	*outcome = mutant->rule == NULL ? *mutant->ruleset.defaults[mutant->hook] : *mutant->rule->outcome;
	if (mutant->rule == NULL)
		mutant->ruleset.defaults[mutant->hook] = outcome;
	else
		mutant->rule->outcome = outcome;
	return outcome;
}

static bool change_verdict(struct mutant *mutant)
{
	struct outcome *outcome = outcome_of(mutant);

	outcome->verdict = (enum verdict)((outcome->verdict + 1 + unit_below(2)) % 3);
	return true;
}

static bool change_limit(struct mutant *mutant)
{
	struct outcome *outcome = outcome_of(mutant);
	struct limit *limit = pool_new(mutant->pool, struct limit);

	*limit = outcome->limit != NULL ? *outcome->limit : (struct limit){ .rate = 5, .unit_s = 60, .burst = 5 };
	limit->burst++;
	outcome->limit = limit;
	return outcome->verdict == VERDICT_ALLOW;
}

static bool drop_rule(struct mutant *mutant)
{
	struct rule **rules = mutant->ruleset.rules[mutant->hook];
	const size_t count = mutant->ruleset.rules_count[mutant->hook];

	if (mutant->rule == NULL)
		return false;
	memmove(rules + mutant->at, rules + mutant->at + 1, (count - mutant->at - 1) * sizeof *rules);
	mutant->ruleset.rules_count[mutant->hook]--;
	return true;
}

static bool swap_rules(struct mutant *mutant)
{
	struct rule **rules = mutant->ruleset.rules[mutant->hook], *first = rules[mutant->at];

	if (mutant->rule == NULL || mutant->at + 1 >= mutant->ruleset.rules_count[mutant->hook])
		return false;
	rules[mutant->at] = rules[mutant->at + 1];
	rules[mutant->at + 1] = first;
	return true;
}

static bool drop_translation(struct mutant *mutant)
{
	struct ruleset *ruleset = &mutant->ruleset;
	const size_t count = ruleset->translations_count;
	struct rule_translation **copies = pool_array(mutant->pool, struct rule_translation *, count + 1);
	const size_t at = count == 0 ? 0 : unit_below((unsigned)count);

	if (count == 0)
		return false;
	memcpy(copies, ruleset->translations, count * sizeof(struct rule_translation *));
	memmove(copies + at, copies + at + 1, (count - at - 1) * sizeof(struct rule_translation *));
	ruleset->translations = copies;
	ruleset->translations_count--;
	return true;
}

static bool change_translation(struct mutant *mutant)
{
	struct ruleset *ruleset = &mutant->ruleset;
	const size_t count = ruleset->translations_count;
	struct rule_translation **copies = pool_array(mutant->pool, struct rule_translation *, count + 1);
	struct rule_translation *changed = pool_new(mutant->pool, struct rule_translation);
	struct translation *source = pool_new(mutant->pool, struct translation);
	const size_t at = count == 0 ? 0 : unit_below((unsigned)count);

	if (count == 0)
		return false;
	memcpy(copies, ruleset->translations, count * sizeof(struct rule_translation *));
	*changed = *copies[at];
	*source = *changed->source;
	changed->source = source;
	copies[at] = changed;
	ruleset->translations = copies;
	if (source->kind == TRANSLATION_MASQUERADE)
		changed->families ^= FAMILIES_BOTH;
	else if (source->kind == TRANSLATION_SNAT)
		source->as[FAMILY_IPV4].value ^= 1;
	else
		source->host[FAMILY_IPV4].value ^= 1;
	return true;
}

static bool (*const changes[])(struct mutant *mutant) = {
	change_address, change_address, change_interface, change_service, change_service, change_verdict,
	change_limit, drop_rule, swap_rules, drop_translation, change_translation,
};

static struct mutant mutant_of(void *pool, const struct ruleset *ruleset)
{
	struct mutant mutant = { .pool = pool, .ruleset = *ruleset, .hook = (enum hook)unit_below(HOOK_COUNT) };
	const size_t count = ruleset->rules_count[mutant.hook];
	struct rule **rules = pool_array(pool, struct rule *, count + 1);

	if (count > 0)
		memcpy(rules, ruleset->rules[mutant.hook], count * sizeof(struct rule *));
	mutant.ruleset.rules[mutant.hook] = rules;
	mutant.at = unit_below((unsigned)count + 1);
	if (mutant.at == count)
		return mutant;
	mutant.rule = pool_new(pool, struct rule);
	*mutant.rule = *rules[mutant.at];
	rules[mutant.at] = mutant.rule;
	return mutant;
}

/* --- the plain evaluator ------------------------------------------------------------------------------ */

static bool same_limit(const struct limit *a, const struct limit *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->rate == b->rate && a->unit_s == b->unit_s && a->burst == b->burst &&
	       a->is_per_source == b->is_per_source;
}

static bool same_outcome(const struct imported *imported, const struct ruleset *other, const struct packet *packet)
{
	const struct outcome *a = ruleset_evaluate(imported->ruleset, packet).outcome;
	const struct outcome *b = ruleset_evaluate(other, packet).outcome;

	return a->verdict == b->verdict && same_limit(a->limit, b->limit) &&
	       (imported->files.has_other_logs || a->has_log == b->has_log);
}

static number128 corner_of(const struct ruleset *ruleset, enum hook hook, enum family family, bool is_source)
{
	const size_t count = ruleset->rules_count[hook];
	const struct match *match = count == 0 ? NULL : &ruleset->rules[hook][unit_below((unsigned)count)]->match;
	const struct place_boxes *boxes = match == NULL ? NULL : is_source ? &match->from : &match->to;
	const struct interval_set *set;
	const struct interval *item;

	if (boxes == NULL || boxes->boxes_count == 0)
		return 1;
	set = address_set_family(&boxes->boxes[unit_below((unsigned)boxes->boxes_count)].addresses, family);
	if (set->items_count == 0)
		return 1;
	item = &set->items[unit_below((unsigned)set->items_count)];
	return (unit_below(2) == 0 ? item->low + unit_below(2) : item->high - unit_below(2)) &
	       family_highest(family);
}

static const char *interface_of(const struct ruleset *ruleset)
{
	const struct policy *policy = ruleset->policy;
	const size_t zone = unit_below((unsigned)policy->zones_count + 1);

	if (zone == policy->zones_count)
		return "other0";
	return policy->zones[zone]->interfaces.names[0];
}

static struct packet packet_at_corners(const struct ruleset *ruleset)
{
	struct packet packet = { .hook = (enum hook)unit_below(HOOK_COUNT), .time = TEST_TODAY,
				 .family = unit_below(4) == 0 ? FAMILY_IPV6 : FAMILY_IPV4 };
	const size_t count = ruleset->rules_count[packet.hook];
	const struct tuple_set *services = count == 0 ? NULL :
		&ruleset->rules[packet.hook][unit_below((unsigned)count)]->match.services;
	const struct service_tuple *tuple = services == NULL || services->tuples_count == 0 ? NULL :
		&services->tuples[unit_below((unsigned)services->tuples_count)];

	packet.in = packet.hook == HOOK_OUTPUT ? NULL : interface_of(ruleset);
	packet.out = packet.hook == HOOK_INPUT ? NULL : interface_of(ruleset);
	packet.source = corner_of(ruleset, packet.hook, packet.family, true);
	packet.destination = corner_of(ruleset, packet.hook, packet.family, false);
	packet.protocol = tuple == NULL || tuple->protocol > UINT8_MAX ? 6 : (uint8_t)tuple->protocol;
	if (tuple != NULL) {
		packet.first = (uint16_t)(tuple->first.low + unit_below(3) - 1);
		packet.second = unit_below(2) == 0 ? tuple->second.low : tuple->second.high;
	}
	if (packet.protocol == 1 || packet.protocol == 58) {
		packet.first &= UINT8_MAX;
		packet.second &= UINT8_MAX;
	}
	return packet;
}

/* ICMPv6 that passes at all times, and what an import leaves out. */
static bool is_looked_at(const struct imported *imported, const struct packet *packet)
{
	const bool is_foreign = packet->protocol == (packet->family == FAMILY_IPV4 ? 58 : 1);

	return !(packet->family == FAMILY_IPV6 && packet->protocol == 58) &&
	       !(is_foreign && imported->files.lacks_foreign_icmp);
}

static void assert_same_samples(const struct imported *imported, const struct ruleset *mutant)
{
	for (unsigned sample = 0; sample < SAMPLES; sample++) {
		const struct packet packet = packet_at_corners(sample % 2 == 0 ? imported->ruleset : mutant);

		ck_assert_msg(!is_looked_at(imported, &packet) || same_outcome(imported, mutant, &packet),
			      "%s: a mutation was not told of: protocol %u, port %u, hook %u", imported->path,
			      packet.protocol, packet.first, packet.hook);
	}
}

/* --- the law ------------------------------------------------------------------------------------------ */

struct figures {
	unsigned files, caught, equal;
};

static bool try_mutation(const struct imported *imported, struct figures *figures)
{
	void *pool = pool_child(unit_pool(), "mutation");
	struct mutant mutant = mutant_of(pool, imported->ruleset);
	const unsigned kind = unit_below(sizeof changes / sizeof changes[0]);
	const bool is_changed = changes[kind](&mutant);
	struct proof proof;

	if (is_changed) {
		proof = prove(imported, &mutant.ruleset, pool);
		ck_assert_msg(proof.result == PROOF_EQUAL || proof.result == PROOF_DIFFERS, "%s", imported->path);
		if (proof.result == PROOF_EQUAL)
			assert_same_samples(imported, &mutant.ruleset);
		else if (strcmp(proof.witness.type, "filter") == 0)
			ck_assert_msg(!same_outcome(imported, &mutant.ruleset, &proof.witness.packet),
				      "%s, change %u: no difference: %s, by the policy %s, by the text %s",
				      imported->path, kind, proof.packet, proof.wanted, proof.found);
		figures->equal += proof.result == PROOF_EQUAL;
		figures->caught += proof.result == PROOF_DIFFERS;
	}
	talloc_free(pool);
	return is_changed;
}

static void try_file(const char *path, struct figures *figures)
{
	struct imported imported;
	struct proof proof;

	if (!import_file(&imported, path))
		return;
	figures->files++;
	proof = prove(&imported, imported.ruleset, pool_child(unit_pool(), "proof"));
	ck_assert_msg(proof.result == PROOF_EQUAL, "%s: %s, %s: %s, %s", path, proof.where, proof.packet,
		      proof.wanted, proof.found);
	for (unsigned mutation = 0; mutation < UNIT_ROUNDS(MUTATIONS);) /* some changes find nothing to change */
		mutation += try_mutation(&imported, figures);
}

START_TEST(a_mutation_is_caught_or_means_the_same)
{
	struct figures figures = { 0 };
	glob_t found;

	ck_assert_int_eq(glob(FWC_TEST_SAVED "/*.v[46]", 0, NULL, &found), 0);
	for (size_t index = 0; index < found.gl_pathc; index++)
		try_file(found.gl_pathv[index], &figures);
	globfree(&found);
	ck_assert_uint_ge(figures.files, FILES_LEAST);
	ck_assert_uint_gt(figures.caught, figures.equal);
	printf("mutations of imported policies: %u of %u files, %u caught, %u that mean the same\n",
	       figures.caught + figures.equal, figures.files, figures.caught, figures.equal);
}
END_TEST

static Suite *iptables_proof_suite(void)
{
	Suite *suite = suite_create("proof of iptables");
	TCase *tests = unit_case(suite, "mutations");

	tcase_add_test(tests, a_mutation_is_caught_or_means_the_same);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ iptables_proof_suite, NULL });
}
