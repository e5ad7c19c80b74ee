/* Elements stand by the field on which most of them ask something, in classes of like width: in each, sorted by
 * where they begin, those that a piece meets are near each other. */
#include "target/nft/walk_index.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define WORD_BYTES 4u
#define KEY_BYTES_MAX WALK_REGISTER_BYTES
#define CLASS_BITS 4u /* the widest of a class is at most 2 to this as wide as the narrowest */
#define CLASSES (128u / CLASS_BITS + 1)
#define SAMPLE_ELEMENTS 4096u

struct numbers {
	uint32_t *items;
	size_t items_count, items_capacity;
};

/* Values of a field; empty where low > high. */
struct reach {
	number128 low, high;
};

/* What an element asks. */
struct reaches {
	struct reach of[WALK_CUTS];
};

struct entry {
	struct reach reach;
	number128 highest; /* of it and all before it in its class */
	uint32_t element;
};

struct entries {
	struct entry *items;
	size_t items_count, items_capacity;
};

struct walk_index {
	struct numbers everywhere; /* elements that ask nothing of the main field */
	enum walk_cut main;
	struct entries classes[CLASSES];
	struct reach *others[WALK_CUTS]; /* of each element; NULL: the main field, or no element asks it */
};

struct making {
	struct walk *walk;
	const struct read_set *set;
	const struct walk_registers *registers;
	int place;
	void *pool; /* until it is made */
};

static const struct reach whole_reach = { 0, DIAGRAM_HIGHEST };
static const struct reach no_reach = { 1, 0 };

static struct reaches all_reaches(struct reach reach)
{
	struct reaches reaches;
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		reaches.of[cut] = reach;
	return reaches;
}

static bool is_empty(const struct reaches *reaches)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (reaches->of[cut].low > reaches->of[cut].high)
			return true;
	return false;
}

static bool is_whole(struct reach reach)
{
	return reach.low == 0 && reach.high == DIAGRAM_HIGHEST;
}

/* --- what an element asks --------------------------------------------------------------------------- */

/* WALK_CUTS: the space is not cut along it. */
static size_t cut_of(const struct walk *walk, uint16_t number)
{
	const struct walk_variable *variable = &walk->variables->items[number];
	size_t cut = 0;
	if (variable->kind == WALK_VARIABLE_PROTOCOL)
		return WALK_CUT_PROTOCOL;
	if (variable->kind != WALK_VARIABLE_FIELD)
		return WALK_CUTS;
	while (cut < WALK_CUTS && variable->rank != walk_rank(walk->space, walk_cut_fields[cut]))
		cut++;
	return cut;
}

static struct reach met(struct reach a, struct reach b)
{
	return (struct reach){ a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high };
}

static void meet_all(struct reaches *reaches, const struct reaches *with)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		reaches->of[cut] = met(reaches->of[cut], with->of[cut]);
}

/* What reaches the variable's highest value has no end (walk_choose). */
static struct reach open_end(const struct walk *walk, uint16_t variable, struct reach reach)
{
	if (reach.high >= walk->variables->items[variable].highest)
		reach.high = DIAGRAM_HIGHEST;
	return reach;
}

static struct reaches equations_reach(const struct making *making, const struct walk_equations *equations)
{
	struct reaches reaches = all_reaches(whole_reach);
	if (equations->is_unclear)
		return reaches; /* it makes the whole lookup unclear */
	if (equations->is_impossible)
		return all_reaches(no_reach);
	for (size_t i = 0; i < equations->items_count; i++) {
		const struct walk_equation *equation = &equations->items[i];
		const struct walk_variable *variable = &making->walk->variables->items[equation->variable];
		size_t cut = cut_of(making->walk, equation->variable);
		struct interval_set values;
		if (cut == WALK_CUTS || !walk_equation_values(making->pool, variable, equation, &values) ||
		    values.items_count == 0)
			continue;
		reaches.of[cut] = met(reaches.of[cut], open_end(making->walk, equation->variable, (struct reach){
			values.items[0].low, values.items[values.items_count - 1].high }));
		talloc_free(values.items);
	}
	return reaches;
}

