#include "target/nft/split/cut.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/emit/emit.h"
#include "target/nft/report/report.h"
#include "target/nft/split/blocks.h"
#include "target/nft/split/flow.h"
#include "target/nft/split/points.h"
#include "target/nft/split/share.h"
#include "target/nft/split/words.h"

#define LONG_LIST 2048
#define SCREENED_NEVER SIZE_MAX
#define BLOCKS_SHARE 6 /* a lookup of blocks takes one in so many units at least */

enum {
	SCREENED_LEAST = 128, /* units of the rest, from which on leaves of blocks do not hold what conflicts */
	ZONES_LEVEL_MOST = 1, /* what is between two zones is a long list, which needs levels of its own */
	POINTS_LIST_LEAST = 200, /* nanoseconds of plain rules that are worth a tree */
	POINTS_CELL = 60,        /* that are worth a cell of it */
};

/* --- choosing a field --------------------------------------------------------------------- */

static size_t count_cut(const struct lower *lower, enum split_field field, struct list list)
{
	size_t count = 0;
	for (size_t i = 0; i < list.count; i++)
		count += cells_cuts(lower, field, list.items[i]);
	return count;
}

/* The leaves of one cut, and those of all cuts together, hold a bounded number of units for each
 * unit of the list: the table grows with the policy. */
static size_t copies_most(const struct lower *lower, size_t count)
{
	size_t most = count * 6 + 256, left = share_copies_left(lower);
	return most < left ? most : left;
}

/* Units in front that the field does not cut. */
static size_t count_head(const struct lower *lower, enum split_field field, struct list list)
{
	size_t head = 0;
	while (head < list.count && !cells_cuts(lower, field, list.items[head]))
		head++;
	return head;
}

/* How the list behind its head is cut. */
struct way {
	size_t head;
	const struct grain *grain, *other; /* NULL: none */
	size_t screened_least; /* units of the rest, from which on what conflicts is asked behind a unit */
	bool has_all; /* struct cut_request */
};

static struct cells *cut_behind(struct lower *lower, enum split_field field, struct list list, struct way way)
{
	struct cells *cells = cells_new(lower, &(struct cut_request){
		.field = field, .grain = way.grain, .other = way.other,
		.list = list.items + way.head, .count = list.count - way.head,
		.copies = copies_most(lower, list.count),
		.has_checkpoints = lower->may_check && way.screened_least != 0,
		.has_screens = lower->may_check, .screened_least = way.screened_least, .has_all = way.has_all,
	});
	if (cells != NULL)
		cells->head = way.head;
	return cells;
}

/* Units in front may be written before the lookup: cheaper where most leaves would hold them. */
static struct cells *cut_list(struct lower *lower, enum split_field field, struct list list)
{
	struct cells *whole = cut_behind(lower, field, list, (struct way){ .screened_least = SCREENED_NEVER });
	size_t head = count_head(lower, field, list);
	if (head == 0 || (whole != NULL && whole->entries_count <= list.count))
		return whole;
	struct cells *behind = cut_behind(lower, field, list, (struct way){
		.head = head, .screened_least = SCREENED_NEVER,
	});
	if (whole == NULL || behind == NULL)
		return behind == NULL ? whole : behind;
	bool is_smaller = behind->entries_count + whole->leaves_count / 4 < whole->entries_count;
	talloc_free(is_smaller ? whole->pool : behind->pool);
	return is_smaller ? behind : whole;
}

void cut_drop(struct cut *cut)
{
	for (size_t i = 0; i < cut->cells_count; i++)
		talloc_free(cut->cells[i]->pool);
	cut->cells_count = 0;
}

/* Pairs behind flows are looked up for what no flow decides: half of all packets, and of the others what is
 * left in pairs. */
static unsigned pairs_left_cost(const struct cut *cut)
{
	uint64_t flows = cut->cells[0]->cells_count, left = cut->cells[1]->cells_count;
	unsigned lookup = cells_lookup_cost(cut->cells[1], cut->form);
	return lookup / 2 + (unsigned)(lookup * left / (flows + left) / 2);
}

/* Would the leaves of the list that the sample stands for hold too much? End points are as many more in it: a
 * unit that covers several cells covers more of them; whole blocks are not. */
