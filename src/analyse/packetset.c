/* Boxes become diagrams a field a level. Values past a field's highest stand for the highest: a set that
 * reaches it is drawn out to the end of all numbers, so that equal sets are equal nodes. */
#include "analyse/packetset.h"

#include <string.h>

#include "analyse/packetset_parts.h"
#include "analyse/natural.h"
#include "base/pool.h"
#include "net/protocol.h"

#define BUDGET_DEFAULT 8000000u

static const char *const field_names[PACKET_FIELDS] = {
	[FIELD_HOOK] = "hook", [FIELD_FAMILY] = "family", [FIELD_PROTOCOL] = "protocol",
	[FIELD_SOURCE] = "source", [FIELD_DESTINATION] = "destination",
	[FIELD_FIRST] = "destination port or type", [FIELD_SECOND] = "source port or code",
	[FIELD_IN] = "in interface", [FIELD_OUT] = "out interface",
	[FIELD_TRANSLATED] = "translated", [FIELD_ORIGINAL] = "original destination",
	[FIELD_ORIGINAL_FIRST] = "original port", [FIELD_MINUTE] = "minute of the week",
	[FIELD_ERA] = "date", [FIELD_FLAGS] = "TCP flags", [FIELD_FRAGMENT] = "fragment",
};

/* What the orders have in common stands round what differs. */
#define ORDER(a, b, c, d, e)                                                                      \
	{ FIELD_HOOK, FIELD_FAMILY, FIELD_IN, FIELD_OUT, a, b, c, d, e, FIELD_TRANSLATED,         \
	  FIELD_ORIGINAL, FIELD_ORIGINAL_FIRST, FIELD_MINUTE, FIELD_ERA, FIELD_FLAGS, FIELD_FRAGMENT }

static const uint8_t orders[PACKET_ORDERS][PACKET_FIELDS] = {
	[PACKET_ORDER_SAFE] = ORDER(FIELD_PROTOCOL, FIELD_DESTINATION, FIELD_SOURCE, FIELD_FIRST,
				    FIELD_SECOND),
	[PACKET_ORDER_PORTS] = ORDER(FIELD_PROTOCOL, FIELD_FIRST, FIELD_DESTINATION, FIELD_SOURCE,
				     FIELD_SECOND),
	[PACKET_ORDER_TARGET] = ORDER(FIELD_PROTOCOL, FIELD_DESTINATION, FIELD_FIRST, FIELD_SOURCE,
				      FIELD_SECOND),
};

/* Numbers of operations in the diagrams' cache; those with a context of the caller's get new ones. */
enum { OPERATION_MERGE, OPERATION_UNION, OPERATION_INTERSECT, OPERATION_SUBTRACT, OPERATION_DIFFER,
       OPERATION_EQUALS, OPERATION_MASK };

const char *packet_field_name(enum packet_field field)
{
	return field_names[field];
}

number128 packet_field_highest(const struct packet_universe *universe, enum packet_field field)
{
	switch (field) {
	case FIELD_HOOK:
		return HOOK_COUNT - 1;
	case FIELD_FAMILY:
	case FIELD_TRANSLATED:
	case FIELD_FRAGMENT:
		return 1;
	case FIELD_PROTOCOL:
	case FIELD_FLAGS:
		return UINT8_MAX;
	case FIELD_SOURCE:
	case FIELD_DESTINATION:
	case FIELD_ORIGINAL:
		return family_highest(FAMILY_IPV6);
	case FIELD_FIRST:
	case FIELD_SECOND:
	case FIELD_ORIGINAL_FIRST:
		return UINT16_MAX;
	case FIELD_IN:
	case FIELD_OUT:
		return universe->interfaces_count + 1;
	case FIELD_MINUTE:
		return 7 * 24 * 60 - 1;
	case FIELD_ERA:
		return universe->ends_count;
	}
	return 0;
}

bool packet_box_holds(const struct packet_box *box, const struct packet_point *point)
{
	for (size_t field = 0; field < PACKET_FIELDS; field++)
		if (box->fields[field] != NULL &&
		    !interval_set_contains(box->fields[field], point->fields[field]))
			return false;
	return true;
}

struct packet_space *packet_space_new(void *pool, const struct packet_universe *universe,
				      enum packet_order order, size_t budget)
{
	struct packet_space *space = pool_new(pool, struct packet_space);

