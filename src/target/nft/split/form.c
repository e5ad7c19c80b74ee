/* Maps are exact where every cell is one value, else of intervals; cells are disjoint, so no two
 * elements meet. A tree compares with the middle cell: what is below goes to a chain of its own, the
 * rest follows in the same chain. Behind a jump the right half finds nothing, and costs little. */
#include "target/nft/split/form.h"

#include <string.h>

#include "base/pool.h"
#include "optimise/costs.h"
#include "target/nft/model/field.h"
#include "target/nft/emit/emit.h"
#include "target/nft/emit/once.h"
#include "target/nft/split/flow.h"
#include "target/nft/split/hash.h"

enum {
	CELL_RULES_MAX = 6,
	LIST_LEAST_MOST = 400, /* nanoseconds of plain rules that are worth a set if there may be one */
	LAST_SETS = 2,         /* one in so many are for lists that are worth more than that: */
	LIST_LEAST_LAST = 3000, /* for the very last one */
	TREE_CELLS_MAX = 64,   /* that are chosen (points.h) */
	PORT_RULES_MAX = 8,    /* likewise */
	TREE_LEAF_CELLS = 4, /* cells that are compared one by one */
};

/* --- the parts of a lookup ---------------------------------------------------------------- */

static enum nft_field cell_field(enum split_field field)
{
	switch (field) {
	case SPLIT_IN:
		return NFT_FIELD_IIFNAME;
	case SPLIT_OUT:
		return NFT_FIELD_OIFNAME;
	case SPLIT_SERVICE:
	case SPLIT_PORTS:
		return NFT_FIELD_L4PROTO;
	case SPLIT_SOURCE4:
		return NFT_FIELD_IP_SADDR;
	case SPLIT_DESTINATION4:
		return NFT_FIELD_IP_DADDR;
	case SPLIT_SOURCE6:
		return NFT_FIELD_IP6_SADDR;
	case SPLIT_DESTINATION6:
		return NFT_FIELD_IP6_DADDR;
	case SPLIT_PAIR4:
	case SPLIT_PAIR6:
	case SPLIT_FLOW4:
	case SPLIT_FLOW6:
		break; /* several fields: map_fields */
	}
	return NFT_FIELD_IIFNAME;
}

static const char *map_kind(enum split_field field)
{
	static const char *const kinds[SPLIT_FIELDS] = {
		[SPLIT_IN] = "in", [SPLIT_OUT] = "out",
		[SPLIT_SERVICE] = "services", [SPLIT_PORTS] = "ports",
		[SPLIT_SOURCE4] = "from4", [SPLIT_DESTINATION4] = "to4",
		[SPLIT_SOURCE6] = "from6", [SPLIT_DESTINATION6] = "to6",
		[SPLIT_PAIR4] = "pairs4", [SPLIT_PAIR6] = "pairs6",
		[SPLIT_FLOW4] = "flows4", [SPLIT_FLOW6] = "flows6",
	};
	return kinds[field];
}

static bool is_port_field(enum split_field field)
{
	return field == SPLIT_SERVICE || field == SPLIT_PORTS;
}

static bool is_flow_field(enum split_field field)
{
	return field == SPLIT_FLOW4 || field == SPLIT_FLOW6;
}

static bool is_name_field(enum split_field field)
{
	return field == SPLIT_IN || field == SPLIT_OUT;
}

/* --- choosing ----------------------------------------------------------------------------- */

static bool is_address_field(enum split_field field)
{
	return field >= SPLIT_SOURCE4;
}

static unsigned tree_levels(size_t cells)
{
	unsigned levels = 0;
	for (; cells > TREE_LEAF_CELLS; cells = cells / 2)
		levels++;
	return levels;
}

unsigned cells_levels(const struct cells *cells, enum cells_form form)
{
	return form == CELLS_TREE ? tree_levels(cells->cells_count) : 0;
}

/* Plain rules that are worth a set, in nanoseconds. The last sets are for long lists. */
static size_t list_least(const struct lower *lower)
{
	size_t used = lower_sets_chosen(lower), most = lower->sets_most - lower->sets_kept;
	size_t least = lower->limits->list_least + lower->limits->list_per_set * used;
	size_t last = most - most / LAST_SETS;
	if (least > LIST_LEAST_MOST)
		least = LIST_LEAST_MOST;
	return used < last ? least : least + (used - last) * LAST_SETS * LIST_LEAST_LAST / (most + 1);
}

