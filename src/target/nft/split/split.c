/* A list is written from front to back into one chain, in steps. Where that costs the others little, the
 * first lines of a hook stand ahead as they are: what they decide pays no lookup, as in a list of plain
 * rules. Each step then takes the cheapest of:
 * plain rules for all of it; a lookup by one field, whose cells lead to leaf chains (lists again)
 * and behind which only the rest of the list remains; maps of whole units (layers.h); one list a
 * family; where nothing is cheap enough to copy, the two halves. Every step leaves a shorter list.
 *
 * Right by construction: cells are disjoint, so maps never overlap; a leaf returns what it does not
 * decide; order is kept wherever outcomes differ (cells.c). Leaves with equal units are one
 * chain. The last step of a chain may `goto`, since returning would find nothing; a base chain
 * always jumps, since its default stands behind. */
#include "target/nft/split/split.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/emit/emit.h"
#include "target/nft/emit/once.h"
#include "target/nft/report/report.h"
#include "target/nft/split/cover.h"
#include "target/nft/split/cut.h"
#include "target/nft/split/layers.h"
#include "target/nft/split/share.h"
#include "target/nft/split/words.h"

#define FAMILIES_WORDS "a list a family"
#define HALVES_WORDS "its two halves, one after the other"
#define AHEAD_LINES 100 /* one in so many lines stands ahead of a hook's others, the first in any case */

enum {
	CHECKPOINTS_MANY = 16,
	AHEAD_MOST = 512,  /* units of a list that is worth a look ahead */
	HALVES_MIN = 48,
	LAYERS_MARGIN = 8, /* by so many-th a part they must be cheaper: they take more of the cache */
	NESTING_MAX = 64,
	ENDS_LEVELS = 5,   /* of chains that every list leaves to the ends of its rules (form.h) */
	SCREEN_LONG = 64, /* units of a screen that is worth a map */
	LOOKUPS_LEVEL_MOST = 3, /* of a list whose lookups may have a chain: leaves may go through checkpoints */
	LOOKUPS_LEAST = 100,    /* nanoseconds of what is asked again */
	LOOKUPS_SAMPLE = 256,
};

struct site {
	struct draft *draft;
	unsigned level;   /* of the draft's chain; the base chain is 1 */
	unsigned nesting; /* of calls on one chain */
	bool is_tail;     /* nothing follows in this chain */
	unsigned fields;  /* 1 << SPLIT_*: its list is cut by one of these; 0: as is best */
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

/* --- leaves ------------------------------------------------------------------------------- */

static bool leaf_chain_equals(const void *wanted, uint32_t number)
{
	const struct wanted_leaf *want = wanted;
	const struct leaf_chain *chain = &want->lower->leaf_chains[number];
	return chain->count == want->list.count &&
	       memcmp(chain->entries, want->list.items, chain->count * sizeof *chain->entries) == 0;
}

/* By how many levels the list's screens are higher than what any rule may end with. */
static unsigned screen_levels(const struct lower *lower, struct list list)
{
	unsigned highest = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct tail *tail = lower->units[list.items[i].unit].tail;
		if (tail_is_screen(tail) && tail->chain.height > highest)
			highest = tail->chain.height;
	}
	return highest > ENDS_LEVELS ? highest - ENDS_LEVELS : 0;
}

/* Lists that go on into high screens are cut less often. fields: struct site. */
static struct goal new_chain(struct lower *lower, struct list list, unsigned level, unsigned fields)
{
	struct draft draft = draft_begin(lower);
	level += screen_levels(lower, list);
	struct site site = { .draft = &draft, .level = level, .is_tail = true, .fields = fields };
	write_list(lower, site, list);
	return chain_once(lower, &draft, "", NFT_JUMP);
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
		if (level - 1 + goal.height <= NFT_LEVELS_MAX)
			return goal;
	}
	struct goal goal = new_chain(lower, list, level, 0);
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
	if (leaf_is_final(lower, leaf) || is_alone)
		return tail_goal(lower, tail, kind);
	struct goal goal;
	if (leaf.count != 1 || !emit_service_goal(lower, leaf.items[0], &goal))
		goal = chain_goal(lower, leaf, level + 1);
	goal.verdict.kind = kind;
	return goal;
}