	space->pool = space;
	space->universe = universe;
	space->diagrams = diagrams_new(space, budget != 0 ? budget : BUDGET_DEFAULT);
	for (uint8_t level = 0; level < PACKET_FIELDS; level++) {
		space->field[level] = orders[order][level];
		space->level[orders[order][level]] = level;
	}
	return space;
}

bool packet_space_is_over(const struct packet_space *space)
{
	return diagrams_are_over(space->diagrams);
}

/* --- boxes ------------------------------------------------------------------------------------------- */

static bool is_single(const struct interval_set *set, number128 value)
{
	return set != NULL && set->items_count == 1 && set->items[0].low == value &&
	       set->items[0].high == value;
}

number128 packet_box_highest(const struct packet_universe *universe, const struct packet_box *box,
			     enum packet_field field)
{
	bool is_address = field == FIELD_SOURCE || field == FIELD_DESTINATION || field == FIELD_ORIGINAL;
	bool is_type = field == FIELD_FIRST || field == FIELD_SECOND;

	if (is_address && is_single(box->fields[FIELD_FAMILY], FAMILY_IPV4))
		return family_highest(FAMILY_IPV4);
	if (is_type && (is_single(box->fields[FIELD_PROTOCOL], PROTOCOL_ICMP) ||
			is_single(box->fields[FIELD_PROTOCOL], PROTOCOL_ICMP6)))
		return UINT8_MAX;
	return packet_field_highest(universe, field);
}

packet_map packet_box_choose(struct packet_space *space, const struct packet_box *box, enum packet_field field,
			     packet_map inside, packet_map outside)
{
	const struct interval_set *set = box->fields[field];
	struct interval_set drawn = *set;
	packet_map map;

	if (set->items[set->items_count - 1].high < packet_box_highest(space->universe, box, field))
		return diagram_choose(space->diagrams, space->level[field], set, inside, outside);
	drawn.items = pool_array(space->pool, struct interval, set->items_count);
	memcpy(drawn.items, set->items, set->items_count * sizeof *set->items);
	drawn.items[drawn.items_count - 1].high = DIAGRAM_HIGHEST;
	map = diagram_choose(space->diagrams, space->level[field], &drawn, inside, outside);
	talloc_free(drawn.items);
	return map;
}

packet_map packet_map_constant(uint32_t number)
{
	return diagram_leaf(number);
}

packet_map packet_map_box(struct packet_space *space, const struct packet_box *box, uint32_t inside,
			  uint32_t outside)
{
	packet_map map = diagram_leaf(inside), other = diagram_leaf(outside);

	for (size_t level = PACKET_FIELDS; level-- > 0 && map != PACKET_MAP_OVER;)
		if (box->fields[space->field[level]] != NULL)
			map = packet_box_choose(space, box, space->field[level], map, other);
	return map;
}

/* --- operations -------------------------------------------------------------------------------------- */

static uint32_t merge_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a == PACKET_NUMBER_UNDECIDED ? b : a;
}

static bool merge_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == diagram_leaf(PACKET_NUMBER_UNDECIDED))
		*result = b;
	else if (diagram_is_leaf(a) || a == b || b == diagram_leaf(PACKET_NUMBER_UNDECIDED))
		*result = a;
	else
		return false;
	return true;
}

static uint32_t union_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a | b;
}

static bool union_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == diagram_leaf(0) || b == diagram_leaf(1) || a == b)
		*result = b;
	else if (b == diagram_leaf(0) || a == diagram_leaf(1))
		*result = a;
	else
		return false;
	return true;
}

static uint32_t intersect_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & b;
}

static bool intersect_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == diagram_leaf(1) || b == diagram_leaf(0) || a == b)
		*result = b;
	else if (b == diagram_leaf(1) || a == diagram_leaf(0))
		*result = a;
	else
		return false;
	return true;
}

static uint32_t subtract_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & ~b;
}

static bool subtract_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == diagram_leaf(0) || b == diagram_leaf(1) || a == b)
		*result = diagram_leaf(0);
	else if (b == diagram_leaf(0))
		*result = a;
	else
		return false;
	return true;
}

static uint32_t differ_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a != b;
}

static bool differ_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	*result = diagram_leaf(0);
	return a == b;
}

static uint32_t equals_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a == b;
}

static bool never_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	(void)a;
	(void)b;
	(void)result;
	return false;
}

