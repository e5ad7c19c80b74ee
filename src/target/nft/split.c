/* A list is written from front to back into one chain, in steps. Where that costs the others little, the
 * first lines of a hook stand ahead as they are: what they decide pays no lookup, as in a list of plain
 * rules. Each step then takes the cheapest of:
 * plain rules for all of it; a lookup by one field, whose cells lead to leaf chains (lists again)
 * and behind which only the rest of the list remains; maps of whole units (split_layers.h); one list a
 * family; where nothing is cheap enough to copy, the two halves. Every step leaves a shorter list.
 *
 * Right by construction: cells are disjoint, so maps never overlap; a leaf returns what it does not
 * decide; order is kept wherever outcomes differ (split_cells.c). Leaves with equal units are one
 * chain. The last step of a chain may `goto`, since returning would find nothing; a base chain
 * always jumps, since its default stands behind. */
#include "target/nft/split.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/lower_emit.h"
#include "target/nft/report.h"
#include "target/nft/split_flow.h"
#include "target/nft/split_form.h"
#include "target/nft/split_hash.h"
#include "target/nft/split_layers.h"
#include "target/nft/split_share.h"
#include "target/nft/split_words.h"

#define FAMILIES_WORDS "a list a family"
#define HALVES_WORDS "its two halves, one after the other"
#define AHEAD_LINES 100 /* one in so many lines stands ahead of a hook's others, the first in any case */

enum {
	LIST_COST_MOST = 150, /* nanoseconds: a list is at worst split again */
};

