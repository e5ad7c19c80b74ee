/* Node by node, each once for an end; as deep as there are fields. */
#include "import/nft_set.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "base/text.h"

struct nft_sets *nft_sets_new(void *pool, struct import_space *space, const struct walk_space *from,
			      bool translates_destinations)
{
	struct nft_sets *sets = pool_new(pool, struct nft_sets);

	*sets = (struct nft_sets){
		.pool = sets, .space = space, .from = from, .unknowns = names_new(sets, false),
		.translates_destinations = translates_destinations,
	};
	return sets;
}

/* --- edges ---------------------------------------------------------------------------------------------- */

struct branch {
	diagram child;
	struct interval values;
};

struct branches {
	struct branch *items;
	size_t count;
};

static int compare_branches(const void *left, const void *right)
{
	const struct branch *a = left, *b = right;

	if (a->child != b->child)
		return a->child < b->child ? -1 : 1;
	return a->values.low < b->values.low ? -1 : a->values.low > b->values.low;
}

/* The edges of a node: as they stand, or those to one child side by side. */
static struct branches branches_of(const struct nft_sets *sets, diagram node, bool is_grouped)
{
	const struct diagram_edges edges = diagram_edges(sets->from->diagrams, node);
	struct branches branches = { pool_array(sets->pool, struct branch, edges.count), edges.count };
	number128 low = 0;

	for (size_t index = 0; index < edges.count; index++) {
		branches.items[index] = (struct branch){ edges.children[index], { low, edges.highs[index] } };
		low = edges.highs[index] + 1;
	}
	if (is_grouped)
		qsort(branches.items, branches.count, sizeof *branches.items, compare_branches);
	return branches;
}

static import_set convert(struct nft_sets *sets, diagram at);

/* Takes the next child and its values. */
static diagram next_group(const struct nft_sets *sets, const struct branches *branches, size_t *index,
			  struct interval_set *values)
{
	const diagram child = branches->items[*index].child;

	*values = (struct interval_set){ 0 };
	for (; *index < branches->count && branches->items[*index].child == child; ++*index)
		interval_set_add(sets->pool, values, branches->items[*index].values.low,
				 branches->items[*index].values.high);
	interval_set_normalise(values);
	return child;
}

/* --- fields --------------------------------------------------------------------------------------------- */

static import_set of_value(struct nft_sets *sets, diagram node, number128 value)
{
	const struct diagram_edges edges = diagram_edges(sets->from->diagrams, node);
	size_t index = 0;

	while (edges.highs[index] < value)
		index++;
	return convert(sets, edges.children[index]);
}

/* A field that both spaces have: the same numbers, up to the field's highest. */
static import_set of_field(struct nft_sets *sets, diagram node, enum import_field field)
{
	struct import_space *space = sets->space;
	const number128 top = import_highest(space, field);
	const struct interval_set whole = { &(struct interval){ 0, top }, 1, 1 };
	const struct branches branches = branches_of(sets, node, true);
	import_set made = import_none();

	for (size_t index = 0; index < branches.count;) {
		struct interval_set values, kept;
		const diagram child = next_group(sets, &branches, &index, &values);

		kept = interval_set_intersect(sets->pool, &values, &whole);
		made = import_union(space, made, import_intersect(space, import_values(space, field, &kept),
								  convert(sets, child)));
	}
	return made;
}

static const char *name_of(const struct nft_sets *sets, uint32_t rank)
{
	const struct walk_unknown *unknown = walk_unknown_of_rank(sets->from, rank);
	const enum walk_field field = walk_field_of_rank(sets->from, rank);

	if (field == WALK_IN || field == WALK_OUT)
		return "a pattern of names of interfaces";
	return unknown != NULL ? unknown->name : walk_field_name(field);
}