bool cells_may_have_set(const struct lower *lower, unsigned linear)
{
	return lower_may_add_set(lower) && linear >= list_least(lower);
}

enum cells_form cells_form(const struct lower *lower, const struct cells *cells, unsigned level,
			   unsigned linear)
{
	size_t few = is_port_field(cells->field) ? CELLS_PORT_RULES_MAX : CELL_RULES_MAX;
	if (cells->cells_count <= few)
		return CELLS_RULES;
	if (cells_may_have_set(lower, linear))
		return CELLS_MAP;
	bool has_tree = is_address_field(cells->field) &&
			level + tree_levels(cells->cells_count) <= SPLIT_LEVELS_MAX;
	return has_tree ? CELLS_TREE : CELLS_NONE;
}

size_t cells_most(enum split_field field, unsigned level)
{
	size_t most = TREE_LEAF_CELLS;
	if (is_port_field(field))
		return PORT_RULES_MAX;
	for (; level < SPLIT_LEVELS_MAX && most < TREE_CELLS_MAX; level++)
		most *= 2;
	return most;
}

/* 0: all bits of the address. */
static uint8_t leading_of(unsigned width, unsigned length)
{
	return (uint8_t)(length == width ? 0 : length);
}

enum cost_lookup hash_lookup(unsigned width, unsigned length, unsigned other_length)
{
	static const enum nft_field fields[] = { NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR };
	const uint8_t leading[] = { leading_of(width, length), leading_of(width, other_length) };
	bool is_pair = other_length != 0;
	if (width == 32)
		return is_pair ? LOOKUP_PAIR : LOOKUP_MASKED;
	if (nft_pays_in_parts(fields, leading, is_pair ? 2 : 1))
		return is_pair ? LOOKUP_PAIR_PARTS6 : LOOKUP_PARTS6;
	return is_pair ? LOOKUP_PAIR6 : LOOKUP_MASKED6;
}

static enum cost_lookup flow6_lookup(const struct cells *cells)
{
	static const enum nft_field fields[] = { NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR, NFT_FIELD_L4PROTO,
						 NFT_FIELD_TH_DPORT };
	const uint8_t leading[] = { leading_of(128, cells->length), leading_of(128, cells->other_length), 0, 0 };
	if (leading[0] == 0 && leading[1] == 0)
		return LOOKUP_FLOW_WHOLE6;
	return nft_pays_in_parts(fields, leading, 4) ? LOOKUP_FLOW_PARTS6 : LOOKUP_FLOW6;
}

enum cost_lookup cells_lookup(const struct cells *cells)
{
	if (cells->length != 0 && !is_flow_field(cells->field))
		return hash_lookup(cells_width(cells->field), cells->length, cells->other_length);
	switch (cells->field) {
	case SPLIT_IN:
	case SPLIT_OUT:
		return LOOKUP_NAME;
	case SPLIT_SERVICE:
		return LOOKUP_EXACT;
	case SPLIT_PORTS:
		return LOOKUP_CONCATENATED;
	case SPLIT_SOURCE4:
	case SPLIT_DESTINATION4:
		return LOOKUP_INTERVAL;
	case SPLIT_SOURCE6:
	case SPLIT_DESTINATION6:
		return LOOKUP_INTERVAL6;
	case SPLIT_PAIR4:
	case SPLIT_PAIR6:
		break; /* always of leading bits */
	case SPLIT_FLOW4:
		return LOOKUP_FLOW;
	case SPLIT_FLOW6:
		return flow6_lookup(cells);
	}
	return LOOKUP_INTERVAL;
}

/* Of the family, which a lookup by places does not ask for again; trees of intervals have no places. */
static unsigned saved_cost(const struct cells *cells)
{
	enum cost_lookup lookup = cells_lookup(cells);
	bool has_places = lookup != LOOKUP_INTERVAL && lookup != LOOKUP_INTERVAL6 && lookup != LOOKUP_MASKED6 &&
			  lookup != LOOKUP_PAIR6 && lookup != LOOKUP_FLOW6 && lookup != LOOKUP_FLOW_WHOLE6;
	return cells->is_of_family && has_places ? COST_FAMILY : 0;
}