static struct entry *copy_entries(struct lower *lower, struct list list)
{
	struct entry *items = pool_array(lower->scratch, struct entry, list.count);
	if (list.count != 0)
		memcpy(items, list.items, list.count * sizeof *items);
	return items;
}

/* Many checkpoints are parts of one list: the field by which a sample of it is best cut. 0: no matter. */
static unsigned fields_of_checkpoints(struct lower *lower, const struct cells *cells)
{
	struct list rest = { cells->rest, cells->rest_count };
	if (cells->checkpoints_count < CHECKPOINTS_MANY)
		return 0;
	if (rest.count > AHEAD_MOST)
		rest = list_sample(lower, rest);
	struct cut cut = cut_choose(lower, rest, SPLIT_LEVELS_MAX, list_linear_cost(lower, rest), 0);
	unsigned fields = cut.cells_count == 0 ? 0 : 1u << cut.cells[0]->field;
	cut_drop(&cut);
	return fields;
}

/* The chain of a checkpoint that leaves go through; leaves end where they are gone through, so it has at most two
 * levels. fields: struct site. */
static struct goal checkpoint_chain(struct lower *lower, struct list list, unsigned fields)
{
	struct entry *items = copy_entries(lower, list);
	list = (struct list){ items, entries_trim(lower, items, list.count) };
	return new_chain(lower, list, SPLIT_LEVELS_MAX, fields);
}

static void write_checkpoints(struct lower *lower, const struct cells *cells)
{
	unsigned fields = fields_of_checkpoints(lower, cells);
	for (size_t i = 0; i < cells->checkpoints_count; i++) {
		struct list list = { cells->rest + cells->checkpoints[i].first, cells->checkpoints[i].count };
		const struct tail *tail = lower->units[cells->checkpoints[i].unit].tail;
		if (tail->is_wanted)
			tail_set_list(tail, checkpoint_chain(lower, list, fields));
	}
}

/* The chain of a screen; they are many and short, and take no maps that leaves could have. */
static struct goal screen_chain(struct lower *lower, struct list list)
{
	size_t kept = list.count < SCREEN_LONG ? lower->limits->sets_most : 0;
	lower->sets_kept += kept;
	struct goal goal = new_chain(lower, list, SPLIT_LEVELS_MAX, 0);
	lower->sets_kept -= kept;
	return goal;
}

/* Units with the screens' chains for their ends take the place of the screened ones. */
static void make_screens(struct lower *lower, struct cells *cells)
{
	uint32_t first = cells->screened_units = (uint32_t)lower->units_count;
	for (size_t i = 0; i < cells->screens_count; i++) {
		const struct cells_screen *screen = &cells->screens[i];
		struct unit unit = lower->units[screen->unit];
		unit.tail = tail_of_screen(lower, unit.tail, screen->cost);
		*pool_append(lower->scratch, lower, units) = unit;
		lower->units_narrowed++;
	}
	for (size_t i = 0; i < cells->entries_count; i++) {
		struct entry *entry = &cells->entries[i];
		uint32_t number = entry->done >> CELLS_SCREEN_SHIFT;
		if (number != 0)
			*entry = (struct entry){ first + number - 1, entry->done & NEEDS_ALL };
	}
}

static const struct tail *tail_of_screened(const struct lower *lower, const struct cells *cells, size_t number)
{
	return lower->units[cells->screened_units + number].tail;
}

static struct list list_of_screen(const struct cells *cells, size_t number)
{
	return (struct list){ cells->screen_entries + cells->screens[number].first, cells->screens[number].count };
}

static void write_screens(struct lower *lower, const struct cells *cells)
{
	for (size_t i = 0; i < cells->screens_count; i++) {
		const struct tail *tail = tail_of_screened(lower, cells, i);
		if (!tail->is_wanted)
			continue;
		struct list list = list_of_screen(cells, i);
		list.count = entries_trim(lower, cells->screen_entries + cells->screens[i].first, list.count);
		tail_set_list(tail, screen_chain(lower, list));
	}
}

static void want_all(const struct lower *lower, struct list list)
{
	for (size_t i = 0; i < list.count; i++)
		tail_want(lower->units[list.items[i].unit].tail);
}