enum {
	SAMPLE = 256,             /* units that a long list is judged by */
	LONG_LIST = 2048,
	AHEAD_MOST = 512,         /* units of a list that is worth a look ahead */
	HALVES_MIN = 48,
	LAYERS_MARGIN = 8,        /* by so many-th a part they must be cheaper: they take more of the cache */
	NESTING_MAX = 64,
	LEAVES_FORESEEN = 16,
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
	size_t times;    /* a sample: each unit stands for so many; 0: for itself */
	unsigned linear; /* linear_cost, where it is asked for often; 0: not known */
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

/* --- costs -------------------------------------------------------------------------------- */

/* The plain rules of the list; long lists are judged by a sample. */
static unsigned linear_cost(const struct lower *lower, struct list list)
{
	size_t step = list.count > SAMPLE ? list.count / SAMPLE : 1;
	uint64_t cost = 0, seen = 0;
	if (list.linear != 0)
		return list.linear;
	for (size_t i = 0; i < list.count; i += step, seen++)
		cost += emit_cost(lower, list.items[i]);
	if (seen != 0)
		cost = cost * list.count / seen;
	if (list.times != 0)
		cost *= list.times;
	return cost > UINT32_MAX ? UINT32_MAX : (unsigned)cost;
}

/* What a list of these plain rules will cost once it is written as well as can be. */
static unsigned cost_of_linear(uint64_t linear)
{
	return (unsigned)(linear < LIST_COST_MOST ? linear : LIST_COST_MOST + linear / 64);
}

/* The same of a list. */
static unsigned list_cost(const struct lower *lower, struct list list)
{
	return cost_of_linear(linear_cost(lower, list));
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

/* Half of the packets are taken to match a unit; the others differ from one in a single field, each
 * field as often. So a lookup spares those that differ in its own fields the leaf. */
struct leaf_costs {
	uint64_t match, miss; /* of packets that some unit of the leaf matches, of those that none does */
};

/* Units that a leaf of a sample stands for. Two units share a cell as often in the sample as in the list: what
 * is in the leaf beside one unit grows with the list. */
static uint64_t units_of_leaf(struct list leaf, size_t times)
{
	return times == 0 ? leaf.count : 1 + (leaf.count - 1) * times;
}

static struct leaf_costs leaf_costs(const struct lower *lower, struct list leaf, size_t times)
{
	uint64_t matches = 0, seen = 0, units = units_of_leaf(leaf, times);
	uint64_t plain = linear_cost(lower, leaf) * units / leaf.count;
	uint64_t misses = lower->has_plain_leaves ? plain : cost_of_linear(plain);
	size_t step = leaf.count > SAMPLE ? leaf.count / SAMPLE : 1;
	for (size_t i = 0; i < leaf.count; i += step, seen++)
		matches += emit_match_cost(lower, leaf.items[i]);
	bool is_shared = leaf.count == 1 && entry_needs(lower, leaf.items[0]) == NEED_SERVICE;
	unsigned before = COST_JUMP + (is_shared ? 0 : COST_FAR);
	uint64_t match = matches / seen;
	return (struct leaf_costs){
		before + misses * (units - 1) / (2 * units) + (match < LIST_COST_MOST ? match : LIST_COST_MOST),
		before + misses,
	};
}

/* The same, where there are too many leaves for the processor to foresee what services the next packet is
 * compared with. A unit that asks for more has one rule in front of a chain of its services, or with the only
 * one. */
static struct leaf_costs leaf_costs_among(const struct lower *lower, struct list leaf, size_t times, size_t leaves)
{
	struct leaf_costs costs = leaf_costs(lower, leaf, times);
	uint32_t needs = entry_needs(lower, leaf.items[0]);
	uint64_t services = lower->groups[lower->units[leaf.items[0].unit].group].tuples_count;
	if (leaf.count != 1 || leaves <= LEAVES_FORESEEN || (needs & NEED_SERVICE) == 0)
		return costs;
	bool is_behind = needs != NEED_SERVICE;
	costs.match += (services + 1 + (is_behind && services > 1 ? 2 : 0)) * COST_UNFORESEEN / 2;
	costs.miss += (is_behind ? 1 : services) * COST_UNFORESEEN;
	return costs;
}

/* What packets pay behind a lookup, over the units of the leaves: that many more packets get to a leaf. */
struct leaves_cost {
	uint64_t sum, units;
};

/* Of a sample of the cells. times: struct list; asked: fields_asked of what was cut. */
static void add_leaves_cost(const struct lower *lower, const struct cells *cells, size_t times, unsigned asked,
			    struct leaves_cost *cost)
{
	unsigned cut = cells->field >= SPLIT_FLOW4 ? 300 : cells->field >= SPLIT_PAIR4 ? 200 : 100;
	size_t step = cells->cells_count > SAMPLE ? cells->cells_count / SAMPLE : 1;
	for (size_t i = 0; i < cells->cells_count; i += step) {
		struct list leaf = leaf_list(cells, cells->cells[i].leaf);
		cost->units += leaf.count * step;
		if (is_final_leaf(lower, leaf))
			continue;
		struct leaf_costs costs = leaf_costs_among(lower, leaf, times, cells->cells_count);
		uint64_t miss = cut >= asked ? 0 : costs.miss * (asked - cut) / asked;
		cost->sum += (costs.match + miss) * leaf.count * step;
	}
}

/* --- leaves ------------------------------------------------------------------------------- */

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
	struct goal goal;
	if (leaf.count != 1 || !emit_service_goal(lower, leaf.items[0], &goal))
		goal = chain_goal(lower, leaf, level + 1);
	goal.verdict.kind = kind;
	return goal;
}

/* The chains of the checkpoints that leaves go through; leaves end where they are gone through, so they
 * have at most two levels. */
static void write_checkpoints(struct lower *lower, const struct cells *cells)
{
	for (size_t i = 0; i < cells->checkpoints_count; i++) {
		struct list list = { cells->rest, cells->checkpoints[i].count };
		const struct tail *tail = lower->units[cells->checkpoints[i].unit].tail;
		tail_set_list(tail, new_chain(lower, list, SPLIT_LEVELS_MAX));
	}
}

static void write_cells(struct lower *lower, struct site site, const struct cells *cells,
			enum cells_form form)
{
	write_checkpoints(lower, cells);
	enum nft_verdict_kind kind = site.is_tail ? NFT_GOTO : NFT_JUMP;
	unsigned level = site.level + cells_levels(cells, form);
	struct goal *goals = pool_array(cells->pool, struct goal, cells->leaves_count);
	for (uint32_t i = 0; i < cells->leaves_count; i++)
		goals[i] = leaf_goal(lower, leaf_list(cells, i), level, kind);
	cells_write(lower, site.draft, cells, goals, form, kind);
	talloc_free(cells->cells); /* of long lists much */
}

/* --- choosing a field --------------------------------------------------------------------- */

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
	return (struct list){ items, SAMPLE, step };
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

static struct cells *cut_behind(struct lower *lower, enum split_field field, struct list list,
				size_t head, const struct grain *grain, const struct grain *other)
{
	struct cells *cells = cells_new(lower, &(struct cut_request){
		.field = field, .grain = grain, .other = other,
		.list = list.items + head, .count = list.count - head,
		.copies = copies_most(lower, list.count),
		.has_checkpoints = lower->may_check,
	});
	if (cells != NULL)
		cells->head = head;
	return cells;
}

/* Units in front may be written before the lookup: cheaper where most leaves would hold them. */
static struct cells *cut_list(struct lower *lower, enum split_field field, struct list list)
{
	struct cells *whole = cut_behind(lower, field, list, 0, NULL, NULL);
	size_t head = count_head(lower, field, list);
	if (head == 0 || (whole != NULL && whole->entries_count <= list.count))
		return whole;
	struct cells *behind = cut_behind(lower, field, list, head, NULL, NULL);
	if (whole == NULL || behind == NULL)
		return behind == NULL ? whole : behind;
	bool is_smaller = behind->entries_count + whole->leaves_count / 4 < whole->entries_count;
	talloc_free(is_smaller ? whole->pool : behind->pool);
	return is_smaller ? behind : whole;
}

/* A list cut by a field, and how the lookup is written. */
struct cut {
	struct cells *cells[HASH_LENGTHS_MAX]; /* several only of masked hashes, in the order of the lookups */
	size_t cells_count; /* 0: none */
	enum cells_form form;
	unsigned cost;
};

static void drop_cut(struct cut *cut)
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

static unsigned cut_cost(const struct lower *lower, const struct cut *cut, struct list list)
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
		add_leaves_cost(lower, cut->cells[i], list.times, asked, &leaves);
	}
	uint64_t cost = list_cost(lower, head) + lookups + leaves.sum / leaves.units / 2;
	/* plain rules have what is left, too: it must not be what a cut seems to save */
	uint64_t plain = cost + linear_cost(lower, rest);
	if (plain >= linear_cost(lower, list))
		return plain > UINT32_MAX ? UINT32_MAX : (unsigned)plain;
	return (unsigned)cost + list_cost(lower, rest);
}