unsigned cells_lookup_cost(const struct cells *cells, enum cells_form form)
{
	bool is_ipv6 = is_address_field(cells->field) && cells_width(cells->field) == 128;
	unsigned compare = cost_compare(is_ipv6, COST_OF_PREFIX);
	switch (form) {
	case CELLS_RULES:
		return (unsigned)cells->cells_count * (is_name_field(cells->field) ? COST_COMPARE_NAME : compare);
	case CELLS_MAP:
	case CELLS_HASH:
		return cost_lookup(cells_lookup(cells), cells_elements(cells)) - saved_cost(cells);
	case CELLS_TREE:
		return TREE_LEAF_CELLS * compare + (compare + COST_JUMP) * tree_levels(cells->cells_count);
	case CELLS_NONE:
		break;
	}
	return UINT32_MAX;
}

/* --- rules and maps ----------------------------------------------------------------------- */

static const struct tail *leaf_tail(const struct lower *lower, const struct cells *cells,
				    uint32_t leaf)
{
	return lower->units[cells->entries[cells->leaves[leaf].first].unit].tail;
}

static struct service_tuple cell_tuple(const struct cell *cell)
{
	return (struct service_tuple){
		.protocol = (uint16_t)(cell->low >> 16),
		.families = FAMILIES_BOTH,
		.first = { (uint16_t)cell->low, (uint16_t)cell->high },
		.second = { 0, UINT16_MAX },
	};
}

static void write_cell_rule(struct lower *lower, struct draft *draft, const struct cells *cells,
			    const struct cell *cell, const struct goal *goal)
{
	struct rule_draft rule;
	rule.items_count = 0;
	struct service_tuple tuple = cell_tuple(cell);
	enum nft_field field = cell_field(cells->field);
	if (is_port_field(cells->field))
		emit_tuple(&rule, &tuple);
	else if (is_name_field(cells->field))
		rule_add(&rule, match_name(field, NFT_EQUAL, cells->names[(size_t)cell->low]));
	else
		rule_add(&rule, match_interval(field, (struct interval){ cell->low, cell->high }));
	rule_add(&rule, verdict_statement(goal->verdict));
	struct nft_rule *written = rule_end(lower, draft, &rule, goal->height);
	const struct tail *tail = leaf_tail(lower, cells, cell->leaf);
	written->comment = tail->comment;
	written->origin = tail->origin;
}

size_t cells_elements(const struct cells *cells)
{
	if (is_flow_field(cells->field))
		return flows_elements(cells);
	if (cells->length != 0)
		return hash_keys(cells, cells->length);
	if (cells->field != SPLIT_SERVICE)
		return cells->cells_count;
	size_t count = 0;
	for (size_t i = 0; i < cells->cells_count; i++)
		count += (size_t)(cells->cells[i].high - cells->cells[i].low) + 1;
	return count;
}

static struct nft_element *add_element(struct nft_set *map, const struct tail *tail, const struct goal *goal)
{
	struct nft_element *element = lower_element(map);
	element->verdict = goal->verdict.kind;
	element->chain = goal->verdict.chain;
	element->comment = tail->comment;
	element->origin = tail->origin;
	return element;
}

/* Of ranges the port is the first field: the kernel follows every element that the first field leaves, and the
 * protocol leaves half of them (2,342 ns a packet against 170 with 1,000 elements). */
static size_t port_place(bool is_interval)
{
	return is_interval ? 0 : 1;
}

static void add_port_elements(struct nft_set *map, const struct cells *cells,
			      const struct cell *cell, const struct tail *tail,
			      const struct goal *goal)
{
	size_t port = port_place(map->is_interval);
	number128 step = cells->field == SPLIT_SERVICE ? 1 : cell->high - cell->low + 1;
	for (number128 low = cell->low; low <= cell->high; low += step) {
		struct nft_element *element = add_element(map, tail, goal);
		nft_element_set(map, element, 1 - port, low >> 16, low >> 16);
		nft_element_set(map, element, port, low & UINT16_MAX, (low + step - 1) & UINT16_MAX);
	}
}

