/* The map of a first-match list, made a field at a time instead of a rule at a time.
 *
 * The values where rules begin and end cut a field into pieces; a piece is the map of those rules that take it,
 * by the fields behind. Lists whose rules mostly lie apart, as those of policies do, give few and short pieces,
 * and no diagram that is not part of the result. Where they would be many, the list is halved, and the maps of
 * the halves are merged. Recursion: fields, and logarithms of the count.
 *
 * A piece's rules are numbers in an array that changes from bound to bound, and is asked about in between. Each
 * level has arrays of its own. */
#include "analyse/packetset_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "base/radix.h"

#define OPEN_MOST 16 /* rules in all pieces together, for each interval that cuts; once much was done, */
#define OPEN_LEAST 2
#define OPEN_FEW 64 /* that are always taken */
#define INTERVALS_MOST 500000 /* that cut one field at once: 64 bytes each */
#define WORK_EACH 64 /* for each rule, and */
#define WORK_LEAST 4096
#define FEW_BOUNDS 16
#define MANY_BOUNDS 1024

/* From here on rules of the list that stand side by side take the field's values, or do not any more. */
struct bound {
	number128 at;
	uint32_t place, count;
	bool is_end;
};

/* Of one level. */
struct cutting {
	struct bound *bounds;
	size_t bounds_count, bounds_capacity;
	uint32_t *open; /* rules of the piece, ascending */
	size_t open_count, open_capacity;
};

struct making {
	struct packet_space *space;
	const struct packet_rule *rules;
	uint32_t *asked; /* of each rule: a bit a level */
	void *pool;
	struct arena *arena;
	struct interned *known; /* maps of lists that may come again */
	uint32_t *key;
	size_t key_capacity;
	size_t work;            /* rules in pieces that may still be looked at freely */
	struct cutting cuttings[PACKET_FIELDS];
};

/* Some rules of the list, from a level on. */
struct part {
	unsigned level;
	const uint32_t *list;
	size_t count;
	uint32_t otherwise;
};

static diagram map_of(struct making *making, struct part part);

/* --- bounds ----------------------------------------------------------------------------------------- */

static const struct interval_set *set_at(const struct making *making, const struct part *part, uint32_t place)
{
	return making->rules[part->list[place]].box.fields[making->space->field[part->level]];
}

static bool sets_equal(const struct interval_set *a, const struct interval_set *b)
{
	if (a == NULL || b == NULL || a->items_count != 1 || b->items_count != 1)
		return a == b;
	return a->items[0].low == b->items[0].low && a->items[0].high == b->items[0].high;
}

static number128 highest_at(const struct making *making, const struct part *part, uint32_t place)
{
	return packet_box_highest(making->space->universe, &making->rules[part->list[place]].box,
				  making->space->field[part->level]);
}

static void add_bound(struct making *making, struct cutting *cutting, struct bound bound)
{
	*pool_append(making->pool, cutting, bounds) = bound;
}

/* Of those from this place on that have one set; gives how many. */
static uint32_t add_bounds(struct making *making, const struct part *part, uint32_t place)
{
	struct cutting *cutting = &making->cuttings[part->level];
	const struct interval_set *set = set_at(making, part, place);
	number128 highest = set == NULL ? 0 : highest_at(making, part, place);
	uint32_t count = 1;

	while (place + count < part->count && sets_equal(set, set_at(making, part, place + count)) &&
	       (set == NULL || highest == highest_at(making, part, place + count)))
		count++;
	if (set == NULL)
		add_bound(making, cutting, (struct bound){ 0, place, count, false });
	for (size_t index = 0; set != NULL && index < set->items_count; index++) {
		const struct interval *item = &set->items[index];

		add_bound(making, cutting, (struct bound){ item->low, place, count, false });
		if (item->high < highest)
			add_bound(making, cutting, (struct bound){ item->high + 1, place, count, true });
	}
	return count;
}

/* What ends comes before what begins, each in the list's order. */
static bool is_before(const struct bound *a, const struct bound *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->is_end != b->is_end ? a->is_end : a->place < b->place;
}

static int compare_bounds(const void *left, const void *right)
{
	return is_before(left, right) ? -1 : is_before(right, left);
}

/* Of 64 bits: all that is_before looks at, but the place, or of what is longer the first half. */
static uint64_t digits_of(const struct bound *bound, bool is_long)
{
	return is_long ? (uint64_t)(bound->at >> 64) : (uint64_t)bound->at << 1 | !bound->is_end;
}

/* By their digits, where the list's order stays; then those of long values that start alike among each other. */
static void sort_by_digits(void *pool, struct bound *bounds, size_t count, bool is_long)
{
	void *scratch = pool_child(pool, "digits");
	uint64_t *digits = pool_array(scratch, uint64_t, count);
	struct bound *copy = pool_array(scratch, struct bound, count);
	const uint32_t *order;

	for (size_t index = 0; index < count; index++)
		digits[index] = digits_of(&bounds[index], is_long);
	order = radix_order(scratch, digits, count);
	memcpy(copy, bounds, count * sizeof *copy);
	for (size_t index = 0; index < count; index++)
		bounds[index] = copy[order[index]];
	for (size_t first = 0, end; is_long && first < count; first = end) {
		for (end = first + 1; end < count && bounds[end].at >> 64 == bounds[first].at >> 64; end++)
			continue;
		if (end != first + 1)
			qsort(bounds + first, end - first, sizeof *bounds, compare_bounds);
	}
	talloc_free(scratch);
}

