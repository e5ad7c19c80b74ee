#include "target/nft/walk/path.h"

#include <string.h>

#include "analyse/diagram_all.h"
#include "base/pool.h"

#define STATUS_TRANSLATED_BIT 5 /* IPS_DST_NAT_BIT */
#define STATUS_BITS 32
#define DAYS 7
#define PROTOCOLS 256
#define WHOLE_BYTES 2 /* of variables that are always compared whole */

/* --- protocols -------------------------------------------------------------------------------------- */

struct walk_protocols walk_protocols_all(void)
{
	return (struct walk_protocols){ { ~0ull, ~0ull, ~0ull, ~0ull } };
}

struct walk_protocols walk_protocols_of(const uint8_t *numbers, size_t count)
{
	struct walk_protocols set = { { 0 } };
	for (size_t i = 0; i < count; i++)
		set.bits[numbers[i] / 64] |= 1ull << numbers[i] % 64;
	return set;
}

struct walk_protocols walk_protocols_without(const struct walk_protocols *a, const struct walk_protocols *b)
{
	struct walk_protocols set;
	for (unsigned i = 0; i < 4; i++)
		set.bits[i] = a->bits[i] & ~b->bits[i];
	return set;
}

/* The first from this number on; PROTOCOLS: there is none. */
static unsigned next_protocol(const struct walk_protocols *set, unsigned from)
{
	for (unsigned word = from / 64; word < 4; word++) {
		uint64_t left = set->bits[word] & (word == from / 64 ? ~0ull << from % 64 : ~0ull);
		if (left != 0)
			return 64 * word + (unsigned)__builtin_ctzll(left);
	}
	return PROTOCOLS;
}

struct interval walk_protocols_ends(const struct walk_protocols *set)
{
	struct interval ends = { next_protocol(set, 0), 0 };
	for (unsigned word = 0; word < 4; word++)
		if (set->bits[word] != 0)
			ends.high = 64 * word + 63 - (unsigned)__builtin_clzll(set->bits[word]);
	return ends;
}

/* All that the piece of the space has. */
static bool protocols_are_all(const struct walk *walk, const struct walk_protocols *set)
{
	return memcmp(set->bits, walk->space->protocols, sizeof set->bits) == 0;
}

bool walk_path_protocols(struct walk_path *path, const struct walk_protocols *protocols)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < 4; i++)
		any |= path->protocols.bits[i] &= protocols->bits[i];
	return any != 0;
}

bool walk_path_families(struct walk_path *path, uint8_t families)
{
	path->families &= families;
	return path->families != 0;
}

/* --- conditions ------------------------------------------------------------------------------------- */

void walk_path_begin(const struct walk *walk, struct walk_path *path)
{
	path->families = walk->families;
	memcpy(path->protocols.bits, walk->space->protocols, sizeof path->protocols.bits);
	path->literals_count = path->parts_count = 0;
	path->others = WALK_PREDICATE_TRUE;
	path->effects = walk->leaves->none;
	path->is_dead = false;
	memset(&path->registers, 0, sizeof path->registers); /* nothing is written */
}

static bool add_literal(struct walk *walk, struct walk_path *path, uint32_t rank, number128 highest,
			const struct interval_set *values)
{
	if (values->items_count == 0 || !walk_space_meets(walk->space, rank, values, highest))
		return false;
	for (size_t i = 0; i < path->literals_count; i++) {
		struct walk_literal *literal = &path->literals[i];
		if (literal->rank != rank)
			continue;
		literal->values = interval_set_intersect(walk->scratch, &literal->values, values);
		return literal->values.items_count != 0;
	}
	if (path->literals_count == WALK_LITERALS_MAX)
		return walk_path_predicate(walk, path,
					   walk_choose(walk->space, rank, values, highest, WALK_PREDICATE_TRUE,
						       WALK_PREDICATE_FALSE));
	path->literals[path->literals_count++] = (struct walk_literal){ rank, highest, *values };
	return true;
}

static bool state_values(struct walk *walk, struct walk_path *path, const struct walk_variable *variable,
			 const struct interval_set *values)
{
	struct interval_set states = { 0 };
	for (unsigned i = 0; i < WALK_STATES; i++)
		if (interval_set_contains(values, walk_state_bits[i]))
			interval_set_add(walk->scratch, &states, i, i);
	interval_set_normalise(&states);
	return add_literal(walk, path, variable->rank, walk_highest(WALK_STATE), &states);
}