/* One element a block. */
static void add_block_elements(struct nft_set *map, const struct cells *cells, const struct cell *cell,
			       const struct tail *tail, const struct goal *goal)
{
	number128 step = (number128)1 << (cells_width(cells->field) - cells->length);
	number128 blocks = (cell->high - cell->low) / step + 1;
	for (number128 i = 0; i < blocks; i++) {
		struct nft_element *element = add_element(map, tail, goal);
		nft_element_set(map, element, 0, cell->low + i * step, cell->low + i * step);
		if (map->fields_count > 1)
			nft_element_set(map, element, 1, cell->other, cell->other);
	}
}

/* One element a port. */
static void add_flow_elements(struct nft_set *map, const struct cell *cell, const struct tail *tail,
			      const struct goal *goal)
{
	for (uint32_t service = cell->service_low; service <= cell->service_high; service++) {
		const number128 values[] = { cell->low, cell->other, service >> 16, service & UINT16_MAX };
		struct nft_element *element = add_element(map, tail, goal);
		for (size_t i = 0; i < NFT_KEY_FIELDS_MAX; i++)
			nft_element_set(map, element, i, values[i], values[i]);
	}
}

static void add_cell_elements(struct lower *lower, struct nft_set *map, const struct cells *cells,
			      const struct cell *cell, const struct goal *goal)
{
	const struct tail *tail = leaf_tail(lower, cells, cell->leaf);
	if (is_flow_field(cells->field)) {
		add_flow_elements(map, cell, tail, goal);
		return;
	}
	if (cells->length != 0) {
		add_block_elements(map, cells, cell, tail, goal);
		return;
	}
	if (is_port_field(cells->field)) {
		add_port_elements(map, cells, cell, tail, goal);
		return;
	}
	struct nft_element *element = add_element(map, tail, goal);
	if (is_name_field(cells->field))
		nft_element_set_name(map, element, cells->names[(size_t)cell->low]);
	else
		nft_element_set(map, element, 0, cell->low, cell->high);
}

static bool has_ranges(const struct cells *cells)
{
	if (cells->field == SPLIT_SERVICE || is_name_field(cells->field) || cells->length != 0 ||
	    is_flow_field(cells->field))
		return false;
	for (size_t i = 0; i < cells->cells_count; i++)
		if (cells->cells[i].low != cells->cells[i].high)
			return true;
	return false;
}

/* How many there are. */
static size_t map_fields(enum split_field field, bool is_interval, enum nft_field fields[NFT_KEY_FIELDS_MAX])
{
	fields[0] = cell_field(field);
	if (is_port_field(field)) {
		fields[1 - port_place(is_interval)] = NFT_FIELD_L4PROTO;
		fields[port_place(is_interval)] = NFT_FIELD_TH_DPORT;
		return 2;
	}
	if (field < SPLIT_PAIR4)
		return 1;
	bool is_ipv4 = cells_family(field) == FAMILIES_IPV4;
	fields[0] = is_ipv4 ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP6_SADDR;
	fields[1] = is_ipv4 ? NFT_FIELD_IP_DADDR : NFT_FIELD_IP6_DADDR;
	fields[2] = NFT_FIELD_L4PROTO;
	fields[3] = NFT_FIELD_TH_DPORT;
	return is_flow_field(field) ? 4 : 2;
}

/* What a listing's numbers are. */
static const char *parts_comment(const struct lower *lower, const struct cells *cells)
{
	bool is_source = cells->field == SPLIT_SOURCE4 || cells->field == SPLIT_SOURCE6;
	unsigned length = cells->length == 0 ? cells_width(cells->field) : cells->length;
	if (cells->other_length != 0)
		return pool_format(lower->pool, "first %u bits of source, %u of destination", length,
				   cells->other_length);
	return pool_format(lower->pool, "first %u bits of %s", length, is_source ? "source" : "destination");
}

