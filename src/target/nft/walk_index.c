#include "target/nft/walk_index.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"

#define WORD_BYTES 4u
#define PIECES_MAX 8 /* that an element stands in; one that meets more stands everywhere */
#define KEY_BYTES_MAX WALK_REGISTER_BYTES

struct numbers {
	uint32_t *items;
	size_t items_count, items_capacity;
};

struct walk_index {
	struct numbers catch_alls, everywhere;
	uint32_t *own;   /* elements, piece by piece */
	uint32_t *first; /* of a piece; one more than pieces */
};

struct making {
	struct walk *walk;
	const struct read_set *set;
	const struct walk_registers *registers;
	int place;
	void *pool; /* until it is made */
};

/* Values of the field that is cut; empty where low > high. */
struct reach {
	number128 low, high;
};

static const struct reach whole_reach = { 0, DIAGRAM_HIGHEST };
static const struct reach no_reach = { 1, 0 };

/* --- what an element asks --------------------------------------------------------------------------- */

static bool is_of_cut_field(const struct walk *walk, uint16_t number)
{
	const struct walk_variable *variable = &walk->variables->items[number];
	return variable->kind == WALK_VARIABLE_FIELD && variable->rank == walk->space->part.field;
}

static struct reach met(struct reach a, struct reach b)
{
	return (struct reach){ a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high };
}

/* What reaches the variable's highest value has no end (walk_choose). */
static struct reach open_end(const struct walk *walk, uint16_t variable, struct reach reach)
{
	if (reach.high >= walk->variables->items[variable].highest)
		reach.high = DIAGRAM_HIGHEST;
	return reach;
}

static struct reach equations_reach(const struct making *making, const struct walk_equations *equations)
{
	struct reach reach = whole_reach;
	if (equations->is_unclear)
		return whole_reach; /* it makes the whole lookup unclear */
	if (equations->is_impossible)
		return no_reach;
	for (size_t i = 0; i < equations->items_count; i++) {
		const struct walk_equation *equation = &equations->items[i];
		struct interval_set values;
		if (!is_of_cut_field(making->walk, equation->variable))
			continue;
		const struct walk_variable *variable = &making->walk->variables->items[equation->variable];
		if (!walk_equation_values(making->pool, variable, equation, &values) || values.items_count == 0)
			continue;
		reach = met(reach, open_end(making->walk, equation->variable, (struct reach){
			values.items[0].low, values.items[values.items_count - 1].high }));
		talloc_free(values.items);
	}
	return reach;
}

static struct reach field_reach(const struct making *making, int place, const uint8_t *low, const uint8_t *high,
				unsigned length)
{
	if (memcmp(low, high, length) == 0) {
		struct walk_equations equations = walk_equations_of(making->registers, place, low, length);
		struct reach reach = equations_reach(making, &equations);
		return reach.low > reach.high ? whole_reach : reach; /* fields behind it may be unclear */
	}
	uint16_t variable = walk_ordered_variable(making->registers, place, length);
	bool is_known = variable != WALK_UNWRITTEN && memcmp(low, high, length) < 0 &&
			making->walk->variables->items[variable].bytes == length &&
			is_of_cut_field(making->walk, variable);
	if (!is_known)
		return whole_reach;
	return open_end(making->walk, variable, (struct reach){ walk_number_of_bytes(low, length),
								 walk_number_of_bytes(high, length) });
}

static struct reach ranges_reach(const struct making *making, const struct read_element *element)
{
	const struct read_set *set = making->set;
	const uint8_t *high = element->more->key_end != NULL ? element->more->key_end : element->key;
	struct reach reach = whole_reach;
	unsigned offset = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		unsigned length = set->field_lengths[i];
		if (offset + length > element->key_length)
			return whole_reach;
		reach = met(reach, field_reach(making, making->place + (int)offset, element->key + offset,
					       high + offset, length));
		offset += (length + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	}
	return reach;
}

static struct reach reach_of(const struct making *making, const struct read_element *element)
{
	if (making->set->fields_count > 1)
		return ranges_reach(making, element);
	struct walk_equations equations = walk_equations_of(making->registers, making->place, element->key,
							    element->key_length);
	return equations_reach(making, &equations);
}

/* --- making ----------------------------------------------------------------------------------------- */

static void add(void *pool, struct numbers *numbers, size_t number)
{
	*pool_append(pool, numbers, items) = (uint32_t)number;
}

static bool is_row(const struct read_set *set)
{
	return set->fields_count <= 1 && (set->flags & NFT_SET_INTERVAL) != 0;
}

/* The pieces of each element; last < first: none of its own. */
struct pieces {
	uint32_t first, last;
};

static struct pieces pieces_of(const struct making *making, struct walk_index *index, size_t number)
{
	const struct pieces none = { 1, 0 };
	struct reach reach = reach_of(making, &making->set->elements[number]);
	size_t first, last;
	if (reach.low > reach.high)
		return none;
	last = walk_cuts_find(making->walk->space->cuts, reach.low, reach.high, &first);
	if (last - first >= PIECES_MAX) {
		add(making->walk->pool, &index->everywhere, number);
		return none;
	}
	return (struct pieces){ (uint32_t)first, (uint32_t)last };
}

