/* What a piece takes is judged by a sample of its rules. A diagram is, about, a row of the ends of all rules'
 * destinations; at each of them a row of the sources of all rules that hold there; and in each of these the ports
 * of the rules that ask neither. */
#include "target/nft/prove/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define TRANSLATIONS_MOST 256u /* they are not sorted into pieces */
#define SAMPLE_RULES 32u       /* of a piece, to find a cut by */
#define SAMPLE_POINTS 16u      /* of a rule */
#define PARTS_MOST 64u         /* a rule with more places or services is in every piece */
#define PIECES_FORCED 512u     /* where pieces need not pay */
#define INTERVALS_WHOLE 50000u /* of the sets of a hook's rules, which are not cut if the rules are few too */
/* In edges of diagrams: what a rule of a piece costs, and what each edge of a piece's diagrams does. */
#define RULE_COST 80.0
#define EDGE_COST 1.0
#define DISTINCT_SAMPLE 16384u /* intervals */
#define RULE_WEIGHT 16.0 /* prove_sizes.weight_max */
/* Edges of a piece that are too many whatever it costs to cut it. */
#define EDGES_MOST 100000.0
#define GAIN 0.93  /* that both halves together must be as small as */
#define SHRUNK 0.8 /* that each must be as small as where there are too many edges */

struct node {
	struct walk_piece where;
	double share; /* of all addresses, by what rules ask */
	size_t first[HOOK_COUNT], count[HOOK_COUNT]; /* in the lists */
};

struct list {
	uint32_t *items;
	size_t items_count, items_capacity;
};

struct cutting {
	void *pool; /* until it is done */
	const struct ruleset *ruleset;
	struct prove_sizes sizes;
	double distinct; /* the share of destinations that no rule before names */
	/* the hook, this one or one before it, whose rules ask the same and have one list with this one's */
	unsigned like[HOOK_COUNT];
	struct node *nodes; /* still to come; the last is the next */
	size_t nodes_count, nodes_capacity;
	struct list lists[HOOK_COUNT];
	number128 *points;
	size_t points_count, points_capacity;
	size_t given;
};

/* --- what a rule asks ------------------------------------------------------------------------------- */

struct meeting {
	bool meets;
	size_t ends; /* of its intervals, within the row */
};

/* highest: what reaches it has no end. */
static void meet_interval(struct meeting *meeting, const struct interval *item, number128 highest,
			  const struct interval *row)
{
	number128 high = item->high >= highest ? DIAGRAM_HIGHEST : item->high;
	if (item->low > row->high || high < row->low)
		return;
	meeting->meets = true;
	meeting->ends += (size_t)(item->low > row->low) + (high < row->high);
}

/* Intervals that begin within the row and lie in the middle have both ends in it. */
static void meet_set(struct meeting *meeting, const struct interval_set *set, number128 highest,
		     const struct interval *row)
{
	size_t count = set->items_count, first, end;
	if (count == 0)
		return;
	meet_interval(meeting, &set->items[count - 1], highest, row);
	first = interval_set_find(set, row->low);
	end = row->high == DIAGRAM_HIGHEST ? count : interval_set_find(set, row->high) + 1;
	end = end < count - 1 ? end : count - 1;
	if (first >= end)
		return;
	meet_interval(meeting, &set->items[first], highest, row);
	if (end - first > 1)
		meet_interval(meeting, &set->items[end - 1], highest, row);
	meeting->ends += end - first > 2 ? 2 * (end - first - 2) : 0;
}

static struct meeting meet_places(const struct place_boxes *boxes, const struct interval *row)
{
	struct meeting meeting = { 0 };
	size_t count = boxes->boxes_count < PARTS_MOST ? boxes->boxes_count : PARTS_MOST;
	for (size_t i = 0; i < count; i++) {
		const struct address_set *addresses = &boxes->boxes[i].addresses;
		meet_set(&meeting, &addresses->v4, family_highest(FAMILY_IPV4), row);
		meet_set(&meeting, &addresses->v6, family_highest(FAMILY_IPV6), row);
	}
	meeting.meets = meeting.meets || boxes->boxes_count > PARTS_MOST;
	return meeting;
}