/* The addresses' leading bits by their places, where that pays. */
static void set_parts(const struct lower *lower, struct nft_set *map, const struct cells *cells)
{
	const unsigned width = cells_width(cells->field), lengths[2] = { cells->length, cells->other_length };
	uint8_t leading[NFT_KEY_FIELDS_MAX] = { leading_of(width, lengths[0]), leading_of(width, lengths[1]) };
	bool is_known = cells->is_of_family && width == 32 && !map->is_interval;
	for (size_t i = 0; is_known && i < 2 && i < map->fields_count; i++)
		leading[i] = (uint8_t)(lengths[i] == 0 ? width : lengths[i]);
	if (!is_known && !nft_pays_in_parts(map->fields, leading, map->fields_count))
		return;
	memcpy(map->leading, leading, sizeof map->leading);
	map->comment = parts_comment(lower, cells);
}

static void write_map(struct lower *lower, struct draft *draft, const struct cells *cells,
		      const struct goal *goals)
{
	enum nft_field fields[NFT_KEY_FIELDS_MAX];
	bool is_interval = has_ranges(cells);
	size_t fields_count = map_fields(cells->field, is_interval, fields);
	struct nft_set *map = lower_set(lower, NULL, fields, fields_count);
	const uint8_t leading[NFT_KEY_FIELDS_MAX] = {
		leading_of(cells_width(cells->field), cells->length),
		leading_of(cells_width(cells->field), cells->other_length),
	};
	map->is_verdict_map = true;
	map->is_interval = is_interval;
	set_parts(lower, map, cells);
	lower_elements(lower, map, cells_elements(cells));
	for (size_t i = 0; i < cells->cells_count; i++) {
		const struct cell cell = cells_at(cells, i);
		add_cell_elements(lower, map, cells, &cell, &goals[cell.leaf]);
	}
	map->size = map->is_interval ? 0 : (uint32_t)map->elements_count;
	unsigned height = 0;
	for (size_t i = 0; i < cells->leaves_count; i++)
		height = goals[i].height > height ? goals[i].height : height;
	struct rule_draft rule;
	rule.items_count = 0;
	const struct nft_set *written = map_once(lower, map, map_kind(cells->field));
	rule_add(&rule, (struct nft_statement){
		.kind = NFT_VMAP, .fields = written->fields, .fields_count = (uint8_t)written->fields_count,
		.leading = { leading[0], leading[1] }, .set = written,
		.is_of_family = cells->is_of_family && written->leading[0] != 0,
	});
	rule_end(lower, draft, &rule, height);
}

/* --- the tree ----------------------------------------------------------------------------- */

struct tree {
	struct lower *lower;
	const struct cells *cells;
	const struct goal *goals;
	enum nft_verdict_kind kind;
};

static void write_tree(const struct tree *tree, struct draft *draft, size_t from, size_t to);

static struct goal tree_chain(const struct tree *tree, size_t from, size_t to)
{
	struct draft draft = draft_begin(tree->lower);
	write_tree(tree, &draft, from, to);
	return chain_once(tree->lower, &draft, "", tree->kind);
}

/* Depth: the logarithm of the number of cells. */
static void write_tree(const struct tree *tree, struct draft *draft, size_t from, size_t to)
{
	const struct cells *cells = tree->cells;
	while (to - from > TREE_LEAF_CELLS) {
		size_t middle = from + (to - from) / 2;
		struct goal below = tree_chain(tree, from, middle);
		struct rule_draft rule;
		rule.items_count = 0;
		rule_add(&rule, match_interval(cell_field(cells->field),
					       (struct interval){ 0, cells->cells[middle].low - 1 }));
		rule_add(&rule, verdict_statement(below.verdict));
		rule_end(tree->lower, draft, &rule, below.height);
		from = middle;
	}
	for (size_t i = from; i < to; i++)
		write_cell_rule(tree->lower, draft, cells, &cells->cells[i],
				&tree->goals[cells->cells[i].leaf]);
}

void cells_write(struct lower *lower, struct draft *draft, const struct cells *cells,
		 const struct goal *goals, enum cells_form form, enum nft_verdict_kind kind)
{
	struct tree tree = { lower, cells, goals, kind };
	if (form == CELLS_MAP || form == CELLS_HASH) {
		write_map(lower, draft, cells, goals);
	} else if (form == CELLS_TREE) {
		write_tree(&tree, draft, 0, cells->cells_count);
	} else {
		for (size_t i = 0; i < cells->cells_count; i++)
			write_cell_rule(lower, draft, cells, &cells->cells[i],
					&goals[cells->cells[i].leaf]);
	}
}