/* Screens and checkpoints that nothing goes to, since the leaves that would were trimmed, get no chain. */
static void want_chains(const struct lower *lower, const struct cells *cells)
{
	for (uint32_t i = 0; i < cells->leaves_count; i++)
		want_all(lower, list_of_leaf(cells, i));
	for (size_t i = 0; i < cells->screens_count; i++)
		if (tail_of_screened(lower, cells, i)->is_wanted)
			want_all(lower, list_of_screen(cells, i));
}

/* Of all cells of a cut before any is written: those of pairs go to the checkpoints that are kept with flows. */
static void prepare_cells(struct lower *lower, const struct cut *cut)
{
	bool has_chains = false;
	for (size_t i = 0; i < cut->cells_count; i++) {
		make_screens(lower, cut->cells[i]);
		leaves_trim(lower, cut->cells[i]);
		has_chains = has_chains || cut->cells[i]->screens_count + cut->cells[i]->checkpoints_count != 0;
	}
	for (size_t i = 0; has_chains && i < cut->cells_count; i++)
		want_chains(lower, cut->cells[i]);
}

/* growth: struct lower, in the leaves. */
static void write_cells(struct lower *lower, struct site site, struct cells *cells, enum cells_form form,
			uint64_t growth)
{
	write_checkpoints(lower, cells);
	write_screens(lower, cells);
	enum nft_verdict_kind kind = site.is_tail ? NFT_GOTO : NFT_JUMP;
	unsigned level = site.level + cells_levels(cells, form);
	struct goal *goals = pool_array(cells->pool, struct goal, cells->leaves_count);
	uint64_t growth_here = lower->growth;
	lower->growth = growth;
	for (uint32_t i = 0; i < cells->leaves_count; i++)
		goals[i] = leaf_goal(lower, list_of_leaf(cells, i), level, kind);
	lower->growth = growth_here;
	cells_write(lower, site.draft, cells, goals, form, kind);
	talloc_free(cells->cells); /* of long lists much */
}

/* --- what is reported --------------------------------------------------------------------- */

