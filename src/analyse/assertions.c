/* The map of the ruleset, cut down to the packets of an assertion, names the statements that decide some
 * of them; each must have the verdict that is asserted. */
#include "analyse/assertions.h"

#include "analyse/translations.h"
#include "base/pool.h"
#include "net/tuple.h"

struct asserter {
	void *pool;
	struct diags *diags;
	const struct ruleset *ruleset, *base;
	struct packet_universe *universe;
	struct packet_space *space;
	struct meaning meaning, base_meaning;
	packet_map map, base_map;
	packet_set possible;
	packet_set translated_first; /* sent to where a `forward` translates: no rule sees these */
	packet_set own_first;        /* the same where it is an address of the firewall itself */
};

static const char *const hook_words[] = { "input", "forward", "output" };
static const char *const past_words[] = { "allowed", "denied", "rejected" };

/* --- sets -------------------------------------------------------------------------------------------- */

static packet_set scope_set(struct asserter *asserter, const struct assertion *assertion,
			    const struct tuple_set *services)
{
	struct packet_rules boxes = { 0 };
	packet_set set;

	scope_boxes(asserter->pool, asserter->universe, services, assertion->from, assertion->to,
		    assertion->families, &boxes);
	for (size_t index = 0; index < boxes.items_count; index++)
		boxes.items[index].number = 1;
	set = packet_map_first_match(asserter->space, boxes.items, boxes.items_count, 0);
	return packet_set_intersect(asserter->space, set, asserter->possible);
}

static packet_set assertion_set(struct asserter *asserter, const struct assertion *assertion)
{
	struct tuple_set any = tuple_set_any(asserter->pool);

	if (assertion->kind != ASSERTION_ONLY)
		return scope_set(asserter, assertion, &assertion->services);
	return packet_set_subtract(asserter->space, scope_set(asserter, assertion, &any),
				   scope_set(asserter, assertion, &assertion->services));
}

/* --- what is asserted -------------------------------------------------------------------------------- */

static bool is_as_asserted(const struct assertion *assertion, const struct outcome *outcome)
{
	if (assertion->kind == ASSERTION_ONLY)
		return outcome->verdict != VERDICT_ALLOW;
	return outcome->verdict == assertion->verdict && outcome->limit == NULL;
}

static const char *packet_text(struct asserter *asserter, packet_set set)
{
	struct packet_point point;
	struct packet packet;
	struct text *text = text_new(asserter->pool);

	if (!packet_set_example(asserter->space, set, &point))
		return "";
	packet = packet_of_point(asserter->universe, &point);
	packet_format(text, &packet);
	return text->bytes;
}

static void note_decision(struct asserter *asserter, struct diagnostic *error,
			  const struct meaning *meaning, enum hook hook, uint32_t number,
			  const char *words)
{
	const struct outcome *outcome = meaning_outcome(meaning, hook, number);
	struct span origin = meaning_origin(meaning, hook, number);

	if (number >= meaning->statements)
		diag_note(asserter->diags, error, origin, "%sno rule matches it in the hook %s, and the "
			  "default decides: it is %s", words, hook_words[hook],
			  past_words[outcome->verdict]);
	else
		diag_note(asserter->diags, error, origin, "%sthis rule decides it in the hook %s: it is "
			  "%s%s", words, hook_words[hook], past_words[outcome->verdict],
			  outcome->limit != NULL ? " up to a limit" : "");
}

static bool is_forwarded(const struct rule_translation *translation, const struct packet *packet)
{
	const struct translation *source = translation->source;

	return translation->kind == TRANSLATION_FORWARD && source->has_host[packet->family] &&
	       source->host[packet->family].value == packet->destination &&
	       (source->port != 0 ? source->port == packet->first :
		tuples_hold(&translation->services, packet->family, packet->protocol, packet->first,
			    packet->second));
}

