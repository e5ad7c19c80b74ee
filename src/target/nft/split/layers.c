/* First each unit is turned into its boxes, then they are put on levels, then as many levels are kept as pay.
 *
 * Levels are handed out in the list's order. A unit that cannot be placed (no boxes, too many, no level that
 * is free) is left, and so is every later one that conflicts with it: behind the maps their order is kept.
 * So the first levels alone are right too, with the units of the others left. */
#include "target/nft/split/layers.h"

#include <string.h>

#include "base/pool.h"
#include "base/text.h"
#include "net/protocol.h"
#include "net/tuple.h"
#include "optimise/costs.h"
#include "optimise/level.h"
#include "target/nft/emit/emit.h"
#include "target/nft/emit/once.h"
#include "target/nft/model/field.h"
#include "target/nft/report/report.h"
#include "target/nft/split/overlap.h"
#include "target/nft/split/size.h"

enum side { SIDE_DESTINATION, SIDE_SOURCE, SIDE_PORT };
#define SIDES 3

enum {
	LEVELS_MOST = 8,
	PLANES_MOST = 8,
	UNIT_BOXES_MOST = 32,
	UNIT_PIECES_MOST = 64,
	LIST_BOXES_MOST = 2048,
	LEAF_SETS_SHARE = 4,      /* leaves that are layers have one in so many sets */
	UNITS_LEAST = 4,          /* of a map */
	CORNERS = 16,             /* that stand for packets */
	NOT_PLACED = 255,
};

/* Packets of a family and a protocol; PROTOCOL_ANY: its maps do not ask for ports. */
struct plane {
	uint8_t family;
	uint16_t protocol;
	size_t units;
};

struct box {
	struct interval sides[SIDES];
	uint32_t position; /* of the unit: in the list, then in what is taken */
	uint8_t plane;
	bool is_final;     /* the unit decides about every packet in it */
};

struct pieces {
	struct box *items;
	size_t items_count, items_capacity;
};

struct layer {
	struct plane plane;
	struct box *boxes;
	size_t boxes_count, boxes_capacity;
	enum side order[SIDES];
	size_t sides_count; /* that are looked up */
	unsigned lookup;    /* nanoseconds */
};

struct building {
	struct lower *lower;
	void *pool;
	const struct entry *list;
	size_t count;
	rest_coster rest;
	unsigned family; /* of every packet that gets here, of FAMILIES_*; FAMILIES_BOTH: either */
	struct plane planes[PLANES_MOST];
	size_t planes_count;
	struct box *boxes; /* of all units, in their order */
	size_t boxes_count, boxes_capacity;
	size_t *first; /* of each unit's, and behind the last */
	uint8_t *levels; /* of each unit */
	unsigned levels_count;
	struct layer grid[LEVELS_MOST][PLANES_MOST]; /* boxes that are placed */
	struct pieces pieces; /* of the unit that is being placed */
	size_t pieces_count;  /* that are placed */
};

/* --- boxes -------------------------------------------------------------------------------- */

static unsigned side_bits(enum side side, unsigned family)
{
	return side == SIDE_PORT ? 16 : family == FAMILIES_IPV4 ? 32 : 128;
}

static struct interval whole_side(enum side side, unsigned family)
{
	unsigned bits = side_bits(side, family);
	return (struct interval){ 0, bits == 128 ? ~(number128)0 : ((number128)1 << bits) - 1 };
}

static unsigned entry_family(const struct building *building, struct entry entry)
{
	unsigned family = building->lower->units[entry.unit].family;
	return family == FAMILIES_BOTH ? building->family : family;
}

/* Whole protocols that have ports are all of their ports: connection tracking takes what is too short to have
 * any for invalid, but packets that are not tracked may be as short as that. */
static bool is_all_ports(const struct lower *lower, const struct service_group *group)
{
	if (group->kind != SERVICE_PROTOCOL || lower->ruleset->has_stateless)
		return false;
	for (size_t i = 0; i < group->protocols.items_count; i++)
		for (number128 k = group->protocols.items[i].low; k <= group->protocols.items[i].high; k++)
			if (k != PROTOCOL_TCP && k != PROTOCOL_UDP)
				return false;
	return true;
}

