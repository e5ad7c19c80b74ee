#include "target/nft/walk/lookup.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read/expression.h"
#include "target/nft/walk/boxes.h"
#include "target/nft/walk/form.h"
#include "target/nft/walk/index.h"
#include "target/nft/walk/load.h"
#include "target/nft/walk/start.h"

#define WORD_BYTES 4u
#define UNCLEAR_LOOKUP "a lookup of bytes that cannot be told"
#define CROSSED_LOOKUP "a map of ranges that overlap and do not give the same"
#define MAP_VALUES_MAX 64 /* different values of a data map: each is a way of its own */

/* Elements that give the same: a verdict, a value, or membership. */
struct group {
	const struct read_data *value;
	uint16_t variable; /* its single conditions are all of this one; UNWRITTEN: there are none */
	struct interval_set values;
	diagram *predicates;
	size_t predicates_count, predicates_capacity;
	struct walk_piece rows; /* that the predicates are within */
	struct walk_boxes boxes; /* what keys of a simple form ask, until it is a predicate */
	struct interval asked[WALK_FORM_FIELDS]; /* by them, of each field: from the first value to the last */
};

struct groups {
	struct group *items;
	size_t items_count, items_capacity;
	struct names *by_value;
};

struct lookup {
	struct walk *walk;
	const struct read_set *set;
	const struct walk_path *path;
	struct walk_form form; /* of an exact key, or none */
	size_t places[WALK_FORM_FIELDS]; /* of its fields in boxes */
	const struct walk_index *index; /* of a large set in a space that is cut, or NULL */
	int place; /* of the key in the registers */
	size_t number; /* its own */
	struct groups groups;
	const struct read_data *otherwise; /* of a catch-all element */
	bool has_otherwise;
	bool holds_none; /* no element is of a protocol of the way */
	bool is_unclear;
	bool is_crossed; /* then it is unclear too */
};

bool walk_set_changes(const struct read_set *set)
{
	return (set->flags & (NFT_SET_EVAL | NFT_SET_TIMEOUT)) != 0;
}

static bool is_same_value(const struct read_data *a, const struct read_data *b)
{
	if (a->is_verdict != b->is_verdict || a->length != b->length || a->verdict != b->verdict)
		return false;
	if (!a->is_verdict)
		return a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0;
	return a->chain == b->chain || (a->chain != NULL && b->chain != NULL && strcmp(a->chain, b->chain) == 0);
}

static struct group *add_group(struct lookup *lookup, const struct read_data *value)
{
	struct group *group = pool_append(lookup->walk->scratch, &lookup->groups, items);
	group->value = value;
	group->rows = walk_start_nothing;
	return group;
}

/* Of a verdict that goes to a chain. */
static struct group *group_of_chain(struct lookup *lookup, const struct read_data *value)
{
	struct walk_chain *chain = walk_chain_of(lookup->walk, value);
	size_t *group = &chain->groups[value->verdict == NFT_GOTO];
	if (chain->lookup != lookup->number)
		chain->groups[0] = chain->groups[1] = 0;
	chain->lookup = lookup->number;
	if (*group == 0) {
		add_group(lookup, value);
		*group = lookup->groups.items_count;
	}
	return &lookup->groups.items[*group - 1];
}

static struct group *group_of(struct lookup *lookup, const struct read_data *value)
{
	struct groups *groups = &lookup->groups;
	size_t count = groups->items_count;
	if (count != 0 && is_same_value(groups->items[count - 1].value, value))
		return &groups->items[count - 1];
	if (value->is_verdict && (value->verdict == NFT_JUMP || value->verdict == NFT_GOTO) && value->chain != NULL)
		return group_of_chain(lookup, value);
	struct text *name = text_new(lookup->walk->scratch);
	read_data_print(name, value);
	uintptr_t known = (uintptr_t)names_find(groups->by_value, name->bytes, name->length);
	if (known == 0) {
		add_group(lookup, value);
		known = groups->items_count;
		names_set(groups->by_value, name->bytes, name->length, (void *)known);
	}
	talloc_free(name);
	return &groups->items[known - 1];
}

/* --- conditions of elements ------------------------------------------------------------------------- */