static struct reaches field_reach(const struct making *making, int place, const uint8_t *low, const uint8_t *high,
				  unsigned length)
{
	struct reaches reaches = all_reaches(whole_reach);
	if (memcmp(low, high, length) == 0) {
		struct walk_equations equations = walk_equations_of(making->registers, place, low, length);
		struct reaches equal = equations_reach(making, &equations);
		return is_empty(&equal) ? reaches : equal; /* fields behind it may be unclear */
	}
	uint16_t variable = walk_ordered_variable(making->registers, place, length);
	bool is_known = variable != WALK_UNWRITTEN && memcmp(low, high, length) < 0 &&
			making->walk->variables->items[variable].bytes == length;
	size_t cut = is_known ? cut_of(making->walk, variable) : WALK_CUTS;
	if (cut != WALK_CUTS)
		reaches.of[cut] = open_end(making->walk, variable, (struct reach){
			walk_number_of_bytes(low, length), walk_number_of_bytes(high, length) });
	return reaches;
}

static struct reaches ranges_reach(const struct making *making, const struct read_element *element)
{
	const struct read_set *set = making->set;
	const uint8_t *high = element->more->key_end != NULL ? element->more->key_end : element->key;
	struct reaches reaches = all_reaches(whole_reach);
	unsigned offset = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		unsigned length = set->field_lengths[i];
		if (offset + length > element->key_length)
			return all_reaches(whole_reach);
		struct reaches field = field_reach(making, making->place + (int)offset, element->key + offset,
						   high + offset, length);
		meet_all(&reaches, &field);
		offset += (length + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	}
	return reaches;
}

static struct reaches reaches_of(const struct making *making, const struct read_element *element)
{
	if (making->set->fields_count > 1)
		return ranges_reach(making, element);
	struct walk_equations equations = walk_equations_of(making->registers, making->place, element->key,
							    element->key_length);
	return equations_reach(making, &equations);
}

/* --- making ----------------------------------------------------------------------------------------- */

static bool is_row(const struct read_set *set)
{
	return set->fields_count <= 1 && (set->flags & NFT_SET_INTERVAL) != 0;
}

static bool is_catch_all(const struct read_set *set, size_t element)
{
	return (set->elements[element].flags & NFT_SET_ELEM_CATCHALL) != 0;
}

static unsigned class_of(struct reach reach)
{
	unsigned class = 0;
	for (number128 width = reach.high - reach.low; width != 0; width >>= CLASS_BITS)
		class++;
	return class;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	return a->reach.low != b->reach.low ? (a->reach.low > b->reach.low) - (a->reach.low < b->reach.low)
					    : (a->element > b->element) - (a->element < b->element);
}

static void sort_class(struct entries *entries)
{
	number128 highest = 0;
	if (entries->items_count > 1)
		qsort(entries->items, entries->items_count, sizeof *entries->items, compare_entries);
	for (size_t i = 0; i < entries->items_count; i++) {
		highest = entries->items[i].reach.high > highest ? entries->items[i].reach.high : highest;
		entries->items[i].highest = highest;
	}
}

static void put(const struct making *making, struct walk_index *index, size_t number, const struct reaches *reaches)
{
	void *pool = making->walk->pool;
	struct reach reach = reaches->of[index->main];
	if (is_whole(reach))
		*pool_append(pool, &index->everywhere, items) = (uint32_t)number;
	else
		*pool_append(pool, &index->classes[class_of(reach)], items) =
			(struct entry){ reach, 0, (uint32_t)number };
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (index->others[cut] != NULL)
			index->others[cut][number] = reaches->of[cut];
}

static struct reaches reaches_at(const struct making *making, size_t element)
{
	return is_catch_all(making->set, element) ? all_reaches(whole_reach)
						  : reaches_of(making, &making->set->elements[element]);
}

