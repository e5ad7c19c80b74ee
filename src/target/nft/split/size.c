#include "target/nft/split/size.h"

#include "optimise/costs.h"
#include "target/nft/emit/emit.h"

enum {
	LINES_SAMPLE = 64,   /* units that a list's lines are told by */
	LEAVES_SAMPLE = 256,
	CHAIN_LINES = 3,     /* its first, its last and the empty one */
	ELEMENTS_A_LINE = 4, /* are read as easily as one rule */
	LEAF_LINES = 6,      /* longer leaves are cut: half as long again for each time that they are twice that */
	LINES_FREE = 100,    /* of a table: too few to be a burden */
	PRICE_MOST = 1 << 30,
};

/* Beyond what stands in the list's place. */
struct size {
	uint64_t elements, rules, chains;
};

static uint64_t beyond(uint64_t count, uint64_t most)
{
	return count > most ? count - most : 0;
}

static uint64_t list_lines(const struct lower *lower, struct list list)
{
	uint64_t lines = 0, seen = 0;
	size_t step = list.count / LINES_SAMPLE + 1;
	for (size_t i = 0; i < list.count; i += step, seen++)
		lines += emit_lines(lower, list.items[i]);
	return seen == 0 ? 0 : lines * list.count / seen;
}

/* With what its being cut will add. */
static uint64_t leaf_lines(const struct lower *lower, struct list leaf)
{
	uint64_t lines = list_lines(lower, leaf), more = 0;
	for (uint64_t rest = lines; rest > LEAF_LINES; rest /= 2)
		more += lines / 2;
	return lines + more;
}

/* A verdict, or a chain that all units of one service share. */
static bool is_elsewhere(const struct lower *lower, struct list leaf)
{
	uint32_t needs = entry_needs(lower, leaf.items[0]);
	return leaf_is_final(lower, leaf) || (leaf.count == 1 && (needs == 0 || needs == NEED_SERVICE));
}

static void add_size(const struct lower *lower, const struct cells *cells, enum cells_form form, struct size *size)
{
	size_t step = cells->leaves_count / LEAVES_SAMPLE + 1;
	size->elements += form == CELLS_RULES || form == CELLS_TREE ? cells->cells_count : cells_elements(cells);
	for (size_t i = 0; i < cells->leaves_count; i += step) {
		struct list leaf = list_of_leaf(cells, (uint32_t)i);
		if (is_elsewhere(lower, leaf))
			continue;
		size->rules += leaf_lines(lower, leaf) * step;
		size->chains += step;
	}
}

/* What is looked up by services may have an element for each. */
static uint64_t count_services(const struct lower *lower, struct list list)
{
	uint64_t services = 0, seen = 0;
	size_t step = list.count / LINES_SAMPLE + 1;
	for (size_t i = 0; i < list.count; i += step, seen++)
		services += lower->groups[lower->units[list.items[i].unit].group].tuples_count + 1;
	return seen == 0 ? 0 : services * list.count / seen;
}

/* more: lines that the structure adds; left: of the list's, those that it leaves to others. Few of these stay as
 * they are. */
static unsigned price_of(const struct lower *lower, uint64_t more, struct list rest, uint64_t lines)
{
	uint64_t left = list_linear_cost(lower, rest) <= lower->limits->list_least ? 0 : list_lines(lower, rest);
	uint64_t length = COST_LENGTH + COST_LENGTH_COPIED * (lower->growth - 100) / 100;
	uint64_t price = more * length + left * COST_LEFT * lower->growth / 100;
	price /= lines == 0 ? 1 : lines;
	return price > PRICE_MOST ? PRICE_MOST : (unsigned)price;
}

/* Of the lines that are no burden, those of the list. */
static uint64_t free_lines(const struct lower *lower, struct list list)
{
	size_t units = list.count * (list.times == 0 ? 1 : list.times);
	return (uint64_t)LINES_FREE * units / (lower->units_count - lower->units_narrowed + 1);
}

unsigned size_price(const struct lower *lower, struct size_cells cells, struct list list)
{
	if (!lower->limits->weighs_size)
		return 0;
	const struct cells *first = cells.items[0];
	struct size size = { .elements = 0 };
	for (size_t i = 0; i < cells.items_count; i++)
		add_size(lower, cells.items[i], cells.form, &size);
	uint64_t units = list.count - first->rest_count - first->head, lines = list_lines(lower, list);
	uint64_t taken = lines * units / list.count;
	bool has_services = first->field >= SPLIT_FLOW4 || cells_need(first->field) == NEED_SERVICE;
	uint64_t elements = has_services ? count_services(lower, list) : units;
	uint64_t more = beyond(size.elements, elements * 100 / lower->growth) / ELEMENTS_A_LINE +
			beyond(size.rules, taken) + CHAIN_LINES * beyond(size.chains, units * 100 / lower->growth);
	struct list rest = { first->rest, first->rest_count, list.times, 0 };
	return price_of(lower, beyond(more, free_lines(lower, list)), rest, lines);
}

unsigned size_price_of_maps(const struct lower *lower, size_t elements, struct list list, struct list rest)
{
	if (!lower->limits->weighs_size)
		return 0;
	uint64_t lines = list_lines(lower, list), units = list.count - rest.count;
	uint64_t more = beyond(elements, units * 100 / lower->growth);
	return price_of(lower, beyond(more / ELEMENTS_A_LINE, free_lines(lower, list)), rest, lines);
}

uint64_t size_growth(uint64_t growth, struct size_cells cells, struct list list)
{
	const struct cells *first = cells.items[0];
	uint64_t units = list.count - first->rest_count - first->head, entries = 0;
	for (size_t i = 0; i < cells.items_count; i++)
		entries += cells.items[i]->entries_count;
	return entries <= units ? growth : growth * entries / units;
}