static void add_values(struct lookup *lookup, struct group *group, uint16_t variable,
		       const struct interval_set *values)
{
	void *pool = lookup->walk->scratch;
	if (group->variable == WALK_UNWRITTEN)
		group->variable = variable;
	for (size_t i = 0; i < values->items_count; i++)
		interval_set_add(pool, &group->values, values->items[i].low, values->items[i].high);
}

static void widen(struct walk_piece *piece, const struct walk_piece *with)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		struct interval *row = &piece->rows[cut];
		row->low = with->rows[cut].low < row->low ? with->rows[cut].low : row->low;
		row->high = with->rows[cut].high > row->high ? with->rows[cut].high : row->high;
	}
}

static void add_predicate(struct lookup *lookup, struct group *group, const struct walk_path *element)
{
	const struct walk_piece rows = walk_path_rows(lookup->walk, element);
	widen(&group->rows, &rows);
	*pool_append(lookup->walk->scratch, group, predicates) = walk_path_meaning(lookup->walk, element);
}

/* The conditions of one key: on one variable they are collected, else they become a predicate. */
static void add_equations(struct lookup *lookup, struct group *group, const struct walk_equations *equations)
{
	struct walk *walk = lookup->walk;
	struct interval_set values;
	if (equations->items_count == 1) {
		const struct walk_equation *only = &equations->items[0];
		const struct walk_variable *variable = &walk->variables->items[only->variable];
		if (walk_equation_is_no_name(only))
			return;
		bool is_same = group->variable == WALK_UNWRITTEN || group->variable == only->variable;
		if (is_same && variable->kind != WALK_VARIABLE_STATUS &&
		    walk_equation_values(walk->scratch, variable, only, &values)) {
			add_values(lookup, group, only->variable, &values);
			return;
		}
	}
	struct walk_path element;
	walk_path_begin(walk, &element);
	bool is_possible = walk_path_families(&element, lookup->path->families) &&
			   walk_path_protocols(&element, &lookup->path->protocols);
	for (size_t i = 0; i < equations->items_count && is_possible; i++)
		is_possible = walk_path_equation(walk, &element, &equations->items[i]);
	if (is_possible)
		add_predicate(lookup, group, &element);
}

static uint32_t form_rank(const struct lookup *lookup, size_t field)
{
	const struct walk_form_field *of = &lookup->form.fields[field];
	return of->is_protocol ? walk_rank(lookup->walk->space, WALK_PROTOCOL)
			       : lookup->walk->variables->items[of->variable].rank;
}

/* What reaches it has no end. */
static number128 form_highest(const struct lookup *lookup, size_t field)
{
	const struct walk_form_field *of = &lookup->form.fields[field];
	return of->is_protocol ? walk_highest(WALK_PROTOCOL) : lookup->walk->variables->items[of->variable].highest;
}

/* The form of the key, and its fields in the order in which diagrams ask them. One field's values are collected. */
static void take_form(struct lookup *lookup)
{
	const struct walk *walk = lookup->walk;
	struct walk_form *form = &lookup->form;
	*form = walk_form_of(walk->variables, &lookup->path->registers, lookup->place, lookup->set->key_length);
	if (form->fields_count < 2)
		form->fields_count = 0;
	for (size_t i = 0; i < form->fields_count; i++) {
		uint32_t rank = form_rank(lookup, i);
		for (size_t k = 0; k < form->fields_count; k++)
			lookup->places[i] += form_rank(lookup, k) < rank || (form_rank(lookup, k) == rank && k < i);
		for (size_t k = 0; k < i; k++)
			if (form_rank(lookup, k) == rank) { /* two variables of one field */
				form->fields_count = 0;
				return;
			}
	}
}

static void begin_boxes(struct lookup *lookup, struct group *group)
{
	group->boxes.pool = lookup->walk->scratch;
	group->boxes.fields_count = lookup->form.fields_count;
	for (size_t i = 0; i < lookup->form.fields_count; i++) {
		group->boxes.ranks[lookup->places[i]] = form_rank(lookup, i);
		group->asked[i] = (struct interval){ DIAGRAM_HIGHEST, 0 };
	}
}

/* Is the protocol one of the way's? */
static bool is_on_way(const struct lookup *lookup, const struct walk_form_field *field, number128 protocol)
{
	const uint64_t *bits = lookup->path->protocols.bits;
	unsigned number = (uint8_t)protocol;
	return !field->is_protocol || (bits[number / 64] >> number % 64 & 1) != 0;
}