/* Blocks that hold most of the list tell nothing apart. */
static bool tells_apart(const struct cut *cut, struct list list)
{
	uint64_t entries = 0, cells = 0;
	for (size_t i = 0; i < cut->cells_count; i++)
		for (size_t k = 0; k < cut->cells[i]->cells_count; k++, cells++)
			entries += cut->cells[i]->leaves[cut->cells[i]->cells[k].leaf].count;
	return entries * 2 <= cells * list.count;
}

/* The list behind its head, by masked hashes: all of them or none. */
static bool cut_by_hashes(struct lower *lower, enum split_field field, struct list list, size_t head,
			  struct cut *cut)
{
	struct hash_plan plan = hash_plan(lower, field, list.items + head, list.count - head);
	struct grain grain;
	memcpy(grain.homes, plan.homes, sizeof grain.homes);
	for (size_t i = 0; i < plan.lengths_count; i++) {
		grain.length = plan.lengths[i];
		struct cells *cells = cut_behind(lower, field, list, head, &grain, NULL);
		if (cells == NULL)
			break;
		cut->cells[cut->cells_count++] = cells;
	}
	if (cut->cells_count == plan.lengths_count && plan.lengths_count != 0 && tells_apart(cut, list))
		return true;
	drop_cut(cut);
	return false;
}