static const char *ahead_words(const struct lower *lower, size_t lines)
{
	if (lower->choice == NULL)
		return NULL;
	return lines == 1 ? "the first line ahead of the others" : "the first lines ahead of the others";
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
	split_candidate(lower, pool_format(report->pool, "plain rules, %zu", list.count), linear, 0);
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

/* --- layers ------------------------------------------------------------------------------- */

static unsigned layers_cost(const struct lower *lower, const struct layers *layers)
{
	return layers->cost + layers->price + list_cost(lower, (struct list){ layers->rest, layers->rest_count });
}

/* The list as layers, where they cost less than `most`; else NULL. */
static struct layers *choose_layers(struct lower *lower, struct list list, unsigned level, unsigned linear,
				    unsigned most)
{
	struct layers *layers = !cells_may_have_set(lower, linear) ? NULL
		: layers_new(lower, list.items, list.count, level, list_cost_of_linear);
	unsigned cost = layers == NULL ? UINT32_MAX : layers_cost(lower, layers);
	if (layers != NULL && lower->choice != NULL)
		split_candidate(lower, layers_words(lower, layers), cost, layers->price);
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
	unsigned cost; /* with the price; UINT32_MAX: the list is not of both families */
	unsigned price; /* of the size of both */
};

/* What the list costs once it is cut, one step ahead, with the price of its size. */
static unsigned cost_ahead(struct lower *lower, struct list list, unsigned level, unsigned *price)
{
	*price = 0;
	struct nft_choice *choice = lower->choice;
	unsigned linear = list_linear_cost(lower, list);
	if (level == SPLIT_LEVELS_MAX || linear <= lower->limits->list_least)
		return linear;
	if (list.count > AHEAD_MOST)
		list = list_sample(lower, list);
	lower->has_plain_leaves = level + 1 == SPLIT_LEVELS_MAX;
	lower->choice = NULL;
	struct cut cut = cut_best(lower, list, level, CUT_ALL_FIELDS, linear);
	unsigned cost = cut.cells_count == 0 ? linear : cut.cost;
	*price = cut.cells_count == 0 ? 0 : cut.price;
	cut_drop(&cut);
	/* of a sample there are none: how many units meet would not be told */
	struct layers *layers = list.times == 0 ? choose_layers(lower, list, level, linear, cost) : NULL;
	lower->choice = choice;
	if (layers == NULL)
		return cost;
	cost = layers_cost(lower, layers);
	*price = layers->price;
	layers_drop(layers);
	return cost;
}

static struct family_lists families_of(struct lower *lower, struct list list, unsigned level)
{
	struct family_lists families = { .cost = UINT32_MAX };
	unsigned price, price6;
	if (level == 1 && (lower->limits->excluded & OPTIMISE_NOT_FAMILIES) != 0)
		return families;
	if (!has_family(lower, list, FAMILIES_IPV4) || !has_family(lower, list, FAMILIES_IPV6))
		return families;
	families.of[0] = family_list(lower, list, FAMILIES_IPV4);
	families.of[1] = family_list(lower, list, FAMILIES_IPV6);
	unsigned cost = cost_ahead(lower, families.of[0], level, &price);
	cost += cost_ahead(lower, families.of[1], level, &price6);
	families.cost = COST_FAMILY + COST_JUMP + lower->limits->family_bias + cost / 2;
	families.price = (price + price6) / 2;
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

/* The leaf of a later lookup for packets that get to this cell; NULL: none of theirs finds one. */
static const struct leaf *later_leaf(const struct cells *later, const struct cell *cell)
{
	size_t from = 0, to = later->cells_count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (later->cells[middle].high < cell->low)
			from = middle + 1;
		else
			to = middle;
	}
	return from < later->cells_count && later->cells[from].low <= cell->low
		? &later->leaves[later->cells[from].leaf] : NULL;
}

/* What a packet pays in the later lookups of the cut that the leaf of this cell has not decided. */
static unsigned later_cost(struct lower *lower, const struct cut *cut, size_t number, const struct cell *cell)
{
	unsigned cost = 0;
	if (leaf_is_final(lower, list_of_leaf(cut->cells[number], cell->leaf)))
		return 0;
	for (size_t i = number + 1; i < cut->cells_count; i++) {
		const struct cells *later = cut->cells[i];
		const struct leaf *leaf = later_leaf(later, cell);
		cost += cells_lookup_cost(later, cut->form);
		if (leaf != NULL)
			cost += COST_JUMP +
				list_cost(lower, (struct list){ later->entries + leaf->first, leaf->count });
	}
	return cost;
}

/* Leaves of hashes hold what stands at shorter lengths, too, and those that have all hold the rest: a packet that
 * one of them has not decided is asked the same again there. Is that worth a chain, which such leaves return from
 * to behind all of it? */
static bool is_worth_a_chain(struct lower *lower, struct site site, const struct cut *cut)
{
	uint64_t cost = 0, seen = 0;
	const struct cells *first = cut->cells[0];
	if ((site.is_tail && (first->has_all || first->rest_count == 0)) || site.level > LOOKUPS_LEVEL_MOST)
		return false; /* leaves do so in any case, or there is no level left */
	if (first->has_all)
		return true;
	if (first->field >= SPLIT_FLOW4)
		return false;
	for (size_t i = 0; i < cut->cells_count; i++) {
		const struct cells *cells = cut->cells[i];
		size_t step = cells->cells_count / LOOKUPS_SAMPLE + 1;
		for (size_t k = 0; k < cells->cells_count; k += step, seen += step)
			cost += step * later_cost(lower, cut, i, &cells->cells[k]);
	}
	return cost > seen * LOOKUPS_LEAST;
}

/* Writes the chain, and a jump to it. */
static void write_jump(struct lower *lower, struct site site, struct draft *chain)
{
	struct goal goal = chain_once(lower, chain, "", NFT_JUMP);
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, verdict_statement(goal.verdict));
	rule_end(lower, site.draft, &rule, goal.height);
}

