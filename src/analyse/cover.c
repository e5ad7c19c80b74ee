/* The part of a box outside another is cut off field by field: outside in the first field, inside in
 * the first and outside in the second, and so on; each piece is asked on its own. */
#include "analyse/cover.h"

#include "analyse/natural.h"
#include "base/pool.h"
#include "net/protocol.h"

/* Pieces within pieces: so many fit on a stack. */
#define DEPTH_MOST 10000u
/* What a piece costs beside comparisons, as many of them. */
#define PIECE_WORK 16u

struct covering {
	void *pool;
	const struct packet_universe *universe;
	const struct packet_box *const *boxes;
	size_t count;
	size_t steps; /* left */
	size_t *work; /* left, for others too */
	size_t depth;
	struct packet_point *witness;
};

/* Fields whose values say what others can be stand before them. */
static const enum packet_field cut_order[PACKET_FIELDS] = {
	FIELD_HOOK, FIELD_FAMILY, FIELD_PROTOCOL, FIELD_FRAGMENT, FIELD_TRANSLATED, FIELD_SOURCE,
	FIELD_DESTINATION, FIELD_FIRST, FIELD_SECOND, FIELD_IN, FIELD_OUT, FIELD_ORIGINAL,
	FIELD_ORIGINAL_FIRST, FIELD_MINUTE, FIELD_ERA, FIELD_FLAGS,
};

static bool overlaps(const struct interval_set *a, const struct interval_set *b)
{
	return a == NULL || b == NULL || a == b || interval_set_overlaps(a, b);
}

bool packet_boxes_overlap(const struct packet_box *a, const struct packet_box *b)
{
	for (size_t field = 0; field < PACKET_FIELDS; field++)
		if (!overlaps(a->fields[field], b->fields[field]))
			return false;
	return true;
}

static bool includes(const struct interval_set *outer, const struct interval_set *inner)
{
	return outer == NULL || outer == inner ||
	       (inner != NULL && interval_set_includes(outer, inner));
}

bool packet_box_includes(const struct packet_box *outer, const struct packet_box *inner)
{
	for (size_t field = 0; field < PACKET_FIELDS; field++)
		if (!includes(outer->fields[field], inner->fields[field]))
			return false;
	return true;
}

struct packet_box packet_box_intersect(void *pool, const struct packet_box *a, const struct packet_box *b)
{
	struct packet_box both = *a;

	for (size_t field = 0; field < PACKET_FIELDS; field++) {
		struct interval_set *values;

		if (includes(b->fields[field], a->fields[field]))
			continue;
		both.fields[field] = b->fields[field];
		if (includes(a->fields[field], b->fields[field]))
			continue;
		values = pool_new(pool, struct interval_set);
		*values = interval_set_intersect(pool, a->fields[field], b->fields[field]);
		both.fields[field] = values;
	}
	return both;
}

/* --- what can be ------------------------------------------------------------------------------------- */

static bool has_only(const struct packet_box *box, enum packet_field field, number128 low,
		     number128 high)
{
	const struct interval_set *set = box->fields[field];

	return set != NULL && set->items_count > 0 && set->items[0].low >= low &&
	       set->items[set->items_count - 1].high <= high;
}

static bool has_no_ports(const struct packet_box *box)
{
	const struct interval_set *set = box->fields[FIELD_PROTOCOL];

	if (set == NULL)
		return false;
	for (size_t index = 0; index < set->items_count; index++)
		for (number128 value = set->items[index].low; value <= set->items[index].high; value++)
			if (protocol_has_ports((unsigned)value) || value == PROTOCOL_ICMP ||
			    value == PROTOCOL_ICMP6)
				return false;
	return true;
}

static struct interval port_range(const struct packet_box *box)
{
	bool is_later = has_only(box, FIELD_FRAGMENT, 1, 1);
	bool is_icmp = has_only(box, FIELD_PROTOCOL, PROTOCOL_ICMP, PROTOCOL_ICMP) ||
		       has_only(box, FIELD_PROTOCOL, PROTOCOL_ICMP6, PROTOCOL_ICMP6);

	if (is_later || has_no_ports(box))
		return (struct interval){ 0, 0 };
	return (struct interval){ 0, is_icmp ? UINT8_MAX : UINT16_MAX };
}

/* The values that a field can have, as the fields before it in cut_order say. */
static struct interval range_of(const struct covering *covering, const struct packet_box *box,
				enum packet_field field)
{
	struct interval range = { 0, packet_field_highest(covering->universe, field) };
	bool is_v4 = has_only(box, FIELD_FAMILY, FAMILY_IPV4, FAMILY_IPV4);
	bool is_direct = has_only(box, FIELD_TRANSLATED, 0, 0);

	switch (field) {
	case FIELD_SOURCE:
	case FIELD_DESTINATION:
		if (is_v4)
			range.high = family_highest(FAMILY_IPV4);
		break;
	case FIELD_ORIGINAL:
		range.high = is_direct ? 0 : is_v4 ? family_highest(FAMILY_IPV4) : range.high;
		break;
	case FIELD_ORIGINAL_FIRST:
		range.high = is_direct ? 0 : range.high;
		break;
	case FIELD_FIRST:
	case FIELD_SECOND:
		return port_range(box);
	case FIELD_IN:
		range.low = has_only(box, FIELD_HOOK, HOOK_INPUT, HOOK_FORWARD) ? 1 : 0;
		range.high = has_only(box, FIELD_HOOK, HOOK_OUTPUT, HOOK_OUTPUT) ? 0 : range.high;
		break;
	case FIELD_OUT:
		range.low = has_only(box, FIELD_HOOK, HOOK_FORWARD, HOOK_OUTPUT) ? 1 : 0;
		range.high = has_only(box, FIELD_HOOK, HOOK_INPUT, HOOK_INPUT) ? 0 : range.high;
		break;
	case FIELD_FLAGS:
		if (has_only(box, FIELD_FRAGMENT, 1, 1) ||
		    (box->fields[FIELD_PROTOCOL] != NULL &&
		     !interval_set_contains(box->fields[FIELD_PROTOCOL], PROTOCOL_TCP)))
			range.high = 0;
		break;
	case FIELD_HOOK:
	case FIELD_FAMILY:
	case FIELD_PROTOCOL:
	case FIELD_TRANSLATED:
	case FIELD_MINUTE:
	case FIELD_ERA:
	case FIELD_FRAGMENT:
		break;
	}
	return range;
}

