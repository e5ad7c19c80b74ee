/* Places, not moves: an entry keeps its number while it lasts, what is joined stands in one of the places of
 * its parts, and only at the end are those that are gone left out by whoever asked. */
#include "target/cisco/minimise/minimise.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/minimise/steps.h"

#define STEPS_EACH 400  /* for each entry of the list, and */
#define STEPS_LEAST 20000000
#define STEPS_QUESTION 40000
#define ROUNDS_MOST 12
#define CHANGES_MOST 128 /* entries changed since the trees were made */
#define PORT_BITS 16
#define FEW_RANGES 16

bool minimise_aim_parse(const char *word, enum minimise_aim *aim)
{
	static const char *const words[] = {
		[MINIMISE_NONE] = "none", [MINIMISE_ENTRIES] = "entries", [MINIMISE_TCAM] = "tcam"
	};

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strcmp(words[index], word) == 0) {
			*aim = (enum minimise_aim)index;
			return true;
		}
	return false;
}

/* --- lists ---------------------------------------------------------------------------------------- */

struct minimise_list *minimise_list_new(void *pool, unsigned bits, enum minimise_aim aim)
{
	struct minimise_list *list = pool_new(pool, struct minimise_list);

	list->pool = list;
	list->arena = arena_new(list);
	list->ports_by_ranges = interned_new(list, list->arena);
	list->bits = bits;
	list->aim = aim;
	return list;
}

void minimise_reserve(struct minimise_list *list, size_t count)
{
	list->entries = pool_room(list->pool, list->entries, &list->entries_capacity, count, sizeof *list->entries);
}

struct minimise_entry *minimise_append(struct minimise_list *list)
{
	return pool_append(list->pool, list, entries);
}