static bool family_values(struct walk_path *path, const struct walk_variable *variable,
			  const struct interval_set *values)
{
	uint8_t families = 0;
	if (interval_set_contains(values, variable->values[FAMILY_IPV4]))
		families |= FAMILIES_IPV4;
	if (interval_set_contains(values, variable->values[FAMILY_IPV6]))
		families |= FAMILIES_IPV6;
	return walk_path_families(path, families);
}

static bool protocol_values(struct walk_path *path, const struct interval_set *values)
{
	struct walk_protocols protocols = { { 0 } };
	for (size_t i = 0; i < values->items_count; i++)
		for (unsigned at = (unsigned)values->items[i].low; at <= (unsigned)values->items[i].high; at++)
			protocols.bits[at / 64] |= 1ull << at % 64;
	return walk_path_protocols(path, &protocols);
}

static bool day_values(struct walk *walk, struct walk_path *path, const struct walk_variable *variable,
		       const struct interval_set *values)
{
	struct interval_set seconds = { 0 };
	for (unsigned day = 0; day < DAYS; day++) {
		unsigned start = (day + DAYS - 1) % DAYS * WALK_DAY_SECONDS; /* Sunday 0 to Monday 0 */
		if (interval_set_contains(values, day))
			interval_set_add(walk->scratch, &seconds, start, start + WALK_DAY_SECONDS - 1);
	}
	interval_set_normalise(&seconds);
	return add_literal(walk, path, variable->rank, walk_highest(WALK_WEEK), &seconds);
}

static bool hour_values(struct walk *walk, struct walk_path *path, const struct walk_variable *variable,
			const struct interval_set *values)
{
	struct interval_set seconds = { 0 };
	for (size_t i = 0; i < values->items_count; i++) {
		number128 low = values->items[i].low, high = values->items[i].high;
		if (low >= WALK_DAY_SECONDS)
			break;
		if (high >= WALK_DAY_SECONDS)
			high = WALK_DAY_SECONDS - 1;
		for (unsigned day = 0; day < DAYS; day++)
			interval_set_add(walk->scratch, &seconds, day * WALK_DAY_SECONDS + low,
					 day * WALK_DAY_SECONDS + high);
	}
	interval_set_normalise(&seconds);
	return add_literal(walk, path, variable->rank, walk_highest(WALK_WEEK), &seconds);
}

static const struct walk_interface *interface_of(const struct walk *walk, number128 index)
{
	for (size_t i = 0; i < walk->interfaces_count; i++)
		if (walk->interfaces[i].index == index)
			return &walk->interfaces[i];
	return NULL;
}

/* The names of these numbers, as far as each of them, or of those that are missing, is known. */
static bool index_names(struct walk *walk, const struct interval_set *values, struct interval_set *names)
{
	const bool is_open = interval_set_contains(values, UINT32_MAX);
	const struct interval_set all = { &(struct interval){ 0, UINT32_MAX }, 1, 1 };
	const struct interval_set every_name = { &(struct interval){ 1, DIAGRAM_HIGHEST }, 1, 1 };
	struct interval_set listed = is_open ? interval_set_subtract(walk->scratch, &all, values) : *values;
	struct interval_set found = { 0 };
	for (size_t i = 0; i < listed.items_count; i++)
		for (number128 index = listed.items[i].low; index <= listed.items[i].high; index++) {
			const struct walk_interface *interface = interface_of(walk, index);
			number128 name = index == 0 || interface == NULL ? 0
				: walk_number_of_name(interface->name);
			if (index != 0 && interface == NULL)
				return false;
			interval_set_add(walk->scratch, &found, name, name);
		}
	interval_set_normalise(&found);
	*names = found;
	if (is_open) {
		*names = interval_set_subtract(walk->scratch, &every_name, &found);
		if (interval_set_contains(values, 0))
			interval_set_add(walk->scratch, names, 0, 0);
		interval_set_normalise(names);
	}
	return true;
}