static uint32_t mask_leaves(void *context, uint32_t set, uint32_t number)
{
	(void)context;
	return set != 0 ? number : PACKET_NUMBER_UNDECIDED;
}

static bool mask_early(void *context, diagram set, diagram map, diagram *result)
{
	(void)context;
	if (!diagram_is_leaf(set))
		return false;
	*result = set == diagram_leaf(1) ? map : diagram_leaf(PACKET_NUMBER_UNDECIDED);
	return true;
}

#define ABSORBS_A(leaf, result)                                                                   \
	.has_absorbing_a = true, .absorbing_a = DIAGRAM_LEAF_BIT | (leaf),                        \
	.absorbed_a = DIAGRAM_LEAF_BIT | (result)
#define ABSORBS_B(leaf, result)                                                                   \
	.has_absorbing_b = true, .absorbing_b = DIAGRAM_LEAF_BIT | (leaf),                        \
	.absorbed_b = DIAGRAM_LEAF_BIT | (result)

static const struct diagram_operation
	merge = { .number = OPERATION_MERGE, .leaves = merge_leaves, .early = merge_early },
	unite = { .number = OPERATION_UNION, .leaves = union_leaves, .early = union_early,
		  ABSORBS_A(1, 1), ABSORBS_B(1, 1) },
	intersect = { .number = OPERATION_INTERSECT, .leaves = intersect_leaves,
		      .early = intersect_early, ABSORBS_A(0, 0), ABSORBS_B(0, 0) },
	subtract = { .number = OPERATION_SUBTRACT, .leaves = subtract_leaves, .early = subtract_early,
		     ABSORBS_A(0, 0), ABSORBS_B(1, 0) },
	differ = { .number = OPERATION_DIFFER, .leaves = differ_leaves, .early = differ_early },
	equals = { .number = OPERATION_EQUALS, .leaves = equals_leaves, .early = never_early },
	mask = { .number = OPERATION_MASK, .leaves = mask_leaves, .early = mask_early,
		 ABSORBS_A(0, PACKET_NUMBER_UNDECIDED) };

static packet_set apply(struct packet_space *space, const struct diagram_operation *operation,
			packet_map a, packet_map b)
{
	if (a == PACKET_MAP_OVER || b == PACKET_MAP_OVER)
		return PACKET_MAP_OVER;
	return diagram_apply(space->diagrams, operation, a, b);
}

packet_set packet_set_all(void)
{
	return diagram_leaf(1);
}

packet_set packet_set_none(void)
{
	return diagram_leaf(0);
}

packet_set packet_set_box(struct packet_space *space, const struct packet_box *box)
{
	return packet_map_box(space, box, 1, 0);
}

packet_set packet_set_value(struct packet_space *space, enum packet_field field, number128 value)
{
	struct interval interval = { value, value };
	struct interval_set set = { &interval, 1, 1 };
	struct packet_box box = { 0 };

	box.fields[field] = &set;
	return packet_set_box(space, &box);
}

packet_set packet_set_union(struct packet_space *space, packet_set a, packet_set b)
{
	return apply(space, &unite, a, b);
}

packet_set packet_set_intersect(struct packet_space *space, packet_set a, packet_set b)
{
	return apply(space, &intersect, a, b);
}

packet_set packet_set_subtract(struct packet_space *space, packet_set a, packet_set b)
{
	return apply(space, &subtract, a, b);
}

packet_set packet_map_difference(struct packet_space *space, packet_map a, packet_map b)
{
	return apply(space, &differ, a, b);
}

packet_set packet_map_where(struct packet_space *space, packet_map map, uint32_t number)
{
	return apply(space, &equals, map, diagram_leaf(number));
}

packet_map packet_map_choose(struct packet_space *space, packet_set set, packet_map a, packet_map b)
{
	packet_map masked = apply(space, &mask, set, a);

	return apply(space, &merge, masked, b);
}

struct renumbering {
	uint32_t (*number)(void *context, uint32_t number);
	void *context;
};

static uint32_t renumber_leaves(void *context, uint32_t a, uint32_t b)
{
	const struct renumbering *renumbering = context;

	(void)b;
	return renumbering->number(renumbering->context, a);
}

