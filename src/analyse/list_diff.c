/* Each list ends with two boxes for its default. What two boxes both decide is what they have in common, but
 * for what earlier boxes of either list take: that region is cut out in diagrams as long as it stays small;
 * where it does not, the second engine finds one packet of it. */
#include "analyse/list_diff.h"

#include <stdlib.h>

#include "analyse/overlap.h"
#include "base/interned.h"
#include "base/pool.h"

/* Of more boxes in its way a region is first asked whether there is any of it. */
#define CUTS_FEW 24
/* A region that is cut by more, or needs so many intervals, is not cut out. */
#define CUTS_MOST 600
#define REGION_MOST 3000
/* So much of a space is left for what is made of regions. */
#define SPACE_MOST 5000000
#define COVER_STEPS 20000

enum side { BEFORE, AFTER, SIDES };

struct side_list {
	const struct packet_rule *rules; /* with the default's */
	size_t count;
	uint32_t *ids;
	size_t *twins;
	struct overlap_index *index;
};

struct pair {
	uint32_t before, after;
};

struct finding {
	void *pool, *result_pool;
	const struct list_diff_question *question;
	struct packet_space *space;
	const struct interval_set *hook;
	struct side_list sides[SIDES];
	struct interned *places; /* of pairs in the answer: a place and one */
	struct list_differences *found;
};

/* One box, and one of the other list. */
struct meeting {
	void *pool;
	struct pair pair;
	struct packet_box both;
	const struct packet_box **cuts; /* earlier boxes of either that overlap it */
	size_t cuts_count, cuts_capacity;
};

/* --- lists ------------------------------------------------------------------------------------------- */

static const struct interval_set *one_value(void *pool, number128 value)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, value, value);
	return set;
}

static void read_side(struct finding *finding, struct list_pairing *pairing, enum side side)
{
	const struct list_diff_question *question = finding->question;
	const struct packet_list *list = side == BEFORE ? &question->before : &question->after;
	struct packet_rule *rules = pool_array(finding->pool, struct packet_rule, list->count + 2);
	struct side_list *made = &finding->sides[side];

	for (size_t at = 0; at < list->count; at++)
		rules[at] = list->rules[at];
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		rules[list->count + family] = (struct packet_rule){
			.box = { .fields = { [FIELD_FAMILY] = one_value(finding->pool, family) } },
			.number = list->otherwise,
		};
	made->rules = rules;
	made->count = list->count + 2;
	made->ids = pool_array(finding->pool, uint32_t, made->count);
	made->twins = pool_array(finding->pool, size_t, made->count);
	for (size_t at = 0; at < made->count; at++)
		made->ids[at] = list_pairing_id(pairing, &rules[at].box,
						question->key(question->context, side == AFTER,
							      rules[at].number));
}

static void align_sides(struct finding *finding)
{
	const uint32_t *const ids[SIDES] = { finding->sides[BEFORE].ids, finding->sides[AFTER].ids };
	const size_t counts[SIDES] = { finding->sides[BEFORE].count, finding->sides[AFTER].count };
	size_t *const twins[SIDES] = { finding->sides[BEFORE].twins, finding->sides[AFTER].twins };

	list_align(finding->pool, ids, counts, twins);
}

/* --- regions ----------------------------------------------------------------------------------------- */

static struct list_difference *place_of(struct finding *finding, struct pair pair)
{
	void **slot = interned_slot(finding->places, &pair, sizeof pair);

	if (*slot == NULL) {
		*pool_append(finding->result_pool, finding->found, items) = (struct list_difference){
			.before = pair.before, .after = pair.after,
			.packets = packet_set_none(), .region = packet_set_none(),
		};
		*slot = (void *)(uintptr_t)finding->found->items_count;
	}
	return &finding->found->items[(size_t)(uintptr_t)*slot - 1];
}

static void keep_region(struct finding *finding, const struct meeting *meeting, packet_set packets,
			packet_set region, bool is_within)
{
	struct list_difference *difference = place_of(finding, meeting->pair);

	difference->packets = packet_set_union(finding->space, difference->packets, packets);
	difference->region = packet_set_union(finding->space, difference->region, region);
	difference->is_within = difference->is_within || is_within;
}