/* Zero is no interface; which number an interface has is known where the walk was told. */
static bool index_values(struct walk *walk, struct walk_path *path, const struct walk_variable *variable,
			 const struct interval_set *values)
{
	struct interval none = { 0, 0 }, some = { 1, UINT32_MAX };
	const struct interval_set no_index = { &none, 1, 1 }, all_indices = { &some, 1, 1 };
	struct interval name = { 0, 0 };
	const struct interval_set names = { &name, 1, 1 };
	bool has_none = interval_set_includes(values, &no_index);
	bool has_all = interval_set_includes(values, &all_indices);
	bool has_some = interval_set_overlaps(values, &all_indices);
	if (has_all && has_none)
		return true;
	struct interval_set named;
	if (has_some && !has_all && index_names(walk, values, &named))
		return add_literal(walk, path, variable->rank, DIAGRAM_HIGHEST, &named);
	if (has_some && !has_all)
		return add_literal(walk, path, walk_unknown(walk->space, variable->name, 32), UINT32_MAX, values);
	if (has_all)
		name = (struct interval){ 1, DIAGRAM_HIGHEST };
	struct interval_set kept = interval_set_intersect(walk->scratch, &names, &names);
	return (has_all || has_none) && add_literal(walk, path, variable->rank, DIAGRAM_HIGHEST, &kept);
}

bool walk_path_values(struct walk *walk, struct walk_path *path, uint16_t number, const struct interval_set *values)
{
	const struct walk_variable *variable = &walk->variables->items[number];
	switch (variable->kind) {
	case WALK_VARIABLE_FIELD:
		return add_literal(walk, path, variable->rank, variable->highest, values);
	case WALK_VARIABLE_FAMILY:
		return family_values(path, variable, values);
	case WALK_VARIABLE_PROTOCOL:
		return protocol_values(path, values);
	case WALK_VARIABLE_STATE:
		return state_values(walk, path, variable, values);
	case WALK_VARIABLE_STATUS:
		return add_literal(walk, path, walk_unknown(walk->space, "ct status as a number", STATUS_BITS),
				   UINT32_MAX, values);
	case WALK_VARIABLE_INDEX:
		return index_values(walk, path, variable, values);
	case WALK_VARIABLE_DAY:
		return day_values(walk, path, variable, values);
	case WALK_VARIABLE_HOUR:
		return hour_values(walk, path, variable, values);
	}
	return false;
}

bool walk_path_field(struct walk *walk, struct walk_path *path, enum walk_field field, number128 low,
		     number128 high)
{
	struct interval_set values = { 0 };
	interval_set_add(walk->scratch, &values, low, high);
	return add_literal(walk, path, walk_rank(walk->space, field), walk_highest(field), &values);
}

bool walk_path_flag(struct walk *walk, struct walk_path *path, uint32_t rank)
{
	struct interval_set values = { 0 };
	interval_set_add(walk->scratch, &values, 1, 1);
	return add_literal(walk, path, rank, 1, &values);
}

const char *walk_place(const struct walk *walk)
{
	return pool_format(walk->scratch, "%schain %s, rule %zu", walk->prefix,
			   walk->chain == NULL ? "?" : walk->chain->name,
			   walk->rule + 1);
}

static const char *comment_here(const struct walk *walk)
{
	const char *comment = walk->rule < walk->chain->rules_count ? walk->chain->rules[walk->rule].comment : NULL;
	return comment == NULL ? "" : pool_format(walk->scratch, " (%s)", comment);
}

const struct walk_effects *walk_effects_here(struct walk *walk, const struct walk_effects *effects)
{
	if (!walk->tells_places || walk->chain == NULL)
		return effects;
	const char *text = walk->rule < walk->chain->rules_count
		? pool_format(walk->scratch, "%s%s", walk_place(walk), comment_here(walk))
		: pool_format(walk->scratch, "the policy of chain %s", walk->chain->name);
	return walk_effects_with(walk->leaves, effects, WALK_BY, text);
}

bool walk_path_unclear(struct walk *walk, struct walk_path *path, const char *what)
{
	const char *name = pool_format(walk->scratch, "%s, expression %zu: %s", walk_place(walk),
				       walk->expression + 1, what);
	uint32_t rank = walk_unknown(walk->space, name, 1);
	walk_unknown_is_unclear(walk->space, rank);
	return walk_path_flag(walk, path, rank);
}