static bool asks_ports(const struct lower *lower, struct entry entry)
{
	const struct service_group *group = &lower->groups[lower->units[entry.unit].group];
	return (entry_needs(lower, entry) & NEED_SERVICE) != 0 &&
	       (group->kind == SERVICE_NARROW || group->kind == SERVICE_WIDE || is_all_ports(lower, group));
}

/* What the entry asks of services, as protocols with ranges of ports. */
static struct tuple_set tuples_of(const struct building *building, struct entry entry)
{
	const struct lower *lower = building->lower;
	const struct service_group *group = &lower->groups[lower->units[entry.unit].group];
	struct tuple_set tuples = { 0 };
	struct service_tuple all = { .protocol = PROTOCOL_ANY, .first = { 0, UINT16_MAX } };
	if (!asks_ports(lower, entry)) {
		*pool_append(building->pool, &tuples, tuples) = all;
		return tuples;
	}
	for (size_t i = 0; i < group->tuples_count; i++)
		*pool_append(building->pool, &tuples, tuples) = group->tuples[i];
	for (size_t i = 0; i < group->protocols.items_count; i++)
		for (number128 k = group->protocols.items[i].low; k <= group->protocols.items[i].high; k++) {
			all.protocol = (uint16_t)k;
			*pool_append(building->pool, &tuples, tuples) = all;
		}
	return tuples;
}

static bool decides(const struct lower *lower, struct entry entry, bool has_ports)
{
	entry.done |= NEED_FAMILY | NEED_ADDRESSES | (has_ports ? (uint32_t)NEED_SERVICE : 0u);
	return entry_is_final(lower, entry);
}

/* Its number; PLANES_MOST: there are too many. */
static size_t plane_of(struct building *building, unsigned family, uint16_t protocol)
{
	size_t number = 0;
	while (number < building->planes_count && (building->planes[number].family != family ||
						   building->planes[number].protocol != protocol))
		number++;
	if (number == building->planes_count && number < PLANES_MOST)
		building->planes[building->planes_count++] = (struct plane){ (uint8_t)family, protocol, 0 };
	return number;
}

static struct interval_set side_of(const struct building *building, struct entry entry, enum side side,
				   struct interval *whole)
{
	const struct unit *unit = &building->lower->units[entry.unit];
	uint32_t needs = entry_needs(building->lower, entry);
	const struct interval_set *set = side == SIDE_SOURCE ? unit->source : unit->destination;
	if ((needs & (side == SIDE_SOURCE ? NEED_SOURCE : NEED_DESTINATION)) != 0)
		return *set;
	*whole = whole_side(side, entry_family(building, entry));
	return (struct interval_set){ whole, 1, 1 };
}

static void add_box(struct building *building, const struct box *box)
{
	*pool_append(building->pool, building, boxes) = *box;
}

/* The product of the unit's addresses, with the ports of one tuple. */
static void add_product(struct building *building, const struct interval_set *from, const struct interval_set *to,
			struct box box)
{
	for (size_t i = 0; i < to->items_count; i++)
		for (size_t k = 0; k < from->items_count; k++) {
			box.sides[SIDE_DESTINATION] = to->items[i];
			box.sides[SIDE_SOURCE] = from->items[k];
			add_box(building, &box);
		}
}

/* false: the unit has no boxes, or too many. */
static bool add_boxes(struct building *building, uint32_t position)
{
	struct entry entry = building->list[position];
	const struct lower *lower = building->lower;
	unsigned family = entry_family(building, entry);
	bool has_ports = asks_ports(lower, entry);
	struct interval whole[2];
	if (family == FAMILIES_BOTH || (!has_ports && (entry_needs(lower, entry) & NEED_ADDRESSES) == 0))
		return false;
	struct interval_set from = side_of(building, entry, SIDE_SOURCE, &whole[0]);
	struct interval_set to = side_of(building, entry, SIDE_DESTINATION, &whole[1]);
	struct tuple_set tuples = tuples_of(building, entry);
	if (from.items_count > UNIT_BOXES_MOST || to.items_count > UNIT_BOXES_MOST ||
	    from.items_count * to.items_count * tuples.tuples_count > UNIT_BOXES_MOST)
		return false;
	for (size_t i = 0; i < tuples.tuples_count; i++) {
		const struct service_tuple *tuple = &tuples.tuples[i];
		size_t plane = plane_of(building, family, tuple->protocol);
		struct box box = {
			.position = position, .plane = (uint8_t)plane,
			.is_final = decides(lower, entry, has_ports),
		};
		if (plane == PLANES_MOST)
			return false;
		box.sides[SIDE_PORT] = (struct interval){ tuple->first.low, tuple->first.high };
		add_product(building, &from, &to, box);
	}
	return true;
}

