/* Entries are found by their source, then by shape (action aside): the length of the destination's prefix,
 * and whether they name a protocol. Whatever holds an entry whole has a source of a length that some entry
 * has, which is asked for under the entry's own source cut to that length, and there a shape that is as
 * wide. The shapes of a source are few, and so are the sources round one.
 *
 * Joining goes by runs: entries of one verdict without another between them, whose order is nothing. */
#include "target/cisco/lower/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/lower/together.h"

#define COVERED_SHOWN 20 /* rules told of; more are counted */

/* Of the entries from one source. */
struct shape {
	number128 destination_wildcard;
	bool has_protocol;
	struct shape *next;
};

/* Entries of one shape and cut: a chain, last first. */
struct link {
	size_t line;
	struct link *next;
};

struct shrinker {
	void *pool;
	struct arena *arena;
	struct arena *kept; /* of the list */
	struct diags *diags;
	struct ios_list *list;
	size_t begin;
	struct interned *sources, *buckets; /* to shapes, the last first; to links */
	struct interned *grouped; /* entries with groups, to their index and one */
	number128 *source_wildcards; /* each once */
	size_t source_wildcards_count, source_wildcards_capacity;
	size_t *holder; /* of each line: the one that holds it, or HELD_BY_NONE */
};

/* --- one entry in another ----------------------------------------------------------------------- */

static struct port_range range_of(const struct ios_ports *ports)
{
	switch (ports->operator) {
	case IOS_PORTS_ANY:
	case IOS_PORTS_NEQ: /* around it */
		break;
	case IOS_PORTS_EQ:
		return (struct port_range){ ports->ports[0], ports->ports[0] };
	case IOS_PORTS_RANGE:
		return (struct port_range){ ports->ports[0], ports->ports[1] };
	case IOS_PORTS_GT:
		return (struct port_range){ (uint16_t)(ports->ports[0] + 1), UINT16_MAX };
	case IOS_PORTS_LT:
		return (struct port_range){ 0, (uint16_t)(ports->ports[0] - 1) };
	}
	return (struct port_range){ 0, UINT16_MAX };
}

static bool ports_hold_port(const struct ios_ports *ports, uint16_t port)
{
	if (ports->operator == IOS_PORTS_NEQ)
		return ports->ports[0] != port;
	if (ports->operator != IOS_PORTS_EQ) {
		struct port_range range = range_of(ports);

		return range.low <= port && port <= range.high;
	}
	for (unsigned index = 0; index < ports->ports_count; index++)
		if (ports->ports[index] == port)
			return true;
	return false;
}

static bool ports_hold(const struct ios_ports *outer, const struct ios_ports *inner)
{
	struct port_range range = range_of(inner), around = range_of(outer);

	if (inner->operator == IOS_PORTS_EQ) {
		for (unsigned index = 0; index < inner->ports_count; index++)
			if (!ports_hold_port(outer, inner->ports[index]))
				return false;
		return true;
	}
	return outer->operator != IOS_PORTS_EQ && outer->operator != IOS_PORTS_NEQ &&
	       around.low <= range.low && range.high <= around.high;
}

/* Addresses and protocol are known to hold. */
static bool line_holds(const struct ios_line *outer, const struct ios_line *inner)
{
	const char *around = outer->extras->time_range, *time_range = inner->extras->time_range;

	if (around != NULL &&
	    (time_range == NULL || strcmp(around, time_range) != 0 || outer->action != inner->action))
		return false;
	if (outer->is_established && (!inner->is_established || outer->action != inner->action))
		return false;
	return ports_hold(outer->source_ports, inner->source_ports) &&
	       ports_hold(outer->destination_ports, inner->destination_ports) &&
	       (outer->icmp_type == IOS_ICMP_ANY || outer->icmp_type == inner->icmp_type) &&
	       (outer->icmp_code == IOS_ICMP_ANY || outer->icmp_code == inner->icmp_code);
}

/* --- shapes ------------------------------------------------------------------------------------- */

struct source_key {
	number128 source, wildcard;
};

struct bucket_key {
	number128 destination;
	const struct shape *shape;
	size_t protocol;
};

static struct source_key source_of(const struct ios_line *line, number128 wildcard)
{
	return (struct source_key){ line->source->value & ~wildcard, wildcard };
}

static struct bucket_key bucket_of(const struct ios_line *line, const struct shape *shape)
{
	return (struct bucket_key){
		.destination = line->destination->value & ~shape->destination_wildcard,
		.shape = shape,
		.protocol = shape->has_protocol ? line->protocol : IOS_PROTOCOL_IP,
	};
}