static bool status_equation(struct walk *walk, struct walk_path *path, uint32_t mask, uint32_t wanted)
{
	bool is_possible = true;
	for (unsigned bit = 0; bit < STATUS_BITS && is_possible; bit++) {
		if ((mask >> bit & 1) == 0)
			continue;
		uint32_t rank = bit == STATUS_TRANSLATED_BIT
			? walk_rank(walk->space, WALK_TRANSLATED)
			: walk_unknown(walk->space, pool_format(walk->scratch, "ct status bit %u", bit), 1);
		struct interval_set values = { 0 };
		interval_set_add(walk->scratch, &values, wanted >> bit & 1, wanted >> bit & 1);
		is_possible = add_literal(walk, path, rank, 1, &values);
	}
	return is_possible;
}

bool walk_equation_is_no_name(const struct walk_equation *equation)
{
	bool is_name = equation->variable == WALK_IIFNAME || equation->variable == WALK_OIFNAME ||
		       equation->variable == WALK_CT_HELPER;
	bool has_ended = false;
	for (unsigned shift = 128; is_name && shift > 0; shift -= 8) {
		uint8_t mask = (uint8_t)(equation->mask >> (shift - 8));
		uint8_t byte = (uint8_t)(equation->wanted >> (shift - 8));
		if (has_ended && byte != 0)
			return true;
		has_ended = has_ended || (mask == 0xff && byte == 0);
	}
	return false;
}

/* What is known of the variable when the equation holds, too; false: it contradicts what did before. */
static bool unite(const struct walk_path *path, struct walk_equation *equation)
{
	for (size_t i = 0; i < path->parts_count; i++) {
		const struct walk_equation *part = &path->parts[i].equation;
		if (part->variable != equation->variable)
			continue;
		if (((part->wanted ^ equation->wanted) & part->mask & equation->mask) != 0)
			return false;
		equation->mask |= part->mask;
		equation->wanted |= part->wanted;
	}
	return true;
}

static void tell_parts(struct walk_path *path, uint16_t variable)
{
	for (size_t i = 0; i < path->parts_count; i++)
		if (path->parts[i].equation.variable == variable)
			path->parts[i].is_told = true;
}

bool walk_path_has_untold(const struct walk_path *path)
{
	for (size_t i = 0; i < path->parts_count; i++)
		if (!path->parts[i].is_told)
			return true;
	return false;
}

static bool add_unknown_equation(struct walk *walk, struct walk_path *path, const struct walk_equation *equation)
{
	const char *name = pool_format(walk->scratch,
				       "%s under a mask with many holes (%016llx%016llx %016llx%016llx)",
				       walk->variables->items[equation->variable].name,
				       (unsigned long long)(equation->mask >> 64),
				       (unsigned long long)equation->mask,
				       (unsigned long long)(equation->wanted >> 64),
				       (unsigned long long)equation->wanted);
	return walk_path_flag(walk, path, walk_unknown(walk->space, name, 1));
}

/* Parts of one variable, each under a mask with holes, may have none together: words of an address in any order.
 * What never becomes whole stays unknown, part by part. */
static bool add_part(struct walk *walk, struct walk_path *path, const struct walk_equation *equation)
{
	const struct walk_variable *variable = &walk->variables->items[equation->variable];
	struct walk_equation united = *equation;
	struct interval_set values;
	if (!unite(path, &united) || walk_equation_is_no_name(&united))
		return false;
	bool is_whole = walk_equation_values(walk->scratch, variable, &united, &values);
	if (is_whole)
		tell_parts(path, equation->variable);
	bool is_told = is_whole || walk_equation_values(walk->scratch, variable, equation, &values);
	if (is_told && !walk_path_values(walk, path, equation->variable, &values))
		return false;
	if (path->parts_count == WALK_PARTS_MAX)
		return is_told || add_unknown_equation(walk, path, equation);
	path->parts[path->parts_count++] = (struct walk_part){ *equation, is_told };
	return true;
}