/* Elements in the order of pieces, by counting. */
static void sort_in(const struct making *making, struct walk_index *index, const struct pieces *pieces)
{
	size_t cuts = making->walk->space->cuts->count, count = making->set->elements_count;
	uint32_t *next = pool_array(making->pool, uint32_t, cuts + 1);
	index->first = pool_array(making->walk->pool, uint32_t, cuts + 1);
	for (size_t i = 0; i < count; i++)
		for (uint32_t at = pieces[i].first; at <= pieces[i].last; at++)
			index->first[at + 1]++;
	for (size_t i = 0; i < cuts; i++)
		index->first[i + 1] += index->first[i];
	memcpy(next, index->first, (cuts + 1) * sizeof *next);
	index->own = pool_array(making->walk->pool, uint32_t, index->first[cuts]);
	for (size_t i = 0; i < count; i++)
		for (uint32_t at = pieces[i].first; at <= pieces[i].last; at++)
			index->own[next[at]++] = (uint32_t)i;
}

static struct walk_index *make_index(const struct making *making)
{
	const struct read_set *set = making->set;
	struct walk_index *index = pool_new(making->walk->pool, struct walk_index);
	struct pieces *pieces = is_row(set) ? NULL
					    : pool_array(making->pool, struct pieces, set->elements_count);
	for (size_t i = 0; i < set->elements_count; i++) {
		bool is_catch_all = (set->elements[i].flags & NFT_SET_ELEM_CATCHALL) != 0;
		if (is_catch_all)
			add(making->walk->pool, &index->catch_alls, i);
		if (pieces != NULL)
			pieces[i] = is_catch_all ? (struct pieces){ 1, 0 } : pieces_of(making, index, i);
	}
	if (pieces != NULL)
		sort_in(making, index, pieces);
	return index;
}

/* The set and where each byte of its key comes from; its length. */
static size_t index_key(uint8_t *key, const struct read_set *set, const struct walk_registers *registers,
			int place)
{
	size_t length = sizeof set;
	memcpy(key, &set, sizeof set);
	for (unsigned i = 0; i < set->key_length; i++) {
		const struct walk_byte *byte = &registers->bytes[(unsigned)place + i];
		const uint8_t parts[] = { (uint8_t)(byte->variable >> 8), (uint8_t)byte->variable, byte->index,
					  byte->mask, byte->xor };
		memcpy(key + length, parts, sizeof parts);
		length += sizeof parts;
	}
	return length;
}

const struct walk_index *walk_index_of(struct walk *walk, const struct read_set *set,
				       const struct walk_registers *registers, int place)
{
	uint8_t key[sizeof set + KEY_BYTES_MAX * sizeof(struct walk_byte)];
	if (!walk->space->is_part || set->elements_count < walk->space->cuts->elements_min)
		return NULL;
	void **slot = interned_slot(walk->indices, key, index_key(key, set, registers, place));
	if (*slot != NULL)
		return *slot;
	struct making making = { walk, set, registers, place, pool_child(walk->pool, "index") };
	struct walk_index *index = make_index(&making);
	talloc_free(making.pool);
	*slot = index; /* making asks for no other */
	return index;
}

/* --- asking ----------------------------------------------------------------------------------------- */

bool walk_index_next(const struct walk *walk, const struct walk_index *index, struct walk_index_step *step)
{
	size_t first = index->first[walk->space->piece], count = index->first[walk->space->piece + 1] - first;
	bool has_own = step->own < count, has_everywhere = step->everywhere < index->everywhere.items_count;
	if (!has_own && !has_everywhere)
		return false;
	uint32_t own = has_own ? index->own[first + step->own] : UINT32_MAX;
	uint32_t other = has_everywhere ? index->everywhere.items[step->everywhere] : UINT32_MAX;
	step->own += own < other;
	step->everywhere += other < own;
	step->element = own < other ? own : other;
	return true;
}

/* The first element from which on keys are above the value. */
static size_t first_above(const struct read_set *set, number128 value)
{
	size_t low = 0, high = set->elements_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct read_element *element = &set->elements[middle];
		if (walk_number_of_bytes(element->key, element->key_length) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t walk_index_row(const struct walk *walk, const struct read_set *set, const struct walk_index *index,
		      uint16_t variable, size_t *first)
{
	const struct diagram_part *part = &walk->space->part;
	*first = 0;
	if (!is_of_cut_field(walk, variable) || index->catch_alls.items_count != 0)
		return set->elements_count;
	*first = first_above(set, part->low);
	/* one that starts before holds up to the next; of several at one place the last */
	while (*first > 0 &&
	       walk_number_of_bytes(set->elements[*first - 1].key, set->key_length) == part->low)
		--*first;
	if (*first > 0)
		--*first;
	return first_above(set, part->high);
}

size_t walk_index_catch_alls(const struct walk_index *index, const uint32_t **elements)
{
	*elements = index->catch_alls.items;
	return index->catch_alls.items_count;
}