/* The possible values of a field in the box. */
static struct interval_set values_of(struct covering *covering, const struct packet_box *box,
				     enum packet_field field)
{
	struct interval range = range_of(covering, box, field);
	struct interval_set all = { &range, 1, 1 }, copy = { 0 };

	if (box->fields[field] != NULL)
		return interval_set_intersect(covering->pool, &all, box->fields[field]);
	interval_set_add(covering->pool, &copy, range.low, range.high);
	return copy;
}

/* One of the values: a natural one, or the lowest, of a network the first host. */
static number128 pick(const struct packet_point *point, enum packet_field field,
		      const struct interval_set *values)
{
	number128 value;

	for (size_t rank = 0; natural_value(field, point, rank, &value); rank++)
		if (interval_set_contains(values, value))
			return value;
	value = values->items[0].low;
	return (field == FIELD_SOURCE || field == FIELD_DESTINATION) &&
	       values->items[0].high - value >= 2 ? value + 1 : value;
}

/* A packet of the box; false: none can be. Of TCP, which is tried first, everything can be asked. */
static bool find_packet(struct covering *covering, struct packet_box box)
{
	struct packet_point point = { 0 };

	for (size_t index = 0; index < PACKET_FIELDS; index++) {
		enum packet_field field = cut_order[index];
		struct interval_set values = values_of(covering, &box, field);
		struct interval_set *kept;

		if (values.items_count == 0)
			return false;
		point.fields[field] = pick(&point, field, &values);
		kept = pool_new(covering->pool, struct interval_set);
		interval_set_add(covering->pool, kept, point.fields[field], point.fields[field]);
		box.fields[field] = kept;
	}
	if (covering->witness != NULL)
		*covering->witness = point;
	return true;
}

/* --- cutting ----------------------------------------------------------------------------------------- */

static enum cover_answer ask(struct covering *covering, struct packet_box box, size_t at);

/* Cuts the field; the piece outside is asked, the one inside stays in the box. */
static enum cover_answer cut(struct covering *covering, struct packet_box *box, enum packet_field field,
			     const struct interval_set *inside, size_t next)
{
	struct interval_set values = values_of(covering, box, field);
	struct interval_set outside = interval_set_subtract(covering->pool, &values, inside);
	struct interval_set *kept = pool_new(covering->pool, struct interval_set);

	if (outside.items_count > 0) {
		struct packet_box piece = *box;
		enum cover_answer answer;

		*kept = outside;
		piece.fields[field] = kept;
		if (covering->depth == DEPTH_MOST)
			return COVER_UNKNOWN;
		covering->depth++;
		answer = ask(covering, piece, next);
		covering->depth--;
		if (answer != COVER_YES)
			return answer;
		kept = pool_new(covering->pool, struct interval_set);
	}
	*kept = interval_set_intersect(covering->pool, &values, inside);
	box->fields[field] = kept;
	return COVER_YES;
}

static void take_work(struct covering *covering, size_t comparisons)
{
	*covering->work -= *covering->work < comparisons ? *covering->work : comparisons;
}

/* Pieces within pieces are counted. */
static enum cover_answer ask(struct covering *covering, struct packet_box box, size_t at)
{
	const struct packet_box *other;
	size_t begin = at;

	if (covering->steps == 0 || *covering->work == 0)
		return COVER_UNKNOWN;
	covering->steps--;
	while (at < covering->count &&
	       (covering->boxes[at] == NULL || !packet_boxes_overlap(&box, covering->boxes[at])))
		at++;
	take_work(covering, at - begin + PIECE_WORK);
	if (at == covering->count)
		return find_packet(covering, box) ? COVER_NO : COVER_YES;
	other = covering->boxes[at];
	for (size_t index = 0; index < PACKET_FIELDS; index++) {
		enum packet_field field = cut_order[index];
		enum cover_answer answer;

		if (includes(other->fields[field], box.fields[field]))
			continue;
		answer = cut(covering, &box, field, other->fields[field], at + 1);
		if (answer != COVER_YES || box.fields[field]->items_count == 0)
			return answer;
	}
	return COVER_YES;
}

enum cover_answer cover_find(void *pool, const struct packet_universe *universe,
			     const struct packet_box *box, const struct packet_box *const *boxes,
			     size_t count, size_t budget, struct packet_point *witness)
{
	size_t work = SIZE_MAX;

	return cover_find_within(pool, universe, box, boxes, count, budget, &work, witness);
}

enum cover_answer cover_find_within(void *pool, const struct packet_universe *universe,
				    const struct packet_box *box, const struct packet_box *const *boxes,
				    size_t count, size_t budget, size_t *work, struct packet_point *witness)
{
	struct covering covering = {
		.pool = pool_child(pool, "cover"),
		.universe = universe,
		.boxes = boxes,
		.count = count,
		.steps = budget,
		.work = work,
		.witness = witness,
	};
	enum cover_answer answer = ask(&covering, *box, 0);

	talloc_free(covering.pool);
	return answer;
}
