/* The pieces of one field are swept from its lowest value on, with the diagrams that have something to say there:
 * mostly few, and the work is that of reading them. Where many say something everywhere, pieces would look at the
 * same ones again and again: such a list is halved, each half is made, and the two are put together as any two. */
#include "analyse/diagram_all.h"

#include <string.h>

#include "base/pool.h"

#define KNOWN_LEAST 64u
/* Diagrams in all pieces of a sweep together, for each span that is swept. */
#define WORK_A_SPAN 4u

/* A piece of one diagram's row that is not leaf 0. */
struct span {
	number128 low, high;
	uint32_t place; /* of the diagram in the list */
	diagram child;
};

/* A span that holds where a sweep is. */
struct held {
	number128 high;
	uint32_t place;
	diagram child;
};

struct known {
	uint64_t hash;
	size_t first, count; /* in lists; count 0: none */
	diagram made;
};

/* Stacks: who puts something on one takes it away again. */
struct all {
	void *pool;
	struct diagrams *diagrams;
	const struct diagram_joining *joining;
	diagram *items;
	size_t items_count, items_capacity;
	struct span *spans;
	size_t spans_count, spans_capacity;
	struct span *room; /* to sort them */
	size_t room_capacity;
	struct held *open; /* of a sweep, by place */
	size_t open_count, open_capacity;
	/* lists that were made */
	struct known *known;
	size_t known_count, known_size;
	diagram *lists;
	size_t lists_count, lists_capacity;
};

static diagram make(struct all *all, size_t first);

static diagram apply(struct all *all, diagram a, diagram b)
{
	return diagram_apply(all->diagrams, all->joining->operation, a, b);
}

static void push(struct all *all, diagram item)
{
	*pool_append(all->pool, all, items) = item;
}

/* --- lists that were made ----------------------------------------------------------------------------- */