/* One for each question. */
static import_set unknown(struct nft_sets *sets, uint32_t rank, const struct interval_set *values)
{
	struct text *key = text_new(sets->pool);
	uintptr_t known;

	text_addf(key, "%u", rank);
	for (size_t index = 0; index < values->items_count; index++) {
		text_add_bytes(key, (const char *)&values->items[index].low, sizeof(number128));
		text_add_bytes(key, (const char *)&values->items[index].high, sizeof(number128));
	}
	known = (uintptr_t)names_find(sets->unknowns, key->bytes, key->length);
	if (known == 0) {
		known = (uintptr_t)import_unknown(sets->space, sets->span, name_of(sets, rank)) + 1;
		names_set(sets->unknowns, key->bytes, key->length, (void *)known);
	}
	return (import_set)(known - 1);
}

static import_set of_unknown(struct nft_sets *sets, diagram node)
{
	struct import_space *space = sets->space;
	const uint32_t rank = diagram_field(sets->from->diagrams, node);
	const struct branches branches = branches_of(sets, node, true);
	import_set made = import_none(), rest = import_all();

	for (size_t index = 0; index < branches.count;) {
		struct interval_set values;
		const diagram child = next_group(sets, &branches, &index, &values);
		import_set here = rest;

		if (index < branches.count)
			here = import_intersect(space, rest, unknown(sets, rank, &values));
		rest = import_subtract(space, rest, here);
		made = import_union(space, made, import_intersect(space, here, convert(sets, child)));
	}
	return made;
}

/* --- interfaces ----------------------------------------------------------------------------------------- */

/* The number of an interface of this space; UINT32_MAX: of nobody who was named. */
static bool is_named(const struct nft_sets *sets, const struct branch *branch, uint32_t *number)
{
	const struct names *names = sets->space->interface_numbers;
	const char *name;
	uintptr_t known;

	if (branch->values.low != branch->values.high || branch->values.low == 0)
		return false;
	name = walk_name_of_number(sets->pool, branch->values.low);
	known = (uintptr_t)names_find(names, name, strlen(name));
	*number = (uint32_t)known - 1;
	return known != 0;
}

static diagram child_of_name(const struct branches *branches, const char *name)
{
	const number128 number = walk_number_of_name(name);
	size_t index = 0;

	while (branches->items[index].values.high < number)
		index++;
	return branches->items[index].child;
}

/* Packets of the interfaces that were named and lead to this child. */
static import_set named(struct nft_sets *sets, const struct branches *branches, enum import_field field,
			diagram child)
{
	struct import_space *space = sets->space;
	struct interval_set numbers = { 0 };

	for (uint32_t number = 0; number < names_count(space->interface_numbers); number++)
		if (child_of_name(branches, import_interface_name(space, number)) == child)
			interval_set_add(sets->pool, &numbers, number, number);
	interval_set_normalise(&numbers);
	return import_values(space, field, &numbers);
}

/* A pattern of names tells interfaces apart that nobody named: which they are, nobody knows. */
static import_set of_interface(struct nft_sets *sets, diagram node, enum import_field field, bool may_lack)
{
	struct import_space *space = sets->space;
	const uint32_t rank = diagram_field(sets->from->diagrams, node);
	const struct branches in_order = branches_of(sets, node, false), grouped = branches_of(sets, node, true);
	import_set others = import_range(space, field, names_count(space->interface_numbers), UINT16_MAX);
	import_set made = import_none(), rest = others;
	diagram last = DIAGRAM_OVER;

	for (size_t index = 0; index < grouped.count;) {
		const size_t begin = index;
		struct interval_set values;
		const diagram child = next_group(sets, &grouped, &index, &values);
		import_set here = named(sets, &in_order, field, child);
		bool has_others = false;
		uint32_t number;

		for (size_t at = begin; at < index; at++)
			has_others = has_others || (!is_named(sets, &grouped.items[at], &number) &&
						    (may_lack || grouped.items[at].values.high != 0));
		made = import_union(space, made, import_intersect(space, here, convert(sets, child)));
		if (!has_others)
			continue;
		if (last != DIAGRAM_OVER) {
			here = import_intersect(space, rest, unknown(sets, rank, &values));
			rest = import_subtract(space, rest, here);
			made = import_union(space, made, import_intersect(space, here, convert(sets, child)));
		} else {
			last = child;
		}
	}
	return import_union(space, made, last == DIAGRAM_OVER ? import_none() :
			    import_intersect(space, rest, convert(sets, last)));
}

