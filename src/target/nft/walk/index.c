/* Elements stand in blocks of a few that are near each other in the two fields on which most of them ask
 * something; blocks in strips: those of like width that begin near each other in the first field, in the order in
 * which they begin in the second. A piece is compared with strips, then with the blocks of those it meets, and
 * last with the elements: it pays for what is near its border, not for all that one field leaves. */
#include "target/nft/walk/index.h"

#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/walk/form.h"

#define WORD_BYTES 4u
#define KEY_BYTES_MAX WALK_REGISTER_BYTES
#define CLASS_BITS 4u /* the widest of a class is at most 2 to this as wide as the narrowest */
#define SAMPLE_ELEMENTS 4096u
#define BLOCK_ELEMENTS 8u

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

/* What each element asks of a field. Most fields have small numbers: then DIAGRAM_HIGHEST is UINT32_MAX. */
struct column {
	uint32_t *small; /* low and high, one pair an element; NULL: wide, or no element asks the field */
	struct reach *wide;
};

struct walk_index {
	struct numbers everywhere; /* elements that ask nothing of the main field */
	enum walk_cut main, second;
	struct column columns[WALK_CUTS];
	uint32_t *elements; /* the others, strip by strip */
	size_t elements_count;
	size_t strip_blocks;  /* in each strip; in the last there may be fewer */
	struct reach *strips; /* of the main field */
	struct reach (*blocks)[2]; /* of the main field and the second */
	const struct read_set *set;
	const struct walk_index *earlier; /* made before this one */
};

struct making {
	struct walk *walk;
	const struct read_set *set;
	const struct walk_registers *registers;
	int place;
	struct walk_form form; /* of an exact key, or none */
	bool has_idle; /* elements may be left out for what their verdict does */
	void *pool; /* until it is made */
};

static const struct reach whole_reach = { 0, DIAGRAM_HIGHEST };
static const struct reach no_reach = { 1, 0 };
static const struct reach nothing_yet = { DIAGRAM_HIGHEST, 0 };

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
	const uint8_t *key = read_element_key(set, element);
	const uint8_t *high = read_element_more(set, element)->key_end != NULL ?
				     read_element_more(set, element)->key_end : key;
	struct reaches reaches = all_reaches(whole_reach);
	unsigned offset = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		unsigned length = set->field_lengths[i];
		if (offset + length > read_element_length(set, element))
			return all_reaches(whole_reach);
		struct reaches field = field_reach(making, making->place + (int)offset, key + offset,
						   high + offset, length);
		meet_all(&reaches, &field);
		offset += (length + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	}
	return reaches;
}

/* A key of a simple form. */
static struct reaches form_reach(const struct making *making, const struct read_element *element)
{
	struct reaches reaches = all_reaches(whole_reach);
	struct interval values[WALK_FORM_FIELDS];
	if (!walk_form_values(&making->form, read_element_key(making->set, element), values))
		return all_reaches(no_reach);
	for (size_t i = 0; i < making->form.fields_count; i++) {
		uint16_t variable = making->form.fields[i].variable;
		size_t cut = cut_of(making->walk, variable);
		if (cut != WALK_CUTS)
			reaches.of[cut] = open_end(making->walk, variable, (struct reach){ values[i].low,
											    values[i].high });
	}
	return reaches;
}

static struct reaches reaches_of(const struct making *making, const struct read_element *element)
{
	const uint32_t length = read_element_length(making->set, element);
	if (making->set->fields_count > 1)
		return ranges_reach(making, element);
	if (making->form.fields_count != 0 && length == making->form.length)
		return form_reach(making, element);
	struct walk_equations equations = walk_equations_of(making->registers, making->place,
							    read_element_key(making->set, element), length);
	return equations_reach(making, &equations);
}

/* --- making ----------------------------------------------------------------------------------------- */

static bool is_row(const struct read_set *set)
{
	return set->fields_count <= 1 && (set->flags & NFT_SET_INTERVAL) != 0;
}

