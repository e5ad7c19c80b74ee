/* A list is written from front to back into one chain, in steps. Each step takes the cheapest of:
 * plain rules for all of it; a lookup by one field, whose cells lead to leaf chains (lists again)
 * and behind which only the rest of the list remains; one list a family; where nothing is cheap
 * enough to copy, the two halves one after the other. Every step leaves a shorter list.
 *
 * Right by construction: cells are disjoint, so maps never overlap; a leaf returns what it does not
 * decide; order is kept wherever outcomes differ (split_cells.c). Leaves with equal units are one
 * chain. The last step of a chain may `goto`, since returning would find nothing; a base chain
 * always jumps, since its default stands behind. */
#include "target/nft/split.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/lower_emit.h"
#include "target/nft/split_cells.h"

/* Figures in nanoseconds, measured on lists of each form; they only choose between forms. */
enum {
	COST_LINEAR_FEW = 75,     /* below that nothing beats plain rules */
	COST_CELL_RULE = 14,      /* a cell written as a rule */
	COST_NAME_MAP = 110,
	COST_EXACT_MAP = 130,
	COST_PORTS_MAP = 270,
	COST_TREE_MAP = 120,      /* interval map of one field: base, and a level of its tree */
	COST_TREE_LEVEL = 15,
	COST_FAMILY = 14,
	COST_FAMILY_BIAS = 60,    /* a tree a family is harder to read */
	COST_LEAF = 16,
	COST_LIST_MOST = 400,     /* a list is at worst split again */
};

enum {
	CELL_RULES_MAX = 6,       /* cells that are written as rules */
	SERVICE_RULES_MAX = 3,
	LEVEL_MAX = 7,            /* chains above a leaf; leaves and outcomes need up to 9 more */
	SAMPLE = 256,             /* units that a long list is judged by */
	LONG_LIST = 2048,
	HALVES_MIN = 48,
	NESTING_MAX = 64,
};

struct site {
	struct draft *draft;
	unsigned level;   /* of the draft's chain; the base chain is 1 */
	unsigned nesting; /* of calls on one chain */
	bool is_tail;     /* nothing follows in this chain */
};

struct list {
	const struct entry *items;
	size_t count;
};

struct leaf_chain {
	const struct entry *entries;
	size_t count;
	struct goal goal;
};

struct wanted_leaf {
	const struct lower *lower;
	struct list list;
};

static void write_list(struct lower *lower, struct site site, struct list list);

/* --- costs -------------------------------------------------------------------------------------- */

/* The plain rules of the list; long lists are judged by a sample. */
static unsigned linear_cost(const struct lower *lower, struct list list)
{
	size_t step = list.count > SAMPLE ? list.count / SAMPLE : 1;
	uint64_t cost = 0, seen = 0;
	for (size_t i = 0; i < list.count; i += step, seen++)
		cost += emit_cost(lower, list.items[i]);
	if (seen != 0)
		cost = cost * list.count / seen;
	return cost > UINT32_MAX ? UINT32_MAX : (unsigned)cost;
}

/* What a list will cost once it is written as well as can be. */
static unsigned list_cost(const struct lower *lower, struct list list)
{
	unsigned cost = linear_cost(lower, list);
	return cost < COST_LIST_MOST ? cost : COST_LIST_MOST + cost / 64;
}

static bool is_final_leaf(const struct lower *lower, struct list leaf)
{
	return leaf.count != 0 && entry_is_final(lower, leaf.items[0]);
}

static struct list leaf_list(const struct cells *cells, uint32_t number)
{
	const struct leaf *leaf = &cells->leaves[number];
	return (struct list){ cells->entries + leaf->first, leaf->count };
}

/* The mean over a sample of the cells. */
static unsigned leaves_cost(const struct lower *lower, const struct cells *cells)
{
	size_t step = cells->cells_count > SAMPLE ? cells->cells_count / SAMPLE : 1;
	uint64_t cost = 0, seen = 0;
	for (size_t i = 0; i < cells->cells_count; i += step, seen++) {
		struct list leaf = leaf_list(cells, cells->cells[i].leaf);
		if (!is_final_leaf(lower, leaf))
			cost += COST_LEAF + list_cost(lower, leaf);
	}
	return (unsigned)(seen == 0 ? 0 : cost / seen);
}

static bool is_written_as_rules(const struct cells *cells)
{
	bool is_service = cells->field == SPLIT_SERVICE || cells->field == SPLIT_PORTS;
	return cells->cells_count <= (is_service ? SERVICE_RULES_MAX : CELL_RULES_MAX);
}

