/* Sets of service tuples.
 *
 * All operations are one sweep. For each family and protocol a set is a region of the
 * plane (first, second), given as rectangles. The sweep goes along `first`; at each place
 * where a rectangle begins or ends it works out the section, a list of intervals of
 * `second`. An interval that stays exactly the same from one place to the next stays
 * open; one that changes is closed and becomes a tuple. The result depends on the region
 * alone, not on how it was cut before; no two of its tuples can be joined.
 *
 * The families are swept apart, and equal tuples joined to FAMILIES_BOTH in the end.
 * PROTOCOL_ANY is taken apart into all 256 protocols, and put together again where all
 * 256 come out whole.
 *
 * Cost: O(n log n) for n tuples with a bounded number of distinct second ranges, which
 * is what services have: almost always one, "any source port". */
#include "net/tuple.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"

#define PROTOCOL_COUNT 256u
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static bool is_icmp(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static struct port_range whole_range(unsigned protocol)
{
	return (struct port_range){ 0, is_icmp(protocol) ? UINT8_MAX : UINT16_MAX };
}

static bool ranges_equal(struct port_range a, struct port_range b)
{
	return a.low == b.low && a.high == b.high;
}

/* Overlapping or side by side, where a does not begin after b. */
static bool ranges_touch(struct port_range a, struct port_range b)
{
	return b.low <= (uint32_t)a.high + 1;
}

static int compare_ranges(struct port_range a, struct port_range b)
{
	int order = COMPARE(a.low, b.low);
	return order != 0 ? order : COMPARE(a.high, b.high);
}

void tuple_set_add(void *pool, struct tuple_set *set, struct service_tuple tuple)
{
	assert(tuple.protocol <= PROTOCOL_ANY);
	assert(tuple.first.low <= tuple.first.high && tuple.second.low <= tuple.second.high);
	*pool_append(pool, set, tuples) = tuple;
}

/* --- rectangles ------------------------------------------------------------------------ */

enum operation { OPERATION_UNION, OPERATION_SUBTRACT, OPERATION_INTERSECT };
enum { SIDE_A, SIDE_B, SIDES };

struct box {
	struct port_range first, second;
	uint16_t protocol;
	uint8_t side;
};

struct boxes {
	struct box *items;
	size_t items_count, items_capacity;
};

/* Ports of ICMP end at 255; a range beyond holds nothing. */
static bool clamp(struct port_range *range, struct port_range whole)
{
	if (range->high > whole.high)
		range->high = whole.high;
	return range->low <= range->high;
}

static void add_box(void *pool, struct boxes *boxes, const struct service_tuple *tuple,
		    uint16_t protocol, uint8_t side)
{
	struct port_range whole = whole_range(protocol);
	struct box box = { tuple->first, tuple->second, protocol, side };
	if (clamp(&box.first, whole) && clamp(&box.second, whole))
		*pool_append(pool, boxes, items) = box;
}

static void add_boxes(void *pool, struct boxes *boxes, const struct tuple_set *set,
		      unsigned family, uint8_t side)
{
	for (size_t i = 0; i < set->tuples_count; i++) {
		const struct service_tuple *tuple = &set->tuples[i];
		if ((tuple->families & family) == 0)
			continue;
		if (tuple->protocol != PROTOCOL_ANY) {
			add_box(pool, boxes, tuple, tuple->protocol, side);
			continue;
		}
		for (unsigned protocol = 0; protocol < PROTOCOL_COUNT; protocol++)
			add_box(pool, boxes, tuple, (uint16_t)protocol, side);
	}
}

static int compare_boxes(const void *left, const void *right)
{
	const struct box *a = left, *b = right;
	int order = COMPARE(a->protocol, b->protocol);
	if (order == 0)
		order = COMPARE(a->side, b->side);
	if (order == 0)
		order = compare_ranges(a->second, b->second);
	return order != 0 ? order : compare_ranges(a->first, b->first);
}

static bool can_extend(const struct box *last, const struct box *next)
{
	return last->protocol == next->protocol && last->side == next->side &&
	       ranges_equal(last->second, next->second) && ranges_touch(last->first, next->first);
}

/* Sorts and joins boxes of one second range. Afterwards a second range is open at most
 * once a side at any place, and most services are one box a range of ports. */
static void coalesce(struct boxes *boxes)
{
	if (boxes->items_count == 0)
		return;
	qsort(boxes->items, boxes->items_count, sizeof *boxes->items, compare_boxes);
	size_t last = 0;
	for (size_t i = 1; i < boxes->items_count; i++) {
		struct box *current = &boxes->items[last];
		const struct box *next = &boxes->items[i];
		if (!can_extend(current, next))
			boxes->items[++last] = *next;
		else if (next->first.high > current->first.high)
			current->first.high = next->first.high;
	}
	boxes->items_count = last + 1;
}

/* --- sections: sorted lists of ranges ------------------------------------------------------ */

struct ranges {
	struct port_range *items;
	size_t items_count, items_capacity;
};

/* The place of the first range that does not sort before the one given. */
static size_t range_place(const struct ranges *ranges, struct port_range range)
{
	size_t low = 0, high = ranges->items_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_ranges(ranges->items[middle], range) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void range_insert(void *pool, struct ranges *ranges, struct port_range range)
{
	size_t place = range_place(ranges, range);
	pool_append(pool, ranges, items);
	for (size_t i = ranges->items_count - 1; i > place; i--)
		ranges->items[i] = ranges->items[i - 1];
	ranges->items[place] = range;
}

static void range_remove(struct ranges *ranges, struct port_range range)
{
	size_t place = range_place(ranges, range);
	ranges->items_count--;
	for (size_t i = place; i < ranges->items_count; i++)
		ranges->items[i] = ranges->items[i + 1];
}

/* Appends in order, joining with the last one. */
static void range_append(void *pool, struct ranges *ranges, struct port_range range)
{
	if (ranges->items_count == 0 ||
	    !ranges_touch(ranges->items[ranges->items_count - 1], range)) {
		*pool_append(pool, ranges, items) = range;
		return;
	}
	struct port_range *last = &ranges->items[ranges->items_count - 1];
	if (range.high > last->high)
		last->high = range.high;
}

static void merge_ranges(void *pool, struct ranges *out, const struct ranges *sorted)
{
	out->items_count = 0;
	for (size_t i = 0; i < sorted->items_count; i++)
		range_append(pool, out, sorted->items[i]);
}

/* Of merged lists. */
static void subtract_ranges(void *pool, struct ranges *out, const struct ranges *a,
			    const struct ranges *b)
{
	size_t j = 0;
	for (size_t i = 0; i < a->items_count; i++) {
		uint32_t low = a->items[i].low, high = a->items[i].high;
		while (j < b->items_count && b->items[j].high < low)
			j++;
		for (; j < b->items_count && b->items[j].low <= high; j++) {
			if (b->items[j].low > low)
				range_append(pool, out,
					     (struct port_range){ (uint16_t)low,
								  (uint16_t)(b->items[j].low - 1) });
			low = (uint32_t)b->items[j].high + 1;
			if (low > high)
				break; /* this hole may reach into the next range, too */
		}
		if (low <= high)
			range_append(pool, out,
				     (struct port_range){ (uint16_t)low, (uint16_t)high });
	}
}

static void intersect_ranges(void *pool, struct ranges *out, const struct ranges *a,
			     const struct ranges *b)
{
	size_t i = 0, j = 0;
	while (i < a->items_count && j < b->items_count) {
		struct port_range left = a->items[i], right = b->items[j];
		struct port_range common = {
			.low = left.low > right.low ? left.low : right.low,
			.high = left.high < right.high ? left.high : right.high,
		};
		if (common.low <= common.high)
			range_append(pool, out, common);
		if (left.high < right.high)
			i++;
		else
			j++;
	}
}

/* --- the sweep -------------------------------------------------------------------------------- */

/* A range of second that is open since a place of first. */
struct open_range {
	struct port_range second;
	uint16_t since;
};

struct open_ranges {
	struct open_range *items;
	size_t items_count, items_capacity;
};

/* A box begins, or has ended one before, at a place. */
struct event {
	uint32_t place;
	const struct box *box;
	bool is_end;
};

struct sweep {
	void *pool; /* scratch */
	enum operation operation;
	struct ranges active[SIDES]; /* the boxes open at this place: sorted, may overlap */
	struct ranges merged[SIDES], section;
	struct open_ranges open, next_open;
	uint16_t protocol;
	uint8_t family;
	void *result_pool;
	struct tuple_set *result;
};

static void work_out_section(struct sweep *sweep)
{
	for (size_t side = 0; side < SIDES; side++)
		merge_ranges(sweep->pool, &sweep->merged[side], &sweep->active[side]);
	const struct ranges *a = &sweep->merged[SIDE_A], *b = &sweep->merged[SIDE_B];
	sweep->section.items_count = 0;
	switch (sweep->operation) {
	case OPERATION_UNION:
		merge_ranges(sweep->pool, &sweep->section, a);
		break;
	case OPERATION_SUBTRACT:
		subtract_ranges(sweep->pool, &sweep->section, a, b);
		break;
	case OPERATION_INTERSECT:
		intersect_ranges(sweep->pool, &sweep->section, a, b);
		break;
	}
}

static void close_range(struct sweep *sweep, struct open_range range, uint32_t place)
{
	struct service_tuple *tuple = pool_append(sweep->result_pool, sweep->result, tuples);
	tuple->protocol = sweep->protocol;
	tuple->families = sweep->family;
	tuple->first = (struct port_range){ range.since, (uint16_t)(place - 1) };
	tuple->second = range.second;
}

/* Opens what the section has and closes what it no longer has; both lists are sorted. */
static void move_to(struct sweep *sweep, uint32_t place)
{
	const struct ranges *section = &sweep->section;
	struct open_ranges *open = &sweep->open, *next = &sweep->next_open;
	next->items_count = 0;
	size_t i = 0, j = 0;
	while (i < open->items_count || j < section->items_count) {
		int order = i == open->items_count ? 1
			    : j == section->items_count
				    ? -1
				    : compare_ranges(open->items[i].second, section->items[j]);
		if (order < 0) {
			close_range(sweep, open->items[i++], place);
			continue;
		}
		struct open_range kept = { section->items[j++], (uint16_t)place };
		if (order == 0)
			kept.since = open->items[i++].since;
		*pool_append(sweep->pool, next, items) = kept;
	}
	struct open_ranges swapped = *open;
	*open = *next;
	*next = swapped;
}

static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int order = COMPARE(a->place, b->place);
	if (order == 0)
		order = COMPARE(b->is_end, a->is_end); /* ends first: a range is open once */
	return order != 0 ? order : compare_boxes(a->box, b->box);
}

static struct event *events_of(void *pool, const struct box *boxes, size_t count)
{
	struct event *events = pool_array(pool, struct event, count * 2);
	for (size_t i = 0; i < count; i++) {
		events[2 * i] = (struct event){ boxes[i].first.low, &boxes[i], false };
		events[2 * i + 1] =
			(struct event){ (uint32_t)boxes[i].first.high + 1, &boxes[i], true };
	}
	qsort(events, count * 2, sizeof *events, compare_events);
	return events;
}

static void apply_event(struct sweep *sweep, const struct event *event)
{
	struct ranges *active = &sweep->active[event->box->side];
	if (event->is_end)
		range_remove(active, event->box->second);
	else
		range_insert(sweep->pool, active, event->box->second);
}

/* Boxes of one protocol. Every box that begins also ends, so all lists are empty after it. */
static void sweep_protocol(struct sweep *sweep, const struct box *boxes, size_t count)
{
	sweep->protocol = boxes->protocol;
	struct event *events = events_of(sweep->pool, boxes, count);
	for (size_t i = 0; i < count * 2;) {
		uint32_t place = events[i].place;
		for (; i < count * 2 && events[i].place == place; i++)
			apply_event(sweep, &events[i]);
		work_out_section(sweep);
		move_to(sweep, place);
	}
	talloc_free(events);
}

/* --- results ------------------------------------------------------------------------------------ */

static int compare_without_families(const void *left, const void *right)
{
	const struct service_tuple *a = left, *b = right;
	int order = COMPARE(a->protocol, b->protocol);
	if (order == 0)
		order = compare_ranges(a->first, b->first);
	return order != 0 ? order : compare_ranges(a->second, b->second);
}

static int compare_tuples(const void *left, const void *right)
{
	const struct service_tuple *a = left, *b = right;
	int order = COMPARE(a->protocol, b->protocol);
	if (order == 0)
		order = COMPARE(a->families, b->families);
	return order != 0 ? order : compare_without_families(a, b);
}

static void sort_tuples(struct tuple_set *set, int (*compare)(const void *, const void *))
{
	if (set->tuples_count > 1)
		qsort(set->tuples, set->tuples_count, sizeof *set->tuples, compare);
}

/* All protocols, each whole, are PROTOCOL_ANY. There are as many tuples then as protocols:
 * a protocol that is whole has no other tuple. */
static void join_protocols(struct tuple_set *set)
{
	if (set->tuples_count != PROTOCOL_COUNT)
		return;
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct service_tuple *tuple = &set->tuples[i];
		struct port_range whole = whole_range(tuple->protocol);
		if (!ranges_equal(tuple->first, whole) || !ranges_equal(tuple->second, whole))
			return;
	}
	set->tuples_count = 1;
	set->tuples[0].protocol = PROTOCOL_ANY;
	set->tuples[0].first = set->tuples[0].second = whole_range(PROTOCOL_ANY);
}