static bool is_catch_all(const struct read_set *set, size_t element)
{
	return (read_element_flags(&set->elements[element]) & NFT_SET_ELEM_CATCHALL) != 0;
}

static unsigned class_of(struct reach reach)
{
	unsigned class = 0;
	for (number128 width = reach.high - reach.low; width != 0; width >>= CLASS_BITS)
		class++;
	return class;
}

/* --- columns ---------------------------------------------------------------------------------------- */

static bool is_small(struct reach reach)
{
	return reach.low < UINT32_MAX && (reach.high < UINT32_MAX || reach.high == DIAGRAM_HIGHEST);
}

static bool has_column(const struct column *column)
{
	return column->small != NULL || column->wide != NULL;
}

static struct reach column_at(const struct column *column, uint32_t element)
{
	if (column->wide != NULL)
		return column->wide[element];
	const uint32_t *pair = &column->small[2 * (size_t)element];
	return (struct reach){ pair[0], pair[1] == UINT32_MAX ? DIAGRAM_HIGHEST : pair[1] };
}

static void widen_column(const struct making *making, struct column *column, size_t filled)
{
	struct reach *wide = pool_array(making->walk->pool, struct reach, making->set->elements_count);
	for (size_t i = 0; i < filled; i++)
		wide[i] = column_at(column, (uint32_t)i);
	talloc_free(column->small);
	*column = (struct column){ .wide = wide };
}

/* Elements come in their order. */
static void column_put(const struct making *making, struct column *column, size_t number, struct reach reach)
{
	if (column->wide == NULL && !is_small(reach))
		widen_column(making, column, number);
	if (column->wide != NULL) {
		column->wide[number] = reach;
		return;
	}
	column->small[2 * number] = (uint32_t)reach.low;
	column->small[2 * number + 1] = reach.high == DIAGRAM_HIGHEST ? UINT32_MAX : (uint32_t)reach.high;
}

/* --- strips and blocks ------------------------------------------------------------------------------ */

/* Of two elements, which stands first by what they ask of the column's field. */
static int compare_elements(const void *left, const void *right, void *column)
{
	const uint32_t *a = left, *b = right;
	const struct reach one = column_at(column, *a), other = column_at(column, *b);
	unsigned class = class_of(one), other_class = class_of(other);
	if (class != other_class)
		return class < other_class ? -1 : 1;
	if (one.low != other.low)
		return one.low < other.low ? -1 : 1;
	return (*a > *b) - (*a < *b);
}

static void sort_elements(uint32_t *elements, size_t count, struct column *column)
{
	bool is_sorted = true;
	for (size_t i = 1; i < count && is_sorted; i++)
		is_sorted = compare_elements(&elements[i - 1], &elements[i], column) < 0;
	if (!is_sorted)
		qsort_r(elements, count, sizeof *elements, compare_elements, column);
}

static void widen_reach(struct reach *reach, struct reach with)
{
	reach->low = with.low < reach->low ? with.low : reach->low;
	reach->high = with.high > reach->high ? with.high : reach->high;
}

/* As many strips as there are blocks in each. */
static size_t blocks_a_strip(size_t blocks)
{
	size_t side = 1;
	while (side * side < blocks)
		side++;
	return side;
}

