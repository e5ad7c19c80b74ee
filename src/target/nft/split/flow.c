/* Each leaf is cut once, whatever number of pairs leads to it. Most leaves are one unit that asks for nothing
 * but its service: its tuples are the parts, no sweep is needed. */
#include "target/nft/split/flow.h"

#include "base/pool.h"

enum {
	FLOWS_A_UNIT = 8,    /* elements for each unit of the list */
	FLOWS_LEAST = 1024,
	PORTS_A_LEAF = 256,  /* a leaf of more stays in its pair */
	COPIES_A_UNIT = 6,   /* that the parts of a leaf may hold */
};

#define NO_LEAF UINT32_MAX

/* What becomes of a leaf of pairs. */
struct fate {
	uint32_t first, count; /* flow_services */
	uint32_t left;         /* leaf of the pairs that are left, or NO_LEAF */
};

struct making {
	struct lower *lower;
	const struct cells *pairs;
	struct cells *flows, *left;
	void *pool; /* until they are made */
	struct fate *fates; /* of the leaves of pairs */
};

/* --- leaves ------------------------------------------------------------------------------- */

static uint32_t add_leaf(struct cells *out, const struct entry *entries, size_t count)
{
	uint32_t number = (uint32_t)out->leaves_count;
	*pool_append(out->pool, out, leaves) = (struct leaf){ (uint32_t)out->entries_count, (uint32_t)count };
	for (size_t i = 0; i < count; i++)
		*pool_append(out->pool, out, entries) = entries[i];
	return number;
}

static void add_services(struct making *making, uint32_t low, uint32_t high, uint32_t leaf)
{
	*pool_append(making->flows->pool, making->flows, flow_services) = (struct flow_services){ low, high, leaf };
}

static bool is_plain(const struct lower *lower, const struct entry *entries, size_t count)
{
	const struct unit *unit = &lower->units[entries[0].unit];
	return count == 1 && entry_needs(lower, entries[0]) == NEED_SERVICE &&
	       lower->groups[unit->group].kind == SERVICE_NARROW;
}

static void add_plain(struct making *making, struct entry entry)
{
	const struct unit *unit = &making->lower->units[entry.unit];
	const struct service_group *group = &making->lower->groups[unit->group];
	entry.done |= NEED_SERVICE;
	uint32_t leaf = add_leaf(making->flows, &entry, 1);
	for (size_t i = 0; i < group->tuples_count; i++) {
		const struct service_tuple *tuple = &group->tuples[i];
		uint32_t protocol = (uint32_t)tuple->protocol << 16;
		add_services(making, protocol | tuple->first.low, protocol | tuple->first.high, leaf);
	}
}

/* Cuts the leaf by service; false: no unit can be cut so. */
static bool add_cut(struct making *making, const struct entry *entries, size_t count, struct fate *fate)
{
	struct cells *cells = cells_new(making->lower, &(struct cut_request){
		.field = SPLIT_SERVICE, .list = entries, .count = count, .copies = count * COPIES_A_UNIT,
	});
	if (cells == NULL)
		return false;
	uint32_t first = (uint32_t)making->flows->leaves_count;
	for (size_t i = 0; i < cells->leaves_count; i++)
		add_leaf(making->flows, cells->entries + cells->leaves[i].first, cells->leaves[i].count);
	for (size_t i = 0; i < cells->cells_count; i++)
		add_services(making, (uint32_t)cells->cells[i].low, (uint32_t)cells->cells[i].high,
			     first + cells->cells[i].leaf);
	if (cells->rest_count != 0)
		fate->left = add_leaf(making->left, cells->rest, cells->rest_count);
	talloc_free(cells->pool);
	return true;
}

static size_t count_ports(const struct making *making, const struct fate *fate)
{
	const struct flow_services *services = making->flows->flow_services;
	size_t count = 0;
	for (size_t i = fate->first; i < fate->first + fate->count; i++)
		count += (size_t)(services[i].high - services[i].low) + 1;
	return count;
}

static struct fate fate_of(struct making *making, const struct leaf *leaf)
{
	const struct entry *entries = making->pairs->entries + leaf->first;
	struct fate fate = { .first = (uint32_t)making->flows->flow_services_count, .left = NO_LEAF };
	bool is_cut = true;
	if (is_plain(making->lower, entries, leaf->count))
		add_plain(making, entries[0]);
	else
		is_cut = add_cut(making, entries, leaf->count, &fate);
	fate.count = (uint32_t)making->flows->flow_services_count - fate.first;
	if (is_cut && count_ports(making, &fate) <= PORTS_A_LEAF)
		return fate;
	making->flows->flow_services_count = fate.first;
	return (struct fate){ .first = fate.first, .left = add_leaf(making->left, entries, leaf->count) };
}