/* false: too large. */
static bool cut_region(struct finding *finding, const struct meeting *meeting, packet_set *region)
{
	size_t region_most = finding->question->region_most;
	size_t most = diagrams_edges(finding->space->diagrams) + (region_most != 0 ? region_most : REGION_MOST);

	if (most > SPACE_MOST)
		return false;
	*region = packet_set_box(finding->space, &meeting->both);
	for (size_t at = 0; at < meeting->cuts_count && !packet_set_is_empty(*region); at++) {
		struct packet_box cut =
			packet_box_intersect(meeting->pool, meeting->cuts[at], &meeting->both);

		*region = packet_set_subtract(finding->space, *region, packet_set_box(finding->space, &cut));
		if (diagrams_edges(finding->space->diagrams) > most)
			return false;
	}
	return *region != PACKET_MAP_OVER;
}

static packet_set packet_alone(struct finding *finding, void *pool, const struct packet_point *point)
{
	struct packet_box box;

	for (size_t field = 0; field < PACKET_FIELDS; field++)
		box.fields[field] = one_value(pool, point->fields[field]);
	return packet_set_intersect(finding->space, packet_set_box(finding->space, &box),
				    finding->question->possible);
}

/* false: it is not known whether both decide any packet. */
static bool find_region(struct finding *finding, const struct meeting *meeting)
{
	bool is_short = meeting->cuts_count <= CUTS_FEW;
	enum cover_answer answer = COVER_UNKNOWN;
	struct packet_box box = meeting->both;
	struct packet_point point;
	packet_set region;

	box.fields[FIELD_HOOK] = finding->hook;
	if (!is_short)
		answer = cover_find_within(meeting->pool, finding->space->universe, &box, meeting->cuts,
					   meeting->cuts_count, COVER_STEPS, finding->question->work, &point);
	if (answer == COVER_YES)
		return true;
	if (meeting->cuts_count <= CUTS_MOST && cut_region(finding, meeting, &region)) {
		packet_set packets =
			packet_set_intersect(finding->space, region, finding->question->possible);

		if (!packet_set_is_empty(packets))
			keep_region(finding, meeting, packets, region, false);
		return true;
	}
	if (is_short)
		answer = cover_find_within(meeting->pool, finding->space->universe, &box, meeting->cuts,
					   meeting->cuts_count, COVER_STEPS, finding->question->work, &point);
	if (answer == COVER_NO)
		keep_region(finding, meeting, packet_alone(finding, meeting->pool, &point),
			    packet_set_box(finding->space, &meeting->both), true);
	return answer != COVER_UNKNOWN;
}

/* --- meetings ---------------------------------------------------------------------------------------- */

static void take_work(const struct finding *finding, size_t comparisons)
{
	size_t *work = finding->question->work;

	*work -= *work < comparisons ? *work : comparisons;
}

/* Adds what overlaps the meeting in a list before a place; of boxes with twins those whose twins do not
 * stand before another place. false: one includes all of it. */
static bool find_cuts(const struct finding *finding, struct meeting *meeting, enum side side, size_t end,
		      size_t twins_end)
{
	const struct side_list *list = &finding->sides[side];
	struct overlap_list overlaps = { 0 };

	overlap_find(meeting->pool, list->index, &meeting->both, 0, end, &overlaps);
	take_work(finding, overlaps.items_count + 1);
	for (size_t at = 0; at < overlaps.items_count; at++) {
		size_t place = overlaps.items[at];

		if (packet_box_includes(&list->rules[place].box, &meeting->both))
			return false;
		if (list->twins[place] == LIST_NO_TWIN || list->twins[place] >= twins_end)
			*pool_append(meeting->pool, meeting, cuts) = &list->rules[place].box;
	}
	return true;
}

/* Pairs of two boxes without twins are found once, from the side before. A box whose twin stands before this
 * one takes what both match. */
static bool is_met_here(const struct finding *finding, enum side side, size_t place, size_t other)
{
	size_t twin = finding->sides[SIDES - 1 - side].twins[other];

	return twin == LIST_NO_TWIN ? side == BEFORE : twin > place;
}