static struct cut try_hashes(struct lower *lower, enum split_field field, struct list list)
{
	struct cut cut = { .form = CELLS_HASH, .cost = UINT32_MAX };
	if (field < SPLIT_SOURCE4 || count_cut(lower, field, list) < 2 ||
	    !cells_may_have_set(lower, linear_cost(lower, list)))
		return cut;
	size_t head = count_head(lower, field, list);
	if (cut_by_hashes(lower, field, list, 0, &cut) ||
	    (head != 0 && cut_by_hashes(lower, field, list, head, &cut)))
		cut.cost = cut_cost(lower, &cut, list);
	return cut;
}

static bool cut_by_pairs(struct lower *lower, enum split_field field, struct list list, size_t head,
			 struct cut *cut)
{
	struct pair_plan plan = pair_plan(lower, field, list.items + head, list.count - head);
	if (plan.is_found)
		cut->cells[0] = cut_behind(lower, field, list, head, &plan.from, &plan.to);
	if (cut->cells[0] == NULL)
		return false;
	cut->cells_count = 1;
	if (tells_apart(cut, list))
		return true;
	drop_cut(cut);
	cut->cells[0] = NULL;
	return false;
}

static struct cut try_pairs(struct lower *lower, enum split_field field, struct list list)
{
	struct cut cut = { .form = CELLS_HASH, .cost = UINT32_MAX };
	if (count_cut(lower, field, list) < 2 || !cells_may_have_set(lower, linear_cost(lower, list)))
		return cut;
	size_t head = count_head(lower, field, list);
	if (cut_by_pairs(lower, field, list, 0, &cut) ||
	    (head != 0 && cut_by_pairs(lower, field, list, head, &cut)))
		cut.cost = cut_cost(lower, &cut, list);
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
		cut.cost = cut_cost(lower, &cut, list);
	return cut;
}

/* Cells of ports that are more than a few become a map, or nothing. */
static bool needs_set(const struct lower *lower, enum split_field field, struct list list)
{
	uint32_t lows[CELLS_PORT_RULES_MAX];
	size_t lows_count = 0, known;
	if ((field != SPLIT_SERVICE && field != SPLIT_PORTS) || cells_may_have_set(lower, linear_cost(lower, list)))
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
	cut.form = cells_form(lower, cut.cells[0], level, linear_cost(lower, list));
	if (cut.form == CELLS_NONE)
		drop_cut(&cut);
	else
		cut.cost = cut_cost(lower, &cut, list);
	return cut;
}

/* --- what is reported --------------------------------------------------------------------- */

static void report_candidate(struct lower *lower, const char *words, unsigned cost)
{
	*pool_append(lower->settings->report->pool, lower->choice, candidates) = (struct nft_candidate){
		.words = words, .cost = cost,
	};
}

static const char *cut_words(struct lower *lower, const struct cut *cut)
{
	if (lower->choice == NULL || cut->cells_count == 0)
		return NULL;
	return split_words(lower->settings->report->pool, cut->cells, cut->cells_count, cut->form);
}

static const char *ahead_words(const struct lower *lower, size_t lines)
{
	if (lower->choice == NULL)
		return NULL;
	return lines == 1 ? "the first line ahead of the others" : "the first lines ahead of the others";
}

static void report_cut(struct lower *lower, const struct cut *cut)
{
	const char *words = cut_words(lower, cut);
	if (words != NULL)
		report_candidate(lower, words, cut->cost);
}

