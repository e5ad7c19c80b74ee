/* Joining: of one run first, whose order is nothing, then over what stands between, where nothing of it minds
 * what moves up past it.
 *
 * Ports of a group are taken together and written anew. Prefixes of one are sorted; the shorter ones that they
 * make up are the longest row of neighbours that fills one. */
#include "target/cisco/minimise/minimise.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/cisco/minimise/fold.h"
#include "target/cisco/minimise/groups.h"

#define EQ_PORTS_MOST 10
#define PORT_LINES_MOST 4096 /* of one group; larger ones stay as they are */
#define PASSES_MOST 8
#define MEMBERS_FEW 16

struct joining {
	struct minimising *work;
	void *pool; /* of one group */
	enum minimise_field field;
	bool is_of_run;
	bool is_shorter;
};

/* --- moving --------------------------------------------------------------------------------------- */

/* May the entry stand in the place of one before it? */
static bool can_move_up(struct joining *joining, uint32_t place, uint32_t to)
{
	struct minimising *work = joining->work;
	const struct minimise_entry *entry = &work->list->entries[place];
	struct region region;

	if (work->run[place] == work->run[to])
		return true;
	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		const struct minimise_question question = {
			&region, entry->colour, to, place, place, entry->condition
		};

		if (!minimising_gives(work, &question))
			return false;
	}
	return true;
}

/* --- ports ---------------------------------------------------------------------------------------- */

struct port_lines {
	const struct minimise_ports **items;
	size_t items_count, items_capacity;
};

static int compare_widths(const void *left, const void *right)
{
	const struct port_range *a = left, *b = right;
	int order = (a->high - a->low) - (b->high - b->low);

	return order != 0 ? order : (int)a->low - b->low;
}

static struct minimise_cost lines_cost(const struct port_lines *lines)
{
	struct minimise_cost sum = { 0 };

	for (size_t index = 0; index < lines->items_count; index++) {
		struct minimise_cost cost = minimise_ports_cost(lines->items[index]);

		sum.entries += cost.entries;
		sum.expanded += cost.expanded;
		sum.registers += cost.registers;
	}
	return sum;
}

/* Single ports, ten a line. */
static void add_singles(struct joining *joining, const struct port_range *ranges, size_t count,
			struct port_lines *lines)
{
	struct port_range *singles;
	size_t total = 0, used = 0;

	for (size_t index = 0; index < count; index++)
		total += (size_t)(ranges[index].high - ranges[index].low) + 1;
	singles = pool_array(joining->pool, struct port_range, total);
	for (size_t index = 0; index < count; index++)
		for (uint32_t port = ranges[index].low; port <= ranges[index].high; port++)
			singles[used++] = (struct port_range){ (uint16_t)port, (uint16_t)port };
	qsort(singles, total, sizeof *singles, compare_widths);
	for (size_t at = 0; at < total; at += EQ_PORTS_MOST)
		*pool_append(joining->pool, lines, items) =
			minimise_ports(joining->work->list, singles + at,
				       total - at < EQ_PORTS_MOST ? total - at : EQ_PORTS_MOST);
}

/* The first `listed` ranges as lists of single ports, the others as they are. */
static struct port_lines lines_of(struct joining *joining, const struct port_range *ranges, size_t count,
				  size_t listed)
{
	struct port_lines lines = { 0 };

	add_singles(joining, ranges, listed, &lines);
	for (size_t index = listed; index < count; index++)
		*pool_append(joining->pool, &lines, items) =
			minimise_ports(joining->work->list, &ranges[index], 1);
	return lines;
}

/* Two neighbours may cost less than what they make up. */
static bool is_cheaper_apart(const struct joining *joining, const struct port_lines *old,
			     const struct port_lines *new)
{
	struct minimise_cost before = lines_cost(old), after = lines_cost(new);

	return minimise_cost_compare(joining->work->list->aim, &after, &before) >= 0;
}

