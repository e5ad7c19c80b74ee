#include "target/nft/split/cover.h"

#include "base/pool.h"
#include "target/nft/split/narrow.h"
#include "target/nft/split/overlap.h"

enum {
	LIST_MOST = 128, /* each unit is compared with all others; longer ones are many in policies of ranges */
	LIST_LONG = 8,   /* in shorter ones chains of services are shared as they are */
};

static bool names_include(const struct interface_set *outer, const struct interface_set *inner)
{
	if (outer == inner)
		return true;
	if (inner->is_complement)
		return false;
	for (size_t i = 0; i < inner->names_count; i++)
		if (!interface_set_contains(outer, inner->names[i]))
			return false;
	return true;
}

static bool range_includes(struct port_range outer, struct port_range inner)
{
	return outer.low <= inner.low && outer.high >= inner.high;
}

/* Families are the units' matter. */
static bool tuple_is_within(const struct service_tuple *tuple, const struct service_group *group)
{
	for (size_t i = 0; i < group->tuples_count; i++) {
		const struct service_tuple *outer = &group->tuples[i];
		if (outer->protocol == tuple->protocol && range_includes(outer->first, tuple->first) &&
		    range_includes(outer->second, tuple->second))
			return true;
	}
	return false;
}

bool service_group_includes(const struct service_group *outer, const struct service_group *inner)
{
	if (outer == inner || outer->kind == SERVICE_ANY)
		return true;
	if (inner->kind == SERVICE_ANY)
		return false;
	if (inner->kind == SERVICE_PROTOCOL)
		return outer->kind == SERVICE_PROTOCOL &&
		       interval_set_includes(&outer->protocols, &inner->protocols);
	for (size_t i = 0; i < inner->tuples_count; i++) {
		bool is_within = outer->kind == SERVICE_PROTOCOL
			? interval_set_contains(&outer->protocols, inner->tuples[i].protocol)
			: tuple_is_within(&inner->tuples[i], outer);
		if (!is_within)
			return false;
	}
	return true;
}

bool entry_covers(const struct lower *lower, struct entry first, struct entry second)
{
	uint32_t needs = entry_needs(lower, first);
	const struct unit *outer = &lower->units[first.unit], *inner = &lower->units[second.unit];
	if ((needs & ~entry_needs(lower, second)) != 0 || !tail_is_final(outer->tail))
		return false;
	if ((needs & NEED_FAMILY) != 0 && (inner->family & ~outer->family) != 0)
		return false;
	if ((needs & NEED_IN) != 0 && !names_include(outer->in, inner->in))
		return false;
	if ((needs & NEED_OUT) != 0 && !names_include(outer->out, inner->out))
		return false;
	if ((needs & NEED_SERVICE) != 0 &&
	    !service_group_includes(&lower->groups[outer->group], &lower->groups[inner->group]))
		return false;
	if ((needs & NEED_SOURCE) != 0 && !interval_set_includes(outer->source, inner->source))
		return false;
	return (needs & NEED_DESTINATION) == 0 ||
	       interval_set_includes(outer->destination, inner->destination);
}

static bool is_covered(const struct lower *lower, const struct entry *entries, size_t count, struct entry entry)
{
	for (size_t i = 0; i < count; i++)
		if (entry_covers(lower, entries[i], entry))
			return true;
	return false;
}

/* Does one of the entries decide about every packet of the service? */
static bool tuple_is_covered(const struct lower *lower, const struct entry *entries, size_t count,
			     const struct service_tuple *tuple)
{
	for (size_t i = 0; i < count; i++) {
		const struct unit *unit = &lower->units[entries[i].unit];
		if (entry_needs(lower, entries[i]) == NEED_SERVICE && tail_is_final(unit->tail) &&
		    tuple_is_within(tuple, &lower->groups[unit->group]))
			return true;
	}
	return false;
}

/* Leaves the services out of the entry that are covered; false: nothing is left. */
static bool leave_covered_out(struct lower *lower, void *pool, const struct entry *entries, size_t count,
			      struct entry *entry)
{
	const struct service_group *group = &lower->groups[lower->units[entry->unit].group];
	size_t kept = 0;
	if ((entry_needs(lower, *entry) & NEED_SERVICE) == 0 || group->tuples_count < 2)
		return true;
	struct service_tuple *tuples = pool_array(pool, struct service_tuple, group->tuples_count);
	for (size_t i = 0; i < group->tuples_count; i++)
		if (!tuple_is_covered(lower, entries, count, &group->tuples[i]))
			tuples[kept++] = group->tuples[i];
	if (kept != 0 && kept != group->tuples_count)
		*entry = entry_narrowed_to_tuples(lower, *entry, tuples, kept);
	return kept != 0;
}

static uint32_t outcome_of(const struct lower *lower, struct entry entry)
{
	return lower->units[entry.unit].tail->outcome;
}

/* Does one of the later entries decide about every packet of this one as it does, and none in between some of them
 * otherwise? */
static bool is_repeated(const struct lower *lower, const struct entry *later, size_t count, struct entry entry)
{
	for (size_t i = 0; i < count; i++) {
		bool is_same = outcome_of(lower, later[i]) == outcome_of(lower, entry);
		if (is_same && entry_covers(lower, later[i], entry))
			return true;
		if (!is_same && entries_overlap(lower, later[i], entry))
			return false;
	}
	return false;
}

/* Gives how many entries are left: not those that later ones repeat. */
static size_t trim_repeated(const struct lower *lower, struct entry *entries, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!is_repeated(lower, entries + i + 1, count - i - 1, entries[i]))
			entries[kept++] = entries[i];
	return kept;
}

/* Gives how many entries are left of the list. */
static size_t trim(struct lower *lower, void *pool, struct entry *entries, size_t count)
{
	size_t kept = 0;
	if (count < 2 || count > LIST_MOST)
		return count;
	for (size_t i = 0; i < count; i++) {
		struct entry entry = entries[i];
		bool is_left = !is_covered(lower, entries, kept, entry) &&
			       (count < LIST_LONG || leave_covered_out(lower, pool, entries, kept, &entry));
		if (is_left)
			entries[kept++] = entry;
	}
	return trim_repeated(lower, entries, kept);
}

void leaves_trim(struct lower *lower, struct cells *cells)
{
	void *pool = pool_child(lower->scratch, "trim");
	for (size_t i = 0; i < cells->leaves_count; i++) {
		struct leaf *leaf = &cells->leaves[i];
		leaf->count = (uint32_t)trim(lower, pool, cells->entries + leaf->first, leaf->count);
	}
	talloc_free(pool);
}

size_t entries_trim(struct lower *lower, struct entry *entries, size_t count)
{
	void *pool = pool_child(lower->scratch, "trim");
	size_t kept = trim(lower, pool, entries, count);
	talloc_free(pool);
	return kept;
}