static bool is_of_shape(const struct ios_line *line, const struct shape *shape)
{
	return shape->destination_wildcard == line->destination->wildcard &&
	       shape->has_protocol == (line->protocol != IOS_PROTOCOL_IP);
}

static void remember_wildcard(struct shrinker *shrinker, number128 wildcard)
{
	for (size_t index = 0; index < shrinker->source_wildcards_count; index++)
		if (shrinker->source_wildcards[index] == wildcard)
			return;
	*pool_append(shrinker->pool, shrinker, source_wildcards) = wildcard;
}

static const struct shape *shape_of(struct shrinker *shrinker, const struct ios_line *line)
{
	struct source_key key = source_of(line, line->source->wildcard);
	struct shape **slot = (struct shape **)interned_slot(shrinker->sources, &key, sizeof key);
	struct shape *shape = *slot;

	if (shape == NULL)
		remember_wildcard(shrinker, line->source->wildcard);
	while (shape != NULL && !is_of_shape(line, shape))
		shape = shape->next;
	if (shape == NULL) {
		shape = arena_new_item(shrinker->arena, struct shape);
		*shape = (struct shape){ line->destination->wildcard, line->protocol != IOS_PROTOCOL_IP, *slot };
		*slot = shape;
	}
	return shape;
}

static bool shape_is_around(const struct shape *shape, const struct ios_line *line)
{
	return (line->destination->wildcard & ~shape->destination_wildcard) == 0 &&
	       (!shape->has_protocol || line->protocol != IOS_PROTOCOL_IP);
}

/* Of two that hold each other the first stays. */
static bool is_equal(const struct ios_line *a, const struct ios_line *b)
{
	return a->source->wildcard == b->source->wildcard && a->destination->wildcard == b->destination->wildcard &&
	       a->protocol == b->protocol && line_holds(a, b) && line_holds(b, a);
}

/* Among those of one source that is around the line's. */
static size_t find_holder_from(struct shrinker *shrinker, const struct shape *shape, size_t index)
{
	const struct ios_line *lines = shrinker->list->lines, *line = &lines[index];

	for (; shape != NULL; shape = shape->next) {
		struct bucket_key key = bucket_of(line, shape);

		if (!shape_is_around(shape, line))
			continue;
		for (const struct link *link = interned_find(shrinker->buckets, &key, sizeof key); link != NULL;
		     link = link->next)
			if (link->line != index && line_holds(&lines[link->line], line) &&
			    (link->line < index || !is_equal(&lines[link->line], line)))
				return link->line;
	}
	return HELD_BY_NONE;
}

static size_t find_holder(struct shrinker *shrinker, size_t index)
{
	const struct ios_line *line = &shrinker->list->lines[index];
	size_t holder = HELD_BY_NONE;

	for (size_t at = 0; at < shrinker->source_wildcards_count && holder == HELD_BY_NONE; at++) {
		number128 wildcard = shrinker->source_wildcards[at];
		struct source_key key = source_of(line, wildcard);

		if ((line->source->wildcard & ~wildcard) == 0)
			holder = find_holder_from(shrinker, interned_find(shrinker->sources, &key, sizeof key),
						  index);
	}
	return holder;
}

static void remember(struct shrinker *shrinker, size_t line)
{
	const struct ios_line *entry = &shrinker->list->lines[line];
	struct bucket_key key = bucket_of(entry, shape_of(shrinker, entry));
	struct link *link = arena_new_item(shrinker->arena, struct link);
	struct link **bucket = (struct link **)interned_slot(shrinker->buckets, &key, sizeof key);

	*link = (struct link){ line, *bucket };
	*bucket = link;
}

/* --- entries with groups ------------------------------------------------------------------------- */

/* What one decides; equal groups are one pointer (terms/groups.c). */
struct grouped_key {
	number128 values[4];
	const void *pointers[4];
	struct ios_ports ports[2];
	unsigned words[6];
};

static void set_ports(struct ios_ports *into, const struct ios_ports *from)
{
	into->operator = from->operator;
	into->ports_count = from->ports_count;
	memcpy(into->ports, from->ports, from->ports_count * sizeof *from->ports);
}