static struct port_lines write_ports(struct joining *joining, const struct minimise_ports *all)
{
	const struct minimise_list *list = joining->work->list;
	struct port_range *ranges = pool_array(joining->pool, struct port_range, all->count);
	struct port_lines best = { 0 };

	if (minimise_ports_are_neq(all)) {
		*pool_append(joining->pool, &best, items) = all;
		return best;
	}
	memcpy(ranges, all->ranges, all->count * sizeof *ranges);
	if (!list->has_multi_eq)
		return lines_of(joining, ranges, all->count, 0);
	qsort(ranges, all->count, sizeof *ranges, compare_widths);
	for (size_t listed = 0; listed <= all->count; listed++) {
		struct port_lines lines;

		if (listed > 0 && ranges[listed - 1].high - ranges[listed - 1].low >= EQ_PORTS_MOST)
			break;
		if (listed < all->count && ranges[listed].high == ranges[listed].low)
			continue; /* single ports are listed all */
		lines = lines_of(joining, ranges, all->count, listed);
		if (best.items == NULL || !is_cheaper_apart(joining, &best, &lines))
			best = lines;
	}
	return best;
}

static const struct minimise_ports *all_ports(struct joining *joining, const struct minimise_group *group,
					      struct port_lines *old)
{
	struct {
		struct port_range *ranges;
		size_t ranges_count, ranges_capacity;
	} all = { 0 };

	for (size_t index = 0; index < group->count; index++) {
		const struct minimise_ports *ports = joining->work->list->entries[group->members[index]].first;

		*pool_append(joining->pool, old, items) = ports;
		if (ports == NULL)
			return NULL;
		for (uint32_t at = 0; at < ports->count; at++)
			*pool_append(joining->pool, &all, ranges) = ports->ranges[at];
	}
	return minimise_ports(joining->work->list, all.ranges, all.ranges_count);
}

static bool ports_meet(const struct minimise_ports *a, const struct minimise_ports *b)
{
	for (uint32_t left = 0; left < a->count; left++)
		for (uint32_t right = 0; right < b->count; right++)
			if (a->ranges[left].low <= b->ranges[right].high &&
			    b->ranges[right].low <= a->ranges[left].high)
				return true;
	return false;
}

/* The first of the places that are free and had some of these ports, or any; SIZE_MAX: none is free. */
static size_t free_member(const struct joining *joining, const struct minimise_group *group, const bool *is_used,
			  const struct port_lines *old, const struct minimise_ports *ports)
{
	size_t any = SIZE_MAX;

	for (size_t index = 0; index < group->count; index++) {
		if (is_used[index] ||
		    joining->work->run[group->members[index]] != joining->work->run[group->members[0]])
			continue;
		if (ports == NULL || ports_meet(old->items[index], ports))
			return index;
		if (any == SIZE_MAX)
			any = index;
	}
	return any;
}

static const struct minimise_parts *parts_of(struct joining *joining, const struct minimise_group *group,
					     const struct port_lines *old, const struct minimise_ports *ports)
{
	const struct minimise_parts *parts = NULL;

	for (size_t index = 0; index < group->count; index++) {
		const struct minimise_parts *own;

		if (ports != NULL && !ports_meet(old->items[index], ports))
			continue;
		own = minimising_own_parts(joining->work, group->members[index]);
		parts = parts == NULL ? own : minimising_parts(joining->work, parts, own);
	}
	return parts;
}

/* Where each new line stands: SIZE_MAX, there is no place. */
static bool choose_members(struct joining *joining, const struct minimise_group *group,
			   const struct port_lines *old, const struct port_lines *new, size_t *chosen,
			   bool *is_used)
{
	for (size_t line = 0; line < new->items_count; line++) {
		chosen[line] = free_member(joining, group, is_used, old, new->items[line]);
		if (chosen[line] == SIZE_MAX)
			return false;
		is_used[chosen[line]] = true;
	}
	return true;
}