/* Writes the head and the lookup; gives what remains to be written. The cut is used up. */
static struct list write_cut(struct lower *lower, struct site site, struct list list,
			     const struct cut *cut)
{
	const struct cells *cells = cut->cells[0];
	struct share_wanted wanted = { 0, 0 };
	prepare_cells(lower, cut);
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
	uint64_t growth = size_growth(lower->growth, cut_cells(cut), list);
	bool has_all = cells->has_all, has_chain = is_worth_a_chain(lower, site, cut);
	struct site inner = site;
	struct draft own;
	for (size_t i = 0; i < cut->cells_count; i++) {
		bool is_whole = leaves_are_whole(cut, i);
		if (has_chain && is_whole && inner.draft == site.draft) { /* flows stand in front */
			own = draft_begin(lower);
			inner = (struct site){ .draft = &own, .level = site.level + 1, .is_tail = true };
		}
		struct site here = inner;
		struct share_wanted cells_wanted = { 0, 0 };
		here.is_tail = inner.is_tail && (has_chain || has_all || cells->rest_count == 0) && is_whole;
		share_want_cells(&cells_wanted, cut->cells[i]);
		share = share_begin(lower, cells_wanted, &wanted);
		write_cells(lower, here, cut->cells[i], cut->form, growth);
		share_end(lower, share);
	}
	const struct list uncut = { cells->rest, cells->rest_count };
	struct list rest = { copy_entries(lower, uncut), uncut.count };
	for (size_t i = 0; i < cut->cells_count; i++)
		talloc_free(cut->cells[i]->pool);
	if (has_chain && has_all) {
		write_list(lower, inner, rest);
		rest.count = 0;
	}
	if (has_chain)
		write_jump(lower, site, &own);
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

/* Lines to be written ahead of a structure of this cost: all of the first hundredth, or none; none where the others
 * would then be plain rules (cut_choose), which packets pay more for. */
static size_t lines_ahead(const struct lower *lower, struct site site, struct list list, unsigned cost)
{
	size_t ahead = list.count / AHEAD_LINES == 0 ? 1 : list.count / AHEAD_LINES;
	uint64_t lines = 0;
	if (site.level != 1 || site.nesting != 0 || lower->limits->ahead_share == 0)
		return 0;
	for (size_t i = 0; i < ahead && lines * lower->limits->ahead_share <= cost; i++)
		lines += emit_cost(lower, list.items[i]);
	unsigned others = list_linear_cost(lower, (struct list){ list.items + ahead, list.count - ahead });
	return lines * lower->limits->ahead_share <= cost && cost < others - others / 8 ? ahead : 0;
}

/* Gives what remains to be written. cost, price: of that. */
static struct list write_ahead(struct lower *lower, struct site site, struct list list, size_t ahead,
			       unsigned cost, unsigned price)
{
	const struct list first = { list.items, ahead };
	if (lower->choice != NULL)
		split_candidate(lower, ahead_words(lower, ahead), list_linear_cost(lower, first) + cost, price);
	report_chosen(lower, ahead_words(lower, ahead));
	write_linear(lower, site, first);
	return (struct list){ list.items + ahead, list.count - ahead };
}

/* What the cut costs with what it leaves, one step more looked ahead than where cuts are compared with each
 * other: layers leave little, cuts may leave much. Where it costs more than `other` in any case it is not looked;
 * 0: it always is. */
static unsigned cost_of_cut(struct lower *lower, const struct cut *cut, unsigned level, unsigned other)
{
	struct list rest = { cut->cells[0]->rest, cut->cells[0]->rest_count };
	unsigned guess = list_cost(lower, rest), price;
	if (other != 0 && cut->cost - guess >= other)
		return cut->cost;
	return cut->cost - guess + cost_ahead(lower, rest, level, &price);
}

/* Layers that cost clearly less than the cut, or than `otherwise` where there is none; else NULL. */
static struct layers *layers_below(struct lower *lower, struct list list, unsigned level, const struct cut *cut,
				   unsigned otherwise)
{
	struct layers *layers = choose_layers(lower, list, level, list_linear_cost(lower, list), UINT32_MAX);
	if (layers == NULL)
		return NULL;
	unsigned price, cost = layers->cost + layers->price;
	cost += cost_ahead(lower, (struct list){ layers->rest, layers->rest_count }, level, &price);
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

/* May anything be gained by structure? One unit is compared as it is, whatever stands around it. */
static bool has_choice(const struct lower *lower, struct list list)
{
	size_t asking = 0;
	for (size_t i = 0; i < list.count && asking < 2; i++)
		asking += entry_needs(lower, list.items[i]) != 0;
	return asking == 2;
}

static void write_list(struct lower *lower, struct site site, struct list list)
{
	if (site.level != 1 && !has_choice(lower, list)) {
		write_linear(lower, site, trim(lower, list));
		return;
	}
	if (!lower->limits->has_structure)
		report_begin(lower, site, list, list_linear_cost(lower, list));
	bool may_be_ahead = true;
	while (lower->limits->has_structure) {
		list = trim(lower, list);
		unsigned linear = list.linear = list_linear_cost(lower, list);
		report_begin(lower, site, list, linear);
		if (linear <= lower->limits->list_least || site.level > SPLIT_LEVELS_MAX ||
		    site.nesting > NESTING_MAX || list.count == 0)
			break;
		struct family_lists families = families_of(lower, list, site.level);
		unsigned most = families.cost < linear ? families.cost : linear;
		if (lower->choice != NULL && families.cost != UINT32_MAX)
			split_candidate(lower, FAMILIES_WORDS, families.cost, families.price);
		struct cut cut = cut_choose(lower, list, site.level, most, site.fields);
		bool has_families = families.cost < linear - linear / 8;
		unsigned cost = cut.cells_count != 0 ? cut.cost : has_families ? families.cost : 0;
		struct layers *layers = site.fields != 0 ? NULL
			: layers_below(lower, list, site.level, &cut, cost != 0 ? cost : linear - linear / 8);
		site.fields = 0;
		unsigned price = cut.cells_count != 0 ? cut.price : has_families ? families.price : 0;
		price = layers != NULL ? layers->price : price;
		cost = layers != NULL ? layers_cost(lower, layers) : cost;
		unsigned known = layers == NULL && cut.cells_count != 0 && may_be_ahead
			? cost_of_cut(lower, &cut, site.level, 0) : cost;
		size_t ahead = may_be_ahead && cost != 0 ? lines_ahead(lower, site, list, known) : 0;
		may_be_ahead = false;
		if (ahead != 0) {
			cut_drop(&cut);
			layers_drop(layers);
			list = write_ahead(lower, site, list, ahead, cost, price);
			continue;
		}
		if (layers != NULL) {
			cut_drop(&cut);
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
			split_candidate(lower, HALVES_WORDS, linear, 0);
		report_chosen(lower, HALVES_WORDS);
		write_halves(lower, site, list);
		return;
	}
	report_chosen(lower, NULL);
	write_linear(lower, site, list);
}

/* The family that all of the list asks for; FAMILIES_BOTH: there is none. */
static unsigned only_family(const struct lower *lower, const struct entries *list)
{
	unsigned family = list->items_count == 0 ? FAMILIES_BOTH : lower->units[list->items[0].unit].family;
	for (size_t i = 0; i < list->items_count; i++)
		if (lower->units[list->items[i].unit].family != family)
			return FAMILIES_BOTH;
	return family;
}

unsigned split_take_family(struct lower *lower, struct entries *list)
{
	unsigned family = only_family(lower, list);
	struct list asking = { list->items, list->items_count }, told;
	if (family == FAMILIES_BOTH || (lower->limits->excluded & OPTIMISE_NOT_FAMILIES) != 0 ||
	    list_linear_cost(lower, asking) < lower->limits->places_least)
		return FAMILIES_BOTH;
	unsigned price, cost = cost_ahead(lower, asking, 1, &price);
	bool had_places = lower->has_places;
	lower->has_places = true;
	told = family_list(lower, asking, family);
	if (COST_FAMILY + cost_ahead(lower, told, 1, &price) + lower->limits->places_gain > cost) {
		lower->has_places = had_places;
		return FAMILIES_BOTH;
	}
	memcpy(list->items, told.items, told.count * sizeof *told.items);
	return family;
}

void split_write(struct lower *lower, struct draft *draft, struct entries *list)
{
	struct site site = { .draft = draft, .level = 1, .is_tail = false };
	write_list(lower, site, (struct list){ list->items, list->items_count });
}

struct goal split_chain(struct lower *lower, struct entries *list, const char *kind)
{
	struct draft draft = draft_begin(lower);
	struct site site = { .draft = &draft, .level = SPLIT_LEVELS_MAX, .is_tail = true };
	write_list(lower, site, (struct list){ list->items, list->items_count });
	return chain_once(lower, &draft, kind, NFT_JUMP);
}
