/* Lines of a list as the minimiser's entries, and back: each line has the place of its number. */
#include "target/cisco/minimise/lines.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/model/form.h"

#define COVERED_SHOWN 20 /* rules told of; more are counted */
#define MEMBERS_MOST 254 /* net/address.h */
#define PORTS_MOST 10

struct changed {
	size_t number;
	struct ios_line line;
};

struct lines {
	void *pool;
	void *kept; /* pool of the list */
	struct arena *kept_arena;
	struct diags *diags;
	struct ios_list *list;
	const struct minimise_settings *settings;
	size_t begin;
	struct minimise_list *minimised;
	struct interned *conditions;
	struct arena *arena;
	size_t conditions_count;
	struct changed *changes;
	size_t changes_count, changes_capacity;
	struct ios_line *added;
};

/* --- to entries ----------------------------------------------------------------------------------- */

static const struct minimise_ports *ports_of(struct lines *lines, const struct ios_ports *ports)
{
	struct port_range ranges[PORTS_MOST];
	size_t count = 1;

	switch (ports->operator) {
	case IOS_PORTS_ANY:
		return NULL;
	case IOS_PORTS_EQ:
		for (count = 0; count < ports->ports_count; count++)
			ranges[count] = (struct port_range){ ports->ports[count], ports->ports[count] };
		break;
	case IOS_PORTS_RANGE:
		ranges[0] = (struct port_range){ ports->ports[0], ports->ports[1] };
		break;
	case IOS_PORTS_GT:
		ranges[0] = (struct port_range){ (uint16_t)(ports->ports[0] + 1), UINT16_MAX };
		break;
	case IOS_PORTS_LT:
		ranges[0] = (struct port_range){ 0, (uint16_t)(ports->ports[0] - 1) };
		break;
	case IOS_PORTS_NEQ:
		ranges[0] = (struct port_range){ 0, (uint16_t)(ports->ports[0] - 1) };
		ranges[1] = (struct port_range){ (uint16_t)(ports->ports[0] + 1), UINT16_MAX };
		count = 2;
		break;
	}
	return minimise_ports(lines->minimised, ranges, count);
}

static const struct minimise_ports *one_number(struct lines *lines, uint16_t number)
{
	const struct port_range range = { number, number };

	return number == IOS_ICMP_ANY ? NULL : minimise_ports(lines->minimised, &range, 1);
}

static uint32_t condition_of(struct lines *lines, const struct ios_line *line)
{
	struct {
		const char *time_range;
		uintptr_t is_established;
	} key = { line->extras->time_range, line->is_established };
	uintptr_t *slot;

	if (line->extras->time_range == NULL && !line->is_established)
		return 0;
	slot = (uintptr_t *)interned_slot(lines->conditions, &key, sizeof key);
	if (*slot == 0)
		*slot = ++lines->conditions_count;
	return (uint32_t)*slot;
}

/* --- entries with groups --------------------------------------------------------------------------- */

static size_t members_of(void *pool, enum family family, const struct ios_place *place, struct prefix **members)
{
	const struct interval_set *set;
	size_t count = 0;

	if (place->group == NULL) {
		*members = pool_new(pool, struct prefix); /* nobody looks at it: the place is its own member */
		return 1;
	}
	set = address_set_family(place->group->addresses, family);
	*members = pool_array(pool, struct prefix, set->items_count * MEMBERS_MOST);
	for (size_t index = 0; index < set->items_count; index++)
		count += interval_to_prefixes(family, &set->items[index], *members + count);
	return count;
}

static void set_member(struct minimise_entry *entry, enum region_side side, const struct ios_place *place,
		       unsigned bits, const struct prefix *member)
{
	number128 all = bits == 128 ? ~(number128)0 : ((number128)1 << bits) - 1;

	entry->wildcard[side] = place->group == NULL ? place->wildcard :
				member->length == 0 ? all : ((number128)1 << (bits - member->length)) - 1;
	entry->value[side] = (place->group == NULL ? place->value : member->value) & ~entry->wildcard[side];
}

struct grouped {
	struct region *regions;
	size_t regions_count, regions_capacity;
};

/* false: they are too many. */
static bool add_regions(struct lines *lines, const struct minimise_entry *entry, struct grouped *grouped)
{
	struct region region;

	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		if (grouped->regions_count == MINIMISE_REGIONS_MOST)
			return false;
		*pool_append(lines->pool, grouped, regions) = region;
	}
	return true;
}

/* Ports of whole ranges, and no port of protocols that have none. */
static const struct minimise_ports *tuple_ports(struct lines *lines, const struct service_tuple *tuple,
						struct port_range range)
{
	bool has_ports = tuple->protocol == PROTOCOL_TCP || tuple->protocol == PROTOCOL_UDP ||
			 tuple->protocol == PROTOCOL_SCTP;