/* On which field most of some elements ask something; which of the others they ask. */
static void choose_fields(const struct making *making, struct walk_index *index)
{
	size_t count = making->set->elements_count, asking[WALK_CUTS] = { 0 };
	for (size_t i = 0; i < count; i += count / SAMPLE_ELEMENTS + 1) {
		const struct reaches reaches = reaches_at(making, i);
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			asking[cut] += !is_whole(reaches.of[cut]);
	}
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (asking[cut] > asking[index->main])
			index->main = (enum walk_cut)cut;
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (cut != (size_t)index->main && asking[cut] != 0)
			index->others[cut] = pool_array(making->walk->pool, struct reach, count);
}

static void index_elements(const struct making *making, struct walk_index *index)
{
	choose_fields(making, index);
	for (size_t i = 0; i < making->set->elements_count; i++) {
		const struct reaches reaches = reaches_at(making, i);
		if (!is_empty(&reaches))
			put(making, index, i, &reaches);
	}
	for (size_t class = 0; class < CLASSES; class++)
		sort_class(&index->classes[class]);
}

static struct walk_index *make_index(const struct making *making)
{
	struct walk_index *index = pool_new(making->walk->pool, struct walk_index);
	if (!is_row(making->set)) {
		index_elements(making, index);
		return index;
	}
	for (size_t i = 0; i < making->set->elements_count; i++)
		if (is_catch_all(making->set, i))
			*pool_append(making->walk->pool, &index->everywhere, items) = (uint32_t)i;
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
	if (!walk->space->is_part || set->elements_count < walk->space->elements_min)
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

struct asking {
	const struct walk *walk;
	const struct walk_index *index;
	struct numbers met;
};

/* Do the fields beside the main one let it be? */
static bool meets_others(const struct asking *asking, uint32_t element)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const struct interval *row = &asking->walk->space->piece.rows[cut];
		const struct reach *reach = asking->index->others[cut];
		if (reach != NULL && (reach[element].low > row->high || reach[element].high < row->low))
			return false;
	}
	return true;
}

static void add_met(struct asking *asking, uint32_t element)
{
	if (meets_others(asking, element))
		*pool_append(asking->walk->scratch, &asking->met, items) = element;
}

/* The first entry at which, or before which, one reaches the value. */
static size_t first_reaching(const struct entries *entries, number128 value)
{
	size_t low = 0, high = entries->items_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (entries->items[middle].highest < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void ask_class(struct asking *asking, const struct entries *entries)
{
	const struct interval *row = &asking->walk->space->piece.rows[asking->index->main];
	for (size_t i = first_reaching(entries, row->low); i < entries->items_count; i++) {
		const struct entry *entry = &entries->items[i];
		if (entry->reach.low > row->high)
			return;
		if (entry->reach.high >= row->low)
			add_met(asking, entry->element);
	}
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

const uint32_t *walk_index_met(const struct walk *walk, const struct walk_index *index, size_t *count)
{
	struct asking asking = { .walk = walk, .index = index };
	for (size_t i = 0; i < index->everywhere.items_count; i++)
		add_met(&asking, index->everywhere.items[i]);
	for (size_t class = 0; class < CLASSES; class++)
		ask_class(&asking, &index->classes[class]);
	if (asking.met.items_count > 1)
		qsort(asking.met.items, asking.met.items_count, sizeof *asking.met.items, compare_numbers);
	*count = asking.met.items_count;
	return asking.met.items;
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
	size_t cut = cut_of(walk, variable);
	*first = 0;
	if (cut == WALK_CUTS || cut == WALK_CUT_PROTOCOL || index->everywhere.items_count != 0)
		return set->elements_count;
	const struct interval *row = &walk->space->piece.rows[cut];
	*first = first_above(set, row->low);
	/* one that starts before holds up to the next; of several at one place the last */
	while (*first > 0 && walk_number_of_bytes(set->elements[*first - 1].key, set->key_length) == row->low)
		--*first;
	if (*first > 0)
		--*first;
	return first_above(set, row->high);
}