/* Of the lists of hooks; what their leaves become is not told one by one. */
static void report_begin(struct lower *lower, struct site site, struct list list, unsigned linear)
{
	struct nft_report *report = lower->settings->report;
	lower->choice = NULL;
	if (report == NULL || site.level != 1 || list.count == 0)
		return;
	lower->choice = pool_append(report->pool, report, choices);
	*lower->choice = (struct nft_choice){
		.list = pool_strdup(report->pool, lower->prefix), .lines = list.count,
	};
	report_candidate(lower, pool_format(report->pool, "plain rules, %zu", list.count), linear);
}

/* The candidate of these words, else the first: plain rules. */
static void report_chosen(struct lower *lower, const char *words)
{
	struct nft_choice *choice = lower->choice;
	size_t chosen = 0;
	if (choice == NULL)
		return;
	for (size_t i = 1; words != NULL && i < choice->candidates_count; i++)
		if (strcmp(choice->candidates[i].words, words) == 0)
			chosen = i;
	choice->candidates[chosen].is_chosen = true;
	lower->choice = NULL; /* leaves follow */
}

/* --- the cheapest ------------------------------------------------------------------------- */

/* Keeps the cheaper one. */
static void take_cheaper(struct lower *lower, struct cut *best, struct cut *other)
{
	report_cut(lower, other);
	if (other->cost >= best->cost) {
		drop_cut(other);
		return;
	}
	drop_cut(best);
	*best = *other;
}

/* The cheapest cut by a field of the mask, if it costs less than `most`. */
static struct cut best_cut(struct lower *lower, struct list list, unsigned level, unsigned fields,
			   unsigned most)
{
	struct cut best = { .cost = most };
	list.linear = linear_cost(lower, list);
	for (enum split_field field = SPLIT_IN; field <= SPLIT_PAIR6; field++) {
		if ((fields >> field & 1) == 0)
			continue;
		bool is_pair = field >= SPLIT_PAIR4;
		struct cut cut = is_pair ? try_pairs(lower, field, list) : try_field(lower, field, list, level);
		struct cut other = is_pair ? try_flows(lower, &cut, list) : try_hashes(lower, field, list);
		take_cheaper(lower, &best, &cut);
		take_cheaper(lower, &best, &other);
	}
	return best;
}

/* Flows are found on the way of pairs. */
static unsigned field_bit(enum split_field field)
{
	enum split_field of_list = field == SPLIT_FLOW4 ? SPLIT_PAIR4 : field == SPLIT_FLOW6 ? SPLIT_PAIR6 : field;
	return 1u << (unsigned)of_list;
}

#define ALL_FIELDS ((1u << SPLIT_FIELDS) - 1)