/* The same entry before the line, whose index is kept with those of others, or HELD_BY_NONE. */
static size_t find_same(struct shrinker *shrinker, size_t index)
{
	const struct ios_line *line = &shrinker->list->lines[index];
	const struct ios_extras *extras = line->extras;
	struct grouped_key key;
	size_t *slot;

	memset(&key, 0, sizeof key); /* padding counts */
	memcpy(key.values, (number128[]){ line->source->value, line->source->wildcard, line->destination->value,
					  line->destination->wildcard }, sizeof key.values);
	memcpy(key.pointers, (const void *[]){ line->source->group, line->destination->group, extras->services,
					       extras->time_range }, sizeof key.pointers);
	memcpy(key.words, (unsigned[]){ line->action, line->protocol, line->icmp_type, line->icmp_code,
					line->is_established, line->is_fragments }, sizeof key.words);
	set_ports(&key.ports[0], line->source_ports);
	set_ports(&key.ports[1], line->destination_ports);
	slot = (size_t *)interned_slot(shrinker->grouped, &key, sizeof key);
	if (*slot == 0)
		*slot = index + 1;
	return *slot == index + 1 || line->is_pinned ? HELD_BY_NONE : *slot - 1;
}

static bool is_grouped(const struct ios_line *line)
{
	return line->kind == IOS_LINE_ENTRY && line->extras->reflect == NULL && !line_is_plain(line);
}

/* A default stands behind what the policy denies by name, and takes nothing of it away: these entries
 * count packets of their own. */
static bool can_join(const struct ios_line *line)
{
	return line_is_plain(line) && !line->is_established && !line->is_pinned &&
	       line->extras->time_range == NULL && line->identity != NULL && line->identity->rule != NULL;
}

/* The end of the run that begins there. */
static size_t run_end(const struct ios_list *list, size_t begin)
{
	size_t end = begin + 1;

	while (can_join(&list->lines[begin]) && end < list->lines_count && can_join(&list->lines[end]) &&
	       list->lines[end].action == list->lines[begin].action)
		end++;
	return end;
}

/* Within a run a line may also be held by one behind it. */
static void find_covered(struct shrinker *shrinker)
{
	struct ios_list *list = shrinker->list;

	for (size_t begin = shrinker->begin, end; begin < list->lines_count; begin = end) {
		end = run_end(list, begin);
		for (size_t index = begin; index < end; index++)
			if (line_is_plain(&list->lines[index]))
				remember(shrinker, index);
		for (size_t index = begin; index < end; index++) {
			bool may_go = line_is_plain(&list->lines[index]) && !list->lines[index].is_pinned;

			shrinker->holder[index] = is_grouped(&list->lines[index]) ? find_same(shrinker, index) :
						  may_go ? find_holder(shrinker, index) : HELD_BY_NONE;
		}
	}
}

static void remove_covered(struct shrinker *shrinker)
{
	struct ios_list *list = shrinker->list;
	size_t kept = shrinker->begin;

	for (size_t index = shrinker->begin; index < list->lines_count; index++)
		if (shrinker->holder[index] == HELD_BY_NONE)
			list->lines[kept++] = list->lines[index];
	list->lines_count = kept;
}

/* --- what rules are told -------------------------------------------------------------------------- */

static void mark_kept(struct shrinker *shrinker, struct interned *kept)
{
	for (size_t index = shrinker->begin; index < shrinker->list->lines_count; index++)
		*interned_slot(kept, &shrinker->list->lines[index].identity, sizeof(void *)) = shrinker;
}

/* Rules whose every entry went. before: the lines as they were. */
static void tell_rules(struct shrinker *shrinker, const struct ios_line *before, size_t count,
		       const size_t *holder)
{
	struct interned *kept = interned_new(shrinker->pool, shrinker->arena);
	size_t told = 0;

	mark_kept(shrinker, kept);
	for (size_t index = shrinker->begin; index < count; index++) {
		void **slot = interned_slot(kept, &before[index].identity, sizeof(void *));

		if (*slot != NULL)
			continue;
		*slot = shrinker;
		if (before[index].origin.source == UINT32_MAX || told++ >= COVERED_SHOWN)
			continue;
		struct diagnostic *note = diag_add(shrinker->diags, CODE_CISCO_COVERED, before[index].origin,
						   "this needs no entry of its own in list '%s'",
						   shrinker->list->name);
		if (holder[index] == HELD_TOGETHER)
			diag_note(shrinker->diags, note, SPAN_NONE,
				  "entries before it decide its packets together");
		else if (holder[index] != HELD_BY_NONE)
			diag_note(shrinker->diags, note, before[holder[index]].origin, holder[index] < index ?
				  "this decides its packets before" : "this says the same of its packets");
	}
	if (told > COVERED_SHOWN)
		diag_add(shrinker->diags, CODE_CISCO_COVERED, SPAN_NONE,
			 "%zu more rules need no entry of their own in list '%s'", told - COVERED_SHOWN,
			 shrinker->list->name);
}