static bool is_icmp(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

/* The tuple's protocol and ports are asked together. */
static void meet_tuple(struct meeting *meeting, const struct service_tuple *tuple, const struct walk_piece *where,
		       enum walk_cut cut)
{
	struct meeting protocol = { 0 }, first = { 0 };
	struct interval numbers = { tuple->protocol, tuple->protocol }, ports = { tuple->first.low,
										    tuple->first.high };
	bool is_any = tuple->protocol == PROTOCOL_ANY;
	if (is_any)
		numbers = ports = (struct interval){ 0, DIAGRAM_HIGHEST };
	meet_interval(&protocol, &numbers, UINT8_MAX, &where->rows[WALK_CUT_PROTOCOL]);
	meet_interval(&first, &ports, is_icmp(tuple->protocol) ? UINT8_MAX : UINT16_MAX,
		      &where->rows[WALK_CUT_FIRST]);
	if (!protocol.meets || !first.meets)
		return;
	meeting->meets = true;
	meeting->ends += cut == WALK_CUT_PROTOCOL ? protocol.ends : first.ends;
}

static struct meeting meet_services(const struct tuple_set *services, const struct walk_piece *where,
				    enum walk_cut cut)
{
	struct meeting meeting = { .meets = services->tuples_count > PARTS_MOST };
	size_t count = meeting.meets ? PARTS_MOST : services->tuples_count;
	for (size_t i = 0; i < count; i++)
		meet_tuple(&meeting, &services->tuples[i], where, cut);
	return meeting;
}

/* What the rule asks of one field within the piece. */
static struct meeting meet(const struct rule *rule, const struct walk_piece *where, enum walk_cut cut)
{
	switch (cut) {
	case WALK_CUT_DESTINATION:
		return meet_places(&rule->match.to, &where->rows[cut]);
	case WALK_CUT_SOURCE:
		return meet_places(&rule->match.from, &where->rows[cut]);
	case WALK_CUT_FIRST:
	case WALK_CUT_PROTOCOL:
		return meet_services(&rule->match.services, where, cut);
	case WALK_CUTS:
		break;
	}
	return (struct meeting){ 0 };
}

/* --- what a piece takes ----------------------------------------------------------------------------- */

struct sampled {
	const struct rule *rule;
	struct meeting meetings[WALK_CUTS];
	struct interval destination; /* from its first to its last, within the piece */
	double share;                /* of it that its destinations are */
};

struct load {
	double rules, ends;
	double destinations, ports;
	double sources; /* at ends of destinations, by pairs of rules */
	double before;  /* sources ahead of all ends of destinations */
};

static void add_extent(struct sampled *item, const struct interval_set *set, number128 highest,
		       const struct interval *row, double *width)
{
	size_t count = set->items_count;
	if (count == 0)
		return;
	struct interval all = { set->items[0].low, set->items[count - 1].high };
	all.high = all.high >= highest ? DIAGRAM_HIGHEST : all.high;
	all.low = all.low < row->low ? row->low : all.low;
	all.high = all.high > row->high ? row->high : all.high;
	if (all.low > all.high)
		return;
	item->destination.low = all.low < item->destination.low ? all.low : item->destination.low;
	item->destination.high = all.high > item->destination.high ? all.high : item->destination.high;
	for (size_t i = 0; i < SAMPLE_POINTS && i < count; i++) {
		struct interval one = set->items[i * count / (count < SAMPLE_POINTS ? count : SAMPLE_POINTS)];
		one.high = one.high >= highest ? DIAGRAM_HIGHEST : one.high;
		one.low = one.low < row->low ? row->low : one.low;
		one.high = one.high > row->high ? row->high : one.high;
		if (one.low <= one.high)
			*width += ((double)(one.high - one.low) + 1) * (double)(count > SAMPLE_POINTS ? count : 1) /
				  (count > SAMPLE_POINTS ? SAMPLE_POINTS : 1);
	}
}

static void find_extent(struct sampled *item, const struct interval *row)
{
	const struct place_boxes *boxes = &item->rule->match.to;
	double width = 0;
	item->destination = (struct interval){ DIAGRAM_HIGHEST, 0 };
	for (size_t i = 0; i < boxes->boxes_count && i < PARTS_MOST; i++) {
		const struct address_set *addresses = &boxes->boxes[i].addresses;
		add_extent(item, &addresses->v4, family_highest(FAMILY_IPV4), row, &width);
		add_extent(item, &addresses->v6, family_highest(FAMILY_IPV6), row, &width);
	}
	if (item->destination.low > item->destination.high)
		item->destination = *row;
	item->share = width / ((double)(item->destination.high - item->destination.low) + 1);
	item->share = item->share > 1 || width <= 0 ? 1 : item->share;
}

/* Sources that stand at the ends of one rule's destinations. */
static double sources_at(const struct sampled *item, const struct sampled *items, size_t count)
{
	double sources = 0;
	for (size_t i = 0; i < count; i++) {
		const struct sampled *other = &items[i];
		const struct interval *row = &other->destination;
		double ends = row->low <= item->destination.low && item->destination.low <= row->high;
		ends += row->low <= item->destination.high && item->destination.high <= row->high;
		sources += ends * other->share * (double)other->meetings[WALK_CUT_SOURCE].ends;
	}
	return sources * (double)item->meetings[WALK_CUT_DESTINATION].ends / 2;
}

static struct load load_of(const struct cutting *cutting, const struct sampled *items, size_t count)
{
	struct load load = { .rules = (double)count };
	for (size_t i = 0; i < count; i++) {
		const struct meeting *meetings = items[i].meetings;
		for (size_t cut = 0; cut < WALK_CUTS; cut++)
			load.ends += (double)meetings[cut].ends;
		load.destinations += cutting->distinct * (double)meetings[WALK_CUT_DESTINATION].ends;
		load.sources += cutting->distinct * sources_at(&items[i], items, count);
		load.before += items[i].share * (double)meetings[WALK_CUT_SOURCE].ends;
		if (meetings[WALK_CUT_DESTINATION].ends == 0 && meetings[WALK_CUT_SOURCE].ends == 0)
			load.ports += (double)meetings[WALK_CUT_FIRST].ends;
	}
	return load;
}

/* stride: each rule stands for so many. */
static double edges_of(const struct load *load, size_t stride)
{
	double step = (double)stride;
	double places = (load->destinations + load->before) * step + load->sources * step * step;
	return (places + 1) * (load->ports * step + 1);
}

static double cost_of(const struct cutting *cutting, const struct load *load, double share, size_t stride)
{
	return cutting->sizes.fixed + cutting->sizes.table * share + RULE_COST * load->rules * (double)stride +
	       EDGE_COST * edges_of(load, stride);
}

/* --- where to cut ----------------------------------------------------------------------------------- */

struct sample {
	struct sampled items[2 * SAMPLE_RULES];
	size_t count, stride;
	struct load load;
};

struct cut {
	enum walk_cut field;
	number128 at; /* where the right half begins */
	double cost;  /* of both halves */
	double edges; /* of the larger */
	double shares[2];
};

static void take_sample(const struct cutting *cutting, const struct node *node, struct sample *sample)
{
	unsigned most = 0;
	for (unsigned hook = 1; hook < HOOK_COUNT; hook++)
		most = node->count[hook] > node->count[most] ? hook : most;
	const uint32_t *rules = cutting->lists[most].items + node->first[most];
	sample->stride = node->count[most] / SAMPLE_RULES;
	sample->stride = sample->stride == 0 ? 1 : sample->stride;
	sample->count = 0;
	for (size_t i = 0; i < node->count[most] && sample->count < 2 * SAMPLE_RULES; i += sample->stride) {
		struct sampled *item = &sample->items[sample->count++];
		item->rule = cutting->ruleset->rules[most][rules[i]];
		for (unsigned cut = 0; cut < WALK_CUTS; cut++)
			item->meetings[cut] = meet(item->rule, &node->where, (enum walk_cut)cut);
		find_extent(item, &node->where.rows[WALK_CUT_DESTINATION]);
	}
	sample->load = load_of(cutting, sample->items, sample->count);
}

static void add_point(struct cutting *cutting, const struct interval *row, number128 at)
{
	if (at > row->low && at <= row->high)
		*pool_append(cutting->pool, cutting, points) = at;
}

static void add_ends(struct cutting *cutting, const struct interval *row, number128 low, number128 high)
{
	add_point(cutting, row, low);
	if (high != DIAGRAM_HIGHEST)
		add_point(cutting, row, high + 1);
}

static void add_set_points(struct cutting *cutting, const struct interval *row, const struct interval_set *set)
{
	size_t first = interval_set_find(set, row->low), count = set->items_count - first;
	if (row->high != DIAGRAM_HIGHEST) {
		count = interval_set_find(set, row->high) - first;
		count += first + count < set->items_count;
	}
	for (size_t i = 0; i < count; i += count / SAMPLE_POINTS + 1)
		add_ends(cutting, row, set->items[first + i].low, set->items[first + i].high);
}

static void add_place_points(struct cutting *cutting, const struct interval *row, const struct place_boxes *boxes)
{
	for (size_t i = 0; i < boxes->boxes_count && i < PARTS_MOST; i++) {
		add_set_points(cutting, row, &boxes->boxes[i].addresses.v4);
		add_set_points(cutting, row, &boxes->boxes[i].addresses.v6);
	}
}

static void add_service_points(struct cutting *cutting, const struct walk_piece *where,
			       const struct tuple_set *services, enum walk_cut cut)
{
	for (size_t i = 0; i < services->tuples_count && i < PARTS_MOST; i++) {
		const struct service_tuple *tuple = &services->tuples[i];
		struct meeting meeting = { 0 };
		meet_tuple(&meeting, tuple, where, cut);
		if (!meeting.meets || tuple->protocol == PROTOCOL_ANY)
			continue;
		if (cut == WALK_CUT_PROTOCOL)
			add_ends(cutting, &where->rows[cut], tuple->protocol, tuple->protocol);
		else
			add_ends(cutting, &where->rows[cut], tuple->first.low, tuple->first.high);
	}
}

static int compare_points(const void *left, const void *right)
{
	const number128 *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* The middle of all ends within the row; false: there are none. */
static bool middle_point(struct cutting *cutting, const struct node *node, const struct sample *sample,
			 enum walk_cut field, number128 *middle)
{
	cutting->points_count = 0;
	for (size_t i = 0; i < sample->count; i++) {
		const struct match *match = &sample->items[i].rule->match;
		if (sample->items[i].meetings[field].ends == 0)
			continue;
		if (field == WALK_CUT_DESTINATION)
			add_place_points(cutting, &node->where.rows[field], &match->to);
		else if (field == WALK_CUT_SOURCE)
			add_place_points(cutting, &node->where.rows[field], &match->from);
		else
			add_service_points(cutting, &node->where, &match->services, field);
	}
	if (cutting->points_count == 0)
		return false;
	qsort(cutting->points, cutting->points_count, sizeof *cutting->points, compare_points);
	*middle = cutting->points[cutting->points_count / 2];
	return true;
}

/* What a half of the piece takes. */
static struct load half_load(const struct cutting *cutting, const struct sample *sample,
			     const struct walk_piece *half, enum walk_cut field)
{
	struct sampled met[2 * SAMPLE_RULES];
	size_t count = 0;
	for (size_t i = 0; i < sample->count; i++) {
		const struct meeting meeting = meet(sample->items[i].rule, half, field);
		if (!meeting.meets)
			continue;
		met[count] = sample->items[i];
		met[count].meetings[field] = meeting;
		if (field == WALK_CUT_DESTINATION)
			find_extent(&met[count], &half->rows[field]);
		count++;
	}
	return load_of(cutting, met, count);
}

static void halve(const struct walk_piece *where, enum walk_cut field, number128 at, struct walk_piece *halves)
{
	halves[0] = halves[1] = *where;
	halves[0].rows[field].high = at - 1;
	halves[1].rows[field].low = at;
}

/* Rules, and ends of many-ended ones: what of the table a piece has grows with either. */
static double work_of(const struct load *load)
{
	return RULE_WEIGHT * load->rules + load->ends;
}

static bool try_cut(struct cutting *cutting, const struct node *node, const struct sample *sample,
		    struct cut *cut)
{
	struct walk_piece halves[2];
	if (!middle_point(cutting, node, sample, cut->field, &cut->at))
		return false;
	halve(&node->where, cut->field, cut->at, halves);
	cut->cost = cut->edges = 0;
	bool is_address = cut->field == WALK_CUT_DESTINATION || cut->field == WALK_CUT_SOURCE;
	for (size_t i = 0; i < 2; i++) {
		const struct load load = half_load(cutting, sample, &halves[i], cut->field);
		double edges = edges_of(&load, sample->stride);
		cut->shares[i] = node->share * (is_address ? work_of(&load) / work_of(&sample->load) : 1);
		cut->cost += cost_of(cutting, &load, cut->shares[i], sample->stride);
		cut->edges = edges > cut->edges ? edges : cut->edges;
	}
	return true;
}

static bool best_cut(struct cutting *cutting, const struct node *node, const struct sample *sample,
		     struct cut *best)
{
	bool has_any = false;
	for (unsigned field = 0; field < WALK_CUTS; field++) {
		struct cut cut = { .field = (enum walk_cut)field };
		if (!try_cut(cutting, node, sample, &cut) || (has_any && cut.cost >= best->cost))
			continue;
		*best = cut;
		has_any = true;
	}
	return has_any;
}

static double weight_of(const struct sample *sample)
{
	return (RULE_WEIGHT * sample->load.rules + sample->load.ends / 2) * (double)sample->stride;
}

/* Whether it is cut, and where. */
static bool pays(struct cutting *cutting, const struct node *node, struct cut *cut, double *cost)
{
	struct sample sample;
	take_sample(cutting, node, &sample);
	*cost = cost_of(cutting, &sample.load, node->share, sample.stride);
	double edges = edges_of(&sample.load, sample.stride);
	bool is_forced = cutting->sizes.weight_max != 0;
	if (is_forced && (weight_of(&sample) <= cutting->sizes.weight_max ||
			  cutting->given + cutting->nodes_count > PIECES_FORCED))
		return false;
	if (!best_cut(cutting, node, &sample, cut))
		return false;
	return is_forced || cut->cost < *cost * GAIN || (edges > EDGES_MOST && cut->edges < edges * SHRUNK);
}

/* --- halving ---------------------------------------------------------------------------------------- */

/* The node's lists are the last of all: in their place come those of the right half, behind them the left's. */
static void halve_list(struct cutting *cutting, const struct node *node, unsigned hook, enum walk_cut field,
		       struct node *halves)
{
	struct list *list = &cutting->lists[hook];
	struct rule *const *rules = cutting->ruleset->rules[hook];
	size_t right = node->first[hook], end = right + node->count[hook];
	list->items_count = end;
	for (size_t i = node->first[hook]; i < end; i++) {
		uint32_t number = list->items[i];
		bool is_left = meet(rules[number], &halves[0].where, field).meets;
		if (!is_left || meet(rules[number], &halves[1].where, field).meets)
			list->items[right++] = number;
		if (is_left)
			*pool_append(cutting->pool, list, items) = number;
	}
	size_t count = list->items_count - end;
	if (count != 0)
		memmove(list->items + right, list->items + end, count * sizeof *list->items);
	list->items_count = right + count;
	halves[1].first[hook] = node->first[hook];
	halves[1].count[hook] = right - node->first[hook];
	halves[0].first[hook] = right;
	halves[0].count[hook] = count;
}

static void halve_node(struct cutting *cutting, const struct node *node, const struct cut *cut)
{
	struct walk_piece where[2];
	struct node halves[2] = { 0 };
	halve(&node->where, cut->field, cut->at, where);
	for (size_t i = 0; i < 2; i++) {
		halves[i].where = where[i];
		halves[i].share = cut->shares[i];
	}
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		if (cutting->like[hook] == hook)
			halve_list(cutting, node, hook, cut->field, halves);
		for (size_t i = 0; i < 2; i++) {
			halves[i].first[hook] = halves[i].first[cutting->like[hook]];
			halves[i].count[hook] = halves[i].count[cutting->like[hook]];
		}
	}
	*pool_append(cutting->pool, cutting, nodes) = halves[1];
	*pool_append(cutting->pool, cutting, nodes) = halves[0];
}

static void give(void *pool, struct cutting *cutting, const struct node *node, double cost,
		 struct prove_pieces *pieces)
{
	struct prove_piece *piece = pool_append(pool, pieces, items);
	piece->where = node->where;
	piece->edges = cost;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		struct list *list = &cutting->lists[cutting->like[hook]];
		piece->rules_count[hook] = node->count[hook];
		piece->rules[hook] = piece->rules[cutting->like[hook]];
		if (cutting->like[hook] != hook)
			continue;
		uint32_t *rules = pool_array(pool, uint32_t, node->count[hook] + 1);
		memcpy(rules, list->items + node->first[hook], node->count[hook] * sizeof *rules);
		piece->rules[hook] = rules;
		list->items_count = node->first[hook];
	}
	pieces->edges += cost;
	cutting->given++;
}