static void sort_bounds(void *pool, struct bound *bounds, size_t count)
{
	if (count > MANY_BOUNDS) {
		bool is_long = false;

		for (size_t index = 0; index < count; index++)
			is_long = is_long || bounds[index].at >> 63 != 0;
		sort_by_digits(pool, bounds, count, is_long);
		return;
	}
	if (count > FEW_BOUNDS) {
		qsort(bounds, count, sizeof *bounds, compare_bounds);
		return;
	}
	for (size_t index = 1; index < count; index++) {
		struct bound bound = bounds[index];
		size_t at = index;

		for (; at > 0 && is_before(&bound, &bounds[at - 1]); at--)
			bounds[at] = bounds[at - 1];
		bounds[at] = bound;
	}
}

/* How many rules all pieces have together; *comes_again: some may have the same. */
static size_t count_open(const struct cutting *cutting, bool *comes_again)
{
	size_t sum = 0, open = 0, begun = 0, ended = 0;

	for (size_t index = 0; index < cutting->bounds_count; index++) {
		const struct bound *bound = &cutting->bounds[index];

		*(bound->is_end ? &ended : &begun) += bound->count;
		if (index + 1 < cutting->bounds_count && bound[1].at == bound->at)
			continue;
		open += begun - ended;
		*comes_again = *comes_again || (ended > 0 && open > begun);
		sum += open;
		begun = ended = 0;
	}
	return sum;
}

/* --- pieces ----------------------------------------------------------------------------------------- */

/* All that end at one place, ascending as the open ones are. */
static void close_rules(struct cutting *cutting, const uint32_t *list, const struct bound *ends, size_t count)
{
	size_t kept = 0;
	uint32_t at = 0;

	for (size_t index = 0; index < cutting->open_count; index++) {
		if (count == 0 || list[ends->place + at] != cutting->open[index]) {
			cutting->open[kept++] = cutting->open[index];
		} else if (++at == ends->count) {
			ends++;
			count--;
			at = 0;
		}
	}
	cutting->open_count = kept;
}

/* All that begin at one place; from the last one on, so that each open one moves once. */
static void open_rules(struct making *making, struct cutting *cutting, const uint32_t *list,
		       const struct bound *begins, size_t count)
{
	size_t old = cutting->open_count, at = old;

	for (size_t index = 0; index < count; index++)
		at += begins[index].count;
	cutting->open = pool_room(making->pool, cutting->open, &cutting->open_capacity, at,
				  sizeof *cutting->open);
	cutting->open_count = at;
	while (count-- > 0)
		for (uint32_t left = begins[count].count; left > 0; left--) {
			uint32_t rule = list[begins[count].place + left - 1];

			while (old > 0 && cutting->open[old - 1] > rule)
				cutting->open[--at] = cutting->open[--old];
			cutting->open[--at] = rule;
		}
}

/* The bounds at the next place; gives where the piece ends. */
static number128 next_piece(struct making *making, const struct part *part, size_t *next)
{
	struct cutting *cutting = &making->cuttings[part->level];
	const struct bound *bounds = cutting->bounds;
	number128 at = bounds[*next].at;
	size_t ends = 0, begins = 0;

	while (*next + ends < cutting->bounds_count && bounds[*next + ends].at == at && bounds[*next + ends].is_end)
		ends++;
	close_rules(cutting, part->list, &bounds[*next], ends);
	*next += ends;
	while (*next + begins < cutting->bounds_count && bounds[*next + begins].at == at)
		begins++;
	open_rules(making, cutting, part->list, &bounds[*next], begins);
	*next += begins;
	return *next < cutting->bounds_count ? bounds[*next].at - 1 : DIAGRAM_HIGHEST;
}

/* Of a list that may have come before. */
static diagram known_map(struct making *making, const struct part *part)
{
	size_t count = part->count + 2;
	diagram *made;
	void **slot;

	making->key = pool_room(making->pool, making->key, &making->key_capacity, count, sizeof *making->key);
	making->key[0] = part->level;
	making->key[1] = part->otherwise;
	memcpy(making->key + 2, part->list, part->count * sizeof *making->key);
	slot = interned_slot(making->known, making->key, count * sizeof *making->key);
	if (*slot != NULL)
		return *(diagram *)*slot;
	*slot = made = arena_new_item(making->arena, diagram);
	return *made = map_of(making, *part);
}