/* Units that stand for lists of others decide in many ways: nothing may change places with them. */
static bool has_lists(const struct building *building)
{
	for (size_t i = 0; i < building->count; i++)
		if (tail_is_list(building->lower->units[building->list[i].unit].tail))
			return true;
	return false;
}

/* false: the list is not worth it. */
static bool make_boxes(struct building *building)
{
	if (has_lists(building))
		return false;
	building->first = pool_array(building->pool, size_t, building->count + 1);
	for (size_t i = 0; i < building->count; i++) {
		size_t before = building->boxes_count;
		building->first[i] = before;
		if (!add_boxes(building, (uint32_t)i))
			building->boxes_count = before;
		for (size_t k = before; k < building->boxes_count; k++)
			building->planes[building->boxes[k].plane].units++;
	}
	building->first[building->count] = building->boxes_count;
	return building->boxes_count >= UNITS_LEAST && building->boxes_count <= LIST_BOXES_MOST;
}

/* --- levels ------------------------------------------------------------------------------- */

static bool boxes_meet(const struct box *a, const struct box *b)
{
	for (enum side side = SIDE_DESTINATION; side <= SIDE_PORT; side++)
		if (a->sides[side].high < b->sides[side].low || b->sides[side].high < a->sides[side].low)
			return false;
	return true;
}

static bool conflicts(const struct building *building, size_t a, size_t b)
{
	const struct lower *lower = building->lower;
	const struct entry *list = building->list;
	return lower->units[list[a].unit].tail->outcome != lower->units[list[b].unit].tail->outcome &&
	       entries_overlap(lower, list[a], list[b]);
}

/* The first level that is above the conflicts; LEVELS_MOST: none is. */
static unsigned least_level(const struct building *building, size_t position)
{
	unsigned least = 0;
	for (size_t i = 0; i < position; i++) {
		unsigned level = building->levels[i];
		if (level < least || !conflicts(building, i, position))
			continue;
		if (level == NOT_PLACED)
			return LEVELS_MOST;
		least = level + 1;
	}
	return least;
}

/* What of the box lies outside of the other, that it meets: below it and above it, side by side. */
static void add_outside(void *pool, struct pieces *pieces, struct box box, const struct box *other)
{
	for (enum side side = SIDE_DESTINATION; side <= SIDE_PORT; side++) {
		struct interval own = box.sides[side], cut = other->sides[side];
		if (own.low < cut.low) {
			box.sides[side] = (struct interval){ own.low, cut.low - 1 };
			*pool_append(pool, pieces, items) = box;
			own.low = cut.low;
		}
		if (own.high > cut.high) {
			box.sides[side] = (struct interval){ cut.high + 1, own.high };
			*pool_append(pool, pieces, items) = box;
			own.high = cut.high;
		}
		box.sides[side] = own;
	}
}

/* The box without those that stand in the map already. They have its outcome, or they would be on a lower level;
 * only those that decide about every packet in them can be left to do it. false: it stays in the way of one, or
 * too many pieces are left. */
static bool cut_out(const struct building *building, const struct layer *layer, const struct box *box,
		    struct pieces *pieces)
{
	struct pieces other = { 0 };
	size_t before = pieces->items_count;
	*pool_append(building->pool, pieces, items) = *box;
	for (size_t i = 0; i < layer->boxes_count; i++) {
		const struct box *standing = &layer->boxes[i];
		if (!boxes_meet(standing, box))
			continue;
		if (!standing->is_final)
			return false;
		other.items_count = 0;
		for (size_t k = before; k < pieces->items_count; k++)
			if (boxes_meet(standing, &pieces->items[k]))
				add_outside(building->pool, &other, pieces->items[k], standing);
			else
				*pool_append(building->pool, &other, items) = pieces->items[k];
		pieces->items_count = before;
		for (size_t k = 0; k < other.items_count; k++)
			*pool_append(building->pool, pieces, items) = other.items[k];
		if (pieces->items_count > UNIT_PIECES_MOST)
			return false;
	}
	return true;
}