/* --- cells -------------------------------------------------------------------------------- */

/* Makes the fates of the leaves; false: too many elements. */
static bool find_fates(struct making *making, size_t most)
{
	const struct cells *pairs = making->pairs;
	size_t elements = 0;
	making->fates = pool_array(making->pool, struct fate, pairs->leaves_count);
	for (size_t i = 0; i < pairs->leaves_count && elements <= most; i++) {
		making->fates[i] = fate_of(making, &pairs->leaves[i]);
		elements += count_ports(making, &making->fates[i]); /* each has a cell at least */
	}
	if (elements > most)
		return false;
	elements = 0;
	for (size_t i = 0; i < pairs->cells_count; i++) {
		const struct fate *fate = &making->fates[pairs->cells[i].leaf];
		elements += count_ports(making, fate);
		making->flows->cells_count += fate->count;
		making->left->cells_count += fate->left != NO_LEAF;
	}
	return elements <= most;
}

static void add_cells(struct making *making)
{
	const struct cells *pairs = making->pairs;
	struct cells *flows = making->flows, *left = making->left;
	size_t flow = 0, pair = 0;
	flows->flows = pool_array(flows->pool, struct flow, flows->cells_count);
	flows->flow_blocks = pool_array(flows->pool, struct flow_blocks, pairs->cells_count);
	left->cells = pool_array(left->pool, struct cell, left->cells_count);
	for (size_t i = 0; i < pairs->cells_count; i++) {
		const struct cell *cell = &pairs->cells[i];
		const struct fate *fate = &making->fates[cell->leaf];
		flows->flow_blocks[i] = (struct flow_blocks){ cell->low, cell->other };
		for (uint32_t k = 0; k < fate->count; k++)
			flows->flows[flow++] = (struct flow){ (uint32_t)i, fate->first + k };
		if (fate->left == NO_LEAF)
			continue;
		left->cells[pair] = *cell;
		left->cells[pair++].leaf = fate->left;
	}
}

static struct cells *cells_like(struct lower *lower, const struct cells *pairs, enum split_field field)
{
	void *pool = pool_child(lower->scratch, "flows");
	struct cells *cells = pool_new(pool, struct cells);
	*cells = (struct cells){
		.pool = pool, .field = field, .length = pairs->length, .other_length = pairs->other_length,
		.is_of_family = pairs->is_of_family, .has_all = pairs->has_all,
	};
	return cells;
}

/* What is behind the lookups, and the chains that leaves go through. */
static void copy_rest(struct cells *to, const struct cells *from)
{
	to->head = from->head;
	to->rest = pool_array(to->pool, struct entry, from->rest_count);
	to->rest_count = from->rest_count;
	to->checkpoints = pool_array(to->pool, struct cells_checkpoint, from->checkpoints_count);
	to->checkpoints_count = from->checkpoints_count;
	for (size_t i = 0; i < from->rest_count; i++)
		to->rest[i] = from->rest[i];
	for (size_t i = 0; i < from->checkpoints_count; i++)
		to->checkpoints[i] = from->checkpoints[i];
}

static size_t flows_most(const struct lower *lower, size_t count)
{
	size_t most = count * FLOWS_A_UNIT + FLOWS_LEAST;
	return most < lower->limits->flows_most ? most : lower->limits->flows_most;
}

size_t flows_of(struct lower *lower, const struct cells *pairs, size_t count, struct cells *out[2])
{
	struct making making = {
		.lower = lower, .pairs = pairs, .pool = pool_child(lower->scratch, "fates"),
		.flows = cells_like(lower, pairs, pairs->field == SPLIT_PAIR4 ? SPLIT_FLOW4 : SPLIT_FLOW6),
		.left = cells_like(lower, pairs, pairs->field),
	};
	bool is_found = find_fates(&making, flows_most(lower, count)) && making.flows->cells_count != 0;
	if (is_found) {
		add_cells(&making);
		copy_rest(making.flows, pairs);
	}
	bool has_left = is_found && making.left->cells_count != 0;
	out[0] = making.flows;
	out[1] = making.left;
	if (!is_found)
		talloc_free(making.flows->pool);
	if (!has_left)
		talloc_free(making.left->pool);
	talloc_free(making.pool);
	return !is_found ? 0 : has_left ? 2 : 1;
}

size_t flows_elements(const struct cells *flows)
{
	size_t count = 0;
	for (size_t i = 0; i < flows->cells_count; i++) {
		const struct flow_services *services = &flows->flow_services[flows->flows[i].services];
		count += (size_t)(services->high - services->low) + 1;
	}
	return count;
}
