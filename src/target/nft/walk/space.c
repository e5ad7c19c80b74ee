#include "target/nft/walk/space.h"

#include <assert.h>
#include <string.h>

#include "base/pool.h"

#define NAME_BYTES 16
/* Ranks: the table's fields, unknowns, limits. */
#define FIRST_UNKNOWN WALK_FIELDS
#define FIRST_LIMIT 0x10000u

static const struct {
	const char *name;
	unsigned bits;
	uint32_t highest; /* 0: all bits */
} fields[] = {
	[WALK_STATE] = { "state", 3, WALK_STATES - 1 },
	[WALK_FAMILY] = { "family", 1, 1 },
	[WALK_IN] = { "in interface", 128, 0 },
	[WALK_OUT] = { "out interface", 128, 0 },
	[WALK_PROTOCOL] = { "protocol", 8, 0 },
	[WALK_FIRST] = { "destination port or type", 16, 0 },
	[WALK_DESTINATION] = { "destination", 128, 0 },
	[WALK_SOURCE] = { "source", 128, 0 },
	[WALK_SECOND] = { "source port or code", 16, 0 },
	[WALK_TCP_FLAGS] = { "tcp flags", 8, 0 },
	[WALK_HOP_LIMIT] = { "hop limit", 8, 0 },
	[WALK_TRANSLATED] = { "destination translated", 1, 0 },
	[WALK_ORIGINAL_DESTINATION] = { "destination before translation", 128, 0 },
	[WALK_ORIGINAL_PORT] = { "port before translation", 16, 0 },
	[WALK_HELPER] = { "helper", 128, 0 },
	[WALK_ROUTE] = { "route type", 32, 0 },
	[WALK_WEEK] = { "second of the week", 20, WALK_WEEK_SECONDS - 1 },
	[WALK_TIME] = { "time", 64, 0 },
};
static_assert(sizeof fields / sizeof fields[0] == WALK_FIELDS, "a row for each field");

/* The fields' ranks. Only interfaces and the five-tuple move: the rest is asked by few rules. */
static const uint8_t orders[WALK_ORDERS][WALK_FIELDS] = {
#define COMMON                                                                                           \
	[WALK_STATE] = 0, [WALK_FAMILY] = 1, [WALK_TCP_FLAGS] = 9, [WALK_HOP_LIMIT] = 10,                \
	[WALK_TRANSLATED] = 11, [WALK_ORIGINAL_DESTINATION] = 12, [WALK_ORIGINAL_PORT] = 13,             \
	[WALK_HELPER] = 14, [WALK_ROUTE] = 15, [WALK_WEEK] = 16, [WALK_TIME] = 17
	[WALK_ORDER_PLAIN] = { COMMON, [WALK_IN] = 2, [WALK_OUT] = 3, [WALK_PROTOCOL] = 4,
			       [WALK_DESTINATION] = 5, [WALK_FIRST] = 6, [WALK_SOURCE] = 7, [WALK_SECOND] = 8 },
	/* what asks an interface and its network asks the one only where the other holds: not each pair of
	 * interfaces has addresses of its own */
	[WALK_ORDER_INTERFACES] = { COMMON, [WALK_PROTOCOL] = 2, [WALK_FIRST] = 3, [WALK_DESTINATION] = 4,
				    [WALK_SOURCE] = 5, [WALK_IN] = 6, [WALK_OUT] = 7, [WALK_SECOND] = 8 },
	{ COMMON, [WALK_IN] = 2, [WALK_OUT] = 3, [WALK_PROTOCOL] = 4, [WALK_FIRST] = 5, [WALK_SOURCE] = 6,
	  [WALK_DESTINATION] = 7, [WALK_SECOND] = 8 },
	{ COMMON, [WALK_IN] = 2, [WALK_OUT] = 3, [WALK_DESTINATION] = 4, [WALK_SOURCE] = 5, [WALK_PROTOCOL] = 6,
	  [WALK_FIRST] = 7, [WALK_SECOND] = 8 },
#undef COMMON
};

static void take_protocols(struct walk_space *space, const struct walk_piece *piece)
{
	const struct interval *row = &piece->rows[WALK_CUT_PROTOCOL];
	const unsigned first = row->low > UINT8_MAX ? UINT8_MAX + 1 : (unsigned)row->low;
	const unsigned last = row->high > UINT8_MAX ? UINT8_MAX : (unsigned)row->high;
	memset(space->protocols, 0, sizeof space->protocols);
	for (unsigned at = first; at <= last; at++)
		space->protocols[at / 64] |= 1ull << at % 64;
}

