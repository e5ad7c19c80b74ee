/* Growing: an entry that is larger than its parts, where what it takes in addition gets the same anyway. The
 * question is asked for all of the new entry: were it not there, every packet of it that comes so far would
 * get the same verdict from those behind. Its parts are then needless, and go. */
#include "target/cisco/minimise/minimise.h"

#include <stdlib.h>

#include "base/pool.h"
#include "target/cisco/minimise/fold.h"
#include "target/cisco/minimise/groups.h"
#include "target/cisco/minimise/spoken.h"

#define WIDER_BITS_MOST 6 /* of a prefix around two */
#define MEMBERS_FEW 16
#define PROTOCOLS 256

/* Of one protocol. */
struct gaps {
	bool is_known;
	struct minimise_unspoken unspoken;
};

struct span {
	struct port_range range;
	uint32_t place;
};

struct growing {
	struct minimising *work;
	void *pool; /* of one group */
	enum minimise_field field;
	bool is_shorter;
	uint32_t bottom;
	struct gaps *gaps; /* by protocol */
	struct span *spans; /* of one group */
	size_t spans_count, spans_capacity;
};

/* May the entry stand in this place? */
static bool may_stand(struct growing *growing, const struct minimise_entry *entry, uint32_t place)
{
	struct region region;

	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		const struct minimise_question question = {
			&region, entry->colour, place, UINT32_MAX, UINT32_MAX, 0
		};

		if (!minimising_gives(growing->work, &question))
			return false;
	}
	return true;
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* In the place of the first of two. */
static bool stand_for(struct growing *growing, struct minimise_entry *entry, uint32_t a, uint32_t b)
{
	struct minimising *work = growing->work;
	uint32_t first = earlier(a, b), second = first == a ? b : a;

	if (!may_stand(growing, entry, first))
		return false;
	entry->parts = minimising_parts(work, minimising_own_parts(work, first),
					minimising_own_parts(work, second));
	minimising_remove(work, second, first);
	minimising_replace(work, first, entry);
	growing->is_shorter = true;
	return true;
}

/* --- prefixes ------------------------------------------------------------------------------------- */

static number128 wildcard_around(number128 a, number128 b)
{
	number128 wildcard = a ^ b;

	for (unsigned shift = 1; shift < 128; shift *= 2)
		wildcard |= wildcard >> shift;
	return wildcard;
}

/* Neighbours in the order of their addresses. What is added has to be there already, and much rarely is. */
static void grow_prefixes(struct growing *growing, const struct minimise_group *group)
{
	enum region_side side = minimise_side(growing->field);
	const struct minimise_entry *entries = growing->work->list->entries;
	struct minimise_prefixes prefixes = minimise_prefixes_of(growing->pool, growing->work->list, group, side);
	uint32_t last = prefixes.items[0].places[0];

	for (size_t index = 1; index < prefixes.items_count; index++) {
		uint32_t place = prefixes.items[index].places[0];
		struct minimise_entry entry = entries[earlier(last, place)];

		entry.wildcard[side] = wildcard_around(entries[last].value[side], entries[place].value[side]) |
				       entries[last].wildcard[side] | entries[place].wildcard[side];
		entry.value[side] &= ~entry.wildcard[side];
		if (entry.wildcard[side] >> WIDER_BITS_MOST >
		    (entries[last].wildcard[side] | entries[place].wildcard[side])) {
			last = place;
			continue;
		}
		if (entries[place].is_gone || entries[last].is_gone || !stand_for(growing, &entry, last, place))
			last = place;
		else
			last = earlier(last, place);
	}
}

/* Whether any two are so near that one prefix may be tried around them; large groups are sorted anyway. */
static bool may_grow(const struct growing *growing, const struct minimise_group *group)
{
	const struct minimise_entry *entries = growing->work->list->entries;
	enum region_side side = minimise_side(growing->field);

	for (size_t index = 1; index < group->count && group->count <= MEMBERS_FEW; index++)
		for (size_t other = 0; other < index; other++) {
			const struct minimise_entry *a = &entries[group->members[index]];
			const struct minimise_entry *b = &entries[group->members[other]];
			number128 own = a->wildcard[side] | b->wildcard[side];

			if ((wildcard_around(a->value[side], b->value[side]) | own) >> WIDER_BITS_MOST <= own)
				return true;
		}
	return group->count > MEMBERS_FEW;
}

/* --- ports ---------------------------------------------------------------------------------------- */

static int compare_spans(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	int order = (int)a->range.low - b->range.low;

	return order != 0 ? order : a->place < b->place ? -1 : a->place > b->place;
}

static bool is_cheaper(const struct growing *growing, const struct minimise_ports *new,
		       const struct minimise_ports *a, const struct minimise_ports *b)
{
	struct minimise_cost after = minimise_ports_cost(new), before = minimise_ports_cost(a);

	if (b != NULL) {
		struct minimise_cost other = minimise_ports_cost(b);

		before.entries += other.entries;
		before.expanded += other.expanded;
		before.registers += other.registers;
	}
	return minimise_cost_compare(growing->work->list->aim, &after, &before) < 0;
}