/* --- the whole -------------------------------------------------------------------------------------- */

/* Do the rules of two hooks ask the same, as far as cuts see? */
static bool are_alike(const struct ruleset *ruleset, unsigned a, unsigned b)
{
	if (ruleset->rules_count[a] != ruleset->rules_count[b])
		return false;
	for (size_t i = 0; i < ruleset->rules_count[a]; i++) {
		const struct match *one = &ruleset->rules[a][i]->match, *other = &ruleset->rules[b][i]->match;
		if (one->from.boxes != other->from.boxes || one->from.boxes_count != other->from.boxes_count ||
		    one->to.boxes != other->to.boxes || one->to.boxes_count != other->to.boxes_count ||
		    one->services.tuples != other->services.tuples ||
		    one->services.tuples_count != other->services.tuples_count)
			return false;
	}
	return true;
}

static size_t intervals_of(const struct place_boxes *boxes)
{
	size_t count = 0;
	for (size_t i = 0; i < boxes->boxes_count; i++)
		count += boxes->boxes[i].addresses.v4.items_count + boxes->boxes[i].addresses.v6.items_count;
	return count;
}

/* One in so many values, whatever rules name it; not the first of all, which most name that name no place. */
static bool is_taken(number128 value, size_t step)
{
	uint64_t mixed = ((uint64_t)value ^ (uint64_t)(value >> 64)) * 0x9e3779b97f4a7c15u;
	return value != 0 && (mixed >> 32) % step == 0;
}