/* A key of a simple form. */
static void add_box(struct lookup *lookup, const struct read_element *element)
{
	struct interval values[WALK_FORM_FIELDS];
	struct walk_box box = { .inside = WALK_PREDICATE_TRUE };
	struct group *group;
	bool is_possible = walk_form_values(&lookup->form, read_element_key(lookup->set, element), values);
	for (size_t i = 0; i < lookup->form.fields_count && is_possible; i++) {
		struct interval *row = &box.rows[lookup->places[i]];
		*row = values[i];
		is_possible = is_on_way(lookup, &lookup->form.fields[i], values[i].low) &&
			      walk_box_row(lookup->walk->space, form_rank(lookup, i), row, form_highest(lookup, i));
	}
	if (!is_possible)
		return;
	group = group_of(lookup, &read_element_more(lookup->set, element)->value);
	if (group->boxes.items_count == 0)
		begin_boxes(lookup, group);
	for (size_t i = 0; i < lookup->form.fields_count; i++) {
		struct interval *asked = &group->asked[i];
		asked->low = values[i].low < asked->low ? values[i].low : asked->low;
		asked->high = values[i].high > asked->high ? values[i].high : asked->high;
	}
	*pool_append(lookup->walk->scratch, &group->boxes, items) = box;
}

/* Packets of the piece that the boxes hold, as far as rows can tell. */
static struct walk_piece box_rows(const struct lookup *lookup, const struct group *group)
{
	const struct walk *walk = lookup->walk;
	struct walk_piece rows = walk->space->piece;
	for (size_t i = 0; i < lookup->form.fields_count; i++) {
		struct interval asked = group->asked[i];
		const struct interval_set values = { &asked, 1, 1 };
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			if (form_rank(lookup, i) == walk_rank(walk->space, walk_cut_fields[cut]))
				walk_row_meet(&rows.rows[cut], &values, form_highest(lookup, i));
	}
	return rows;
}

/* The group's boxes as one predicate: of packets on the way. */
static void end_boxes(struct lookup *lookup, struct group *group)
{
	struct walk *walk = lookup->walk;
	struct walk_path way;
	diagram all;
	if (group->boxes.items_count == 0)
		return;
	if (!walk_boxes_meaning(walk->space, &group->boxes, WALK_PREDICATE_FALSE, &all)) {
		diagram *each = pool_array(walk->scratch, diagram, group->boxes.items_count);
		for (size_t i = 0; i < group->boxes.items_count; i++)
			each[i] = walk_box_meaning(walk->space, &group->boxes, &group->boxes.items[i],
						   WALK_PREDICATE_FALSE);
		all = walk_or_of(walk, each, group->boxes.items_count);
	}
	const struct walk_piece rows = box_rows(lookup, group);
	widen(&group->rows, &rows);
	walk_path_begin(walk, &way);
	if (walk_path_families(&way, lookup->path->families) &&
	    walk_path_protocols(&way, &lookup->path->protocols))
		*pool_append(walk->scratch, group, predicates) =
			walk_and(walk, walk_path_meaning(walk, &way), all);
}

static void add_exact(struct lookup *lookup, const struct read_element *element)
{
	const uint32_t length = read_element_length(lookup->set, element);
	if (lookup->form.fields_count != 0 && length == lookup->form.length) {
		add_box(lookup, element);
		return;
	}
	struct walk_equations equations = walk_equations_of(&lookup->path->registers, lookup->place,
							    read_element_key(lookup->set, element), length);
	lookup->is_unclear = lookup->is_unclear || equations.is_unclear;
	if (!equations.is_impossible && !equations.is_unclear)
		add_equations(lookup, group_of(lookup, &read_element_more(lookup->set, element)->value),
			      &equations);
}