static void bound_blocks(const struct making *making, struct walk_index *index)
{
	size_t blocks = (index->elements_count + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS;
	const struct column *main = &index->columns[index->main], *second = &index->columns[index->second];
	index->blocks = pool_array_bytes(making->walk->pool, blocks, sizeof *index->blocks);
	index->strips = pool_array(making->walk->pool, struct reach, blocks / index->strip_blocks + 1);
	for (size_t i = 0; i < blocks / index->strip_blocks + 1; i++)
		index->strips[i] = nothing_yet;
	for (size_t i = 0; i < blocks; i++)
		index->blocks[i][0] = index->blocks[i][1] = nothing_yet;
	for (size_t i = 0; i < index->elements_count; i++) {
		struct reach *block = index->blocks[i / BLOCK_ELEMENTS];
		widen_reach(&block[0], column_at(main, index->elements[i]));
		widen_reach(&block[1], column_at(second, index->elements[i]));
		widen_reach(&index->strips[i / BLOCK_ELEMENTS / index->strip_blocks], block[0]);
	}
}

/* All of them by the main field, then those of each strip by the second. */
static void arrange(const struct making *making, struct walk_index *index)
{
	size_t count = index->elements_count;
	index->strip_blocks = blocks_a_strip((count + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS);
	size_t step = index->strip_blocks * BLOCK_ELEMENTS;
	sort_elements(index->elements, count, &index->columns[index->main]);
	for (size_t first = 0; first < count; first += step)
		sort_elements(index->elements + first, count - first < step ? count - first : step,
			      &index->columns[index->second]);
	bound_blocks(making, index);
}

/* --- all elements ----------------------------------------------------------------------------------- */

static void put(const struct making *making, struct walk_index *index, size_t number, const struct reaches *reaches)
{
	if (is_whole(reaches->of[index->main]))
		*pool_append(making->walk->pool, &index->everywhere, items) = (uint32_t)number;
	else
		index->elements[index->elements_count++] = (uint32_t)number;
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (has_column(&index->columns[cut]))
			column_put(making, &index->columns[cut], number, reaches->of[cut]);
}

/* Outside of this a jump comes back at once. */
static struct reaches chain_reaches(const struct making *making, const struct read_element *element)
{
	const struct read_data *value = &read_element_more(making->set, element)->value;
	struct reaches reaches = all_reaches(whole_reach);
	const struct walk_piece *chain = NULL;
	if (making->has_idle && value->is_verdict && value->verdict == NFT_JUMP)
		chain = walk_chain_reach(making->walk, value);
	for (size_t cut = 0; chain != NULL && cut < WALK_CUTS; cut++)
		reaches.of[cut] = (struct reach){ chain->rows[cut].low, chain->rows[cut].high };
	return reaches;
}

static bool are_whole(const struct reaches *reaches)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (!is_whole(reaches->of[cut]))
			return false;
	return true;
}

/* Of a key that asks nothing it may be that nothing can be told. */
static struct reaches reaches_at(const struct making *making, size_t number)
{
	const struct read_element *element = &making->set->elements[number];
	if (is_catch_all(making->set, number))
		return all_reaches(whole_reach);
	struct reaches reaches = reaches_of(making, element);
	if (are_whole(&reaches) || is_empty(&reaches))
		return reaches;
	const struct reaches chain = chain_reaches(making, element);
	meet_all(&reaches, &chain);
	return reaches;
}

static void add_column(const struct making *making, struct walk_index *index, enum walk_cut cut)
{
	struct column *column = &index->columns[cut];
	if (!has_column(column))
		column->small = pool_array(making->walk->pool, uint32_t, 2 * making->set->elements_count);
}

/* On which fields most of some elements ask something; which of the others they ask. Of two that are asked alike
 * the source is first: keys mostly begin with it, and are in order then. */
static void choose_fields(const struct making *making, struct walk_index *index)
{
	static const enum walk_cut order[WALK_CUTS] = { WALK_CUT_SOURCE, WALK_CUT_DESTINATION, WALK_CUT_FIRST,
							WALK_CUT_PROTOCOL };
	size_t count = making->set->elements_count, asking[WALK_CUTS] = { 0 };
	for (size_t i = 0; i < count; i += count / SAMPLE_ELEMENTS + 1) {
		const struct reaches reaches = reaches_at(making, i);
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			asking[cut] += !is_whole(reaches.of[cut]);
	}
	index->main = order[0];
	for (size_t i = 1; i < WALK_CUTS; i++)
		if (asking[order[i]] > asking[index->main])
			index->main = order[i];
	index->second = index->main == order[0] ? order[1] : order[0];
	for (size_t i = 0; i < WALK_CUTS; i++) {
		if (order[i] != index->main && asking[order[i]] > asking[index->second])
			index->second = order[i];
		if (asking[order[i]] != 0)
			add_column(making, index, order[i]);
	}
	add_column(making, index, index->main);
	add_column(making, index, index->second);
}

static void index_elements(const struct making *making, struct walk_index *index)
{
	index->elements = pool_array(making->walk->pool, uint32_t, making->set->elements_count);
	choose_fields(making, index);
	for (size_t i = 0; i < making->set->elements_count; i++) {
		const struct reaches reaches = reaches_at(making, i);
		if (!is_empty(&reaches))
			put(making, index, i, &reaches);
	}
	arrange(making, index);
}

/* Keys of a row are found by their order. */
static void index_row(const struct making *making, struct walk_index *index)
{
	for (size_t i = 0; i < making->set->elements_count; i++)
		if (is_catch_all(making->set, i))
			*pool_append(making->walk->pool, &index->everywhere, items) = (uint32_t)i;
	for (size_t cut = 0; cut < WALK_CUTS && making->has_idle; cut++)
		add_column(making, index, (enum walk_cut)cut);
	for (size_t i = 0; i < making->set->elements_count && making->has_idle; i++) {
		const struct reaches reaches = chain_reaches(making, &making->set->elements[i]);
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			column_put(making, &index->columns[cut], i, reaches.of[cut]);
	}
}

static struct walk_index *make_index(const struct making *making)
{
	struct walk_index *index = pool_new(making->walk->pool, struct walk_index);
	if (is_row(making->set))
		index_row(making, index);
	else
		index_elements(making, index);
	return index;
}

/* Whether a packet that finds an element whose chain does nothing with it fares as one that finds none. Of ranges
 * that cross, such an element may stand before one that does something. */
static bool has_idle(const struct read_set *set)
{
	for (size_t i = 0; i < set->elements_count; i++)
		if (is_catch_all(set, i))
			return false;
	return set->fields_count <= 1;
}

/* --- what indices have together --------------------------------------------------------------------- */

static bool is_same(const void *newer, const void *earlier, size_t size)
{
	return newer != NULL && earlier != NULL && newer != earlier && memcmp(newer, earlier, size) == 0;
}

static void share_column(struct column *column, const struct column *earlier, size_t elements)
{
	if (is_same(column->small, earlier->small, 2 * elements * sizeof *column->small) ||
	    is_same(column->wide, earlier->wide, elements * sizeof *column->wide)) {
		talloc_free(column->small);
		talloc_free(column->wide);
		*column = *earlier;
	}
}

/* Ways on which the registers come from other variables mostly ask the same of the fields: of what is equal the
 * newer goes. */
static void share_with(struct walk_index *index, const struct walk_index *earlier)
{
	size_t count = index->elements_count, blocks = (count + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS;
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		share_column(&index->columns[cut], &earlier->columns[cut], index->set->elements_count);
	if (earlier->elements_count != count)
		return;
	if (is_same(index->elements, earlier->elements, count * sizeof *index->elements)) {
		talloc_free(index->elements);
		index->elements = earlier->elements;
	}
	if (is_same(index->blocks, earlier->blocks, blocks * sizeof *index->blocks)) {
		talloc_free(index->blocks);
		index->blocks = earlier->blocks;
	}
}

static void share_parts(struct walk *walk, struct walk_index *index)
{
	for (const struct walk_index *earlier = walk->newest_index; earlier != NULL; earlier = earlier->earlier)
		if (earlier->set == index->set)
			share_with(index, earlier);
	index->earlier = walk->newest_index;
	walk->newest_index = index;
}

/* The set and where each byte of its key comes from, and what else an index depends on; its length. */
static size_t index_key(uint8_t *key, const struct read_set *set, const struct walk_registers *registers,
			int place, uint8_t families)
{
	size_t length = sizeof set;
	memcpy(key, &set, sizeof set);
	key[length++] = families;
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
				       const struct walk_registers *registers, int place, bool is_deciding)
{
	uint8_t key[sizeof set + 1 + KEY_BYTES_MAX * sizeof(struct walk_byte)];
	if (!walk->space->is_part || set->elements_count < walk->space->elements_min)
		return NULL;
	uint8_t families = is_deciding ? walk->families : FAMILIES_NONE;
	void **slot = interned_slot(walk->indices, key, index_key(key, set, registers, place, families));
	if (*slot != NULL)
		return *slot;
	struct making making = {
		.walk = walk, .set = set, .registers = registers, .place = place,
		.has_idle = is_deciding && has_idle(set), .pool = pool_child(walk->pool, "index"),
	};
	if (set->fields_count <= 1)
		making.form = walk_form_of(walk->variables, registers, place, set->key_length);
	struct walk_index *index = make_index(&making);
	talloc_free(making.pool);
	index->set = set;
	share_parts(walk, index);
	*slot = index; /* making asks for no other */
	return index;
}

/* --- asking ----------------------------------------------------------------------------------------- */

struct asking {
	const struct walk *walk;
	const struct walk_index *index;
	struct numbers met;
};

static bool meets(const struct asking *asking, struct reach reach, enum walk_cut cut)
{
	const struct interval *row = &asking->walk->space->piece.rows[cut];
	return reach.low <= row->high && reach.high >= row->low;
}

static void add_if_met(struct asking *asking, uint32_t element)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const struct column *column = &asking->index->columns[cut];
		if (has_column(column) && !meets(asking, column_at(column, element), (enum walk_cut)cut))
			return;
	}
	*pool_append(asking->walk->scratch, &asking->met, items) = element;
}

