/* Port ranges are the prefixes that make them up; a register is one different range, half of one gt, lt or neq
 * (Cisco, "Understanding ACL Merge Algorithms and ACL Hardware Resources"). */
#include "target/cisco/minimise/cost.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/pool.h"
#include "target/cisco/read/expand.h"
#include "target/cisco/read/sets.h"

#define PREFIXES_MOST 254 /* net/address.h */
#define PORT_BITS 16

static size_t range_prefixes(number128 low, number128 high)
{
	size_t count = 0;

	while (low <= high) {
		number128 size = 1;

		while (low % (size * 2) == 0 && low + size * 2 - 1 <= high && size < (number128)1 << PORT_BITS)
			size *= 2;
		low += size;
		count++;
	}
	return count;
}

static size_t set_prefixes(const struct interval_set *set)
{
	size_t count = 0;

	for (size_t index = 0; set != NULL && index < set->items_count; index++)
		count += range_prefixes(set->items[index].low, set->items[index].high);
	return set == NULL ? 1 : count;
}

static size_t place_size(struct cost_summing *summing, const struct acl_place *place, struct span span)
{
	struct diags *private = diags_new(summing->pool, summing->sources);
	enum family family = summing->list->family;
	struct interval_set set;
	struct prefix prefixes[PREFIXES_MOST];
	size_t count = 0;

	if (place->group == NULL ||
	    !acl_place_addresses(summing->pool, private, summing->config, family, place, span, &set))
		return 1;
	for (size_t index = 0; index < set.items_count; index++)
		count += interval_to_prefixes(family, &set.items[index], prefixes);
	return count;
}

static void add_operation(struct cost_summing *summing, const struct acl_ports *ports, unsigned field)
{
	if (ports->operator == ACL_PORTS_ANY || ports->operator == ACL_PORTS_EQ || ports->count == 0)
		return;
	*pool_append(summing->pool, summing, operations) =
		(uint64_t)ports->operator << 40 | (uint64_t)field << 36 | (uint64_t)ports->numbers[0] << 16 |
		(ports->operator == ACL_PORTS_RANGE ? ports->numbers[1] : 0);
}

static size_t services_size(struct cost_summing *summing, const struct acl_entry *entry)
{
	struct diags *private = diags_new(summing->pool, summing->sources);
	struct acl_expansion expansion = acl_expansion_new(summing->pool, private, summing->config);
	const struct acl_services *services;
	const struct interval_set *first = NULL, *second = NULL;
	size_t count = 0;

	if (entry->services == NULL) {
		(void)acl_expand_ports(&expansion, &entry->destination_ports, &first);
		(void)acl_expand_ports(&expansion, &entry->source_ports, &second);
		return set_prefixes(first) * set_prefixes(second);
	}
	if (!acl_expand_services(&expansion, summing->list->family, entry->services, entry->span, &services))
		return 1;
	for (size_t index = 0; index < services->items_count; index++)
		count += set_prefixes(services->items[index].first) * set_prefixes(services->items[index].second);
	return count;
}

void list_cost_add(struct cost_summing *summing, const struct acl_entry *entry)
{
	summing->sum.entries++;
	if (entry->kind != ACL_ENTRY_MATCH)
		return;
	summing->sum.expanded += place_size(summing, &entry->source, entry->span) *
				 place_size(summing, &entry->destination, entry->span) *
				 services_size(summing, entry);
	add_operation(summing, &entry->source_ports, 0);
	add_operation(summing, &entry->destination_ports, 1);
}

static int compare_operations(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

struct list_cost list_cost_sum(struct cost_summing *summing)
{
	if (summing->operations_count > 1)
		qsort(summing->operations, summing->operations_count, sizeof *summing->operations,
		      compare_operations);
	for (size_t index = 0; index < summing->operations_count; index++)
		if (index == 0 || summing->operations[index] != summing->operations[index - 1])
			summing->sum.registers += summing->operations[index] >> 40 == ACL_PORTS_RANGE ? 2 : 1;
	return summing->sum;
}