/* One family's part of a and b, combined, in canonical form. */
static struct tuple_set combine_family(void *scratch, enum operation operation,
				       const struct tuple_set *a, const struct tuple_set *b,
				       uint8_t family)
{
	struct boxes boxes = { 0 };
	struct tuple_set result = { 0 };
	struct sweep sweep = { .pool = scratch, .operation = operation, .family = family,
			       .result_pool = scratch, .result = &result };
	add_boxes(scratch, &boxes, a, family, SIDE_A);
	if (b != NULL)
		add_boxes(scratch, &boxes, b, family, SIDE_B);
	coalesce(&boxes);
	for (size_t begin = 0, end = 0; begin < boxes.items_count; begin = end) {
		while (end < boxes.items_count &&
		       boxes.items[end].protocol == boxes.items[begin].protocol)
			end++;
		sweep_protocol(&sweep, &boxes.items[begin], end - begin);
	}
	sort_tuples(&result, compare_without_families);
	join_protocols(&result);
	return result;
}

static void add_result(void *pool, struct tuple_set *set, const struct service_tuple *tuple,
		       uint8_t families)
{
	/* field by field into zeroed memory: equal sets are equal bytes, padding included */
	struct service_tuple *added = pool_append(pool, set, tuples);
	added->protocol = tuple->protocol;
	added->families = families;
	added->first = tuple->first;
	added->second = tuple->second;
}

