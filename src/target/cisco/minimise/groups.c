/* A table from what the entries share to the number of their group, then the members group by group. */
#include "target/cisco/minimise/groups.h"

#include <string.h>

#include "base/pool.h"

#define NO_GROUP UINT32_MAX

struct shared {
	number128 value[REGION_SIDES], wildcard[REGION_SIDES];
	const void *ports[2];
	uint32_t colour, condition, section, protocol;
};

static bool can_join(const struct minimise_entry *entry, enum minimise_field field)
{
	if (entry->is_gone || entry->is_kept || entry->is_end || entry->regions != NULL)
		return false;
	if (field != MINIMISE_PORTS)
		return wildcard_is_prefix(entry->wildcard[minimise_side(field)]);
	return entry->is_line && entry->protocol != MINIMISE_PROTOCOL_ANY && !entry->is_later;
}

static struct shared shared_of(const struct minimising *work, uint32_t place, enum minimise_field field)
{
	const struct minimise_entry *entry = &work->list->entries[place];
	struct shared shared;

	memset(&shared, 0, sizeof shared); /* padding counts */
	for (enum region_side side = REGION_SOURCE; side <= REGION_DESTINATION; side++) {
		if (field != MINIMISE_PORTS && side == minimise_side(field))
			continue;
		shared.value[side] = entry->value[side];
		shared.wildcard[side] = entry->wildcard[side];
	}
	shared.ports[0] = field == MINIMISE_PORTS ? NULL : entry->first;
	shared.ports[1] = entry->second;
	shared.colour = entry->colour;
	shared.condition = entry->condition;
	shared.section = work->barrier[place];
	shared.protocol = entry->protocol | (uint32_t)entry->is_later << 16 | (uint32_t)entry->is_line << 17;
	return shared;
}

/* The first entry of each group, one more than its place; by what its members share. */
struct table {
	const struct minimising *work;
	enum minimise_field field;
	bool is_of_run;
	struct slot *slots;
	size_t mask;
};

struct slot {
	uint32_t first, hash;
};

/* Entries whose slots are fetched together: a large table lies in no cache. */
#define BATCH 32

struct batch {
	uint32_t places[BATCH];
	struct shared shared[BATCH];
	uint64_t hashes[BATCH];
	size_t count;
};

static uint64_t hash_of(const struct shared *shared)
{
	uint64_t words[sizeof *shared / sizeof(uint64_t)], hash = 0;

	memcpy(words, shared, sizeof words);
	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++) {
		hash = (hash ^ words[index]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

static uint32_t *slot_of(const struct table *table, const struct shared *shared, uint64_t hash)
{
	size_t at = (size_t)hash & table->mask;

	for (; table->slots[at].first != 0; at = (at + 1) & table->mask) {
		struct shared other;

		if (table->slots[at].hash != (uint32_t)(hash >> 32))
			continue;
		other = shared_of(table->work, table->slots[at].first - 1, table->field);
		if (memcmp(shared, &other, sizeof other) == 0)
			break;
	}
	table->slots[at].hash = (uint32_t)(hash >> 32);
	return &table->slots[at].first;
}

static void batch_add(const struct table *table, struct batch *batch, uint32_t place)
{
	struct shared *shared = &batch->shared[batch->count];
	uint64_t hash;

	*shared = shared_of(table->work, place, table->field);
	hash = hash_of(shared);
	__builtin_prefetch(&table->slots[(size_t)hash & table->mask], 1);
	batch->hashes[batch->count] = hash;
	batch->places[batch->count++] = place;
}

/* The number of each entry's group, and how many members each has. */
struct numbering {
	uint32_t *group_of, *sizes;
	size_t count;
};

static void number_batch(const struct table *table, struct batch *batch, struct numbering *numbering)
{
	for (size_t at = 0; at < batch->count; at++) {
		uint32_t place = batch->places[at];
		uint32_t *slot = slot_of(table, &batch->shared[at], batch->hashes[at]);

		if (*slot == 0) {
			*slot = place + 1;
			numbering->group_of[place] = (uint32_t)numbering->count++;
		} else {
			numbering->group_of[place] = numbering->group_of[*slot - 1];
		}
		numbering->sizes[numbering->group_of[place]]++;
	}
	batch->count = 0;
}

static struct numbering number_groups(void *pool, const struct minimising *work, enum minimise_field field)
{
	const struct minimise_list *list = work->list;
	struct numbering numbering = {
		.group_of = pool_array(pool, uint32_t, list->entries_count),
		.sizes = pool_array(pool, uint32_t, list->entries_count),
	};
	struct table table = { .work = work, .field = field, .mask = 1 };
	struct batch batch = { .count = 0 };

	while (table.mask < list->entries_count * 2)
		table.mask *= 2;
	table.slots = pool_array(pool, struct slot, table.mask--);
	for (uint32_t place = 0; place < list->entries_count; place++) {
		numbering.group_of[place] = NO_GROUP;
		if (can_join(&list->entries[place], field))
			batch_add(&table, &batch, place);
		if (batch.count == BATCH)
			number_batch(&table, &batch, &numbering);
	}
	number_batch(&table, &batch, &numbering);
	return numbering;
}

static struct minimise_groups make_groups(void *pool, const struct minimising *work, enum minimise_field field)
{
	void *scratch = pool_child(pool, "groups");
	struct numbering numbering = number_groups(scratch, work, field);
	uint32_t *next = pool_array(scratch, uint32_t, numbering.count);
	struct minimise_groups groups = { .members = pool_array(pool, uint32_t, work->list->entries_count) };
	uint32_t used = 0;

	for (size_t group = 0; group < numbering.count; group++) {
		next[group] = used;
		if (numbering.sizes[group] < 2)
			continue;
		*pool_append(pool, &groups, items) =
			(struct minimise_group){ &groups.members[used], numbering.sizes[group] };
		used += numbering.sizes[group];
	}
	for (uint32_t place = 0; place < work->list->entries_count; place++) {
		uint32_t group = numbering.group_of[place];

		if (group != NO_GROUP && numbering.sizes[group] >= 2)
			groups.members[next[group]++] = place;
	}
	talloc_free(scratch);
	return groups;
}

const struct minimise_groups *minimise_groups_of(struct minimising *work, enum minimise_field field)
{
	if (work->is_changed) {
		for (enum minimise_field other = MINIMISE_PORTS; other < MINIMISE_FIELDS; other++) {
			talloc_free(work->groups[other]);
			work->groups[other] = NULL;
		}
		minimising_number(work);
		work->is_changed = false;
	}
	if (work->groups[field] == NULL) {
		work->groups[field] = pool_new(work->pool, struct minimise_groups);
		*work->groups[field] = make_groups(work->groups[field], work, field);
	}
	return work->groups[field];
}