static void write_lines(struct joining *joining, const struct minimise_group *group, const struct port_lines *old,
			const struct port_lines *new, const size_t *chosen)
{
	struct minimise_entry *entries = joining->work->list->entries;
	const struct minimise_parts **parts = pool_array(joining->pool, const struct minimise_parts *,
							 new->items_count);

	for (size_t line = 0; line < new->items_count; line++)
		parts[line] = parts_of(joining, group, old, new->items[line]);
	for (size_t index = 0; index < group->count; index++)
		minimising_remove(joining->work, group->members[index], group->members[0]);
	for (size_t line = 0; line < new->items_count; line++) {
		uint32_t place = group->members[chosen[line]];
		struct minimise_entry entry = entries[place];

		entry.first = new->items[line];
		entry.parts = parts[line];
		entry.is_gone = false;
		minimising_replace(joining->work, place, &entry);
	}
}

/* Denials that look at ports take no later fragments: one of every port would. */
static bool takes_later(const struct joining *joining, const struct minimise_group *group)
{
	const struct minimise_list *list = joining->work->list;
	const struct minimise_entry *entry = &list->entries[group->members[0]];

	return !list->forgets_later && !entry->is_permit && entry->second == NULL;
}

static void join_ports(struct joining *joining, const struct minimise_group *group)
{
	struct port_lines old = { 0 }, new;
	const struct minimise_ports *all;
	size_t *chosen;

	if (group->count > PORT_LINES_MOST)
		return;
	all = all_ports(joining, group, &old);
	if (old.items[old.items_count - 1] == NULL)
		return; /* one of them has every port, and the others are dropped */
	if (all == NULL && takes_later(joining, group))
		return;
	if (all != NULL)
		new = write_ports(joining, all);
	else
		new = lines_of(joining, &(struct port_range){ 0, UINT16_MAX }, 1, 0);
	if (is_cheaper_apart(joining, &old, &new))
		return;
	for (size_t index = 1; index < group->count; index++)
		if (!can_move_up(joining, group->members[index], group->members[0]))
			return;
	chosen = pool_array(joining->pool, size_t, new.items_count);
	if (!choose_members(joining, group, &old, &new, chosen, pool_array(joining->pool, bool, group->count)))
		return;
	write_lines(joining, group, &old, &new, chosen);
	joining->is_shorter = true;
}

/* --- prefixes ------------------------------------------------------------------------------------- */

/* Of the members that lie in a prefix: the first place they can all stand in, or none of them is joined. */
static void join_cluster(struct joining *joining, const struct minimise_prefix *prefix)
{
	struct minimising *work = joining->work;
	struct minimise_entry *entries = work->list->entries, entry;
	enum region_side side = minimise_side(joining->field);
	uint32_t first = prefix->places[0];
	const struct minimise_parts *parts = minimising_own_parts(work, first);

	for (size_t index = 1; index < prefix->places_count; index++)
		if (!can_move_up(joining, prefix->places[index], first))
			return;
	for (size_t index = 1; index < prefix->places_count; index++) {
		parts = minimising_parts(work, parts, minimising_own_parts(work, prefix->places[index]));
		minimising_remove(work, prefix->places[index], first);
	}
	entry = entries[first];
	entry.value[side] = prefix->value;
	entry.wildcard[side] = prefix->wildcard;
	entry.parts = parts;
	minimising_replace(work, first, &entry);
	joining->is_shorter = true;
}

static void join_prefixes(struct joining *joining, const struct minimise_group *group)
{
	struct minimise_prefixes prefixes = minimise_prefixes_of(joining->pool, joining->work->list, group,
								 minimise_side(joining->field));

	for (size_t index = 0; index < prefixes.items_count; index++)
		if (prefixes.items[index].places_count > 1)
			join_cluster(joining, &prefixes.items[index]);
	if (joining->is_of_run && prefixes.items_count > 2)
		joining->is_shorter = minimise_fold(joining->work, joining->pool, &prefixes,
						    minimise_side(joining->field)) || joining->is_shorter;
}