/* Puts the unit's boxes on the level, or none of them. */
static bool place_at(struct building *building, size_t position, unsigned level)
{
	struct pieces *pieces = &building->pieces;
	pieces->items_count = 0;
	for (size_t i = building->first[position]; i < building->first[position + 1]; i++) {
		const struct box *box = &building->boxes[i];
		if (!cut_out(building, &building->grid[level][box->plane], box, pieces))
			return false;
	}
	if (building->pieces_count + pieces->items_count > LIST_BOXES_MOST)
		return false;
	building->pieces_count += pieces->items_count;
	for (size_t i = 0; i < pieces->items_count; i++)
		*pool_append(building->pool, &building->grid[level][pieces->items[i].plane], boxes) =
			pieces->items[i];
	return true;
}

static bool has_large_planes(const struct building *building, size_t position)
{
	for (size_t i = building->first[position]; i < building->first[position + 1]; i++)
		if (building->planes[building->boxes[i].plane].units < UNITS_LEAST)
			return false;
	return true;
}

static unsigned place(struct building *building, size_t position)
{
	if (building->first[position] == building->first[position + 1] || !has_large_planes(building, position))
		return NOT_PLACED;
	for (unsigned level = least_level(building, position); level < LEVELS_MOST; level++)
		if (place_at(building, position, level))
			return level;
	return NOT_PLACED;
}

static void make_levels(struct building *building)
{
	building->levels = pool_array(building->pool, uint8_t, building->count);
	for (size_t i = 0; i < building->count; i++) {
		unsigned level = place(building, i);
		building->levels[i] = (uint8_t)level;
		if (level != NOT_PLACED && level >= building->levels_count)
			building->levels_count = level + 1;
	}
}

/* --- maps --------------------------------------------------------------------------------- */

/* As the kernel does: nft_set_pipapo.c, pipapo_expand. */
static unsigned count_prefixes(struct interval interval, unsigned bits)
{
	unsigned count = 1;
	number128 low = interval.low;
	if (low == 0 && interval.high == whole_side(SIDE_SOURCE, FAMILIES_IPV6).high)
		return 1;
	for (;; count++) {
		unsigned free = 0;
		while (free < bits && (low >> free & 1) == 0 && ((number128)2 << free) - 1 <= interval.high - low)
			free++;
		number128 last = low + (((number128)1 << free) - 1);
		if (last == interval.high)
			return count;
		low = last + 1;
	}
}

/* Boxes that a field leaves are followed into the next one by one. Of packets at the corners of some boxes: how
 * many boxes the sides in this order leave, but for the last one. */
static uint64_t boxes_followed(const struct layer *layer, const enum side *order, size_t count)
{
	size_t step = layer->boxes_count / CORNERS + 1, corners = 0;
	uint64_t followed = 0;
	for (size_t at = 0; at < layer->boxes_count; at += step, corners++)
		for (size_t i = 0; i < layer->boxes_count; i++)
			for (size_t k = 0; k + 1 < count; k++) {
				const struct interval *side = &layer->boxes[i].sides[order[k]];
				number128 value = layer->boxes[at].sides[order[k]].low;
				if (value < side->low || side->high < value)
					break;
				followed++;
			}
	return followed / corners;
}

static bool is_wild(const struct layer *layer, enum side side)
{
	struct interval whole = whole_side(side, layer->plane.family);
	for (size_t i = 0; i < layer->boxes_count; i++)
		if (layer->boxes[i].sides[side].low != 0 || layer->boxes[i].sides[side].high != whole.high)
			return false;
	return true;
}

/* Ports are looked up where their protocol has been compared; addresses that tell nothing apart are not, if two
 * sides are left. */