static void take_lows(struct cutting *cutting, const struct interval_set *set, size_t step)
{
	for (size_t i = 0; i < set->items_count; i++)
		if (is_taken(set->items[i].low, step))
			*pool_append(cutting->pool, cutting, points) = set->items[i].low;
}

/* Rules that name the same destinations share the edges of their diagrams. */
static double distinct_share(struct cutting *cutting, unsigned hook)
{
	size_t intervals = 0, distinct = 0, count = cutting->ruleset->rules_count[hook];
	for (size_t i = 0; i < count; i++)
		intervals += intervals_of(&cutting->ruleset->rules[hook][i]->match.to);
	size_t step = intervals / DISTINCT_SAMPLE + 1;
	for (size_t i = 0; i < count; i++) {
		const struct place_boxes *to = &cutting->ruleset->rules[hook][i]->match.to;
		for (size_t k = 0; k < to->boxes_count; k++) {
			take_lows(cutting, &to->boxes[k].addresses.v4, step);
			take_lows(cutting, &to->boxes[k].addresses.v6, step);
		}
	}
	if (cutting->points_count == 0)
		return 1;
	qsort(cutting->points, cutting->points_count, sizeof *cutting->points, compare_points);
	for (size_t i = 0; i < cutting->points_count; i++)
		distinct += i == 0 || cutting->points[i] != cutting->points[i - 1];
	return (double)distinct / (double)cutting->points_count;
}

