#include "target/nft/split/list.h"

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/emit/emit.h"

enum {
	LIST_COST_MOST = 130, /* nanoseconds: a list is at worst split again */
	LIST_HALVED = 40,     /* nanoseconds for each time that a list is twice as long */
	SAMPLE = 256,         /* units that a long list is judged by */
	LEAVES_FORESEEN = 16,
};

unsigned list_linear_cost(const struct lower *lower, struct list list)
{
	size_t step = list.count > SAMPLE ? list.count / SAMPLE : 1;
	uint64_t cost = 0, seen = 0;
	if (list.linear != 0)
		return list.linear;
	for (size_t i = 0; i < list.count; i += step, seen++)
		cost += emit_cost(lower, list.items[i]);
	if (seen != 0)
		cost = cost * list.count / seen;
	if (list.times != 0)
		cost *= list.times;
	return cost > UINT32_MAX ? UINT32_MAX : (unsigned)cost;
}

/* Of a list that is not plain rules: that many more for each time that it is twice as long. */
static unsigned cost_of_long(uint64_t linear)
{
	unsigned cost = LIST_COST_MOST;
	for (; linear > LIST_COST_MOST; linear /= 2)
		cost += LIST_HALVED;
	return cost;
}

unsigned list_cost_of_linear(uint64_t linear)
{
	unsigned most = cost_of_long(linear);
	return (unsigned)(linear < LIST_COST_MOST ? linear
			  : LIST_COST_MOST + linear / 64 < most ? LIST_COST_MOST + linear / 64 : most);
}

unsigned list_cost_of_ranges(uint64_t linear)
{
	return linear < LIST_COST_MOST ? (unsigned)linear : cost_of_long(linear);
}

unsigned list_cost(const struct lower *lower, struct list list)
{
	return list_cost_of_linear(list_linear_cost(lower, list));
}

bool leaf_is_final(const struct lower *lower, struct list leaf)
{
	return leaf.count != 0 && entry_is_final(lower, leaf.items[0]);
}

struct list list_of_leaf(const struct cells *cells, uint32_t number)
{
	const struct leaf *leaf = &cells->leaves[number];
	return (struct list){ cells->entries + leaf->first, leaf->count };
}

/* Half of the packets are taken to match a unit; the others differ from one in a single field, each
 * field as often. So a lookup spares those that differ in its own fields the leaf. */
struct leaf_costs {
	uint64_t match, miss; /* of packets that some unit of the leaf matches, of those that none does */
};

/* Units that a leaf of a sample stands for. Two units share a cell as often in the sample as in the list: what
 * is in the leaf beside one unit grows with the list. */
static uint64_t units_of_leaf(struct list leaf, size_t times)
{
	return times == 0 ? leaf.count : 1 + (leaf.count - 1) * times;
}

static struct leaf_costs leaf_costs(const struct lower *lower, struct list leaf, size_t times)
{
	uint64_t matches = 0, seen = 0, units = units_of_leaf(leaf, times);
	uint64_t plain = list_linear_cost(lower, leaf) * units / leaf.count;
	uint64_t misses = lower->has_plain_leaves ? plain : list_cost_of_linear(plain);
	size_t step = leaf.count > SAMPLE ? leaf.count / SAMPLE : 1;
	for (size_t i = 0; i < leaf.count; i += step, seen++)
		matches += emit_match_cost(lower, leaf.items[i]);
	bool is_shared = leaf.count == 1 && entry_needs(lower, leaf.items[0]) == NEED_SERVICE;
	unsigned before = COST_JUMP + (is_shared ? 0 : COST_FAR);
	uint64_t match = matches / seen;
	return (struct leaf_costs){
		before + misses * (units - 1) / (2 * units) + (match < LIST_COST_MOST ? match : LIST_COST_MOST),
		before + misses,
	};
}

/* The same, where there are too many leaves for the processor to foresee what services the next packet is
 * compared with. A unit that asks for more has one rule in front of a chain of its services, or with the only
 * one. */
static struct leaf_costs leaf_costs_among(const struct lower *lower, struct list leaf, size_t times, size_t leaves)
{
	struct leaf_costs costs = leaf_costs(lower, leaf, times);
	uint32_t needs = entry_needs(lower, leaf.items[0]);
	uint64_t services = lower->groups[lower->units[leaf.items[0].unit].group].tuples_count;
	if (leaf.count != 1 || leaves <= LEAVES_FORESEEN || (needs & NEED_SERVICE) == 0)
		return costs;
	bool is_behind = needs != NEED_SERVICE;
	costs.match += (services + 1 + (is_behind && services > 1 ? 2 : 0)) * COST_UNFORESEEN / 2;
	costs.miss += (is_behind ? 1 : services) * COST_UNFORESEEN;
	return costs;
}

/* Of a sample of the cells. times: struct list; asked: fields_asked of what was cut. */
void leaves_cost_add(const struct lower *lower, const struct cells *cells, size_t times, unsigned asked,
			    struct leaves_cost *cost)
{
	unsigned cut = cells->field >= SPLIT_FLOW4 ? 300 : cells->field >= SPLIT_PAIR4 ? 200 : 100;
	size_t step = cells->cells_count > SAMPLE ? cells->cells_count / SAMPLE : 1;
	for (size_t i = 0; i < cells->cells_count; i += step) {
		struct list leaf = list_of_leaf(cells, cells_at(cells, i).leaf);
		cost->units += leaf.count * step;
		if (leaf_is_final(lower, leaf))
			continue;
		struct leaf_costs costs = leaf_costs_among(lower, leaf, times, cells->cells_count);
		uint64_t miss = cut >= asked ? 0 : costs.miss * (asked - cut) / asked;
		cost->sum += (costs.match + miss) * leaf.count * step;
	}
}

struct list list_sample(struct lower *lower, struct list list)
{
	size_t step = list.count / SAMPLE;
	struct entry *items = pool_array(lower->scratch, struct entry, SAMPLE);
	for (size_t i = 0; i < SAMPLE; i++)
		items[i] = list.items[i * step];
	return (struct list){ items, SAMPLE, step };
}