static void choose_sides(struct layer *layer)
{
	bool has_ports = layer->plane.protocol != PROTOCOL_ANY;
	bool has_source = !has_ports || !is_wild(layer, SIDE_SOURCE);
	if (!has_ports || !has_source || !is_wild(layer, SIDE_DESTINATION))
		layer->order[layer->sides_count++] = SIDE_DESTINATION;
	if (has_source)
		layer->order[layer->sides_count++] = SIDE_SOURCE;
	if (has_ports)
		layer->order[layer->sides_count++] = SIDE_PORT;
}

/* The order that leaves fewest boxes to be followed; gives how many. */
static uint64_t order_sides(struct layer *layer)
{
	static const enum side orders[][SIDES] = {
		{ SIDE_DESTINATION, SIDE_SOURCE, SIDE_PORT }, { SIDE_SOURCE, SIDE_DESTINATION, SIDE_PORT },
		{ SIDE_DESTINATION, SIDE_PORT, SIDE_SOURCE }, { SIDE_SOURCE, SIDE_PORT, SIDE_DESTINATION },
		{ SIDE_PORT, SIDE_DESTINATION, SIDE_SOURCE }, { SIDE_PORT, SIDE_SOURCE, SIDE_DESTINATION },
	};
	uint64_t least = UINT64_MAX;
	unsigned sides = 0;
	for (size_t i = 0; i < layer->sides_count; i++)
		sides |= 1u << layer->order[i];
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		enum side order[SIDES];
		size_t count = 0;
		for (size_t k = 0; k < SIDES; k++)
			if ((sides >> orders[i][k] & 1) != 0)
				order[count++] = orders[i][k];
		uint64_t followed = boxes_followed(layer, order, count);
		if (followed >= least)
			continue;
		least = followed;
		memcpy(layer->order, order, count * sizeof *order);
	}
	return least;
}

static void weigh(struct layer *layer, uint64_t followed)
{
	uint64_t prefix_bytes = 0;
	for (size_t i = 0; i < layer->sides_count; i++) {
		unsigned bits = side_bits(layer->order[i], layer->plane.family);
		for (size_t k = 0; k < layer->boxes_count; k++)
			prefix_bytes += count_prefixes(layer->boxes[k].sides[layer->order[i]], bits) * (bits / 8);
	}
	bool is_ipv6 = layer->plane.family == FAMILIES_IPV6;
	layer->lookup = cost_ranges(is_ipv6, (unsigned)layer->sides_count, prefix_bytes) +
			(unsigned)(followed * COST_BOX);
}

/* The map of a plane and level; false: it has no boxes. */
static bool make_layer(const struct building *building, size_t plane, unsigned level, struct layer *layer)
{
	*layer = building->grid[level][plane];
	layer->plane = building->planes[plane];
	if (layer->boxes_count == 0)
		return false;
	choose_sides(layer);
	weigh(layer, order_sides(layer));
	return true;
}

/* --- what it costs ------------------------------------------------------------------------ */

/* What a packet of the plane pays in a map that it is looked up in, or that is not for it. */
static unsigned layer_cost(const struct layer *layer, const struct plane *plane)
{
	if (layer->plane.family != plane->family)
		return COST_FAMILY + COST_PROTOCOL;
	if (layer->plane.protocol == PROTOCOL_ANY || layer->plane.protocol == plane->protocol)
		return layer->lookup;
	return COST_PROTOCOL;
}

static uint32_t answered_by(const struct layer *layer)
{
	return NEED_FAMILY | NEED_ADDRESSES | (layer->plane.protocol == PROTOCOL_ANY ? 0u : (uint32_t)NEED_SERVICE);
}

/* What the unit asks once its box is found. */
static unsigned behind_cost(const struct lower *lower, struct entry entry)
{
	bool is_verdict = entry_needs(lower, entry) == 0 && lower->units[entry.unit].tail->is_verdict;
	return is_verdict ? 0 : COST_JUMP + COST_FAR + emit_match_cost(lower, entry);
}