/* Who asserts a service of a host that a `forward` admits means what is translated, too. */
static void note_forward(struct asserter *asserter, struct diagnostic *error, packet_set set)
{
	const struct ruleset *ruleset = asserter->ruleset;
	struct packet_point point;
	struct packet packet;

	if (!packet_set_example(asserter->space, set, &point) || point.fields[FIELD_TRANSLATED] != 0)
		return;
	packet = packet_of_point(asserter->universe, &point);
	for (size_t index = 0; index < ruleset->translations_count; index++)
		if (is_forwarded(ruleset->translations[index], &packet)) {
			diag_note(asserter->diags, error, ruleset->translations[index]->origin,
				  "this admits what it translates; that packet was sent to the host itself");
			return;
		}
}

static const struct rule_translation *forward_at_firewall(const struct ruleset *ruleset,
							  const struct packet *packet)
{
	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *half = ruleset->translations[index];

		if (half->kind == TRANSLATION_FORWARD && !half->source->has_at && half->applies_to_routed &&
		    tuples_hold(&half->services, packet->family, packet->protocol, packet->first, packet->second) &&
		    boxes_hold(&half->from, packet->in, packet->family, packet->source))
			return half;
	}
	return NULL;
}

/* Whose example an assertion says nothing of, where that goes to an address of the firewall. */
static void note_own(struct asserter *asserter, struct diagnostic *diagnostic, packet_set set)
{
	const struct rule_translation *forward;
	struct packet_point point;
	struct packet packet;

	if (!packet_set_example(asserter->space, set, &point) ||
	    packet_map_at(asserter->space, asserter->own_first, &point) == 0)
		return;
	packet = packet_of_point(asserter->universe, &point);
	forward = forward_at_firewall(asserter->ruleset, &packet);
	if (forward != NULL)
		diag_note(asserter->diags, diagnostic, forward->origin,
			  "this translates what is sent to an address of the firewall itself");
}

static void report_failed(struct asserter *asserter, const struct assertion *assertion, enum hook hook,
			  uint32_t number, packet_set set)
{
	struct diagnostic *error =
		diag_add(asserter->diags, CODE_ASSERTION_FAILED, assertion->span,
			 "this assertion does not hold: %s", packet_text(asserter, set));

	note_decision(asserter, error, &asserter->meaning, hook, number, "");
	if (assertion->kind == ASSERTION_VERDICT && assertion->verdict == VERDICT_DENY &&
	    meaning_outcome(&asserter->meaning, hook, number)->verdict == VERDICT_REJECT)
		diag_note(asserter->diags, error, SPAN_NONE,
			  "'assert deny' speaks of silent denials, 'assert reject' of those that are answered");
	if (assertion->kind == ASSERTION_VERDICT && assertion->verdict == VERDICT_ALLOW)
		note_forward(asserter, error, set);
	note_own(asserter, error, set);
}

/* Of some packets those to a host that no `forward` may translate first, if there are. */
static packet_set surest(struct asserter *asserter, packet_set set)
{
	struct packet_space *space = asserter->space;
	packet_set sure = packet_set_intersect(space, packet_set_subtract(space, set, asserter->own_first),
					       packet_set_to_hosts(asserter->pool, space));

	return packet_set_is_empty(sure) ? set : sure;
}

/* false: it does not hold, and the first packet of the hook that shows it was reported. */
static bool holds_in(struct asserter *asserter, const struct assertion *assertion, packet_set asked,
		     enum hook hook)
{
	uint32_t count = asserter->meaning.numbers_count;
	bool *seen = pool_array(asserter->pool, bool, count);
	packet_set of_hook = packet_set_value(asserter->space, FIELD_HOOK, hook);
	packet_set set = packet_set_intersect(asserter->space, asked, of_hook);
	packet_map cut = packet_map_choose(asserter->space, set, asserter->map,
					   packet_map_constant(count));

	if (cut == PACKET_MAP_OVER)
		return true; /* told by the caller */
	packet_map_numbers(asserter->space, cut, seen, count);
	for (uint32_t number = 0; number < count; number++) {
		if (!seen[number] ||
		    is_as_asserted(assertion, meaning_outcome(&asserter->meaning, hook, number)))
			continue;
		report_failed(asserter, assertion, hook, number,
			      surest(asserter, packet_map_where(asserter->space, cut, number)));
		return false;
	}
	return true;
}