/* Few: an entry has one, or ten. */
static size_t sort_ranges(const struct port_range *ranges, size_t count, struct port_range *sorted)
{
	size_t used = 0;

	for (size_t index = 0; index < count; index++) {
		size_t at = index;

		for (; at > 0 && sorted[at - 1].low > ranges[index].low; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = ranges[index];
	}
	for (size_t index = 0; index < count; index++) {
		if (used == 0 || sorted[index].low > (uint32_t)sorted[used - 1].high + 1)
			sorted[used++] = sorted[index];
		else if (sorted[index].high > sorted[used - 1].high)
			sorted[used - 1].high = sorted[index].high;
	}
	return used;
}

const struct minimise_ports *minimise_ports(struct minimise_list *list, const struct port_range *ranges,
					    size_t count)
{
	struct port_range few[FEW_RANGES];
	struct port_range *sorted = count <= FEW_RANGES ? few : pool_array(list->pool, struct port_range, count);
	size_t used = sort_ranges(ranges, count, sorted), size = used * sizeof *sorted;
	struct minimise_ports **slot;

	if (used == 1 && sorted[0].low == 0 && sorted[0].high == UINT16_MAX)
		return NULL;
	slot = (struct minimise_ports **)interned_slot(list->ports_by_ranges, sorted, size);
	if (*slot == NULL) {
		*slot = arena_bytes(list->arena, sizeof **slot + size);
		(*slot)->count = (uint32_t)used;
		memcpy((*slot)->ranges, sorted, size);
	}
	return *slot;
}

/* --- regions -------------------------------------------------------------------------------------- */

static struct region region_of(const struct minimise_entry *entry)
{
	struct region region = { .high = { REGION_PROTOCOL_MAX, REGION_PORT_MAX, REGION_PORT_MAX, 1 } };

	for (unsigned side = 0; side < REGION_SIDES; side++) {
		region.value[side] = entry->value[side];
		region.wildcard[side] = entry->wildcard[side];
	}
	if (entry->protocol != MINIMISE_PROTOCOL_ANY)
		region.low[REGION_PROTOCOL] = region.high[REGION_PROTOCOL] = entry->protocol;
	return region;
}

static void set_range(struct region *region, enum region_range range, const struct minimise_ports *ports,
		      size_t number)
{
	if (ports == NULL)
		return;
	region->low[range] = ports->ranges[number].low;
	region->high[range] = ports->ranges[number].high;
}

/* Ports of whole packets; and of an entry that permits some, all later fragments (Cisco, "Access Control
 * Lists and IP Fragments"). */
bool minimise_region(const struct minimise_entry *entry, size_t number, struct region *region)
{
	size_t firsts = entry->first == NULL ? 1 : entry->first->count;
	size_t seconds = entry->second == NULL ? 1 : entry->second->count;
	bool looks_inside = entry->first != NULL || entry->second != NULL;

	if (entry->regions != NULL) {
		if (number >= entry->regions_count)
			return false;
		*region = entry->regions[number];
		return true;
	}
	if (number > firsts * seconds || (number == firsts * seconds && !looks_inside))
		return false;
	if (number == firsts * seconds && !entry->is_permit)
		return false;
	*region = region_of(entry);
	if (number == firsts * seconds) {
		region->low[REGION_LATER] = 1;
		return true;
	}
	if (entry->is_later)
		region->low[REGION_LATER] = 1;
	else if (looks_inside)
		region->high[REGION_LATER] = 0;
	set_range(region, REGION_FIRST, entry->first, number / seconds);
	set_range(region, REGION_SECOND, entry->second, number % seconds);
	return true;
}

/* --- costs ---------------------------------------------------------------------------------------- */

static size_t range_prefixes(struct port_range range)
{
	unsigned low = range.low;
	size_t count = 0;

	while (low <= range.high) {
		unsigned size = 1;

		while (low % (size * 2) == 0 && low + size * 2 - 1 <= range.high && size < 1u << PORT_BITS)
			size *= 2;
		low += size;
		count++;
	}
	return count;
}

bool minimise_ports_are_neq(const struct minimise_ports *ports)
{
	return ports->count == 2 && ports->ranges[0].low == 0 && ports->ranges[1].high == UINT16_MAX &&
	       ports->ranges[0].high + 2 == ports->ranges[1].low;
}

/* Several, but for neq, stand as single ports after eq. */
size_t minimise_ports_prefixes(const struct minimise_ports *ports)
{
	size_t count = 0;

	if (ports == NULL)
		return 1;
	for (size_t index = 0; index < ports->count; index++)
		count += ports->count == 1 || minimise_ports_are_neq(ports) ? range_prefixes(ports->ranges[index]) :
			 (size_t)(ports->ranges[index].high - ports->ranges[index].low) + 1;
	return count;
}

/* Half a register for gt, lt and neq, one for a range, none for single ports. */
struct minimise_cost minimise_range_cost(struct port_range range)
{
	return (struct minimise_cost){
		.entries = 1,
		.expanded = range_prefixes(range),
		.registers = range.low == range.high ? 0 : range.low == 0 || range.high == UINT16_MAX ? 1 : 2,
	};
}

struct minimise_cost minimise_ports_cost(const struct minimise_ports *ports)
{
	struct minimise_cost cost = { .entries = 1, .expanded = minimise_ports_prefixes(ports) };

	if (ports == NULL)
		return cost;
	if (minimise_ports_are_neq(ports))
		cost.registers = 1;
	else if (ports->count == 1)
		cost.registers = minimise_range_cost(ports->ranges[0]).registers;
	return cost;
}

static int compare_sizes(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

int minimise_cost_compare(enum minimise_aim aim, const struct minimise_cost *a, const struct minimise_cost *b)
{
	int entries = compare_sizes(a->entries, b->entries), order;

	if (aim != MINIMISE_TCAM && entries != 0)
		return entries;
	order = compare_sizes(a->expanded, b->expanded);
	if (order == 0)
		order = compare_sizes(a->registers, b->registers);
	return order != 0 ? order : entries;
}

/* --- parts ---------------------------------------------------------------------------------------- */

const struct minimise_parts *minimising_own_parts(struct minimising *work, uint32_t place)
{
	struct minimise_entry *entry = &work->list->entries[place];

	if (entry->parts == NULL) {
		struct minimise_parts *parts = arena_bytes(work->list->arena, sizeof *parts + sizeof(uint32_t));

		parts->count = 1;
		parts->numbers[0] = place;
		entry->parts = parts;
	}
	return entry->parts;
}

const struct minimise_parts *minimising_parts(struct minimising *work, const struct minimise_parts *a,
					      const struct minimise_parts *b)
{
	size_t most = (size_t)a->count + b->count;
	struct minimise_parts *parts = arena_bytes(work->list->arena, sizeof *parts + most * sizeof(uint32_t));
	uint32_t left = 0, right = 0;

	while (left < a->count || right < b->count) {
		bool is_left = right == b->count || (left < a->count && a->numbers[left] <= b->numbers[right]);
		uint32_t number = is_left ? a->numbers[left++] : b->numbers[right++];

		if (parts->count == 0 || parts->numbers[parts->count - 1] != number)
			parts->numbers[parts->count++] = number;
	}
	return parts;
}

/* Its addresses, with whatever else. */
static void touch(struct minimising *work, uint32_t place)
{
	struct region region;

	for (size_t number = 0; minimise_region(&work->list->entries[place], number, &region); number++) {
		const struct region *last = work->touched_count == 0 ? NULL :
			&work->touched[work->touched_count - 1];

		if (last == NULL || memcmp(last->value, region.value, sizeof region.value) != 0 ||
		    memcmp(last->wildcard, region.wildcard, sizeof region.wildcard) != 0)
			*pool_append(work->pool, work, touched) = region_wide(&region);
	}
}

void minimising_replace(struct minimising *work, uint32_t place, const struct minimise_entry *with)
{
	touch(work, place);
	work->list->entries[place] = *with;
	touch(work, place);
	work->is_changed = true;
	work->version++;
	work->is_settled[place] = false;
	if (work->meeting != NULL)
		meeting_change(work->meeting, place);
}

static void take_out(struct minimising *work, uint32_t place, uint32_t holder)
{
	work->list->entries[place].is_gone = true;
	work->is_changed = true;
	work->version++;
	work->list->entries[place].holder = holder;
}

void minimising_remove(struct minimising *work, uint32_t place, uint32_t holder)
{
	touch(work, place);
	take_out(work, place, holder);
}

/* --- what a region gets --------------------------------------------------------------------------- */

void minimising_meet(struct minimising *work)
{
	if (work->meeting != NULL && meeting_changes(work->meeting) <= CHANGES_MOST)
		return;
	talloc_free(work->meeting);
	work->meeting = meeting_new(work->pool, work->list);
}

/* All packets of its regions: at all times, or whenever the question matters. */
static bool takes_all(const struct minimise_entry *entry, const struct minimise_question *question)
{
	return entry->condition == 0 ||
	       (entry->condition == question->condition && entry->colour == question->colour);
}

/* Does nothing of the region come to the entry at this place? The first `count` places are those before. */
static bool is_taken_before(struct minimising *work, const struct minimise_question *question, size_t count,
			    const struct region *part, size_t *steps)
{
	const struct minimise_entry *entries = work->list->entries;
	size_t used = 0;

	for (size_t at = 0; at < count; at++) {
		const struct minimise_entry *entry = &entries[work->places[at]];
		struct region region;

		if (!takes_all(entry, question) || work->places[at] == question->except)
			continue;
		for (size_t number = 0; minimise_region(entry, number, &region); number++) {
			if (!region_meets(&region, part))
				continue;
			if (region_holds(&region, part))
				return true;
			if (used == MEETING_MOST)
				return false;
			work->regions[used++] = region;
		}
	}
	return region_is_covered(part, work->regions, used, steps);
}

static bool entry_is_taken_before(struct minimising *work, const struct minimise_question *question, size_t at,
				  size_t *steps)
{
	const struct minimise_entry *entry = &work->list->entries[work->places[at]];
	struct region region;

	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		struct region part;

		if (!region_meets(&region, question->region))
			continue;
		part = region_cut(&region, question->region);
		if (!is_taken_before(work, question, at, &part, steps))
			return false;
	}
	return true;
}

bool minimising_gives(struct minimising *work, const struct minimise_question *question)
{
	size_t most = work->steps < STEPS_QUESTION ? work->steps : STEPS_QUESTION, steps = most, count;
	bool gives = true;

	minimising_meet(work);
	count = meeting_find(work->meeting, question->region, question->except, work->places, MEETING_MOST, &steps);
	if (count > MEETING_MOST) {
		work->list->is_over = true;
		work->steps -= most - steps < work->steps ? most - steps : work->steps;
		return false;
	}
	for (size_t at = 0; at < count && gives; at++) {
		uint32_t place = work->places[at];

		if (place > question->after && place < question->before && place != question->except &&
		    work->list->entries[place].colour != question->colour)
			gives = entry_is_taken_before(work, question, at, &steps);
	}
	work->list->is_over = work->list->is_over || (!gives && steps == 0);
	work->steps -= most - steps;
	return gives;
}

/* --- dropping ------------------------------------------------------------------------------------- */

static bool is_needless(struct minimising *work, uint32_t place)
{
	const struct minimise_entry *entry = &work->list->entries[place];
	struct region region;

	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		const struct minimise_question question = {
			&region, entry->colour, place, UINT32_MAX, place, entry->condition
		};

		if (work->list->forgets_later && !entry->is_later && region.low[REGION_LATER] > 0)
			continue;
		if (!minimising_gives(work, &question))
			return false;
	}
	return true;
}