struct walk_space *walk_space_new(void *pool, size_t edges_max, unsigned order)
{
	struct walk_space *space = pool_new(pool, struct walk_space);
	space->pool = space;
	space->diagrams = diagrams_new(space, edges_max);
	space->order = order;
	space->by_name = names_new(space, false);
	take_protocols(space, &walk_piece_whole);
	space->piece = space->taken = walk_piece_whole;
	return space;
}

const enum walk_field walk_cut_fields[WALK_CUTS] = {
	[WALK_CUT_DESTINATION] = WALK_DESTINATION, [WALK_CUT_SOURCE] = WALK_SOURCE, [WALK_CUT_FIRST] = WALK_FIRST,
	[WALK_CUT_PROTOCOL] = WALK_PROTOCOL,
};

const struct walk_piece walk_piece_whole = { {
	{ 0, DIAGRAM_HIGHEST }, { 0, DIAGRAM_HIGHEST }, { 0, DIAGRAM_HIGHEST }, { 0, DIAGRAM_HIGHEST },
} };

void walk_space_narrow(struct walk_space *space, const struct walk_piece *piece)
{
	const struct interval *old = &space->piece.rows[WALK_CUT_PROTOCOL], *new = &piece->rows[WALK_CUT_PROTOCOL];
	if (old->low != new->low || old->high != new->high)
		take_protocols(space, piece);
	space->piece = *piece;
	space->parts_count = 0;
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const struct interval *row = &piece->rows[cut];
		if (row->low != 0 || row->high != DIAGRAM_HIGHEST)
			space->parts[space->parts_count++] = (struct diagram_part){
				walk_rank(space, walk_cut_fields[cut]), row->low, row->high };
	}
}

void walk_space_take(struct walk_space *space, const struct walk_piece *piece)
{
	walk_space_narrow(space, piece);
	space->taken = *piece;
	space->is_part = true;
}

bool walk_piece_includes(const struct walk_piece *outer, const struct walk_piece *inner)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (inner->rows[cut].low < outer->rows[cut].low || inner->rows[cut].high > outer->rows[cut].high)
			return false;
	return true;
}

static const struct diagram_part *part_of(const struct walk_space *space, uint32_t rank)
{
	for (size_t i = 0; i < space->parts_count; i++)
		if (space->parts[i].field == rank)
			return &space->parts[i];
	return NULL;
}

uint32_t walk_rank(const struct walk_space *space, enum walk_field field)
{
	return orders[space->order][field];
}

enum walk_field walk_field_of_rank(const struct walk_space *space, uint32_t rank)
{
	for (unsigned field = 0; field < WALK_FIELDS; field++)
		if (orders[space->order][field] == rank)
			return (enum walk_field)field;
	return WALK_FIELDS;
}

const struct walk_unknown *walk_unknown_of_rank(const struct walk_space *space, uint32_t rank)
{
	if (rank >= FIRST_LIMIT)
		return rank - FIRST_LIMIT < space->limits_count ? &space->limits[rank - FIRST_LIMIT] : NULL;
	if (rank < FIRST_UNKNOWN || rank - FIRST_UNKNOWN >= space->unknowns_count)
		return NULL;
	return &space->unknowns[rank - FIRST_UNKNOWN];
}

const char *walk_field_name(enum walk_field field)
{
	return field < WALK_FIELDS ? fields[field].name : "unknown";
}

uint32_t walk_unknown(struct walk_space *space, const char *name, uint32_t bits)
{
	size_t length = strlen(name);
	uintptr_t known = (uintptr_t)names_find(space->by_name, name, length);
	if (known == 0) {
		*pool_append(space, space, unknowns) = (struct walk_unknown){
			.name = pool_strdup(space, name), .bits = bits };
		known = FIRST_UNKNOWN + space->unknowns_count - 1;
		names_set(space->by_name, name, length, (void *)known);
	}
	return (uint32_t)known;
}

void walk_unknown_is_unclear(struct walk_space *space, uint32_t rank)
{
	space->unknowns[rank - FIRST_UNKNOWN].is_unclear = true;
}

uint32_t walk_limit(struct walk_space *space, const char *name, const void *about)
{
	size_t length = strlen(name);
	uintptr_t known = (uintptr_t)names_find(space->by_name, name, length);
	if (known == 0) {
		*pool_append(space, space, limits) = (struct walk_unknown){
			.name = pool_strdup(space, name), .bits = 1, .about = about };
		known = FIRST_LIMIT + space->limits_count - 1;
		names_set(space->by_name, name, length, (void *)known);
	}
	return (uint32_t)known;
}

