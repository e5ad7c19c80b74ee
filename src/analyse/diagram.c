/* Nodes in one array, their edges in two others; a table finds equal nodes, another the results of
 * operations. Children stand before their parents, so that numbers ascend to the root. */
#include "analyse/diagram.h"

#include <string.h>

#include "base/pool.h"

#define TABLE_LEAST 1024u
/* talloc gives no chunk of 256 MB: of edges, and of remembered results. */
#define EDGES_MOST 12000000u
#define RESULTS_SIZE_MOST 8388608u
/* How often the results may be forgotten for lack of room before an operation takes too long. */
#define FORGET_MOST 6u
#define EMPTY UINT32_MAX

struct node {
	uint32_t field;
	uint32_t first, count; /* edges */
	uint32_t hash;
};

struct result {
	uint32_t operation; /* EMPTY: none */
	diagram a, b, result;
};

struct edge {
	number128 high;
	diagram child;
};

struct diagrams {
	void *pool;
	struct node *nodes;
	size_t nodes_count, nodes_capacity;
	number128 *highs;
	size_t highs_count, highs_capacity;
	diagram *children;
	size_t children_capacity;
	uint32_t *table; /* of node numbers */
	size_t table_size;
	struct result *results;
	size_t results_size, results_count, forgotten_count;
	struct edge *row; /* edges under construction, of all nodes that are being made */
	size_t row_count, row_capacity;
	size_t edges_max;
	size_t released_count; /* edges of nodes that are no more */
	uint32_t operations_count; /* that were given a number of their own */
	bool is_over;
};

/* A table of which every byte is 0xff: EMPTY. */
static void *empty_table(void *pool, size_t size, size_t item_size)
{
	size_t capacity = 0;
	void *table = pool_room(pool, NULL, &capacity, size, item_size);
	memset(table, 0xff, size * item_size);
	return table;
}

struct diagrams *diagrams_new(void *pool, size_t edges_max)
{
	struct diagrams *diagrams = pool_new(pool, struct diagrams);
	diagrams->pool = diagrams;
	diagrams->edges_max = edges_max < EDGES_MOST ? edges_max : EDGES_MOST;
	diagrams->table_size = diagrams->results_size = TABLE_LEAST;
	diagrams->table = empty_table(diagrams, diagrams->table_size, sizeof *diagrams->table);
	diagrams->results = empty_table(diagrams, diagrams->results_size, sizeof *diagrams->results);
	return diagrams;
}

bool diagrams_are_over(const struct diagrams *diagrams)
{
	return diagrams->is_over;
}

size_t diagrams_edges(const struct diagrams *diagrams)
{
	return diagrams->highs_count + diagrams->released_count;
}

uint32_t diagram_field(const struct diagrams *diagrams, diagram node)
{
	return diagram_is_leaf(node) ? UINT32_MAX : diagrams->nodes[node].field;
}

struct diagram_edges diagram_edges(const struct diagrams *diagrams, diagram node)
{
	const struct node *at = &diagrams->nodes[node];
	return (struct diagram_edges){ diagrams->highs + at->first, diagrams->children + at->first, at->count };
}

/* --- nodes ------------------------------------------------------------------------------------------ */

static uint32_t mixed(uint64_t value)
{
	value *= 0x9e3779b97f4a7c15u;
	value ^= value >> 32;
	return (uint32_t)value;
}

static uint32_t row_hash(uint32_t field, const struct edge *row, size_t count)
{
	uint64_t hash = mixed(field);
	for (size_t i = 0; i < count; i++) {
		hash = mixed(hash ^ (uint64_t)row[i].high) + (uint64_t)(row[i].high >> 64) * 31;
		hash = mixed(hash << 16 ^ row[i].child ^ hash >> 48);
	}
	return mixed(hash);
}