static bool copies_too_much(const struct lower *lower, const struct cut *cut, struct list sample)
{
	const struct cells *cells = cut->cells[0];
	if (sample.times == 0 || cells->length != 0)
		return false;
	size_t cut_units = sample.count - cells->rest_count - cells->head;
	size_t copies = cells->entries_count > cut_units ? cells->entries_count - cut_units : 0;
	return (cut_units + copies * sample.times) * sample.times >
	       copies_most(lower, sample.count * sample.times);
}

static unsigned cut_ns(const struct lower *lower, const struct cut *cut, struct list list)
{
	const struct cells *first = cut->cells[0];
	if (copies_too_much(lower, cut, list))
		return UINT32_MAX;
	struct list head = { list.items, first->head, list.times };
	struct list rest = { first->rest, first->rest_count, list.times };
	unsigned lookups = 0, asked = emit_fields_asked(lower, list.items, list.count);
	struct leaves_cost leaves = { .units = 0 };
	for (size_t i = 0; i < cut->cells_count; i++) {
		bool is_left = i != 0 && first->field >= SPLIT_FLOW4;
		lookups += is_left ? pairs_left_cost(cut) : cells_lookup_cost(cut->cells[i], cut->form);
		leaves_cost_add(lower, cut->cells[i], list.times, asked, &leaves);
	}
	uint64_t cost = list_cost(lower, head) + lookups + leaves.sum / leaves.units / 2;
	uint64_t left = list_linear_cost(lower, rest);
	unsigned behind = cut->is_blocks ? list_cost_of_ranges(left) : list_cost_of_linear(left);
	if (first->has_all)
		behind = COST_JUMP + behind / 2; /* some half of the packets find no pair */
	/* plain rules have what is left, too: it must not be what a cut seems to save */
	uint64_t plain = cost + left;
	if (plain >= list_linear_cost(lower, list))
		return plain > UINT32_MAX ? UINT32_MAX : (unsigned)plain;
	return (unsigned)cost + behind;
}

struct size_cells cut_cells(const struct cut *cut)
{
	return (struct size_cells){ cut->cells, cut->cells_count, cut->form };
}

static void weigh_cut(const struct lower *lower, struct cut *cut, struct list list)
{
	uint64_t cost = cut_ns(lower, cut, list);
	cut->price = cost == UINT32_MAX ? 0 : size_price(lower, cut_cells(cut), list);
	cost += cut->price;
	cut->cost = cost > UINT32_MAX ? UINT32_MAX : (unsigned)cost;
}

/* Blocks that hold most of the list tell nothing apart. */
static bool tells_apart(const struct cut *cut, struct list list)
{
	uint64_t entries = 0, cells = 0;
	for (size_t i = 0; i < cut->cells_count; i++)
		for (size_t k = 0; k < cut->cells[i]->cells_count; k++, cells++)
			entries += cut->cells[i]->leaves[cells_at(cut->cells[i], k).leaf].count;
	return entries * 2 <= cells * list.count;
}

/* The list behind its head, by masked hashes: all of them or none. */
static bool cut_by_hashes(struct lower *lower, enum split_field field, struct list list, struct way way,
			  struct cut *cut)
{
	struct hash_plan plan = hash_plan(lower, field, list.items + way.head, list.count - way.head);
	struct grain grain = { .blocks_most = 0 };
	memcpy(grain.homes, plan.homes, sizeof grain.homes);
	for (size_t i = 0; i < plan.lengths_count; i++) {
		grain.length = plan.lengths[i];
		way.grain = &grain;
		struct cells *cells = cut_behind(lower, field, list, way);
		if (cells == NULL)
			break;
		cut->cells[cut->cells_count++] = cells;
	}
	if (cut->cells_count == plan.lengths_count && plan.lengths_count != 0 && tells_apart(cut, list))
		return true;
	cut_drop(cut);
	return false;
}

static struct cut try_hashes(struct lower *lower, enum split_field field, struct list list)
{
	struct cut cut = { .form = CELLS_HASH, .cost = UINT32_MAX };
	if (field < SPLIT_SOURCE4 || count_cut(lower, field, list) < 2 ||
	    !cells_may_have_set(lower, list_linear_cost(lower, list)))
		return cut;
	size_t head = count_head(lower, field, list);
	struct way whole = { .screened_least = SCREENED_LEAST };
	struct way behind = { .head = head, .screened_least = SCREENED_LEAST }, screened = { .screened_least = 0 };
	/* screens for all where leaves cannot hold what conflicts */
	if (cut_by_hashes(lower, field, list, whole, &cut) ||
	    (head != 0 && cut_by_hashes(lower, field, list, behind, &cut)) ||
	    (lower->may_check && cut_by_hashes(lower, field, list, screened, &cut)))
		weigh_cut(lower, &cut, list);
	return cut;
}