static unsigned lookup_cost(const struct cells *cells)
{
	if (is_written_as_rules(cells))
		return (unsigned)cells->cells_count * COST_CELL_RULE;
	switch (cells->field) {
	case SPLIT_IN:
	case SPLIT_OUT:
		return COST_NAME_MAP;
	case SPLIT_SERVICE:
		return COST_EXACT_MAP;
	case SPLIT_PORTS:
		return COST_PORTS_MAP;
	case SPLIT_SOURCE4:
	case SPLIT_DESTINATION4:
	case SPLIT_SOURCE6:
	case SPLIT_DESTINATION6:
		break;
	}
	unsigned cost = COST_TREE_MAP;
	for (size_t cells_left = cells->cells_count; cells_left > 1; cells_left /= 2)
		cost += COST_TREE_LEVEL;
	return cost;
}

static unsigned cells_cost(const struct lower *lower, const struct cells *cells)
{
	struct list rest = { cells->rest, cells->rest_count };
	return lookup_cost(cells) + leaves_cost(lower, cells) / 2 + list_cost(lower, rest);
}

/* --- leaves ---------------------------------------------------------------------------------------- */

static bool leaf_chain_equals(const void *wanted, uint32_t number)
{
	const struct wanted_leaf *want = wanted;
	const struct leaf_chain *chain = &want->lower->leaf_chains[number];
	return chain->count == want->list.count &&
	       memcmp(chain->entries, want->list.items, chain->count * sizeof *chain->entries) == 0;
}

static struct goal new_chain(struct lower *lower, struct list list, unsigned level)
{
	struct draft draft = draft_begin(lower);
	struct site site = { .draft = &draft, .level = level, .is_tail = true };
	write_list(lower, site, list);
	const char *name = lower_name(lower, "");
	return goal_of_chain(&draft, draft_end(lower, &draft, name), NFT_JUMP);
}

/* The chain of the list, shared where it exists and is not too high for this site. */
static struct goal chain_goal(struct lower *lower, struct list list, unsigned level)
{
	struct wanted_leaf wanted = { lower, list };
	uint64_t hash = memo_mix(0, list.count);
	for (size_t i = 0; i < list.count; i++)
		hash = memo_mix(hash, (uint64_t)list.items[i].unit << 32 | list.items[i].done);
	uint32_t number = memo_find(&lower->chain_memo, hash, leaf_chain_equals, &wanted);
	if (number != MEMO_NONE) {
		struct goal goal = lower->leaf_chains[number].goal;
		if (level - 1 + goal.height <= LOWER_LEVELS_MAX)
			return goal;
	}
	struct goal goal = new_chain(lower, list, level);
	struct entry *kept = lower_array(lower, struct entry, list.count);
	memcpy(kept, list.items, list.count * sizeof *kept);
	memo_add(lower->scratch, &lower->chain_memo, hash, (uint32_t)lower->leaf_chains_count);
	*pool_append(lower->scratch, lower, leaf_chains) = (struct leaf_chain){ kept, list.count, goal };
	return goal;
}

/* Where packets that are in the leaf go: a verdict, or a chain at level + 1. */
static struct goal leaf_goal(struct lower *lower, struct list leaf, unsigned level,
			     enum nft_verdict_kind kind)
{
	const struct tail *tail = lower->units[leaf.items[0].unit].tail;
	bool is_alone = leaf.count == 1 && entry_needs(lower, leaf.items[0]) == 0;
	if (is_final_leaf(lower, leaf) || is_alone)
		return tail_goal(lower, tail, kind);
	struct goal goal = chain_goal(lower, leaf, level + 1);
	goal.verdict.kind = kind;
	return goal;
}

/* --- writing cells ------------------------------------------------------------------------------- */

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
	};
	return kinds[field];
}

static bool is_port_field(enum split_field field)
{
	return field == SPLIT_SERVICE || field == SPLIT_PORTS;
}

static bool is_name_field(enum split_field field)
{
	return field == SPLIT_IN || field == SPLIT_OUT;
}

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

static void write_cell_rule(struct lower *lower, struct site site, const struct cells *cells,
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
	struct nft_rule *written = rule_end(lower, site.draft, &rule, goal->height);
	const struct tail *tail = leaf_tail(lower, cells, cell->leaf);
	written->comment = tail->comment;
	written->origin = tail->origin;
}

