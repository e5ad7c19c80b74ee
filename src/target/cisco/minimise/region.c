/* A region that is not held by the first of the others is cut along it: what lies outside has to be held by
 * those behind it. Depth: one level for each of the others, which the caller bounds. */
#include "target/cisco/minimise/region.h"

bool region_meets(const struct region *a, const struct region *b)
{
	for (unsigned side = 0; side < REGION_SIDES; side++)
		if (((a->value[side] ^ b->value[side]) & ~(a->wildcard[side] | b->wildcard[side])) != 0)
			return false;
	for (unsigned range = 0; range < REGION_RANGES; range++)
		if (a->high[range] < b->low[range] || b->high[range] < a->low[range])
			return false;
	return true;
}

bool region_holds(const struct region *outer, const struct region *inner)
{
	for (unsigned side = 0; side < REGION_SIDES; side++)
		if ((inner->wildcard[side] & ~outer->wildcard[side]) != 0 ||
		    ((outer->value[side] ^ inner->value[side]) & ~outer->wildcard[side]) != 0)
			return false;
	for (unsigned range = 0; range < REGION_RANGES; range++)
		if (inner->low[range] < outer->low[range] || outer->high[range] < inner->high[range])
			return false;
	return true;
}

struct region region_wide(const struct region *region)
{
	struct region wide = *region;

	for (unsigned range = 0; range < REGION_RANGES; range++)
		wide.low[range] = 0;
	wide.high[REGION_PROTOCOL] = REGION_PROTOCOL_MAX;
	wide.high[REGION_FIRST] = wide.high[REGION_SECOND] = REGION_PORT_MAX;
	wide.high[REGION_LATER] = 1;
	return wide;
}

struct region region_cut(const struct region *a, const struct region *b)
{
	struct region cut;

	for (unsigned side = 0; side < REGION_SIDES; side++) {
		cut.value[side] = a->value[side] | b->value[side];
		cut.wildcard[side] = a->wildcard[side] & b->wildcard[side];
	}
	for (unsigned range = 0; range < REGION_RANGES; range++) {
		cut.low[range] = a->low[range] > b->low[range] ? a->low[range] : b->low[range];
		cut.high[range] = a->high[range] < b->high[range] ? a->high[range] : b->high[range];
	}
	return cut;
}

/* --- covering ----------------------------------------------------------------------------------- */

static number128 highest_bit(number128 bits)
{
	uint64_t high = (uint64_t)(bits >> 64), low = (uint64_t)bits;

	return high != 0 ? (number128)1 << (127 - __builtin_clzll(high)) :
			   (number128)1 << (63 - __builtin_clzll(low));
}

/* What of the region lies outside the other in one of its addresses; the rest of it stays in `region`. */
static bool side_is_covered(struct region *region, unsigned side, const struct region *other,
			    const struct region *others, size_t count, size_t *steps)
{
	number128 fixed = region->wildcard[side] & ~other->wildcard[side];

	while (fixed != 0) {
		number128 bit = highest_bit(fixed);
		struct region outside = *region;

		outside.wildcard[side] &= ~bit;
		outside.value[side] |= ~other->value[side] & bit;
		if (!region_is_covered(&outside, others, count, steps))
			return false;
		region->wildcard[side] &= ~bit;
		region->value[side] |= other->value[side] & bit;
		fixed &= ~bit;
	}
	return true;
}

static bool range_is_covered(struct region *region, unsigned range, const struct region *other,
			     const struct region *others, size_t count, size_t *steps)
{
	struct region outside = *region;

	if (region->low[range] < other->low[range]) {
		outside.high[range] = (uint16_t)(other->low[range] - 1);
		if (!region_is_covered(&outside, others, count, steps))
			return false;
		region->low[range] = other->low[range];
	}
	if (region->high[range] > other->high[range]) {
		outside = *region;
		outside.low[range] = (uint16_t)(other->high[range] + 1);
		if (!region_is_covered(&outside, others, count, steps))
			return false;
		region->high[range] = other->high[range];
	}
	return true;
}

bool region_is_covered(const struct region *region, const struct region *others, size_t count, size_t *steps)
{
	struct region rest = *region;
	size_t at = 0;

	while (at < count && !region_meets(region, &others[at])) {
		if (*steps == 0)
			return false;
		--*steps;
		at++;
	}
	if (at == count || *steps == 0)
		return false;
	--*steps;
	for (unsigned range = 0; range < REGION_RANGES; range++)
		if (!range_is_covered(&rest, range, &others[at], others + at + 1, count - at - 1, steps))
			return false;
	for (unsigned side = 0; side < REGION_SIDES; side++)
		if (!side_is_covered(&rest, side, &others[at], others + at + 1, count - at - 1, steps))
			return false;
	return true;
}
