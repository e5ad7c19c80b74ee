#include "expand/admitted.h"

#include "base/pool.h"

static bool shares_host_in(const struct translation *a, const struct translation *b, enum family family)
{
	return a->has_host[family] && b->has_host[family] && a->host[family].value == b->host[family].value;
}

static bool is_rival(const struct translation *a, const struct translation *b)
{
	return a != b && b->kind == TRANSLATION_FORWARD &&
	       (shares_host_in(a, b, FAMILY_IPV4) || shares_host_in(a, b, FAMILY_IPV6));
}

/* The port that its packets get; 0: the one that they have. */
static uint16_t new_port(const struct translation *translation)
{
	bool is_same = translation->services.tuples_count > 0 &&
		       translation->services.tuples[0].first.low == translation->port;
	return is_same ? 0 : translation->port;
}

/* Its address, in the families in which both lead to the host. */
static struct address_set rival_at(const struct translation *translation, const struct translation *rival)
{
	struct address_set at = { 0 };
	if (shares_host_in(translation, rival, FAMILY_IPV4))
		at.v4 = rival->at.v4;
	if (shares_host_in(translation, rival, FAMILY_IPV6))
		at.v6 = rival->at.v6;
	return at;
}

/* Of what it shares with the part `cut`, that is true as well. */
static void take_apart(void *pool, struct admitted *admitted, const struct admitted_part *cut)
{
	size_t count = admitted->parts_count;
	for (size_t i = 0; i < count; i++) {
		struct admitted_part part = admitted->parts[i], others = part;
		struct tuple_set shared = tuple_set_intersect(pool, &part.services, &cut->services);
		if (shared.tuples_count == 0)
			continue;
		others.services = tuple_set_subtract(pool, &part.services, &cut->services);
		admitted->parts[i] = (struct admitted_part){
			shared, address_set_union(pool, &part.apart, &cut->apart),
			part.has_port_rival || cut->has_port_rival,
		};
		if (others.services.tuples_count > 0)
			*pool_append(pool, admitted, parts) = others;
	}
}

/* One with `at`, that leads the same service to the host. */
static void take_at_rival(void *pool, struct admitted *admitted, const struct translation *translation,
			  const struct translation *rival)
{
	struct admitted_part cut = {
		tuple_set_to_port(pool, &rival->services, rival->port), rival_at(translation, rival),
	};
	if (rival->has_at && !address_set_is_empty(&cut.apart) && new_port(rival) == new_port(translation) &&
	    tuple_set_overlaps(&rival->services, &translation->services))
		take_apart(pool, admitted, &cut);
}

static void take_port_rival(void *pool, struct admitted *admitted, const struct translation *rival)
{
	struct admitted_part cut = {
		.services = tuple_set_to_port(pool, &rival->services, rival->port),
		.has_port_rival = rival->port != 0,
	};
	if (cut.has_port_rival)
		take_apart(pool, admitted, &cut);
}

struct admitted admitted_parts(void *pool, const struct policy *policy, const struct translation *translation,
			       const struct tuple_set *services)
{
	struct admitted admitted = { 0 };
	if (services->tuples_count > 0)
		*pool_append(pool, &admitted, parts) = (struct admitted_part){ .services = *services };
	for (size_t i = 0; i < policy->translations_count; i++) {
		const struct translation *rival = policy->translations[i];
		if (!is_rival(translation, rival))
			continue;
		if (!translation->has_at)
			take_at_rival(pool, &admitted, translation, rival);
		if (translation->port == 0)
			take_port_rival(pool, &admitted, rival);
	}
	return admitted;
}