packet_map packet_map_renumber(struct packet_space *space, packet_map map,
			       uint32_t (*number)(void *context, uint32_t number), void *context)
{
	struct renumbering renumbering = { number, context };
	const struct diagram_operation operation = {
		.number = diagrams_operation(space->diagrams),
		.context = &renumbering,
		.leaves = renumber_leaves,
		.early = never_early,
	};

	if (map == PACKET_MAP_OVER)
		return PACKET_MAP_OVER;
	return diagram_apply(space->diagrams, &operation, map, diagram_leaf(0));
}

packet_map packet_map_combine(struct packet_space *space, packet_map a, packet_map b,
			      uint32_t (*pair)(void *context, uint32_t a, uint32_t b), void *context)
{
	const struct diagram_operation operation = {
		.number = diagrams_operation(space->diagrams),
		.context = context,
		.leaves = pair,
		.early = never_early,
	};

	if (a == PACKET_MAP_OVER || b == PACKET_MAP_OVER)
		return PACKET_MAP_OVER;
	return diagram_apply(space->diagrams, &operation, a, b);
}

packet_map packet_map_merge(struct packet_space *space, packet_map first, packet_map second)
{
	return diagram_apply(space->diagrams, &merge, first, second);
}

/* --- possible packets -------------------------------------------------------------------------------- */

static struct interval_set between(void *pool, number128 low, number128 high)
{
	struct interval_set set = { 0 };

	interval_set_add(pool, &set, low, high);
	return set;
}

/* A condition: where the first field has one of these values, the second has one of those. */
static packet_set implies(struct packet_space *space, enum packet_field field,
			  const struct interval_set *values, enum packet_field other, number128 low,
			  number128 high)
{
	struct interval_set allowed = between(space->pool, low, high);
	struct packet_box premise = { 0 };
	packet_set conclusion;

	premise.fields[field] = values;
	conclusion = diagram_choose(space->diagrams, space->level[other], &allowed, diagram_leaf(1),
				    diagram_leaf(0));
	return packet_map_choose(space, packet_set_box(space, &premise), conclusion, packet_set_all());
}

/* What is possible, as far as some fields tell. */
struct possible {
	const bool *is_asked;
	packet_set set;
};

/* A condition between two fields of which one is not asked always has a value there that keeps it. */
static void narrow(struct packet_space *space, struct possible *possible, enum packet_field field,
		   number128 value_low, number128 value_high, enum packet_field other, number128 low,
		   number128 high)
{
	struct interval_set values;

	if (!possible->is_asked[field] || !possible->is_asked[other])
		return;
	values = between(space->pool, value_low, value_high);
	possible->set = packet_set_intersect(space, possible->set,
					     implies(space, field, &values, other, low, high));
}

static void narrow_protocols(struct packet_space *space, struct possible *possible)
{
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++) {
		bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
		number128 high = is_icmp ? UINT8_MAX : protocol_has_ports(protocol) ? UINT16_MAX : 0;

		if (high == UINT16_MAX)
			continue;
		narrow(space, possible, FIELD_PROTOCOL, protocol, protocol, FIELD_FIRST, 0, high);
		narrow(space, possible, FIELD_PROTOCOL, protocol, protocol, FIELD_SECOND, 0, high);
	}
	narrow(space, possible, FIELD_PROTOCOL, 0, PROTOCOL_TCP - 1, FIELD_FLAGS, 0, 0);
	narrow(space, possible, FIELD_PROTOCOL, PROTOCOL_TCP + 1, UINT8_MAX, FIELD_FLAGS, 0, 0);
}

packet_set packet_set_possible(struct packet_space *space)
{
	bool is_asked[PACKET_FIELDS];

	for (size_t field = 0; field < PACKET_FIELDS; field++)
		is_asked[field] = true;
	return packet_set_possible_of(space, is_asked);
}