/* --- kinds of destinations ------------------------------------------------------------------------------ */

static import_set multicast(struct import_space *space)
{
	if (space->family == FAMILY_IPV4)
		return import_range(space, IMPORT_DESTINATION, 0xe0000000u, 0xefffffffu);
	return import_range(space, IMPORT_DESTINATION, (number128)0xff << 120, family_highest(FAMILY_IPV6));
}

/* Packets whose destination is of this type, as a hook sees them: elsewhere is unicast. */
static import_set of_route_type(struct import_space *space, number128 type)
{
	const import_set broadcast = space->family == FAMILY_IPV4 ?
		import_value(space, IMPORT_DESTINATION, UINT32_MAX) : import_none();
	const import_set special = import_union(space, multicast(space), broadcast);
	import_set route;

	switch ((unsigned)type) {
	case RTN_MULTICAST:
		return multicast(space);
	case RTN_LOCAL:
		route = import_value(space, IMPORT_ROUTE, IMPORT_LOCAL);
		break;
	case RTN_BROADCAST:
		route = import_value(space, IMPORT_ROUTE, IMPORT_BROADCAST);
		break;
	case RTN_UNICAST:
		route = import_value(space, IMPORT_ROUTE, IMPORT_ELSEWHERE);
		break;
	default:
		return import_none();
	}
	route = import_subtract(space, route, special);
	return type == RTN_BROADCAST ? import_union(space, route, broadcast) : route;
}

