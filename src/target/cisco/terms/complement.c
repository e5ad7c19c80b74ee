/* Terms are taken from the policy's own, never from those that were brought forward for another: one
 * term brings forward each of those behind it at most once. */
#include "target/cisco/terms/complement.h"

#include "base/arena.h"
#include "base/pool.h"
#include "target/cisco/model/form.h"
#include "target/cisco/terms/service_form.h"

#define TUPLES_FEW 16 /* a term of fewer is no complement, unless it holds protocol 0 */

struct complement {
	void *pool;
	struct arena *arena;
	enum family family;
	bool has_multi_eq;
	const struct ios_terms *own; /* as they were */
	struct ios_terms *out;
};

static const struct tuple_set *every_service(void)
{
	static struct service_tuple any = { PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } };
	static const struct tuple_set every = { &any, 1, 1 };

	return &every;
}

/* --- what it costs ------------------------------------------------------------------------------ */

struct cost {
	size_t entries;
	bool is_possible;
};

static struct cost cost_of(const struct complement *complement, const struct ios_term *term)
{
	struct service_forms forms = service_forms_of(complement->pool, term->services, complement->family,
						      complement->has_multi_eq);

	return (struct cost){
		.entries = forms.forms_count * form_prefix_count(complement->family, term->from) *
			   form_prefix_count(complement->family, term->to),
		.is_possible = forms.refused == NULL && !forms.has_zero,
	};
}

/* --- one term ----------------------------------------------------------------------------------- */

/* What the term leaves out, in this family. */
static struct tuple_set left_out(const struct complement *complement, const struct ios_term *term)
{
	struct tuple_set rest = tuple_set_subtract(complement->pool, every_service(), term->services);
	uint8_t bit = complement->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	struct tuple_set found = { 0 };

	for (size_t index = 0; index < rest.tuples_count; index++)
		if ((rest.tuples[index].families & bit) != 0)
			tuple_set_add(complement->pool, &found, rest.tuples[index]);
	return found;
}

static const struct interval_set *overlap(void *pool, struct arena *arena, const struct interval_set *a,
					  const struct interval_set *b)
{
	struct interval_set part;

	if (a == b || interval_set_includes(b, a))
		return a;
	if (interval_set_includes(a, b))
		return b;
	part = interval_set_intersect(pool, a, b);
	return arena_copy(arena, &part, sizeof part);
}

static bool decides_all(const struct ios_term *part, const struct ios_term *whole)
{
	return part->from == whole->from && part->to == whole->to && !part->is_established &&
	       (part->rule == NULL || (part->rule->match.minutes == NULL && part->rule->match.until == 0)) &&
	       tuple_set_equals(part->services, whole->services);
}

struct ios_terms terms_cut_to(void *pool, struct arena *arena, const struct ios_terms *terms, size_t begin,
			      const struct ios_term *whole)
{
	struct ios_terms parts = { 0 };

	if (whole->services->tuples_count == 0)
		return parts;
	for (size_t index = begin; index < terms->terms_count; index++) {
		struct ios_term part = terms->terms[index];
		struct tuple_set shared;

		if (!interval_set_overlaps(part.from, whole->from) || !interval_set_overlaps(part.to, whole->to))
			continue;
		shared = tuple_set_intersect(pool, part.services, whole->services);
		if (shared.tuples_count == 0)
			continue;
		part.from = overlap(pool, arena, whole->from, part.from);
		part.to = overlap(pool, arena, whole->to, part.to);
		part.services = arena_copy(arena, &shared, sizeof shared);
		*pool_append(pool, &parts, terms) = part;
		if (decides_all(&part, whole))
			break;
	}
	return parts;
}

static bool is_complement(const struct ios_term *term)
{
	const struct tuple_set *services = term->services;

	return services->tuples_count > 0 && services->tuples[0].protocol != PROTOCOL_ANY &&
	       (services->tuples[0].protocol == 0 || services->tuples_count > TUPLES_FEW);
}

static void add_complement(const struct complement *complement, size_t place)
{
	struct ios_term term = complement->own->terms[place];
	struct cost plain = cost_of(complement, &term), sum = { .is_possible = true };
	struct tuple_set services = left_out(complement, &term);
	struct ios_terms parts;

	term.services = &services;
	parts = terms_cut_to(complement->pool, complement->arena, complement->own, place + 1, &term);
	term.services = every_service();
	*pool_append(complement->pool, &parts, terms) = term;
	for (size_t index = 0; index < parts.terms_count; index++) {
		struct cost cost = cost_of(complement, &parts.terms[index]);

		sum.entries += cost.entries;
		sum.is_possible = sum.is_possible && cost.is_possible;
	}
	if (!sum.is_possible || (plain.is_possible && plain.entries <= sum.entries)) {
		parts = (struct ios_terms){ 0 };
		*pool_append(complement->pool, &parts, terms) = complement->own->terms[place];
	}
	for (size_t index = 0; index < parts.terms_count; index++)
		*pool_append(complement->pool, complement->out, terms) = parts.terms[index];
}

void terms_complement(void *pool, enum family family, bool has_multi_eq, struct ios_terms *terms, size_t begin)
{
	struct ios_terms own = *terms;
	const struct complement complement = { pool, arena_new(pool), family, has_multi_eq, &own, terms };

	*terms = (struct ios_terms){ .rules_count = own.rules_count };
	for (size_t index = 0; index < own.terms_count; index++)
		if (index >= begin && is_complement(&own.terms[index]))
			add_complement(&complement, index);
		else
			*pool_append(pool, terms, terms) = own.terms[index];
}