/* --- joining ------------------------------------------------------------------------------------ */

enum joined_field { JOINED_PORTS, JOINED_SOURCE, JOINED_DESTINATION };

/* A line of a run and its place there, for sorting. */
struct runner {
	const struct ios_line *line;
	size_t place;
};

static int compare_numbers(number128 a, number128 b)
{
	return a < b ? -1 : a > b;
}

static int compare_places(const struct ios_place *a, const struct ios_place *b)
{
	int order = compare_numbers(a->wildcard, b->wildcard);

	return order != 0 ? order : compare_numbers(a->value, b->value);
}

static bool is_list(const struct ios_ports *ports)
{
	return ports->operator == IOS_PORTS_EQ && ports->ports_count > 1;
}

static int compare_ports(const struct ios_ports *a, const struct ios_ports *b)
{
	struct port_range left = range_of(a), right = range_of(b);

	if (is_list(a) != is_list(b))
		return is_list(a) ? 1 : -1;
	if (!is_list(a))
		return left.low != right.low ? (left.low < right.low ? -1 : 1) :
		       left.high != right.high ? (left.high < right.high ? -1 : 1) : 0;
	if (a->ports_count != b->ports_count)
		return a->ports_count < b->ports_count ? -1 : 1;
	return memcmp(a->ports, b->ports, a->ports_count * sizeof *a->ports);
}

static int compare_protocols(const struct ios_line *a, const struct ios_line *b)
{
	int order = (int)a->protocol - b->protocol;

	if (order == 0)
		order = (int)a->icmp_type - b->icmp_type;
	if (order == 0)
		order = (int)a->icmp_code - b->icmp_code;
	return order != 0 ? order : compare_ports(a->source_ports, b->source_ports);
}

/* Everything but the field. */
static int compare_others(const struct ios_line *a, const struct ios_line *b, enum joined_field field)
{
	int order = compare_protocols(a, b);

	if (order == 0 && field != JOINED_SOURCE)
		order = compare_places(a->source, b->source);
	if (order == 0 && field != JOINED_DESTINATION)
		order = compare_places(a->destination, b->destination);
	if (order == 0 && field != JOINED_PORTS)
		order = compare_ports(a->destination_ports, b->destination_ports);
	return order;
}