static bool keep_pairs(struct cut *cut, struct list list)
{
	if (cut->cells[0] == NULL)
		return false;
	cut->cells_count = 1;
	if (tells_apart(cut, list))
		return true;
	cut_drop(cut);
	cut->cells[0] = NULL;
	return false;
}

static bool cut_by_pairs(struct lower *lower, enum split_field field, struct list list, size_t head,
			 struct cut *cut)
{
	struct pair_plan plan = pair_plan(lower, field, list.items + head, list.count - head);
	if (plan.is_found)
		cut->cells[0] = cut_behind(lower, field, list, (struct way){
			head, &plan.from, &plan.to, SCREENED_NEVER, /* its leaves may be cut again, as flows */
		});
	return keep_pairs(cut, list);
}

/* By pairs of zones' blocks, with what speaks of one zone alone in each of its pairs. */
static bool cut_by_zones(struct lower *lower, enum split_field field, struct list list, struct cut *cut)
{
	struct pair_plan plan = zone_plan(lower, field, list.items, list.count, list.times);
	if (plan.is_found)
		cut->cells[0] = cut_behind(lower, field, list, (struct way){
			0, &plan.from, &plan.to, SCREENED_NEVER, .has_all = true,
		});
	return keep_pairs(cut, list);
}

static struct cut try_pairs(struct lower *lower, enum split_field field, struct list list, unsigned level)
{
	struct cut cut = { .form = CELLS_HASH, .cost = UINT32_MAX };
	if (count_cut(lower, field, list) < 2 || !cells_may_have_set(lower, list_linear_cost(lower, list)) ||
	    blocks_fit(lower, field, list))
		return cut;
	size_t head = count_head(lower, field, list);
	if ((level <= ZONES_LEVEL_MOST && cut_by_zones(lower, field, list, &cut)) ||
	    cut_by_pairs(lower, field, list, 0, &cut) ||
	    (head != 0 && cut_by_pairs(lower, field, list, head, &cut)))
		weigh_cut(lower, &cut, list);
	return cut;
}

static bool cut_by_blocks(struct lower *lower, enum split_field field, struct list list, size_t head,
			  struct cut *cut)
{
	struct list behind = { list.items + head, list.count - head, list.times, 0 };
	struct pair_plan plan = block_plan(lower, field, behind);
	bool is_pair = field >= SPLIT_PAIR4;
	if (plan.is_found)
		cut->cells[0] = cut_behind(lower, field, list, (struct way){
			head, &plan.from, is_pair ? &plan.to : NULL, .screened_least = 0,
		});
	if (cut->cells[0] == NULL)
		return false;
	cut->cells_count = 1;
	bool takes_enough = (list.count - cut->cells[0]->rest_count) * BLOCKS_SHARE >= list.count;
	if (takes_enough && tells_apart(cut, list))
		return true;
	cut_drop(cut);
	cut->cells[0] = NULL;
	return false;
}

/* By the blocks that ranges touch. Their leaves may be too many for maps of their own. */
static struct cut try_blocks(struct lower *lower, enum split_field field, struct list list)
{
	struct cut cut = { .form = CELLS_HASH, .is_blocks = true, .cost = UINT32_MAX };
	if (field < SPLIT_SOURCE4 || count_cut(lower, field, list) < 2 ||
	    !cells_may_have_set(lower, list_linear_cost(lower, list)))
		return cut;
	if (!cut_by_blocks(lower, field, list, 0, &cut))
		return cut;
	bool has_plain_leaves = lower->has_plain_leaves;
	size_t leaves = cut.cells[0]->leaves_count * (list.times == 0 ? 1 : list.times);
	lower->has_plain_leaves = has_plain_leaves || !lower_may_add_sets(lower, leaves);
	weigh_cut(lower, &cut, list);
	lower->has_plain_leaves = has_plain_leaves;
	return cut;
}