packet_set packet_set_possible_of(struct packet_space *space, const bool *is_asked)
{
	number128 interfaces = space->universe->interfaces_count + 1;
	number128 v4 = family_highest(FAMILY_IPV4);
	struct possible possible = { is_asked, packet_set_all() };

	for (enum packet_field field = 0; field < PACKET_FIELDS; field++)
		narrow(space, &possible, FIELD_HOOK, 0, DIAGRAM_HIGHEST, field, 0,
		       packet_field_highest(space->universe, field));
	narrow(space, &possible, FIELD_HOOK, HOOK_INPUT, HOOK_INPUT, FIELD_OUT, 0, 0);
	narrow(space, &possible, FIELD_HOOK, HOOK_INPUT, HOOK_FORWARD, FIELD_IN, 1, interfaces);
	narrow(space, &possible, FIELD_HOOK, HOOK_OUTPUT, HOOK_OUTPUT, FIELD_IN, 0, 0);
	narrow(space, &possible, FIELD_HOOK, HOOK_FORWARD, HOOK_OUTPUT, FIELD_OUT, 1, interfaces);
	narrow(space, &possible, FIELD_FAMILY, FAMILY_IPV4, FAMILY_IPV4, FIELD_SOURCE, 0, v4);
	narrow(space, &possible, FIELD_FAMILY, FAMILY_IPV4, FAMILY_IPV4, FIELD_DESTINATION, 0, v4);
	narrow(space, &possible, FIELD_FAMILY, FAMILY_IPV4, FAMILY_IPV4, FIELD_ORIGINAL, 0, v4);
	narrow(space, &possible, FIELD_TRANSLATED, 0, 0, FIELD_ORIGINAL, 0, 0);
	narrow(space, &possible, FIELD_TRANSLATED, 0, 0, FIELD_ORIGINAL_FIRST, 0, 0);
	narrow(space, &possible, FIELD_FRAGMENT, 1, 1, FIELD_FIRST, 0, 0);
	narrow(space, &possible, FIELD_FRAGMENT, 1, 1, FIELD_SECOND, 0, 0);
	narrow(space, &possible, FIELD_FRAGMENT, 1, 1, FIELD_FLAGS, 0, 0);
	narrow_protocols(space, &possible);
	return possible.set;
}

/* --- questions --------------------------------------------------------------------------------------- */

bool packet_set_is_empty(packet_set set)
{
	return set == diagram_leaf(0);
}

bool packet_set_includes(struct packet_space *space, packet_set outer, packet_set inner)
{
	return packet_set_is_empty(packet_set_subtract(space, inner, outer));
}