/* Whether something between two ranges gets what the list ends in, whatever else an entry of the first's kind
 * would say of it. */
static bool is_apart(struct growing *growing, const struct minimise_entry *entry, struct port_range a,
		     struct port_range b)
{
	const struct minimise_list *list = growing->work->list;
	struct gaps *gaps = &growing->gaps[entry->protocol];
	size_t at;

	if (growing->bottom == UINT32_MAX || list->entries[growing->bottom].colour == entry->colour)
		return false;
	if (!gaps->is_known)
		gaps->unspoken = minimise_unspoken_of(growing->work->pool, list, &(struct minimise_speakers){
			entry->protocol, 0, growing->bottom, MINIMISE_COLOUR_NONE });
	gaps->is_known = true;
	at = minimise_unspoken_from(&gaps->unspoken, a.high + 1u);
	return at < gaps->unspoken.items_count && gaps->unspoken.items[at].low < b.low;
}

/* By their ports; false: none of them may be joined with the next one. */
static bool sort_spans(struct growing *growing, const struct minimise_group *group)
{
	const struct minimise_entry *entries = growing->work->list->entries;
	struct span *spans;
	size_t index = 1;

	growing->spans_count = 0;
	for (size_t member = 0; member < group->count; member++) {
		const struct minimise_ports *ports = entries[group->members[member]].first;

		if (ports != NULL && ports->count == 1)
			*pool_append(growing->work->pool, growing, spans) =
				(struct span){ ports->ranges[0], group->members[member] };
	}
	spans = growing->spans;
	while (index < growing->spans_count && compare_spans(&spans[index - 1], &spans[index]) < 0)
		index++;
	if (index < growing->spans_count)
		qsort(spans, growing->spans_count, sizeof *spans, compare_spans);
	for (index = 1; index < growing->spans_count; index++)
		if (!is_apart(growing, &entries[spans[index].place], spans[index - 1].range, spans[index].range))
			return true;
	return false;
}

/* Two ranges and what lies between. */
static void grow_ranges(struct growing *growing, const struct minimise_group *group)
{
	struct minimise_list *list = growing->work->list;
	struct span *spans;
	size_t last = 0;

	if (!sort_spans(growing, group))
		return;
	spans = growing->spans;
	for (size_t index = 1; index < growing->spans_count; index++) {
		uint32_t a = spans[last].place, b = spans[index].place, first = earlier(a, b);
		struct minimise_entry entry = list->entries[first];
		struct port_range range = { spans[last].range.low, spans[index].range.high };

		if (range.high < spans[last].range.high)
			range.high = spans[last].range.high;
		entry.first = minimise_ports(list, &range, 1);
		if (!is_apart(growing, &entry, spans[last].range, spans[index].range) &&
		    is_cheaper(growing, entry.first, list->entries[a].first, list->entries[b].first) &&
		    stand_for(growing, &entry, a, b))
			spans[last = index] = (struct span){ range, first };
		else
			last = index;
	}
}

/* Without its ports. */
static void drop_ports(struct growing *growing, uint32_t place)
{
	struct minimise_entry entry = growing->work->list->entries[place];

	if (entry.is_gone || entry.is_kept || entry.is_end || entry.regions != NULL || !entry.is_line ||
	    entry.first == NULL || !is_cheaper(growing, NULL, entry.first, NULL))
		return;
	entry.first = NULL;
	if (!may_stand(growing, &entry, place))
		return;
	entry.parts = minimising_own_parts(growing->work, place);
	minimising_replace(growing->work, place, &entry);
	growing->is_shorter = true;
}

/* --- all of it ------------------------------------------------------------------------------------ */

static void grow_field(struct growing *growing)
{
	const struct minimise_groups *groups = minimise_groups_of(growing->work, growing->field);

	for (size_t index = 0; index < groups->items_count; index++) {
		if (growing->work->list->entries[groups->items[index].members[0]].condition != 0)
			continue;
		if (growing->field == MINIMISE_PORTS) {
			grow_ranges(growing, &groups->items[index]);
			continue;
		}
		if (!may_grow(growing, &groups->items[index]))
			continue;
		growing->pool = pool_child(growing->work->pool, "group");
		grow_prefixes(growing, &groups->items[index]);
		talloc_free(growing->pool);
	}
}

bool minimise_grow(struct minimising *work)
{
	struct growing growing = { .work = work, .bottom = minimise_bottom(work->list) };

	growing.gaps = pool_array(work->pool, struct gaps, PROTOCOLS);
	for (growing.field = MINIMISE_PORTS; growing.field < MINIMISE_FIELDS; growing.field++)
		grow_field(&growing);
	for (uint32_t place = 0; work->list->aim == MINIMISE_TCAM && place < work->list->entries_count; place++)
		drop_ports(&growing, place);
	return growing.is_shorter;
}
