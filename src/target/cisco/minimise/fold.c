/* Dynamic programming on the tree of prefixes (Draves and others, "Constructing Optimal IP Routing Tables",
 * 1999, for two next hops): of each prefix, the fewest entries that make what lies in it right where the
 * shortest prefix around it that has an entry wants the packets, and where it does not. */
#include "target/cisco/minimise/fold.h"

#include <stdlib.h>

#include "base/pool.h"

#define PREFIXES_MOST 1024
#define GAPS_MOST 256

/* --- neighbours ----------------------------------------------------------------------------------- */

struct placed {
	number128 value, wildcard;
	uint32_t place;
};

static int compare_placed(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (a->wildcard != b->wildcard)
		return a->wildcard > b->wildcard ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Two halves of one prefix at the end become that prefix. */
static void join_halves(struct minimise_prefixes *prefixes)
{
	while (prefixes->items_count > 1) {
		struct minimise_prefix *last = &prefixes->items[prefixes->items_count - 1], *before = last - 1;
		number128 size = last->wildcard + 1;

		if (before->wildcard != last->wildcard || size == 0 || (before->value ^ last->value) != size)
			return;
		before->wildcard = before->wildcard << 1 | 1;
		before->value &= ~before->wildcard;
		before->places_count += last->places_count;
		prefixes->items_count--;
	}
}

struct minimise_prefixes minimise_prefixes_of(void *pool, const struct minimise_list *list,
					      const struct minimise_group *group, enum region_side side)
{
	struct placed *sorted = pool_array(pool, struct placed, group->count);
	uint32_t *places = pool_array(pool, uint32_t, group->count);
	struct minimise_prefixes prefixes = { 0 };

	for (size_t index = 0; index < group->count; index++) {
		const struct minimise_entry *entry = &list->entries[group->members[index]];

		sorted[index] = (struct placed){ entry->value[side], entry->wildcard[side], group->members[index] };
	}
	qsort(sorted, group->count, sizeof *sorted, compare_placed);
	for (size_t index = 0; index < group->count; index++) {
		struct minimise_prefix *last =
			prefixes.items_count > 0 ? &prefixes.items[prefixes.items_count - 1] : NULL;

		places[index] = sorted[index].place;
		if (last != NULL && ((sorted[index].value ^ last->value) & ~last->wildcard) == 0) {
			last->places_count++;
			continue;
		}
		*pool_append(pool, &prefixes, items) = (struct minimise_prefix){
			sorted[index].value, sorted[index].wildcard, &places[index], 1
		};
		join_halves(&prefixes);
	}
	for (size_t index = 0, begin = 0; index < prefixes.items_count; index++) {
		qsort(&places[begin], prefixes.items[index].places_count, sizeof *places, compare_numbers);
		begin += prefixes.items[index].places_count;
	}
	return prefixes;
}

/* --- the tree ------------------------------------------------------------------------------------- */

enum wanted { UNWANTED, WANTED };

struct node {
	number128 value, wildcard;
	size_t begin, end;        /* prefixes inside */
	size_t cost[2];           /* by what is around it */
	uint32_t halves[2];       /* 0: a leaf, all of it wanted or none */
};

struct line {
	number128 value, wildcard;
	enum wanted wanted;
	size_t begin, end; /* the prefixes that it is there for */
};

struct folding {
	struct minimising *work;
	void *pool;
	const struct minimise_prefixes *prefixes;
	enum region_side side;
	struct node *nodes;
	size_t nodes_count, nodes_capacity;
	struct line *lines;
	size_t lines_count, lines_capacity;
	struct line *gaps; /* unwanted, and under a line */
	size_t gaps_count, gaps_capacity;
	struct minimise_entry like; /* all other fields */
	uint32_t other;             /* colour of what is not wanted */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void set_costs(struct folding *folding, uint32_t number)
{
	struct node *node = &folding->nodes[number];
	const struct node *left = &folding->nodes[node->halves[0]], *right = &folding->nodes[node->halves[1]];
	size_t sums[2];

	for (enum wanted around = UNWANTED; around <= WANTED; around++)
		sums[around] = left->cost[around] + right->cost[around];
	for (enum wanted around = UNWANTED; around <= WANTED; around++)
		node->cost[around] = least(sums[around], sums[1 - around] + 1);
}

/* Depth: the bits of an address. */
static uint32_t node_make(struct folding *folding, number128 value, number128 wildcard, size_t begin, size_t end)
{
	const struct minimise_prefix *first = &folding->prefixes->items[begin];
	number128 half = wildcard >> 1;
	uint32_t number = (uint32_t)folding->nodes_count, halves[2];
	size_t middle = begin;
	bool is_whole = begin < end && first->wildcard == wildcard;

	*pool_append(folding->pool, folding, nodes) = (struct node){
		.value = value, .wildcard = wildcard, .begin = begin, .end = end,
		.cost = { [UNWANTED] = is_whole, [WANTED] = begin == end },
	};
	if (is_whole || begin == end)
		return number;
	while (middle < end && folding->prefixes->items[middle].value <= (value | half))
		middle++;
	halves[0] = node_make(folding, value, half, begin, middle);
	halves[1] = node_make(folding, value | (half + 1), half, middle, end);
	folding->nodes[number].halves[0] = halves[0];
	folding->nodes[number].halves[1] = halves[1];
	set_costs(folding, number);
	return number;
}

/* The longer prefixes first. wants: the line that is there for what lies around, or NULL. */
static void write_node(struct folding *folding, uint32_t number, enum wanted around, const struct line *wants,
		       bool is_touched)
{
	const struct node node = folding->nodes[number];
	struct line line = { node.value, node.wildcard, around, node.begin, node.end };
	size_t kept;

	if (node.halves[0] == 0) {
		line.wanted = node.begin < node.end ? WANTED : UNWANTED;
		if (line.wanted == UNWANTED && is_touched)
			*pool_append(folding->pool, folding, gaps) = line;
		if (line.wanted == UNWANTED && wants != NULL) {
			line.begin = wants->begin;
			line.end = wants->end;
		}
		if (line.wanted != around)
			*pool_append(folding->pool, folding, lines) = line;
		return;
	}
	kept = folding->nodes[node.halves[0]].cost[around] + folding->nodes[node.halves[1]].cost[around];
	if (kept > node.cost[around]) {
		line.wanted = 1 - around;
		if (line.wanted == UNWANTED && wants != NULL) {
			line.begin = wants->begin;
			line.end = wants->end;
		}
		is_touched = true;
	}
	for (unsigned half = 0; half < 2; half++)
		write_node(folding, node.halves[half], line.wanted,
			   line.wanted == WANTED && kept > node.cost[around] ? &line : wants, is_touched);
	if (kept > node.cost[around])
		*pool_append(folding->pool, folding, lines) = line;
}

/* --- what lies between ---------------------------------------------------------------------------- */

static bool gap_gives(struct folding *folding, const struct line *gap, uint32_t after)
{
	uint32_t wanted = folding->like.colour;
	struct minimise_entry entry = folding->like;
	struct minimise_question question = { .after = after, .before = UINT32_MAX, .except = UINT32_MAX };
	struct region region;

	question.region = &region;
	entry.value[folding->side] = gap->value;
	entry.wildcard[folding->side] = gap->wildcard;
	entry.colour = question.colour = folding->other;
	entry.is_permit = folding->other == MINIMISE_PERMIT;
	for (size_t number = 0; minimise_region(&entry, number, &region); number++)
		if (!minimising_gives(folding->work, &question))
			return false;
	if (wanted != MINIMISE_PERMIT || (entry.first == NULL && entry.second == NULL))
		return true;
	entry.is_permit = true;
	entry.colour = question.colour = wanted; /* its later fragments pass with those of what is wanted */
	for (size_t number = 0; minimise_region(&entry, number, &region); number++)
		if (region.low[REGION_LATER] > 0 && !minimising_gives(folding->work, &question))
			return false;
	return true;
}

static bool gaps_give(struct folding *folding, uint32_t after)
{
	if (folding->gaps_count > GAPS_MOST)
		return false;
	for (size_t index = 0; index < folding->gaps_count; index++)
		if (!gap_gives(folding, &folding->gaps[index], after))
			return false;
	return true;
}

static void write_lines(struct folding *folding, const uint32_t *places)
{
	struct minimising *work = folding->work;
	const struct minimise_prefixes *prefixes = folding->prefixes;
	const struct minimise_parts **parts =
		pool_array(folding->pool, const struct minimise_parts *, folding->lines_count);

	for (size_t line = 0; line < folding->lines_count; line++)
		for (size_t index = folding->lines[line].begin; index < folding->lines[line].end; index++) {
			const struct minimise_parts *own =
				minimising_own_parts(work, prefixes->items[index].places[0]);

			parts[line] = parts[line] == NULL ? own : minimising_parts(work, parts[line], own);
		}
	for (size_t index = folding->lines_count; index < prefixes->items_count; index++)
		minimising_remove(work, places[index], places[0]);
	for (size_t line = 0; line < folding->lines_count; line++) {
		struct minimise_entry entry = folding->like;

		entry.value[folding->side] = folding->lines[line].value;
		entry.wildcard[folding->side] = folding->lines[line].wildcard;
		entry.parts = parts[line];
		if (folding->lines[line].wanted == UNWANTED)
			entry.colour = folding->other;
		entry.is_permit = entry.colour == MINIMISE_PERMIT;
		minimising_replace(work, places[line], &entry);
	}
}

static bool fold(struct folding *folding)
{
	const struct minimise_prefixes *prefixes = folding->prefixes;
	const struct minimise_prefix *last = &prefixes->items[prefixes->items_count - 1];
	number128 low = prefixes->items[0].value, high = last->value | last->wildcard, wildcard = low ^ high;
	uint32_t *places = pool_array(folding->pool, uint32_t, prefixes->items_count);

	for (unsigned shift = 1; shift < 128; shift *= 2)
		wildcard |= wildcard >> shift;
	(void)node_make(folding, low & ~wildcard, wildcard, 0, prefixes->items_count);
	if (folding->nodes[0].cost[UNWANTED] >= prefixes->items_count)
		return false;
	write_node(folding, 0, UNWANTED, NULL, false);
	for (size_t index = 0; index < prefixes->items_count; index++)
		places[index] = prefixes->items[index].places[0];
	qsort(places, prefixes->items_count, sizeof *places, compare_numbers);
	if (!gaps_give(folding, places[0])) {
		folding->other = folding->work->list->default_colour;
		if (folding->like.colour != MINIMISE_PERMIT || folding->other == 0 ||
		    !gaps_give(folding, places[0]))
			return false;
	}
	write_lines(folding, places);
	return true;
}

/* Where no prefix begins right behind another, each has two ends of its own; a line has two, whatever it
 * wants: as many lines are needed. */
static bool has_neighbours(const struct minimise_prefixes *prefixes)
{
	for (size_t index = 1; index < prefixes->items_count; index++) {
		const struct minimise_prefix *before = &prefixes->items[index - 1];

		if (prefixes->items[index].value == (before->value | before->wildcard) + 1)
			return true;
	}
	return false;
}

bool minimise_fold(struct minimising *work, void *pool, const struct minimise_prefixes *prefixes,
		   enum region_side side)
{
	const struct minimise_entry *like = &work->list->entries[prefixes->items[0].places[0]];
	struct folding folding = { work, pool, prefixes, side, .like = *like };

	folding.other = like->colour == MINIMISE_PERMIT ? MINIMISE_DENY : MINIMISE_PERMIT;
	if (prefixes->items_count > PREFIXES_MOST || like->condition != 0 || like->colour >= MINIMISE_COLOURS ||
	    !has_neighbours(prefixes))
		return false;
	return fold(&folding);
}