static void ask_block(struct asking *asking, size_t block)
{
	const struct walk_index *index = asking->index;
	size_t end = (block + 1) * BLOCK_ELEMENTS;
	end = end < index->elements_count ? end : index->elements_count;
	if (!meets(asking, index->blocks[block][0], index->main) ||
	    !meets(asking, index->blocks[block][1], index->second))
		return;
	for (size_t i = block * BLOCK_ELEMENTS; i < end; i++)
		add_if_met(asking, index->elements[i]);
}

static void ask_blocks(struct asking *asking)
{
	const struct walk_index *index = asking->index;
	size_t blocks = (index->elements_count + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS;
	for (size_t first = 0; first < blocks; first += index->strip_blocks) {
		if (!meets(asking, index->strips[first / index->strip_blocks], index->main))
			continue;
		for (size_t i = first; i < first + index->strip_blocks && i < blocks; i++)
			ask_block(asking, i);
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
		add_if_met(&asking, index->everywhere.items[i]);
	ask_blocks(&asking);
	if (asking.met.items_count > 1)
		qsort(asking.met.items, asking.met.items_count, sizeof *asking.met.items, compare_numbers);
	*count = asking.met.items_count;
	return asking.met.items;
}

bool walk_index_is_idle(const struct walk *walk, const struct walk_index *index, size_t element)
{
	const struct asking asking = { .walk = walk, .index = index };
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const struct column *column = &index->columns[cut];
		if (has_column(column) &&
		    !meets(&asking, column_at(column, (uint32_t)element), (enum walk_cut)cut))
			return true;
	}
	return false;
}

static number128 number_at(const struct read_set *set, size_t element)
{
	return walk_number_of_bytes(read_element_key(set, &set->elements[element]), set->key_length);
}

/* The first element from which on keys are above the value. */
static size_t first_above(const struct read_set *set, number128 value)
{
	size_t low = 0, high = set->elements_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (number_at(set, middle) <= value)
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
	while (*first > 0 && number_at(set, *first - 1) == row->low)
		--*first;
	if (*first > 0)
		--*first;
	return first_above(set, row->high);
}