static uint64_t hash_of(const diagram *items, size_t count)
{
	uint64_t hash = count;
	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ items[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash;
}

static struct known *place_of(const struct all *all, uint64_t hash, const diagram *items, size_t count)
{
	for (size_t at = hash & (all->known_size - 1);; at = (at + 1) & (all->known_size - 1)) {
		struct known *known = &all->known[at];
		if (known->count == 0 || (known->hash == hash && known->count == count &&
					  memcmp(all->lists + known->first, items, count * sizeof *items) == 0))
			return known;
	}
}

static void grow_known(struct all *all)
{
	struct known *before = all->known;
	size_t size = all->known_size;
	all->known_size = size == 0 ? KNOWN_LEAST : size * 2;
	all->known = pool_array(all->pool, struct known, all->known_size);
	for (size_t i = 0; i < size; i++)
		if (before[i].count != 0)
			*place_of(all, before[i].hash, all->lists + before[i].first, before[i].count) = before[i];
	talloc_free(before);
}

static void keep(struct all *all, uint64_t hash, const diagram *items, size_t count, diagram made)
{
	if ((all->known_count + 1) * 2 > all->known_size)
		grow_known(all);
	struct known *known = place_of(all, hash, items, count);
	*known = (struct known){ hash, all->lists_count, count, made };
	all->lists = pool_room(all->pool, all->lists, &all->lists_capacity, all->lists_count + count,
			       sizeof *all->lists);
	memcpy(all->lists + all->lists_count, items, count * sizeof *items);
	all->lists_count += count;
	all->known_count++;
}

/* --- spans -------------------------------------------------------------------------------------------- */

/* From the row's first to its last. */
static void add_spans(struct all *all, uint32_t field, size_t place, diagram item)
{
	const bool is_asked = diagram_field(all->diagrams, item) == field;
	const struct diagram_edges edges =
		is_asked ? diagram_edges(all->diagrams, item)
			 : (struct diagram_edges){ &(const number128){ DIAGRAM_HIGHEST }, &item, 1 };
	all->spans = pool_room(all->pool, all->spans, &all->spans_capacity, all->spans_count + edges.count,
			       sizeof *all->spans);
	struct span *at = all->spans + all->spans_count;
	number128 low = 0;
	for (size_t i = 0; i < edges.count; i++) {
		if (edges.children[i] != diagram_leaf(0))
			*at++ = (struct span){ low, edges.highs[i], (uint32_t)place, edges.children[i] };
		low = edges.highs[i] + 1;
	}
	all->spans_count = (size_t)(at - all->spans);
}

/* By where they begin; those that begin together stay by place. The rows that they come from are sorted, and most
 * follow each other. Depth: log2 of their number. */
static void sort_spans(struct span *spans, size_t count, struct span *room)
{
	size_t left = count / 2, moved = 0, at = 0;
	if (count < 2)
		return;
	sort_spans(spans, left, room);
	sort_spans(spans + left, count - left, room);
	if (spans[left - 1].low <= spans[left].low)
		return;
	memcpy(room, spans, left * sizeof *spans);
	for (size_t right = left; moved < left; at++) {
		bool is_left = right == count || room[moved].low <= spans[right].low;
		spans[at] = is_left ? room[moved++] : spans[right++];
	}
}

static void sort_from(struct all *all, size_t first)
{
	size_t count = all->spans_count - first;
	all->room = pool_room(all->pool, all->room, &all->room_capacity, count, sizeof *all->room);
	sort_spans(all->spans + first, count, all->room);
}

/* --- sweeping ----------------------------------------------------------------------------------------- */

struct sweep {
	size_t next, end;  /* the span that begins next; where its spans end */
	size_t open;       /* where its open spans begin */
	number128 least;   /* of where these end */
	number128 low, high; /* of the piece */
};

static void open_span(struct all *all, struct sweep *sweep, const struct span *span)
{
	size_t at = all->open_count;
	all->open = pool_room(all->pool, all->open, &all->open_capacity, all->open_count + 1, sizeof *all->open);
	all->open_count++;
	for (; at > sweep->open && all->open[at - 1].place > span->place; at--)
		all->open[at] = all->open[at - 1];
	all->open[at] = (struct held){ span->high, span->place, span->child };
	sweep->least = span->high < sweep->least ? span->high : sweep->least;
}

/* The piece that begins at sweep->low. */
static void find_piece(struct all *all, struct sweep *sweep)
{
	while (sweep->next < sweep->end && all->spans[sweep->next].low == sweep->low)
		open_span(all, sweep, &all->spans[sweep->next++]);
	sweep->high = sweep->least;
	if (sweep->next < sweep->end && all->spans[sweep->next].low - 1 < sweep->high)
		sweep->high = all->spans[sweep->next].low - 1;
}

/* false: it was the last. */
static bool leave_piece(struct all *all, struct sweep *sweep)
{
	size_t kept = sweep->open;
	if (sweep->least == sweep->high) {
		sweep->least = DIAGRAM_HIGHEST;
		for (size_t i = sweep->open; i < all->open_count; i++) {
			const number128 high = all->open[i].high;
			if (high == sweep->high)
				continue;
			sweep->least = high < sweep->least ? high : sweep->least;
			all->open[kept++] = all->open[i];
		}
		all->open_count = kept;
	}
	sweep->low = sweep->high + 1;
	return sweep->high != DIAGRAM_HIGHEST;
}

static struct sweep sweep_of(const struct all *all, size_t first)
{
	return (struct sweep){
		.next = first, .end = all->spans_count, .open = all->open_count, .least = DIAGRAM_HIGHEST,
	};
}

/* Do few spans hold at most places? */
static bool is_thin(struct all *all, size_t first)
{
	struct sweep sweep = sweep_of(all, first);
	size_t left = WORK_A_SPAN * (all->spans_count - first);
	bool is_thin = true, goes_on = true;
	while (goes_on && is_thin) {
		find_piece(all, &sweep);
		size_t held = all->open_count - sweep.open;
		is_thin = held <= left;
		left -= is_thin ? held : 0;
		goes_on = leave_piece(all, &sweep);
	}
	all->open_count = sweep.open;
	return is_thin;
}

static diagram piece_of(struct all *all, const struct sweep *sweep)
{
	size_t held = all->open_count - sweep->open, first = all->items_count;
	if (held == 0)
		return diagram_leaf(0);
	if (held == 1)
		return all->open[sweep->open].child;
	for (size_t i = sweep->open; i < all->open_count; i++)
		push(all, all->open[i].child);
	diagram made = make(all, first);
	all->items_count = first;
	return made;
}

static diagram sweep_over(struct all *all, uint32_t field, size_t first)
{
	struct sweep sweep = sweep_of(all, first);
	size_t base = diagram_row_begin(all->diagrams);
	do {
		find_piece(all, &sweep);
		diagram_row_add(all->diagrams, base, sweep.high, piece_of(all, &sweep));
	} while (leave_piece(all, &sweep));
	return diagram_row_end(all->diagrams, base, field);
}

/* --- a list ------------------------------------------------------------------------------------------- */

/* Takes away what changes nothing of the list at the stack's end. */
static void drop_idle(struct all *all, size_t first)
{
	size_t kept = first;
	bool is_last = false;
	for (size_t i = first; i < all->items_count && !is_last; i++) {
		diagram item = all->items[i];
		is_last = diagram_is_leaf(item) && all->joining->is_last(all->joining->operation->context, item);
		if (item != diagram_leaf(0))
			all->items[kept++] = item;
	}
	all->items_count = kept;
}

static diagram make_half(struct all *all, size_t from, size_t count)
{
	size_t first = all->items_count;
	for (size_t i = 0; i < count; i++)
		push(all, all->items[from + i]);
	diagram made = make(all, first);
	all->items_count = first;
	return made;
}

static diagram make_halves(struct all *all, size_t first)
{
	size_t count = all->items_count - first;
	diagram then = make_half(all, first + count / 2, count - count / 2);
	return apply(all, make_half(all, first, count / 2), then);
}

static diagram make_many(struct all *all, size_t first)
{
	uint32_t field = UINT32_MAX;
	size_t spans = all->spans_count, count = all->items_count - first;
	for (size_t i = first; i < all->items_count; i++) {
		uint32_t asked = diagram_field(all->diagrams, all->items[i]);
		field = asked < field ? asked : field;
	}
	if (field == UINT32_MAX)
		return make_halves(all, first);
	for (size_t i = 0; i < count; i++)
		add_spans(all, field, i, all->items[first + i]);
	sort_from(all, spans);
	bool is_swept = count <= WORK_A_SPAN || is_thin(all, spans);
	diagram made = is_swept ? sweep_over(all, field, spans) : DIAGRAM_OVER;
	all->spans_count = spans;
	return is_swept ? made : make_halves(all, first);
}

/* Of the list at the end of the stack of items, which may lose some of them. As deep as there are fields, and
 * halves of a list. */
static diagram make(struct all *all, size_t first)
{
	if (diagrams_are_over(all->diagrams))
		return DIAGRAM_OVER;
	drop_idle(all, first);
	size_t count = all->items_count - first;
	if (count == 0)
		return diagram_leaf(0);
	if (count == 1)
		return all->items[first];
	if (count == 2)
		return apply(all, all->items[first], all->items[first + 1]);
	uint64_t hash = hash_of(all->items + first, count);
	if (all->known_size != 0) {
		const struct known *known = place_of(all, hash, all->items + first, count);
		if (known->count != 0)
			return known->made;
	}
	diagram made = make_many(all, first);
	keep(all, hash, all->items + first, count, made);
	return made;
}

diagram diagram_all(void *pool, struct diagrams *diagrams, const struct diagram_joining *joining,
		    const diagram *items, size_t count)
{
	if (count == 1)
		return items[0];
	if (count == 2)
		return diagram_apply(diagrams, joining->operation, items[0], items[1]);
	struct all all = { .pool = pool_child(pool, "all"), .diagrams = diagrams, .joining = joining };
	for (size_t i = 0; i < count; i++)
		push(&all, items[i]);
	diagram made = make(&all, 0);
	talloc_free(all.pool);
	return made;
}