static import_set of_route(struct nft_sets *sets, diagram node)
{
	static const unsigned types[] = { RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST };
	struct import_space *space = sets->space;
	import_set made = import_none();

	for (size_t index = 0; index < sizeof types / sizeof types[0]; index++) {
		import_set here = import_intersect(space, of_route_type(space, types[index]),
						   of_value(sets, node, types[index]));

		made = import_union(space, made, here);
	}
	return made;
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

static bool has_in(enum nft_place place)
{
	return place != NFT_OUTPUT;
}

static bool has_out(enum nft_place place)
{
	return place == NFT_FORWARD || place == NFT_OUTPUT || place == NFT_POSTROUTING;
}

static import_set convert_node(struct nft_sets *sets, diagram at)
{
	const bool is_ipv6 = sets->space->family == FAMILY_IPV6;

	switch (walk_field_of_rank(sets->from, diagram_field(sets->from->diagrams, at))) {
	case WALK_STATE:
		return of_field(sets, at, IMPORT_STATE);
	case WALK_FAMILY:
		return of_value(sets, at, sets->space->family);
	case WALK_IN:
		return has_in(sets->place) ?
		       of_interface(sets, at, IMPORT_IN, sets->place == NFT_POSTROUTING) : of_value(sets, at, 0);
	case WALK_OUT:
		return has_out(sets->place) ? of_interface(sets, at, IMPORT_OUT, false) : of_value(sets, at, 0);
	case WALK_PROTOCOL:
		return of_field(sets, at, IMPORT_PROTOCOL);
	case WALK_FIRST:
		return of_field(sets, at, IMPORT_FIRST);
	case WALK_DESTINATION:
		return of_field(sets, at, IMPORT_DESTINATION);
	case WALK_SOURCE:
		return of_field(sets, at, IMPORT_SOURCE);
	case WALK_SECOND:
		return of_field(sets, at, IMPORT_SECOND);
	case WALK_HOP_LIMIT:
		return is_ipv6 ? of_field(sets, at, IMPORT_HOP_LIMIT) : of_unknown(sets, at);
	case WALK_ROUTE:
		return of_route(sets, at);
	case WALK_TRANSLATED:
		return sets->translates_destinations ? of_unknown(sets, at) : of_value(sets, at, 0);
	case WALK_TCP_FLAGS:
	case WALK_ORIGINAL_DESTINATION:
	case WALK_ORIGINAL_PORT:
	case WALK_HELPER:
	case WALK_WEEK:
	case WALK_TIME:
	case WALK_FIELDS:
		return of_unknown(sets, at);
	}
	return import_none();
}

static bool is_end(const struct walk_space *from, diagram at)
{
	return diagram_is_leaf(at) || diagram_field(from->diagrams, at) >= walk_first_limit();
}

static import_set convert(struct nft_sets *sets, diagram at)
{
	void **slot;
	import_set made;

	if (is_end(sets->from, at))
		return at == sets->end ? import_all() : import_none();
	slot = interned_slot(sets->known, &at, sizeof at);
	if (*slot != NULL)
		return (import_set)((uintptr_t)*slot - 1);
	made = convert_node(sets, at);
	slot = interned_slot(sets->known, &at, sizeof at); /* others may have moved it */
	*slot = (void *)((uintptr_t)made + 1);
	return made;
}

import_set nft_set_of_end(struct nft_sets *sets, diagram function, diagram end, enum nft_place place,
			  struct span span)
{
	void *pool = sets->pool;
	import_set made;

	sets->pool = pool_child(pool, "conversion");
	sets->place = place;
	sets->span = span;
	sets->end = end;
	sets->known = interned_new(sets->pool, arena_new(sets->pool));
	made = convert(sets, function);
	talloc_free(sets->pool);
	sets->pool = pool;
	return made;
}

/* --- looking through a function ------------------------------------------------------------------------- */

typedef void (*visitor)(void *context, const struct walk_space *from, diagram at);

struct visiting {
	const struct walk_space *from;
	struct interned *seen;
	visitor visit;
	void *context;
};

static void visit_all(struct visiting *visiting, diagram at)
{
	void **slot = interned_slot(visiting->seen, &at, sizeof at);
	const diagram *children;
	size_t count;

	if (*slot != NULL)
		return;
	*slot = visiting;
	visiting->visit(visiting->context, visiting->from, at);
	if (is_end(visiting->from, at))
		return;
	const struct diagram_edges edges = diagram_edges(visiting->from->diagrams, at);
	children = edges.children; /* nothing is computed meanwhile: they stay */
	count = edges.count;
	for (size_t index = 0; index < count; index++)
		visit_all(visiting, children[index]);
}

static void visit_function(const struct walk_space *from, diagram function, visitor visit, void *context)
{
	void *pool = pool_child(from->pool, "visit");
	struct visiting visiting = {
		.from = from, .seen = interned_new(pool, arena_new(pool)), .visit = visit, .context = context,
	};

	if (function != DIAGRAM_OVER)
		visit_all(&visiting, function);
	talloc_free(pool);
}

struct ending {
	void *pool;
	struct nft_ends ends;
};

static void take_end(void *context, const struct walk_space *from, diagram at)
{
	struct ending *ending = context;

	if (is_end(from, at))
		*pool_append(ending->pool, &ending->ends, items) = at;
}

struct nft_ends nft_ends_of(void *pool, const struct walk_space *from, diagram function)
{
	struct ending ending = { .pool = pool };

	visit_function(from, function, take_end, &ending);
	return ending.ends;
}

static void take_names(void *context, const struct walk_space *from, diagram at)
{
	struct names *interfaces = context;
	struct diagram_edges edges;
	enum walk_field field;
	number128 low = 0;

	if (is_end(from, at))
		return;
	field = walk_field_of_rank(from, diagram_field(from->diagrams, at));
	if (field != WALK_IN && field != WALK_OUT)
		return;
	edges = diagram_edges(from->diagrams, at);
	for (size_t index = 0; index < edges.count; index++) {
		if (low == edges.highs[index] && low != 0) {
			const char *name = walk_name_of_number(from->pool, low);

			names_set(interfaces, name, strlen(name), interfaces);
		}
		low = edges.highs[index] + 1;
	}
}

void nft_sets_learn(struct names *interfaces, const struct walk_space *from, diagram function)
{
	visit_function(from, function, take_names, interfaces);
}