static struct tuple_set join_families(void *pool, const struct tuple_set *v4,
				      const struct tuple_set *v6)
{
	struct tuple_set result = { 0 };
	size_t i = 0, j = 0;
	while (i < v4->tuples_count || j < v6->tuples_count) {
		int order = i == v4->tuples_count   ? 1
			    : j == v6->tuples_count ? -1
						    : compare_without_families(&v4->tuples[i],
									       &v6->tuples[j]);
		const struct service_tuple *next = order <= 0 ? &v4->tuples[i] : &v6->tuples[j];
		unsigned families = order < 0   ? FAMILIES_IPV4
				    : order > 0 ? FAMILIES_IPV6
						: FAMILIES_BOTH;
		add_result(pool, &result, next, (uint8_t)families);
		i += order <= 0;
		j += order >= 0;
	}
	sort_tuples(&result, compare_tuples);
	return result;
}

/* b may be NULL: an empty set. */
static struct tuple_set combine(void *pool, enum operation operation, const struct tuple_set *a,
				const struct tuple_set *b)
{
	void *scratch = pool_child(pool, "tuple sweep");
	struct tuple_set v4 = combine_family(scratch, operation, a, b, FAMILIES_IPV4);
	struct tuple_set v6 = combine_family(scratch, operation, a, b, FAMILIES_IPV6);
	struct tuple_set result = join_families(pool, &v4, &v6);
	talloc_free(scratch);
	return result;
}