/* --- unchanged --------------------------------------------------------------------------------------- */

static bool are_equal(const struct outcome *a, const struct outcome *b)
{
	const struct limit *x = a->limit, *y = b->limit;

	return a->verdict == b->verdict &&
	       (x == y || (x != NULL && y != NULL && x->rate == y->rate && x->unit_s == y->unit_s &&
			   x->burst == y->burst && x->is_per_source == y->is_per_source));
}

struct pairing {
	const struct asserter *asserter;
	enum hook hook;
};

static uint32_t differ_pair(void *context, uint32_t a, uint32_t b)
{
	const struct pairing *pairing = context;
	const struct asserter *asserter = pairing->asserter;

	return !are_equal(meaning_outcome(&asserter->meaning, pairing->hook, a),
			  meaning_outcome(&asserter->base_meaning, pairing->hook, b));
}

/* The map of one hook alone: the other hooks' numbers mean nothing there. */
static packet_map map_of(struct asserter *asserter, const struct meaning *meaning, enum hook hook)
{
	struct packet_rules boxes = { 0 };

	meaning_boxes(meaning, asserter->pool, asserter->universe, hook, &boxes);
	return packet_map_first_match(asserter->space, boxes.items, boxes.items_count,
				      meaning->statements);
}

static bool is_unchanged_in(struct asserter *asserter, const struct assertion *assertion,
			    packet_set asked, enum hook hook)
{
	struct pairing pairing = { asserter, hook };
	packet_map now = map_of(asserter, &asserter->meaning, hook);
	packet_map then = map_of(asserter, &asserter->base_meaning, hook);
	packet_set differs = packet_map_combine(asserter->space, now, then, differ_pair, &pairing);
	struct packet_point point;
	struct diagnostic *error;

	differs = packet_set_intersect(asserter->space, differs, asked);
	differs = packet_set_intersect(asserter->space, differs,
				       packet_set_value(asserter->space, FIELD_HOOK, hook));
	if (!packet_set_example(asserter->space, differs, &point))
		return true;
	error = diag_add(asserter->diags, CODE_ASSERTION_FAILED, assertion->span,
			 "this assertion does not hold: the verdict on %s has changed",
			 packet_text(asserter, differs));
	note_decision(asserter, error, &asserter->base_meaning, hook,
		      packet_map_at(asserter->space, then, &point), "before: ");
	note_decision(asserter, error, &asserter->meaning, hook,
		      packet_map_at(asserter->space, now, &point), "now: ");
	return false;
}

/* --- one assertion ----------------------------------------------------------------------------------- */

/* What it says of input it says of nothing, where that is sent to an address of the firewall. */
static void tell_own(struct asserter *asserter, const struct assertion *assertion, packet_set asked)
{
	struct packet_space *space = asserter->space;
	packet_set input = packet_set_intersect(space, asked, packet_set_value(space, FIELD_HOOK, HOOK_INPUT));
	struct diagnostic *note;

	if (packet_set_is_empty(input) || !packet_set_includes(space, asserter->own_first, input))
		return;
	note = diag_add(asserter->diags, CODE_ASSERTION_OWN, assertion->span,
			"this says nothing of packets to the firewall: they are translated first");
	note_own(asserter, note, input);
	diag_note(asserter->diags, note, SPAN_NONE,
		  "it holds where the address is another host's; behind 'at' the 'forward' says which it is for");
}

