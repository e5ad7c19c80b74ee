/* A port field of 16 bits: a range is the prefixes that make it up. */
#include "target/cisco/lower/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define PORT_BITS 16

struct costs {
	size_t entries, expanded;
	uint64_t *operations; /* operator, field and ports of those that need a register */
	size_t operations_count, operations_capacity;
};

static size_t range_prefixes(unsigned low, unsigned high)
{
	size_t count = 0;

	while (low <= high) {
		unsigned size = 1;

		while (low % (size * 2) == 0 && low + size * 2 - 1 <= high && size < 1u << PORT_BITS)
			size *= 2;
		low += size;
		count++;
	}
	return count;
}

static size_t ports_prefixes(const struct ios_ports *ports)
{
	switch (ports->operator) {
	case IOS_PORTS_ANY:
		return 1;
	case IOS_PORTS_EQ:
		return ports->ports_count;
	case IOS_PORTS_RANGE:
		return range_prefixes(ports->ports[0], ports->ports[1]);
	case IOS_PORTS_GT:
		return range_prefixes(ports->ports[0] + 1u, UINT16_MAX);
	case IOS_PORTS_LT:
		return range_prefixes(0, ports->ports[0] - 1u);
	case IOS_PORTS_NEQ:
		return range_prefixes(0, ports->ports[0] - 1u) + range_prefixes(ports->ports[0] + 1u, UINT16_MAX);
	}
	return 1;
}

static void add_operation(void *pool, struct costs *costs, const struct ios_ports *ports, unsigned field)
{
	if (ports->operator != IOS_PORTS_ANY && ports->operator != IOS_PORTS_EQ)
		*pool_append(pool, costs, operations) =
			(uint64_t)ports->operator << 40 | (uint64_t)field << 36 |
			(uint64_t)ports->ports[0] << 16 | ports->ports[1];
}

static void add_range(void *pool, struct costs *costs, struct port_range range, unsigned field)
{
	const struct ios_ports ports = { IOS_PORTS_RANGE, 2, { range.low, range.high } };

	if (range.low < range.high && (range.low > 0 || range.high < UINT16_MAX))
		add_operation(pool, costs, &ports, field);
}

/* Of the group in the protocol's place: types of ICMP are single numbers there. */
static void add_group_operations(void *pool, struct costs *costs, const struct tuple_set *services)
{
	for (size_t index = 0; index < services->tuples_count; index++) {
		const struct service_tuple *tuple = &services->tuples[index];

		if (tuple->protocol != PROTOCOL_TCP && tuple->protocol != PROTOCOL_UDP)
			continue;
		add_range(pool, costs, tuple->second, 0);
		add_range(pool, costs, tuple->first, 1);
	}
}

static int compare_operations(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* In halves. */
static size_t registers_of(struct costs *costs)
{
	size_t halves = 0;

	if (costs->operations_count > 1)
		qsort(costs->operations, costs->operations_count, sizeof *costs->operations, compare_operations);
	for (size_t index = 0; index < costs->operations_count; index++)
		if (index == 0 || costs->operations[index] != costs->operations[index - 1])
			halves += costs->operations[index] >> 40 == IOS_PORTS_RANGE ? 2 : 1;
	return halves;
}

static size_t group_size(const struct ios_place *place, enum family family)
{
	const struct interval_set *set;
	struct prefix prefixes[254]; /* net/address.h */
	size_t count = 0;

	if (place->group == NULL)
		return 1;
	set = address_set_family(place->group->addresses, family);
	for (size_t index = 0; index < set->items_count; index++)
		count += interval_to_prefixes(family, &set->items[index], prefixes);
	return count;
}

static size_t expanded_size(const struct ios_list *list, const struct ios_line *line)
{
	size_t size = group_size(line->source, list->family) * group_size(line->destination, list->family);

	if (line->extras->services == NULL)
		return size * ports_prefixes(line->source_ports) * ports_prefixes(line->destination_ports);
	size_t services = 0;

	for (size_t index = 0; index < line->extras->services->services->tuples_count; index++) {
		const struct service_tuple *tuple = &line->extras->services->services->tuples[index];

		services += range_prefixes(tuple->first.low, tuple->first.high) *
			    range_prefixes(tuple->second.low, tuple->second.high);
	}
	return size * services;
}

static struct costs costs_of(void *pool, const struct ios_list *list)
{
	struct costs costs = { 0 };

	for (size_t index = 0; index < list->lines_count; index++) {
		const struct ios_line *line = &list->lines[index];

		if (line->kind != IOS_LINE_ENTRY)
			continue;
		costs.entries++;
		costs.expanded += expanded_size(list, line);
		add_operation(pool, &costs, line->source_ports, 0);
		add_operation(pool, &costs, line->destination_ports, 1);
		if (line->extras->services != NULL)
			add_group_operations(pool, &costs, line->extras->services->services);
	}
	return costs;
}

void cisco_report(struct text *out, const struct ios_config *config)
{
	for (size_t index = 0; index < config->lists_count; index++) {
		const struct ios_list *list = config->lists[index];
		struct costs costs = costs_of(out->pool, list);
		size_t halves = registers_of(&costs);

		if (config->device != NULL)
			text_addf(out, "%s ", config->device->name);
		text_addf(out, "%s: %zu rules, %zu entries, %zu in hardware, %zu%s range registers\n", list->name,
			  list->rules_count, costs.entries, costs.expanded, halves / 2,
			  halves % 2 != 0 ? ".5" : "");
	}
}