static int compare_runners(const struct runner *a, const struct runner *b, enum joined_field field)
{
	int order = compare_others(a->line, b->line, field);

	if (order == 0 && field == JOINED_PORTS)
		order = compare_ports(a->line->destination_ports, b->line->destination_ports);
	if (order == 0 && field == JOINED_SOURCE)
		order = compare_places(a->line->source, b->line->source);
	if (order == 0 && field == JOINED_DESTINATION)
		order = compare_places(a->line->destination, b->line->destination);
	return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static int compare_by_ports(const void *a, const void *b)
{
	return compare_runners(a, b, JOINED_PORTS);
}

static int compare_by_source(const void *a, const void *b)
{
	return compare_runners(a, b, JOINED_SOURCE);
}

static int compare_by_destination(const void *a, const void *b)
{
	return compare_runners(a, b, JOINED_DESTINATION);
}

static bool join_ports(struct shrinker *shrinker, const struct ios_ports **ports, const struct ios_ports *from)
{
	struct port_range a = range_of(*ports), b = range_of(from);
	struct ios_ports *into;

	if (is_list(*ports) || is_list(from) || b.low > (uint32_t)a.high + 1)
		return false;
	if (a.high < b.high)
		a.high = b.high;
	*ports = into = arena_new_item(shrinker->kept, struct ios_ports);
	*into = (struct ios_ports){ .operator = a.low == 0 && a.high == UINT16_MAX ? IOS_PORTS_ANY :
				    a.low == a.high ? IOS_PORTS_EQ : IOS_PORTS_RANGE };
	into->ports[0] = a.low;
	into->ports[1] = a.high;
	into->ports_count = into->operator == IOS_PORTS_ANY ? 0 : into->operator == IOS_PORTS_EQ ? 1 : 2;
	return true;
}

/* Two halves of one prefix. */
static bool join_places(struct shrinker *shrinker, const struct ios_place **place, const struct ios_place *from)
{
	struct ios_place into = **place;
	number128 size = into.wildcard + 1;

	if (into.wildcard != from->wildcard || size == 0 || (into.value ^ from->value) != size)
		return false;
	into.value &= ~size;
	into.wildcard = into.wildcard << 1 | 1;
	*place = arena_copy(shrinker->kept, &into, sizeof into);
	return true;
}

static bool join_lines(struct shrinker *shrinker, struct ios_line *into, const struct ios_line *from,
		       enum joined_field field)
{
	switch (field) {
	case JOINED_PORTS:
		return join_ports(shrinker, &into->destination_ports, from->destination_ports);
	case JOINED_SOURCE:
		return join_places(shrinker, &into->source, from->source);
	case JOINED_DESTINATION:
		break;
	}
	return join_places(shrinker, &into->destination, from->destination);
}

/* One field of one run. The joined line stands where the first of its parts stood. True: some were joined;
 * those that went have kind IOS_LINE_REMARK. */
static bool join_field(struct shrinker *shrinker, size_t begin, size_t end, enum joined_field field,
		       struct runner *runners)
{
	static int (*const orders[])(const void *, const void *) = {
		[JOINED_PORTS] = compare_by_ports,
		[JOINED_SOURCE] = compare_by_source,
		[JOINED_DESTINATION] = compare_by_destination,
	};
	struct ios_line *lines = shrinker->list->lines;
	size_t count = 0, last = SIZE_MAX;
	bool is_joined = false;

	for (size_t index = begin; index < end; index++)
		if (lines[index].kind == IOS_LINE_ENTRY)
			runners[count++] = (struct runner){ &lines[index], index };
	if (count > 1)
		qsort(runners, count, sizeof *runners, orders[field]);
	for (size_t index = 0; index < count; index++) {
		size_t place = runners[index].place;

		if (last == SIZE_MAX || compare_others(&lines[last], &lines[place], field) != 0 ||
		    !join_lines(shrinker, &lines[last], &lines[place], field)) {
			last = place;
			continue;
		}
		is_joined = true;
		if (place < last) { /* the earlier of the two places */
			struct ios_line earlier = lines[place];

			lines[place] = lines[last];
			lines[place].identity = earlier.identity;
			lines[place].origin = earlier.origin;
			lines[last].kind = IOS_LINE_REMARK;
			last = place;
		} else {
			lines[place].kind = IOS_LINE_REMARK;
		}
	}
	return is_joined;
}

static void join_run(struct shrinker *shrinker, size_t begin, size_t end, struct runner *runners)
{
	bool is_joined = end - begin > 1;

	while (is_joined) {
		is_joined = join_field(shrinker, begin, end, JOINED_PORTS, runners);
		is_joined = join_field(shrinker, begin, end, JOINED_SOURCE, runners) || is_joined;
		is_joined = join_field(shrinker, begin, end, JOINED_DESTINATION, runners) || is_joined;
	}
}

static void join_runs(struct shrinker *shrinker)
{
	struct ios_list *list = shrinker->list;
	struct runner *runners = pool_array(shrinker->pool, struct runner, list->lines_count);
	size_t begin = shrinker->begin, kept = shrinker->begin;

	while (begin < list->lines_count) {
		size_t end = run_end(list, begin);

		join_run(shrinker, begin, end, runners);
		begin = end;
	}
	for (size_t index = shrinker->begin; index < list->lines_count; index++)
		if (list->lines[index].kind != IOS_LINE_REMARK)
			list->lines[kept++] = list->lines[index];
	list->lines_count = kept;
}

static void cover_pass(struct shrinker *shrinker)
{
	shrinker->grouped = interned_new(shrinker->pool, shrinker->arena);
	shrinker->sources = interned_new(shrinker->pool, shrinker->arena);
	shrinker->buckets = interned_new(shrinker->pool, shrinker->arena);
	shrinker->source_wildcards_count = 0;
	find_covered(shrinker);
}

void shrink_list(void *pool, struct diags *diags, struct ios_list *list, size_t begin)
{
	void *scratch = pool_child(pool, "shrink");
	struct shrinker shrinker = {
		.pool = scratch,
		.arena = arena_new(scratch),
		.kept = arena_new(pool),
		.diags = diags,
		.list = list,
		.begin = begin,
	};
	size_t count = list->lines_count, *holder;
	struct ios_line *before;

	if (count == 0)
		return;
	before = pool_array(scratch, struct ios_line, count);
	memcpy(before, list->lines, count * sizeof *before);
	shrinker.holder = holder = pool_array(scratch, size_t, count);
	cover_pass(&shrinker);
	find_held_together(scratch, list, begin, holder);
	remove_covered(&shrinker);
	join_runs(&shrinker);
	shrinker.holder = pool_array(scratch, size_t, count);
	cover_pass(&shrinker); /* what joined lines hold */
	remove_covered(&shrinker);
	tell_rules(&shrinker, before, count, holder);
	talloc_free(scratch);
}