/* --- the interface --------------------------------------------------------------------------------- */

struct tuple_set tuple_set_any(void *pool)
{
	struct tuple_set set = { 0 };

	tuple_set_add(pool, &set, (struct service_tuple){
		.protocol = PROTOCOL_ANY,
		.families = FAMILIES_BOTH,
		.first = { 0, UINT16_MAX },
		.second = { 0, UINT16_MAX },
	});
	return set;
}

struct tuple_set tuple_set_normalise(void *pool, const struct tuple_set *set)
{
	return combine(pool, OPERATION_UNION, set, NULL);
}

struct tuple_set tuple_set_subtract(void *pool, const struct tuple_set *a,
				    const struct tuple_set *b)
{
	return combine(pool, OPERATION_SUBTRACT, a, b);
}

struct tuple_set tuple_set_intersect(void *pool, const struct tuple_set *a,
				     const struct tuple_set *b)
{
	return combine(pool, OPERATION_INTERSECT, a, b);
}

struct tuple_set tuple_set_to_port(void *pool, const struct tuple_set *set, uint16_t port)
{
	struct tuple_set changed = { 0 };
	for (size_t i = 0; i < set->tuples_count; i++) {
		struct service_tuple tuple = set->tuples[i];
		if (port != 0)
			tuple.first = (struct port_range){ port, port };
		tuple_set_add(pool, &changed, tuple);
	}
	return tuple_set_normalise(pool, &changed);
}