	if (range.low == 0 && range.high >= (has_ports ? UINT16_MAX : UINT8_MAX))
		return NULL;
	return minimise_ports(lines->minimised, &range, 1);
}

static bool add_services(struct lines *lines, const struct ios_line *line, struct minimise_entry *entry,
			 struct grouped *grouped)
{
	const struct tuple_set *services;

	if (line->extras->services == NULL)
		return add_regions(lines, entry, grouped);
	services = line->extras->services->services;
	for (size_t index = 0; index < services->tuples_count; index++) {
		const struct service_tuple *tuple = &services->tuples[index];

		entry->protocol = tuple->protocol;
		entry->first = tuple_ports(lines, tuple, tuple->first);
		entry->second = tuple_ports(lines, tuple, tuple->second);
		if (!add_regions(lines, entry, grouped))
			return false;
	}
	return true;
}

/* All of it, from any to any, under a condition that nothing else has. */
static void set_unknown(struct lines *lines, struct minimise_entry *entry)
{
	*entry = (struct minimise_entry){
		.colour = entry->colour,
		.is_permit = entry->is_permit,
		.condition = (uint32_t)++lines->conditions_count,
		.protocol = MINIMISE_PROTOCOL_ANY,
		.is_kept = true,
		.is_barrier = entry->is_barrier,
	};
	entry->wildcard[REGION_SOURCE] = entry->wildcard[REGION_DESTINATION] =
		family_highest(lines->list->family);
}

static void set_regions(struct lines *lines, const struct ios_line *line, struct minimise_entry *entry)
{
	unsigned bits = lines->minimised->bits;
	struct grouped grouped = { 0 };
	struct prefix *from = NULL, *to = NULL;
	size_t from_count = members_of(lines->pool, lines->list->family, line->source, &from);
	size_t to_count = members_of(lines->pool, lines->list->family, line->destination, &to);
	bool is_known = from_count * to_count <= MINIMISE_REGIONS_MOST;

	for (size_t source = 0; source < from_count && is_known; source++)
		for (size_t destination = 0; destination < to_count && is_known; destination++) {
			set_member(entry, REGION_SOURCE, line->source, bits, from + source);
			set_member(entry, REGION_DESTINATION, line->destination, bits, to + destination);
			is_known = add_services(lines, line, entry, &grouped);
		}
	if (!is_known) {
		set_unknown(lines, entry);
		return;
	}
	entry->regions = grouped.regions;
	entry->regions_count = (uint32_t)grouped.regions_count;
}

/* --- one line --------------------------------------------------------------------------------------- */

static void set_fields(struct lines *lines, const struct ios_line *line, struct minimise_entry *entry)
{
	bool is_icmp = line->icmp_type != IOS_ICMP_ANY;

	entry->protocol = line->protocol;
	entry->is_later = line->is_fragments;
	entry->is_line = !is_icmp;
	entry->first = is_icmp ? one_number(lines, line->icmp_type) : ports_of(lines, line->destination_ports);
	entry->second = is_icmp ? one_number(lines, line->icmp_code) : ports_of(lines, line->source_ports);
	if (line->source->group != NULL || line->destination->group != NULL || line->extras->services != NULL) {
		set_regions(lines, line, entry);
		return;
	}
	entry->value[REGION_SOURCE] = line->source->value & ~line->source->wildcard;
	entry->wildcard[REGION_SOURCE] = line->source->wildcard;
	entry->value[REGION_DESTINATION] = line->destination->value & ~line->destination->wildcard;
	entry->wildcard[REGION_DESTINATION] = line->destination->wildcard;
}

/* Behind the last entry stands nothing that would do in its place: it goes only where those before it hold all. */
static void add_end(struct lines *lines)
{
	struct minimise_entry *entry = minimise_append(lines->minimised);

	set_unknown(lines, entry);
	entry->colour = MINIMISE_COLOURS + 1 + (uint32_t)lines->list->lines_count;
	entry->is_end = true;
}

static bool is_default(const struct ios_line *line)
{
	return line->identity == NULL || line->identity->rule == NULL;
}

/* Colours: the default's is one of its own where it shall take nothing of what rules deny. */
static void set_entry(struct lines *lines, size_t number)
{
	const struct ios_line *line = &lines->list->lines[number];
	struct minimise_entry *entry = minimise_append(lines->minimised);

	entry->is_permit = line->action == IOS_PERMIT;
	entry->colour = entry->is_permit ? MINIMISE_PERMIT : MINIMISE_DENY;
	if (lines->settings->keeps_denials && line->action == IOS_DENY && is_default(line))
		entry->colour = MINIMISE_COLOURS;
	if (line->is_pinned || number < lines->begin || line->kind != IOS_LINE_ENTRY ||
	    line->extras->reflect != NULL) {
		entry->colour = MINIMISE_COLOURS + 1 + (uint32_t)number;
		entry->is_kept = entry->is_barrier = true;
	}
	if (line->kind != IOS_LINE_ENTRY) {
		set_unknown(lines, entry);
		return;
	}
	entry->condition = condition_of(lines, line);
	set_fields(lines, line, entry);
}