/* Half of the packets are of a box, the others pass all maps. */
static uint64_t maps_cost(const struct building *building, const struct layers *layers)
{
	uint64_t match = 0, miss = 0, seen = 0;
	for (size_t i = 0; i < layers->items_count; i++) {
		const struct layer *own = &layers->items[i];
		uint64_t before = 0, all = 0, behind = 0;
		for (size_t k = 0; k < layers->items_count; k++) {
			all += layer_cost(&layers->items[k], &own->plane);
			before += k <= i ? layer_cost(&layers->items[k], &own->plane) : 0;
		}
		for (size_t k = 0; k < own->boxes_count; k++) {
			struct entry entry = building->list[own->boxes[k].position];
			entry.done |= answered_by(own);
			behind += behind_cost(building->lower, entry);
		}
		match += before * own->boxes_count + behind;
		miss += all * own->boxes_count;
		seen += own->boxes_count;
	}
	return seen == 0 ? 0 : (match + miss) / seen / 2;
}

static uint64_t rest_cost(const struct building *building, unsigned levels)
{
	uint64_t cost = 0;
	for (size_t i = 0; i < building->count; i++)
		if (building->levels[i] >= levels)
			cost += emit_cost(building->lower, building->list[i]);
	return building->rest(cost);
}

/* The first levels that pay, and the maps of them. */
static bool choose_levels(struct building *building, struct layers *layers, unsigned *levels)
{
	uint64_t least = UINT64_MAX;
	size_t maps = 0;
	for (unsigned level = 0; level < building->levels_count; level++) {
		for (size_t plane = 0; plane < building->planes_count; plane++) {
			struct layer layer;
			if (!make_layer(building, plane, level, &layer))
				continue;
			*pool_append(building->pool, layers, items) = layer;
		}
		uint64_t own = maps_cost(building, layers), all = own + rest_cost(building, level + 1);
		if (all >= least)
			continue;
		least = all;
		layers->cost = (unsigned)own;
		*levels = level + 1;
		maps = layers->items_count;
	}
	layers->items_count = maps;
	return maps != 0;
}

/* --- the result --------------------------------------------------------------------------- */

/* Boxes know their unit by its place among those that are taken from now on. */
static void share_out(const struct building *building, struct layers *layers, unsigned levels)
{
	uint32_t *numbers = pool_array(building->pool, uint32_t, building->count);
	bool *has_box = pool_array(building->pool, bool, building->count);
	for (size_t i = 0; i < layers->items_count; i++)
		layers->elements += layers->items[i].boxes_count;
	for (size_t i = 0; i < layers->items_count; i++)
		for (size_t k = 0; k < layers->items[i].boxes_count; k++)
			has_box[layers->items[i].boxes[k].position] = true;
	layers->taken = pool_array(building->pool, struct entry, building->count);
	layers->rest = pool_array(building->pool, struct entry, building->count);
	for (size_t i = 0; i < building->count; i++) {
		numbers[i] = (uint32_t)layers->taken_count;
		if (has_box[i])
			layers->taken[layers->taken_count++] = building->list[i];
		else if (building->levels[i] >= levels) /* the others are covered by boxes of their level */
			layers->rest[layers->rest_count++] = building->list[i];
	}
	for (size_t i = 0; i < layers->items_count; i++) {
		const struct layer *layer = &layers->items[i];
		for (size_t k = 0; k < layer->boxes_count; k++) {
			layer->boxes[k].position = numbers[layer->boxes[k].position];
			layers->taken[layer->boxes[k].position].done |= answered_by(layer);
		}
	}
}

/* Maps are few: a leaf that some packets get to takes no more of them than a cut does. */
static bool has_room(const struct lower *lower, size_t maps, unsigned level)
{
	size_t sets = lower_sets_chosen(lower) + maps, most = lower->sets_most;
	bool is_thrifty = level == 1 || maps == 1 || sets * LEAF_SETS_SHARE <= most;
	return is_thrifty && sets + lower->sets_kept <= most;
}

void layers_drop(struct layers *layers)
{
	if (layers != NULL)
		talloc_free(layers->pool);
}

