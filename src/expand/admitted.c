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

bool admitted_has_port_rival(const struct policy *policy, const struct translation *translation)
{
	for (size_t i = 0; i < policy->translations_count; i++)
		if (is_rival(translation, policy->translations[i]) && policy->translations[i]->port != 0)
			return true;
	return false;
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

static void add(void *pool, struct admitted *admitted, const struct tuple_set *services,
		const struct address_set *apart)
{
	if (services->tuples_count > 0)
		*pool_append(pool, admitted, parts) = (struct admitted_part){ *services, *apart };
}

static void take_apart(void *pool, struct admitted *admitted, const struct tuple_set *services,
		       const struct address_set *at)
{
	size_t count = admitted->parts_count;
	for (size_t i = 0; i < count; i++) {
		struct admitted_part part = admitted->parts[i];
		struct tuple_set shared = tuple_set_intersect(pool, &part.services, services);
		if (shared.tuples_count == 0)
			continue;
		struct tuple_set others = tuple_set_subtract(pool, &part.services, services);
		admitted->parts[i].services = shared;
		admitted->parts[i].apart = address_set_union(pool, &part.apart, at);
		add(pool, admitted, &others, &part.apart);
	}
}

struct admitted admitted_parts(void *pool, const struct policy *policy, const struct translation *translation,
			       const struct tuple_set *services)
{
	struct admitted admitted = { 0 };
	const struct address_set none = { 0 };
	add(pool, &admitted, services, &none);
	for (size_t i = 0; i < policy->translations_count && !translation->has_at; i++) {
		const struct translation *rival = policy->translations[i];
		struct address_set at = rival_at(translation, rival);
		if (!is_rival(translation, rival) || !rival->has_at || address_set_is_empty(&at) ||
		    new_port(rival) != new_port(translation) ||
		    !tuple_set_overlaps(&rival->services, &translation->services))
			continue;
		struct tuple_set after = tuple_set_to_port(pool, &rival->services, rival->port);
		take_apart(pool, &admitted, &after, &at);
	}
	return admitted;
}