static size_t count_elements(const struct cells *cells)
{
	if (cells->field != SPLIT_SERVICE)
		return cells->cells_count;
	size_t count = 0;
	for (size_t i = 0; i < cells->cells_count; i++)
		count += (size_t)(cells->cells[i].high - cells->cells[i].low) + 1;
	return count;
}

static void add_element(struct nft_set *map, const struct tail *tail, const struct goal *goal)
{
	struct nft_element *element = &map->elements[map->elements_count++];
	element->verdict = goal->verdict;
	element->comment = tail->comment;
	element->origin = tail->origin;
}

static void add_port_elements(struct nft_set *map, const struct cells *cells,
			      const struct cell *cell, const struct tail *tail,
			      const struct goal *goal)
{
	number128 step = cells->field == SPLIT_SERVICE ? 1 : cell->high - cell->low + 1;
	for (number128 low = cell->low; low <= cell->high; low += step) {
		struct nft_element *element = &map->elements[map->elements_count];
		element->low[0].number = element->high[0].number = low >> 16;
		element->low[1].number = low & UINT16_MAX;
		element->high[1].number = (low + step - 1) & UINT16_MAX;
		add_element(map, tail, goal);
	}
}

static void add_cell_elements(struct lower *lower, struct nft_set *map, const struct cells *cells,
			      const struct cell *cell, const struct goal *goal)
{
	const struct tail *tail = leaf_tail(lower, cells, cell->leaf);
	if (is_port_field(cells->field)) {
		add_port_elements(map, cells, cell, tail, goal);
		return;
	}
	struct nft_element *element = &map->elements[map->elements_count];
	if (is_name_field(cells->field)) {
		element->low[0].name = element->high[0].name = cells->names[(size_t)cell->low];
	} else {
		element->low[0].number = cell->low;
		element->high[0].number = cell->high;
	}
	add_element(map, tail, goal);
}

static bool has_ranges(const struct cells *cells)
{
	if (cells->field == SPLIT_SERVICE || is_name_field(cells->field))
		return false;
	for (size_t i = 0; i < cells->cells_count; i++)
		if (cells->cells[i].low != cells->cells[i].high)
			return true;
	return false;
}

static void write_map(struct lower *lower, struct site site, const struct cells *cells,
		      const struct goal *goals)
{
	static const enum nft_field port_fields[] = { NFT_FIELD_L4PROTO, NFT_FIELD_TH_DPORT };
	enum nft_field field = cell_field(cells->field);
	bool is_ports = is_port_field(cells->field);
	struct nft_set *map = lower_set(lower, lower_name(lower, map_kind(cells->field)),
					is_ports ? port_fields : &field, is_ports ? 2 : 1);
	map->is_verdict_map = true;
	map->is_interval = has_ranges(cells);
	map->elements_capacity = count_elements(cells);
	map->elements = lower_array(lower, struct nft_element, map->elements_capacity);
	for (size_t i = 0; i < cells->cells_count; i++)
		add_cell_elements(lower, map, cells, &cells->cells[i], &goals[cells->cells[i].leaf]);
	map->size = map->is_interval ? 0 : (uint32_t)map->elements_count;
	unsigned height = 0;
	for (size_t i = 0; i < cells->leaves_count; i++)
		height = goals[i].height > height ? goals[i].height : height;
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, (struct nft_statement){
		.kind = NFT_VMAP, .fields = map->fields, .fields_count = map->fields_count,
		.set = map,
	});
	rule_end(lower, site.draft, &rule, height);
}

static void write_cells(struct lower *lower, struct site site, const struct cells *cells)
{
	enum nft_verdict_kind kind = site.is_tail ? NFT_GOTO : NFT_JUMP;
	struct goal *goals = pool_array(cells->pool, struct goal, cells->leaves_count);
	for (uint32_t i = 0; i < cells->leaves_count; i++)
		goals[i] = leaf_goal(lower, leaf_list(cells, i), site.level, kind);
	if (!is_written_as_rules(cells)) {
		write_map(lower, site, cells, goals);
		return;
	}
	for (size_t i = 0; i < cells->cells_count; i++)
		write_cell_rule(lower, site, cells, &cells->cells[i], &goals[cells->cells[i].leaf]);
}

/* --- choosing a field -------------------------------------------------------------------------------- */

static size_t count_cut(const struct lower *lower, enum split_field field, struct list list)
{
	size_t count = 0;
	for (size_t i = 0; i < list.count; i++)
		count += cells_cuts(lower, field, list.items[i]);
	return count;
}