/* One field of a concatenation between two keys; false where it cannot hold. */
static bool add_field(struct lookup *lookup, struct walk_path *element, unsigned offset, unsigned length,
		      const uint8_t *low, const uint8_t *high)
{
	struct walk *walk = lookup->walk;
	const struct walk_registers *registers = &lookup->path->registers;
	int place = lookup->place + (int)offset;
	uint16_t variable = walk_ordered_variable(registers, place, length);
	if (memcmp(low, high, length) == 0) {
		struct walk_equations equations = walk_equations_of(registers, place, low, length);
		lookup->is_unclear = lookup->is_unclear || equations.is_unclear;
		bool is_possible = !equations.is_impossible && !equations.is_unclear;
		for (size_t i = 0; i < equations.items_count && is_possible; i++)
			is_possible = walk_path_equation(walk, element, &equations.items[i]);
		return is_possible;
	}
	uint8_t constant[64];
	if (walk_constant_bytes(registers, place, length, constant))
		return memcmp(low, constant, length) <= 0 && memcmp(constant, high, length) <= 0;
	/* an end before its start is what no kernel holds */
	if (variable == WALK_UNWRITTEN || walk->variables->items[variable].bytes != length ||
	    memcmp(low, high, length) > 0) {
		lookup->is_unclear = true;
		return false;
	}
	struct interval_set values = { 0 };
	interval_set_add(walk->scratch, &values, walk_number_of_bytes(low, length),
			 walk_number_of_bytes(high, length));
	return walk_path_values(walk, element, variable, &values);
}

/* One that cannot hold decides, whatever stands in the others: where the protocol is not the element's, its
 * ports cannot be told. */
