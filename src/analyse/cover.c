/* The part of a box outside another is cut off field by field: outside in the first field, inside in
 * the first and outside in the second, and so on; each piece is asked on its own.
 *
 * Of many boxes those that the piece overlaps are put first, and only they are asked for what is cut off
 * it; the piece is cut along the one that includes it in the most fields, which leaves the fewest. */
#include "analyse/cover.h"

#include "analyse/natural.h"
#include "base/pool.h"
#include "net/protocol.h"

/* Pieces within pieces: so many fit on a stack. */
#define DEPTH_MOST 10000u
/* What a piece costs beside comparisons, as many of them. */
#define PIECE_WORK 16u
#define VALUES_LONG 65536u
#define BOXES_FEW 16u
/* So many comparisons go with a step: among very many boxes it is these that take the time. */
#define STEP_WORK 100u

struct covering {
	void *pool;
	const struct packet_universe *universe;
	const struct packet_box **boxes; /* put in another order on the way, within what is asked */
	size_t steps; /* left */
	size_t work;  /* left */
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

/* The possible values of a field in the box: for reading, they may be the box's own. */
static struct interval_set values_of(struct covering *covering, const struct packet_box *box,
				     enum packet_field field)
{
	struct interval range = range_of(covering, box, field);
	struct interval_set all = { &range, 1, 1 }, copy = { 0 };

	if (has_only(box, field, range.low, range.high))
		return *box->fields[field];
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
	struct interval items[PACKET_FIELDS];
	struct interval_set sets[PACKET_FIELDS];

	for (size_t index = 0; index < PACKET_FIELDS; index++) {
		enum packet_field field = cut_order[index];
		struct interval_set values = values_of(covering, &box, field);

		if (values.items_count == 0)
			return false;
		point.fields[field] = pick(&point, field, &values);
		items[field] = (struct interval){ point.fields[field], point.fields[field] };
		sets[field] = (struct interval_set){ &items[field], 1, 1 };
		box.fields[field] = &sets[field];
	}
	if (covering->witness != NULL)
		*covering->witness = point;
	return true;
}

/* --- cutting ----------------------------------------------------------------------------------------- */

/* Boxes from a place until before another. */
struct range {
	size_t begin, end;
};

static enum cover_answer ask(struct covering *covering, struct packet_box box, struct range range);

static enum cover_answer ask_piece(struct covering *covering, const struct packet_box *box,
				   enum packet_field field, const struct interval_set *values, struct range next)
{
	struct packet_box piece = *box;
	enum cover_answer answer;

	piece.fields[field] = values;
	if (covering->depth == DEPTH_MOST)
		return COVER_UNKNOWN;
	covering->depth++;
	answer = ask(covering, piece, next);
	covering->depth--;
	return answer;
}

/* Does a long set leave a packet before its second interval that nothing else takes? Then nobody needs all that it
 * leaves, which is as long. */
static bool leaves_packet(struct covering *covering, const struct packet_box *box, enum packet_field field,
			  const struct interval_set *values, const struct interval_set *inside, struct range next)
{
	struct interval beginning = { 0, inside->items[1].low - 1 };
	const struct interval_set window = { &beginning, 1, 1 };
	const struct interval_set near = interval_set_intersect(covering->pool, values, &window);
	struct interval_set *left = pool_new(covering->pool, struct interval_set);

	*left = interval_set_subtract(covering->pool, &near, inside);
	return left->items_count > 0 && ask_piece(covering, box, field, left, next) == COVER_NO;
}

/* Cuts the field; the piece outside is asked, the one inside stays in the box. */
static enum cover_answer cut(struct covering *covering, struct packet_box *box, enum packet_field field,
			     const struct interval_set *inside, struct range next)
{
	const struct interval_set values = values_of(covering, box, field);
	struct interval_set *kept = pool_new(covering->pool, struct interval_set);

	if (inside->items_count > VALUES_LONG && leaves_packet(covering, box, field, &values, inside, next))
		return COVER_NO;
	*kept = interval_set_subtract(covering->pool, &values, inside);
	if (kept->items_count > 0) {
		enum cover_answer answer = ask_piece(covering, box, field, kept, next);

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
	covering->work -= covering->work < comparisons ? covering->work : comparisons;
}

static unsigned included_fields(const struct packet_box *outer, const struct packet_box *inner)
{
	unsigned count = 0;

	for (size_t field = 0; field < PACKET_FIELDS; field++)
		count += includes(outer->fields[field], inner->fields[field]);
	return count;
}

static void swap(struct covering *covering, size_t one, size_t other)
{
	const struct packet_box *kept = covering->boxes[one];

	covering->boxes[one] = covering->boxes[other];
	covering->boxes[other] = kept;
}

/* Leaves those that overlap the box, the first of them the one to be cut along. */
static void narrow(struct covering *covering, const struct packet_box *box, struct range *range)
{
	size_t kept = range->begin, best = range->begin;
	unsigned most = 0;

	for (size_t at = range->begin; at < range->end; at++) {
		unsigned included;

		if (!packet_boxes_overlap(box, covering->boxes[at]))
			continue;
		included = included_fields(covering->boxes[at], box);
		swap(covering, kept, at);
		if (included > most) {
			most = included;
			best = kept;
		}
		kept++;
		if (included == PACKET_FIELDS)
			break;
	}
	range->end = kept;
	if (kept > range->begin)
		swap(covering, range->begin, best);
}

/* Of few the order is kept. */
static void skip(const struct covering *covering, const struct packet_box *box, struct range *range)
{
	while (range->begin < range->end && !packet_boxes_overlap(box, covering->boxes[range->begin]))
		range->begin++;
}

/* Pieces within pieces are counted. */
static enum cover_answer ask(struct covering *covering, struct packet_box box, struct range range)
{
	const struct packet_box *other;

	if (covering->steps == 0 || covering->work == 0)
		return COVER_UNKNOWN;
	covering->steps--;
	take_work(covering, range.end - range.begin + PIECE_WORK);
	if (range.end - range.begin > BOXES_FEW)
		narrow(covering, &box, &range);
	else
		skip(covering, &box, &range);
	if (range.begin == range.end)
		return find_packet(covering, box) ? COVER_NO : COVER_YES;
	other = covering->boxes[range.begin++];
	for (size_t index = 0; index < PACKET_FIELDS; index++) {
		enum packet_field field = cut_order[index];
		enum cover_answer answer;

		if (includes(other->fields[field], box.fields[field]))
			continue;
		answer = cut(covering, &box, field, other->fields[field], range);
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
		.steps = budget,
		.work = *work < budget * STEP_WORK ? *work : budget * STEP_WORK,
		.witness = witness,
	};
	struct range range = { 0 };
	size_t given = covering.work;
	enum cover_answer answer;

	covering.boxes = pool_array(covering.pool, const struct packet_box *, count + 1);
	for (size_t at = 0; at < count; at++)
		if (boxes[at] != NULL)
			covering.boxes[range.end++] = boxes[at];
	answer = ask(&covering, *box, range);
	*work -= given - covering.work;
	talloc_free(covering.pool);
	return answer;
}