/* --- back to lines ---------------------------------------------------------------------------------- */

/* The half registers that gt and lt take are cheaper than a range's. */
static struct ios_ports range_back(struct port_range range)
{
	if (range.high == UINT16_MAX)
		return (struct ios_ports){ IOS_PORTS_GT, 1, { (uint16_t)(range.low - 1) } };
	if (range.low == 0)
		return (struct ios_ports){ IOS_PORTS_LT, 1, { (uint16_t)(range.high + 1) } };
	return (struct ios_ports){ IOS_PORTS_RANGE, 2, { range.low, range.high } };
}

static const struct ios_ports *ports_back(const struct lines *lines, const struct minimise_ports *ports)
{
	struct ios_ports *back;

	if (ports == NULL)
		return &form_ports_any;
	back = arena_new_item(lines->kept_arena, struct ios_ports);
	if (minimise_ports_are_neq(ports)) {
		*back = (struct ios_ports){ IOS_PORTS_NEQ, 1, { (uint16_t)(ports->ranges[0].high + 1) } };
		return back;
	}
	if (ports->count == 1 && ports->ranges[0].low < ports->ranges[0].high) {
		*back = range_back(ports->ranges[0]);
		return back;
	}
	back->operator = IOS_PORTS_EQ;
	for (uint32_t at = 0; at < ports->count; at++)
		for (uint32_t port = ports->ranges[at].low; port <= ports->ranges[at].high; port++)
			back->ports[back->ports_count++] = (uint16_t)port;
	return back;
}

static const struct ios_place *place_back(const struct lines *lines, const struct minimise_entry *entry,
					  enum region_side side, const struct ios_place *before)
{
	const struct ios_place place = { entry->value[side], entry->wildcard[side], before->group };

	return arena_copy(lines->kept_arena, &place, sizeof place);
}

static void set_parts(const struct lines *lines, const struct minimise_entry *entry, struct ios_line *line)
{
	const struct ios_line *before = lines->list->lines;
	struct ios_part *parts = pool_array(lines->kept, struct ios_part, entry->parts->count);
	const struct identity *last = NULL;

	for (uint32_t index = 0; index < entry->parts->count; index++) {
		const struct ios_line *part = &before[entry->parts->numbers[index]];

		if (index > 0 && part->identity == last)
			continue;
		last = part->identity;
		parts[line->parts_count++] = (struct ios_part){ part->identity, part->origin };
	}
	line->parts = line->parts_count > 1 ? parts : NULL;
	line->parts_count = line->parts_count > 1 ? line->parts_count : 0;
	line->identity = parts[0].identity;
	line->origin = parts[0].origin;
}

/* The line that it was, or was made from, as the entry is now. */
static struct ios_line line_back(const struct lines *lines, const struct minimise_entry *entry,
				 struct ios_line line)
{
	line.action = entry->is_permit ? IOS_PERMIT : IOS_DENY;
	line.source = place_back(lines, entry, REGION_SOURCE, line.source);
	line.destination = place_back(lines, entry, REGION_DESTINATION, line.destination);
	if (entry->is_line)
		line.destination_ports = ports_back(lines, entry->first);
	set_parts(lines, entry, &line);
	return line;
}

/* --- what rules are told ---------------------------------------------------------------------------- */

static void mark(struct interned *kept, const struct identity *identity, void *with)
{
	*interned_slot(kept, &identity, sizeof identity) = with;
}

static void mark_kept(const struct lines *lines, struct interned *kept)
{
	const struct identity *last = NULL; /* that was marked: entries of one rule stand side by side */

	for (size_t number = 0; number < lines->list->lines_count; number++) {
		const struct minimise_entry *entry = &lines->minimised->entries[number];

		if (entry->is_gone)
			continue;
		if (entry->parts == NULL && (number == 0 || lines->list->lines[number].identity != last)) {
			last = lines->list->lines[number].identity;
			mark(kept, last, lines->list);
		}
		for (uint32_t at = 0; entry->parts != NULL && at < entry->parts->count; at++)
			mark(kept, lines->list->lines[entry->parts->numbers[at]].identity, lines->list);
	}
}