/* Every so many-th unit of a long list. */
static struct list sample_of(struct lower *lower, struct list list)
{
	size_t step = list.count / SAMPLE;
	struct entry *items = pool_array(lower->scratch, struct entry, SAMPLE);
	for (size_t i = 0; i < SAMPLE; i++)
		items[i] = list.items[i * step];
	return (struct list){ items, SAMPLE };
}

static size_t copies_most(size_t count)
{
	return count * 6 + 256;
}

/* Units in front that the field does not cut. */
static size_t count_head(const struct lower *lower, enum split_field field, struct list list)
{
	size_t head = 0;
	while (head < list.count && !cells_cuts(lower, field, list.items[head]))
		head++;
	return head;
}

static struct cells *cut_behind(struct lower *lower, enum split_field field, struct list list,
				size_t head)
{
	struct cells *cells = cells_new(lower, field, list.items + head, list.count - head,
					copies_most(list.count));
	if (cells != NULL)
		cells->head = head;
	return cells;
}

/* Units in front may be written before the lookup: cheaper where most leaves would hold them. */
static struct cells *cut_list(struct lower *lower, enum split_field field, struct list list)
{
	struct cells *whole = cut_behind(lower, field, list, 0);
	size_t head = count_head(lower, field, list);
	if (head == 0 || (whole != NULL && whole->entries_count <= list.count))
		return whole;
	struct cells *behind = cut_behind(lower, field, list, head);
	if (whole == NULL || behind == NULL)
		return behind == NULL ? whole : behind;
	bool is_smaller = behind->entries_count + whole->leaves_count / 4 < whole->entries_count;
	talloc_free(is_smaller ? whole->pool : behind->pool);
	return is_smaller ? behind : whole;
}

/* The cost of a list cut by the field; UINT32_MAX where it cannot be. */
static unsigned try_field(struct lower *lower, enum split_field field, struct list list,
			  struct cells **cells)
{
	*cells = NULL;
	if (count_cut(lower, field, list) < 2)
		return UINT32_MAX;
	*cells = cut_list(lower, field, list);
	if (*cells == NULL)
		return UINT32_MAX;
	if (!is_written_as_rules(*cells) && !lower_may_add_set(lower))
		return UINT32_MAX;
	struct list head = { list.items, (*cells)->head };
	return list_cost(lower, head) + cells_cost(lower, *cells);
}

static void free_cells(struct cells *cells)
{
	if (cells != NULL)
		talloc_free(cells->pool);
}

/* The cheapest cut below the cost given, or NULL. Only the fields of the mask are tried. */
static struct cells *best_cells(struct lower *lower, struct list list, unsigned fields,
				unsigned *cost, enum split_field *field)
{
	struct cells *best = NULL;
	for (enum split_field tried = SPLIT_IN; tried <= SPLIT_DESTINATION6; tried++) {
		struct cells *cells;
		if ((fields >> tried & 1) == 0)
			continue;
		unsigned with = try_field(lower, tried, list, &cells);
		if (with >= *cost) {
			free_cells(cells);
			continue;
		}
		free_cells(best);
		best = cells;
		*cost = with;
		*field = tried;
	}
	return best;
}

/* A long list is judged by a sample first; then its best fields are tried one by one. */
static struct cells *best_cells_of_long(struct lower *lower, struct list list, unsigned most)
{
	unsigned fields = (1u << SPLIT_FIELDS) - 1;
	struct list sample = sample_of(lower, list);
	while (fields != 0) {
		unsigned cost = UINT32_MAX;
		enum split_field field = SPLIT_IN;
		struct cells *tried = best_cells(lower, sample, fields, &cost, &field);
		free_cells(tried);
		if (tried == NULL)
			return NULL;
		unsigned whole = most;
		struct cells *cells = best_cells(lower, list, 1u << field, &whole, &field);
		if (cells != NULL)
			return cells;
		fields &= ~(1u << field);
	}
	return NULL;
}

static struct cells *choose_cells(struct lower *lower, struct list list, unsigned linear)
{
	enum split_field field;
	unsigned most = linear - linear / 8;
	if (list.count > LONG_LIST)
		return best_cells_of_long(lower, list, most);
	return best_cells(lower, list, (1u << SPLIT_FIELDS) - 1, &most, &field);
}

/* --- one list a family ----------------------------------------------------------------------------- */

static struct list family_list(struct lower *lower, struct list list, unsigned family)
{
	struct entry *items = pool_array(lower->scratch, struct entry, list.count);
	size_t count = 0;
	for (size_t i = 0; i < list.count; i++) {
		struct entry entry = list.items[i];
		const struct unit *unit = &lower->units[entry.unit];
		if ((unit->family & family) == 0)
			continue;
		entry.done |= NEED_FAMILY & unit->needs;
		items[count++] = entry;
	}
	return (struct list){ items, count };
}

