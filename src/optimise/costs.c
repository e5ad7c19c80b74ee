#include "optimise/costs.h"

struct lookup_row {
	unsigned costs[3]; /* at the sizes below */
};

/* log2 of 10, 1,000, 100,000, in sixteenths */
static const unsigned sizes[] = { 53, 159, 266 };

static const struct lookup_row rows[] = {
#define BLEND(nanoseconds, plain, guarded) nanoseconds
#define COST(name, nanoseconds, plain, guarded, what)
#define LOOKUP(name, at_10, at_1000, at_100000, what) { { at_10, at_1000, at_100000 } },
#include "optimise/costs.def"
#undef BLEND
#undef COST
#undef LOOKUP
};

/* In sixteenths, a straight line between powers of two. */
static unsigned logarithm(size_t number)
{
	unsigned whole = 0;
	for (size_t rest = number; rest > 1; rest /= 2)
		whole++;
	size_t power = (size_t)1 << whole;
	return number == 0 ? 0 : whole * 16 + (unsigned)((number - power) * 16 / power);
}

unsigned cost_lookup(enum cost_lookup lookup, size_t elements)
{
	const struct lookup_row *row = &rows[lookup];
	unsigned size = logarithm(elements);
	if (size <= sizes[0])
		return row->costs[0];
	unsigned part = size < sizes[1] ? 0 : 1;
	unsigned step = row->costs[part + 1] - row->costs[part];
	return row->costs[part] + step * (size - sizes[part]) / (sizes[part + 1] - sizes[part]);
}

unsigned cost_ranges(bool is_ipv6, unsigned fields, uint64_t range_bytes)
{
	unsigned lookup = cost_lookup(is_ipv6 ? LOOKUP_RANGES6 : LOOKUP_RANGES, (size_t)range_bytes);
	uint64_t more = range_bytes * (is_ipv6 ? COST_RANGES6 : COST_RANGES) / 10000;
	return lookup * fields / 3 + (unsigned)more;
}
