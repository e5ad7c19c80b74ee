#include "target/cisco/replies/terms.h"

#include <string.h>

#include "base/arena.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/terms/complement.h"

#define JOIN_ROUNDS 8
#define PROTOCOL_HIGHEST 255
#define PROTOCOLS_MANY 200 /* tuples of fewer are not every protocol */

/* --- turning round ------------------------------------------------------------------------------ */

struct icmp_pair {
	uint8_t request, answer;
};

/* RFC 792: echo, timestamp, information; RFC 950: mask. RFC 4443: echo; RFC 4620: node information. */
static const struct icmp_pair icmp_pairs[] = { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
static const struct icmp_pair icmp6_pairs[] = { { 128, 129 }, { 139, 140 } };

/* RFC 792, RFC 4443: destination unreachable, packet too big, time exceeded, parameter problem. */
static const uint8_t icmp_errors[] = { 3, 11, 12 };
static const uint8_t icmp6_errors[] = { 1, 2, 3, 4 };

static uint16_t icmp_of(enum family family)
{
	return family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6;
}

static uint8_t bit_of(enum family family)
{
	return family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

static void add_icmp_type(void *pool, struct tuple_set *set, enum family family, uint8_t type,
			  struct port_range codes)
{
	tuple_set_add(pool, set, (struct service_tuple){
		.protocol = icmp_of(family),
		.families = bit_of(family),
		.first = { type, type },
		.second = codes,
	});
}

static void turn_icmp(void *pool, enum family family, const struct service_tuple *tuple, struct tuple_set *set)
{
	bool is_v4 = family == FAMILY_IPV4;
	const struct icmp_pair *pairs = is_v4 ? icmp_pairs : icmp6_pairs;
	size_t count = is_v4 ? sizeof icmp_pairs / sizeof icmp_pairs[0] :
		       sizeof icmp6_pairs / sizeof icmp6_pairs[0];

	for (size_t index = 0; index < count; index++)
		if (tuple->first.low <= pairs[index].request && pairs[index].request <= tuple->first.high)
			add_icmp_type(pool, set, family, pairs[index].answer, tuple->second);
}

static void add_whole(void *pool, struct tuple_set *set, uint16_t protocol, uint8_t families)
{
	tuple_set_add(pool, set, (struct service_tuple){
		.protocol = protocol,
		.families = families,
		.first = { 0, UINT16_MAX },
		.second = { 0, UINT16_MAX },
	});
}

/* The answers of one flow, by their kinds. */
struct turned {
	struct tuple_set established, plain;
	bool has_rest;
};

static void turn_any(void *pool, enum family family, struct turned *turned)
{
	const struct service_tuple any_icmp = { icmp_of(family), bit_of(family),
						{ 0, UINT8_MAX }, { 0, UINT8_MAX } };

	add_whole(pool, &turned->established, PROTOCOL_TCP, FAMILIES_BOTH);
	turn_icmp(pool, family, &any_icmp, &turned->plain);
	turned->has_rest = true;
}

static void turn_tuple(void *pool, enum family family, const struct service_tuple *tuple, struct turned *turned)
{
	struct service_tuple back = *tuple;

	back.first = tuple->second;
	back.second = tuple->first;
	if (tuple->protocol == PROTOCOL_ANY)
		turn_any(pool, family, turned);
	else if (tuple->protocol == icmp_of(family))
		turn_icmp(pool, family, tuple, &turned->plain);
	else
		tuple_set_add(pool, tuple->protocol == PROTOCOL_TCP ? &turned->established : &turned->plain, back);
}

/* Every protocol but some of TCP and ICMP, told one by one (`any except ssh`). */
static void find_rest(void *pool, enum family family, struct turned *turned)
{
	struct tuple_set plain, rest;

	if (turned->has_rest || turned->plain.tuples_count < PROTOCOLS_MANY)
		return;
	plain = tuple_set_normalise(pool, &turned->plain);
	rest = answers_rest(pool, family);
	if (tuple_set_subtract(pool, &rest, &plain).tuples_count > 0)
		return;
	turned->plain = tuple_set_subtract(pool, &plain, &rest);
	turned->has_rest = true;
}

static void add_answer(void *pool, struct answers *answers, const struct answer *answer)
{
	struct answer item = *answer;

	item.services = tuple_set_normalise(pool, &answer->services);
	*pool_append(pool, answers, items) = item;
}

void answers_of_flow(void *pool, enum family family, const struct reply_flow *flow, struct answers *answers)
{
	struct turned turned = { 0 };
	struct answer answer = { .from = flow->destination, .to = flow->source, .origin = flow->origin };

	for (size_t index = 0; index < flow->services.tuples_count; index++)
		if ((flow->services.tuples[index].families & bit_of(family)) != 0)
			turn_tuple(pool, family, &flow->services.tuples[index], &turned);
	find_rest(pool, family, &turned);
	answer.services = turned.plain;
	if (turned.plain.tuples_count > 0)
		add_answer(pool, answers, &answer);
	answer.services = turned.established;
	answer.is_established = true;
	if (turned.established.tuples_count > 0)
		add_answer(pool, answers, &answer);
	answer.services = (struct tuple_set){ 0 };
	answer.is_established = false;
	answer.is_rest = true;
	if (turned.has_rest)
		add_answer(pool, answers, &answer);
}

void answers_of_errors(void *pool, enum family family, const struct reply_flows *flows, struct answers *answers)
{
	const uint8_t *types = family == FAMILY_IPV4 ? icmp_errors : icmp6_errors;
	size_t count = family == FAMILY_IPV4 ? sizeof icmp_errors : sizeof icmp6_errors;
	struct answer errors = { .from = *ios_whole(family) };

	if (flows->flows_count == 0)
		return;
	errors.origin = flows->flows[0].origin;
	for (size_t index = 0; index < flows->flows_count; index++)
		errors.to = interval_set_union(pool, &errors.to, &flows->flows[index].source);
	for (size_t index = 0; index < count; index++)
		add_icmp_type(pool, &errors.services, family, types[index], (struct port_range){ 0, UINT8_MAX });
	add_answer(pool, answers, &errors);
}

struct tuple_set answers_rest(void *pool, enum family family)
{
	struct tuple_set set = { 0 };

	for (uint16_t protocol = 0; protocol <= PROTOCOL_HIGHEST; protocol++)
		if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6)
			continue;
		else if (protocol != PROTOCOL_TCP)
			add_whole(pool, &set, protocol, FAMILIES_BOTH);
	/* the other family's ICMP is a protocol like any other */
	tuple_set_add(pool, &set, (struct service_tuple){
		icmp_of(family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4), bit_of(family), { 0, UINT8_MAX },
		{ 0, UINT8_MAX } });
	return tuple_set_normalise(pool, &set);
}

/* --- joining -------------------------------------------------------------------------------------- */

struct shape {
	uint64_t from, to;
};

static struct tuple_set services_union(void *pool, const struct tuple_set *a, const struct tuple_set *b)
{
	struct tuple_set sum = { 0 };

	for (size_t index = 0; index < a->tuples_count; index++)
		tuple_set_add(pool, &sum, a->tuples[index]);
	for (size_t index = 0; index < b->tuples_count; index++)
		tuple_set_add(pool, &sum, b->tuples[index]);
	return tuple_set_normalise(pool, &sum);
}

static bool join_pair(void *pool, struct answer *a, const struct answer *b, struct shape *shape,
		      const struct shape *other)
{
	bool has_from, has_to, has_services;

	if (a->is_established != b->is_established || a->is_rest != b->is_rest)
		return false;
	has_from = shape->from == other->from && interval_set_equals(&a->from, &b->from);
	has_to = shape->to == other->to && interval_set_equals(&a->to, &b->to);
	if (!has_from && !has_to)
		return false;
	has_services = tuple_set_equals(&a->services, &b->services);
	if (has_from && has_to) {
		if (!has_services)
			a->services = services_union(pool, &a->services, &b->services);
		return true;
	}
	if (!has_services)
		return false;
	if (has_from)
		a->to = interval_set_union(pool, &a->to, &b->to);
	else
		a->from = interval_set_union(pool, &a->from, &b->from);
	*shape = (struct shape){ interval_set_hash(&a->from), interval_set_hash(&a->to) };
	return true;
}

/* Each into the first that it fits. */
static bool join_round(void *pool, struct answers *answers, struct shape *shapes)
{
	size_t kept = 0;

	for (size_t index = 0; index < answers->items_count; index++) {
		bool is_joined = false;

		for (size_t other = 0; other < kept && !is_joined; other++)
			is_joined = join_pair(pool, &answers->items[other], &answers->items[index], &shapes[other],
					      &shapes[index]);
		if (is_joined)
			continue;
		answers->items[kept] = answers->items[index];
		shapes[kept++] = shapes[index];
	}
	bool is_changed = kept < answers->items_count;

	answers->items_count = kept;
	return is_changed;
}

static bool services_include(void *pool, const struct answer *outer, const struct answer *inner)
{
	if (outer->is_rest || inner->is_rest)
		return outer->is_rest == inner->is_rest;
	return tuple_set_subtract(pool, &inner->services, &outer->services).tuples_count == 0;
}

static void drop_included(void *pool, struct answers *answers)
{
	size_t kept = 0;

	for (size_t index = 0; index < answers->items_count; index++) {
		const struct answer *item = &answers->items[index];
		bool is_included = false;

		for (size_t other = 0; other < answers->items_count && !is_included; other++) {
			const struct answer *outer = &answers->items[other];

			is_included = other != index && (other < kept || other > index) &&
				      outer->is_established == item->is_established &&
				      interval_set_includes(&outer->to, &item->to) &&
				      interval_set_includes(&outer->from, &item->from) &&
				      services_include(pool, outer, item);
		}
		if (!is_included)
			answers->items[kept++] = *item;
	}
	answers->items_count = kept;
}

void answers_join(void *pool, struct answers *answers)
{
	struct shape *shapes = pool_array(pool, struct shape, answers->items_count);
	unsigned rounds = 0;

	for (size_t index = 0; index < answers->items_count; index++)
		shapes[index] = (struct shape){ interval_set_hash(&answers->items[index].from),
						interval_set_hash(&answers->items[index].to) };
	while (rounds++ < JOIN_ROUNDS && join_round(pool, answers, shapes))
		;
	drop_included(pool, answers);
}

/* --- terms ---------------------------------------------------------------------------------------- */

static const struct outcome permission = { .verdict = VERDICT_ALLOW };
static const struct identity answers_identity = { .text = "answers to what others may start" };

static void *copied(void *pool, const void *bytes, size_t size)
{
	return memcpy(pool_bytes(pool, size), bytes, size);
}

static struct ios_term term_of(void *pool, const struct answer *answer, const struct tuple_set *services)
{
	return (struct ios_term){
		.outcome = &permission,
		.identity = &answers_identity,
		.origin = SPAN_NONE,
		.from = copied(pool, &answer->from, sizeof answer->from),
		.to = copied(pool, &answer->to, sizeof answer->to),
		.services = copied(pool, services, sizeof *services),
		.is_established = answer->is_established,
	};
}

static bool has_transport(const struct tuple_set *services, enum family family)
{
	for (size_t index = 0; index < services->tuples_count; index++) {
		uint16_t protocol = services->tuples[index].protocol;

		if (protocol == PROTOCOL_ANY || protocol == PROTOCOL_TCP || protocol == icmp_of(family))
			return true;
	}
	return false;
}

/* What denies every first packet of TCP and ICMP from there to here: the term that does it for what no
 * other holds. NULL: some are admitted, or counted, or logged by a rule. */
static const struct ios_term *denial_of(const struct ios_vantage *vantage, const struct answer *answer,
					const struct ios_terms *policy)
{
	const struct ios_term *last = NULL;

	for (size_t index = 0; index < policy->terms_count; index++) {
		const struct ios_term *term = &policy->terms[index];

		if (!has_transport(term->services, vantage->family) ||
		    !interval_set_overlaps(term->from, &answer->from) ||
		    !interval_set_overlaps(term->to, &answer->to))
			continue;
		if (term->outcome->verdict == VERDICT_ALLOW || (term->rule != NULL && term->is_pinned))
			return NULL;
		if (last == NULL || term->rule == NULL)
			last = term;
	}
	return last != NULL && last->rule == NULL ? last : NULL;
}

/* Answers of every other protocol on their way into terms. */
struct rest {
	void *pool;
	struct arena *arena;
	const struct ios_vantage *vantage;
	const struct ios_terms *policy;
	struct ios_terms *terms;
	struct tuple_set transport; /* TCP and the family's ICMP */
};

/* What is not answered of TCP and ICMP, decided as the policy does. */
static void add_transport(struct rest *rest, const struct answer *answer)
{
	struct ios_term whole = term_of(rest->pool, answer, &rest->transport);
	const struct ios_term *denial = denial_of(rest->vantage, answer, rest->policy);
	struct ios_terms parts;

	if (denial == NULL) {
		parts = terms_cut_to(rest->pool, rest->arena, rest->policy, 0, &whole);
		for (size_t index = 0; index < parts.terms_count; index++)
			*pool_append(rest->pool, rest->terms, terms) = parts.terms[index];
		return;
	}
	whole.outcome = denial->outcome;
	whole.identity = denial->identity;
	whole.origin = denial->origin;
	whole.is_pinned = denial->is_pinned;
	*pool_append(rest->pool, rest->terms, terms) = whole;
}

static void add_rest(struct rest *rest, const struct answer *answer)
{
	struct tuple_set every = { 0 };

	add_transport(rest, answer);
	add_whole(rest->pool, &every, PROTOCOL_ANY, FAMILIES_BOTH);
	*pool_append(rest->pool, rest->terms, terms) = term_of(rest->pool, answer, &every);
}

static struct tuple_set transport_of(void *pool, enum family family)
{
	struct tuple_set services = { 0 };

	add_whole(pool, &services, PROTOCOL_TCP, FAMILIES_BOTH);
	tuple_set_add(pool, &services, (struct service_tuple){
		icmp_of(family), bit_of(family), { 0, UINT8_MAX }, { 0, UINT8_MAX } });
	return tuple_set_normalise(pool, &services);
}

void answers_to_terms(void *pool, const struct ios_vantage *vantage, const struct answers *answers,
		      const struct ios_terms *policy, struct ios_terms *terms)
{
	struct rest rest = { pool, arena_new(pool), vantage, policy, terms, transport_of(pool, vantage->family) };

	for (size_t index = 0; index < answers->items_count; index++)
		if (!answers->items[index].is_rest)
			*pool_append(pool, terms, terms) =
				term_of(pool, &answers->items[index], &answers->items[index].services);
	for (size_t index = 0; index < answers->items_count; index++)
		if (answers->items[index].is_rest)
			add_rest(&rest, &answers->items[index]);
}
