/* One pass over the entries: where ranges begin and end, then a walk over all ports. */
#include "target/cisco/minimise/spoken.h"

#include "base/pool.h"

#define PORTS_COUNT (UINT16_MAX + 1u)

static bool is_of_all(const struct minimise_list *list, const struct minimise_entry *entry)
{
	number128 all = list->bits == 128 ? ~(number128)0 : ((number128)1 << list->bits) - 1;

	return entry->wildcard[REGION_SOURCE] == all && entry->wildcard[REGION_DESTINATION] == all &&
	       entry->protocol == MINIMISE_PROTOCOL_ANY && entry->first == NULL && entry->second == NULL &&
	       entry->regions == NULL && entry->condition == 0 && !entry->is_later;
}

uint32_t minimise_bottom(const struct minimise_list *list)
{
	for (size_t place = list->entries_count; place-- > 0;) {
		const struct minimise_entry *entry = &list->entries[place];

		if (entry->is_gone || entry->is_end)
			continue;
		return entry->is_barrier || entry->is_kept || !is_of_all(list, entry) ? UINT32_MAX :
											(uint32_t)place;
	}
	return UINT32_MAX;
}

/* Ports of whole packets of the protocol. false: none. */
static bool ports_of_region(const struct region *region, uint16_t protocol, struct port_range *range)
{
	*range = (struct port_range){ region->low[REGION_FIRST], region->high[REGION_FIRST] };
	return region->low[REGION_PROTOCOL] <= protocol && region->high[REGION_PROTOCOL] >= protocol &&
	       region->low[REGION_LATER] == 0;
}

bool minimise_takes_all_ports(const struct minimise_entry *entry, uint16_t protocol)
{
	struct region region;
	struct port_range range;

	if (entry->regions == NULL)
		return entry->first == NULL && !entry->is_later &&
		       (entry->protocol == MINIMISE_PROTOCOL_ANY || entry->protocol == protocol);
	for (size_t number = 0; minimise_region(entry, number, &region); number++)
		if (ports_of_region(&region, protocol, &range) && range.low == 0 && range.high == UINT16_MAX)
			return true;
	return false;
}

/* Counts up where ranges begin and down behind their ends. */
static void mark_range(uint32_t *marks, struct port_range range)
{
	marks[range.low]++;
	marks[range.high + 1u]--;
}

static void mark_entry(uint32_t *marks, const struct minimise_entry *entry, uint16_t protocol)
{
	struct region region;
	struct port_range range;

	if (entry->regions != NULL) {
		for (size_t number = 0; minimise_region(entry, number, &region); number++)
			if (ports_of_region(&region, protocol, &range))
				mark_range(marks, range);
	} else if (minimise_takes_all_ports(entry, protocol)) {
		mark_range(marks, (struct port_range){ 0, UINT16_MAX });
	} else if (entry->protocol == protocol && entry->first != NULL) {
		for (uint32_t at = 0; at < entry->first->count; at++)
			mark_range(marks, entry->first->ranges[at]);
	}
}

struct minimise_unspoken minimise_unspoken_of(void *pool, const struct minimise_list *list,
					      const struct minimise_speakers *speakers)
{
	uint32_t *marks = pool_array(pool, uint32_t, PORTS_COUNT + 1), open = 0;
	struct minimise_unspoken unspoken = { 0 };

	for (uint32_t place = speakers->begin; place < speakers->end; place++)
		if (!list->entries[place].is_gone && list->entries[place].colour != speakers->but_colour)
			mark_entry(marks, &list->entries[place], speakers->protocol);
	for (uint32_t port = 0; port < PORTS_COUNT; port++) {
		bool was_open = port == 0 || open > 0;

		open += marks[port];
		if (open > 0)
			continue;
		if (was_open)
			pool_append(pool, &unspoken, items)->low = (uint16_t)port;
		unspoken.items[unspoken.items_count - 1].high = (uint16_t)port;
	}
	talloc_free(marks);
	return unspoken;
}

size_t minimise_unspoken_from(const struct minimise_unspoken *unspoken, uint32_t port)
{
	size_t low = 0, high = unspoken->items_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (unspoken->items[middle].high < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
