/* Field by field: units are products, so two of them share a packet exactly if they share a value
 * in each field. Hours and translations are left out. */
#include "target/nft/split/overlap.h"

#include <string.h>

#define PAIRS_MAX 4096 /* of tuples: beyond, they are taken to overlap */

static bool names_overlap(const struct interface_set *a, const struct interface_set *b)
{
	if (a->is_complement && b->is_complement)
		return true;
	const struct interface_set *names = a->is_complement ? b : a;
	const struct interface_set *other = a->is_complement ? a : b;
	for (size_t i = 0; i < names->names_count; i++)
		if (interface_set_contains(other, names->names[i]))
			return true;
	return false;
}

static bool protocols_meet(const struct service_group *protocols, const struct service_group *group)
{
	for (size_t i = 0; i < group->tuples_count; i++)
		if (interval_set_contains(&protocols->protocols, group->tuples[i].protocol))
			return true;
	return false;
}

static bool tuples_meet(const struct service_group *a, const struct service_group *b)
{
	return a->tuples_count * b->tuples_count > PAIRS_MAX ||
	       tuples_overlap(a->tuples, a->tuples_count, b->tuples, b->tuples_count);
}

static bool groups_overlap(const struct service_group *a, const struct service_group *b)
{
	if (a == b || a->kind == SERVICE_ANY || b->kind == SERVICE_ANY)
		return true;
	if (a->kind == SERVICE_PROTOCOL && b->kind == SERVICE_PROTOCOL)
		return interval_set_overlaps(&a->protocols, &b->protocols);
	if (a->kind == SERVICE_PROTOCOL)
		return protocols_meet(a, b);
	if (b->kind == SERVICE_PROTOCOL)
		return protocols_meet(b, a);
	return tuples_meet(a, b);
}

bool entries_overlap(const struct lower *lower, struct entry a, struct entry b)
{
	const struct unit *left = &lower->units[a.unit], *right = &lower->units[b.unit];
	uint32_t both = entry_needs(lower, a) & entry_needs(lower, b);
	if ((left->family & right->family) == 0)
		return false;
	if ((both & NEED_SERVICE) != 0 &&
	    !groups_overlap(&lower->groups[left->group], &lower->groups[right->group]))
		return false;
	if ((both & NEED_IN) != 0 && !names_overlap(left->in, right->in))
		return false;
	if ((both & NEED_OUT) != 0 && !names_overlap(left->out, right->out))
		return false;
	if ((both & NEED_SOURCE) != 0 && !interval_set_overlaps(left->source, right->source))
		return false;
	return (both & NEED_DESTINATION) == 0 ||
	       interval_set_overlaps(left->destination, right->destination);
}