/* The same pairs with the services in them. */
static struct cut try_flows(struct lower *lower, const struct cut *pairs, struct list list)
{
	struct cut cut = { .form = CELLS_HASH, .cost = UINT32_MAX };
	if (pairs->cells_count == 0)
		return cut;
	cut.cells_count = flows_of(lower, pairs->cells[0], list.count, cut.cells);
	if (cut.cells_count != 0)
		weigh_cut(lower, &cut, list);
	return cut;
}

/* Cells of ports that are more than a few become a map, or nothing. */
static bool needs_set(const struct lower *lower, enum split_field field, struct list list)
{
	uint32_t lows[CELLS_PORT_RULES_MAX];
	size_t lows_count = 0, known;
	if ((field != SPLIT_SERVICE && field != SPLIT_PORTS) ||
	    cells_may_have_set(lower, list_linear_cost(lower, list)))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		if (!cells_cuts(lower, field, list.items[i]))
			continue;
		const struct service_tuple *tuple = lower->groups[lower->units[list.items[i].unit].group].tuples;
		uint32_t low = (uint32_t)tuple->protocol << 16 | tuple->first.low;
		for (known = 0; known < lows_count && lows[known] != low; known++)
			continue;
		if (known < lows_count)
			continue;
		if (lows_count == CELLS_PORT_RULES_MAX)
			return true;
		lows[lows_count++] = low;
	}
	return false;
}

static struct cut try_field(struct lower *lower, enum split_field field, struct list list,
			    unsigned level)
{
	struct cut cut = { .cost = UINT32_MAX };
	if (count_cut(lower, field, list) < 2 || needs_set(lower, field, list))
		return cut;
	cut.cells[0] = cut_list(lower, field, list);
	if (cut.cells[0] == NULL)
		return cut;
	cut.cells_count = 1;
	cut.form = cells_form(lower, cut.cells[0], level, list_linear_cost(lower, list));
	if (cut.form == CELLS_NONE)
		cut_drop(&cut);
	else
		weigh_cut(lower, &cut, list);
	return cut;
}

/* The list as a tree of few cells, or a rule a cell, where it gets no map. */
static struct cut try_points(struct lower *lower, enum split_field field, struct list list, unsigned level)
{
	struct cut cut = { .cost = UINT32_MAX };
	number128 *points;
	unsigned linear = list_linear_cost(lower, list);
	bool is_field = field >= SPLIT_PORTS && field < SPLIT_PAIR4;
	if (!is_field || linear < POINTS_LIST_LEAST || cells_may_have_set(lower, linear) ||
	    count_cut(lower, field, list) < 2)
		return cut;
	void *scratch = pool_child(lower->scratch, "points");
	size_t most = cells_most(field, level), wanted = linear / POINTS_CELL;
	size_t count = points_of(scratch, lower, field, list.items, list.count,
				 (wanted < most ? wanted : most) - 1, &points);
	cut.cells[0] = count == 0 ? NULL : cells_new(lower, &(struct cut_request){
		.field = field, .points = points, .points_count = count, .list = list.items,
		.count = list.count, .copies = copies_most(lower, list.count),
		.has_checkpoints = lower->may_check,
	});
	talloc_free(scratch);
	if (cut.cells[0] == NULL)
		return cut;
	cut.cells_count = 1;
	cut.form = field == SPLIT_PORTS ? CELLS_RULES
					: cells_form(lower, cut.cells[0], level, linear);
	weigh_cut(lower, &cut, list);
	return cut;
}

/* --- the cheapest ------------------------------------------------------------------------- */

const char *cut_words(struct lower *lower, const struct cut *cut)
{
	if (lower->choice == NULL || cut->cells_count == 0)
		return NULL;
	return split_words(lower->settings->report->pool, cut->cells, cut->cells_count, cut->form);
}

static void report_cut(struct lower *lower, const struct cut *cut)
{
	const char *words = cut_words(lower, cut);
	if (words != NULL)
		split_candidate(lower, words, cut->cost, cut->price);
}

/* Keeps the cheaper one. */
static void take_cheaper(struct lower *lower, struct cut *best, struct cut *other)
{
	report_cut(lower, other);
	if (other->cost >= best->cost) {
		cut_drop(other);
		return;
	}
	cut_drop(best);
	*best = *other;
}