uint32_t walk_first_limit(void)
{
	return FIRST_LIMIT;
}

number128 walk_highest(enum walk_field field)
{
	if (fields[field].highest != 0)
		return fields[field].highest;
	return fields[field].bits == 128 ? DIAGRAM_HIGHEST : ((number128)1 << fields[field].bits) - 1;
}

/* The items of sorted values that the part meets, from *first until before the number given back. */
static size_t items_in(const struct diagram_part *part, const struct interval_set *values, size_t *first)
{
	size_t low = 0, high = values->items_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (values->items[middle].high < part->low)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	for (high = values->items_count; low < high;) {
		size_t middle = (low + high) / 2;
		if (values->items[middle].low <= part->high)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#define ITEMS_AT_HAND 8

/* The set has more items than stay as they are: a copy with other ends. */
static diagram choose_with_ends(struct walk_space *space, uint32_t rank, const struct interval_set *values,
				number128 low, number128 high, diagram inside, diagram outside)
{
	struct interval at_hand[ITEMS_AT_HAND];
	size_t count = values->items_count;
	struct interval *items = count <= ITEMS_AT_HAND ? at_hand : pool_array(space, struct interval, count);
	memcpy(items, values->items, count * sizeof *items);
	items[0].low = low;
	items[count - 1].high = high;
	const struct interval_set open = { items, count, count };
	diagram made = diagram_choose(space->diagrams, rank, &open, inside, outside);
	if (items != at_hand)
		talloc_free(items);
	return made;
}

bool walk_space_meets(const struct walk_space *space, uint32_t rank, const struct interval_set *values,
		      number128 highest)
{
	const struct diagram_part *part = part_of(space, rank);
	size_t first;
	if (part == NULL)
		return true;
	return items_in(part, values, &first) > first ||
	       (part->low > highest && values->items[values->items_count - 1].high >= highest);
}

static diagram choose_in_part(struct walk_space *space, const struct diagram_part *part,
			      const struct interval_set *values, number128 highest, diagram inside, diagram outside)
{
	const struct interval *last = &values->items[values->items_count - 1];
	bool has_no_end = last->high >= highest;
	size_t first, end = items_in(part, values, &first);
	if (first == end && has_no_end && last->high < part->low)
		return inside;
	if (first == end)
		return outside;
	const struct interval_set met = { values->items + first, end - first, end - first };
	const struct interval *high = &values->items[end - 1];
	bool is_open = high->high >= part->high || (has_no_end && high == last);
	return choose_with_ends(space, part->field, &met, met.items->low <= part->low ? 0 : met.items->low,
				is_open ? DIAGRAM_HIGHEST : high->high, inside, outside);
}

diagram walk_choose(struct walk_space *space, uint32_t rank, const struct interval_set *values,
		    number128 highest, diagram inside, diagram outside)
{
	size_t count = values->items_count;
	const struct diagram_part *part = part_of(space, rank);
	if (count == 0)
		return outside;
	if (part != NULL)
		return choose_in_part(space, part, values, highest, inside, outside);
	if (values->items[count - 1].high < highest || highest == DIAGRAM_HIGHEST)
		return diagram_choose(space->diagrams, rank, values, inside, outside);
	return choose_with_ends(space, rank, values, values->items->low, DIAGRAM_HIGHEST, inside, outside);
}

diagram walk_choose_one(struct walk_space *space, uint32_t rank, number128 value, number128 highest,
			diagram inside, diagram outside)
{
	struct interval item = { value, value };
	const struct interval_set values = { &item, 1, 1 };
	return walk_choose(space, rank, &values, highest, inside, outside);
}

number128 walk_number_of_name(const char *name)
{
	number128 number = 0;
	bool has_ended = false;
	for (unsigned i = 0; i < NAME_BYTES; i++) {
		has_ended = has_ended || name[i] == '\0';
		number = number << 8 | (has_ended ? 0 : (uint8_t)name[i]);
	}
	return number;
}

const char *walk_name_of_number(void *pool, number128 number)
{
	char bytes[NAME_BYTES];
	for (unsigned i = 0; i < NAME_BYTES; i++)
		bytes[i] = (char)(uint8_t)(number >> (8 * (NAME_BYTES - 1 - i)));
	return pool_strndup(pool, bytes, strnlen(bytes, NAME_BYTES));
}