bool walk_path_equation(struct walk *walk, struct walk_path *path, const struct walk_equation *equation)
{
	const struct walk_variable *variable = &walk->variables->items[equation->variable];
	struct interval_set values;
	if (walk_equation_is_no_name(equation))
		return false;
	if (variable->kind == WALK_VARIABLE_STATUS)
		return status_equation(walk, path, (uint32_t)(equation->mask >> 96),
				       (uint32_t)(equation->wanted >> 96));
	if (variable->kind == WALK_VARIABLE_FIELD && variable->bytes > WHOLE_BYTES)
		return add_part(walk, path, equation);
	if (walk_equation_values(walk->scratch, variable, equation, &values))
		return walk_path_values(walk, path, equation->variable, &values);
	return add_unknown_equation(walk, path, equation);
}

bool walk_path_predicate(struct walk *walk, struct walk_path *path, diagram predicate)
{
	path->others = walk_and(walk, path->others, predicate);
	return path->others != WALK_PREDICATE_FALSE;
}

/* --- rows ------------------------------------------------------------------------------------------- */

void walk_row_meet(struct interval *row, const struct interval_set *values, number128 highest)
{
	number128 low = values->items[0].low, high = values->items[values->items_count - 1].high;
	if (high >= highest)
		high = DIAGRAM_HIGHEST;
	if (low > row->high || high < row->low)
		return; /* it has met the piece before, beyond its highest value */
	row->low = low > row->low ? low : row->low;
	row->high = high < row->high ? high : row->high;
}

static void meet_protocols(struct interval *row, const struct walk_protocols *protocols)
{
	struct interval ends = walk_protocols_ends(protocols);
	if (ends.low <= ends.high)
		walk_row_meet(row, &(struct interval_set){ &ends, 1, 1 }, PROTOCOLS - 1);
}

struct walk_piece walk_path_rows(const struct walk *walk, const struct walk_path *path)
{
	struct walk_piece rows = walk->space->piece;
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const uint32_t rank = walk_rank(walk->space, walk_cut_fields[cut]);
		for (size_t i = 0; i < path->literals_count; i++)
			if (path->literals[i].rank == rank)
				walk_row_meet(&rows.rows[cut], &path->literals[i].values,
					      path->literals[i].highest);
	}
	if (!protocols_are_all(walk, &path->protocols))
		meet_protocols(&rows.rows[WALK_CUT_PROTOCOL], &path->protocols);
	return rows;
}

/* --- meaning ---------------------------------------------------------------------------------------- */

static void add_family_literal(struct walk *walk, struct walk_path *path)
{
	struct interval_set values = { 0 };
	if (path->families == FAMILIES_BOTH)
		return;
	unsigned family = path->families == FAMILIES_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	interval_set_add(walk->scratch, &values, family, family);
	add_literal(walk, path, walk_rank(walk->space, WALK_FAMILY), walk_highest(WALK_FAMILY), &values);
}

static void add_protocol_literal(struct walk *walk, struct walk_path *path)
{
	struct interval_set values = { 0 };
	if (protocols_are_all(walk, &path->protocols))
		return;
	for (unsigned at = next_protocol(&path->protocols, 0); at < PROTOCOLS;
	     at = next_protocol(&path->protocols, at + 1))
		interval_set_add(walk->scratch, &values, at, at);
	interval_set_normalise(&values);
	add_literal(walk, path, walk_rank(walk->space, WALK_PROTOCOL), walk_highest(WALK_PROTOCOL), &values);
}

/* Bits that not all numbers of the interval have alike. */
static number128 differing_bits(const struct interval *interval)
{
	number128 bits = interval->low ^ interval->high;
	for (unsigned step = 1; step < 128; step *= 2)
		bits |= bits >> step;
	return bits;
}

/* Does the equation hold of all values that the way's literals leave? */
static bool is_implied(const struct walk *walk, const struct walk_path *path, const struct walk_equation *equation)
{
	const struct walk_variable *variable = &walk->variables->items[equation->variable];
	const unsigned down = 8u * (16u - variable->bytes);
	const number128 mask = equation->mask >> down, wanted = equation->wanted >> down;
	for (size_t i = 0; i < path->literals_count; i++) {
		const struct interval_set *values = &path->literals[i].values;
		if (path->literals[i].rank != variable->rank)
			continue;
		for (size_t k = 0; k < values->items_count; k++)
			if ((differing_bits(&values->items[k]) & mask) != 0 ||
			    (values->items[k].low & mask) != wanted)
				return false;
		return true;
	}
	return false;
}