struct layers *layers_new(struct lower *lower, const struct entry *list, size_t count, unsigned level,
			  rest_coster rest)
{
	unsigned excluded = level == 1 ? lower->limits->excluded : 0;
	if (count < UNITS_LEAST || count > LAYERS_LIST_MOST || (excluded & OPTIMISE_NOT_ADDRESSES) != 0)
		return NULL;
	void *pool = pool_child(lower->scratch, "layers");
	struct layers *layers = pool_new(pool, struct layers);
	struct building building = {
		.lower = lower, .pool = pool, .list = list, .count = count, .rest = rest,
		.family = entries_family(lower, list, count),
	};
	unsigned levels = 0;
	layers->pool = pool;
	bool is_found = make_boxes(&building);
	if (is_found)
		make_levels(&building);
	is_found = is_found && choose_levels(&building, layers, &levels) &&
		   has_room(lower, layers->items_count, level);
	if (!is_found) {
		talloc_free(pool);
		return NULL;
	}
	share_out(&building, layers, levels);
	layers->price = size_price_of_maps(lower, layers->elements, (struct list){ list, count },
					   (struct list){ layers->rest, layers->rest_count });
	return layers;
}

/* --- writing ------------------------------------------------------------------------------ */

static enum nft_field side_field(enum side side, unsigned family)
{
	bool is_ipv4 = family == FAMILIES_IPV4;
	switch (side) {
	case SIDE_DESTINATION:
		return is_ipv4 ? NFT_FIELD_IP_DADDR : NFT_FIELD_IP6_DADDR;
	case SIDE_SOURCE:
		return is_ipv4 ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP6_SADDR;
	case SIDE_PORT:
		break;
	}
	return NFT_FIELD_TH_DPORT;
}

static const struct nft_set *write_map(struct lower *lower, const struct layer *layer, const struct layers *layers,
				 const struct goal *goals)
{
	enum nft_field fields[SIDES];
	for (size_t i = 0; i < layer->sides_count; i++)
		fields[i] = side_field(layer->order[i], layer->plane.family);
	const char *kind = layer->plane.family == FAMILIES_IPV4 ? "boxes4" : "boxes6";
	struct nft_set *map = lower_set(lower, NULL, fields, layer->sides_count);
	map->is_verdict_map = true;
	map->is_interval = true;
	map->range_cost = layer->lookup;
	lower_elements(lower, map, layer->boxes_count);
	for (size_t i = 0; i < layer->boxes_count; i++) {
		const struct box *box = &layer->boxes[i];
		const struct tail *tail = lower->units[layers->taken[box->position].unit].tail;
		struct nft_element *element = lower_element(map);
		for (size_t k = 0; k < map->fields_count; k++)
			nft_element_set(map, element, k, box->sides[layer->order[k]].low,
					box->sides[layer->order[k]].high);
		element->verdict = goals[box->position].verdict.kind;
		element->chain = goals[box->position].verdict.chain;
		element->comment = tail->comment;
		element->origin = tail->origin;
	}
	return map_once(lower, map, kind);
}

void layers_write(struct lower *lower, struct draft *draft, const struct layers *layers, const struct goal *goals)
{
	unsigned height = 0;
	for (size_t i = 0; i < layers->taken_count; i++)
		height = goals[i].height > height ? goals[i].height : height;
	for (size_t i = 0; i < layers->items_count; i++) {
		const struct layer *layer = &layers->items[i];
		const struct nft_set *map = write_map(lower, layer, layers, goals);
		struct rule_draft rule;
		rule.items_count = 0;
		if (layer->plane.protocol != PROTOCOL_ANY)
			rule_add(&rule, match_equal(NFT_FIELD_L4PROTO, layer->plane.protocol));
		rule_add(&rule, (struct nft_statement){
			.kind = NFT_VMAP, .fields = map->fields, .fields_count = (uint8_t)map->fields_count,
			.set = map,
		});
		rule_end(lower, draft, &rule, height);
	}
}

const char *layers_words(const struct lower *lower, const struct layers *layers)
{
	if (lower->choice == NULL)
		return NULL;
	struct text *out = text_new(lower->settings->report->pool);
	size_t maps = layers->items_count, elements = layers->elements;
	if (maps == 1)
		text_add(out, "a map of boxes of addresses and ports");
	else
		text_addf(out, "%zu maps of boxes of addresses and ports, level by level", maps);
	text_addf(out, ", %zu element%s", elements, elements == 1 ? "" : "s");
	if (layers->rest_count != 0)
		text_addf(out, ", %zu line%s left", layers->rest_count, layers->rest_count == 1 ? "" : "s");
	return out->bytes;
}