static bool has_family(const struct lower *lower, struct list list, unsigned family)
{
	for (size_t i = 0; i < list.count; i++)
		if (lower->units[list.items[i].unit].family == family &&
		    (entry_needs(lower, list.items[i]) & NEED_FAMILY) != 0)
			return true;
	return false;
}

struct family_lists {
	struct list of[2];
	unsigned cost; /* UINT32_MAX: the list is not of both families */
};

static struct family_lists families_of(struct lower *lower, struct list list)
{
	struct family_lists families = { .cost = UINT32_MAX };
	if (!has_family(lower, list, FAMILIES_IPV4) || !has_family(lower, list, FAMILIES_IPV6))
		return families;
	families.of[0] = family_list(lower, list, FAMILIES_IPV4);
	families.of[1] = family_list(lower, list, FAMILIES_IPV6);
	families.cost = COST_FAMILY + COST_FAMILY_BIAS +
			(list_cost(lower, families.of[0]) + list_cost(lower, families.of[1])) / 2;
	return families;
}

static void write_family_rule(struct lower *lower, struct site site, struct list list,
			      unsigned family)
{
	enum nft_verdict_kind kind = site.is_tail ? NFT_GOTO : NFT_JUMP;
	struct goal goal = leaf_goal(lower, list, site.level, kind);
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, match_equal(NFT_FIELD_NFPROTO, family == FAMILIES_IPV4 ? 2 : 10));
	rule_add(&rule, verdict_statement(goal.verdict));
	rule_end(lower, site.draft, &rule, goal.height);
}

/* --- steps -------------------------------------------------------------------------------------------- */

/* Behind a unit that decides about every packet nothing is reached. */
static struct list trim(const struct lower *lower, struct list list)
{
	for (size_t i = 0; i < list.count; i++)
		if (entry_is_final(lower, list.items[i]))
			return (struct list){ list.items, i + 1 };
	return list;
}

static void write_linear(struct lower *lower, struct site site, struct list list)
{
	for (size_t i = 0; i < list.count; i++)
		emit_entry(lower, site.draft, list.items[i]);
}

static struct site not_tail(struct site site)
{
	site.is_tail = false;
	site.nesting++;
	return site;
}

/* Writes the head and the lookup; gives what remains to be written. */
static struct list write_field(struct lower *lower, struct site site, struct list list,
			       const struct cells *cells)
{
	if (cells->head != 0)
		write_list(lower, not_tail(site), (struct list){ list.items, cells->head });
	struct site here = site;
	here.is_tail = site.is_tail && cells->rest_count == 0;
	write_cells(lower, here, cells);
	return (struct list){ cells->rest, cells->rest_count };
}

/* The families' lists hold every packet between them, so nothing remains. */
static void write_families(struct lower *lower, struct site site,
			   const struct family_lists *families)
{
	write_family_rule(lower, site, families->of[0], FAMILIES_IPV4);
	write_family_rule(lower, site, families->of[1], FAMILIES_IPV6);
}

static void write_halves(struct lower *lower, struct site site, struct list list)
{
	size_t half = list.count / 2;
	write_list(lower, not_tail(site), (struct list){ list.items, half });
	site.nesting++;
	write_list(lower, site, (struct list){ list.items + half, list.count - half });
}

static void write_list(struct lower *lower, struct site site, struct list list)
{
	for (;;) {
		list = trim(lower, list);
		unsigned linear = linear_cost(lower, list);
		if (linear <= COST_LINEAR_FEW || site.level > LEVEL_MAX ||
		    site.nesting > NESTING_MAX || list.count == 0)
			break;
		struct family_lists families = families_of(lower, list);
		unsigned most = families.cost < linear ? families.cost : linear;
		struct cells *cells = choose_cells(lower, list, most);
		if (cells != NULL) {
			list = write_field(lower, site, list, cells);
			continue;
		}
		if (families.cost < linear - linear / 8) {
			write_families(lower, site, &families);
			return;
		}
		if (list.count < HALVES_MIN || !lower_may_add_set(lower))
			break;
		write_halves(lower, site, list);
		return;
	}
	write_linear(lower, site, list);
}

void split_write(struct lower *lower, struct draft *draft, struct entries *list)
{
	struct site site = { .draft = draft, .level = 1, .is_tail = false };
	write_list(lower, site, (struct list){ list->items, list->items_count });
}