static void add_unknown_parts(struct walk *walk, const struct walk_path *path, struct walk_path *whole)
{
	for (size_t i = 0; i < path->parts_count; i++)
		if (!path->parts[i].is_told && !is_implied(walk, path, &path->parts[i].equation))
			add_unknown_equation(walk, whole, &path->parts[i].equation);
}

/* The last field first: nodes are made from below. */
static void sort_literals(struct walk_path *path)
{
	for (size_t i = 1; i < path->literals_count; i++) {
		struct walk_literal moved = path->literals[i];
		size_t at = i;
		for (; at > 0 && path->literals[at - 1].rank < moved.rank; at--)
			path->literals[at] = path->literals[at - 1];
		path->literals[at] = moved;
	}
}

static diagram build(struct walk *walk, const struct walk_path *path, diagram inside, diagram outside)
{
	diagram at = inside;
	for (size_t i = 0; i < path->literals_count; i++) {
		const struct walk_literal *literal = &path->literals[i];
		at = walk_choose(walk->space, literal->rank, &literal->values, literal->highest, at, outside);
	}
	return at;
}

/* All conditions as literals and `others`; registers are left aside. */
static void complete(struct walk *walk, const struct walk_path *path, struct walk_path *whole)
{
	whole->families = path->families;
	whole->protocols = path->protocols;
	whole->literals_count = path->literals_count;
	memcpy(whole->literals, path->literals, path->literals_count * sizeof *path->literals);
	whole->parts_count = 0;
	whole->others = path->others;
	add_family_literal(walk, whole);
	add_protocol_literal(walk, whole);
	add_unknown_parts(walk, path, whole);
	sort_literals(whole);
}

diagram walk_path_meaning(struct walk *walk, const struct walk_path *path)
{
	struct walk_path whole;
	complete(walk, path, &whole);
	diagram predicate = build(walk, &whole, WALK_PREDICATE_TRUE, WALK_PREDICATE_FALSE);
	return walk_and(walk, predicate, whole.others);
}

diagram walk_path_guard(struct walk *walk, const struct walk_path *path, diagram inside)
{
	const diagram fall = diagram_leaf(0);
	struct walk_path whole;
	complete(walk, path, &whole);
	uint32_t last = whole.literals_count == 0 ? 0 : whole.literals[0].rank;
	if (whole.others == WALK_PREDICATE_TRUE &&
	    (whole.literals_count == 0 || last < diagram_field(walk->space->diagrams, inside)))
		return build(walk, &whole, inside, fall);
	diagram predicate = build(walk, &whole, WALK_PREDICATE_TRUE, WALK_PREDICATE_FALSE);
	return walk_guard(walk, walk_and(walk, predicate, whole.others), inside);
}

/* --- operations ------------------------------------------------------------------------------------- */

static uint32_t sequence_leaves(void *context, uint32_t a, uint32_t b)
{
	struct walk *walk = context;
	const struct walk_leaf *first = walk->leaves->items[a], *then = walk->leaves->items[b];
	return diagram_number(walk_leaf_after(walk->leaves, first->effects, then));
}

static bool sequence_early(void *context, diagram a, diagram b, diagram *result)
{
	const struct walk *walk = context;
	if (a == diagram_leaf(0)) {
		*result = b;
		return true;
	}
	bool is_decided = diagram_is_leaf(a) && walk_leaf_at(walk->leaves, a)->verdict != WALK_FALL;
	*result = a;
	return is_decided || b == diagram_leaf(0);
}

diagram walk_sequence(struct walk *walk, diagram first, diagram then)
{
	const struct diagram_operation operation = { WALK_SEQUENCE, walk, sequence_leaves, sequence_early };
	return diagram_apply(walk->space->diagrams, &operation, first, then);
}

static bool is_decided(void *context, diagram leaf)
{
	const struct walk *walk = context;
	return walk_leaf_at(walk->leaves, leaf)->verdict != WALK_FALL;
}