/* The list cut as the sample was; if it costs less than `most`. */
static struct cut cut_like(struct lower *lower, struct list list, unsigned level, const struct cut *sampled,
			   unsigned most)
{
	enum split_field field = sampled->cells[0]->field;
	if (field >= SPLIT_PAIR4)
		return best_cut(lower, list, level, field_bit(field), most);
	struct cut best = { .cost = most };
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
static struct cut best_cut_of_long(struct lower *lower, struct list list, unsigned level,
				   unsigned fields, unsigned most)
{
	struct list sample = sample_of(lower, list);
	struct cut cut = { .cost = most };
	struct nft_choice *choice = lower->choice;
	while (fields != 0 && cut.cells_count == 0) {
		lower->choice = NULL;
		struct cut sampled = best_cut(lower, sample, 1, fields, UINT32_MAX);
		lower->choice = choice;
		if (sampled.cells_count == 0)
			break;
		fields &= ~field_bit(sampled.cells[0]->field);
		cut = cut_like(lower, list, level, &sampled, most);
		drop_cut(&sampled);
	}
	return cut;
}

/* The fields that a list at this level may be cut by. */
static unsigned fields_at(const struct lower *lower, unsigned level)
{
	unsigned excluded = level == 1 ? lower->limits->excluded : 0, fields = ALL_FIELDS;
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

static struct cut choose_cut(struct lower *lower, struct list list, unsigned level, unsigned linear)
{
	lower->may_check = may_check(lower, list, level);
	lower->has_plain_leaves = level == SPLIT_LEVELS_MAX;
	unsigned most = linear - linear / 8, fields = fields_at(lower, level);
	if (list.count > LONG_LIST)
		return best_cut_of_long(lower, list, level, fields, most);
	return best_cut(lower, list, level, fields, most);
}

/* --- layers ------------------------------------------------------------------------------- */

static unsigned layers_cost(const struct lower *lower, const struct layers *layers)
{
	return layers->cost + list_cost(lower, (struct list){ layers->rest, layers->rest_count });
}

/* The list as layers, where they cost less than `most`; else NULL. */
static struct layers *choose_layers(struct lower *lower, struct list list, unsigned level, unsigned linear,
				    unsigned most)
{
	struct layers *layers = !cells_may_have_set(lower, linear) ? NULL
		: layers_new(lower, list.items, list.count, level, cost_of_linear);
	unsigned cost = layers == NULL ? UINT32_MAX : layers_cost(lower, layers);
	if (layers != NULL && lower->choice != NULL)
		report_candidate(lower, layers_words(lower, layers), cost);
	if (cost < most)
		return layers;
	return layers_drop(layers), NULL;
}

/* Writes the maps; gives what remains to be written. */
static struct list write_layers(struct lower *lower, struct site site, const struct layers *layers)
{
	struct goal *goals = pool_array(layers->pool, struct goal, layers->taken_count);
	for (size_t i = 0; i < layers->taken_count; i++)
		goals[i] = leaf_goal(lower, (struct list){ &layers->taken[i], 1 }, site.level, NFT_JUMP);
	layers_write(lower, site.draft, layers, goals);
	return (struct list){ layers->rest, layers->rest_count };
}

/* --- one list a family -------------------------------------------------------------------- */

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

/* What the list costs once it is cut, one step ahead. */
static unsigned cost_ahead(struct lower *lower, struct list list, unsigned level)
{
	struct nft_choice *choice = lower->choice;
	unsigned linear = linear_cost(lower, list);
	if (level == SPLIT_LEVELS_MAX || linear <= lower->limits->list_least)
		return linear;
	if (list.count > AHEAD_MOST)
		list = sample_of(lower, list);
	lower->has_plain_leaves = level + 1 == SPLIT_LEVELS_MAX;
	lower->choice = NULL;
	struct cut cut = best_cut(lower, list, level, ALL_FIELDS, linear);
	unsigned cost = cut.cells_count == 0 ? linear : cut.cost;
	drop_cut(&cut);
	/* of a sample there are none: how many units meet would not be told */
	struct layers *layers = list.times == 0 ? choose_layers(lower, list, level, linear, cost) : NULL;
	lower->choice = choice;
	if (layers == NULL)
		return cost;
	cost = layers_cost(lower, layers);
	layers_drop(layers);
	return cost;
}

static struct family_lists families_of(struct lower *lower, struct list list, unsigned level)
{
	struct family_lists families = { .cost = UINT32_MAX };
	if (level == 1 && (lower->limits->excluded & OPTIMISE_NOT_FAMILIES) != 0)
		return families;
	if (!has_family(lower, list, FAMILIES_IPV4) || !has_family(lower, list, FAMILIES_IPV6))
		return families;
	families.of[0] = family_list(lower, list, FAMILIES_IPV4);
	families.of[1] = family_list(lower, list, FAMILIES_IPV6);
	families.cost = COST_FAMILY + COST_JUMP + lower->limits->family_bias +
			(cost_ahead(lower, families.of[0], level) + cost_ahead(lower, families.of[1], level)) / 2;
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

/* --- steps -------------------------------------------------------------------------------- */

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

/* Is nothing left to a packet behind a leaf of these cells? Of flows more may be left in their pair; blocks of
 * one length hold what stands at shorter ones. */
static bool leaves_are_whole(const struct cut *cut, size_t number)
{
	return number + 1 == cut->cells_count || cut->cells[0]->field < SPLIT_FLOW4;
}

static struct list copy_list(struct lower *lower, struct list list)
{
	struct entry *items = pool_array(lower->scratch, struct entry, list.count);
	if (list.count != 0)
		memcpy(items, list.items, list.count * sizeof *items);
	return (struct list){ items, list.count };
}

/* Writes the head and the lookup; gives what remains to be written. The cut is used up. */
static struct list write_cut(struct lower *lower, struct site site, struct list list,
			     const struct cut *cut)
{
	const struct cells *cells = cut->cells[0];
	struct share_wanted wanted = { 0, 0 };
	share_want(&wanted, cells->head);
	if (cells->rest_count < list.count / 2)
		share_want(&wanted, cells->rest_count); /* a cut that leaves most is no reason to spare */
	for (size_t i = 0; i < cut->cells_count; i++) {
		lower->copies_made += cut->cells[i]->entries_count;
		share_want_cells(&wanted, cut->cells[i]);
	}
	struct share share = share_begin_list(lower, cells->head, &wanted);
	if (cells->head != 0)
		write_list(lower, not_tail(site), (struct list){ list.items, cells->head });
	share_end(lower, share);
	for (size_t i = 0; i < cut->cells_count; i++) {
		struct site here = site;
		struct share_wanted own = { 0, 0 };
		here.is_tail = site.is_tail && cells->rest_count == 0 && leaves_are_whole(cut, i);
		share_want_cells(&own, cut->cells[i]);
		share = share_begin(lower, own, &wanted);
		write_cells(lower, here, cut->cells[i], cut->form);
		share_end(lower, share);
	}
	struct list rest = copy_list(lower, (struct list){ cells->rest, cells->rest_count });
	for (size_t i = 0; i < cut->cells_count; i++)
		talloc_free(cut->cells[i]->pool);
	return rest;
}

/* The families' lists hold every packet between them, so nothing remains. */
static void write_families(struct lower *lower, struct site site,
			   const struct family_lists *families)
{
	struct share_wanted wanted = { 0, 0 };
	share_want(&wanted, families->of[0].count);
	share_want(&wanted, families->of[1].count);
	struct share share = share_begin_list(lower, families->of[0].count, &wanted);
	write_family_rule(lower, site, families->of[0], FAMILIES_IPV4);
	share_end(lower, share);
	write_family_rule(lower, site, families->of[1], FAMILIES_IPV6);
}

/* Lines to be written ahead of a structure of this cost: all of the first hundredth, or none. */
static size_t lines_ahead(const struct lower *lower, struct site site, struct list list, unsigned cost)
{
	size_t ahead = list.count / AHEAD_LINES == 0 ? 1 : list.count / AHEAD_LINES;
	uint64_t lines = 0;
	if (site.level != 1 || site.nesting != 0 || lower->limits->ahead_share == 0)
		return 0;
	for (size_t i = 0; i < ahead && lines * lower->limits->ahead_share <= cost; i++)
		lines += emit_cost(lower, list.items[i]);
	return lines * lower->limits->ahead_share <= cost ? ahead : 0;
}

/* Gives what remains to be written. */
static struct list write_ahead(struct lower *lower, struct site site, struct list list, size_t ahead,
			       unsigned cost)
{
	const struct list first = { list.items, ahead };
	if (lower->choice != NULL)
		report_candidate(lower, ahead_words(lower, ahead), linear_cost(lower, first) + cost);
	report_chosen(lower, ahead_words(lower, ahead));
	write_linear(lower, site, first);
	return (struct list){ list.items + ahead, list.count - ahead };
}

/* What the cut costs with what it leaves, one step more looked ahead than where cuts are compared with each
 * other: layers leave little, cuts may leave much. Without a need it is not looked. */
static unsigned cost_of_cut(struct lower *lower, const struct cut *cut, unsigned level, unsigned other)
{
	struct list rest = { cut->cells[0]->rest, cut->cells[0]->rest_count };
	unsigned guess = list_cost(lower, rest);
	if (cut->cost - guess >= other)
		return cut->cost;
	return cut->cost - guess + cost_ahead(lower, rest, level);
}

/* Layers that cost clearly less than the cut, or than `otherwise` where there is none; else NULL. */
static struct layers *layers_below(struct lower *lower, struct list list, unsigned level, const struct cut *cut,
				   unsigned otherwise)
{
	struct layers *layers = choose_layers(lower, list, level, linear_cost(lower, list), UINT32_MAX);
	if (layers == NULL)
		return NULL;
	unsigned cost = layers->cost + cost_ahead(lower, (struct list){ layers->rest, layers->rest_count }, level);
	unsigned most = cut->cells_count == 0 ? otherwise : cost_of_cut(lower, cut, level, cost);
	if (cost < most - most / LAYERS_MARGIN)
		return layers;
	return layers_drop(layers), NULL;
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
	if (!lower->limits->has_structure)
		report_begin(lower, site, list, linear_cost(lower, list));
	bool may_be_ahead = true;
	while (lower->limits->has_structure) {
		list = trim(lower, list);
		unsigned linear = linear_cost(lower, list);
		report_begin(lower, site, list, linear);
		if (linear <= lower->limits->list_least || site.level > SPLIT_LEVELS_MAX ||
		    site.nesting > NESTING_MAX || list.count == 0)
			break;
		struct family_lists families = families_of(lower, list, site.level);
		unsigned most = families.cost < linear ? families.cost : linear;
		if (lower->choice != NULL && families.cost != UINT32_MAX)
			report_candidate(lower, FAMILIES_WORDS, families.cost);
		struct cut cut = choose_cut(lower, list, site.level, most);
		bool has_families = families.cost < linear - linear / 8;
		unsigned cost = cut.cells_count != 0 ? cut.cost : has_families ? families.cost : 0;
		struct layers *layers = layers_below(lower, list, site.level, &cut,
						     cost != 0 ? cost : linear - linear / 8);
		cost = layers != NULL ? layers_cost(lower, layers) : cost;
		size_t ahead = may_be_ahead && cost != 0 ? lines_ahead(lower, site, list, cost) : 0;
		may_be_ahead = false;
		if (ahead != 0) {
			drop_cut(&cut);
			layers_drop(layers);
			list = write_ahead(lower, site, list, ahead, cost);
			continue;
		}
		if (layers != NULL) {
			drop_cut(&cut);
			report_chosen(lower, layers_words(lower, layers));
			list = write_layers(lower, site, layers);
			continue;
		}
		if (cut.cells_count != 0) {
			report_chosen(lower, cut_words(lower, &cut));
			list = write_cut(lower, site, list, &cut);
			continue;
		}
		if (has_families) {
			report_chosen(lower, FAMILIES_WORDS);
			write_families(lower, site, &families);
			return;
		}
		if (list.count < HALVES_MIN || !lower_may_add_set(lower))
			break;
		if (lower->choice != NULL)
			report_candidate(lower, HALVES_WORDS, linear);
		report_chosen(lower, HALVES_WORDS);
		write_halves(lower, site, list);
		return;
	}
	report_chosen(lower, NULL);
	write_linear(lower, site, list);
}

void split_write(struct lower *lower, struct draft *draft, struct entries *list)
{
	struct site site = { .draft = draft, .level = 1, .is_tail = false };
	write_list(lower, site, (struct list){ list->items, list->items_count });
}

struct goal split_chain(struct lower *lower, struct entries *list, const char *name)
{
	struct draft draft = draft_begin(lower);
	struct site site = { .draft = &draft, .level = SPLIT_LEVELS_MAX, .is_tail = true };
	write_list(lower, site, (struct list){ list->items, list->items_count });
	return goal_of_chain(&draft, draft_end(lower, &draft, name), NFT_JUMP);
}