bool tuple_set_equals(const struct tuple_set *a, const struct tuple_set *b)
{
	if (a->tuples_count != b->tuples_count)
		return false;
	for (size_t i = 0; i < a->tuples_count; i++)
		if (compare_tuples(&a->tuples[i], &b->tuples[i]) != 0)
			return false;
	return true;
}

static bool ranges_overlap(struct port_range a, struct port_range b)
{
	return a.low <= b.high && b.low <= a.high;
}

static bool range_includes(struct port_range outer, struct port_range inner)
{
	return outer.low <= inner.low && inner.high <= outer.high;
}

bool tuple_overlaps(const struct service_tuple *a, const struct service_tuple *b)
{
	bool is_common = a->protocol == b->protocol || a->protocol == PROTOCOL_ANY ||
			 b->protocol == PROTOCOL_ANY;
	return is_common && (a->families & b->families) != 0 &&
	       ranges_overlap(a->first, b->first) && ranges_overlap(a->second, b->second);
}

bool tuples_overlap(const struct service_tuple *a, size_t a_count, const struct service_tuple *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++)
		for (size_t k = 0; k < b_count; k++)
			if (tuple_overlaps(&a[i], &b[k]))
				return true;
	return false;
}

bool tuple_set_overlaps(const struct tuple_set *a, const struct tuple_set *b)
{
	return tuples_overlap(a->tuples, a->tuples_count, b->tuples, b->tuples_count);
}

bool tuple_includes(const struct service_tuple *outer, const struct service_tuple *inner)
{
	bool is_covered = outer->protocol == PROTOCOL_ANY || outer->protocol == inner->protocol;
	return is_covered && (inner->families & ~outer->families) == 0 &&
	       range_includes(outer->first, inner->first) &&
	       range_includes(outer->second, inner->second);
}

/* --- text ------------------------------------------------------------------------------------------ */

static void format_range(struct text *out, struct port_range range, struct port_range whole)
{
	if (ranges_equal(range, whole)) {
		text_add(out, "any");
		return;
	}
	text_add_unsigned(out, range.low);
	if (range.high == range.low)
		return;
	text_add_char(out, '-');
	text_add_unsigned(out, range.high);
}

static void format_icmp(struct text *out, const struct service_tuple *tuple)
{
	struct port_range whole = whole_range(tuple->protocol);
	format_range(out, tuple->first, whole);
	if (!ranges_equal(tuple->second, whole)) {
		text_add_char(out, ':');
		format_range(out, tuple->second, whole);
	}
	text_add_char(out, '/');
	text_add(out, protocol_name((uint8_t)tuple->protocol));
}

static void format_ports(struct text *out, const struct service_tuple *tuple)
{
	struct port_range whole = whole_range(tuple->protocol);
	format_range(out, tuple->first, whole);
	text_add_char(out, '/');
	text_add(out, protocol_name((uint8_t)tuple->protocol));
	if (ranges_equal(tuple->second, whole))
		return;
	text_add(out, " sport ");
	format_range(out, tuple->second, whole);
}

static bool is_whole(const struct service_tuple *tuple)
{
	struct port_range whole = whole_range(tuple->protocol);
	return ranges_equal(tuple->first, whole) && ranges_equal(tuple->second, whole);
}

/* The families that the text alone stands for. */
static unsigned format_match(struct text *out, const struct service_tuple *tuple)
{
	if (tuple->protocol == PROTOCOL_ANY) {
		text_add(out, "any");
		return FAMILIES_BOTH;
	}
	if (protocol_has_ports(tuple->protocol)) {
		format_ports(out, tuple);
		return FAMILIES_BOTH;
	}
	unsigned own = tuple->protocol == PROTOCOL_ICMP ? FAMILIES_IPV4 : FAMILIES_IPV6;
	bool is_by_type = is_icmp(tuple->protocol) &&
			  (tuple->families == own || !is_whole(tuple));
	if (is_by_type) {
		format_icmp(out, tuple);
		return own;
	}
	text_add_unsigned(out, tuple->protocol);
	text_add(out, "/ip");
	return FAMILIES_BOTH;
}

void tuple_format(struct text *out, const struct service_tuple *tuple)
{
	unsigned said = format_match(out, tuple);
	/* what only a rule's own `ipv4` or `ipv6`, or an exception, can leave over */
	if (tuple->families != said && tuple->families == FAMILIES_IPV4)
		text_add(out, " ipv4");
	if (tuple->families != said && tuple->families == FAMILIES_IPV6)
		text_add(out, " ipv6");
}