static bool judge_meeting(struct finding *finding, void *pool, enum side side, size_t place, size_t other)
{
	enum side other_side = SIDES - 1 - side;
	const struct packet_rule *own = &finding->sides[side].rules[place];
	const struct packet_rule *met = &finding->sides[other_side].rules[other];
	struct meeting meeting = { .pool = pool };

	meeting.pair = side == BEFORE ? (struct pair){ own->number, met->number } :
					(struct pair){ met->number, own->number };
	if (!is_met_here(finding, side, place, other) ||
	    !finding->question->is_asked(finding->question->context, meeting.pair.before, meeting.pair.after))
		return true;
	meeting.both = packet_box_intersect(pool, &own->box, &met->box);
	if (!find_cuts(finding, &meeting, side, place, 0) ||
	    !find_cuts(finding, &meeting, other_side, other, place))
		return true;
	return find_region(finding, &meeting);
}

static bool is_included(const struct side_list *list, const struct overlap_list *overlaps,
			const struct packet_box *box)
{
	for (size_t at = 0; at < overlaps->items_count; at++)
		if (packet_box_includes(&list->rules[overlaps->items[at]].box, box))
			return true;
	return false;
}

/* A box without a twin, and all boxes of the other list that it overlaps, until one includes it. */
static bool judge_box(struct finding *finding, void *pool, enum side side, size_t place)
{
	const struct side_list *own = &finding->sides[side], *list = &finding->sides[SIDES - 1 - side];
	const struct packet_box *box = &own->rules[place].box;
	struct overlap_list earlier = { 0 }, others = { 0 };
	bool is_known = true;

	overlap_find(pool, own->index, box, 0, place, &earlier);
	overlap_find(pool, list->index, box, 0, list->count, &others);
	take_work(finding, earlier.items_count + others.items_count);
	if (is_included(own, &earlier, box))
		return true;
	for (size_t at = 0; at < others.items_count; at++) {
		is_known = judge_meeting(finding, pool, side, place, others.items[at]) && is_known;
		if (*finding->question->work == 0)
			return false;
		if (packet_box_includes(&list->rules[others.items[at]].box, box))
			break;
	}
	return is_known;
}

static void add_undecided(struct finding *finding, enum side side, uint32_t number)
{
	struct list_differences *found = finding->found;
	struct list_undecided undecided = { side == AFTER, number };

	if (found->undecided_count == 0 ||
	    found->undecided[found->undecided_count - 1].number != number ||
	    found->undecided[found->undecided_count - 1].is_after != undecided.is_after)
		*pool_append(finding->result_pool, found, undecided) = undecided;
}

static void judge_side(struct finding *finding, enum side side)
{
	const struct side_list *list = &finding->sides[side];

	for (size_t place = 0; place < list->count; place++) {
		void *pool;
		bool is_known;

		if (list->twins[place] != LIST_NO_TWIN)
			continue;
		pool = pool_child(finding->pool, "box");
		is_known = *finding->question->work > 0 && judge_box(finding, pool, side, place);
		if (!is_known)
			add_undecided(finding, side, list->rules[place].number);
		talloc_free(pool);
	}
}

static bool has_lone(const struct side_list *list)
{
	for (size_t place = 0; place < list->count; place++)
		if (list->twins[place] == LIST_NO_TWIN)
			return true;
	return false;
}

struct list_differences *list_diff_find(void *pool, struct list_pairing *pairing,
					const struct list_diff_question *question)
{
	struct finding finding = {
		.pool = pool_child(pool, "list differences"),
		.result_pool = pool,
		.question = question,
		.space = question->space,
		.found = pool_new(pool, struct list_differences),
	};

	finding.hook = one_value(finding.pool, question->hook);
	finding.places = interned_new(finding.pool, arena_new(finding.pool));
	read_side(&finding, pairing, BEFORE);
	read_side(&finding, pairing, AFTER);
	align_sides(&finding);
	if (has_lone(&finding.sides[BEFORE]) || has_lone(&finding.sides[AFTER])) {
		for (enum side side = BEFORE; side < SIDES; side++)
			finding.sides[side].index =
				overlap_index_new(finding.pool, question->space->universe,
						  finding.sides[side].rules, finding.sides[side].count);
		judge_side(&finding, BEFORE);
		judge_side(&finding, AFTER);
	}
	talloc_free(finding.pool);
	return finding.found;
}