/* --- what cannot be joined ------------------------------------------------------------------------- */

/* Two numbers after each other, or one number in both. */
static bool touches(number128 low, number128 high, number128 other_low, number128 other_high)
{
	return (low == 0 || low - 1 <= other_high) && (other_low == 0 || other_low - 1 <= high);
}

/* All but one port: neq. */
static bool leave_one(const struct port_range *a, const struct port_range *b)
{
	return a->low == 0 && b->high == UINT16_MAX && a->high + 2 == b->low;
}

static bool ports_touch(const struct minimise_ports *a, const struct minimise_ports *b)
{
	return a == NULL || b == NULL || a->count > 1 || b->count > 1 ||
	       touches(a->ranges[0].low, a->ranges[0].high, b->ranges[0].low, b->ranges[0].high) ||
	       leave_one(&a->ranges[0], &b->ranges[0]) || leave_one(&b->ranges[0], &a->ranges[0]);
}

static bool entries_touch(const struct joining *joining, uint32_t left, uint32_t right)
{
	const struct minimise_list *list = joining->work->list;
	const struct minimise_entry *a = &list->entries[left], *b = &list->entries[right];
	enum region_side side;

	if (joining->field == MINIMISE_PORTS)
		return list->has_multi_eq || ports_touch(a->first, b->first);
	side = minimise_side(joining->field);
	return touches(a->value[side], a->value[side] | a->wildcard[side],
		       b->value[side], b->value[side] | b->wildcard[side]);
}

/* Where no two are neighbours or meet, as many are needed (fold.c says why). Large groups are sorted
 * anyway. */
static bool may_join(const struct joining *joining, const struct minimise_group *group)
{
	for (size_t index = 1; index < group->count && group->count <= MEMBERS_FEW; index++)
		for (size_t other = 0; other < index; other++)
			if (entries_touch(joining, group->members[index], group->members[other]))
				return true;
	return group->count > MEMBERS_FEW;
}

/* --- all of it ------------------------------------------------------------------------------------ */

static void join_group(struct joining *joining, const struct minimise_group *group)
{
	void *pool = pool_child(joining->work->pool, "group");

	joining->pool = pool;
	if (joining->field == MINIMISE_PORTS)
		join_ports(joining, group);
	else
		join_prefixes(joining, group);
	talloc_free(pool);
}

/* The members of each run, then, where none of these could be joined, all of them. true: something was. */
static bool join_runs(struct joining *joining, const struct minimise_group *group)
{
	const uint32_t *run = joining->work->run;
	size_t begin = 0, end;

	joining->is_shorter = false;
	if (!may_join(joining, group))
		return false;
	joining->is_of_run = true;
	for (; begin < group->count; begin = end) {
		for (end = begin + 1; end < group->count && run[group->members[end]] == run[group->members[begin]];)
			end++;
		if (end - begin > 1)
			join_group(joining, &(struct minimise_group){ group->members + begin, end - begin });
	}
	joining->is_of_run = false;
	if (!joining->is_shorter && run[group->members[0]] != run[group->members[group->count - 1]])
		join_group(joining, group);
	return joining->is_shorter;
}

bool minimise_join(struct minimising *work)
{
	bool is_shorter = true, is_any = false;

	for (unsigned pass = 0; is_shorter && pass < PASSES_MOST; pass++) {
		is_shorter = false;
		for (enum minimise_field field = MINIMISE_PORTS; field < MINIMISE_FIELDS; field++) {
			struct joining joining = { .work = work, .field = field };
			uint32_t version = work->version;
			const struct minimise_groups *groups;

			if (version == work->joined[field])
				continue; /* nothing would be another than it was */
			groups = minimise_groups_of(work, field);
			for (size_t index = 0; index < groups->items_count; index++)
				is_shorter = join_runs(&joining, &groups->items[index]) || is_shorter;
			if (version == work->version)
				work->joined[field] = version;
		}
		is_any = is_any || is_shorter;
	}
	return is_any;
}