static diagram cut(struct making *making, const struct part *part, bool comes_again)
{
	struct cutting *cutting = &making->cuttings[part->level];
	struct diagrams *diagrams = making->space->diagrams;
	size_t base = diagram_row_begin(diagrams), next = 0;

	cutting->open_count = 0;
	if (cutting->bounds_count == 0)
		return diagram_leaf(part->otherwise);
	if (cutting->bounds[0].at > 0)
		diagram_row_add(diagrams, base, cutting->bounds[0].at - 1, diagram_leaf(part->otherwise));
	while (next < cutting->bounds_count) {
		number128 high = next_piece(making, part, &next);
		struct part piece = { part->level + 1, cutting->open, cutting->open_count, part->otherwise };

		diagram_row_add(diagrams, base, high, comes_again && piece.count > 1 ?
				known_map(making, &piece) : map_of(making, piece));
	}
	return diagram_row_end(diagrams, base, part->level);
}

static diagram halve(struct making *making, const struct part *part)
{
	struct part first = { part->level, part->list, part->count / 2, PACKET_NUMBER_UNDECIDED };
	struct part second = { part->level, part->list + first.count, part->count - first.count, part->otherwise };
	diagram before = map_of(making, first), behind = map_of(making, second);

	if (before == DIAGRAM_OVER || behind == DIAGRAM_OVER)
		return DIAGRAM_OVER;
	return packet_map_merge(making->space, before, behind);
}

/* --- lists ------------------------------------------------------------------------------------------ */

/* By the fields from its level on. */
static diagram map_of_one(struct making *making, const struct part *part)
{
	const struct packet_rule *rule = &making->rules[part->list[0]];
	diagram map = diagram_leaf(rule->number), other = diagram_leaf(part->otherwise);

	for (unsigned level = PACKET_FIELDS; level-- > part->level && map != DIAGRAM_OVER;)
		if ((making->asked[part->list[0]] >> level & 1) != 0)
			map = packet_box_choose(making->space, &rule->box, making->space->field[level], map, other);
	return map;
}

/* The bounds of the list at its level; false: they cut it into too much. */
static bool make_bounds(struct making *making, const struct part *part, bool *comes_again)
{
	struct cutting *cutting = &making->cuttings[part->level];
	size_t intervals = 0, open;

	for (uint32_t place = 0; place < part->count; place++) {
		const struct interval_set *set = set_at(making, part, place);

		intervals += set == NULL ? 1 : set->items_count;
	}
	if (intervals > INTERVALS_MOST)
		return false;
	cutting->bounds_count = 0;
	for (uint32_t place = 0; place < part->count;)
		place += add_bounds(making, part, place);
	sort_bounds(making->pool, cutting->bounds, cutting->bounds_count);
	*comes_again = intervals > part->count;
	open = count_open(cutting, comes_again);
	if (open > OPEN_FEW + intervals * (open < making->work ? OPEN_MOST : OPEN_LEAST))
		return false;
	making->work -= open < making->work ? open : making->work;
	return true;
}

/* Begins at the first field that any rule asks, and ends before the first rule that asks none. */
static bool is_trimmed(const struct making *making, struct part *part)
{
	unsigned level = PACKET_FIELDS;

	for (size_t place = 0; place < part->count; place++) {
		uint32_t asked = making->asked[part->list[place]] >> part->level;

		if (asked == 0) {
			part->otherwise = making->rules[part->list[place]].number;
			part->count = place;
		} else if (part->level + (unsigned)__builtin_ctz(asked) < level) {
			level = part->level + (unsigned)__builtin_ctz(asked);
		}
	}
	part->level = level;
	return part->count > 0;
}

static diagram map_of(struct making *making, struct part part)
{
	bool comes_again;

	if (packet_space_is_over(making->space))
		return DIAGRAM_OVER;
	if (!is_trimmed(making, &part))
		return diagram_leaf(part.otherwise);
	if (part.count == 1)
		return map_of_one(making, &part);
	if (!make_bounds(making, &part, &comes_again))
		return halve(making, &part);
	return cut(making, &part, comes_again);
}

/* --- all of it -------------------------------------------------------------------------------------- */

static uint32_t asked_by(const struct packet_space *space, const struct packet_box *box)
{
	uint32_t asked = 0;

	for (unsigned level = 0; level < PACKET_FIELDS; level++)
		asked |= (uint32_t)(box->fields[space->field[level]] != NULL) << level;
	return asked;
}

packet_map packet_map_first_match(struct packet_space *space, const struct packet_rule *rules, size_t count,
				  uint32_t otherwise)
{
	void *pool = pool_child(space->pool, "first match");
	uint32_t *list = pool_array(pool, uint32_t, count);
	struct making making = {
		.space = space,
		.rules = rules,
		.asked = pool_array(pool, uint32_t, count),
		.pool = pool,
		.arena = arena_new(pool),
		.work = WORK_LEAST + count * WORK_EACH,
	};
	packet_map map;

	making.known = interned_new(pool, making.arena);
	for (size_t index = 0; index < count; index++) {
		list[index] = (uint32_t)index;
		making.asked[index] = asked_by(space, &rules[index].box);
	}
	map = map_of(&making, (struct part){ 0, list, count, otherwise });
	talloc_free(pool);
	return map;
}