static diagram child_at(const struct packet_space *space, diagram node, number128 value)
{
	struct diagram_edges edges = diagram_edges(space->diagrams, node);
	size_t low = 0, high = edges.count - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (edges.highs[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return edges.children[low];
}

uint32_t packet_map_at(const struct packet_space *space, packet_map map, const struct packet_point *point)
{
	while (!diagram_is_leaf(map)) {
		enum packet_field field = space->field[diagram_field(space->diagrams, map)];

		map = child_at(space, map, point->fields[field]);
	}
	return diagram_number(map);
}

static void mark_numbers(const struct packet_space *space, diagram node, uint8_t *visited, bool *seen,
			 size_t count)
{
	struct diagram_edges edges;

	if (diagram_is_leaf(node)) {
		if (diagram_number(node) < count)
			seen[diagram_number(node)] = true;
		return;
	}
	if ((visited[node / 8] & 1u << node % 8) != 0)
		return;
	visited[node / 8] |= (uint8_t)(1u << node % 8);
	edges = diagram_edges(space->diagrams, node);
	for (size_t index = 0; index < edges.count; index++)
		mark_numbers(space, edges.children[index], visited, seen, count);
}

/* Children have lower numbers than their parents; the depth is that of the fields. */
void packet_map_numbers(const struct packet_space *space, packet_map map, bool *seen, size_t count)
{
	uint8_t *visited = pool_array(space->pool, uint8_t, diagram_is_leaf(map) ? 1 : map / 8 + 1);

	mark_numbers(space, map, visited, seen, count);
	talloc_free(visited);
}

/* --- an example -------------------------------------------------------------------------------------- */

static bool is_alive(const struct packet_space *space, diagram node, number128 value)
{
	return child_at(space, node, value) != diagram_leaf(0);
}

/* The lowest value of the lowest live edge; of a network the first host. */
static number128 lowest(const struct packet_space *space, diagram node, enum packet_field field)
{
	struct diagram_edges edges = diagram_edges(space->diagrams, node);
	number128 low = 0;
	size_t index = 0;

	for (; edges.children[index] == diagram_leaf(0); index++)
		low = edges.highs[index] + 1;
	/* 0.0.0.0 alone, that of hosts without an address, is seldom what somebody looks for */
	if (field == FIELD_SOURCE && low == 0 && edges.highs[index] == 0)
		for (size_t next = index + 1; next < edges.count; next++)
			if (edges.children[next] != diagram_leaf(0)) {
				low = edges.highs[next - 1] + 1;
				index = next;
				break;
			}
	if ((field == FIELD_SOURCE || field == FIELD_DESTINATION) && edges.highs[index] - low >= 2)
		low++;
	return low;
}

static number128 pick(const struct packet_space *space, diagram node, enum packet_field field,
		      const struct packet_point *point)
{
	number128 value;

	for (size_t rank = 0; natural_value(field, point, rank, &value); rank++)
		if (is_alive(space, node, value))
			return value;
	return lowest(space, node, field);
}

/* A field that nothing asks. */
static number128 unasked(enum packet_field field, const struct packet_point *point)
{
	number128 value = 0;

	if (field == FIELD_ORIGINAL_FIRST && point->fields[FIELD_TRANSLATED] != 0)
		return point->fields[FIELD_FIRST];
	(void)natural_value(field, point, 0, &value);
	return value;
}

bool packet_set_example(const struct packet_space *space, packet_set set, struct packet_point *point)
{
	if (set == PACKET_MAP_OVER || packet_set_is_empty(set))
		return false;
	*point = (struct packet_point){ 0 };
	for (size_t level = 0; level < PACKET_FIELDS; level++) {
		enum packet_field field = space->field[level];

		if (diagram_field(space->diagrams, set) != level) {
			point->fields[field] = unasked(field, point);
			continue;
		}
		point->fields[field] = pick(space, set, field, point);
		set = child_at(space, set, point->fields[field]);
	}
	return true;
}

/* --- as boxes ---------------------------------------------------------------------------------------- */

struct boxing {
	void *pool;
	const struct packet_space *space;
	struct packet_box box;   /* on the way down */
	struct packet_box *boxes;
	size_t count, most;
	bool is_whole;
};

static void add_boxes(struct boxing *boxing, diagram node);

/* The values that lead to one child, cut at the highest. */
static struct interval_set *values_of(struct boxing *boxing, const struct diagram_edges *edges,
				      diagram child, number128 highest)
{
	struct interval_set *values = pool_new(boxing->pool, struct interval_set);
	number128 low = 0;

	for (size_t index = 0; index < edges->count && low <= highest; index++) {
		number128 high = edges->highs[index] < highest ? edges->highs[index] : highest;

		if (edges->children[index] == child)
			interval_set_add(boxing->pool, values, low, high);
		low = edges->highs[index] + 1;
		if (edges->highs[index] == DIAGRAM_HIGHEST)
			break;
	}
	return values;
}

static bool is_first(const struct diagram_edges *edges, size_t index)
{
	for (size_t earlier = 0; earlier < index; earlier++)
		if (edges->children[earlier] == edges->children[index])
			return false;
	return true;
}

static void add_node(struct boxing *boxing, diagram node)
{
	struct diagram_edges edges = diagram_edges(boxing->space->diagrams, node);
	enum packet_field field = boxing->space->field[diagram_field(boxing->space->diagrams, node)];
	number128 highest = packet_box_highest(boxing->space->universe, &boxing->box, field);

	for (size_t index = 0; index < edges.count && boxing->is_whole; index++) {
		struct interval_set *values;

		if (edges.children[index] == diagram_leaf(0) || !is_first(&edges, index))
			continue;
		values = values_of(boxing, &edges, edges.children[index], highest);
		boxing->box.fields[field] = values;
		if (values->items_count > 0)
			add_boxes(boxing, edges.children[index]);
	}
	boxing->box.fields[field] = NULL;
}

static void add_boxes(struct boxing *boxing, diagram node)
{
	if (!diagram_is_leaf(node)) {
		add_node(boxing, node);
	} else if (boxing->count == boxing->most) {
		boxing->is_whole = false;
	} else {
		boxing->boxes[boxing->count++] = boxing->box;
	}
}

size_t packet_set_boxes(void *pool, const struct packet_space *space, packet_set set,
			struct packet_box *boxes, size_t most, bool *is_whole)
{
	struct boxing boxing = { .pool = pool, .space = space, .boxes = boxes, .most = most,
				 .is_whole = true };

	if (set == PACKET_MAP_OVER) {
		*is_whole = false;
		return 0;
	}
	if (!packet_set_is_empty(set))
		add_boxes(&boxing, set);
	*is_whole = boxing.is_whole;
	return boxing.count;
}