static void check(struct asserter *asserter, const struct assertion *assertion, enum assertion_reach *reach)
{
	packet_set described = assertion_set(asserter, assertion);
	bool is_comparison = assertion->kind == ASSERTION_UNCHANGED;
	/* of two policies one may translate what the other does not */
	packet_set asked = is_comparison ? described :
			   packet_set_subtract(asserter->space, described, asserter->translated_first);

	if (!packet_set_is_empty(is_comparison ? asked :
				 packet_set_subtract(asserter->space, asked, asserter->own_first)))
		*reach = ASSERTION_OF_PACKETS;
	else if (!packet_set_is_empty(described) && *reach == ASSERTION_OF_NOTHING)
		*reach = ASSERTION_OF_TRANSLATED;
	if (is_comparison && asserter->base == NULL) {
		struct diagnostic *warning =
			diag_add(asserter->diags, CODE_ASSERTION_UNDECIDED, assertion->span,
				 "there is nothing to compare with");

		diag_note(asserter->diags, warning, SPAN_NONE, "name the earlier policy: --base FILE");
		return;
	}
	for (enum hook hook = 0; hook < HOOK_COUNT && !packet_space_is_over(asserter->space); hook++)
		if (is_comparison ? !is_unchanged_in(asserter, assertion, asked, hook) :
				    !holds_in(asserter, assertion, asked, hook))
			return;
	if (packet_space_is_over(asserter->space))
		diag_add(asserter->diags, CODE_ASSERTION_BUDGET, assertion->span,
			 "it could not be decided whether this holds: the policy is too large");
	else if (!is_comparison && *reach == ASSERTION_OF_PACKETS)
		tell_own(asserter, assertion, asked);
}

/* Translated packets are those that a `forward` makes. */
static packet_set possible(struct asserter *asserter)
{
	struct packet_space *space = asserter->space;
	packet_set set = translations_made(asserter->pool, space, asserter->ruleset);

	if (asserter->base != NULL)
		set = packet_set_union(space, set, translations_made(asserter->pool, space, asserter->base));
	set = packet_set_union(space, set, packet_set_value(space, FIELD_TRANSLATED, 0));
	return packet_set_intersect(space, set, packet_set_possible(space));
}

static void make_maps(struct asserter *asserter)
{
	asserter->universe = packet_universe_new(asserter->pool);
	packet_universe_add(asserter->universe, asserter->ruleset);
	packet_universe_add_zones(asserter->universe, asserter->ruleset->policy);
	if (asserter->base != NULL)
		packet_universe_add(asserter->universe, asserter->base);
	packet_universe_finish(asserter->universe);
	asserter->meaning = meaning_of(asserter->pool, asserter->ruleset);
	if (asserter->base != NULL)
		asserter->base_meaning = meaning_of(asserter->pool, asserter->base);
	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		asserter->space = packet_space_new(asserter->pool, asserter->universe, order, 0);
		asserter->map = meaning_map(&asserter->meaning, asserter->pool, asserter->space);
		asserter->possible = possible(asserter);
		asserter->translated_first =
			translations_taken(asserter->pool, asserter->space, asserter->ruleset);
		asserter->own_first = asserter->ruleset->policy->device != NULL ? packet_set_none() :
			translations_taken_at_firewall(asserter->pool, asserter->space, asserter->ruleset);
		if (!packet_space_is_over(asserter->space))
			return;
	}
}

void assertions_check(void *pool, struct diags *diags, const struct ruleset *ruleset,
		      const struct ruleset *base, enum assertion_reach *reach)
{
	const struct policy *policy = ruleset->policy;
	struct asserter asserter = {
		.pool = pool_child(pool, "assertions"),
		.diags = diags,
		.ruleset = ruleset,
		.base = base,
	};

	if (policy->assertions_count > 0)
		make_maps(&asserter);
	for (size_t index = 0; index < policy->assertions_count; index++)
		check(&asserter, &policy->assertions[index], &reach[index]);
	talloc_free(asserter.pool);
}

void assertions_finish(struct diags *diags, const struct policy *policy, const enum assertion_reach *reach)
{
	for (size_t index = 0; index < policy->assertions_count; index++) {
		struct diagnostic *error;

		if (reach[index] == ASSERTION_OF_PACKETS)
			continue;
		error = diag_add(diags, CODE_ASSERTION_EMPTY, policy->assertions[index].span,
				 "this assertion speaks of no packet");
		if (reach[index] == ASSERTION_OF_TRANSLATED)
			diag_note(diags, error, SPAN_NONE, "what is sent there is translated first, and rules see "
				  "it with the address and port of the host that gets it: speak of that");
	}
}