static bool add_fields(struct lookup *lookup, struct walk_path *element, const uint8_t *low, const uint8_t *high)
{
	bool was_unclear = lookup->is_unclear, is_unclear = false;
	unsigned offset = 0;
	for (size_t i = 0; i < lookup->set->fields_count; i++) {
		unsigned length = lookup->set->field_lengths[i];
		lookup->is_unclear = false;
		bool is_possible = add_field(lookup, element, offset, length, low + offset, high + offset);
		is_unclear = is_unclear || lookup->is_unclear;
		if (!is_possible && !lookup->is_unclear) {
			lookup->is_unclear = was_unclear;
			return false;
		}
		offset += (length + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	}
	lookup->is_unclear = was_unclear || is_unclear;
	return !is_unclear;
}

static unsigned fields_length(const struct read_set *set)
{
	unsigned length = 0;
	for (size_t i = 0; i < set->fields_count; i++)
		length += (set->field_lengths[i] + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	return length;
}

static void add_ranges(struct lookup *lookup, const struct read_element *from)
{
	struct walk_path element;
	const struct read_more *more = read_element_more(lookup->set, from);
	const uint8_t *low = read_element_key(lookup->set, from);
	const uint8_t *high = more->key_end != NULL ? more->key_end : low;
	if (fields_length(lookup->set) > read_element_length(lookup->set, from)) {
		lookup->is_unclear = true;
		return;
	}
	walk_path_begin(lookup->walk, &element);
	bool is_possible = walk_path_families(&element, lookup->path->families) &&
			   walk_path_protocols(&element, &lookup->path->protocols);
	if (is_possible && add_fields(lookup, &element, low, high))
		add_predicate(lookup, group_of(lookup, &more->value), &element);
}

/* A row of starts and ends, sorted: a start holds up to the next element. */
static void add_row(struct lookup *lookup)
{
	const struct read_set *set = lookup->set;
	size_t first = 0, end = set->elements_count;
	unsigned length = set->key_length;
	uint16_t variable = walk_ordered_variable(&lookup->path->registers, lookup->place, length);
	if (variable == WALK_UNWRITTEN || lookup->walk->variables->items[variable].bytes != length) {
		lookup->is_unclear = true;
		return;
	}
	if (lookup->index != NULL)
		end = walk_index_row(lookup->walk, set, lookup->index, variable, &first);
	number128 limit = walk_variable_limit(&lookup->walk->variables->items[variable]);
	for (size_t i = first; i < end; i++) {
		const struct read_element *element = &set->elements[i];
		const struct read_more *more = read_element_more(set, element);
		if ((read_element_flags(element) & (NFT_SET_ELEM_INTERVAL_END | NFT_SET_ELEM_CATCHALL)) != 0)
			continue;
		struct interval item = { walk_number_of_bytes(read_element_key(set, element), length), limit };
		if (more->key_end != NULL)
			item.high = walk_number_of_bytes(more->key_end, length);
		if (i + 1 < set->elements_count) {
			number128 next = walk_number_of_bytes(read_element_key(set, &set->elements[i + 1]), length);
			if (next == item.low)
				continue; /* the later of two starts at one place */
			item.high = next - 1;
		}
		if (item.low > item.high) {
			lookup->is_unclear = true;
			return;
		}
		if (lookup->index != NULL && walk_index_is_idle(lookup->walk, lookup->index, i))
			continue;
		const struct interval_set values = { &item, 1, 1 };
		add_values(lookup, group_of(lookup, &more->value), variable, &values);
	}
}

static bool is_row(const struct read_set *set)
{
	return set->fields_count <= 1 && (set->flags & NFT_SET_INTERVAL) != 0;
}

static void add_element(struct lookup *lookup, const struct read_element *element)
{
	if ((read_element_flags(element) & NFT_SET_ELEM_CATCHALL) != 0) {
		lookup->otherwise = &read_element_more(lookup->set, element)->value;
		lookup->has_otherwise = true;
	} else if (lookup->set->fields_count > 1) {
		add_ranges(lookup, element);
	} else if (!is_row(lookup->set)) {
		add_exact(lookup, element);
	}
}

/* Of a large set only what the piece of the space can meet. */
static void add_picked(struct lookup *lookup)
{
	size_t count;
	const uint32_t *met = walk_index_met(lookup->walk, lookup->index, &count);
	for (size_t i = 0; i < count; i++)
		add_element(lookup, &lookup->set->elements[met[i]]);
}

static diagram group_predicate(struct lookup *lookup, struct group *group);

/* Ranges of several fields may overlap; which element a packet of both then finds, the kernel leaves to the order
 * of insertion and its own search: no two that give something else may hold one packet. */
static bool has_crossing(struct lookup *lookup)
{
	struct walk *walk = lookup->walk;
	diagram before = WALK_PREDICATE_FALSE;
	if (lookup->set->fields_count <= 1 || lookup->groups.items_count <= 1)
		return false;
	for (size_t i = 0; i < lookup->groups.items_count; i++) {
		diagram predicate = group_predicate(lookup, &lookup->groups.items[i]);
		if (walk_and(walk, before, predicate) != WALK_PREDICATE_FALSE)
			return true;
		before = walk_or(walk, before, predicate);
	}
	return false;
}

static const char *unclear_words(const struct lookup *lookup)
{
	return lookup->is_crossed ? CROSSED_LOOKUP : UNCLEAR_LOOKUP;
}

static void add_elements(struct lookup *lookup)
{
	const struct read_set *set = lookup->set;
	if (lookup->holds_none)
		return;
	if (set->fields_count <= 1 && !is_row(set))
		take_form(lookup);
	if (lookup->index != NULL)
		add_picked(lookup);
	for (size_t i = 0; i < set->elements_count && lookup->index == NULL; i++)
		add_element(lookup, &set->elements[i]);
	if (is_row(set))
		add_row(lookup);
	for (size_t i = 0; i < lookup->groups.items_count; i++) {
		interval_set_normalise(&lookup->groups.items[i].values);
		end_boxes(lookup, &lookup->groups.items[i]);
	}
	lookup->is_crossed = !lookup->is_unclear && has_crossing(lookup);
	lookup->is_unclear = lookup->is_unclear || lookup->is_crossed;
}

/* --- protocols -------------------------------------------------------------------------------------- */

/* Where in the set's key the packet's protocol stands; its length: nowhere, or changed, or keys are ranges. */
static unsigned protocol_byte(const struct lookup *lookup)
{
	const struct walk_byte *bytes = &lookup->path->registers.bytes[lookup->place];
	const unsigned length = lookup->set->key_length;
	unsigned at = 0;
	if (lookup->set->fields_count > 1 || is_row(lookup->set))
		return length;
	while (at < length && (bytes[at].variable != WALK_L4PROTO || bytes[at].mask != 0xff || bytes[at].xor != 0))
		at++;
	return at;
}

/* Once for each set: it may be looked up for each protocol of each piece of the space. */
static const struct walk_protocols *protocols_asked(struct walk *walk, const struct read_set *set, unsigned byte)
{
	const struct {
		uintptr_t set, byte;
	} key = { (uintptr_t)set, byte };
	void **slot = interned_slot(walk->protocols_asked, &key, sizeof key);
	if (*slot != NULL)
		return *slot;
	struct walk_protocols *asked = arena_new_item(walk->arena, struct walk_protocols);
	for (size_t i = 0; i < set->elements_count; i++) {
		const uint8_t *bytes = read_element_key(set, &set->elements[i]);
		if (bytes == NULL) /* a catch-all */
			*asked = walk_protocols_all();
		else
			asked->bits[bytes[byte] / 64] |= 1ull << bytes[byte] % 64;
	}
	return *slot = asked;
}

/* An element of another protocol is not found, whatever stands in the other bytes. */
static bool may_hold(const struct lookup *lookup)
{
	const unsigned byte = protocol_byte(lookup);
	if (byte == lookup->set->key_length)
		return true;
	const struct walk_protocols *asked = protocols_asked(lookup->walk, lookup->set, byte);
	for (unsigned i = 0; i < 4; i++)
		if ((asked->bits[i] & lookup->path->protocols.bits[i]) != 0)
			return true;
	return false;
}

/* --- what comes of it ------------------------------------------------------------------------------- */

/* The way of its values alone, whatever the families: the way that comes here has asked for those. */
static bool values_path(struct lookup *lookup, const struct group *group, struct walk_path *path)
{
	walk_path_begin(lookup->walk, path);
	path->families = FAMILIES_BOTH;
	return group->values.items_count != 0 &&
	       walk_path_values(lookup->walk, path, group->variable, &group->values);
}

/* All conditions of a group as one predicate. */
static diagram group_predicate(struct lookup *lookup, struct group *group)
{
	struct walk *walk = lookup->walk;
	diagram predicate = walk_or_of(walk, group->predicates, group->predicates_count);
	struct walk_path path;
	if (!values_path(lookup, group, &path))
		return predicate;
	return walk_or(walk, predicate, walk_path_meaning(walk, &path));
}

/* Narrows the way to the packets of a group. */
static bool restrict_to(struct lookup *lookup, struct walk_path *path, struct group *group)
{
	if (group->predicates_count == 0)
		return walk_path_values(lookup->walk, path, group->variable, &group->values);
	return walk_path_predicate(lookup->walk, path, group_predicate(lookup, group));
}

static diagram any_group(struct lookup *lookup)
{
	diagram any = WALK_PREDICATE_FALSE;
	for (size_t i = 0; i < lookup->groups.items_count; i++)
		any = walk_or(lookup->walk, any, group_predicate(lookup, &lookup->groups.items[i]));
	return any;
}

static diagram no_group(struct lookup *lookup)
{
	return walk_minus(lookup->walk, WALK_PREDICATE_TRUE, any_group(lookup));
}

static bool restrict_to_rest(struct lookup *lookup, struct walk_path *path)
{
	return walk_path_predicate(lookup->walk, path, no_group(lookup));
}

/* A map may be asked whether it has a key, too; what it would give makes no difference. */
static bool restrict_to_any(struct lookup *lookup, struct walk_path *path)
{
	if (lookup->groups.items_count == 1)
		return restrict_to(lookup, path, &lookup->groups.items[0]);
	return walk_path_predicate(lookup->walk, path, any_group(lookup));
}

static void is_member(struct lookup *lookup, struct walk_path *path, bool is_inverted)
{
	struct groups *groups = &lookup->groups;
	bool is_possible;
	if (lookup->has_otherwise)
		is_possible = !is_inverted;
	else if (is_inverted)
		is_possible = groups->items_count == 0 || restrict_to_rest(lookup, path);
	else
		is_possible = groups->items_count != 0 && restrict_to_any(lookup, path);
	if (!is_possible)
		path->is_dead = true;
}

/* Packets of the piece that the group holds, as far as rows can tell. */
static struct walk_piece group_rows(const struct lookup *lookup, const struct group *group)
{
	const struct walk *walk = lookup->walk;
	struct walk_piece rows = walk->space->piece;
	if (group->values.items_count == 0)
		return group->rows;
	const struct walk_variable *variable = &walk->variables->items[group->variable];
	bool is_field = variable->kind == WALK_VARIABLE_FIELD;
	for (size_t cut = 0; cut < WALK_CUTS; cut++)
		if (is_field && variable->rank == walk_rank(walk->space, walk_cut_fields[cut]))
			walk_row_meet(&rows.rows[cut], &group->values, variable->highest);
	if (group->predicates_count != 0)
		widen(&rows, &group->rows);
	return rows;
}

/* A packet that an element holds is none of the catch-all's, even if it comes back from where it was sent. */
static diagram otherwise_meaning(struct lookup *lookup)
{
	struct walk *walk = lookup->walk;
	return walk_guard(walk, no_group(lookup),
			  walk_verdict_meaning(walk, lookup->otherwise, &walk->space->piece,
					       lookup->path->families));
}

/* What becomes of the packets of a group. */
static diagram group_meaning(struct lookup *lookup, struct group *group)
{
	struct walk *walk = lookup->walk;
	const struct walk_piece rows = group_rows(lookup, group);
	diagram meaning = walk_verdict_meaning(walk, group->value, &rows, lookup->path->families);
	struct walk_path path;
	if (group->predicates_count == 0 && values_path(lookup, group, &path))
		return walk_path_guard(walk, &path, meaning);
	return walk_guard(walk, group_predicate(lookup, group), meaning);
}

static diagram map_meaning(struct lookup *lookup)
{
	struct walk *walk = lookup->walk;
	struct groups *groups = &lookup->groups;
	diagram *meanings = pool_array(walk->scratch, diagram, groups->items_count + 1);
	for (size_t i = 0; i < groups->items_count; i++)
		meanings[i] = group_meaning(lookup, &groups->items[i]);
	diagram all = walk_sequence_of(walk, meanings, groups->items_count);
	if (lookup->has_otherwise)
		all = walk_sequence(walk, all, otherwise_meaning(lookup));
	return all;
}

/* What was made of a large map for another rule in this piece of the space; NULL: it is not kept. The ways of
 * its elements begin with what the way says of families and protocols; what comes back from where it was sent by a
 * goto falls through a chain's last rule, and leaves others. */
static struct walk_decided *decided_before(struct lookup *lookup)
{
	struct {
		uintptr_t index;
		uint32_t families, is_last_rule;
		struct walk_protocols protocols;
	} key = { (uintptr_t)lookup->index, lookup->path->families, walk_is_last_rule(lookup->walk),
		  lookup->path->protocols };
	struct walk *walk = lookup->walk;
	if (lookup->index == NULL || walk->tells_places || walk->stops_at_chains)
		return NULL;
	void **slot = interned_slot(walk->decided, &key, sizeof key);
	if (*slot == NULL)
		*slot = arena_new_item(walk->arena, struct walk_decided);
	return *slot;
}

/* false: not looked up in this piece yet. */
static bool is_decided(const struct lookup *lookup, const struct walk_decided *known)
{
	return known != NULL && known->piece == lookup->walk->piece &&
	       walk_piece_includes(&known->rows, &lookup->walk->space->piece);
}

/* What the map does with the packets on the way; false: it cannot be told. */
static bool decide(struct lookup *lookup, diagram *all)
{
	struct walk *walk = lookup->walk;
	struct walk_decided *known = decided_before(lookup);
	if (is_decided(lookup, known)) {
		walk->may_return = true; /* its gotos */
		*all = known->meaning;
		return true;
	}
	add_elements(lookup);
	if (lookup->is_unclear)
		return false;
	*all = map_meaning(lookup);
	if (known != NULL)
		*known = (struct walk_decided){ walk->piece, walk->space->piece, *all };
	return true;
}

static void decide_by_map(struct lookup *lookup, struct walk_paths *paths, size_t at)
{
	struct walk *walk = lookup->walk;
	const struct walk_piece outer = walk->space->piece, rows = walk_path_rows(walk, lookup->path);
	diagram all;
	if (walk->space->is_part)
		walk_space_narrow(walk->space, &rows);
	bool is_clear = decide(lookup, &all);
	if (walk->space->is_part)
		walk_space_narrow(walk->space, &outer);
	if (!is_clear) {
		walk_unsure(walk, paths, at, unclear_words(lookup));
		return;
	}
	struct walk_path *path = &paths->items[at];
	diagram before = walk_leaf_of(walk->leaves, WALK_FALL, NULL, path->effects);
	*pool_append(walk->scratch, paths, meanings) =
		walk_path_guard(walk, path, walk_sequence(walk, before, all));
	path->is_dead = true;
}

/* A map of values: a way for each. */
static void load_by_map(struct lookup *lookup, struct walk_paths *paths, size_t at, uint64_t destination)
{
	struct walk *walk = lookup->walk;
	struct groups *groups = &lookup->groups;
	struct walk_path start = paths->items[at];
	paths->items[at].is_dead = true;
	for (size_t i = 0; i <= groups->items_count; i++) {
		bool is_rest = i == groups->items_count;
		const struct read_data *value = is_rest ? lookup->otherwise : groups->items[i].value;
		if (is_rest && !lookup->has_otherwise)
			break;
		int place = walk_register_place(destination, value->length);
		struct walk_path way = start;
		bool is_possible = is_rest ? restrict_to_rest(lookup, &way)
					   : restrict_to(lookup, &way, &groups->items[i]);
		if (!is_possible)
			continue;
		struct walk_path *fork = walk_fork(walk, paths, at);
		if (fork == NULL || place < 0) {
			walk_unsure(walk, paths, at, "a map into a register");
			return;
		}
		*fork = way;
		walk_register_constant(&fork->registers, place, value->bytes, value->length);
	}
}

static void look_up(struct lookup *lookup, struct walk_paths *paths, size_t at,
		    const struct read_expression *expression)
{
	struct walk *walk = lookup->walk;
	bool is_inverted = (read_number(expression, NFTA_LOOKUP_FLAGS, 0) & NFT_LOOKUP_F_INV) != 0;
	uint64_t destination = read_number(expression, NFTA_LOOKUP_DREG, UINT64_MAX);
	bool is_map = destination == NFT_REG_VERDICT && lookup->set->data_type == NFT_DATA_VERDICT &&
		      read_has(expression, NFTA_LOOKUP_DREG);
	lookup->holds_none = !may_hold(lookup);
	if (!lookup->holds_none)
		lookup->index = walk_index_of(walk, lookup->set, &lookup->path->registers, lookup->place, is_map);
	if (is_map) {
		decide_by_map(lookup, paths, at);
		return;
	}
	add_elements(lookup);
	if (lookup->is_unclear) {
		walk_unsure(walk, paths, at, unclear_words(lookup));
		return;
	}
	if (!read_has(expression, NFTA_LOOKUP_DREG))
		is_member(lookup, &paths->items[at], is_inverted);
	else if (destination != NFT_REG_VERDICT && lookup->set->data_type != NFT_DATA_VERDICT &&
		 lookup->groups.items_count <= MAP_VALUES_MAX)
		load_by_map(lookup, paths, at, destination);
	else
		walk_unsure(walk, paths, at, "a map that is used for what it is not, or has many values");
}

/* Membership without regard to what a map gives. */
static bool is_plain(const struct read_expression *expression)
{
	return !read_has(expression, NFTA_LOOKUP_DREG);
}

static void look_up_changing(struct walk *walk, struct walk_paths *paths, size_t at,
			     const struct read_expression *expression, const struct read_set *set)
{
	const char *name = pool_format(walk->scratch, "looked up in set '%s', which changes", set->name);
	if (!is_plain(expression))
		walk_unsure(walk, paths, at, "a map that packets change");
	else if (!walk_path_unclear(walk, &paths->items[at], name))
		paths->items[at].is_dead = true;
}

void walk_lookup(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *expression)
{
	const char *name = read_string(expression, NFTA_LOOKUP_SET);
	const struct read_set *set = name == NULL ? NULL :
		read_set_of(walk->table, name, (uint32_t)read_number(expression, NFTA_LOOKUP_SET_ID, 0));
	if (set == NULL) {
		walk_unsure(walk, paths, at, "a lookup in a set that is not there");
		return;
	}
	if (walk_set_changes(set)) {
		look_up_changing(walk, paths, at, expression, set);
		return;
	}
	const struct walk_path path = paths->items[at];
	struct lookup lookup = {
		.walk = walk,
		.set = set,
		.path = &path,
		.place = walk_register_place(read_number(expression, NFTA_LOOKUP_SREG, 0), set->key_length),
		.number = ++walk->lookups_count,
	};
	lookup.groups.by_value = names_new(walk->scratch, false);
	if (lookup.place < 0) {
		walk_unsure(walk, paths, at, "a lookup from no register");
		return;
	}
	look_up(&lookup, paths, at, expression);
}