static void tell_rule(const struct lines *lines, size_t number)
{
	const struct ios_line *before = lines->list->lines;
	uint32_t holder = lines->minimised->entries[number].holder;
	struct diagnostic *note = diag_add(lines->diags, CODE_CISCO_COVERED, before[number].origin,
					   "this needs no entry of its own in list '%s'", lines->list->name);

	if (holder == MINIMISE_TOGETHER)
		diag_note(lines->diags, note, SPAN_NONE, "other entries decide its packets together");
	else if (is_default(&before[holder]))
		diag_note(lines->diags, note, before[holder].origin, "the default says the same of its packets");
	else
		diag_note(lines->diags, note, before[holder].origin, holder < number ?
			  "this decides its packets before" : "this says the same of its packets");
}

/* Rules whose every entry went. */
static void tell_rules(struct lines *lines)
{
	struct interned *kept = interned_new(lines->pool, lines->arena);
	size_t told = 0;

	mark_kept(lines, kept);
	for (size_t number = lines->begin; number < lines->list->lines_count; number++) {
		const struct ios_line *line = &lines->list->lines[number];
		void **slot;

		if (number > lines->begin && line->identity == line[-1].identity)
			continue;
		slot = interned_slot(kept, &line->identity, sizeof line->identity);
		if (*slot != NULL)
			continue;
		*slot = lines->list;
		if (line->origin.source != UINT32_MAX && told++ < COVERED_SHOWN)
			tell_rule(lines, number);
	}
	if (told > COVERED_SHOWN)
		diag_add(lines->diags, CODE_CISCO_COVERED, SPAN_NONE,
			 "%zu more rules need no entry of their own in list '%s'", told - COVERED_SHOWN,
			 lines->list->name);
}

/* --- all of it -------------------------------------------------------------------------------------- */

/* All that are new are made of what was there before the first is written. */
static void make_changes(struct lines *lines)
{
	const struct ios_list *list = lines->list;
	const struct minimise_list *minimised = lines->minimised;

	for (size_t number = lines->begin; number < list->lines_count; number++) {
		const struct minimise_entry *entry = &minimised->entries[number];

		if (!entry->is_gone && entry->parts != NULL)
			*pool_append(lines->pool, lines, changes) =
				(struct changed){ number, line_back(lines, entry, list->lines[number]) };
	}
	lines->added = pool_array(lines->pool, struct ios_line, minimised->added_count);
	for (size_t index = 0; index < minimised->added_count; index++) {
		const struct minimise_entry *entry = &minimised->added[index].entry;

		lines->added[index] = line_back(lines, entry, list->lines[entry->parts->numbers[0]]);
		lines->added[index].protocol = entry->protocol;
	}
}

/* Where some are added, those that were there move to the end, and come forward again. */
static void write_back(struct lines *lines)
{
	struct ios_list *list = lines->list;
	const struct minimise_list *minimised = lines->minimised;
	size_t count = list->lines_count, kept = lines->begin, added = 0;
	struct ios_line *before;

	make_changes(lines);
	for (size_t index = 0; index < lines->changes_count; index++)
		list->lines[lines->changes[index].number] = lines->changes[index].line;
	list->lines = pool_room(lines->kept, list->lines, &list->lines_capacity, count + minimised->added_count,
				sizeof *list->lines);
	before = list->lines + minimised->added_count;
	if (minimised->added_count > 0)
		memmove(before + kept, list->lines + kept, (count - kept) * sizeof *before);
	for (size_t number = lines->begin; number < count; number++) {
		while (added < minimised->added_count && minimised->added[added].before <= number)
			list->lines[kept++] = lines->added[added++];
		if (!minimised->entries[number].is_gone)
			list->lines[kept++] = before[number];
	}
	list->lines_count = kept;
}

void minimise_lines(void *pool, struct diags *diags, struct ios_list *list, size_t begin,
		    const struct minimise_settings *settings)
{
	void *scratch = pool_child(pool, "minimise lines");
	struct lines lines = {
		.pool = scratch,
		.kept = pool,
		.kept_arena = arena_new(pool),
		.diags = diags,
		.list = list,
		.settings = settings,
		.begin = begin,
		.minimised = minimise_list_new(scratch, family_bits(list->family), settings->aim),
		.arena = arena_new(scratch),
	};

	lines.conditions = interned_new(scratch, lines.arena);
	lines.minimised->has_multi_eq = settings->has_multi_eq;
	lines.minimised->forgets_later = true;
	lines.minimised->can_add = !settings->keeps_denials;
	lines.minimised->default_colour = settings->keeps_denials ? MINIMISE_COLOURS : 0;
	minimise_reserve(lines.minimised, list->lines_count + 1);
	for (size_t number = 0; number < list->lines_count; number++)
		set_entry(&lines, number);
	add_end(&lines);
	minimise(lines.minimised);
	tell_rules(&lines);
	if (lines.minimised->is_over)
		diag_add(diags, CODE_CISCO_MINIMISED, SPAN_NONE,
			 "list '%s' is large: not all of it was tried to be made shorter", list->name);
	write_back(&lines);
	talloc_free(scratch);
}