static bool entry_holds_region(const struct minimise_entry *entry, const struct region *region)
{
	struct region own;

	for (size_t number = 0; minimise_region(entry, number, &own); number++)
		if (region_holds(&own, region))
			return true;
	return false;
}

static bool entry_holds(const struct minimise_entry *outer, const struct minimise_entry *inner)
{
	struct region region;

	if (outer->condition != 0 && (outer->condition != inner->condition || outer->colour != inner->colour))
		return false;
	for (size_t number = 0; minimise_region(inner, number, &region); number++)
		if ((inner->is_later || region.low[REGION_LATER] == 0) && !entry_holds_region(outer, &region))
			return false;
	return true;
}

/* One before it that decides all of it, else one of its colour behind it. */
static uint32_t find_holder(struct minimising *work, uint32_t place)
{
	const struct minimise_entry *entries = work->list->entries, *entry = &entries[place];
	size_t steps = STEPS_QUESTION, count;
	struct region region;

	if (!minimise_region(entry, 0, &region))
		return MINIMISE_TOGETHER;
	count = meeting_find(work->meeting, &region, place, work->places, MEETING_MOST, &steps);
	for (size_t at = 0; count <= MEETING_MOST && at < count; at++) {
		uint32_t other = work->places[at];

		if (other != place && !entries[other].is_end && entry_holds(&entries[other], entry) &&
		    (other < place || entries[other].colour == entry->colour))
			return other;
	}
	return MINIMISE_TOGETHER;
}