struct cut cut_best(struct lower *lower, struct list list, unsigned level, unsigned fields,
			   unsigned most)
{
	struct cut best = { .cost = most };
	list.linear = list_linear_cost(lower, list);
	for (enum split_field field = SPLIT_IN; field <= SPLIT_PAIR6; field++) {
		if ((fields >> field & 1) == 0)
			continue;
		bool is_pair = field >= SPLIT_PAIR4;
		struct cut cut = is_pair ? try_pairs(lower, field, list, level)
					 : try_field(lower, field, list, level);
		struct cut other = is_pair ? try_flows(lower, &cut, list) : try_hashes(lower, field, list);
		take_cheaper(lower, &best, &cut);
		take_cheaper(lower, &best, &other);
		struct cut blocks = try_blocks(lower, field, list);
		take_cheaper(lower, &best, &blocks);
		struct cut points = try_points(lower, field, list, level);
		take_cheaper(lower, &best, &points);
	}
	return best;
}

/* Flows are found on the way of pairs. */
static unsigned field_bit(enum split_field field)
{
	enum split_field of_list = field == SPLIT_FLOW4 ? SPLIT_PAIR4 : field == SPLIT_FLOW6 ? SPLIT_PAIR6 : field;
	return 1u << (unsigned)of_list;
}

/* The list cut as the sample was; if it costs less than `most`. */
static struct cut cut_like(struct lower *lower, struct list list, unsigned level, const struct cut *sampled,
			   unsigned most)
{
	enum split_field field = sampled->cells[0]->field;
	struct cut best = { .cost = most };
	if (sampled->is_blocks) {
		struct cut blocks = try_blocks(lower, field, list);
		take_cheaper(lower, &best, &blocks);
	}
	if (best.cells_count != 0)
		return best;
	if (field >= SPLIT_PAIR4)
		return cut_best(lower, list, level, field_bit(field), most);
	struct cut cut = sampled->form == CELLS_HASH ? try_hashes(lower, field, list)
						     : try_field(lower, field, list, level);
	take_cheaper(lower, &best, &cut);
	if (best.cells_count != 0)
		return best;
	cut = sampled->form == CELLS_HASH ? try_field(lower, field, list, level) : try_hashes(lower, field, list);
	take_cheaper(lower, &best, &cut);
	return best;
}

/* A long list is judged by a sample first; then its best fields are tried one by one. */
static struct cut best_of_long(struct lower *lower, struct list list, unsigned level,
				   unsigned fields, unsigned most)
{
	struct list sample = list_sample(lower, list);
	struct cut cut = { .cost = most };
	struct nft_choice *choice = lower->choice;
	while (fields != 0 && cut.cells_count == 0) {
		lower->choice = NULL;
		struct cut sampled = cut_best(lower, sample, 1, fields, UINT32_MAX);
		lower->choice = choice;
		if (sampled.cells_count == 0)
			break;
		fields &= ~field_bit(sampled.cells[0]->field);
		cut = cut_like(lower, list, level, &sampled, most);
		cut_drop(&sampled);
	}
	return cut;
}

/* The fields that a list at this level may be cut by. */
static unsigned fields_at(const struct lower *lower, unsigned level)
{
	unsigned excluded = level == 1 ? lower->limits->excluded : 0, fields = CUT_ALL_FIELDS;
	if ((excluded & OPTIMISE_NOT_PORTS) != 0)
		fields &= ~(1u << SPLIT_SERVICE | 1u << SPLIT_PORTS);
	if ((excluded & OPTIMISE_NOT_ADDRESSES) != 0)
		fields &= (1u << SPLIT_SOURCE4) - 1;
	return fields;
}

/* Checkpoints take two levels more, and do not nest. */
static bool may_check(const struct lower *lower, struct list list, unsigned level)
{
	if (level > SPLIT_LEVELS_MAX - 2)
		return false;
	for (size_t i = 0; i < list.count; i++)
		if (tail_is_list(lower->units[list.items[i].unit].tail))
			return false;
	return true;
}

struct cut cut_choose(struct lower *lower, struct list list, unsigned level, unsigned linear, unsigned only)
{
	lower->may_check = may_check(lower, list, level);
	lower->has_plain_leaves = level == SPLIT_LEVELS_MAX;
	unsigned most = linear - linear / 8, fields = fields_at(lower, level);
	fields = only == 0 ? fields : fields & only;
	if (list.count > LONG_LIST)
		return best_of_long(lower, list, level, fields, most);
	return cut_best(lower, list, level, fields, most);
}