static bool is_row(const struct diagrams *diagrams, const struct node *node, uint32_t field,
		   const struct edge *row, size_t count)
{
	if (node->field != field || node->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (diagrams->highs[node->first + i] != row[i].high ||
		    diagrams->children[node->first + i] != row[i].child)
			return false;
	return true;
}

static void grow_table(struct diagrams *diagrams)
{
	size_t size = diagrams->table_size * 2;
	uint32_t *table = empty_table(diagrams->pool, size, sizeof *table);
	for (size_t i = 0; i < diagrams->nodes_count; i++) {
		size_t at = diagrams->nodes[i].hash & (size - 1);
		while (table[at] != EMPTY)
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i;
	}
	talloc_free(diagrams->table);
	diagrams->table = table;
	diagrams->table_size = size;
}

static void keep_edges(struct diagrams *diagrams, const struct edge *row, size_t count)
{
	size_t wanted = diagrams->highs_count + count;
	diagrams->highs = pool_room(diagrams->pool, diagrams->highs, &diagrams->highs_capacity, wanted,
				    sizeof *diagrams->highs);
	diagrams->children = pool_room(diagrams->pool, diagrams->children, &diagrams->children_capacity, wanted,
				       sizeof *diagrams->children);
	for (size_t i = 0; i < count; i++) {
		diagrams->highs[diagrams->highs_count + i] = row[i].high;
		diagrams->children[diagrams->highs_count + i] = row[i].child;
	}
	diagrams->highs_count = wanted;
}

/* The node of a row whose neighbours differ. */
static diagram find_or_make(struct diagrams *diagrams, uint32_t field, const struct edge *row, size_t count)
{
	uint32_t hash = row_hash(field, row, count);
	size_t at = hash & (diagrams->table_size - 1);
	for (; diagrams->table[at] != EMPTY; at = (at + 1) & (diagrams->table_size - 1)) {
		const struct node *node = &diagrams->nodes[diagrams->table[at]];
		if (node->hash == hash && is_row(diagrams, node, field, row, count))
			return diagrams->table[at];
	}
	if (diagrams->highs_count + count > diagrams->edges_max) {
		diagrams->is_over = true;
		return DIAGRAM_OVER;
	}
	uint32_t first = (uint32_t)diagrams->highs_count;
	keep_edges(diagrams, row, count);
	diagrams->table[at] = (uint32_t)diagrams->nodes_count;
	*pool_append(diagrams->pool, diagrams, nodes) = (struct node){ field, first, (uint32_t)count, hash };
	if (diagrams->nodes_count * 2 > diagrams->table_size)
		grow_table(diagrams);
	return (uint32_t)diagrams->nodes_count - 1;
}

size_t diagram_row_begin(const struct diagrams *diagrams)
{
	return diagrams->row_count;
}

void diagram_row_add(struct diagrams *diagrams, size_t base, number128 high, diagram child)
{
	if (diagrams->row_count > base && diagrams->row[diagrams->row_count - 1].child == child) {
		diagrams->row[diagrams->row_count - 1].high = high;
		return;
	}
	*pool_append(diagrams->pool, diagrams, row) = (struct edge){ high, child };
}

diagram diagram_row_end(struct diagrams *diagrams, size_t base, uint32_t field)
{
	size_t count = diagrams->row_count - base;
	diagrams->row_count = base;
	if (diagrams->is_over)
		return DIAGRAM_OVER;
	if (count == 1)
		return diagrams->row[base].child;
	return find_or_make(diagrams, field, diagrams->row + base, count);
}

void diagram_row_drop(struct diagrams *diagrams, size_t base)
{
	diagrams->row_count = base;
}

diagram diagram_choose(struct diagrams *diagrams, uint32_t field, const struct interval_set *values,
		       diagram inside, diagram outside)
{
	size_t base = diagram_row_begin(diagrams);
	number128 next = 0;
	bool is_whole = false;
	for (size_t i = 0; i < values->items_count; i++) {
		const struct interval *item = &values->items[i];
		if (item->low > next)
			diagram_row_add(diagrams, base, item->low - 1, outside);
		diagram_row_add(diagrams, base, item->high, inside);
		next = item->high + 1;
		is_whole = item->high == DIAGRAM_HIGHEST;
	}
	if (!is_whole)
		diagram_row_add(diagrams, base, DIAGRAM_HIGHEST, outside);
	return diagram_row_end(diagrams, base, field);
}

uint32_t diagrams_operation(struct diagrams *diagrams)
{
	return DIAGRAM_OPERATIONS + ++diagrams->operations_count;
}

/* --- operations ------------------------------------------------------------------------------------- */

static size_t result_place(const struct result *results, size_t size, uint32_t operation, diagram a, diagram b)
{
	size_t at = mixed((uint64_t)a << 32 ^ (uint64_t)b << 4 ^ operation) & (size - 1);
	while (results[at].operation != EMPTY &&
	       (results[at].operation != operation || results[at].a != a || results[at].b != b))
		at = (at + 1) & (size - 1);
	return at;
}

static void grow_results(struct diagrams *diagrams)
{
	size_t size = diagrams->results_size * 2;
	struct result *results = empty_table(diagrams->pool, size, sizeof *results);
	for (size_t i = 0; i < diagrams->results_size; i++) {
		const struct result *old = &diagrams->results[i];
		if (old->operation != EMPTY)
			results[result_place(results, size, old->operation, old->a, old->b)] = *old;
	}
	talloc_free(diagrams->results);
	diagrams->results = results;
	diagrams->results_size = size;
}

static void forget_results(struct diagrams *diagrams)
{
	memset(diagrams->results, 0xff, diagrams->results_size * sizeof *diagrams->results);
	diagrams->results_count = 0;
	diagrams->is_over = diagrams->is_over || ++diagrams->forgotten_count > FORGET_MOST;
}

static void keep_result(struct diagrams *diagrams, uint32_t operation, diagram a, diagram b, diagram result)
{
	if ((diagrams->results_count + 1) * 2 > diagrams->results_size) {
		if (diagrams->results_size < RESULTS_SIZE_MOST &&
		    diagrams->results_count < diagrams->edges_max)
			grow_results(diagrams);
		else
			forget_results(diagrams);
	}
	size_t at = result_place(diagrams->results, diagrams->results_size, operation, a, b);
	diagrams->results[at] = (struct result){ operation, a, b, result };
	diagrams->results_count++;
}

/* --- giving back ------------------------------------------------------------------------------------ */

struct diagrams_mark diagrams_mark(const struct diagrams *diagrams)
{
	return (struct diagrams_mark){ diagrams->nodes_count, diagrams->highs_count };
}

/* From the last node on: no other's place was sought past one that came later. */
static void take_out(struct diagrams *diagrams, size_t first)
{
	for (size_t i = diagrams->nodes_count; i > first; i--) {
		size_t at = diagrams->nodes[i - 1].hash & (diagrams->table_size - 1);
		while (diagrams->table[at] != i - 1)
			at = (at + 1) & (diagrams->table_size - 1);
		diagrams->table[at] = EMPTY;
	}
	diagrams->nodes_count = first;
}

void diagrams_release(struct diagrams *diagrams, struct diagrams_mark mark)
{
	diagrams->released_count += diagrams->highs_count - mark.highs_count;
	take_out(diagrams, mark.nodes_count);
	diagrams->highs_count = mark.highs_count;
	/* what comes next is mostly as large: a table that was not needed is not emptied each time */
	while (diagrams->results_size > TABLE_LEAST && diagrams->results_count * 8 < diagrams->results_size)
		diagrams->results_size /= 2;
	memset(diagrams->results, 0xff, diagrams->results_size * sizeof *diagrams->results);
	diagrams->results_count = diagrams->forgotten_count = 0;
	diagrams->row_count = 0;
	diagrams->is_over = false;
}

/* --- two at a time ---------------------------------------------------------------------------------- */

/* Walks the rows of two nodes together: the node itself is its only child where it asks later. */
struct zip {
	diagram a, b;
	bool has_a, has_b; /* asks the field */
	size_t at_a, at_b;
	uint32_t field;
};

static struct zip zip_new(const struct diagrams *diagrams, diagram a, diagram b)
{
	uint32_t field_a = diagram_field(diagrams, a), field_b = diagram_field(diagrams, b);
	struct zip zip = { .a = a, .b = b };
	zip.field = field_a < field_b ? field_a : field_b;
	zip.has_a = field_a == zip.field;
	zip.has_b = field_b == zip.field;
	return zip;
}

static number128 high_at(const struct diagrams *diagrams, diagram node, bool has, size_t at)
{
	return has ? diagrams->highs[diagrams->nodes[node].first + at] : DIAGRAM_HIGHEST;
}

static diagram child_at(const struct diagrams *diagrams, diagram node, bool has, size_t at)
{
	return has ? diagrams->children[diagrams->nodes[node].first + at] : node;
}

/* The next piece: both children and where it ends. */
static number128 zip_next(const struct diagrams *diagrams, struct zip *zip, diagram *a, diagram *b)
{
	number128 high_a = high_at(diagrams, zip->a, zip->has_a, zip->at_a);
	number128 high_b = high_at(diagrams, zip->b, zip->has_b, zip->at_b);
	*a = child_at(diagrams, zip->a, zip->has_a, zip->at_a);
	*b = child_at(diagrams, zip->b, zip->has_b, zip->at_b);
	zip->at_a += high_a <= high_b;
	zip->at_b += high_b <= high_a;
	return high_a < high_b ? high_a : high_b;
}

/* The first edge from `at` on that ends at `high` or later. */
static size_t edge_to(const struct diagrams *diagrams, diagram node, bool has, size_t at, number128 high)
{
	const struct node *row = &diagrams->nodes[node];
	size_t last;
	if (!has)
		return at;
	last = row->count - 1;
	while (at < last) {
		size_t middle = (at + last) / 2;
		if (diagrams->highs[row->first + middle] < high)
			at = middle + 1;
		else
			last = middle;
	}
	return at;
}

/* Where an absorbing leaf stands on one side, its whole piece at once. */
static bool zip_skip(const struct diagrams *diagrams, const struct diagram_operation *operation,
		     struct zip *zip, diagram *result, number128 *high)
{
	if (operation->has_absorbing_a &&
	    child_at(diagrams, zip->a, zip->has_a, zip->at_a) == operation->absorbing_a) {
		*high = high_at(diagrams, zip->a, zip->has_a, zip->at_a);
		*result = operation->absorbed_a;
	} else if (operation->has_absorbing_b &&
		   child_at(diagrams, zip->b, zip->has_b, zip->at_b) == operation->absorbing_b) {
		*high = high_at(diagrams, zip->b, zip->has_b, zip->at_b);
		*result = operation->absorbed_b;
	} else {
		return false;
	}
	zip->at_a = edge_to(diagrams, zip->a, zip->has_a, zip->at_a, *high);
	zip->at_b = edge_to(diagrams, zip->b, zip->has_b, zip->at_b, *high);
	zip->at_a += high_at(diagrams, zip->a, zip->has_a, zip->at_a) == *high;
	zip->at_b += high_at(diagrams, zip->b, zip->has_b, zip->at_b) == *high;
	return true;
}

diagram diagram_apply(struct diagrams *diagrams, const struct diagram_operation *operation, diagram a, diagram b)
{
	diagram result, child_a, child_b;
	if (diagrams->is_over)
		return DIAGRAM_OVER;
	if (operation->early(operation->context, a, b, &result))
		return result;
	if (diagram_is_leaf(a) && diagram_is_leaf(b))
		return diagram_leaf(operation->leaves(operation->context, diagram_number(a), diagram_number(b)));
	const struct result *known = &diagrams->results[result_place(diagrams->results, diagrams->results_size,
								     operation->number, a, b)];
	if (known->operation != EMPTY)
		return known->result;
	struct zip zip = zip_new(diagrams, a, b);
	size_t base = diagram_row_begin(diagrams);
	number128 high;
	do {
		if (zip_skip(diagrams, operation, &zip, &result, &high)) {
			diagram_row_add(diagrams, base, high, result);
			continue;
		}
		high = zip_next(diagrams, &zip, &child_a, &child_b);
		diagram_row_add(diagrams, base, high, diagram_apply(diagrams, operation, child_a, child_b));
	} while (high != DIAGRAM_HIGHEST);
	result = diagram_row_end(diagrams, base, zip.field);
	if (!diagrams->is_over)
		keep_result(diagrams, operation->number, a, b, result);
	return result;
}

/* --- comparing -------------------------------------------------------------------------------------- */

struct comparing {
	void *pool;
	struct diagrams *diagrams;
	const struct diagram_difference *difference;
	struct diagram_way *way;
};

/* Pairs that were found equal are kept under this number of an operation. */
#define COMPARED DIAGRAM_OPERATIONS

static bool pair_equals(struct comparing *comparing, diagram a, diagram b);

static bool is_end(const struct comparing *comparing, diagram a, diagram b)
{
	uint32_t from = comparing->difference->from_field;
	const struct diagrams *diagrams = comparing->diagrams;
	return diagram_field(diagrams, a) >= from && diagram_field(diagrams, b) >= from;
}

/* Leaves of the piece what is to be looked at; false: nothing. */
static bool is_in_part(const struct comparing *comparing, struct diagram_step *step)
{
	for (size_t i = 0; i < comparing->difference->parts_count; i++) {
		const struct diagram_part *part = &comparing->difference->parts[i];
		if (part->field != step->field)
			continue;
		step->low = step->low < part->low ? part->low : step->low;
		step->high = step->high > part->high ? part->high : step->high;
	}
	return step->low <= step->high;
}

static bool piece_equals(struct comparing *comparing, struct diagram_step step, diagram a, diagram b)
{
	size_t steps = comparing->way->steps_count;
	*pool_append(comparing->pool, comparing->way, steps) = step;
	bool is_equal = pair_equals(comparing, a, b);
	if (is_equal)
		comparing->way->steps_count = steps;
	return is_equal;
}

/* Piece by piece; only: the one that holds this value. */
static bool pieces_equal(struct comparing *comparing, diagram a, diagram b, const number128 *only)
{
	struct zip zip = zip_new(comparing->diagrams, a, b);
	number128 low = 0, high;
	diagram child_a, child_b;
	do {
		high = zip_next(comparing->diagrams, &zip, &child_a, &child_b);
		struct diagram_step step = { zip.field, low, high };
		bool is_looked_at = is_in_part(comparing, &step) &&
				    (only == NULL || (*only >= step.low && *only <= step.high));
		if (is_looked_at && !piece_equals(comparing, step, child_a, child_b))
			return false;
		low = high + 1;
	} while (high != DIAGRAM_HIGHEST);
	return true;
}

static bool rows_equal(struct comparing *comparing, diagram a, diagram b)
{
	const struct diagram_difference *difference = comparing->difference;
	if (difference->prefer != NULL) {
		uint32_t field = zip_new(comparing->diagrams, a, b).field;
		number128 preferred = difference->prefer(difference->context, field);
		if (!pieces_equal(comparing, a, b, &preferred))
			return false;
	}
	return pieces_equal(comparing, a, b, NULL);
}

static bool pair_equals(struct comparing *comparing, diagram a, diagram b)
{
	struct diagrams *diagrams = comparing->diagrams;
	if (is_end(comparing, a, b)) {
		comparing->way->a = a;
		comparing->way->b = b;
		return comparing->difference->is_equal(comparing->difference->context, a, b);
	}
	size_t at = result_place(diagrams->results, diagrams->results_size, COMPARED, a, b);
	if (diagrams->results[at].operation != EMPTY)
		return true;
	if (!rows_equal(comparing, a, b))
		return false;
	keep_result(diagrams, COMPARED, a, b, a);
	if (diagrams->is_over)
		comparing->way->a = comparing->way->b = DIAGRAM_OVER;
	return !diagrams->is_over;
}

bool diagram_equals(void *pool, struct diagrams *diagrams, const struct diagram_difference *difference,
		    diagram a, diagram b, struct diagram_way *way)
{
	struct comparing comparing = { pool, diagrams, difference, way };
	way->steps_count = 0;
	way->a = way->b = DIAGRAM_OVER;
	if (diagrams->is_over)
		return false;
	return pair_equals(&comparing, a, b);
}