diagram walk_sequence_of(struct walk *walk, const diagram *items, size_t count)
{
	const struct diagram_operation operation = { WALK_SEQUENCE, walk, sequence_leaves, sequence_early };
	return diagram_all(walk->scratch, walk->space->diagrams,
			   &(struct diagram_joining){ &operation, is_decided }, items, count);
}

static uint32_t guard_leaves(void *context, uint32_t predicate, uint32_t inside)
{
	(void)context;
	return predicate != 0 ? inside : 0;
}

static bool guard_early(void *context, diagram predicate, diagram inside, diagram *result)
{
	(void)context;
	*result = predicate == WALK_PREDICATE_TRUE ? inside : diagram_leaf(0);
	return diagram_is_leaf(predicate) || inside == diagram_leaf(0);
}

diagram walk_guard(struct walk *walk, diagram predicate, diagram inside)
{
	const struct diagram_operation operation = { WALK_GUARD, walk, guard_leaves, guard_early };
	return diagram_apply(walk->space->diagrams, &operation, predicate, inside);
}

static uint32_t and_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & b;
}

static bool and_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == b || a == WALK_PREDICATE_FALSE || b == WALK_PREDICATE_TRUE)
		*result = a;
	else if (a == WALK_PREDICATE_TRUE || b == WALK_PREDICATE_FALSE)
		*result = b;
	else
		return false;
	return true;
}

diagram walk_and(struct walk *walk, diagram a, diagram b)
{
	const struct diagram_operation operation = { WALK_AND, walk, and_leaves, and_early };
	return diagram_apply(walk->space->diagrams, &operation, a, b);
}

static uint32_t or_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a | b;
}

static bool or_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == b || a == WALK_PREDICATE_TRUE || b == WALK_PREDICATE_FALSE)
		*result = a;
	else if (a == WALK_PREDICATE_FALSE || b == WALK_PREDICATE_TRUE)
		*result = b;
	else
		return false;
	return true;
}

diagram walk_or(struct walk *walk, diagram a, diagram b)
{
	const struct diagram_operation operation = { WALK_OR, walk, or_leaves, or_early };
	return diagram_apply(walk->space->diagrams, &operation, a, b);
}

static bool is_true(void *context, diagram leaf)
{
	(void)context;
	return leaf == WALK_PREDICATE_TRUE;
}

diagram walk_or_of(struct walk *walk, const diagram *items, size_t count)
{
	const struct diagram_operation operation = { WALK_OR, walk, or_leaves, or_early };
	return diagram_all(walk->scratch, walk->space->diagrams,
			   &(struct diagram_joining){ &operation, is_true }, items, count);
}

static uint32_t minus_leaves(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a & ~b;
}

static bool minus_early(void *context, diagram a, diagram b, diagram *result)
{
	(void)context;
	if (a == b || a == WALK_PREDICATE_FALSE || b == WALK_PREDICATE_TRUE)
		*result = WALK_PREDICATE_FALSE;
	else if (b == WALK_PREDICATE_FALSE)
		*result = a;
	else
		return false;
	return true;
}

diagram walk_minus(struct walk *walk, diagram a, diagram b)
{
	const struct diagram_operation operation = { WALK_MINUS, walk, minus_leaves, minus_early };
	return diagram_apply(walk->space->diagrams, &operation, a, b);
}

/* The second operand is a leaf that stands for the pair of verdicts. */
#define TURN_CODE 16u

static uint32_t turn_leaves(void *context, uint32_t a, uint32_t code)
{
	struct walk *walk = context;
	const struct walk_leaf *leaf = walk->leaves->items[a];
	if ((uint32_t)leaf->verdict != code / TURN_CODE)
		return a;
	return diagram_number(walk_leaf_turned(walk->leaves, leaf, (enum walk_verdict)(code % TURN_CODE)));
}

static bool turn_early(void *context, diagram a, diagram code, diagram *result)
{
	(void)context;
	(void)a;
	(void)code;
	(void)result;
	return false;
}

diagram walk_turn(struct walk *walk, diagram meaning, enum walk_verdict from, enum walk_verdict to)
{
	const struct diagram_operation operation = { WALK_TURN, walk, turn_leaves, turn_early };
	return diagram_apply(walk->space->diagrams, &operation, meaning,
			     diagram_leaf((uint32_t)from * TURN_CODE + (uint32_t)to));
}