static struct cutting *cutting_new(void *pool, const struct ruleset *ruleset, const struct prove_sizes *sizes)
{
	struct cutting *cutting = pool_new(pool, struct cutting);
	struct node root = { .where = walk_piece_whole, .share = 1 };
	unsigned most = 0;
	cutting->pool = cutting;
	cutting->ruleset = ruleset;
	cutting->sizes = *sizes;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		struct list *list = &cutting->lists[hook];
		root.count[hook] = ruleset->rules_count[hook];
		while (cutting->like[hook] < hook && !are_alike(ruleset, cutting->like[hook], hook))
			cutting->like[hook]++;
		if (cutting->like[hook] == hook)
			list->items = pool_room(cutting, NULL, &list->items_capacity, root.count[hook] + 1,
						sizeof *list->items);
		for (size_t i = 0; cutting->like[hook] == hook && i < root.count[hook]; i++)
			list->items[i] = (uint32_t)i;
		list->items_count = root.count[hook];
		most = root.count[hook] > root.count[most] ? hook : most;
	}
	cutting->distinct = distinct_share(cutting, most);
	*pool_append(cutting, cutting, nodes) = root;
	return cutting;
}

static bool is_small_hook(const struct ruleset *ruleset, const struct prove_sizes *sizes, unsigned hook)
{
	double most = sizes->weight_max != 0 ? sizes->weight_max : INTERVALS_WHOLE;
	size_t intervals = 0;
	if (ruleset->rules_count[hook] > sizes->rules_whole)
		return false;
	for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
		const struct match *match = &ruleset->rules[hook][i]->match;
		intervals += intervals_of(&match->from) + intervals_of(&match->to);
	}
	return (double)intervals <= most;
}

static bool is_small(const struct ruleset *ruleset, const struct prove_sizes *sizes)
{
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		if (!is_small_hook(ruleset, sizes, hook))
			return false;
	return true;
}

struct prove_pieces prove_pieces_new(void *pool, const struct ruleset *ruleset, const struct prove_sizes *sizes,
				     double most)
{
	struct prove_pieces pieces = { 0 };
	struct cut cut;
	double cost;
	if (ruleset->has_stateless || ruleset->translations_count > TRANSLATIONS_MOST || is_small(ruleset, sizes))
		return pieces; /* answers turn round what is source and destination */
	struct cutting *cutting = cutting_new(pool, ruleset, sizes);
	while (cutting->nodes_count != 0 && pieces.edges < most) {
		const struct node node = cutting->nodes[--cutting->nodes_count];
		if (pays(cutting, &node, &cut, &cost))
			halve_node(cutting, &node, &cut);
		else
			give(pool, cutting, &node, cost, &pieces);
	}
	pieces.is_too_much = pieces.edges >= most;
	talloc_free(cutting);
	return pieces;
}