static size_t entries_left(const struct minimise_list *list)
{
	size_t count = 0;

	for (size_t place = 0; place < list->entries_count; place++)
		count += !list->entries[place].is_gone && !list->entries[place].is_end;
	return count;
}

/* Whoever meets the region, and stands before the place, is asked again. */
static void unsettle(struct minimising *work, const struct region *region, uint32_t before)
{
	size_t steps = STEPS_QUESTION, count;

	count = meeting_find(work->meeting, region, UINT32_MAX, work->places, MEETING_MOST, &steps);
	if (count > MEETING_MOST)
		memset(work->is_settled, false, work->list->entries_count * sizeof *work->is_settled);
	for (size_t at = 0; count <= MEETING_MOST && at < count && work->places[at] < before; at++)
		work->is_settled[work->places[at]] = false;
}

static void unsettle_touched(struct minimising *work)
{
	minimising_meet(work);
	for (size_t index = 0; index < work->touched_count; index++)
		unsettle(work, &work->touched[index], UINT32_MAX);
	work->touched_count = 0;
}

/* An entry that goes leaves more packets to those behind it, which need not be asked again, and one less behind
 * those before it. */
static void drop_entry(struct minimising *work, uint32_t place)
{
	struct region region;

	take_out(work, place, find_holder(work, place));
	for (size_t number = 0; minimise_region(&work->list->entries[place], number, &region); number++) {
		region = region_wide(&region);
		unsettle(work, &region, place);
	}
}

/* A list without entries permits everything. From the last one on: one that goes makes others needless before
 * it alone. */
static void drop(struct minimising *work)
{
	size_t left = entries_left(work->list);

	unsettle_touched(work);
	for (uint32_t place = (uint32_t)work->list->entries_count; place-- > 0 && left > 1;) {
		const struct minimise_entry *entry = &work->list->entries[place];

		if (entry->is_gone || entry->is_kept || entry->is_end || work->is_settled[place])
			continue;
		work->is_settled[place] = true;
		if (!is_needless(work, place))
			continue;
		drop_entry(work, place);
		left--;
	}
}

/* --- rounds --------------------------------------------------------------------------------------- */

void minimising_number(struct minimising *work)
{
	const struct minimise_list *list = work->list;
	uint32_t run = 0, barrier = 0, colour = UINT32_MAX;

	for (size_t place = 0; place < list->entries_count; place++) {
		const struct minimise_entry *entry = &list->entries[place];

		if (!entry->is_gone) {
			run += entry->colour != colour || entry->is_barrier;
			barrier += entry->is_barrier;
			colour = entry->is_barrier ? UINT32_MAX : entry->colour;
		}
		work->run[place] = run;
		work->barrier[place] = barrier;
	}
}

void minimise(struct minimise_list *list)
{
	struct minimising work = { .list = list };
	bool is_shorter = true;

	if (list->aim == MINIMISE_NONE)
		return;
	work.pool = pool_child(list, "minimise");
	work.is_changed = true;
	work.version = 1;
	work.steps = STEPS_LEAST + list->entries_count * STEPS_EACH;
	work.run = pool_array(work.pool, uint32_t, list->entries_count);
	work.barrier = pool_array(work.pool, uint32_t, list->entries_count);
	work.is_settled = pool_array(work.pool, bool, list->entries_count);
	work.places = pool_array(work.pool, uint32_t, MEETING_MOST);
	work.regions = pool_array(work.pool, struct region, MEETING_MOST);
	for (unsigned round = 0; is_shorter && round < ROUNDS_MOST; round++) {
		drop(&work);
		is_shorter = minimise_join(&work) || minimise_grow(&work);
	}
	if (is_shorter)
		drop(&work);
	if (list->can_add)
		minimise_gaps(&work);
	talloc_free(work.pool);
}
